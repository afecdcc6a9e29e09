//! A lane on Kafka: one thread that serves the shards the group gives it, round after round (PROTOCOL P8 to P18).
//!
//! A round is one transaction. While it is carried out, the next is computed on what it will have changed; if it fails,
//! both are forgotten and the same records are stepped again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use headroom_engine::Timestamp;
use headroom_store::fault;
use rdkafka::config::ClientConfig;

use super::broadcast::Broadcasts;
use super::committer::{Outcome, Submission, Told};
use super::error::KafkaError;
use super::fetcher::{Fetcher, Taken};
use super::group::{GroupEvent, GroupRequest};
use super::input::{Inputs, Round};
use super::native::GroupMetadata;
use super::producer::{TransactionError, Transactor};
use super::shelf::Shelf;
use super::snapshotter::Checkpoint;
use super::takeover::Opened;
use super::takeover_thread::{Job, Report};
use super::topic::Topic;
use super::value::{Outgoing, output_to_send};
use crate::config::{Config, KafkaProfile};
use crate::decode::wall_clock;
use crate::error::RunError;
use crate::lane::Lane;
use crate::service::{DataDir, Shard, announce};
use crate::telemetry;

/// Rounds that are open at once: one carried out, one computed behind it.
const OPEN_MAX: usize = 2;
/// An idle shard's clock moves at least so often (PROTOCOL P15).
const TICK_AT_LEAST: Duration = Duration::from_secs(5);
/// A lane without work looks around so often.
const IDLE: Duration = Duration::from_millis(10);
/// What has not come is missed for so long at most between two looks: a lane that was busy has not waited.
const LOOK_MAX: Duration = Duration::from_millis(20);
/// Each partition that a round touches costs the broker; the interval grows by so much for each.
const PER_PARTITION: Duration = Duration::from_micros(150);
/// Retries after failures begin with the first and double up to the second.
const RETRY_FIRST: Duration = Duration::from_millis(5);
const RETRY_MAX: Duration = Duration::from_secs(2);
/// A commit that took longer is followed by fresh producers (PROTOCOL P17).
const SLOW_COMMIT: Duration = Duration::from_secs(1);
/// One attempt at opening producers.
const OPEN_PATIENCE: Duration = Duration::from_secs(2);
/// Clocks may differ by so many milliseconds (PROTOCOL P3).
const CLOCK_DIFFERENCE_MAX: u64 = 5_000;
/// How long rounds under way are waited for when shards leave.
const FINISH_MAX: Duration = Duration::from_secs(15);

/// A shard that is served here.
struct Served {
    shard: Arc<Shard>,
    lane: Lane,
    inputs: Inputs,
    /// What is committed of broadcasts.
    committed_broadcasts: [u64; 2],
    /// Its take-over is not written yet.
    is_new: bool,
    /// Its partitions refuse writes: it is left out until then, and tried alone (PROTOCOL P18).
    held: Option<Hold>,
    looked_at: Instant,
    ticked_at: Instant,
    snapshot_at: Instant,
}

/// How long a shard is left out.
#[derive(Clone, Copy, Debug)]
struct Hold {
    until: Instant,
    pause: Duration,
}

/// A shard that is ours but not served yet.
struct Coming {
    wanted: Arc<AtomicBool>,
    /// When it became ours.
    since: Instant,
}

/// A transaction that is not over.
struct OpenRound {
    shards: Vec<OpenShard>,
    oldest: Option<Instant>,
    records: u64,
}

struct OpenShard {
    shard: u32,
    pieces: usize,
    round: Round,
    took_over: bool,
    /// Where it then stands on broadcasts.
    broadcasts: [u64; 2],
}

/// The two producers, used in turn.
enum Producers {
    /// They must be opened; not before this time, and once it is known that nobody else writes in our name.
    Missing {
        not_before: Instant,
        pause: Duration,
        identity: Identity,
    },
    Ready {
        pair: [Arc<Transactor>; 2],
        turn: usize,
    },
}

/// Whether journals were asked who writes in our name. New producers end those of another process of our identity, and
/// its new ones ours: so who started earlier must see what the other wrote before it opens any (PROTOCOL P12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Identity {
    ToAsk,
    Asked,
    /// Nobody does; or we have just started, and nobody can have started later.
    Ours,
}

