//! A node of the group: its lanes, what they share, and how it stops.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use headroom_store::{StoreOptions, fault};
use headroom_wire::JournalWriter;
use rdkafka::consumer::BaseConsumer;
use tokio::sync::watch;

use super::broadcast::Broadcasts;
use super::check::{Checked, check};
use super::client::{self, Isolation, Quiet};
use super::cluster::{Cluster, FoundTopic};
use super::committer::Committer;
use super::error::KafkaError;
use super::fetcher::{Decode, Fetcher};
use super::group::{Group, GroupEvent, GroupRequest};
use super::kept_genesis;
use super::lane::{Changed, Checkpoints, KafkaLane, Links, SPARES};
use super::native::BatchReader;
use super::problem::{Problem, ProblemCode};
use super::shelf::Shelf;
use super::snapshotter::{Checkpoint, Snapshotter};
use super::standby;
use super::tail::TailReader;
use super::takeover::TakeOvers;
use super::takeover_thread;
use super::topic::Topic;
use super::value::{Arrived, Intake};
use crate::config::{Config, KafkaConfig};
use crate::decode::latest_record_time;
use crate::error::RunError;
use crate::service::{Admission, Bell, DataDir, DataDirLock, Shard, ShardStatus, run_lane};
use crate::snapshot::Snapshots;
use crate::telemetry;

/// How often the cluster is asked whether topics are as they were (PROTOCOL P25).
const LOOK_EVERY: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Broadcast records read at a time.
const BROADCAST_BATCH: usize = 100;

/// What ended a node before it was told to stop: a code, and words.
pub type Fatal = Option<(&'static str, String)>;

/// A running node.
pub struct KafkaNode {
    stop_group: Arc<AtomicBool>,
    stop_lanes: Arc<AtomicBool>,
    stop_rest: Arc<AtomicBool>,
    joined: Arc<AtomicBool>,
    fatal: watch::Sender<Fatal>,
    group: Mutex<Option<JoinHandle<()>>>,
    lanes: Mutex<Vec<JoinHandle<()>>>,
    rest: Mutex<Vec<JoinHandle<()>>>,
    shelf: Arc<Shelf>,
    _lock: DataDirLock,
}

/// What all parts of a node are made from.
struct Plan<'a> {
    config: &'a Config,
    dir: DataDir,
    store_options: StoreOptions,
    shards: Vec<Arc<Shard>>,
    broadcasts: Arc<Broadcasts>,
    lanes: usize,
    writer: JournalWriter,
    fatal: watch::Sender<Fatal>,
    checked: Checked,
    changed: Changed,
    snapshots: Option<Arc<Snapshots>>,
    shelf: Arc<Shelf>,
}

impl KafkaNode {
    /// Opens a node over a data directory, checks the topics, and joins the group. Shards come when the group gives them.
    ///
    /// # Errors
    /// What data directory and topics say.
    pub fn open(config: &Config) -> Result<(Vec<Arc<Shard>>, Self), RunError> {
        fault::point("open.before");
        let lock = DataDir::lock(&config.node.data_dir)?;
        let snapshots = open_snapshots(config)?;
        let checked = checked(config, snapshots.as_deref())?;
        let partitions = checked.shards;
        let dir = DataDir::find_or_create_nested(&config.node.data_dir, partitions)?;
        if let Some(genesis) = checked.genesis.iter().flatten().next() {
            kept_genesis::keep(&config.node.data_dir, snapshots.as_deref(), genesis);
        }
        let instance = dir.instance(&config.node.instance)?;
        let process = telemetry::process_span(&instance.id, instance.incarnation);
        let lanes = config.node.lane_count_of(partitions);
        let plan = Plan {
            config,
            dir,
            store_options: config.store_options_on_kafka(),
            shards: (0..partitions).map(|number| Arc::new(away(number, config))).collect(),
            broadcasts: Arc::new(Broadcasts::new(lanes)),
            lanes,
            writer: JournalWriter {
                instance: instance.id.clone(),
                incarnation: instance.incarnation,
                transactional_id: String::new(),
            },
            fatal: watch::Sender::new(None),
            checked,
            changed: Changed::default(),
            snapshots,
            shelf: Arc::default(),
        };
        fault::point("open.named");
        let node = plan.start(lock, &process)?;
        fault::point("open.after");
        Ok((plan.shards, node))
    }

    /// Whether the group has ever given it its share.
    pub fn has_joined(&self) -> bool {
        self.joined.load(Ordering::Acquire)
    }

    /// What ends the node before it is told to stop.
    pub fn fatal(&self) -> watch::Receiver<Fatal> {
        self.fatal.subscribe()
    }

