//! A shard as it is at one moment, in a folder of its own: what snapshots are made of.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use headroom_engine::Timestamp;

use crate::{JournalEntry, Store, StoreError};

/// Where a shard stood when a checkpoint of it was made.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CheckpointInfo {
    /// The last journal record: its sequence, and its bytes as they were committed; `None`: there was none.
    pub journal: Option<JournalEntry>,
    /// The shard's clock; 0 before the first commit.
    pub now: Timestamp,
    /// Inputs and the next offset to read.
    pub positions: BTreeMap<(Arc<str>, u32), u64>,
    /// Content hash of the ruleset in force.
    pub ruleset_hash: Option<String>,
}

impl CheckpointInfo {
    /// The sequence of the last journal record; 0: there was none.
    pub fn journal_seq(&self) -> u64 {
        self.journal.as_ref().map_or(0, |(seq, _)| *seq)
    }
}

impl Store {
    /// Makes `dir`, which must be missing or empty, a data directory with everything that is durable; what is staged is
    /// not in it. Files are linked, not copied, where `dir` is on the same file system, so that those that did not
    /// change since another checkpoint are byte for byte the same. Waits for the commit in flight and moves what is in
    /// memory into files: without a write-ahead log nothing else would hold it.
    ///
    /// # Errors
    /// As [`Self::settle`]; HR0304 where `dir` cannot be made or holds something. A failed checkpoint does not seal the
    /// shard, and leaves what it made.
    pub fn checkpoint(&mut self, dir: &Path) -> Result<CheckpointInfo, StoreError> {
        require_vacant(dir)?;
        self.flush()?;
        self.database.checkpoint(dir)?;
        let reader = self.reader();
        Ok(CheckpointInfo {
            journal: reader.journal_last()?,
            now: reader.state()?.map_or(Timestamp(0), |state| state.now),
            positions: reader.positions()?,
            ruleset_hash: reader.ruleset_hash()?,
        })
    }
}

fn require_vacant(dir: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("make a folder for a checkpoint", &error);
    fs::create_dir_all(dir).map_err(failed)?;
    match fs::read_dir(dir).map_err(failed)?.next() {
        None => Ok(()),
        Some(_) => {
            let detail = format!("`{}` holds something", dir.display());
            Err(StoreError::Io { action: "make a checkpoint", detail })
        }
    }
}
