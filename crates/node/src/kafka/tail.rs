//! Reading a shard's journal partition: where it ends, what its last records say, and what a store has not seen.

use std::io::Read;
use std::time::{Duration, Instant};

use headroom_store::StoreError;
use headroom_wire::{Journal, JournalGenesis, JournalPart, JournalTopicRecord, JournalWriter, decode_journal_topic};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::{self, Isolation, Quiet};
use super::error::KafkaError;
use super::native::{BatchReader, Fetched};
use crate::config::KafkaConfig;
use crate::lane::decode_journal;

/// How long a question to the broker may take.
const ASK_MAX: Duration = Duration::from_secs(10);
/// Without anything from the broker for so long, reading fails.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// Records looked at first when the end of a journal is sought; then sixteen times as many, and so on.
const BACK_FIRST: u64 = 16;
const BATCH: usize = 1_000;
/// A compressed delta grows to so many bytes at most: more is damage, not data.
const DELTA_BYTES_MAX: u64 = 1 << 30;

/// Hears offset and value of each record, and says whether to go on.
pub type Told<'a> = &'a mut dyn FnMut(u64, &[u8]) -> Result<bool, KafkaError>;

/// A commit as the journal holds it.
#[derive(Clone, Debug)]
pub struct JournalCommit {
    /// The record.
    pub journal: Journal,
    /// The record as it was written.
    pub bytes: Vec<u8>,
    /// What it changed in the store.
    pub delta: Vec<u8>,
}

/// Reads journal and output partitions, committed or all of what is there.
pub struct TailReader {
    reader: BatchReader<Quiet>,
}

impl TailReader {
    /// # Errors
    /// What the client library says of the settings.
    pub fn open(config: &KafkaConfig, isolation: Isolation) -> Result<Self, KafkaError> {
        let mut client = client::consumer(config, isolation)?;
        // Committed offsets are asked for in the name of the group; nothing is subscribed, so it is no member.
        client.set("group.id", &config.group).set("fetch.wait.max.ms", "10");
        let consumer: BaseConsumer<Quiet> = client::create(&client, Quiet)?;
        Ok(Self { reader: BatchReader::new(consumer.into(), BATCH) })
    }

    /// The first offset kept and the end: for committed reading the last stable offset, else the high watermark.
    pub fn ends(&self, topic: &str, partition: u32) -> Result<(u64, u64), KafkaError> {
        let asked = self.reader.consumer().fetch_watermarks(topic, number(partition), ASK_MAX);
        let (low, high) = asked.map_err(KafkaError::client(format!("cannot find the ends of `{topic}`")))?;
        Ok((u64::try_from(low).unwrap_or(0), u64::try_from(high).unwrap_or(0)))
    }

    /// The ends of several partitions by one question, in their order: for committed reading last stable offsets, else
    /// high watermarks.
    ///
    /// # Errors
    /// What the broker says of any of them.
    pub fn ends_of(&self, partitions: &[(String, u32)]) -> Result<Vec<u64>, KafkaError> {
        self.offsets_of(partitions, Offset::End)
    }

    /// The first offsets kept of several partitions, by one question.
    ///
    /// # Errors
    /// As [`Self::ends_of`].
    pub fn firsts_of(&self, partitions: &[(String, u32)]) -> Result<Vec<u64>, KafkaError> {
        self.offsets_of(partitions, Offset::Beginning)
    }

    fn offsets_of(&self, partitions: &[(String, u32)], at: Offset) -> Result<Vec<u64>, KafkaError> {
        let doing = |name: &str| format!("cannot find the ends of `{name}`");
        let mut asked = TopicPartitionList::with_capacity(partitions.len());
        for (name, partition) in partitions {
            asked.add_partition_offset(name, number(*partition), at).map_err(KafkaError::client(doing(name)))?;
        }
        let first = partitions.first().map_or("", |(name, _)| name);
        // Asked for a time, which first and last offsets are special values of.
        let found = self.reader.consumer().offsets_for_times(asked, ASK_MAX);
        let found = found.map_err(KafkaError::client(doing(first)))?;
        let offset = |(name, partition): &(String, u32)| {
            let silent = || KafkaError::Silent { topic: name.clone(), partition: *partition };
            let element = found.find_partition(name, number(*partition)).ok_or_else(silent)?;
            element.error().map_err(KafkaError::client(doing(name)))?;
            match element.offset() {
                Offset::Offset(offset) => u64::try_from(offset).map_err(|_| silent()),
                _ => Err(silent()),
            }
        };
        partitions.iter().map(offset).collect()
    }