    /// Finishes what is under way, leaves the group, closes the stores; blocks until then.
    pub fn stop(&self) {
        fault::point("stop.requested");
        self.stop_group.store(true, Ordering::Release);
        let group = self.group.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A thread's panic was told where it happened; nothing is left to do for it.
        let _ = group.map(JoinHandle::join);
        self.stop_lanes.store(true, Ordering::Release);
        join(&self.lanes);
        self.stop_rest.store(true, Ordering::Release);
        join(&self.rest);
        for (shard, mut store) in self.shelf.clear() {
            if let Err(error) = store.flush() {
                tracing::warn!(shard, %error, "a store was not closed in peace");
            }
        }
        fault::point("stop.after");
    }
}

fn join(threads: &Mutex<Vec<JoinHandle<()>>>) {
    for thread in std::mem::take(&mut *threads.lock().unwrap_or_else(PoisonError::into_inner)) {
        // As above.
        let _ = thread.join();
    }
}

fn away(number: u32, config: &Config) -> Shard {
    let admission = Admission::new(config.log.queue_records, config.log.queue_bytes);
    Shard::away_from_here(number, admission, Arc::new(Bell::default()))
}

impl Plan<'_> {
    fn start(&self, lock: DataDirLock, process: &tracing::Span) -> Result<KafkaNode, RunError> {
        let flags: [Arc<AtomicBool>; 3] = Default::default();
        let [stop_group, stop_lanes, stop_rest] = flags;
        let (requests, asked) = channel();
        let (taken, checkpoints) = channel();
        let busy = Arc::new(AtomicBool::new(false));
        let (mut events, mut lanes, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..self.lanes {
            let (told, heard) = channel();
            events.push(told);
            let links = (requests.clone(), self.checkpoints(&taken, &busy));
            self.lane(number, heard, links, (&stop_lanes, process), &mut lanes)?;
        }
        drop(taken);
        rest.extend(self.snapshot_thread(checkpoints, busy)?);
        rest.extend(self.standby_thread(Arc::clone(&stop_rest))?);
        rest.push(self.broadcast_thread(Arc::clone(&stop_rest))?);
        let group = self.join_group(events)?;
        let (joined, fenced) = (Arc::clone(&group.joined), Arc::clone(&group.fatal));
        rest.push(self.watch_thread(fenced, Arc::clone(&stop_rest))?);
        let stop = Arc::clone(&stop_group);
        let group = spawn("group", move || group.run(&asked, &stop))?;
        Ok(KafkaNode {
            stop_group,
            stop_lanes,
            stop_rest,
            joined,
            fatal: self.fatal.clone(),
            group: Mutex::new(Some(group)),
            lanes: Mutex::new(lanes),
            rest: Mutex::new(rest),
            shelf: Arc::clone(&self.shelf),
            _lock: lock,
        })
    }

    fn checkpoints(&self, taken: &Sender<Checkpoint>, busy: &Arc<AtomicBool>) -> Option<Checkpoints> {
        self.snapshots.as_ref()?;
        let (dir, every) = (self.dir.clone(), self.config.snapshots.every);
        Some(Checkpoints { taken: taken.clone(), busy: Arc::clone(busy), dir, every })
    }

    fn snapshot_thread(
        &self,
        checkpoints: Receiver<Checkpoint>,
        busy: Arc<AtomicBool>,
    ) -> Result<Option<JoinHandle<()>>, RunError> {
        let Some(snapshots) = self.snapshots.clone() else { return Ok(None) };
        let (config, shards) = (self.config.kafka.clone(), self.shards.clone());
        let snapshotter = Snapshotter { snapshots, config, shards, busy };
        spawn("snapshots", move || snapshotter.run(&checkpoints)).map(Some)
    }

    fn join_group(&self, events: Vec<Sender<GroupEvent>>) -> Result<Group, RunError> {
        let config = &self.config.kafka;
        let client = client::group(config, &self.writer.instance)?;
        Ok(Group::join(&client, &Topic::Journal.name(&config.topic_prefix), events)?)
    }

    /// What the ids of a lane's producers begin with.
    fn prefix(&self, lane: usize) -> String {
        let id = client::transactional_id(&self.config.kafka, &self.writer.instance, lane, 'a');
        id.trim_end_matches(".a").to_owned()
    }

    fn writer_of(&self, lane: usize) -> JournalWriter {
        JournalWriter { transactional_id: self.prefix(lane), ..self.writer.clone() }
    }

    fn lane(
        &self,
        number: usize,
        events: Receiver<GroupEvent>,
        (requests, checkpoints): (Sender<GroupRequest>, Option<Checkpoints>),
        (stop, process): (&Arc<AtomicBool>, &tracing::Span),
        threads: &mut Vec<JoinHandle<()>>,
    ) -> Result<(), RunError> {
        let config = &self.config.kafka;
        let writer = self.writer_of(number);
        let (jobs, job) = channel();
        let (report, reports) = channel();
        let (submissions, submission) = channel();
        let (outcome, outcomes) = channel();
        let names = Topic::ALL.map(|topic| topic.name(&config.topic_prefix));
        let committer = Committer { names };
        let takeovers = self.takeovers(writer.clone())?;
        let shelf = Arc::clone(&self.shelf);
        threads.push(spawn(&format!("commit-{number}"), move || committer.run(&submission, &outcome))?);
        threads.push(spawn(&format!("takeover-{number}"), move || {
            takeover_thread::run(takeovers, &shelf, &job, &report)
        })?);
        let producer = client::producer(config, Some(&writer.transactional_id))?;
        let fatal = self.fatal.clone();
        let mut lane = KafkaLane::new(
            number,
            self.config,
            self.shards.clone(),
            Fetcher::open(config, self.decoder(&Topic::KEYED))?,
            (Arc::clone(&self.broadcasts), Arc::clone(&self.shelf)),
            (producer, writer),
            Links { events, requests, jobs, reports, submissions, outcomes, checkpoints },
            (Arc::clone(&self.changed), Arc::new(move |code, words| tell(&fatal, code, words)), Arc::clone(stop)),
        );
        let span = telemetry::lane_span(process, number);
        threads.push(spawn(&format!("lane-{number}"), move || {
            let _span = span.entered();
            run_lane(&mut lane);
        })?);
        Ok(())
    }

    fn takeovers(&self, writer: JournalWriter) -> Result<TakeOvers, KafkaError> {
        let of = |lane| (0..=SPARES).flat_map(move |spare| self.writer_of(lane).spare(spare).transactional_ids());
        let ours = (0..self.lanes).flat_map(of).collect();
        let (dir, options) = (self.dir.clone(), self.store_options.clone());
        TakeOvers::new(self.config, dir, options, writer, self.snapshots.clone(), ours)
    }

    fn standby_thread(&self, stop: Arc<AtomicBool>) -> Result<Option<JoinHandle<()>>, RunError> {
        if !self.config.kafka.standby {
            return Ok(None);
        }
        let takeovers = self.takeovers(self.writer.clone())?;
        let (shelf, shards) = (Arc::clone(&self.shelf), self.shards.clone());
        spawn("standby", move || standby::run(takeovers, &shelf, &shards, &stop)).map(Some)
    }

    fn decoder(&self, topics: &[Topic]) -> Decode {
        let partitions = u32::try_from(self.shards.len()).unwrap_or(u32::MAX);
        let intakes: Vec<(Topic, Intake)> =
            topics.iter().map(|topic| (*topic, Intake::new(*topic, &self.config.kafka, partitions))).collect();
        Box::new(move |topic, message| {
            let (_, intake) = intakes.iter().find(|(each, _)| *each == topic).expect("each topic read has its intake");
            let arrived = Arrived {
                partition: message.partition,
                offset: message.offset,
                timestamp: message.timestamp,
                key: message.key,
                value: message.value,
            };
            intake.decode(arrived, message.headers(), latest_record_time())
        })
    }

    fn broadcast_thread(&self, stop: Arc<AtomicBool>) -> Result<JoinHandle<()>, RunError> {
        let config = &self.config.kafka;
        let consumer: BaseConsumer<Quiet> = client::create(&client::consumer(config, Isolation::Committed)?, Quiet)?;
        let reader = BatchReader::new(Arc::new(consumer), BROADCAST_BATCH);
        let names = Topic::BROADCAST.map(|topic| topic.name(&config.topic_prefix));
        let (broadcasts, decode) = (Arc::clone(&self.broadcasts), self.decoder(&Topic::BROADCAST));
        spawn("broadcasts", move || {
            broadcasts.run(reader, &names, &mut |topic, message| decode(topic, message), &stop);
        })
    }

    /// Watches what ends the node: our place in the group taken, topics that are no longer what they were.
    fn watch_thread(
        &self,
        fenced: Arc<Mutex<Option<String>>>,
        stop: Arc<AtomicBool>,
    ) -> Result<JoinHandle<()>, RunError> {
        let (config, fatal, shards) = (self.config.kafka.clone(), self.fatal.clone(), self.shards.clone());
        let (instance, checked) = (self.writer.instance.clone(), self.checked.clone());
        let tail = TailReader::open(&config, Isolation::Committed)?;
        let changed = Arc::clone(&self.changed);
        spawn("watch", move || {
            let mut looked_at = Instant::now();
            while !stop.load(Ordering::Acquire) {
                let reason = fenced.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(reason) = reason {
                    let error = KafkaError::IdentityTaken { instance: instance.clone(), reason };
                    tell(&fatal, error.code(), error.to_string());
                }
                if looked_at.elapsed() >= LOOK_EVERY {
                    looked_at = Instant::now();
                    tell_distances(&config, &tail, &shards);
                    if let Some(problem) = differs(&config, &checked) {
                        // The lanes stop first: what is sealed decides nothing.
                        let _ = changed.set((problem.code, problem.to_string()));
                        shards.iter().for_each(|shard| shard.seal(problem.code, &problem.to_string()));
                    }
                }
                thread::sleep(PAUSE);
            }
        })
    }
}

