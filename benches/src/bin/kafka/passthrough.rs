//! The raw passthrough: reads, writes outputs and journal records of a node's sizes in the same transactions, decides
//! nothing and keeps nothing. Two threads with two producers, as a lane has them.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use headroom_node::kafka::{
    BatchReader, Fetched, GroupMetadata, KafkaMessage, ToSend, Topic, TransactionError, Transactor, client,
};
use headroom_node::{Config, KafkaConfig};
use headroom_wire::proto::{LimitChange, Trigger};
use prost::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::Run;
use crate::cluster::Cluster;
use crate::reader;
use crate::shape::Shape;

/// As a lane of a node has it.
const OPEN_MAX: usize = 2;
/// As a lane of a node has it.
const PER_PARTITION: Duration = Duration::from_micros(150);
/// As a lane of a node has it.
const IDLE: Duration = Duration::from_millis(10);
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(20);
/// How long the broker may take at the start.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it reads and writes.
#[derive(Args)]
pub struct Arguments {
    /// What the names of inputs begin with.
    #[arg(long)]
    from: String,
    /// As JSON.
    #[arg(long)]
    shape: String,
    /// Lanes that the partitions are spread over.
    #[arg(long)]
    lanes: u32,
    /// Settings of the outputs' side.
    #[arg(long)]
    set: Vec<String>,
}

/// The arguments of a process that carries from one set of topics to another.
pub fn arguments(run: &Run, from: &Cluster, to: &Cluster, shape: &Shape) -> Vec<String> {
    let shape = serde_json::to_string(shape).expect("numbers have a form");
    let config = Config::load(None, &run.set).expect("settings are right");
    let lanes = config.node.lane_count_of(to.config.partitions);
    let mut words = vec!["passthrough".to_owned(), format!("--from={}", from.prefix()), format!("--shape={shape}")];
    words.push(format!("--lanes={lanes}"));
    words.extend(to.settings.iter().map(|set| format!("--set={set}")));
    words
}

