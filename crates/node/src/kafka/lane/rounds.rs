//! Rounds: stepped, handed over, and what becomes of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use headroom_store::fault;
use rdkafka::error::RDKafkaErrorCode;

use super::served::{Hold, Served};
use super::{
    CLOCK_DIFFERENCE_MAX, Coming, Identity, KafkaLane, OPEN_MAX, PER_PARTITION, Producers, RETRY_FIRST, RETRY_MAX,
    SLOW_COMMIT,
};
use crate::config::Config;
use crate::error::RunError;
use crate::kafka::committer::{Outcome, Submission, Told};
use crate::kafka::group::GroupRequest;
use crate::kafka::input::Round;
use crate::kafka::producer::TransactionError;
use crate::kafka::topic::Topic;
use crate::kafka::value::{Outgoing, output_to_send};
use crate::lane::StagedPiece;
use crate::telemetry;

/// A transaction that is not over.
pub(super) struct OpenRound {
    pub(super) shards: Vec<OpenShard>,
    pub(super) oldest: Option<Instant>,
    pub(super) records: u64,
}

pub(super) struct OpenShard {
    pub(super) shard: u32,
    pub(super) pieces: usize,
    pub(super) round: Round,
    pub(super) took_over: bool,
    /// Where it then stands on broadcasts.
    pub(super) broadcasts: [u64; 2],
}
impl OpenRound {
    pub(super) fn empty() -> Self {
        Self { shards: Vec::new(), oldest: None, records: 0 }
    }
}

impl KafkaLane {
    pub(super) fn may_step(&self) -> bool {
        // Whoever is tried alone goes when nothing else is open; others wait that long, or it would never be.
        let open_max = if self.tried_alone().is_some() { 1 } else { OPEN_MAX };
        self.rounds.len() < open_max
            && Instant::now() >= self.retry_at
            && self.metadata.is_some()
            && matches!(self.producers, Producers::Ready { .. })
            && (self.is_due() || self.wants_take_over() || self.ticks_at.elapsed() >= self.config.lane.tick)
    }

    pub(super) fn wants_take_over(&self) -> bool {
        self.served.values().any(|served| served.is_new)
    }

    /// Enough has come, or what came has waited long enough.
    pub(super) fn is_due(&self) -> bool {
        let (mut records, mut touched) = (0, 0);
        for served in self.served.values() {
            records += served.inputs.len();
            touched += u32::from(served.inputs.len() > 0);
        }
        let broadcasts = self.served.values().any(|served| !served.inputs.is_at_end(&self.broadcasts));
        let waits = self.round_at.elapsed() >= self.interval + PER_PARTITION * touched;
        records >= self.config.kafka.round_records || ((records > 0 || broadcasts) && waits)
    }

    /// Computes a round and hands it over. False: there was nothing to do.
    pub(super) fn step(&mut self) -> bool {
        self.round_at = Instant::now();
        let ticks = self.ticks_at.elapsed() >= self.config.lane.tick;
        if ticks {
            self.ticks_at = Instant::now();
        }
        let mut round = OpenRound { shards: Vec::new(), oldest: None, records: 0 };
        let (mut outputs, mut journal) = (Vec::new(), Vec::new());
        let (mut records_left, mut bytes_left) = (self.config.kafka.round_records, self.config.kafka.round_bytes);
        for number in self.order() {
            let is_open = self.is_open(number);
            let Some(served) = self.served.get_mut(&number) else { continue };
            // Where processes died, what is before a record is committed before it is tried (PROTOCOL P19).
            let careful = served.lane.is_careful();
            if careful && is_open {
                continue;
            }
            let (mut taken, mut tick) = (Round::default(), None);
            // The record of a take-over comes alone: rounds begin behind it (PROTOCOL P11).
            if !served.is_new {
                let (patience, records_max) = (self.config.kafka.wait_behind, if careful { 1 } else { records_left });
                taken = served.inputs.take(&self.broadcasts, records_max, bytes_left, patience);
                let at_end = taken.records.is_empty() && served.inputs.is_at_end(&self.broadcasts);
                tick = if ticks && at_end { served.wanted_tick(&self.config, self.clock_is_off) } else { None };
            }
            if taken.records.is_empty() && tick.is_none() && !served.is_new {
                continue;
            }
            records_left = records_left.saturating_sub(taken.records.len());
            bytes_left = bytes_left.saturating_sub(taken.records.iter().map(|each| each.original.len()).sum());
            round.records += taken.records.len() as u64;
            round.oldest = taken.origins.iter().map(|origin| origin.since).chain(round.oldest).min();
            if let Err(error) = served.decide(&taken, tick) {
                served.inputs.put_back(taken);
                self.shard_failed(number, &error, round);
                return true;
            }
            let pieces = served.lane.take_staged();
            encode(&self.config, number, &pieces, &mut outputs);
            let took_over = std::mem::take(&mut served.is_new);
            let broadcasts = served.inputs.broadcasts;
            let open = OpenShard { shard: number, pieces: pieces.len(), round: taken, took_over, broadcasts };
            round.shards.push(open);
            journal.extend(pieces.into_iter().map(|piece| (number, piece)));
            if records_left == 0 || bytes_left == 0 {
                self.turn = number + 1;
                break;
            }
        }
        if round.shards.is_empty() {
            return false;
        }
        fault::point("kafka.round_stepped");
        self.submit(round, outputs, journal);
        true
    }