/// How far each shard that is served stands from the end of its inputs, and from what retention removes next.
fn tell_distances(config: &KafkaConfig, tail: &TailReader, shards: &[Arc<Shard>]) {
    for shard in shards.iter().filter(|shard| shard.status() == ShardStatus::Serving) {
        let Some(Ok(positions)) = shard.reader().map(|reader| reader.positions()) else { continue };
        for topic in Topic::KEYED {
            let name = topic.name(&config.topic_prefix);
            let next = positions.get(&(name.as_str().into(), shard.number));
            // A broker that does not answer is told of elsewhere.
            if let (Some(next), Ok((low, high))) = (next, tail.ends(&name, shard.number)) {
                let (lag, distance) = (high.saturating_sub(*next), next.saturating_sub(low));
                telemetry::input_distance(&name, shard.number, lag, distance);
            }
        }
    }
}

/// Where snapshots of this deployment are, if there are to be any.
fn open_snapshots(config: &Config) -> Result<Option<Arc<Snapshots>>, RunError> {
    if config.snapshots.url.is_empty() {
        return Ok(None);
    }
    let id = Cluster::connect(&config.kafka)?.id()?;
    // Two deployments may share a cluster.
    let name = format!("{id}.{}", config.kafka.topic_prefix.trim_end_matches('.'));
    let shards = Cluster::connect(&config.kafka)?.partition_counts()?.get(&Topic::Journal).copied().unwrap_or(0);
    let opened = Snapshots::open(&config.snapshots, name.trim_end_matches('.'), shards);
    Ok(Some(Arc::new(opened.map_err(KafkaError::snapshot)?)))
}