    /// The offset that the group has committed on a partition; `None`: none. Waits at most so long for transactions
    /// that hold it.
    ///
    /// # Errors
    /// `Ok(Err(()))` where it is held.
    pub fn committed(
        &self,
        topic: &str,
        partition: u32,
        wait: Duration,
    ) -> Result<Result<Option<u64>, ()>, KafkaError> {
        use rdkafka::error::RDKafkaErrorCode::{OperationTimedOut, UnstableOffsetCommit};
        let doing = || KafkaError::client(format!("cannot read the group's offset on `{topic}` [{partition}]"));
        let mut asked = TopicPartitionList::new();
        asked.add_partition(topic, number(partition));
        let found = match self.reader.consumer().committed_offsets(asked, wait) {
            Ok(found) => found,
            Err(error)
                if error
                    .rdkafka_error_code()
                    .is_some_and(|code| [OperationTimedOut, UnstableOffsetCommit].contains(&code)) =>
            {
                return Ok(Err(()));
            }
            Err(error) => return Err(doing()(error)),
        };
        let elements = found.elements();
        let Some(element) = elements.first() else { return Ok(Ok(None)) };
        match element.error() {
            Err(error) if error.rdkafka_error_code() == Some(UnstableOffsetCommit) => return Ok(Err(())),
            Err(error) => return Err(doing()(error)),
            Ok(()) => {}
        }
        Ok(Ok(match element.offset() {
            Offset::Offset(offset) => u64::try_from(offset).ok(),
            _ => None,
        }))
    }

    /// Everything from an offset up to the end as it is reached; `told` hears offset and value of each record, and says
    /// whether to go on.
    ///
    /// # Errors
    /// What the broker says; silence.
    pub fn read(&mut self, topic: &str, partition: u32, from: u64, told: Told<'_>) -> Result<(), KafkaError> {
        let mut at = TopicPartitionList::new();
        let from = Offset::Offset(i64::try_from(from).unwrap_or(i64::MAX));
        let doing = || format!("cannot read `{topic}` [{partition}]");
        at.add_partition_offset(topic, number(partition), from).map_err(KafkaError::client(doing()))?;
        self.reader.consumer().assign(&at).map_err(KafkaError::client(doing()))?;
        let read = self.read_assigned((topic, partition), told);
        self.reader.consumer().unassign().map_err(KafkaError::client(doing()))?;
        // What was fetched and not told does not come up at the next reading.
        while self.reader.take(Duration::ZERO).next().is_some() {}
        read
    }

    fn read_assigned(&mut self, (topic, partition): (&str, u32), told: Told<'_>) -> Result<(), KafkaError> {
        let mut heard = Instant::now();
        while heard.elapsed() < SILENCE_MAX {
            for fetched in self.reader.take(Duration::from_millis(200)) {
                heard = Instant::now();
                match fetched {
                    Fetched::Message(message) if message.topic == topic && message.partition == partition => {
                        let goes_on = told(message.offset, message.value.unwrap_or_default())?;
                        if !goes_on {
                            return Ok(());
                        }
                    }
                    Fetched::End { topic: of, partition: number, .. } if of == topic && number == partition => {
                        return Ok(());
                    }
                    Fetched::Error { topic: Some(of), code, .. } if of == topic => {
                        return Err(KafkaError::Unreadable { topic: of.to_owned(), partition, code });
                    }
                    _ => {}
                }
            }
        }
        Err(KafkaError::Silent { topic: topic.to_owned(), partition })
    }

    /// The genesis of a shard: the first record of its journal partition ever written. `None` where it is trimmed or was
    /// never written.
    pub fn genesis(&mut self, journal: &str, shard: u32) -> Result<Option<JournalGenesis>, KafkaError> {
        let (low, high) = self.ends(journal, shard)?;
        if low > 0 || high == 0 {
            return Ok(None);
        }
        let mut genesis = None;
        self.read(journal, shard, 0, &mut |_, value| {
            if let JournalTopicRecord::Genesis(found) = decode(value)? {
                genesis = Some(found);
            }
            Ok(false)
        })?;
        Ok(genesis)
    }

    /// Who wrote last: above what is committed if anything is there, else the last record.
    pub fn last_writer(&mut self, journal: &str, shard: u32) -> Result<Option<JournalWriter>, KafkaError> {
        Ok(self.last_part(journal, shard)?.map(|part| part.writer))
    }

    fn last_part(&mut self, journal: &str, shard: u32) -> Result<Option<JournalPart>, KafkaError> {
        let (low, high) = self.ends(journal, shard)?;
        let mut back = BACK_FIRST;
        loop {
            let from = high.saturating_sub(back).max(low);
            let mut last = None;
            self.read(journal, shard, from, &mut |_, value| {
                if let JournalTopicRecord::Part(part) = decode(value)? {
                    last = Some(part);
                }
                Ok(true)
            })?;
            if last.is_some() || from == low {
                return Ok(last);
            }
            back = back.saturating_mul(16);
        }
    }

