//! A lane on Kafka: one thread that serves the shards the group gives it, round after round (PROTOCOL P8 to P18).
//!
//! A round is one transaction. While it is carried out, the next is computed on what it will have changed; if it fails,
//! both are forgotten and the same records are stepped again.

mod handover;
mod inputs;
mod rounds;
mod served;
mod stall;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use headroom_wire::JournalWriter;
use rdkafka::config::ClientConfig;

use super::broadcast::Broadcasts;
use super::committer::{Submission, Told};
use super::fetcher::Fetcher;
use super::group::{GroupEvent, GroupRequest};
use super::native::GroupMetadata;
use super::producer::Transactor;
use super::shelf::Shelf;
use super::snapshotter::Checkpoint;
use super::takeover_thread::{Job, Report};
use crate::config::Config;
use crate::service::{DataDir, Log, Shard};
use rounds::OpenRound;
use served::Served;

/// Rounds that are open at once: one carried out, one computed behind it.
const OPEN_MAX: usize = 2;
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
/// Further pairs of transactional ids: a transaction that a partition without a leader is part of does not end before that
/// has one again, and keeps its id for so long.
pub const SPARES: usize = 4;
/// Clocks may differ by so many milliseconds (PROTOCOL P3).
const CLOCK_DIFFERENCE_MAX: u64 = 5_000;
/// How long rounds under way are waited for when shards leave.
const FINISH_MAX: Duration = Duration::from_secs(15);

/// A shard that is ours but not served yet.
struct Coming {
    wanted: Arc<AtomicBool>,
    /// When it became ours.
    since: Instant,
}

/// The two producers, used in turn.
enum Producers {
    /// They must be opened; not before this time, and once it is known that nobody else writes in our name.
    Missing { not_before: Instant, pause: Duration, identity: Identity },
    Ready {
        pair: [Arc<Transactor>; 2],
        turn: usize,
        /// With their ids.
        writer: Arc<JournalWriter>,
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
    /// With its first transactional ids.
    writer: JournalWriter,
    /// Which of its ids are used; 0: the first ones.
    spare: usize,
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
    /// When it was last looked for shards that come no further.
    stalls_at: Instant,
    /// The next round begins with this shard: none is always last.
    turn: u32,
    fatal: Tell,
    /// The node is being stopped.
    stop: Arc<AtomicBool>,
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
        (producer_config, writer): (ClientConfig, JournalWriter),
        links: Links,
        (changed, fatal, stop): (Changed, Tell, Arc<AtomicBool>),
    ) -> Self {
        let now = Instant::now();
        Self {
            number,
            config: config.clone(),
            all,
            fetcher,
            broadcasts,
            producer_config,
            writer,
            spare: 0,
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
            stalls_at: now,
            turn: 0,
            fatal,
            stop,
        }
    }

    /// Lets everything go where topics are no longer what they were (PROTOCOL P25).
    fn hear_changed(&mut self) {
        if self.changed.get().is_none() || (self.served.is_empty() && self.coming.is_empty()) {
            return;
        }
        let shards: Vec<u32> = self.served.keys().chain(self.coming.keys()).copied().collect();
        self.release(&shards, false);
        shards.into_iter().for_each(|shard| self.seal_if_changed(shard));
    }

    fn seal_if_changed(&self, shard: u32) {
        if let Some((code, words)) = self.changed.get() {
            self.all[shard as usize].seal(code, words);
        }
    }
}

/// A transaction makes a round count.
impl Log for KafkaLane {
    /// Until the node is stopped and the group has taken its shards away.
    fn attend(&mut self) -> bool {
        // Where producers were lost, what the group has to say comes before anything is done about it.
        self.hear_outcomes();
        self.hear_group();
        self.hear_take_overs();
        self.hear_changed();
        !(self.stop.load(Ordering::Acquire) && self.served.is_empty() && self.coming.is_empty())
    }

    fn round(&mut self) -> bool {
        self.open_producers();
        self.may_step() && self.step()
    }

    fn wait(&mut self, worked: bool) {
        self.fetch(worked);
        self.checkpoint();
        self.tell_stalls();
    }

    /// Stores are the shelf's by now.
    fn finish(&mut self) {}
}
