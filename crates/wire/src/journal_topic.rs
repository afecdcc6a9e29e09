//! The values of the journal topic: the genesis of a shard, then its commits, each in one part or several.

use prost::Message;

use crate::journal::{put_writer, take_writer};
use crate::{JournalWriter, StoredError, proto};

/// Bytes of a part's record and delta together, at most: below the size that brokers take by default (1 MiB).
pub const PART_BYTES_MAX: usize = 900_000;

/// One record of the journal topic.
#[derive(Clone, PartialEq, Debug)]
pub enum JournalTopicRecord {
    /// What the shard was made for.
    Genesis(JournalGenesis),
    /// A commit, or a part of it.
    Part(JournalPart),
}

/// What a shard was made for (`journal.proto`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JournalGenesis {
    /// Of the cluster that the topics are in.
    pub cluster_id: String,
    /// Topic, partition, and the first offset to read.
    pub inputs: Vec<(String, u32, u64)>,
    /// Name, id and partitions of every topic.
    pub topics: Vec<(String, String, u32)>,
    /// Content hash of the first ruleset.
    pub ruleset_hash: String,
    /// Its files, path and text.
    pub ruleset: Vec<(String, String)>,
    /// When it was made, milliseconds since 1970-01-01T00:00Z.
    pub created: i64,
}

/// A part of a commit. Parts of one commit follow one another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JournalPart {
    /// Of the commit.
    pub seq: u64,
    /// From 0.
    pub part: u32,
    /// How many there are.
    pub parts: u32,
    /// Who wrote it.
    pub writer: JournalWriter,
    /// In part 0: the encoded journal record.
    pub record: Vec<u8>,
    /// A stretch of the compressed delta.
    pub delta: Vec<u8>,
}

/// The values for the journal topic of one commit, in order: its encoded journal record and its compressed delta.
pub fn journal_parts(seq: u64, writer: &JournalWriter, record: &[u8], delta: &[u8]) -> Vec<Vec<u8>> {
    let first = delta.len().min(PART_BYTES_MAX.saturating_sub(record.len()));
    let (first, rest) = delta.split_at(first);
    let stretches: Vec<&[u8]> = std::iter::once(first).chain(rest.chunks(PART_BYTES_MAX)).collect();
    let parts = u32::try_from(stretches.len()).expect("a delta is far below 4 PB");
    (0..parts)
        .zip(stretches)
        .map(|(part, delta)| {
            let record = if part == 0 { record.to_vec() } else { Vec::new() };
            encode_journal_topic(&JournalTopicRecord::Part(JournalPart {
                seq,
                part,
                parts,
                writer: writer.clone(),
                record,
                delta: delta.to_vec(),
            }))
        })
        .collect()
}

/// The value of a record of the journal topic.
pub fn encode_journal_topic(record: &JournalTopicRecord) -> Vec<u8> {
    use proto::journal_topic_record::Kind;
    let kind = match record {
        JournalTopicRecord::Genesis(genesis) => Kind::Genesis(put_genesis(genesis)),
        JournalTopicRecord::Part(part) => Kind::Part(put_part(part)),
    };
    proto::JournalTopicRecord { kind: Some(kind) }.encode_to_vec()
}

/// Reads the value of a record of the journal topic.
///
/// # Errors
/// [`StoredError::Damaged`] if it is none.
pub fn decode_journal_topic(bytes: &[u8]) -> Result<JournalTopicRecord, StoredError> {
    use proto::journal_topic_record::Kind;
    let damaged = |detail: &str| StoredError::damaged(format!("journal topic: {detail}"));
    let message = proto::JournalTopicRecord::decode(bytes).map_err(|error| damaged(&error.to_string()))?;
    match message.kind.ok_or_else(|| damaged("a record without content"))? {
        Kind::Genesis(genesis) => Ok(JournalTopicRecord::Genesis(take_genesis(genesis))),
        Kind::Part(part) => Ok(JournalTopicRecord::Part(take_part(part))),
    }
}

fn put_genesis(genesis: &JournalGenesis) -> proto::JournalGenesis {
    let genesis = genesis.clone();
    let input = |(topic, partition, first_offset)| proto::GenesisInput { topic, partition, first_offset };
    let topic = |(name, id, partitions)| proto::GenesisTopic { name, id, partitions };
    let file = |(path, content)| proto::ruleset_published::File { path, content };
    proto::JournalGenesis {
        cluster_id: genesis.cluster_id,
        inputs: genesis.inputs.into_iter().map(input).collect(),
        topics: genesis.topics.into_iter().map(topic).collect(),
        ruleset_hash: genesis.ruleset_hash,
        ruleset: genesis.ruleset.into_iter().map(file).collect(),
        created: genesis.created,
    }
}

fn take_genesis(genesis: proto::JournalGenesis) -> JournalGenesis {
    JournalGenesis {
        cluster_id: genesis.cluster_id,
        inputs: genesis.inputs.into_iter().map(|each| (each.topic, each.partition, each.first_offset)).collect(),
        topics: genesis.topics.into_iter().map(|each| (each.name, each.id, each.partitions)).collect(),
        ruleset_hash: genesis.ruleset_hash,
        ruleset: genesis.ruleset.into_iter().map(|each| (each.path, each.content)).collect(),
        created: genesis.created,
    }
}

fn put_part(part: &JournalPart) -> proto::JournalPart {
    let JournalPart { seq, part, parts, writer, record, delta } = part.clone();
    proto::JournalPart { seq, part, parts, writer: Some(put_writer(&writer)), record, delta }
}

fn take_part(part: proto::JournalPart) -> JournalPart {
    let proto::JournalPart { seq, part, parts, writer, record, delta } = part;
    JournalPart { seq, part, parts, writer: take_writer(writer.unwrap_or_default()), record, delta }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_make_the_whole(record in 0_usize..500_000, delta in 0_usize..3_000_000) {
            let (record, delta) = (vec![1; record], vec![2; delta]);
            let writer = JournalWriter { instance: "n".into(), incarnation: 3, transactional_id: "t".into() };
            let values = journal_parts(7, &writer, &record, &delta);
            let mut read = (Vec::new(), Vec::new());
            for (at, value) in values.iter().enumerate() {
                let JournalTopicRecord::Part(part) = decode_journal_topic(value).unwrap() else { panic!("no part") };
                prop_assert_eq!((part.seq, part.part as usize, part.parts as usize), (7, at, values.len()));
                prop_assert_eq!(&part.writer, &writer);
                read.0.extend(part.record);
                read.1.extend(part.delta);
            }
            prop_assert!(read == (record, delta));
        }
    }

    #[test]
    fn a_genesis_is_read_back() {
        let genesis = JournalTopicRecord::Genesis(JournalGenesis {
            cluster_id: "c".into(),
            inputs: vec![("headroom.orders.v1".into(), 3, 17)],
            topics: vec![("headroom.orders.v1".into(), "id".into(), 4)],
            ruleset_hash: "h".into(),
            ruleset: vec![("a.rule.yaml".into(), "id: a".into())],
            created: 5,
        });
        assert_eq!(decode_journal_topic(&encode_journal_topic(&genesis)), Ok(genesis));
        assert!(decode_journal_topic(b"").is_err());
    }
}