/// What connects a lane with the threads beside it.
pub struct Links {
    /// From the group.
    pub events: Receiver<GroupEvent>,
    /// To the group.
    pub requests: Sender<GroupRequest>,
    /// To the thread that takes shards over.
    pub jobs: Sender<Job>,
    /// From it.
    pub reports: Receiver<Report>,
    /// To the thread that commits.
    pub submissions: Sender<Submission>,
    /// From it.
    pub outcomes: Receiver<Told>,
    /// To the thread for snapshots, where there are any.
    pub checkpoints: Option<Checkpoints>,
}

/// Where checkpoints go.
pub struct Checkpoints {
    /// To the thread that carries them away.
    pub taken: Sender<Checkpoint>,
    /// One is under way.
    pub busy: Arc<AtomicBool>,
    /// Where they are made.
    pub dir: DataDir,
    /// How often for each shard.
    pub every: Duration,
}

/// One lane.
pub struct KafkaLane {
    number: usize,
    config: Config,
    /// Of all partitions, by number.
    all: Vec<Arc<Shard>>,
    fetcher: Fetcher,
    broadcasts: Arc<Broadcasts>,
    producer_config: ClientConfig,
    ids: [String; 2],
    producers: Producers,
    links: Links,
    metadata: Option<Arc<GroupMetadata>>,
    served: BTreeMap<u32, Served>,
    coming: BTreeMap<u32, Coming>,
    /// Shards that the thread for take-overs is busy with: one job for each at a time.
    asked: BTreeSet<u32>,
    /// Stores of shards that are not served.
    shelf: Arc<Shelf>,
    rounds: VecDeque<OpenRound>,
    epoch: u64,
    failures: u32,
    retry_at: Instant,
    round_at: Instant,
    ticks_at: Instant,
    interval: Duration,
    /// The machine's clock differs from the brokers' (PROTOCOL P3).
    clock_is_off: bool,
    /// Topics are no longer what they were, with a code and words: nothing is decided any more.
    changed: Changed,
    /// When inputs were looked at last.
    looked_at: Instant,
    /// The next round begins with this shard: none is always last.
    turn: u32,
    fatal: Tell,
}

