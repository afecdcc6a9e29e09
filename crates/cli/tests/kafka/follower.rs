//! Follows the journals of a cluster as they are committed, beside the nodes: who waits for decisions waits for these.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use headroom_wire::{JournalTopicRecord, decode_journal, decode_journal_topic};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::cluster::Cluster;
use crate::node::PATIENCE;

const KEYED: [&str; 4] = ["orders", "repayments", "accounts", "signals"];

/// What has been committed so far.
#[derive(Default)]
struct Seen {
    /// The offset behind the last record of each input that a shard has decided.
    positions: BTreeMap<(String, u32), u64>,
    /// When decisions on records were seen.
    decided: Vec<Instant>,
}

/// The follower; it ends with its value.
pub struct Follower {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    committed: Asker,
    uncommitted: Asker,
    names: [String; 4],
    prefix: String,
    partitions: u32,
}

impl Follower {
    pub fn start(cluster: &Cluster<'_>) -> Self {
        let brokers = cluster.broker.bootstrap();
        let mut reader = Reader::new(&brokers, cluster);
        let (seen, stop): (Arc<Mutex<Seen>>, Arc<AtomicBool>) = Default::default();
        let (kept, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                reader.read(|value| take(&mut kept.lock().unwrap(), value));
            }
        });
        let (names, partitions) = (KEYED.map(|word| cluster.topic(word)), cluster.partitions);
        let [committed, uncommitted] = ["read_committed", "read_uncommitted"].map(|each| Asker::new(&brokers, each));
        Self {
            seen,
            stop,
            thread: Some(thread),
            committed,
            uncommitted,
            names,
            prefix: cluster.prefix.clone(),
            partitions,
        }
    }

    /// Where the keyed inputs end at the moment.
    pub fn ends(&self) -> BTreeMap<(String, u32), u64> {
        let mut ends = BTreeMap::new();
        for name in &self.names {
            for partition in 0..self.partitions {
                ends.insert((name.clone(), partition), self.committed.end(name, partition));
            }
        }
        ends
    }

    /// Whether everything before these ends is decided and committed.
    pub fn has_reached(&self, ends: &BTreeMap<(String, u32), u64>) -> bool {
        let seen = self.seen.lock().unwrap();
        ends.iter().all(|(input, end)| seen.positions.get(input).copied().unwrap_or(0) >= *end)
    }

    /// Whether an open transaction holds a shard's partition of a topic.
    pub fn is_held(&self, word: &str, shard: u32) -> bool {
        let topic = format!("{}{word}.v1", self.prefix);
        // The stable end first: what is appended in between is on its way.
        self.committed.end(&topic, shard) < self.uncommitted.end(&topic, shard)
    }

    /// Records of keyed inputs that are decided.
    pub fn decided(&self) -> u64 {
        let seen = self.seen.lock().unwrap();
        let keyed = |input: &&(String, u32)| self.names.contains(&input.0);
        seen.positions.iter().filter(|(input, _)| keyed(input)).map(|(_, position)| position).sum()
    }

    /// When the first decisions after an instant were seen.
    pub fn first_after(&self, instant: Instant) -> Option<Instant> {
        let seen = self.seen.lock().unwrap();
        let at = seen.decided.partition_point(|each| *each <= instant);
        seen.decided.get(at).copied()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Its panic was printed.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn take(seen: &mut Seen, value: &[u8]) {
    let JournalTopicRecord::Part(part) = decode_journal_topic(value).unwrap() else { return };
    if part.part > 0 {
        return;
    }
    let journal = decode_journal(&part.record).unwrap();
    if journal.inputs.iter().any(|input| input.count > 0) {
        seen.decided.push(Instant::now());
    }
    for input in journal.inputs {
        seen.positions.insert((input.input, input.partition), input.to);
    }
}

/// How long a reader that was told of trouble may see nothing before it takes a new client.
const TROUBLE: Duration = Duration::from_secs(5);

/// Reads the journals from their beginning.
struct Reader {
    brokers: String,
    consumer: BaseConsumer,
    next: TopicPartitionList,
    /// Since when it has seen nothing, if it was told of trouble since.
    trouble: Option<Instant>,
}

impl Reader {
    fn new(brokers: &str, cluster: &Cluster<'_>) -> Self {
        let mut next = TopicPartitionList::new();
        for partition in 0..i32::try_from(cluster.partitions).unwrap() {
            next.add_partition_offset(&cluster.topic("journal"), partition, Offset::Beginning).unwrap();
        }
        let consumer = client(brokers, "read_committed");
        consumer.assign(&next).unwrap();
        Self { brokers: brokers.to_owned(), consumer, next, trouble: None }
    }

    /// Reads one record, if there is one. A broker that is away or paused says nothing, or that it is away; a client
    /// that was told so may go on believing it when the broker is back.
    fn read(&mut self, with: impl FnOnce(&[u8])) {
        match self.consumer.poll(Duration::from_millis(50)) {
            Some(Ok(message)) => {
                let next = Offset::Offset(message.offset() + 1);
                self.next.set_partition_offset(message.topic(), message.partition(), next).unwrap();
                self.trouble = None;
                with(message.payload().unwrap_or_default());
            }
            Some(Err(_)) => _ = self.trouble.get_or_insert_with(Instant::now),
            None if self.trouble.is_some_and(|since| since.elapsed() > TROUBLE) => {
                self.consumer = client(&self.brokers, "read_committed");
                self.consumer.assign(&self.next).unwrap();
                // Until a record comes, this one is not believed for long either.
                self.trouble = Some(Instant::now());
            }
            None => {}
        }
    }
}

/// Asks where partitions end.
struct Asker {
    brokers: String,
    isolation: &'static str,
    consumer: Mutex<BaseConsumer>,
}

impl Asker {
    fn new(brokers: &str, isolation: &'static str) -> Self {
        Self { brokers: brokers.to_owned(), isolation, consumer: Mutex::new(client(brokers, isolation)) }
    }

    /// Asks until it is answered: a broker that was away a moment ago knows of no leaders, and a client that was told so
    /// may believe it for long.
    fn end(&self, topic: &str, partition: u32) -> u64 {
        let until = Instant::now() + PATIENCE;
        let mut consumer = self.consumer.lock().unwrap();
        loop {
            let number = i32::try_from(partition).unwrap();
            match consumer.fetch_watermarks(topic, number, Duration::from_secs(10)) {
                Ok((_, end)) => return u64::try_from(end).unwrap(),
                Err(error) => assert!(Instant::now() < until, "{topic} [{partition}]: {error}"),
            }
            thread::sleep(Duration::from_millis(20));
            *consumer = client(&self.brokers, self.isolation);
        }
    }
}

fn client(brokers: &str, isolation: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "follower")
        .set("enable.auto.commit", "false")
        .set("isolation.level", isolation)
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "20")
        .create()
        .unwrap()
}
