//! The journal record: what a commit read and gave out, chained by digests.

use headroom_engine::{Position, Timestamp};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::{StoredError, proto};

/// One commit of a shard, as its journal tells it (`journal.proto`). Digests are SHA-256.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Journal {
    /// From 1, without gaps.
    pub seq: u64,
    /// The digest of the record before; zeros in the first.
    pub prev_digest: [u8; 32],
    /// Who wrote it.
    pub writer: JournalWriter,
    /// The finalised level of layouts.
    pub level: u32,
    /// Of the engine.
    pub logic_version: u32,
    /// Of the settings that can change a decision, hex.
    pub config_hash: String,
    /// Of the ruleset in force after the commit, hex.
    pub ruleset_hash: String,
    /// The shard's clock after the commit.
    pub now: Timestamp,
    /// What was read.
    pub inputs: Vec<JournalInput>,
    /// Over the records that were read.
    pub input_digest: [u8; 32],
    /// Where the clock was moved without a record.
    pub tick: Option<Timestamp>,
    /// Accounts that a sweep touched.
    pub swept: u64,
    /// Records that made the engine panic.
    pub poisoned: Vec<Position>,
    /// Timers and sweep steps that did, each as a text for people.
    pub cancelled: Vec<String>,
    /// What came out.
    pub outputs: JournalOutputs,
    /// The commit did nothing but put a ruleset into force.
    pub ruleset_seeded: bool,
    /// Of the commit's delta, where there is one.
    pub delta_digest: Option<[u8; 32]>,
    /// The commit did nothing but say who serves the shard from here on.
    pub take_over: bool,
    /// A partition that was behind was waited for in vain (PROTOCOL P1).
    pub waited_out: bool,
    /// Over everything above; zeros until [`Journal::seal`].
    pub digest: [u8; 32],
}

/// Who wrote a journal record.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JournalWriter {
    /// Made at the first start, kept in the data directory.
    pub instance: String,
    /// Counts the starts.
    pub incarnation: u64,
    /// What the ids of its producers begin with; empty without Kafka.
    pub transactional_id: String,
}

impl JournalWriter {
    /// The transactional ids of its two producers; none without Kafka.
    pub fn transactional_ids(&self) -> Vec<String> {
        let of = |suffix| format!("{}.{suffix}", self.transactional_id);
        if self.transactional_id.is_empty() { Vec::new() } else { vec![of("a"), of("b")] }
    }

    /// The same writer with other transactional ids, for while the broker cannot end what was begun under its first ones;
    /// 0: its first ones.
    #[must_use]
    pub fn spare(&self, number: usize) -> Self {
        let id = &self.transactional_id;
        let transactional_id = if number == 0 { id.clone() } else { format!("{id}.spare-{number}") };
        Self { transactional_id, ..self.clone() }
    }
}

/// A stretch of one partition of one input.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JournalInput {
    /// Content hash of the file, or topic.
    pub input: String,
    /// Partition.
    pub partition: u32,
    /// The first offset that was read.
    pub from: u64,
    /// The next to read.
    pub to: u64,
    /// Records in between.
    pub count: u64,
}

/// The outputs of one commit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JournalOutputs {
    /// Sequence of the first; without any, of the next one.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Over their bytes.
    pub digest: [u8; 32],
}

impl Journal {
    /// Computes `digest` over the rest.
    pub fn seal(&mut self) {
        self.digest = self.rest_digest();
    }

    /// Whether `digest` is that of the rest.
    pub fn is_sealed(&self) -> bool {
        self.digest == self.rest_digest()
    }

    /// Over the encoding with an empty digest.
    fn rest_digest(&self) -> [u8; 32] {
        let message = proto::JournalRecord { digest: Vec::new(), ..put(self) };
        Sha256::digest(message.encode_to_vec()).into()
    }
}

/// The bytes of a journal record: a `JournalRecord`. The same record gives the same bytes.
pub fn encode_journal(journal: &Journal) -> Vec<u8> {
    put(journal).encode_to_vec()
}