/// What is wrong with the topics since the node started, once something is: a code, and words.
pub type Changed = Arc<OnceLock<(&'static str, String)>>;

/// Ends the node, with a code and words.
pub type Tell = Arc<dyn Fn(&'static str, String) + Send + Sync>;

impl KafkaLane {
    /// A lane without shards.
    #[expect(clippy::too_many_arguments, reason = "each is another part of the node")]
    pub fn new(
        number: usize,
        config: &Config,
        all: Vec<Arc<Shard>>,
        fetcher: Fetcher,
        (broadcasts, shelf): (Arc<Broadcasts>, Arc<Shelf>),
        (producer_config, ids): (ClientConfig, [String; 2]),
        links: Links,
        (changed, fatal): (Changed, Tell),
    ) -> Self {
        let now = Instant::now();
        Self {
            number,
            config: config.clone(),
            all,
            fetcher,
            broadcasts,
            producer_config,
            ids,
            producers: Producers::Missing { not_before: now, pause: RETRY_FIRST, identity: Identity::Ours },
            links,
            metadata: None,
            served: BTreeMap::new(),
            coming: BTreeMap::new(),
            asked: BTreeSet::new(),
            shelf,
            rounds: VecDeque::new(),
            epoch: 0,
            failures: 0,
            retry_at: now,
            round_at: now,
            ticks_at: now,
            interval: config.kafka.commit_every,
            clock_is_off: false,
            changed,
            looked_at: now,
            turn: 0,
            fatal,
        }
    }

    /// Serves until it is told to stop and the group has taken its shards away.
    pub fn run(&mut self, stop: &AtomicBool) {
        loop {
            // Where producers were lost, what the group has to say comes before anything is done about it.
            self.hear_outcomes();
            self.hear_group();
            self.hear_take_overs();
            self.hear_changed();
            if stop.load(Ordering::Acquire) && self.served.is_empty() && self.coming.is_empty() {
                break;
            }
            self.open_producers();
            let stepped = self.may_step() && self.step();
            self.fetch(stepped);
            self.checkpoint();
        }
    }

    /// Lets everything go where topics are no longer what they were (PROTOCOL P25).
    fn hear_changed(&mut self) {
        if self.changed.get().is_none() || (self.served.is_empty() && self.coming.is_empty()) {
            return;
        }
        let shards: Vec<u32> = self.served.keys().chain(self.coming.keys()).copied().collect();
        self.release(&shards);
        shards.into_iter().for_each(|shard| self.seal_if_changed(shard));
    }

    fn seal_if_changed(&self, shard: u32) {
        if let Some((code, words)) = self.changed.get() {
            self.all[shard as usize].seal(code, words);
        }
    }

    // The group.

    fn hear_group(&mut self) {
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

    fn take_event(&mut self, event: GroupEvent) {
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

    fn assigned(&mut self, shards: &[u32]) {
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
    fn send_take_over(&mut self, shard: u32) {
        let Some(coming) = self.coming.get(&shard) else { return };
        if matches!(self.producers, Producers::Missing { .. }) || !self.asked.insert(shard) {
            return;
        }
        let wanted = Arc::clone(&coming.wanted);
        self.send_job(Job::TakeOver { shard, wanted });
    }

    fn send_job(&self, job: Job) {
        self.links.jobs.send(job).expect("the thread for take-overs lives as long as its lane");
    }

    fn revoked(&mut self, shards: &[u32], lost: bool) {
        self.release(shards);
        for shard in shards {
            self.all[*shard as usize].away();
            self.seal_if_changed(*shard);
        }
        tracing::info!(lane = self.number, ?shards, lost, "shards left this node");
    }

    fn release(&mut self, shards: &[u32]) {
        let is_under_way = |round: &OpenRound| round.shards.iter().any(|each| shards.contains(&each.shard));
        if self.rounds.iter().any(is_under_way) {
            // What is under way is finished, or fails by itself where the shards are lost.
            self.finish_rounds();
        }
        for shard in shards {
            // Also where rounds ended so that all is to be taken over again.
            self.forget_coming(*shard);
            self.let_go(*shard);
        }
        self.fetcher.assign(self.served.iter().map(|(shard, served)| (*shard, &served.inputs)));
    }

    fn forget_coming(&mut self, shard: u32) {
        if let Some(coming) = self.coming.remove(&shard) {
            coming.wanted.store(false, Ordering::Release);
        }
    }

    fn let_go(&mut self, shard: u32) {
        let Some(mut served) = self.served.remove(&shard) else { return };
        served.lane.abandon();
        if let Err(error) = served.lane.settle().and_then(|()| served.lane.end()) {
            tracing::error!(shard, %error, "the store of a shard that leaves has failed");
            return;
        }
        self.shelf.put(shard, served.lane.into_store());
    }

    /// No round is open afterwards.
    fn finish_rounds(&mut self) {
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

    // Take-overs.

    fn hear_take_overs(&mut self) {
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
    fn is_of_now(&self, shard: u32, wanted: &Arc<AtomicBool>) -> bool {
        self.coming.get(&shard).is_some_and(|coming| Arc::ptr_eq(&coming.wanted, wanted))
    }

    fn opened(&mut self, shard: u32, wanted: &Arc<AtomicBool>, opened: Opened) {
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
            looked_at: now,
            ticked_at: now,
            snapshot_at: now + self.first_snapshot(shard),
        };
        self.served.insert(shard, served);
        self.fetcher.assign(self.served.iter().map(|(shard, served)| (*shard, &served.inputs)));
    }

    /// Spread over the interval, so that shards do not all come at once.
    fn first_snapshot(&self, shard: u32) -> Duration {
        let every = self.links.checkpoints.as_ref().map_or(Duration::ZERO, |checkpoints| checkpoints.every);
        every * (shard % 8 + 1) / 8
    }

    fn take_over_failed(&mut self, shard: u32, wanted: &Arc<AtomicBool>, error: &KafkaError) {
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

    // Producers.

    fn open_producers(&mut self) {
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
        match self.ids.each_ref().map(open) {
            [Ok(a), Ok(b)] => {
                self.producers = Producers::Ready { pair: [a, b], turn: 0 };
                let shards: Vec<u32> = self.coming.keys().copied().collect();
                shards.into_iter().for_each(|shard| self.send_take_over(shard));
            }
            [Err(error), _] | [_, Err(error)] => {
                tracing::warn!(lane = self.number, %error, "producers cannot be opened yet");
                let pause = (pause * 2).min(RETRY_MAX);
                let not_before = Instant::now() + pause;
                self.producers = Producers::Missing { not_before, pause, identity: Identity::ToAsk };
            }
        }
    }

    fn identity_known(&mut self, answer: Result<(), KafkaError>) {
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

    // Rounds.

    fn may_step(&self) -> bool {
        self.rounds.len() < OPEN_MAX
            && Instant::now() >= self.retry_at
            && self.metadata.is_some()
            && matches!(self.producers, Producers::Ready { .. })
            && (self.is_due() || self.wants_take_over() || self.ticks_at.elapsed() >= self.config.lane.tick)
    }

    fn wants_take_over(&self) -> bool {
        self.served.values().any(|served| served.is_new)
    }

    /// Enough has come, or what came has waited long enough.
    fn is_due(&self) -> bool {
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
    fn step(&mut self) -> bool {
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
    fn is_open(&self, shard: u32) -> bool {
        self.rounds.iter().any(|round| round.shards.iter().any(|open| open.shard == shard))
    }

    /// Shards in turn; one whose partitions refused writes is tried alone.
    fn order(&self) -> Vec<u32> {
        let now = Instant::now();
        let is_free = |served: &Served| served.held.is_none();
        let alone = self.served.iter().find(|(_, served)| served.held.is_some_and(|hold| now >= hold.until));
        if let (Some((number, _)), true) = (alone, self.rounds.is_empty()) {
            return vec![*number];
        }
        let free = |(number, served): (&u32, &Served)| is_free(served).then_some(*number);
        self.served.range(self.turn..).chain(self.served.range(..self.turn)).filter_map(free).collect()
    }

    fn submit(
        &mut self,
        round: OpenRound,
        outputs: Vec<(u32, Outgoing)>,
        journal: Vec<(u32, crate::lane::StagedPiece)>,
    ) {
        let Producers::Ready { pair, turn } = &mut self.producers else { return };
        let transactor = Arc::clone(&pair[*turn]);
        *turn = 1 - *turn;
        let metadata = Arc::clone(self.metadata.as_ref().expect("rounds are stepped by members only"));
        let submission = Submission { epoch: self.epoch, transactor, outputs, journal, metadata };
        self.rounds.push_back(round);
        self.links.submissions.send(submission).expect("the thread for commits lives as long as its lane");
    }

    fn hear_outcomes(&mut self) {
        while let Ok(told) = self.links.outcomes.try_recv() {
            self.take_outcome(told);
        }
    }

    /// What became of an attempt that was given up counts for nothing: its records were put back, or its shards are taken
    /// over from the journal.
    fn take_outcome(&mut self, (epoch, outcome): Told) {
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

    fn committed(&mut self, took: Duration) {
        let Some(round) = self.rounds.pop_front() else { return };
        fault::point("kafka.before_release");
        self.failures = 0;
        telemetry::transaction_committed(self.number, round.records, took);
        if let Some(oldest) = round.oldest {
            telemetry::event_to_change(oldest.elapsed(), round.records);
        }
        for OpenShard { shard, pieces, took_over, broadcasts, .. } in round.shards {
            let Some(served) = self.served.get_mut(&shard) else { continue };
            (served.held, served.committed_broadcasts) = (None, broadcasts);
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
    fn watch_clock(&mut self, ahead: Option<i64>) {
        let Some(difference) = ahead.map(i64::unsigned_abs) else { return };
        let is_off = difference > CLOCK_DIFFERENCE_MAX;
        if is_off != self.clock_is_off {
            self.clock_is_off = is_off;
            telemetry::broker_clock(if is_off { Duration::from_millis(difference) } else { Duration::ZERO });
        }
    }

    /// Forgets what is open: the records wait again, and are stepped the same way.
    fn forget_rounds(&mut self) {
        self.epoch += 1;
        while let Some(round) = self.rounds.pop_back() {
            self.undo(round);
        }
        for served in self.served.values_mut() {
            served.lane.abandon();
        }
    }

    fn undo(&mut self, round: OpenRound) {
        for OpenShard { shard, round, took_over, .. } in round.shards {
            if let Some(served) = self.served.get_mut(&shard) {
                served.inputs.put_back(round);
                served.is_new |= took_over;
            }
        }
    }

    fn back_off(&mut self) {
        let pause = RETRY_FIRST * 2_u32.saturating_pow(self.failures.min(16));
        self.failures += 1;
        self.retry_at = Instant::now() + pause.min(RETRY_MAX);
    }

    /// Leaves shards out for a while whose partitions did not take a write.
    fn hold(&mut self, shards: &BTreeSet<u32>) {
        for shard in shards {
            let Some(served) = self.served.get_mut(shard) else { continue };
            let pause = served.held.map_or(RETRY_FIRST * 20, |hold| (hold.pause * 2).min(RETRY_MAX * 5));
            served.held = Some(Hold { until: Instant::now() + pause, pause });
            telemetry::shard_held(*shard, pause);
        }
    }

    /// What became of the last round is unknown, or the producers are gone: every shard is taken over again, from the
    /// journal (PROTOCOL P12, P17).
    fn lost(&mut self, error: &TransactionError) {
        telemetry::producers_lost(self.number, &error.name);
        tracing::warn!(lane = self.number, %error, "the lane lost its producers: its shards are taken over again");
        self.retake();
    }

    fn retake(&mut self) {
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
    fn shard_failed(&mut self, shard: u32, error: &RunError, open: OpenRound) {
        let of = Arc::clone(&self.all[shard as usize]);
        of.seal(error.code().unwrap_or("HR0306"), &error.to_string());
        self.undo(open);
        self.finish_rounds();
        self.forget_rounds();
        self.forget_coming(shard);
        self.drop_shard(shard);
    }

    fn drop_shard(&mut self, shard: u32) {
        self.served.remove(&shard);
        self.fetcher.assign(self.served.iter().map(|(shard, served)| (*shard, &served.inputs)));
    }

    // Snapshots.

    /// Makes a checkpoint of a shard whose time has come, one at a time in the whole node.
    fn checkpoint(&mut self) {
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

    // Inputs.

    fn fetch(&mut self, stepped: bool) {
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

    fn waiting(&self) -> usize {
        self.served.values().map(|served| served.inputs.len()).sum()
    }
}

impl OpenRound {
    fn empty() -> Self {
        Self { shards: Vec::new(), oldest: None, records: 0 }
    }
}

impl Served {
    fn take_in(&mut self, topic: Topic, fetched: super::fetcher::Came) {
        match fetched {
            super::fetcher::Came::Record(record) => {
                self.inputs.push(topic, *record, Instant::now());
            }
            super::fetcher::Came::End(offset) => self.inputs.queues[usize::from(topic.rank())].reached_end(offset),
        }
    }

    /// Steps over records and a tick; everything is staged.
    fn decide(&mut self, taken: &Round, tick: Option<Timestamp>) -> Result<(), RunError> {
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
            self.ticked_at = Instant::now();
            telemetry::tick(shard.number);
        }
        Ok(())
    }

    /// Where the clock of an idle shard goes, if it must move (PROTOCOL P2, P3).
    fn wanted_tick(&mut self, config: &Config, clock_is_off: bool) -> Option<Timestamp> {
        let now = self.lane.state().now;
        let sweeps = self.lane.state().sweep.is_some();
        if config.kafka.profile == KafkaProfile::Development {
            return sweeps.then_some(now);
        }
        let wall = wall_clock();
        if clock_is_off {
            return None;
        }
        if sweeps || self.ticked_at.elapsed() >= TICK_AT_LEAST {
            return Some(wall.max(now));
        }
        if self.looked_at.elapsed() < config.lane.tick {
            return None;
        }
        self.looked_at = Instant::now();
        let due = self.lane.has_due(wall).unwrap_or(false);
        due.then_some(wall.max(now))
    }
}

/// Outputs as records of their topics.
fn encode(config: &Config, shard: u32, pieces: &[crate::lane::StagedPiece], outputs: &mut Vec<(u32, Outgoing)>) {
    for output in pieces.iter().flat_map(|piece| &piece.outputs) {
        let sent = output_to_send(output, &config.kafka).expect("every output has a form of each format");
        outputs.push((shard, sent));
    }
}
