//! The lane loop, and the log that it works on: what comes from outside, and what makes a round count.

use std::time::{Duration, Instant};

use headroom_engine::Timestamp;
use headroom_store::StoreError;

use crate::lane::Lane;

/// An idle shard's clock moves at least so often (PROTOCOL P15).
const TICK_AT_LEAST: Duration = Duration::from_secs(5);

/// Where a lane's records come from, and what makes its rounds count: the log of embedded mode, where a write does, or
/// Kafka, where a transaction does.
pub trait Log {
    /// Hears what happened outside: shards that come and go, rounds that are through. False: the lane has nothing left
    /// to do, and nothing more comes.
    fn attend(&mut self) -> bool;

    /// Steps what has come, and hands it over to be made to count, as far as there is room. Says whether it did anything.
    fn round(&mut self) -> bool;

    /// Waits until there may be more to do; not long where something was just done.
    fn wait(&mut self, worked: bool);

    /// Closes what is open.
    fn finish(&mut self);
}

/// Serves until there is nothing left to do.
pub fn run(log: &mut impl Log) {
    while log.attend() {
        let worked = log.round();
        log.wait(worked);
    }
    log.finish();
}

/// When an idle shard's clock moves (PROTOCOL P2).
#[derive(Debug)]
pub struct Ticker {
    looked_at: Instant,
    ticked_at: Instant,
}

impl Default for Ticker {
    fn default() -> Self {
        let now = Instant::now();
        Self { looked_at: now, ticked_at: now }
    }
}

impl Ticker {
    /// Where the clock of a shard goes that stands at its end, if it must move: to the wall clock where timers are due or
    /// it stood for too long, looked at every so often; nowhere but on with a sweep where records bring their own time
    /// (`wall` is `None`).
    ///
    /// # Errors
    /// What the store says.
    pub fn wanted(
        &mut self,
        lane: &mut Lane,
        every: Duration,
        wall: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = lane.state().now;
        let sweeps = lane.state().sweep.is_some();
        let Some(wall) = wall else { return Ok(sweeps.then_some(now)) };
        if sweeps || self.ticked_at.elapsed() >= TICK_AT_LEAST {
            return Ok(Some(wall.max(now)));
        }
        if self.looked_at.elapsed() < every {
            return Ok(None);
        }
        self.looked_at = Instant::now();
        Ok(lane.has_due(wall)?.then_some(wall.max(now)))
    }

    /// It moved.
    pub fn ticked(&mut self) {
        self.ticked_at = Instant::now();
    }
}
