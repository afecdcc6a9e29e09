//! Shards that come and go: what the group says, take-overs, and the producers that both need.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

use headroom_store::fault;

use super::rounds::OpenRound;
use super::served::Served;
use super::{Coming, FINISH_MAX, IDLE, Identity, KafkaLane, OPEN_PATIENCE, Producers, RETRY_MAX, SPARES};
use crate::kafka::error::KafkaError;
use crate::kafka::group::GroupEvent;
use crate::kafka::input::Inputs;
use crate::kafka::producer::Transactor;
use crate::kafka::takeover::Opened;
use crate::kafka::takeover_thread::{Job, Report};
use crate::service::Ticker;
use crate::telemetry;

impl KafkaLane {
    pub(super) fn hear_group(&mut self) {
        loop {
            match self.links.events.try_recv() {
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    // We left the group, if it did not put us out before: nothing of what is left is ours.
                    let left: BTreeSet<u32> = self.served.keys().chain(self.coming.keys()).copied().collect();
                    if !left.is_empty() {
                        self.revoked(&left.into_iter().collect::<Vec<_>>(), true);
                    }
                    break;
                }
                Ok(event) => self.take_event(event),
            }
        }
    }

    pub(super) fn take_event(&mut self, event: GroupEvent) {
        match event {
            GroupEvent::Assigned { shards, metadata } => {
                self.metadata = Some(metadata);
                self.assigned(&shards);
            }
            GroupEvent::Revoked { shards, lost, released } => {
                self.revoked(&shards, lost);
                fault::point("kafka.released");
                // The group's thread may have given up waiting.
                let _ = released.send(());
            }
        }
    }

    pub(super) fn assigned(&mut self, shards: &[u32]) {
        for &shard in shards {
            if self.served.contains_key(&shard) || self.coming.contains_key(&shard) {
                continue;
            }
            self.all[shard as usize].opening();
            if self.changed.get().is_some() {
                self.seal_if_changed(shard);
                continue;
            }
            let wanted = Arc::new(AtomicBool::new(true));
            self.coming.insert(shard, Coming { wanted, since: Instant::now() });
            self.send_take_over(shard);
        }
    }

    /// Asks for a shard that is to come, unless it is asked for already. Not before producers are open: their opening
    /// ends what an earlier run of this process left open.
    pub(super) fn send_take_over(&mut self, shard: u32) {
        let Some(coming) = self.coming.get(&shard) else { return };
        if matches!(self.producers, Producers::Missing { .. }) || !self.asked.insert(shard) {
            return;
        }
        let wanted = Arc::clone(&coming.wanted);
        self.send_job(Job::TakeOver { shard, wanted });
    }

    pub(super) fn send_job(&self, job: Job) {
        self.links.jobs.send(job).expect("the thread for take-overs lives as long as its lane");
    }

    pub(super) fn revoked(&mut self, shards: &[u32], lost: bool) {
        self.release(shards, lost);
        for shard in shards {
            self.all[*shard as usize].away();
            self.seal_if_changed(*shard);
        }
        tracing::info!(lane = self.number, ?shards, lost, "shards left this node");
    }

    pub(super) fn release(&mut self, shards: &[u32], lost: bool) {
        let is_under_way = |round: &OpenRound| round.shards.iter().any(|each| shards.contains(&each.shard));
        if self.rounds.iter().any(is_under_way) {
            if lost {
                // Fresh producers end what is open, and the journal tells what became of it (PROTOCOL P17).
                tracing::warn!(
                    lane = self.number,
                    "shards were lost amid a transaction: all of the lane are taken over again"
                );
                self.retake();
            } else {
                self.finish_rounds();
            }
        }
        for shard in shards {
            // Also where rounds ended so that all is to be taken over again.
            self.forget_coming(*shard);
            self.let_go(*shard);
        }
        self.fetcher.assign(self.served.iter().map(|(shard, served)| (*shard, &served.inputs)));
    }

    pub(super) fn forget_coming(&mut self, shard: u32) {
        if let Some(coming) = self.coming.remove(&shard) {
            coming.wanted.store(false, Ordering::Release);
        }
    }

    pub(super) fn let_go(&mut self, shard: u32) {
        let Some(mut served) = self.served.remove(&shard) else { return };
        served.lane.abandon();
        if let Err(error) = served.lane.settle().and_then(|()| served.lane.end()) {
            tracing::error!(shard, %error, "the store of a shard that leaves has failed");
            return;
        }
        self.shelf.put(shard, served.lane.into_store());
    }

    /// No round is open afterwards.
    pub(super) fn finish_rounds(&mut self) {
        let until = Instant::now() + FINISH_MAX;
        while !self.rounds.is_empty() && Instant::now() < until {
            match self.links.outcomes.recv_timeout(IDLE) {
                Ok(told) => self.take_outcome(told),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if !self.rounds.is_empty() {
            tracing::warn!(lane = self.number, "a transaction does not end: the journal will say what became of it");
            self.retake();
        }
    }

    pub(super) fn hear_take_overs(&mut self) {
        while let Ok(report) = self.links.reports.try_recv() {
            match report {
                Report::Opened { shard, wanted, opened } => {
                    self.asked.remove(&shard);
                    self.opened(shard, &wanted, *opened);
                }
                Report::Failed { shard, wanted, error } => {
                    self.asked.remove(&shard);
                    self.take_over_failed(shard, &wanted, &error);
                }
                Report::Identity(answer) => self.identity_known(answer),
            }
        }
    }

    /// A job from an earlier stay of the shard says nothing about this one: others may have written between.
    pub(super) fn is_of_now(&self, shard: u32, wanted: &Arc<AtomicBool>) -> bool {
        self.coming.get(&shard).is_some_and(|coming| Arc::ptr_eq(&coming.wanted, wanted))
    }

    pub(super) fn opened(&mut self, shard: u32, wanted: &Arc<AtomicBool>, opened: Opened) {
        let Opened { mut lane, keyed, broadcasts } = opened;
        let Some(coming) = self.is_of_now(shard, wanted).then(|| self.coming.remove(&shard)).flatten() else {
            if let Err(error) = lane.end() {
                tracing::error!(shard, %error, "the store of a shard that left has failed");
            }
            self.shelf.put(shard, lane.into_store());
            self.send_take_over(shard);
            return;
        };
        for (topic, offset) in broadcasts.into_iter().enumerate() {
            self.broadcasts.require(self.number, topic, offset);
        }
        let of = Arc::clone(&self.all[shard as usize]);
        of.opened(lane.store().reader().clone(), Arc::clone(lane.ruleset()), lane.outputs_end());
        of.moved(lane.state().now, lane.state().accounts, lane.ruleset());
        telemetry::shard_taken_over(shard, lane.state().accounts, coming.since.elapsed());
        let now = Instant::now();
        let served = Served {
            shard: of,
            lane,
            inputs: Inputs::new(keyed, broadcasts),
            committed_broadcasts: broadcasts,
            is_new: true,
            held: None,
            moved_at: now,
            ticker: Ticker::default(),
            snapshot_at: now + self.first_snapshot(shard),
        };
        self.served.insert(shard, served);
        self.fetcher.assign(self.served.iter().map(|(shard, served)| (*shard, &served.inputs)));
    }

    /// Spread over the interval, so that shards do not all come at once.
    pub(super) fn first_snapshot(&self, shard: u32) -> Duration {
        let every = self.links.checkpoints.as_ref().map_or(Duration::ZERO, |checkpoints| checkpoints.every);
        every * (shard % 8 + 1) / 8
    }

    pub(super) fn take_over_failed(&mut self, shard: u32, wanted: &Arc<AtomicBool>, error: &KafkaError) {
        match error {
            KafkaError::IdentityTaken { .. } => (self.fatal)(error.code(), error.to_string()),
            error if !self.is_of_now(shard, wanted) => {
                tracing::debug!(shard, %error, "a take-over of a shard that left meanwhile");
                self.send_take_over(shard);
            }
            error if error.is_passing() => {
                tracing::warn!(shard, %error, code = error.code(), "a shard cannot be taken over yet: it is tried again");
                self.send_take_over(shard);
            }
            error => {
                self.coming.remove(&shard);
                self.all[shard as usize].seal(error.code(), &error.to_string());
            }
        }
    }

    pub(super) fn open_producers(&mut self) {
        let Producers::Missing { not_before, pause, identity } = self.producers else { return };
        if self.coming.is_empty() || Instant::now() < not_before {
            return;
        }
        match identity {
            Identity::Ours => {}
            Identity::Asked => return,
            Identity::ToAsk => {
                self.producers = Producers::Missing { not_before, pause, identity: Identity::Asked };
                self.send_job(Job::Identity { shards: self.coming.keys().copied().collect() });
                return;
            }
        }
        fault::point("kafka.before_producers");
        let open = |id: &String| Transactor::open(&self.producer_config, id, OPEN_PATIENCE, &|| true).map(Arc::new);
        let writer = Arc::new(self.writer.spare(self.spare));
        let ids: [String; 2] = writer.transactional_ids().try_into().expect("a writer on Kafka has two producers");
        match ids.each_ref().map(open) {
            [Ok(a), Ok(b)] => {
                self.producers = Producers::Ready { pair: [a, b], turn: 0, writer };
                let shards: Vec<u32> = self.coming.keys().copied().collect();
                shards.into_iter().for_each(|shard| self.send_take_over(shard));
            }
            [Err(error), _] | [_, Err(error)] => {
                tracing::warn!(lane = self.number, spare = self.spare, %error, "producers cannot be opened yet");
                if error.is_busy() {
                    self.spare = (self.spare + 1) % (SPARES + 1);
                }
                let pause = (pause * 2).min(RETRY_MAX);
                let not_before = Instant::now() + pause;
                self.producers = Producers::Missing { not_before, pause, identity: Identity::ToAsk };
            }
        }
    }

    pub(super) fn identity_known(&mut self, answer: Result<(), KafkaError>) {
        let Producers::Missing { mut not_before, pause, identity: Identity::Asked } = self.producers else { return };
        let identity = match answer {
            Ok(()) => Identity::Ours,
            Err(error @ KafkaError::IdentityTaken { .. }) => {
                (self.fatal)(error.code(), error.to_string());
                return;
            }
            Err(error) => {
                tracing::warn!(lane = self.number, %error, "journals do not say who writes them: they are asked again");
                not_before = Instant::now() + RETRY_MAX;
                Identity::ToAsk
            }
        };
        self.producers = Producers::Missing { not_before, pause, identity };
    }
}
