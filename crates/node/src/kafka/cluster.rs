//! The cluster as somebody who makes and looks at topics sees it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::{Builder, Runtime};

use super::client::admin;
use super::error::KafkaError;
use super::native_topics::{DescribedTopic, describe_topics};
use super::plan::PlannedTopic;
use super::topic::Topic;
use crate::config::KafkaConfig;

/// How long a broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long new topics may take until all their partitions are served.
const CREATION_MAX: Duration = Duration::from_secs(60);

/// A connection that asks about topics.
pub struct Cluster {
    client: AdminClient<DefaultClientContext>,
    /// The client's answers are futures.
    runtime: Runtime,
    brokers: String,
    prefix: String,
}

/// A topic as the cluster has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundTopic {
    /// Its name.
    pub name: String,
    /// Its id, which another topic of the same name does not have.
    pub id: String,
    /// Its partitions.
    pub partitions: u32,
    /// Copies of the partition that has fewest.
    pub replicas: u16,
    /// Its settings; those that are not set have the broker's default.
    pub settings: BTreeMap<String, String>,
}

impl Cluster {
    /// Connects. Not for async code: calls wait for answers.
    ///
    /// # Errors
    /// [`KafkaError`]; so do all other calls.
    pub fn connect(config: &KafkaConfig) -> Result<Self, KafkaError> {
        let client = admin(config)?.create();
        let client = client.map_err(KafkaError::client(format!("cannot make a client of `{}`", config.brokers)))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("the system gives no event queue: {error}"));
        Ok(Self { client, runtime, brokers: config.brokers.clone(), prefix: config.topic_prefix.clone() })
    }

    /// The cluster's id.
    pub fn id(&self) -> Result<String, KafkaError> {
        let silent = || ClientError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut);
        let id = self.client.inner().fetch_cluster_id(PATIENCE).ok_or_else(silent);
        id.map_err(KafkaError::client(format!("cannot ask `{}` for the id of the cluster", self.brokers)))
    }

    /// Which of our topics there are, with their settings.
    pub fn topics(&self) -> Result<BTreeMap<Topic, FoundTopic>, KafkaError> {
        let described = self.described()?;
        let names: Vec<_> = described.values().map(|each| ResourceSpecifier::Topic(&each.name)).collect();
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let doing = format!("cannot ask `{}` for the settings of topics", self.brokers);
        let options = AdminOptions::new().request_timeout(Some(PATIENCE));
        let answers = self.runtime.block_on(self.client.describe_configs(&names, &options));
        let answers = answers.map_err(KafkaError::client(doing.clone()))?;
        let mut found = BTreeMap::new();
        for ((topic, each), answer) in described.iter().zip(answers) {
            let refused = |code| ClientError::AdminOp(code);
            let settings = answer.map_err(refused).map_err(KafkaError::client(doing.clone()))?.entries;
            let settings = settings.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect();
            found.insert(*topic, with_settings(each, settings));
        }
        Ok(found)
    }

    /// Which of our topics there are, and how many partitions each has. One request.
    pub fn partition_counts(&self) -> Result<BTreeMap<Topic, u32>, KafkaError> {
        Ok(self.described()?.into_iter().map(|(topic, each)| (topic, each.partitions)).collect())
    }

    /// Of a partition: the first offset that is there, and the next to be written.
    pub fn watermarks(&self, topic: &str, partition: u32) -> Result<(u64, u64), KafkaError> {
        let number = i32::try_from(partition).unwrap_or(i32::MAX);
        let marks = self.client.inner().fetch_watermarks(topic, number, PATIENCE);
        let (low, high) =
            marks.map_err(KafkaError::client(format!("cannot ask for the offsets of `{topic}` {partition}")))?;
        Ok((u64::try_from(low).unwrap_or(0), u64::try_from(high).unwrap_or(0)))
    }

    /// Makes topics, and waits until all their partitions are served. One that another made meanwhile is left as it is.
    pub fn create(&self, planned: &[PlannedTopic]) -> Result<(), KafkaError> {
        if planned.is_empty() {
            return Ok(());
        }
        let topics: Vec<_> = planned.iter().map(new_topic).collect();
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(2 * PATIENCE));
        let answers = self.runtime.block_on(self.client.create_topics(&topics, &options));
        let answers = answers.map_err(KafkaError::client(format!("cannot make topics on `{}`", self.brokers)))?;
        for answer in answers {
            match answer {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => {
                    return Err(KafkaError::client(format!("cannot make topic `{name}`"))(ClientError::AdminOp(code)));
                }
            }
        }
        self.await_leaders(planned)
    }

    /// Removes what a partition holds below an offset.
    pub fn delete_records(&self, topic: &str, partition: u32, below: u64) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        let number = i32::try_from(partition).unwrap_or(i32::MAX);
        let offset = Offset::Offset(i64::try_from(below).unwrap_or(i64::MAX));
        let doing = || KafkaError::client(format!("cannot remove records of `{topic}` {partition}"));
        list.add_partition_offset(topic, number, offset).map_err(doing())?;
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(2 * PATIENCE));
        let done = self.runtime.block_on(self.client.delete_records(&list, &options)).map_err(doing())?;
        done.elements().iter().try_for_each(|each| each.error()).map_err(doing())
    }

    fn await_leaders(&self, planned: &[PlannedTopic]) -> Result<(), KafkaError> {
        let until = Instant::now() + CREATION_MAX;
        for topic in planned {
            for partition in 0..topic.partitions {
                loop {
                    match self.watermarks(&topic.name, partition) {
                        Ok(_) => break,
                        Err(error) if Instant::now() > until => return Err(error),
                        // Asking takes its time by itself, and new partitions take theirs.
                        Err(_) => std::thread::sleep(Duration::from_millis(50)),
                    }
                }
            }
        }
        Ok(())
    }

    fn described(&self) -> Result<BTreeMap<Topic, DescribedTopic>, KafkaError> {
        let names: Vec<String> = Topic::ALL.iter().map(|topic| topic.name(&self.prefix)).collect();
        let described = describe_topics(self.client.inner(), &names, PATIENCE);
        let described =
            described.map_err(KafkaError::client(format!("cannot list the topics of `{}`", self.brokers)))?;
        let known = |each: DescribedTopic| Some((Topic::of_name(&self.prefix, &each.name)?, each));
        Ok(described.into_iter().filter_map(known).collect())
    }
}

fn new_topic(planned: &PlannedTopic) -> NewTopic<'_> {
    let partitions = i32::try_from(planned.partitions).unwrap_or(i32::MAX);
    let replicas = TopicReplication::Fixed(i32::from(planned.replicas));
    let topic = NewTopic::new(&planned.name, partitions, replicas);
    planned.settings.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
}

fn with_settings(described: &DescribedTopic, settings: BTreeMap<String, String>) -> FoundTopic {
    let DescribedTopic { name, id, partitions, replicas } = described.clone();
    FoundTopic { name, id, partitions, replicas, settings }
}
