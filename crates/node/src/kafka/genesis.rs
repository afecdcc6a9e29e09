//! The first record of each journal partition: what the shard was made for (PROTOCOL P9).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headroom_engine::content_hash;
use headroom_wire::{JournalGenesis, JournalTopicRecord, decode_journal_topic, encode_journal_topic};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::{Isolation, consumer, producer};
use super::cluster::{Cluster, FoundTopic};
use super::error::KafkaError;
use super::problem::{Problem, ProblemCode};
use super::topic::{Topic, TopicKind};
use crate::config::KafkaConfig;
use crate::decode::wall_clock;

/// How long the first records of all partitions may take to come.
const READ_MAX: Duration = Duration::from_secs(30);

/// How a journal partition begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Beginning {
    /// With what the shard was made for.
    Genesis(Box<JournalGenesis>),
    /// With nothing: nothing was ever written.
    Empty,
    /// At this offset: what was before is deleted.
    Trimmed(u64),
    /// With something else.
    Foreign(String),
}

/// Where shards begin to read their inputs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartAt {
    /// With the first record that is there.
    Beginning,
    /// With the next to be written.
    End,
}

/// How all partitions of the journal begin, by partition.
///
/// # Errors
/// [`KafkaError::Client`] where the journal cannot be read.
pub fn beginnings(config: &KafkaConfig, cluster: &Cluster, partitions: u32) -> Result<Vec<Beginning>, KafkaError> {
    let name = Topic::Journal.name(&config.topic_prefix);
    let mut found = BTreeMap::new();
    let mut wanted = Vec::new();
    for partition in 0..partitions {
        match cluster.watermarks(&name, partition)? {
            (0, 0) => drop(found.insert(partition, Beginning::Empty)),
            (0, _) => wanted.push(partition),
            (low, _) => drop(found.insert(partition, Beginning::Trimmed(low))),
        }
    }
    found.extend(first_records(config, &name, wanted)?);
    Ok(found.into_values().collect())
}

fn first_records(
    config: &KafkaConfig,
    name: &str,
    mut wanted: Vec<u32>,
) -> Result<BTreeMap<u32, Beginning>, KafkaError> {
    let mut found = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let doing = || KafkaError::client(format!("cannot read the first records of `{name}`"));
    let reader: BaseConsumer = consumer(config, Isolation::Committed)?.create().map_err(doing())?;
    reader.assign(&from_the_first(name, &wanted)).map_err(doing())?;
    let until = Instant::now() + READ_MAX;
    while !wanted.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        let (partition, beginning) = match reader.poll(left) {
            None => return Err(doing()(ClientError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut))),
            Some(Ok(message)) => (number(message.partition()), beginning(&message)),
            // Nothing but aborted transactions, or one that is open.
            Some(Err(ClientError::PartitionEOF(partition))) => {
                (number(partition), Beginning::Foreign("it holds no committed record".to_owned()))
            }
            Some(Err(error)) => return Err(doing()(error)),
        };
        if let Some(at) = wanted.iter().position(|each| *each == partition) {
            wanted.swap_remove(at);
            found.insert(partition, beginning);
            reader.pause(&from_the_first(name, &[partition])).map_err(doing())?;
        }
    }
    Ok(found)
}

fn from_the_first(name: &str, partitions: &[u32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        let partition = i32::try_from(*partition).unwrap_or(i32::MAX);
        list.add_partition_offset(name, partition, Offset::Offset(0)).expect("a good offset");
    }
    list
}

fn beginning(message: &BorrowedMessage<'_>) -> Beginning {
    match decode_journal_topic(message.payload().unwrap_or_default()) {
        Ok(JournalTopicRecord::Genesis(genesis)) => Beginning::Genesis(Box::new(genesis)),
        Ok(JournalTopicRecord::Part(part)) => Beginning::Foreign(format!("it begins with commit {}", part.seq)),
        Err(error) => Beginning::Foreign(error.to_string()),
    }
}

fn number(partition: i32) -> u32 {
    u32::try_from(partition).unwrap_or(0)
}