/// Runs until its standard input ends, and tells its progress.
pub fn run(arguments: &Arguments) {
    let tell = std::panic::take_hook();
    // A thread that fails ends the process: its starter waits for all of it.
    std::panic::set_hook(Box::new(move |info| {
        tell(info);
        std::process::exit(1);
    }));
    let config = Config::load(None, &arguments.set).expect("settings are right").kafka;
    let shape: Shape = serde_json::from_str(&arguments.shape).expect("a shape");
    let counts: Arc<[AtomicU64; 2]> = Arc::default();
    let mut group = Group::join(&config);
    for lane in 0..arguments.lanes {
        let partitions = (0..config.partitions).filter(|each| each % arguments.lanes == lane).collect();
        let lane = Lane::new(&config, &arguments.from, (lane, partitions), shape, &group.metadata, &counts);
        thread::spawn(move || lane.run());
    }
    thread::spawn(|| {
        // Whoever started it is gone when this ends.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    loop {
        group.poll();
        let [records, transactions] = [0, 1].map(|at| counts[at].load(Ordering::Acquire));
        eprintln!("progress {records} {transactions}");
        thread::sleep(TELL_EVERY);
    }
}

/// Its place in a group: offsets of transactions are fenced by it.
struct Group {
    consumer: BaseConsumer,
    metadata: Arc<GroupMetadata>,
}

impl Group {
    fn join(config: &KafkaConfig) -> Self {
        let settings = client::group(config, "passthrough").expect("settings are right");
        let consumer: BaseConsumer = settings.create().expect("settings are right");
        consumer.subscribe(&[&Topic::Journal.name(&config.topic_prefix)]).expect("a topic's name");
        let until = Instant::now() + PATIENCE;
        loop {
            // That nothing is committed yet comes as an error, and is none.
            let _ = consumer.poll(IDLE);
            let assigned = consumer.assignment().expect("a consumer has one");
            if assigned.count() > 0
                && let Some(metadata) = GroupMetadata::of(&consumer)
            {
                consumer.pause(&assigned).expect("partitions are ours");
                return Self { consumer, metadata: Arc::new(metadata) };
            }
            assert!(Instant::now() < until, "the group gives nothing");
        }
    }

    fn poll(&mut self) {
        let _ = self.consumer.poll(Duration::ZERO);
    }
}

/// One transaction.
#[derive(Default)]
struct Round {
    records: u64,
    outputs: Vec<(u32, Vec<u8>, Vec<u8>)>,
    /// Records by partition.
    touched: Vec<u64>,
}

struct Lane {
    reader: BatchReader<client::Quiet>,
    shape: Shape,
    round_records: u64,
    commit_every: Duration,
    partitions: usize,
    rounds: SyncSender<Round>,
    committed: Receiver<Duration>,
    /// Rounds under way.
    open: usize,
    /// Records since the last output.
    owed: f64,
}

impl Lane {
    fn new(
        config: &KafkaConfig,
        from: &str,
        (number, partitions): (u32, Vec<u32>),
        shape: Shape,
        metadata: &Arc<GroupMetadata>,
        counts: &Arc<[AtomicU64; 2]>,
    ) -> Self {
        let settings = client::producer(config, Some("")).expect("settings are right");
        let pair = ['a', 'b'].map(|letter| {
            let id = client::transactional_id(config, "passthrough", number as usize, letter);
            Transactor::open(&settings, &id, PATIENCE, &|| true).expect("a producer opens")
        });
        let (rounds, submitted) = sync_channel(OPEN_MAX);
        let (tell, committed) = channel();
        let prefix = &config.topic_prefix;
        let committer = Committer {
            pair,
            outputs: Topic::LimitChanges.name(prefix),
            journal: Topic::Journal.name(prefix),
            shape,
            next: vec![1; config.partitions as usize],
            metadata: Arc::clone(metadata),
            counts: Arc::clone(counts),
        };
        thread::spawn(move || committer.run(&submitted, &tell));
        Self {
            reader: reader::open_some(
                config,
                &Topic::KEYED.map(|topic| topic.name(from)),
                &partitions,
                Offset::Beginning,
            ),
            shape,
            round_records: config.round_records as u64,
            commit_every: config.commit_every,
            partitions: config.partitions as usize,
            rounds,
            committed,
            open: 0,
            owed: 0.0,
        }
    }

    fn run(mut self) {
        let mut round = self.empty();
        let (mut began, mut interval) = (Instant::now(), self.commit_every);
        loop {
            while let Ok(took) = self.committed.try_recv() {
                self.open -= 1;
                interval = self.commit_every.max(took / 2);
            }
            if self.open == OPEN_MAX && round.records >= self.round_records {
                let took = self.committed.recv().expect("the committer lives");
                self.open -= 1;
                interval = self.commit_every.max(took / 2);
            }
            let touched = round.touched.iter().map(|count| u32::from(*count > 0)).sum::<u32>();
            let waits = began.elapsed() >= interval + PER_PARTITION * touched;
            let due = round.records >= self.round_records || (round.records > 0 && waits);
            if due && self.open < OPEN_MAX {
                let full = std::mem::replace(&mut round, self.empty());
                self.rounds.send(full).expect("the committer lives");
                self.open += 1;
                began = Instant::now();
            }
            let wait = if round.records > 0 || self.open > 0 { Duration::from_millis(1) } else { IDLE };
            self.fetch(&mut round, wait);
        }
    }

    fn empty(&self) -> Round {
        Round { touched: vec![0; self.partitions], ..Round::default() }
    }

    fn fetch(&mut self, round: &mut Round, wait: Duration) {
        let (every, bytes) = (self.shape.events_per_output, self.shape.output_bytes);
        for fetched in self.reader.take(wait) {
            let Fetched::Message(message) = fetched else { continue };
            round.records += 1;
            round.touched[message.partition as usize] += 1;
            self.owed += 1.0;
            if self.owed >= every {
                self.owed -= every;
                let key = message.key.unwrap_or_default().to_vec();
                round.outputs.push((message.partition, key, output(&message, bytes)));
            }
        }
    }
}

/// A limit change of the wanted size that names its event.
fn output(message: &KafkaMessage<'_>, bytes: usize) -> Vec<u8> {
    let id = message.headers().find(|(name, _)| *name == "ce_id").and_then(|(_, value)| value);
    let event_id = String::from_utf8_lossy(id.unwrap_or_default()).into_owned();
    let trigger = Trigger { event_id, ..Trigger::default() };
    let mut change = LimitChange { trigger: Some(trigger), ..LimitChange::default() };
    change.account_id = "x".repeat(bytes.saturating_sub(change.encoded_len() + 3));
    change.encode_to_vec()
}

/// Carries rounds out, one after the other.
struct Committer {
    pair: [Transactor; 2],
    outputs: String,
    journal: String,
    shape: Shape,
    /// Offsets, by partition.
    next: Vec<i64>,
    metadata: Arc<GroupMetadata>,
    counts: Arc<[AtomicU64; 2]>,
}

impl Committer {
    fn run(mut self, rounds: &Receiver<Round>, committed: &Sender<Duration>) {
        let mut turn = 0;
        while let Ok(round) = rounds.recv() {
            let began = Instant::now();
            self.transact(turn, &round).expect("a transaction is committed");
            turn = 1 - turn;
            self.counts[0].fetch_add(round.records, Ordering::AcqRel);
            self.counts[1].fetch_add(1, Ordering::AcqRel);
            committed.send(began.elapsed()).expect("the lane lives");
        }
    }

    fn transact(&mut self, turn: usize, round: &Round) -> Result<(), TransactionError> {
        let transactor = &self.pair[turn];
        transactor.begin()?;
        for (partition, key, value) in &round.outputs {
            let headers = Some(headers());
            let topic = &self.outputs;
            transactor.send(&ToSend { topic, partition: *partition, key, value, headers, timestamp: None })?;
        }
        let mut offsets = TopicPartitionList::new();
        for ((count, partition), next) in round.touched.iter().zip(0_u32..).zip(&mut self.next) {
            if *count == 0 {
                continue;
            }
            let value = noise(&self.shape, *count);
            let topic = &self.journal;
            transactor.send(&ToSend { topic, partition, key: &[], value: &value, headers: None, timestamp: None })?;
            *next += 1;
            let partition = i32::try_from(partition).expect("few partitions");
            offsets.add_partition_offset(topic, partition, Offset::Offset(*next)).expect("an offset");
        }
        transactor.drain()?;
        transactor.offsets(&offsets, &self.metadata)?;
        transactor.commit()
    }
}

/// As many as an output of a node has.
fn headers() -> OwnedHeaders {
    let names = ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"];
    let value = Some("0123456789abcdef0123456789abcdef");
    names.iter().fold(OwnedHeaders::new_with_capacity(names.len()), |all, key| all.insert(Header { key, value }))
}

/// A journal record for so many events.
fn noise(shape: &Shape, events: u64) -> Vec<u8> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "at most some hundred kilobytes"
    )]
    let bytes = (events as f64 * shape.journal_bytes_per_event + shape.journal_bytes_fixed) as usize;
    // What the broker does with it does not depend on what is in it.
    vec![0xA5; bytes]
}
