//! Readers of what is committed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use headroom_node::KafkaConfig;
use headroom_node::kafka::{BatchReader, Fetched, Isolation, Topic, client};
use headroom_wire::proto::{DeadLetter, LimitChange};
use prost::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// Records read at a time.
const BATCH: usize = 2_000;
/// How long something is waited for before the reader looks around.
const WAIT: Duration = Duration::from_millis(100);

/// What a topic holds.
#[derive(Default)]
pub struct Totals {
    pub records: f64,
    pub bytes: f64,
}

/// A reader of all partitions of topics.
pub fn open(config: &KafkaConfig, topics: &[String], from: Offset) -> BatchReader<client::Quiet> {
    let all: Vec<u32> = (0..config.partitions).collect();
    open_some(config, topics, &all, from)
}

/// A reader of some partitions of each topic.
pub fn open_some(config: &KafkaConfig, topics: &[String], numbers: &[u32], from: Offset) -> BatchReader<client::Quiet> {
    let settings = client::consumer(config, Isolation::Committed).expect("settings are right");
    let consumer: BaseConsumer<client::Quiet> = client::create(&settings, client::Quiet).expect("settings are right");
    let mut partitions = TopicPartitionList::new();
    for name in topics {
        for number in numbers {
            let number = i32::try_from(*number).expect("few partitions");
            partitions.add_partition_offset(name, number, from).expect("an offset");
        }
    }
    consumer.assign(&partitions).expect("partitions are there");
    BatchReader::new(Arc::new(consumer), BATCH)
}

/// Counts what is committed in a topic.
pub fn totals(config: &KafkaConfig, topic: Topic) -> Totals {
    let mut totals = Totals::default();
    each(config, topic, |value| {
        totals.records += 1.0;
        #[expect(clippy::cast_precision_loss, reason = "records have at most a mebibyte")]
        let bytes = value.len() as f64;
        totals.bytes += bytes;
    });
    totals
}

/// How many dead letters there are of each code.
pub fn dead_letter_codes(config: &KafkaConfig) -> BTreeMap<String, u64> {
    let mut codes = BTreeMap::new();
    each(config, Topic::DeadLetters, |value| {
        let letter = DeadLetter::decode(value).expect("a dead letter");
        *codes.entry(letter.code).or_default() += 1;
    });
    codes
}

fn each(config: &KafkaConfig, topic: Topic, mut told: impl FnMut(&[u8])) {
    let mut reader = open(config, &[topic.name(&config.topic_prefix)], Offset::Beginning);
    let mut ended = BTreeSet::new();
    while ended.len() < config.partitions as usize {
        for fetched in reader.take(WAIT) {
            match fetched {
                Fetched::Message(message) => told(message.value.unwrap_or_default()),
                Fetched::End { partition, .. } => {
                    ended.insert(partition);
                }
                Fetched::Error { code, .. } => panic!("a topic cannot be read: {code:?}"),
            }
        }
    }
}

/// What came, and when.
type Arrivals = Vec<(Instant, Vec<u8>)>;

/// Reads limit changes as they are committed, with the time of each.
pub struct Watcher {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Arrivals>,
}

impl Watcher {
    /// Begins at the beginning.
    pub fn start(config: &KafkaConfig) -> Self {
        let mut reader = open(config, &[Topic::LimitChanges.name(&config.topic_prefix)], Offset::Beginning);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut arrivals = Arrivals::new();
            while !stopped.load(Ordering::Acquire) {
                let fetched = reader.take(WAIT);
                let now = Instant::now();
                let values = fetched.filter_map(|each| match each {
                    Fetched::Message(message) => message.value.map(<[u8]>::to_vec),
                    Fetched::End { .. } | Fetched::Error { .. } => None,
                });
                arrivals.extend(values.map(|value| (now, value)));
            }
            arrivals
        });
        Self { stop, thread }
    }

    /// When the first change came of each event.
    pub fn stop(self) -> HashMap<String, Instant> {
        self.stop.store(true, Ordering::Release);
        let mut first = HashMap::new();
        for (at, value) in self.thread.join().expect("the reader did not panic") {
            let change = LimitChange::decode(&*value).expect("a limit change");
            let event = change.trigger.unwrap_or_default().event_id;
            first.entry(event).or_insert(at);
        }
        first
    }
}