    /// A round with this shard is under way.
    pub(super) fn is_open(&self, shard: u32) -> bool {
        self.rounds.iter().any(|round| round.shards.iter().any(|open| open.shard == shard))
    }

    /// Shards in turn; one whose partitions refused writes is tried alone.
    pub(super) fn order(&self) -> Vec<u32> {
        if let Some(number) = self.tried_alone() {
            return vec![number];
        }
        let now = Instant::now();
        let is_free = |served: &Served| served.held.is_none_or(|hold| now >= hold.until);
        let free = |(number, served): (&u32, &Served)| is_free(served).then_some(*number);
        self.served.range(self.turn..).chain(self.served.range(..self.turn)).filter_map(free).collect()
    }

    /// A shard that was left out for long enough, and has something to decide.
    fn tried_alone(&self) -> Option<u32> {
        let now = Instant::now();
        let has_work = |served: &Served| served.is_new || served.inputs.len() > 0;
        let is_due = |served: &Served| served.held.is_some_and(|hold| now >= hold.until) && has_work(served);
        self.served.iter().find(|(_, served)| is_due(served)).map(|(number, _)| *number)
    }

    pub(super) fn submit(&mut self, round: OpenRound, outputs: Vec<(u32, Outgoing)>, journal: Vec<(u32, StagedPiece)>) {
        let Producers::Ready { pair, turn, writer } = &mut self.producers else { return };
        let (transactor, writer) = (Arc::clone(&pair[*turn]), Arc::clone(writer));
        *turn = 1 - *turn;
        let metadata = Arc::clone(self.metadata.as_ref().expect("rounds are stepped by members only"));
        let submission = Submission { epoch: self.epoch, transactor, writer, outputs, journal, metadata };
        self.rounds.push_back(round);
        self.links.submissions.send(submission).expect("the thread for commits lives as long as its lane");
    }

    pub(super) fn hear_outcomes(&mut self) {
        while let Ok(told) = self.links.outcomes.try_recv() {
            self.take_outcome(told);
        }
    }

    /// What became of an attempt that was given up counts for nothing: its records were put back, or its shards are taken
    /// over from the journal.
    pub(super) fn take_outcome(&mut self, (epoch, outcome): Told) {
        if epoch != self.epoch {
            return;
        }
        match outcome {
            Outcome::Committed { took, clock_ahead } => {
                self.watch_clock(clock_ahead);
                self.committed(took);
            }
            Outcome::Aborted { error, refused } => {
                telemetry::transaction_aborted(self.number, &error.name);
                // A client may go on believing that a partition has no leader, long after it has one again.
                if refused.iter().any(|each| each.code == RDKafkaErrorCode::MessageTimedOut) {
                    self.lost(&error);
                    return;
                }
                tracing::info!(lane = self.number, %error, "a transaction was aborted: its records are stepped again");
                let shards: BTreeSet<u32> = refused.iter().map(|each| each.partition).collect();
                self.forget_rounds();
                self.hold(&shards);
                self.back_off();
                // The generation may have moved without a callback (PROTOCOL P8). The group's thread may be gone.
                if error.name.contains("GENERATION") || error.name.contains("MEMBER") {
                    let _ = self.links.requests.send(GroupRequest::Metadata);
                }
            }
            Outcome::Lost { error } => self.lost(&error),
            // Behind one that failed, which has given up both.
            Outcome::Skipped => {}
        }
    }