/// The genesis of every shard: cluster, topics and ruleset are common, where to read its own.
///
/// # Errors
/// [`KafkaError::Client`] where offsets cannot be asked for.
pub fn genesis(
    config: &KafkaConfig,
    cluster: &Cluster,
    topics: &BTreeMap<Topic, FoundTopic>,
    ruleset: &[(String, String)],
    start: StartAt,
) -> Result<Vec<JournalGenesis>, KafkaError> {
    let mut firsts = BTreeMap::new();
    for (topic, found) in topics {
        if matches!(topic.kind(), TopicKind::Keyed | TopicKind::Broadcast) {
            for partition in 0..found.partitions {
                let (low, high) = cluster.watermarks(&found.name, partition)?;
                firsts.insert((*topic, partition), if start == StartAt::End { high } else { low });
            }
        }
    }
    let common = JournalGenesis {
        cluster_id: cluster.id()?,
        inputs: Vec::new(),
        topics: topics.values().map(|each| (each.name.clone(), each.id.clone(), each.partitions)).collect(),
        ruleset_hash: content_hash(ruleset),
        ruleset: ruleset.to_vec(),
        created: wall_clock().0,
    };
    let input = |shard: u32, topic: Topic| {
        let partition = if topic.kind() == TopicKind::Broadcast { 0 } else { shard };
        let first = firsts.get(&(topic, partition)).copied().unwrap_or(0);
        (topic.name(&config.topic_prefix), partition, first)
    };
    let shards = topics.get(&Topic::Journal).map_or(0, |journal| journal.partitions);
    let of_shard = |shard| {
        let inputs = Topic::KEYED.iter().chain(&Topic::BROADCAST).map(|topic| input(shard, *topic)).collect();
        JournalGenesis { inputs, ..common.clone() }
    };
    Ok((0..shards).map(of_shard).collect())
}

/// Writes the genesis of these shards, and waits until all are there.
///
/// # Errors
/// [`KafkaError::Client`]: some may be there, and a second try writes the others.
pub fn write(config: &KafkaConfig, records: &[(u32, JournalGenesis)]) -> Result<(), KafkaError> {
    if records.is_empty() {
        return Ok(());
    }
    let name = Topic::Journal.name(&config.topic_prefix);
    let doing = || KafkaError::client(format!("cannot write to `{name}`"));
    let mut settings = producer(config, None)?;
    let writer: BaseProducer = settings.set("message.timeout.ms", "30000").create().map_err(doing())?;
    for (partition, genesis) in records {
        let value = encode_journal_topic(&JournalTopicRecord::Genesis(genesis.clone()));
        let partition = i32::try_from(*partition).unwrap_or(i32::MAX);
        let record = BaseRecord::<(), [u8]>::to(&name).partition(partition).payload(&value);
        writer.send(record).map_err(|(error, _)| doing()(error))?;
    }
    writer.flush(READ_MAX).map_err(doing())
}

/// How a genesis differs from what is there now.
pub fn differences(genesis: &JournalGenesis, cluster_id: &str, topics: &BTreeMap<Topic, FoundTopic>) -> Vec<Problem> {
    if genesis.cluster_id != cluster_id {
        let detail = format!("the journal was made in cluster `{}`, and this is `{cluster_id}`", genesis.cluster_id);
        return vec![Problem::new(ProblemCode::OtherCluster, "", detail)];
    }
    let differs = |(name, id, partitions): &(String, String, u32)| {
        let found = topics.values().find(|each| each.name == *name)?;
        if found.id != *id {
            let detail = format!("it was made anew: its id is `{}`, and was `{id}` at genesis", found.id);
            return Some(Problem::new(ProblemCode::OtherTopic, name, detail));
        }
        (found.partitions != *partitions).then(|| {
            let detail = format!("it has {} partitions, and had {partitions} at genesis", found.partitions);
            Problem::new(ProblemCode::Partitions, name, detail)
        })
    };
    genesis.topics.iter().filter_map(differs).collect()
}
