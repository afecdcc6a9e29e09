//! What a lane does between rounds: it fetches, and makes checkpoints.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::rounds::OpenRound;
use super::served::Served;
use super::{IDLE, KafkaLane, LOOK_MAX, OPEN_MAX};
use crate::error::RunError;
use crate::kafka::fetcher::Taken;
use crate::kafka::snapshotter::Checkpoint;
use crate::telemetry;

impl KafkaLane {
    pub(super) fn fetch(&mut self, stepped: bool) {
        let busy = !self.rounds.is_empty() || self.waiting() > 0;
        let wait = match (stepped, busy) {
            (true, _) => Duration::ZERO,
            (false, true) => Duration::from_millis(1),
            (false, false) => IDLE,
        };
        let full = self.rounds.len() >= OPEN_MAX && self.waiting() >= 2 * self.config.kafka.round_records;
        if full && let Ok(told) = self.links.outcomes.recv_timeout(IDLE) {
            self.take_outcome(told);
        }
        // Also then: a shard whose records have not come waits behind those that have plenty.
        let wait = if full { Duration::ZERO } else { wait };
        let served = &mut self.served;
        let Taken { troubles, is_all } = self.fetcher.fetch(wait, &mut |shard, topic, fetched| {
            if let Some(served) = served.get_mut(&shard) {
                served.take_in(topic, fetched);
            }
        });
        let since = std::mem::replace(&mut self.looked_at, Instant::now()).elapsed().min(LOOK_MAX);
        if is_all {
            self.served.values_mut().for_each(|served| served.inputs.looked(since));
        }
        for (shard, error) in troubles {
            self.shard_failed(shard, &RunError::Kafka(error), OpenRound::empty());
        }
        self.fetcher.hold(self.served.iter_mut().map(|(shard, served)| (*shard, &mut served.inputs)));
    }

    pub(super) fn waiting(&self) -> usize {
        self.served.values().map(|served| served.inputs.len()).sum()
    }

    /// Makes a checkpoint of a shard whose time has come, one at a time in the whole node.
    pub(super) fn checkpoint(&mut self) {
        let Some(checkpoints) = &self.links.checkpoints else { return };
        let due = |served: &&mut Served| !served.is_new && served.snapshot_at <= Instant::now();
        let Some(served) = self.served.values_mut().find(due) else { return };
        if checkpoints.busy.swap(true, Ordering::AcqRel) {
            return;
        }
        served.snapshot_at = Instant::now() + checkpoints.every;
        let shard = served.shard.number;
        let dir = checkpoints.dir.shard_dir(shard).with_extension("checkpoint");
        // Of a process that died over it.
        let _ = std::fs::remove_dir_all(&dir);
        let sent = match served.lane.store_mut().checkpoint(&dir) {
            Ok(taken) => checkpoints.taken.send(Checkpoint { shard, taken, dir }).is_ok(),
            Err(error) => {
                telemetry::snapshot_failed(shard, error.code(), &error.to_string());
                false
            }
        };
        if !sent {
            checkpoints.busy.store(false, Ordering::Release);
        }
    }
}