/// Looks at the topics until the cluster answers.
fn checked(config: &Config, snapshots: Option<&Snapshots>) -> Result<Checked, RunError> {
    let known = kept_genesis::find(&config.node.data_dir, snapshots);
    let mut pause = PAUSE;
    let unreachable = ProblemCode::Unreachable.code();
    loop {
        match check(&config.kafka, known.as_ref()) {
            Ok(checked) => return Ok(checked),
            Err(problems) if problems.iter().all(|problem| problem.code == unreachable) => {
                tracing::warn!(brokers = config.kafka.brokers, problem = %problems[0], "no broker answers: trying on");
                thread::sleep(pause);
                pause = (pause * 2).min(PAUSE_MAX);
            }
            Err(problems) => return Err(RunError::Topics(problems)),
        }
    }
}

/// What is no longer as it was, if anything; a cluster that does not answer has changed nothing.
fn differs(config: &KafkaConfig, checked: &Checked) -> Option<Problem> {
    let topics = Cluster::connect(config).ok()?.topics().ok()?;
    let differs_in = |(topic, before): (&Topic, &FoundTopic)| {
        let name = topic.name(&config.topic_prefix);
        let Some(now) = topics.get(topic) else {
            return Some(Problem::new(ProblemCode::Missing, name, "it was there, and is gone"));
        };
        if now.id != before.id {
            return Some(Problem::new(ProblemCode::OtherTopic, name, "it was deleted, and made again"));
        }
        let detail = || format!("it had {} partitions, and has {}", before.partitions, now.partitions);
        (now.partitions != before.partitions).then(|| Problem::new(ProblemCode::Partitions, name, detail()))
    };
    checked.topics.iter().find_map(differs_in)
}

/// The first cause counts.
fn tell(fatal: &watch::Sender<Fatal>, code: &'static str, words: String) {
    fatal.send_if_modified(|known| {
        let is_first = known.is_none();
        if is_first {
            tracing::error!(code, "{words}");
            *known = Some((code, words));
        }
        is_first
    });
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, RunError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(RunError::Thread)
}
