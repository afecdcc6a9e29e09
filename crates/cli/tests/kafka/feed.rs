//! Records of a test's own making into topics, and what an administrator does to topics.

use std::path::Path;
use std::time::Duration;

use headroom_node::kafka::{Outgoing, Topic, TopicKind, event_to_send};
use headroom_node::{Config, KafkaConfig, shard_of};
use headroom_wire::{decode_json, event_from_json};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;

use crate::cluster::Cluster;

const PATIENCE: Duration = Duration::from_secs(30);

/// Writes to the topics of a cluster.
pub struct Feed<'a> {
    cluster: &'a Cluster<'a>,
    pub config: KafkaConfig,
    producer: BaseProducer,
}

/// A record, exactly as it will stand there.
#[derive(Clone, Debug)]
pub struct Raw {
    pub topic: Topic,
    pub partition: u32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since 1970.
    pub time: i64,
}

impl<'a> Feed<'a> {
    pub fn connect(cluster: &'a Cluster<'a>) -> Self {
        let config = Config::load(None, &cluster.settings).unwrap().kafka;
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", cluster.broker.bootstrap()).set("linger.ms", "0");
        settings.set("message.max.bytes", "2000000");
        Self { cluster, config, producer: settings.create().unwrap() }
    }

    /// An event as its topic has it, at its own time.
    pub fn raw(&self, json: &str) -> Raw {
        let event = event_from_json(json.as_bytes()).unwrap();
        let at = event.recorded_at.or(event.occurred_at).and_then(headroom_wire::Timestamp::to_millis).unwrap();
        let Outgoing { topic, key, value, headers } = event_to_send(&event, &self.config).unwrap();
        let home = |key: &Vec<u8>| shard_of(std::str::from_utf8(key).unwrap(), self.cluster.partitions);
        let partition = if topic.kind() == TopicKind::Keyed { key.as_ref().map_or(0, home) } else { 0 };
        Raw { topic, partition, key, value: Some(value), headers, time: at }
    }

    /// Sends an event; gives how many shards decide on it.
    pub fn event(&self, json: &str) -> u64 {
        self.send(&self.raw(json));
        weight(json, self.cluster.partitions)
    }

    /// Sends a record, waits until it is there, and gives its offset.
    pub fn send(&self, raw: &Raw) -> u64 {
        let name = self.cluster.topic(raw.topic.word());
        let partition = i32::try_from(raw.partition).unwrap();
        let headers = raw
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&name).partition(partition).timestamp(raw.time);
        (record.key, record.payload) = (raw.key.as_deref(), raw.value.as_deref());
        let record = if raw.headers.is_empty() { record } else { record.headers(headers) };
        let before = self.ends(raw.topic, raw.partition).1;
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
        self.producer.flush(PATIENCE).unwrap();
        let after = self.ends(raw.topic, raw.partition).1;
        assert_eq!(after, before + 1, "the broker did not take it: {raw:?}");
        before
    }

    /// The first offset kept, and the next.
    pub fn ends(&self, topic: Topic, partition: u32) -> (u64, u64) {
        let name = self.cluster.topic(topic.word());
        let partition = i32::try_from(partition).unwrap();
        let (low, high) = self.producer.client().fetch_watermarks(&name, partition, PATIENCE).unwrap();
        (u64::try_from(low).unwrap(), u64::try_from(high).unwrap())
    }

    /// Deletes a partition's records below an offset.
    pub fn delete_below(&self, topic: Topic, partition: u32, offset: u64) {
        let mut list = TopicPartitionList::new();
        let (partition, offset) = (i32::try_from(partition).unwrap(), Offset::Offset(i64::try_from(offset).unwrap()));
        list.add_partition_offset(&self.cluster.topic(topic.word()), partition, offset).unwrap();
        let deleted = wait(self.admin().delete_records(&list, &options())).unwrap();
        deleted.elements().iter().for_each(|each| each.error().unwrap());
    }

    /// Gives a topic more partitions.
    pub fn add_partitions(&self, topic: Topic, count: usize) {
        let name = self.cluster.topic(topic.word());
        let answers = wait(self.admin().create_partitions(&[NewPartitions::new(&name, count)], &options())).unwrap();
        answers.into_iter().for_each(|answer| drop(answer.unwrap()));
    }

    /// Deletes a topic.
    pub fn delete(&self, topic: Topic) {
        let name = self.cluster.topic(topic.word());
        let answers = wait(self.admin().delete_topics(&[&name], &options())).unwrap();
        answers.into_iter().for_each(|answer| drop(answer.unwrap()));
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", self.cluster.broker.bootstrap()).create().unwrap()
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(PATIENCE))
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// How many shards decide on an event: all of them on a broadcast.
pub fn weight(json: &str, partitions: u32) -> u64 {
    let is_broadcast = decode_json(json.as_bytes()).is_ok_and(|decoded| decoded.event.body.is_broadcast());
    if is_broadcast { partitions.into() } else { 1 }
}

/// What all lines of an event file come to.
pub fn weights(file: &Path, partitions: u32) -> u64 {
    by_shard(file, partitions).iter().sum()
}

/// How many records of an event file each shard decides on.
pub fn by_shard(file: &Path, partitions: u32) -> Vec<u64> {
    let mut counts = vec![0; partitions as usize];
    for line in std::fs::read_to_string(file).unwrap().lines() {
        if weight(line, partitions) == 1 {
            let event: Value = serde_json::from_str(line).unwrap();
            counts[shard_of(event["account_id"].as_str().unwrap(), partitions) as usize] += 1;
        } else {
            counts.iter_mut().for_each(|count| *count += 1);
        }
    }
    counts
}
