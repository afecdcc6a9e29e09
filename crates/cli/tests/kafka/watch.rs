//! Watches the journal topic as a reader of committed records does: who writes, when, and how much is decided.

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
use crate::node::{Node, PATIENCE};

/// What was seen of one partition: when each commit came, and who wrote it.
pub type Commits = Vec<(Instant, String)>;

#[derive(Default)]
struct Seen {
    decided: BTreeMap<u32, u64>,
    commits: BTreeMap<u32, Commits>,
}

/// The reader.
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub fn start(cluster: &Cluster<'_>) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.broker.bootstrap())
            .set("group.id", "watch")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("fetch.wait.max.ms", "10")
            .create()
            .unwrap();
        let mut all = TopicPartitionList::new();
        for partition in 0..i32::try_from(cluster.partitions).unwrap() {
            all.add_partition_offset(&cluster.topic("journal"), partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&all).unwrap();
        let (seen, stop) = (Arc::<Mutex<Seen>>::default(), Arc::<AtomicBool>::default());
        let (to, until) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while !until.load(Ordering::Acquire) {
                // Errors pass: brokers come and go in these tests.
                if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
                    let partition = u32::try_from(message.partition()).unwrap();
                    take(&mut to.lock().unwrap(), partition, message.payload().unwrap_or_default());
                }
            }
        });
        Self { seen, stop, thread: Some(thread) }
    }

    /// Records that all shards have decided on.
    pub fn decided(&self) -> u64 {
        self.seen.lock().unwrap().decided.values().sum()
    }

    /// Records that one shard has decided on.
    pub fn decided_in(&self, shard: u32) -> u64 {
        self.seen.lock().unwrap().decided.get(&shard).copied().unwrap_or(0)
    }

    /// Commits so far, by partition.
    pub fn commits(&self) -> BTreeMap<u32, Commits> {
        self.seen.lock().unwrap().commits.clone()
    }

    /// Waits until so much is decided; tells the nodes' logs where it does not come.
    #[track_caller]
    pub fn until_decided(&self, records: u64, nodes: &[&Node]) {
        self.until(&format!("{records} records are decided"), nodes, |watch| watch.decided() >= records);
    }

    /// Waits for a condition.
    #[track_caller]
    pub fn until(&self, what: &str, nodes: &[&Node], is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            let tails = || nodes.iter().map(|node| node.tail()).collect::<Vec<_>>().join("\n----\n");
            assert!(Instant::now() < until, "never: {what}; {} decided\n{}", self.decided(), tails());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn take(seen: &mut Seen, partition: u32, value: &[u8]) {
    let Ok(JournalTopicRecord::Part(part)) = decode_journal_topic(value) else { return };
    if part.part > 0 {
        return;
    }
    let journal = decode_journal(&part.record).unwrap();
    *seen.decided.entry(partition).or_default() += journal.inputs.iter().map(|input| input.count).sum::<u64>();
    seen.commits.entry(partition).or_default().push((Instant::now(), journal.writer.instance));
}