    pub(super) fn committed(&mut self, took: Duration) {
        let Some(round) = self.rounds.pop_front() else { return };
        fault::point("kafka.before_release");
        self.failures = 0;
        telemetry::transaction_committed(self.number, round.records, took);
        if let Some(oldest) = round.oldest {
            telemetry::event_to_change(oldest.elapsed(), round.records);
        }
        for OpenShard { shard, pieces, took_over, broadcasts, .. } in round.shards {
            let Some(served) = self.served.get_mut(&shard) else { continue };
            (served.held, served.committed_broadcasts, served.moved_at) = (None, broadcasts, Instant::now());
            if let Err(error) = served.lane.release(pieces) {
                served.shard.seal_by(&error);
                self.drop_shard(shard);
                continue;
            }
            served.shard.moved(served.lane.state().now, served.lane.state().accounts, served.lane.ruleset());
            if took_over {
                served.shard.serving();
                telemetry::shard_served(shard);
            }
        }
        fault::point("kafka.released_to_store");
        // The next round collects for as long as this one took: under load rounds grow.
        self.interval = self.config.kafka.commit_every.max(took.min(SLOW_COMMIT) / 2);
        if took > SLOW_COMMIT && self.rounds.is_empty() {
            tracing::warn!(lane = self.number, ?took, "a commit took long: the lane goes on with fresh producers");
            self.retake();
        }
        for topic in 0..Topic::BROADCAST.len() {
            let lowest = self.served.values().map(|served| served.committed_broadcasts[topic]).min();
            self.broadcasts.reached(self.number, topic, lowest.unwrap_or(u64::MAX));
        }
    }

    /// `ahead`: how many milliseconds the machine's clock is ahead of the broker's, where that says.
    pub(super) fn watch_clock(&mut self, ahead: Option<i64>) {
        let Some(difference) = ahead.map(i64::unsigned_abs) else { return };
        let is_off = difference > CLOCK_DIFFERENCE_MAX;
        if is_off != self.clock_is_off {
            self.clock_is_off = is_off;
            telemetry::broker_clock(if is_off { Duration::from_millis(difference) } else { Duration::ZERO });
        }
    }

    /// Forgets what is open: the records wait again, and are stepped the same way.
    pub(super) fn forget_rounds(&mut self) {
        self.epoch += 1;
        while let Some(round) = self.rounds.pop_back() {
            self.undo(round);
        }
        for served in self.served.values_mut() {
            served.lane.abandon();
        }
    }

    pub(super) fn undo(&mut self, round: OpenRound) {
        for OpenShard { shard, round, took_over, .. } in round.shards {
            if let Some(served) = self.served.get_mut(&shard) {
                served.inputs.put_back(round);
                served.is_new |= took_over;
            }
        }
    }

    pub(super) fn back_off(&mut self) {
        let pause = RETRY_FIRST * 2_u32.saturating_pow(self.failures.min(16));
        self.failures += 1;
        self.retry_at = Instant::now() + pause.min(RETRY_MAX);
    }

    /// Leaves shards out for a while whose partitions did not take a write.
    pub(super) fn hold(&mut self, shards: &BTreeSet<u32>) {
        for shard in shards {
            let Some(served) = self.served.get_mut(shard) else { continue };
            let pause = served.held.map_or(RETRY_FIRST * 20, |hold| (hold.pause * 2).min(RETRY_MAX * 5));
            served.held = Some(Hold { until: Instant::now() + pause, pause });
            telemetry::shard_held(*shard, pause);
        }
    }

    /// What became of the last round is unknown, or the producers are gone: every shard is taken over again, from the
    /// journal (PROTOCOL P12, P17).
    pub(super) fn lost(&mut self, error: &TransactionError) {
        telemetry::producers_lost(self.number, &error.name);
        tracing::warn!(lane = self.number, %error, "the lane lost its producers: its shards are taken over again");
        self.retake();
    }

    pub(super) fn retake(&mut self) {
        self.forget_rounds();
        self.back_off();
        self.producers =
            Producers::Missing { not_before: self.retry_at, pause: RETRY_FIRST, identity: Identity::ToAsk };
        let shards: Vec<u32> = self.served.keys().copied().collect();
        for shard in shards {
            self.let_go(shard);
            let wanted = Arc::new(AtomicBool::new(true));
            self.coming.insert(shard, Coming { wanted, since: Instant::now() });
        }
        self.fetcher.assign(std::iter::empty());
    }

    /// A shard's own trouble: it is sealed, and the others are stepped again without it (PROTOCOL P18).
    pub(super) fn shard_failed(&mut self, shard: u32, error: &RunError, open: OpenRound) {
        let of = Arc::clone(&self.all[shard as usize]);
        of.seal(error.code().unwrap_or("HR0306"), &error.to_string());
        self.undo(open);
        self.finish_rounds();
        self.forget_rounds();
        self.forget_coming(shard);
        self.drop_shard(shard);
    }

    pub(super) fn drop_shard(&mut self, shard: u32) {
        self.served.remove(&shard);
        self.fetcher.assign(self.served.iter().map(|(shard, served)| (*shard, &served.inputs)));
    }
}

/// Outputs as records of their topics.
fn encode(config: &Config, shard: u32, pieces: &[StagedPiece], outputs: &mut Vec<(u32, Outgoing)>) {
    for output in pieces.iter().flat_map(|piece| &piece.outputs) {
        let sent = output_to_send(output, &config.kafka).expect("every output has a form of each format");
        outputs.push((shard, sent));
    }
}
