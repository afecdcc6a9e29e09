//! The log of embedded mode: what was taken in, in order, durable before it is acknowledged (PROTOCOL P27).

use std::sync::Arc;

use headroom_wire::LogRecord;

use crate::database::Database;
use crate::table::{Meta, Table};
use crate::{Durability, Reader, StoreError, codec, fault, key};

/// Appends to the log, from a thread of its own; there is one at a time. Offsets never begin anew, also where everything
/// was trimmed.
pub struct LogWriter {
    database: Arc<Database>,
    durability: Durability,
    value: Vec<u8>,
}

impl LogWriter {
    /// # Panics
    /// If the log has a writer.
    pub(crate) fn new(database: Arc<Database>, durability: Durability) -> Self {
        assert!(database.take_log(), "the log has one writer at a time");
        Self { database, durability, value: Vec::new() }
    }

    /// Appends records in one write and gives the offset of the first. They are durable, and readable, when this returns.
    ///
    /// # Errors
    /// HR0304 or HR0303 if the write fails: the shard is sealed then (HR0306 ever after), and none of them is there.
    pub fn append(&mut self, records: &[LogRecord]) -> Result<u64, StoreError> {
        self.database.check()?;
        let first = self.end();
        if records.is_empty() {
            return Ok(first);
        }
        let bytes: usize = records.iter().map(|record| record.bytes.len() + 64).sum();
        let mut batch = self.database.batch_of(bytes);
        let mut offset = first;
        for record in records {
            self.value.clear();
            headroom_wire::encode_log_record(record, &mut self.value);
            batch.put(Table::Log, &key::numbered(Table::Log, offset), &self.value);
            offset += 1;
        }
        fault::point("log.before_write");
        batch.write(self.durability)?;
        fault::point("log.after_write");
        self.database.set_log_end(offset);
        Ok(first)
    }

    /// The offset of the next record.
    pub fn end(&self) -> u64 {
        self.database.log_end()
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.database.return_log();
    }
}

impl Reader {
    /// The first log record that is kept.
    pub fn log_start(&self) -> Result<u64, StoreError> {
        self.database.number(Meta::LogStart)
    }

    /// The offset of the next log record.
    pub fn log_end(&self) -> u64 {
        self.database.log_end()
    }

    /// Log records from an offset on, with their offsets: at most `limit_records` of them, and no more once their bytes
    /// have reached `limit_bytes`.
    pub fn log_from(
        &self,
        offset: u64,
        limit_records: usize,
        limit_bytes: usize,
    ) -> Result<Vec<(u64, LogRecord)>, StoreError> {
        let (mut records, mut bytes) = (Vec::new(), 0);
        let (from, to) = (key::numbered(Table::Log, offset), Table::Log.range().1);
        let mut rows = self.database.scan_range(Table::Log, from, to)?;
        while records.len() < limit_records && bytes < limit_bytes {
            let Some((key, value)) = rows.next_row()? else { break };
            let record = headroom_wire::decode_log_record(value).map_err(codec::stored)?;
            bytes += record.bytes.len();
            records.push((key::parse_number(key)?, record));
        }
        Ok(records)
    }
}
