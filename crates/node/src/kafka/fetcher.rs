//! A lane's consumer of input partitions: assigned by hand at the positions that the journal says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headroom_engine::Record;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::{self, Isolation, Quiet};
use super::error::KafkaError;
use super::input::Inputs;
use super::native::{BatchReader, Fetched, Message};
use super::topic::Topic;
use crate::config::KafkaConfig;

/// Records taken at a time.
const BATCH: usize = 4_000;
/// Records that wait in a lane, at most, beyond one batch: the bound on its memory.
const WAITING_MAX: usize = 100_000;
/// A partition may always have so many, so that no shard starves beside many others.
const WAITING_MIN: usize = 500;

/// What came from a partition.
pub enum Came {
    /// A record, decoded.
    Record(Box<Record>),
    /// Its end, which is this offset.
    End(u64),
}

/// What one look gave.
pub struct Taken {
    /// Shards whose partitions cannot be read.
    pub troubles: Vec<(u32, KafkaError)>,
    /// Nothing more had come.
    pub is_all: bool,
}

/// Makes a record of a message.
pub type Decode = Box<dyn Fn(Topic, &Message<'_>) -> Record + Send>;

/// The consumer.
pub struct Fetcher {
    reader: BatchReader<Quiet>,
    names: [String; 4],
    assigned: BTreeSet<u32>,
    decode: Decode,
    /// For error texts: where each shard's partitions were begun.
    begun: BTreeMap<(u32, usize), u64>,
}

impl Fetcher {
    /// # Errors
    /// What the client library says of the settings.
    pub fn open(config: &KafkaConfig, decode: Decode) -> Result<Self, KafkaError> {
        let consumer: BaseConsumer<Quiet> = client::create(&client::consumer(config, Isolation::Committed)?, Quiet)?;
        let names = Topic::KEYED.map(|topic| topic.name(&config.topic_prefix));
        let reader = BatchReader::new(consumer.into(), BATCH);
        Ok(Self { reader, names, assigned: BTreeSet::new(), decode, begun: BTreeMap::new() })
    }

    /// Reads from these shards' partitions and no others; those that were read before go on untouched.
    pub fn assign<'a>(&mut self, shards: impl Iterator<Item = (u32, &'a Inputs)>) {
        let (mut more, mut kept) = (TopicPartitionList::new(), BTreeSet::new());
        for (shard, inputs) in shards {
            kept.insert(shard);
            if self.assigned.contains(&shard) {
                continue;
            }
            for (at, queue) in inputs.queues.iter().enumerate() {
                self.begun.insert((shard, at), queue.next);
                let next = Offset::Offset(i64::try_from(queue.next).unwrap_or(i64::MAX));
                more.add_partition_offset(&self.names[at], number(shard), next).expect("an offset from 0 on is taken");
            }
        }
        let mut fewer = TopicPartitionList::new();
        for shard in self.assigned.difference(&kept) {
            self.names.iter().for_each(|name| {
                fewer.add_partition(name, number(*shard));
            });
        }
        let consumer = self.reader.consumer();
        let less = if fewer.count() > 0 { consumer.incremental_unassign(&fewer) } else { Ok(()) };
        // The client remembers that a partition was paused when it was here before.
        let add = || consumer.incremental_assign(&more).and_then(|()| consumer.resume(&more));
        let done = less.and_then(|()| if more.count() > 0 { add() } else { Ok(()) });
        if let Err(error) = done {
            tracing::error!(%error, "input partitions cannot be assigned");
        }
        self.assigned = kept;
    }

    /// Takes what has come, waiting at most so long for the first.
    pub fn fetch(&mut self, wait: Duration, told: &mut dyn FnMut(u32, Topic, Came)) -> Taken {
        let Self { reader, names, assigned, decode, begun } = self;
        let (mut troubles, mut count) = (Vec::new(), 0);
        let of = |name: &str| names.iter().position(|each| each == name);
        for fetched in reader.take(wait) {
            count += 1;
            match fetched {
                Fetched::Message(message) => {
                    if let Some(at) = of(message.topic)
                        && assigned.contains(&message.partition)
                    {
                        let record = decode(Topic::KEYED[at], &message);
                        told(message.partition, Topic::KEYED[at], Came::Record(Box::new(record)));
                    }
                }
                Fetched::End { topic, partition, offset } => {
                    if let Some(at) = of(topic)
                        && assigned.contains(&partition)
                    {
                        told(partition, Topic::KEYED[at], Came::End(offset));
                    }
                }
                Fetched::Error { topic, partition, code } => {
                    let Some((at, name)) = topic.and_then(|name| of(name).map(|at| (at, name))) else {
                        tracing::debug!(?code, "input consumer");
                        continue;
                    };
                    match code {
                        RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset => {
                            let next = begun.get(&(partition, at)).copied().unwrap_or(0);
                            let gone =
                                KafkaError::InputGone { topic: name.to_owned(), partition, next, low: 0, high: 0 };
                            troubles.push((partition, gone));
                        }
                        code => tracing::warn!(topic = name, partition, ?code, "an input partition cannot be read"),
                    }
                }
            }
        }
        Taken { troubles, is_all: count < BATCH }
    }

    /// Holds partitions back whose queues are full, and goes on with those that have room again.
    pub fn hold<'a>(&self, shards: impl Iterator<Item = (u32, &'a mut Inputs)>) {
        let queues = self.assigned.len().max(1) * self.names.len();
        let high = (WAITING_MAX / queues).max(WAITING_MIN);
        for (shard, inputs) in shards {
            for (name, queue) in self.names.iter().zip(&mut inputs.queues) {
                // A partition that was held once and is assigned anew is led nowhere by the client library, from some moment
                // after its assignment on: it is let through again until something of it has come.
                if !queue.heard {
                    self.reader.hold(name, number(shard), false);
                }
                let (is_full, has_room) = (queue.len() >= high, queue.len() <= high / 2);
                if (!queue.held && is_full) || (queue.held && has_room) {
                    queue.held = is_full;
                    self.reader.hold(name, number(shard), queue.held);
                }
            }
        }
    }
}

fn number(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}
