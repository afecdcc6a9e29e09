//! The journal: a record for each commit, opaque here.

use crate::database::Batch;
use crate::table::{Meta, Table};
use crate::{Reader, StoreError, codec, key};

/// Writes the record of a commit.
pub(crate) fn write(batch: &mut Batch<'_>, record: Option<&(u64, Vec<u8>)>) {
    if let Some((seq, bytes)) = record {
        batch.put(Table::Journal, &key::numbered(Table::Journal, *seq), &codec::versioned(bytes));
    }
}

impl Reader {
    /// Journal records from a sequence on, with their sequences, at most `limit`: the bytes as they were committed.
    pub fn journal_from(&self, seq: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let mut records = Vec::new();
        let (from, to) = (key::numbered(Table::Journal, seq), Table::Journal.range().1);
        let mut rows = self.database.peek_range(Table::Journal, from, to)?;
        while records.len() < limit {
            let Some((key, value)) = rows.next_row()? else { break };
            records.push((key::parse_number(key)?, codec::unversioned(value)?.to_vec()));
        }
        Ok(records)
    }

    /// The last journal record and its sequence; `None`: none is kept.
    pub fn journal_last(&self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let (from, to) = Table::Journal.range();
        let mut rows = self.database.peek_range(Table::Journal, from, to)?;
        let Some((key, value)) = rows.previous_row()? else { return Ok(None) };
        Ok(Some((key::parse_number(key)?, codec::unversioned(value)?.to_vec())))
    }

    /// Journal records below this sequence were trimmed; 0: none ever was.
    pub fn journal_start(&self) -> Result<u64, StoreError> {
        self.database.number(Meta::JournalStart)
    }
}
