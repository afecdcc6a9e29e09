//! Looking at what nodes have committed, from outside: dead letters, and journals beside the outputs that they tell of.

use std::collections::VecDeque;

use headroom_store::delta_outputs;
use headroom_wire::proto::DeadLetter;
use headroom_wire::{Journal, dead_letter_from_topic, output_from_protobuf};
use sha2::{Digest, Sha256};

use super::client::Isolation;
use super::cluster::Cluster;
use super::error::KafkaError;
use super::tail::{JournalCommit, TailReader};
use super::topic::Topic;
use super::value::output_to_send;
use crate::config::KafkaConfig;
use crate::lane::outputs_digest;

/// Reads what is committed; a member of no group.
pub struct Audit {
    config: KafkaConfig,
    tail: TailReader,
    shards: u32,
}

/// What was found in the journal of a shard.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JournalAudit {
    /// Records read.
    pub records: u64,
    /// Sequences of the first and the last, if there are any.
    pub range: Option<(u64, u64)>,
    /// The last one's digest.
    pub digest: [u8; 32],
    /// Outputs that the records tell of.
    pub outputs: u64,
    /// Those among them that their topics still hold, compared byte by byte.
    pub outputs_in_topics: u64,
    /// The first thing that is wrong; nothing behind it was looked at.
    pub finding: Option<Finding>,
}

/// Something wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// At which record.
    pub seq: u64,
    /// It is the chain, or the delta, of the journal itself; else outputs disagree with it.
    pub in_journal: bool,
    /// What.
    pub detail: String,
}

impl Audit {
    /// Connects.
    ///
    /// # Errors
    /// [`KafkaError`]; HR0655 where there is no journal.
    pub fn open(config: &KafkaConfig) -> Result<Self, KafkaError> {
        let counts = Cluster::connect(config)?.partition_counts()?;
        let journal = Topic::Journal.name(&config.topic_prefix);
        let shards = *counts.get(&Topic::Journal).ok_or(KafkaError::NoGenesis { topic: journal, shard: 0 })?;
        Ok(Self { config: config.clone(), tail: TailReader::open(config, Isolation::Committed)?, shards })
    }

    /// How many shards there are.
    pub fn shards(&self) -> u32 {
        self.shards
    }

    /// Hands over the dead letters that are kept, shard by shard, oldest first, up to what there is at the beginning;
    /// until `take` gives false.
    ///
    /// # Errors
    /// What the broker says; a record that is no dead letter.
    pub fn letters(&mut self, take: &mut dyn FnMut(DeadLetter) -> bool) -> Result<(), KafkaError> {
        let format = Topic::DeadLetters.format(&self.config.formats);
        let name = Topic::DeadLetters.name(&self.config.topic_prefix);
        let ends = (0..self.shards).map(|shard| self.tail.ends(&name, shard)).collect::<Result<Vec<_>, _>>()?;
        let mut goes_on = true;
        for (shard, (low, end)) in (0..self.shards).zip(ends) {
            if !goes_on || low == end {
                continue;
            }
            self.tail.read(&name, shard, low, &mut |offset, value| {
                if offset >= end {
                    return Ok(false);
                }
                let letter = dead_letter_from_topic(format, value).map_err(|error| KafkaError::Foreign {
                    topic: name.clone(),
                    partition: shard,
                    offset,
                    detail: error.detail,
                })?;
                goes_on = take(letter);
                Ok(goes_on)
            })?;
        }
        Ok(())
    }

    /// Hands over the journal of a shard from a sequence on, until `take` gives false.
    ///
    /// # Errors
    /// What the broker says; damage.
    pub fn journal(&mut self, shard: u32, from: u64, take: &mut dyn FnMut(Journal) -> bool) -> Result<(), KafkaError> {
        let name = Topic::Journal.name(&self.config.topic_prefix);
        let mut goes_on = true;
        let read = self.tail.commits_from(&name, shard, from, &mut |commit| {
            goes_on = take(commit.journal);
            if goes_on { Ok(()) } else { Err(KafkaError::Interrupted) }
        });
        match read {
            Err(KafkaError::Interrupted) if !goes_on => Ok(()),
            read => read,
        }
    }

    /// Checks the journal of a shard: its chain, the digest of each delta, and that of the outputs, in the delta and in
    /// the topics as far as both keep them. `progress` hears of each record.
    ///
    /// # Errors
    /// What the broker says.
    pub fn verify(&mut self, shard: u32, progress: &mut dyn FnMut()) -> Result<JournalAudit, KafkaError> {
        // Topics first: what is published meanwhile is then in the journal and not yet in what was read of them.
        let mut published = Published::read(&self.config, &mut self.tail, shard)?;
        let name = Topic::Journal.name(&self.config.topic_prefix);
        let mut audit = JournalAudit::default();
        let read = self.tail.commits_from(&name, shard, 0, &mut |commit| {
            progress();
            audit.finding = audit.take(&commit).and_then(|()| published.take(&commit)).err();
            if audit.finding.is_some() { Err(KafkaError::Interrupted) } else { Ok(()) }
        });
        match read {
            Err(KafkaError::Interrupted) => {}
            read => {
                read?;
                audit.finding = published.end(audit.range.map_or(0, |(_, last)| last)).err();
            }
        }
        audit.outputs_in_topics = published.compared;
        Ok(audit)
    }
}

