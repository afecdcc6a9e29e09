//! Commits that may still come to nothing: with Kafka the store follows the journal and is never ahead of it
//! (PROTOCOL P14, P16).
//!
//! A staged commit is read by its owner as if it were there. It is written when it is released, and forgotten, with
//! everything staged, when its transaction is aborted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use headroom_engine::Commit;
use rocksdb::WriteBatch;

use crate::commit::{Builder, CommitExtra, Flight, Job};
use crate::database::Batch;
use crate::delta::{self, Operation};
use crate::store::newest_seen_day;
use crate::table::Table;
use crate::{Store, StoreError, commit, fault, journal};

/// The sequence of a journal record, and its bytes.
pub type JournalEntry = (u64, Vec<u8>);

/// What is staged, oldest first.
#[derive(Default)]
pub(crate) struct Staging {
    jobs: VecDeque<Staged>,
    builder: Builder,
}

struct Staged {
    job: Job,
    /// The store's counts before it.
    outputs_before: u64,
    seen_from_before: i32,
}

impl Staging {
    pub(crate) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Newest first.
    pub(crate) fn flights(&self) -> impl DoubleEndedIterator<Item = &Flight> {
        self.jobs.iter().rev().map(|staged| &*staged.job.flight)
    }
}

impl Store {
    /// Keeps a commit in memory: [`Self::release`] writes it, [`Self::abandon`] forgets it. `journal` makes the commit's
    /// journal record from its delta, the post-image of every key that it touches; gives that delta.
    ///
    /// # Errors
    /// HR0306 once the shard is sealed.
    ///
    /// # Panics
    /// If `extra` does not hold one encoded output for each of the commit's, or accounts are not sorted by id.
    pub fn stage(
        &mut self,
        commit: Commit,
        extra: CommitExtra,
        journal: impl FnOnce(&[u8]) -> JournalEntry,
    ) -> Result<Vec<u8>, StoreError> {
        assert_eq!(commit.outputs.len(), extra.outputs.len(), "every output is encoded");
        self.database.check()?;
        let (outputs_before, seen_from_before) = (self.outputs, self.seen_from_day);
        let mut job = self.take_up(commit, extra);
        let database = Arc::clone(&self.database);
        let mut batch = database.recording_batch();
        job.build(&mut self.staging.builder, &mut batch);
        let delta = batch.take_delta();
        journal::write(&mut batch, Some(&journal(&delta)));
        job.built(batch.into_writes());
        self.staging.jobs.push_back(Staged { job, outputs_before, seen_from_before });
        fault::point("stage.done");
        Ok(delta)
    }

    /// As [`Self::stage`], of a journal record without a step: a ruleset that comes into force and where inputs begin, or
    /// nothing at all.
    ///
    /// # Errors
    /// As [`Self::stage`].
    pub fn stage_record(
        &mut self,
        ruleset: Option<(&str, &[(String, String)])>,
        positions: &BTreeMap<(Arc<str>, u32), u64>,
        journal: impl FnOnce(&[u8]) -> JournalEntry,
    ) -> Result<Vec<u8>, StoreError> {
        self.database.check()?;
        let database = Arc::clone(&self.database);
        let mut batch = database.recording_batch();
        if let Some((hash, files)) = ruleset {
            commit::write_ruleset(&mut batch, hash, files);
        }
        commit::write_positions(&mut batch, positions);
        let delta = batch.take_delta();
        journal::write(&mut batch, Some(&journal(&delta)));
        let job = Job::of_batch(batch.into_writes());
        let (outputs_before, seen_from_before) = (self.outputs, self.seen_from_day);
        self.staging.jobs.push_back(Staged { job, outputs_before, seen_from_before });
        Ok(delta)
    }

    /// How many commits are staged.
    pub fn staged(&self) -> usize {
        self.staging.jobs.len()
    }

    /// Writes the oldest staged commit. Returns when the one before is durable: [`Self::settle`] waits for it.
    ///
    /// # Errors
    /// As [`Store::commit`].
    ///
    /// # Panics
    /// If nothing is staged.
    pub fn release(&mut self) -> Result<(), StoreError> {
        self.settle()?;
        self.database.check()?;
        fault::point("release.before");
        let staged = self.staging.jobs.pop_front().expect("a commit is staged before it is released");
        self.writer.send(staged.job)
    }

    /// Forgets everything that is staged.
    pub fn abandon(&mut self) {
        let Some(oldest) = self.staging.jobs.front() else { return };
        (self.outputs, self.seen_from_day) = (oldest.outputs_before, oldest.seen_from_before);
        self.staging = Staging::default();
        self.forget(None);
    }

    /// Writes what journal records of others say, in order: each its delta and itself.
    ///
    /// # Errors
    /// HR0302 or HR0303 for a delta that cannot be read; as [`Store::commit`].
    ///
    /// # Panics
    /// If something is staged.
    pub fn apply(&mut self, records: &[(&[u8], JournalEntry)]) -> Result<(), StoreError> {
        assert!(self.staging.jobs.is_empty(), "nothing is staged while deltas are applied");
        self.settle()?;
        let database = Arc::clone(&self.database);
        let mut batch = database.batch();
        for (delta, entry) in records {
            for operation in delta::operations(delta)? {
                put_operation(&mut batch, operation)?;
            }
            journal::write(&mut batch, Some(entry));
        }
        fault::point("apply.before_write");
        batch.write(self.durability)?;
        fault::point("apply.after_write");
        self.reload()
    }

    /// What is in memory no longer tells what the disk holds.
    fn forget(&mut self, newest_seen: Option<i32>) {
        self.recent.forget(newest_seen);
        self.timers_from = Table::Timers.range().0;
    }

    fn reload(&mut self) -> Result<(), StoreError> {
        self.forget(newest_seen_day(&self.database)?);
        self.staging = Staging::default();
        self.cache.clear();
        self.outputs = self.reader.outputs_count()?;
        self.seen_from_day = self.reader.state()?.map_or(i32::MIN, |state| state.seen_from_day);
        self.restart_writer()
    }
}

fn put_operation(batch: &mut Batch<'_>, operation: Operation<'_>) -> Result<(), StoreError> {
    let table = |key: &[u8]| {
        let known = key.first().and_then(|byte| Table::of_byte(*byte));
        known.ok_or_else(|| StoreError::corrupt("a journal record's delta names an unknown table"))
    };
    match operation {
        Operation::Put(key, value) => batch.put(table(key)?, key, value),
        Operation::Delete(key) => batch.delete(table(key)?, key),
        Operation::DeleteRange(from, to) => batch.delete_range(table(from)?, from, to),
    }
    Ok(())
}

impl Job {
    /// Of a batch that touches neither accounts nor timers nor seen keys.
    fn of_batch(writes: WriteBatch) -> Self {
        let mut job = Self::new(Commit::default(), CommitExtra::default(), 0, i32::MAX);
        job.built(writes);
        job
    }
}