    /// The commits behind a sequence, in order, and the one with it if it is kept.
    ///
    /// # Errors
    /// What the broker says; damage; what `told` says.
    pub fn commits_from(
        &mut self,
        journal: &str,
        shard: u32,
        seq: u64,
        told: &mut dyn FnMut(JournalCommit) -> Result<(), KafkaError>,
    ) -> Result<(), KafkaError> {
        let from = self.offset_of(journal, shard, seq)?;
        let mut whole = Assembly::default();
        self.read(journal, shard, from, &mut |_, value| {
            if let JournalTopicRecord::Part(part) = decode(value)?
                && part.seq >= seq
                && let Some(commit) = whole.add(part)?
            {
                told(commit)?;
            }
            Ok(true)
        })
    }

    /// The sequence of the first commit that is kept.
    pub fn first_seq(&mut self, journal: &str, shard: u32) -> Result<Option<u64>, KafkaError> {
        let (low, _) = self.ends(journal, shard)?;
        let mut first = None;
        self.read(journal, shard, low, &mut |_, value| {
            if let JournalTopicRecord::Part(part) = decode(value)? {
                first = Some(part.seq);
            }
            Ok(first.is_none())
        })?;
        Ok(first)
    }

    /// The offset of the first part of a commit; `None`: it is not kept.
    pub fn first_offset_of(&mut self, journal: &str, shard: u32, seq: u64) -> Result<Option<u64>, KafkaError> {
        let from = self.offset_of(journal, shard, seq)?;
        let mut found = None;
        self.read(journal, shard, from, &mut |offset, value| {
            if let JournalTopicRecord::Part(part) = decode(value)?
                && (part.seq, part.part) == (seq, 0)
            {
                found = Some(offset);
            }
            Ok(found.is_none())
        })?;
        Ok(found)
    }

    /// An offset at or below the first part of a commit, or of the first that is kept behind it.
    fn offset_of(&mut self, journal: &str, shard: u32, seq: u64) -> Result<u64, KafkaError> {
        let (low, high) = self.ends(journal, shard)?;
        let mut back = BACK_FIRST;
        loop {
            let from = high.saturating_sub(back).max(low);
            if from == low {
                return Ok(low);
            }
            let mut first = None;
            self.read(journal, shard, from, &mut |_, value| {
                if let JournalTopicRecord::Part(part) = decode(value)? {
                    first = Some(part);
                }
                Ok(first.is_none())
            })?;
            // Within a commit, its earlier parts lie further back.
            if first.is_some_and(|part| part.seq < seq || (part.seq == seq && part.part == 0)) {
                return Ok(from);
            }
            back = back.saturating_mul(16);
        }
    }
}

/// A commit whose parts come one after the other.
#[derive(Default)]
struct Assembly {
    parts: Vec<JournalPart>,
}

impl Assembly {
    fn add(&mut self, part: JournalPart) -> Result<Option<JournalCommit>, KafkaError> {
        let expected = self.parts.last().map_or((part.seq, 0), |last| (last.seq, last.part + 1));
        if (part.seq, part.part) != expected || part.part >= part.parts {
            let (seq, part) = (part.seq, part.part);
            return Err(KafkaError::Journal(format!("part {part} of record {seq} does not follow what is before it")));
        }
        let is_last = part.part + 1 == part.parts;
        self.parts.push(part);
        if !is_last {
            return Ok(None);
        }
        let parts = std::mem::take(&mut self.parts);
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.record.iter().copied()).collect();
        let compressed: Vec<u8> = parts.iter().flat_map(|part| part.delta.iter().copied()).collect();
        let journal = decode_journal(&bytes).map_err(KafkaError::Store)?;
        let delta = decompress(&compressed).map_err(|error| KafkaError::Journal(error.to_string()))?;
        Ok(Some(JournalCommit { journal, bytes, delta }))
    }
}

/// A delta as it travels.
pub fn compress(delta: &[u8]) -> Vec<u8> {
    if delta.is_empty() {
        return Vec::new();
    }
    zstd::bulk::compress(delta, 1).expect("memory is compressed into memory")
}

fn decompress(compressed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut delta = Vec::new();
    if !compressed.is_empty() {
        zstd::stream::read::Decoder::new(compressed)?.take(DELTA_BYTES_MAX).read_to_end(&mut delta)?;
    }
    Ok(delta)
}

fn decode(value: &[u8]) -> Result<JournalTopicRecord, KafkaError> {
    decode_journal_topic(value)
        .map_err(|error| KafkaError::Store(StoreError::Corrupt { detail: format!("the journal topic: {error}") }))
}

fn number(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_come_back_from_compression() {
        for delta in [Vec::new(), vec![7; 1_000_000], (0..=255).collect()] {
            assert_eq!(decompress(&compress(&delta)).unwrap(), delta);
        }
        assert!(decompress(b"no zstd").is_err());
    }

    #[test]
    fn parts_out_of_order_are_damage() {
        let part = |seq, part, parts| JournalPart { seq, part, parts, ..JournalPart::default() };
        let mut whole = Assembly::default();
        assert!(whole.add(part(5, 0, 3)).unwrap().is_none());
        assert!(whole.add(part(5, 2, 3)).is_err());
        assert!(Assembly::default().add(part(5, 1, 3)).is_err());
    }
}
