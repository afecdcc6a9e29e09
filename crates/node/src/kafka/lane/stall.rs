//! What a lane waits for, told where it waits for long.

use std::time::{Duration, Instant};

use super::served::Served;
use super::{KafkaLane, Producers};
use crate::telemetry;

/// A shard with work that has come no further for so long is told of, and again as often.
const STALL: Duration = Duration::from_secs(10);

impl KafkaLane {
    pub(super) fn tell_stalls(&mut self) {
        if self.stalls_at.elapsed() < STALL {
            return;
        }
        self.stalls_at = Instant::now();
        for (shard, coming) in self.coming.iter().filter(|(_, coming)| coming.since.elapsed() >= STALL) {
            telemetry::shard_stalled(*shard, coming.since.elapsed(), &self.producers.to_string());
        }
        let stalled = |served: &&Served| served.inputs.len() > 0 && served.moved_at.elapsed() >= STALL;
        for served in self.served.values().filter(stalled) {
            let words = format!(
                "{}; {} rounds are open; {}{}",
                self.producers,
                self.rounds.len(),
                served.inputs.describe(&self.broadcasts),
                if served.held.is_some() { "; its partitions refused a write" } else { "" }
            );
            telemetry::shard_stalled(served.shard.number, served.moved_at.elapsed(), &words);
        }
    }
}

impl std::fmt::Display for Producers {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { identity, .. } => write!(to, "producers are not open (identity: {identity:?})"),
            Self::Ready { .. } => write!(to, "producers are open"),
        }
    }
}
