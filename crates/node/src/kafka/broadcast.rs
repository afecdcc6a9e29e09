//! Broadcast topics: read once per node, from the lowest position that one of its shards needs (PROTOCOL P10).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headroom_engine::Record;
use rdkafka::consumer::{Consumer, ConsumerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::native::{BatchReader, Fetched, Message};
use super::topic::Topic;

/// Records kept beyond what all shards have read; then reading waits for the slowest.
const KEPT_MAX: usize = 4_096;
/// One look at the consumer.
const POLL: Duration = Duration::from_millis(50);

/// What a shard finds at its position.
#[derive(Debug)]
pub enum Next {
    /// The next record.
    Record(Box<Record>),
    /// Nothing, at the moment.
    End,
    /// It is being read.
    Behind,
}

/// What has been read of the broadcast topics.
#[derive(Debug)]
pub struct Broadcasts {
    topics: [Mutex<Log>; 2],
    /// The lowest position that each lane's shards need, for both topics.
    needed: Mutex<Vec<[u64; 2]>>,
}

#[derive(Debug, Default)]
struct Log {
    records: VecDeque<Record>,
    /// From here on everything that is there is in `records`, up to `next`.
    first: u64,
    next: u64,
    at_end: bool,
    /// Somebody needs what lies before `first`.
    rewind: Option<u64>,
    started: bool,
}

impl Broadcasts {
    /// Nothing yet, for so many lanes.
    pub fn new(lanes: usize) -> Self {
        Self { topics: Default::default(), needed: Mutex::new(vec![[u64::MAX; 2]; lanes]) }
    }

    /// What stands at or behind an offset.
    pub fn next(&self, topic: usize, offset: u64) -> Next {
        let log = self.lock(topic);
        if !log.started || log.rewind.is_some() || offset < log.first {
            return Next::Behind;
        }
        let at = log.records.partition_point(|record| record.position.offset < offset);
        match log.records.get(at) {
            Some(record) => Next::Record(Box::new(record.clone())),
            None if log.at_end && offset <= log.next => Next::End,
            None => Next::Behind,
        }
    }

    /// A shard of a lane begins to read at an offset.
    pub fn require(&self, lane: usize, topic: usize, offset: u64) {
        {
            let mut needed = self.needed.lock().unwrap_or_else(PoisonError::into_inner);
            needed[lane][topic] = needed[lane][topic].min(offset);
        }
        let mut log = self.lock(topic);
        if !log.started || offset < log.first {
            log.rewind = Some(log.rewind.map_or(offset, |other| other.min(offset)));
        }
    }

    /// The shards of a lane need nothing before an offset; what no lane needs is forgotten.
    pub fn reached(&self, lane: usize, topic: usize, offset: u64) {
        let below = {
            let mut needed = self.needed.lock().unwrap_or_else(PoisonError::into_inner);
            needed[lane][topic] = offset;
            needed.iter().map(|each| each[topic]).min().unwrap_or(offset)
        };
        let mut log = self.lock(topic);
        while log.records.front().is_some_and(|record| record.position.offset < below) {
            log.records.pop_front();
        }
        log.first = log.first.max(below.min(log.next));
    }

    /// Reads until it is told to stop. `decode` makes records of what comes, from the topic and the message.
    pub fn run<C: ConsumerContext + 'static>(
        &self,
        mut reader: BatchReader<C>,
        names: &[String; 2],
        decode: &mut dyn FnMut(Topic, &Message<'_>) -> Record,
        stop: &AtomicBool,
    ) {
        while !stop.load(Ordering::Acquire) {
            self.rewind(&reader, names);
            if (0..2).any(|topic| self.lock(topic).records.len() > KEPT_MAX) {
                std::thread::sleep(POLL);
                continue;
            }
            for fetched in reader.take(POLL) {
                self.put(names, fetched, decode);
            }
        }
    }

    fn put(&self, names: &[String; 2], fetched: Fetched<'_>, decode: &mut dyn FnMut(Topic, &Message<'_>) -> Record) {
        let of = |name: &str| names.iter().position(|each| each == name);
        match fetched {
            Fetched::Message(message) => {
                let Some(topic) = of(message.topic) else { return };
                let record = decode(Topic::BROADCAST[topic], &message);
                let mut log = self.lock(topic);
                // What was on its way when the reader was set back comes again.
                if log.rewind.is_none() && message.offset >= log.next {
                    log.next = message.offset + 1;
                    log.at_end = false;
                    log.records.push_back(record);
                }
            }
            Fetched::End { topic, offset, .. } => {
                let Some(topic) = of(topic) else { return };
                let mut log = self.lock(topic);
                if log.rewind.is_none() && offset >= log.next {
                    (log.next, log.at_end) = (offset, true);
                }
            }
            Fetched::Error { topic, partition, code } => {
                tracing::warn!(?topic, partition, ?code, "a broadcast topic cannot be read at the moment");
            }
        }
    }

    fn rewind<C: ConsumerContext + 'static>(&self, reader: &BatchReader<C>, names: &[String; 2]) {
        if (0..2).all(|topic| self.lock(topic).rewind.is_none()) {
            return;
        }
        let mut partitions = TopicPartitionList::new();
        for (topic, name) in names.iter().enumerate() {
            let mut log = self.lock(topic);
            if let Some(from) = log.rewind.take() {
                *log = Log { first: from, next: from, started: true, ..Log::default() };
            }
            if log.started {
                let at = i64::try_from(log.next).unwrap_or(i64::MAX);
                partitions.add_partition_offset(name, 0, Offset::Offset(at)).expect("an offset from 0 on is taken");
            }
        }
        if let Err(error) = reader.consumer().assign(&partitions) {
            tracing::error!(%error, "the broadcast topics cannot be assigned");
        }
    }

    fn lock(&self, topic: usize) -> MutexGuard<'_, Log> {
        // Each change leaves a log whole.
        self.topics[topic].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
