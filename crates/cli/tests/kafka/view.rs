//! What the world sees of a cluster: committed outputs, as a ledger applies them, and the journal.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use headroom_node::DataDir;
use headroom_store::StoreOptions;
use headroom_wire::proto::{DeadLetter, LimitChange, Offer, Review, Trigger};
use headroom_wire::{Journal, JournalTopicRecord, decode_journal, decode_journal_topic};
use prost::Message as _;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use sha2::{Digest, Sha256};

use crate::cluster::Cluster;

/// All that is committed in a partition: key and value.
pub fn committed(cluster: &Cluster<'_>, topic: &str, partition: u32) -> Vec<(Vec<u8>, Vec<u8>)> {
    read(cluster, topic, partition, "read_committed")
}

pub fn read(cluster: &Cluster<'_>, topic: &str, partition: u32, isolation: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", cluster.broker.bootstrap())
        .set("group.id", "view")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", isolation)
        .set("check.crcs", "true")
        // An end is told when a fetch finds nothing: half a second later by default.
        .set("fetch.wait.max.ms", "10")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    let mut partitions = TopicPartitionList::new();
    let partition = i32::try_from(partition).unwrap();
    partitions.add_partition_offset(&cluster.topic(topic), partition, Offset::Beginning).unwrap();
    consumer.assign(&partitions).unwrap();
    let mut records = Vec::new();
    loop {
        match consumer.poll(Duration::from_secs(30)) {
            Some(Ok(message)) => {
                records
                    .push((message.key().unwrap_or_default().to_vec(), message.payload().unwrap_or_default().to_vec()));
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return records,
            Some(Err(error)) => panic!("{topic} [{partition}]: {error}"),
            None => panic!("{topic} [{partition}]: silence"),
        }
    }
}

/// What a ledger that applies each account's sequence knows: per account the last sequence, and a digest over all
/// changes without what depends on where they were read.
#[track_caller]
pub fn ledger(cluster: &Cluster<'_>) -> BTreeMap<String, (u64, String)> {
    let mut accounts: BTreeMap<String, (u64, Sha256)> = BTreeMap::new();
    for partition in 0..cluster.partitions {
        for (key, value) in committed(cluster, "limit-changes", partition) {
            let change = change(&value);
            assert_eq!(key, change.account_id.as_bytes());
            let known = accounts.entry(change.account_id.clone()).or_insert((0, Sha256::new()));
            assert_eq!(change.sequence, known.0 + 1, "account {} in partition {partition}", change.account_id);
            known.0 = change.sequence;
            known.1.update(without_input("limit-changes", &value));
        }
    }
    accounts.into_iter().map(|(account, (last, hash))| (account, (last, hex(&hash.finalize())))).collect()
}

/// A limit change as it is published.
pub fn change(value: &[u8]) -> LimitChange {
    LimitChange::decode(value).unwrap()
}

/// The bytes of an output without the name of the topic that it was read from.
pub fn without_input(topic: &str, value: &[u8]) -> Vec<u8> {
    let clear = |trigger: &mut Option<Trigger>| {
        if let Some(trigger) = trigger {
            trigger.input.clear();
        }
    };
    match topic {
        "limit-changes" => {
            let mut each = LimitChange::decode(value).unwrap();
            clear(&mut each.trigger);
            each.encode_to_vec()
        }
        "offers" => {
            let mut each = Offer::decode(value).unwrap();
            clear(&mut each.trigger);
            each.encode_to_vec()
        }
        "reviews" => {
            let mut each = Review::decode(value).unwrap();
            clear(&mut each.trigger);
            each.encode_to_vec()
        }
        "dead-letters" => DeadLetter { input: String::new(), ..DeadLetter::decode(value).unwrap() }.encode_to_vec(),
        _ => value.to_vec(),
    }
}

/// All outputs of all topics: topic, partition, values in order.
pub fn outputs(cluster: &Cluster<'_>) -> BTreeMap<(&'static str, u32), Vec<Vec<u8>>> {
    let mut all = BTreeMap::new();
    for topic in ["limit-changes", "offers", "notices", "reviews", "dead-letters"] {
        for partition in 0..cluster.partitions {
            let values = committed(cluster, topic, partition).into_iter();
            let values = values.map(|(_, value)| without_input(topic, &value)).collect();
            all.insert((topic, partition), values);
        }
    }
    all
}

/// The journal of a shard, whose chain holds: every record follows the one before.
#[track_caller]
pub fn journal(cluster: &Cluster<'_>, shard: u32) -> Vec<Journal> {
    let mut records: Vec<Journal> = Vec::new();
    for (at, (_, value)) in committed(cluster, "journal", shard).into_iter().enumerate() {
        match decode_journal_topic(&value).unwrap() {
            JournalTopicRecord::Genesis(_) => assert_eq!(at, 0, "a genesis comes first"),
            JournalTopicRecord::Part(part) if part.part == 0 => {
                let journal = decode_journal(&part.record).unwrap();
                assert!(journal.is_sealed());
                let (seq, digest) = records.last().map_or((0, [0; 32]), |last| (last.seq, last.digest));
                assert_eq!((journal.seq, journal.prev_digest), (seq + 1, digest), "shard {shard}");
                records.push(journal);
            }
            JournalTopicRecord::Part(_) => {}
        }
    }
    records
}

/// Shards of a data directory, which nobody has open, whose sweep is not through.
pub fn sweeping(dir: &Path) -> Vec<u32> {
    let data = DataDir::find(dir).unwrap();
    let state = |shard| data.read(shard, &StoreOptions::default()).unwrap().state().unwrap();
    (0..data.shards()).filter(|shard| state(*shard).is_some_and(|state| state.sweep.is_some())).collect()
}

/// The digest of each shard's state in a data directory that nobody has open.
pub fn digests(dir: &Path) -> Vec<String> {
    let data = DataDir::find(dir).unwrap();
    let digest = |shard| hex(&data.read(shard, &StoreOptions::default()).unwrap().digest().unwrap());
    (0..data.shards()).map(digest).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
