//! Throws away what nobody needs any more: the beginnings of journal, outputs and log.

use crate::database::Batch;
use crate::table::{Meta, Table};
use crate::{Durability, OutputKind, Store, StoreError, codec, fault, key};

/// Outputs in one call, at most: bounds the batch.
const OUTPUTS_MAX: u64 = 10_000;

/// Up to where, exclusive. What lies beyond the end counts as the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trim {
    /// A sequence; the last record stays, since the next one names its digest.
    pub journal_below: u64,
    /// A sequence.
    pub outputs_below: u64,
    /// An offset.
    pub log_below: u64,
}

/// What one call of [`Store::trim`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trimmed {
    /// All of it; else the same call goes on.
    pub done: bool,
}

impl Store {
    /// Removes beginnings of journal, outputs (with their rows by account) and log, in one synced write. Removes a
    /// bounded number of outputs: call it again until it is done.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub fn trim(&mut self, trim: Trim) -> Result<Trimmed, StoreError> {
        self.settle()?;
        fault::point("trim.before");
        let database = self.database.clone();
        let mut batch = database.batch();
        let done = self.trim_outputs(&mut batch, trim.outputs_below)?;
        fault::point("trim.outputs");
        self.trim_journal(&mut batch, trim.journal_below)?;
        fault::point("trim.journal");
        let log_below = trim.log_below.min(database.log_end());
        trim_numbered(&mut batch, Table::Log, Meta::LogStart, self.reader().log_start()?, log_below);
        fault::point("trim.log");
        if batch.bytes() > database.batch().bytes() {
            fault::point("trim.before_write");
            batch.write(Durability::Fsync)?;
        }
        fault::point("trim.after");
        Ok(Trimmed { done })
    }

    /// Whether all of them are gone.
    fn trim_outputs(&self, batch: &mut Batch<'_>, below: u64) -> Result<bool, StoreError> {
        let (start, below) = (self.reader().outputs_start()?, below.min(self.reader().outputs_count()?));
        if below <= start {
            return Ok(true);
        }
        // Sequences have no gaps.
        let count = (below - start).min(OUTPUTS_MAX);
        let end = start + count;
        self.reader().each_output(start, usize::try_from(count).unwrap_or(usize::MAX), |stored| {
            if !stored.account.is_empty() {
                batch.delete(Table::ByAccount, &key::by_account(stored.account, stored.sequence));
            }
        })?;
        for kind in OutputKind::ALL {
            batch.delete_range(Table::Outputs, &key::output(kind, start), &key::output(kind, end));
        }
        batch.put_meta(Meta::OutputsStart, &codec::encode_number(end));
        Ok(end == below)
    }

    fn trim_journal(&self, batch: &mut Batch<'_>, below: u64) -> Result<(), StoreError> {
        if let Some((last, _)) = self.reader().journal_last()? {
            let start = self.reader().journal_start()?;
            trim_numbered(batch, Table::Journal, Meta::JournalStart, start, below.min(last));
        }
        Ok(())
    }
}

fn trim_numbered(batch: &mut Batch<'_>, table: Table, mark: Meta, start: u64, below: u64) {
    if below > start {
        batch.delete_range(table, &key::numbered(table, start), &key::numbered(table, below));
        batch.put_meta(mark, &codec::encode_number(below));
    }
}