fn broken(seq: u64, detail: impl Into<String>) -> Finding {
    Finding { seq, in_journal: true, detail: detail.into() }
}

fn disagrees(seq: u64, detail: impl Into<String>) -> Finding {
    Finding { seq, in_journal: false, detail: detail.into() }
}

impl JournalAudit {
    fn take(&mut self, commit: &JournalCommit) -> Result<(), Finding> {
        let journal = &commit.journal;
        let seq = journal.seq;
        let first = self.range.map_or(seq, |(first, _)| first);
        if let Some((_, last)) = self.range
            && (seq != last + 1 || journal.prev_digest != self.digest)
        {
            return Err(broken(seq, format!("it does not follow record {last}")));
        }
        if seq == 1 && journal.prev_digest != [0; 32] {
            return Err(broken(seq, "the first record follows another"));
        }
        if !journal.is_sealed() {
            return Err(broken(seq, "its digest does not fit its bytes"));
        }
        let delta: [u8; 32] = Sha256::digest(&commit.delta).into();
        if journal.delta_digest != Some(delta) {
            return Err(broken(seq, "its delta has another digest"));
        }
        (self.range, self.digest) = (Some((first, seq)), journal.digest);
        self.records += 1;
        self.outputs += journal.outputs.count;
        Ok(())
    }
}

/// Digests of what the output topics of a shard hold, oldest first, and how far they are compared.
struct Published {
    config: KafkaConfig,
    /// In the order of [`Topic::OUTPUTS`].
    topics: [VecDeque<[u8; 32]>; 5],
    /// Nothing of the topic was deleted.
    whole: [bool; 5],
    /// The journal has come to what is kept of the topic.
    begun: [bool; 5],
    compared: u64,
}

impl Published {
    fn read(config: &KafkaConfig, tail: &mut TailReader, shard: u32) -> Result<Self, KafkaError> {
        let mut topics: [VecDeque<[u8; 32]>; 5] = Default::default();
        let mut whole = [false; 5];
        for ((digests, whole), topic) in topics.iter_mut().zip(&mut whole).zip(Topic::OUTPUTS) {
            let name = topic.name(&config.topic_prefix);
            let (low, _) = tail.ends(&name, shard)?;
            *whole = low == 0;
            tail.read(&name, shard, low, &mut |_, value| {
                digests.push_back(Sha256::digest(value).into());
                Ok(true)
            })?;
        }
        Ok(Self { config: config.clone(), topics, whole, begun: [false; 5], compared: 0 })
    }

    fn take(&mut self, commit: &JournalCommit) -> Result<(), Finding> {
        let (seq, told) = (commit.journal.seq, &commit.journal.outputs);
        if seq == 1 {
            self.begun = self.whole;
        }
        let outputs = delta_outputs(&commit.delta).map_err(|error| broken(seq, error.to_string()))?;
        let bytes: Vec<&[u8]> = outputs.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        if outputs.len() as u64 != told.count || outputs_digest(&bytes) != told.digest {
            return Err(disagrees(seq, "the outputs in its delta have another digest"));
        }
        bytes.iter().try_for_each(|bytes| self.compare(seq, bytes))
    }

    fn compare(&mut self, seq: u64, bytes: &[u8]) -> Result<(), Finding> {
        let output = output_from_protobuf(bytes).map_err(|error| disagrees(seq, error.detail))?;
        let sent = output_to_send(&output, &self.config).map_err(|error| disagrees(seq, error.detail))?;
        let Some(at) = Topic::OUTPUTS.iter().position(|topic| *topic == sent.topic) else { return Ok(()) };
        let (digest, kept) = (<[u8; 32]>::from(Sha256::digest(&sent.value)), &mut self.topics[at]);
        if !self.begun[at] {
            // One of both reaches further back. What the journal does not know any more is left alone.
            let Some(first) = kept.iter().position(|each| *each == digest) else { return Ok(()) };
            kept.drain(..first);
            self.begun[at] = true;
        }
        match kept.pop_front() {
            // It was published after the topic was read.
            None => Ok(()),
            Some(found) if found == digest => {
                self.compared += 1;
                Ok(())
            }
            Some(_) => {
                let name = sent.topic.name(&self.config.topic_prefix);
                Err(disagrees(seq, format!("topic `{name}` holds another output in its place")))
            }
        }
    }

    /// A topic holds nothing that the journal does not know, if the journal has come to it at all.
    fn end(&self, seq: u64) -> Result<(), Finding> {
        for (at, topic) in Topic::OUTPUTS.into_iter().enumerate() {
            if self.begun[at] && !self.topics[at].is_empty() {
                let (name, more) = (topic.name(&self.config.topic_prefix), self.topics[at].len());
                let detail = format!("topic `{name}` holds {more} outputs that no record tells of");
                return Err(disagrees(seq, detail));
            }
        }
        Ok(())
    }
}
