//! What makes a snapshot real: one object that names its files.

use std::fmt::Write;

use headroom_store::CheckpointInfo;
use serde::{Deserialize, Serialize};

use super::error::SnapshotError;
use crate::lane::decode_journal;

/// The newest form of manifests that this build reads, and the one that it writes.
pub(super) const FORMAT: u32 = 1;

/// One snapshot of one shard, as its JSON says it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this document.
    pub format: u32,
    /// Whose shard: the id of the Kafka cluster, or the name of an embedded service.
    pub cluster: String,
    /// Which shard.
    pub shard: u32,
    /// How many shards the cluster has.
    pub shards: u32,
    /// The last journal record that is in it; 0: none.
    pub journal_seq: u64,
    /// Digest of that record, hex; zeros for none. What is restored goes on with the record that follows it.
    pub journal_digest: String,
    /// The finalised level of layouts; 0 without a journal record.
    pub level: u32,
    /// Who wrote that record.
    pub writer: String,
    /// Of the ruleset in force, hex; empty: none.
    pub ruleset_hash: String,
    /// The shard's clock, milliseconds since 1970-01-01T00:00Z.
    pub now: i64,
    /// Where each input goes on.
    pub positions: Vec<InputPosition>,
    /// When it was taken by the machine's clock, milliseconds since 1970-01-01T00:00Z.
    pub created_at: i64,
    /// Everything in the shard's folder.
    pub files: Vec<SnapshotFile>,
}

/// The next offset of an input.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InputPosition {
    /// The input's name.
    pub input: String,
    /// Its partition.
    pub partition: u32,
    /// The next offset to read.
    pub next: u64,
}

/// A file of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotFile {
    /// Path within the shard's folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Of its content, hex; also its name where snapshots are kept.
    pub sha256: String,
}

/// A shard among others, for a manifest.
pub(super) struct Origin<'a> {
    pub cluster: &'a str,
    pub shard: u32,
    pub shards: u32,
}

impl Manifest {
    pub(super) fn new(
        origin: &Origin<'_>,
        taken: &CheckpointInfo,
        files: Vec<SnapshotFile>,
        created_at: i64,
    ) -> Result<Self, SnapshotError> {
        let journal = taken.journal.as_ref().map(|(_, bytes)| decode_journal(bytes)).transpose()?.unwrap_or_default();
        let position = |((input, partition), next): (&(std::sync::Arc<str>, u32), &u64)| InputPosition {
            input: input.to_string(),
            partition: *partition,
            next: *next,
        };
        Ok(Self {
            format: FORMAT,
            cluster: origin.cluster.to_owned(),
            shard: origin.shard,
            shards: origin.shards,
            journal_seq: taken.journal_seq(),
            journal_digest: hex(&journal.digest),
            level: journal.level,
            writer: format!("{}#{}", journal.writer.instance, journal.writer.incarnation),
            ruleset_hash: taken.ruleset_hash.clone().unwrap_or_default(),
            now: taken.now.0,
            positions: taken.positions.iter().map(position).collect(),
            created_at,
            files,
        })
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("texts and numbers have a JSON form");
        json.push(b'\n');
        json
    }

    /// # Errors
    /// HR0707 of a newer build, HR0704 of anything that is no manifest of this shard and sequence.
    pub(super) fn from_json(bytes: &[u8], shard: u32, seq: u64) -> Result<Self, SnapshotError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let damaged = |why: String| SnapshotError::damaged(format!("the manifest of shard {shard} at {seq}: {why}"));
        let head: Head = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if head.format > FORMAT {
            return Err(SnapshotError::Newer { found: head.format, known: FORMAT });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if (manifest.shard, manifest.journal_seq) != (shard, seq) {
            return Err(damaged(format!("it is of shard {} at {}", manifest.shard, manifest.journal_seq)));
        }
        match manifest.files.iter().find(|file| !is_ours(file)) {
            Some(file) => Err(damaged(format!("`{}` is no name of a shard's file", file.name))),
            None if manifest.files.is_empty() => Err(damaged("it names no files".to_owned())),
            None => Ok(manifest),
        }
    }
}

/// Nothing that leads out of the folder, and a hash that can be the name of an object.
fn is_ours(file: &SnapshotFile) -> bool {
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    let parts: Vec<&str> = file.name.split('/').collect();
    parts.len() <= 2 && parts.into_iter().all(plain) && is_hash(&file.sha256)
}

pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("into a string");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str) -> Manifest {
        let files = vec![SnapshotFile { name: name.to_owned(), bytes: 3, sha256: hex(&[7; 32]) }];
        let origin = Origin { cluster: "c", shard: 2, shards: 4 };
        Manifest::new(&origin, &CheckpointInfo::default(), files, 5).unwrap()
    }

    fn read(manifest: &Manifest, shard: u32, seq: u64) -> Result<Manifest, &'static str> {
        Manifest::from_json(&manifest.to_json(), shard, seq).map_err(|error| error.code())
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        for name in ["FORMAT", "db/000012.sst", "db/MANIFEST-000004"] {
            assert_eq!(read(&manifest(name), 2, 0), Ok(manifest(name)));
        }
    }

    #[test]
    fn it_leads_nowhere_else() {
        for name in ["../FORMAT", "/etc/passwd", "db/../../x", "db/a/b", "", "db/", ".hidden", "a b"] {
            assert_eq!(read(&manifest(name), 2, 0), Err("HR0704"), "{name}");
        }
        let mut other = manifest("FORMAT");
        other.files[0].sha256 = "../../x".to_owned();
        assert_eq!(read(&other, 2, 0), Err("HR0704"));
    }

    #[test]
    fn another_shard_another_moment_and_a_newer_form_are_refused() {
        assert_eq!(read(&manifest("FORMAT"), 1, 0), Err("HR0704"));
        assert_eq!(read(&manifest("FORMAT"), 2, 9), Err("HR0704"));
        let newer = Manifest { format: FORMAT + 1, ..manifest("FORMAT") };
        assert_eq!(read(&newer, 2, 0), Err("HR0707"));
        let half = &manifest("FORMAT").to_json()[..90];
        assert_eq!(Manifest::from_json(half, 2, 0).unwrap_err().code(), "HR0704");
    }
}