/// Reads a journal record. Whether it is sealed is not checked.
///
/// # Errors
/// [`StoredError::Damaged`] if the bytes are no `JournalRecord`, or a digest does not have 32 bytes.
pub fn decode_journal(bytes: &[u8]) -> Result<Journal, StoredError> {
    let message = proto::JournalRecord::decode(bytes).map_err(|error| damaged(&error.to_string()))?;
    let outputs = message.outputs.unwrap_or_default();
    Ok(Journal {
        seq: message.seq,
        prev_digest: digest(&message.prev_digest)?,
        writer: take_writer(message.writer.unwrap_or_default()),
        level: message.level,
        logic_version: message.logic_version,
        config_hash: message.config_hash,
        ruleset_hash: message.ruleset_hash,
        now: Timestamp(message.now),
        inputs: message.inputs.into_iter().map(take_input).collect(),
        input_digest: digest(&message.input_digest)?,
        tick: message.tick.map(Timestamp),
        swept: message.swept,
        poisoned: message.poisoned.into_iter().map(take_position).collect(),
        cancelled: message.cancelled,
        outputs: JournalOutputs { first: outputs.first, count: outputs.count, digest: digest(&outputs.digest)? },
        ruleset_seeded: message.ruleset_seeded,
        delta_digest: (!message.delta_digest.is_empty()).then(|| digest(&message.delta_digest)).transpose()?,
        take_over: message.take_over,
        waited_out: message.waited_out,
        digest: digest(&message.digest)?,
    })
}

fn put(journal: &Journal) -> proto::JournalRecord {
    let outputs = &journal.outputs;
    proto::JournalRecord {
        seq: journal.seq,
        prev_digest: journal.prev_digest.to_vec(),
        writer: Some(put_writer(&journal.writer)),
        level: journal.level,
        logic_version: journal.logic_version,
        config_hash: journal.config_hash.clone(),
        ruleset_hash: journal.ruleset_hash.clone(),
        now: journal.now.0,
        inputs: journal.inputs.iter().map(put_input).collect(),
        input_digest: journal.input_digest.to_vec(),
        tick: journal.tick.map(|at| at.0),
        swept: journal.swept,
        poisoned: journal.poisoned.iter().map(put_position).collect(),
        cancelled: journal.cancelled.clone(),
        outputs: Some(proto::JournalOutputs {
            first: outputs.first,
            count: outputs.count,
            digest: outputs.digest.to_vec(),
        }),
        ruleset_seeded: journal.ruleset_seeded,
        digest: journal.digest.to_vec(),
        delta_digest: journal.delta_digest.map_or_else(Vec::new, |digest| digest.to_vec()),
        take_over: journal.take_over,
        waited_out: journal.waited_out,
    }
}

pub(crate) fn put_writer(writer: &JournalWriter) -> proto::JournalWriter {
    let JournalWriter { instance, incarnation, transactional_id } = writer.clone();
    proto::JournalWriter { instance, incarnation, transactional_id }
}

pub(crate) fn take_writer(writer: proto::JournalWriter) -> JournalWriter {
    let proto::JournalWriter { instance, incarnation, transactional_id } = writer;
    JournalWriter { instance, incarnation, transactional_id }
}

fn put_input(input: &JournalInput) -> proto::JournalInput {
    let JournalInput { input, partition, from, to, count } = input.clone();
    proto::JournalInput { input, partition, from, to, count }
}

fn take_input(input: proto::JournalInput) -> JournalInput {
    let proto::JournalInput { input, partition, from, to, count } = input;
    JournalInput { input, partition, from, to, count }
}

fn put_position(position: &Position) -> proto::JournalPosition {
    let Position { input, partition, offset } = position;
    proto::JournalPosition { input: input.to_string(), partition: *partition, offset: *offset }
}

fn take_position(position: proto::JournalPosition) -> Position {
    Position { input: position.input.into(), partition: position.partition, offset: position.offset }
}

fn digest(bytes: &[u8]) -> Result<[u8; 32], StoredError> {
    bytes.try_into().map_err(|_| damaged(&format!("a digest has {} bytes instead of 32", bytes.len())))
}

fn damaged(detail: &str) -> StoredError {
    StoredError::damaged(format!("journal record: {detail}"))
}
