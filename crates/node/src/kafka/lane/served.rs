//! One shard that is served here: its lane, its inputs, its clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use headroom_engine::Timestamp;

use crate::config::{Config, KafkaProfile};
use crate::decode::wall_clock;
use crate::error::RunError;
use crate::kafka::fetcher::Came;
use crate::kafka::input::{Inputs, Round};
use crate::kafka::topic::Topic;
use crate::lane::Lane;
use crate::service::{Shard, Ticker, announce};
use crate::telemetry;

/// A shard that is served here.
pub(super) struct Served {
    pub(super) shard: Arc<Shard>,
    pub(super) lane: Lane,
    pub(super) inputs: Inputs,
    /// What is committed of broadcasts.
    pub(super) committed_broadcasts: [u64; 2],
    /// Its take-over is not written yet.
    pub(super) is_new: bool,
    /// Its partitions refuse writes: it is left out until then, and tried alone (PROTOCOL P18).
    pub(super) held: Option<Hold>,
    /// When something of it was committed last, or it was taken over.
    pub(super) moved_at: Instant,
    pub(super) ticker: Ticker,
    pub(super) snapshot_at: Instant,
}

/// How long a shard is left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub(super) until: Instant,
    pub(super) pause: Duration,
}
impl Served {
    pub(super) fn take_in(&mut self, topic: Topic, fetched: Came) {
        match fetched {
            Came::Record(record) => {
                self.inputs.push(topic, *record, Instant::now());
            }
            Came::End(offset) => self.inputs.queues[usize::from(topic.rank())].reached_end(offset),
        }
    }

    /// Steps over records and a tick; everything is staged.
    pub(super) fn decide(&mut self, taken: &Round, tick: Option<Timestamp>) -> Result<(), RunError> {
        if self.is_new {
            return self.lane.take_over();
        }
        if taken.records.is_empty() && tick.is_none() {
            return Ok(());
        }
        if taken.waited_out {
            self.lane.mark_waited_out();
        }
        let (shard, started) = (Arc::clone(&self.shard), Instant::now());
        let _span = telemetry::round_span(shard.number, self.lane.journal_end()).entered();
        self.lane.round(&taken.records, tick, &mut |piece| Some(announce(&shard, &piece, Vec::new(), started)))?;
        if tick.is_some() {
            self.ticker.ticked();
            telemetry::tick(shard.number);
        }
        Ok(())
    }

    /// Where the clock of an idle shard goes, if it must move (PROTOCOL P2); nowhere while the machine's clock is off (P3).
    pub(super) fn wanted_tick(&mut self, config: &Config, clock_is_off: bool) -> Option<Timestamp> {
        let records_tell = config.kafka.profile == KafkaProfile::Development;
        if clock_is_off && !records_tell {
            return None;
        }
        let wall = (!records_tell).then(wall_clock);
        // What the store has to say it says again in the next round.
        self.ticker.wanted(&mut self.lane, config.lane.tick, wall).unwrap_or_default()
    }
}
