//! The genesis of the shards, kept where the journal no longer has it: trimming a journal removes its beginning
//! (PROTOCOL P9, P22).

use std::fs;
use std::path::Path;

use headroom_wire::{JournalGenesis, JournalTopicRecord, decode_journal_topic, encode_journal_topic};

use crate::snapshot::Snapshots;

const NAME: &str = "GENESIS";

/// What this data directory, or the place of snapshots, knows of it.
pub fn find(data_dir: &Path, snapshots: Option<&Snapshots>) -> Option<JournalGenesis> {
    let here = fs::read(data_dir.join(NAME)).ok();
    let bytes = here.or_else(|| match snapshots?.genesis() {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, code = error.code(), "the genesis among the snapshots cannot be read");
            None
        }
    })?;
    match decode_journal_topic(&bytes) {
        Ok(JournalTopicRecord::Genesis(genesis)) => Some(genesis),
        _ => None,
    }
}

/// Keeps it in both places. What fails is told: the next start tries again.
pub fn keep(data_dir: &Path, snapshots: Option<&Snapshots>, genesis: &JournalGenesis) {
    // The first ruleset is in force, or superseded, wherever this is needed.
    let genesis = JournalGenesis { ruleset: Vec::new(), ..genesis.clone() };
    let bytes = encode_journal_topic(&JournalTopicRecord::Genesis(genesis));
    let path = data_dir.join(NAME);
    if !path.exists()
        && let Err(error) = fs::write(&path, &bytes)
    {
        tracing::warn!(%error, "the genesis cannot be kept in the data directory");
    }
    if let Some(snapshots) = snapshots
        && let Err(error) = snapshots.keep_genesis(&bytes)
    {
        tracing::warn!(%error, code = error.code(), "the genesis cannot be kept beside the snapshots");
    }
}
