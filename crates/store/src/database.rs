//! RocksDB behind tables. Seals itself after a failed write.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rocksdb::checkpoint::Checkpoint;
use rocksdb::{
    ColumnFamily, DB, DBPinnableSlice, DBRawIteratorWithThreadMode, FlushOptions, ReadOptions, WriteBatch, WriteOptions,
};

use crate::delta::{DeltaWriter, Operation};
use crate::format::{self, Stage};
use crate::table::{Family, Meta, Table};
use crate::{Durability, StoreError, StoreOptions, codec, fault, key, tuning};

/// The folder of RocksDB inside a data directory.
const FOLDER: &str = "db";
/// A scan passes over data once: it reads ahead and leaves the block cache to those who come again.
const READAHEAD_BYTES: usize = 1 << 20;

pub(crate) struct Database {
    db: DB,
    /// The first failed write.
    sealed: OnceLock<String>,
    /// The offset of the next log record.
    log_end: AtomicU64,
    /// Somebody holds the one [`LogWriter`](crate::LogWriter).
    log_is_taken: AtomicBool,
}

impl Database {
    /// Opens, or creates where nothing is.
    pub(crate) fn open(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        fault::point("open.begin");
        let stage = match format::read(dir)? {
            Some(stage) => stage,
            None => format::write(dir, Stage::Creating).map(|()| Stage::Creating)?,
        };
        fault::point("open.format_created");
        if stage == Stage::Ready {
            require_log(&dir.join(FOLDER))?;
        }
        let settings = tuning::database(options, stage == Stage::Creating);
        let db = DB::open_cf_descriptors(&settings, dir.join(FOLDER), tuning::families(options));
        let database = Self::over(db.map_err(|error| StoreError::open(dir, error))?)?;
        fault::point("open.database_opened");
        if stage != Stage::Ready {
            format::write(dir, Stage::Ready)?;
        }
        fault::point("open.done");
        Ok(database)
    }

    /// As it is at this moment, without the lock: nothing can be written.
    pub(crate) fn open_read_only(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        match format::read(dir)? {
            Some(Stage::Ready) => require_log(&dir.join(FOLDER))?,
            Some(Stage::Checkpoint) => {}
            Some(Stage::Creating) | None => return Err(StoreError::NotADataDirectory { dir: dir.to_owned() }),
        }
        let settings = tuning::database(options, false);
        let db = DB::open_cf_descriptors_read_only(&settings, dir.join(FOLDER), tuning::families(options), false);
        Self::over(db.map_err(|error| StoreError::open(dir, error))?)
    }

    fn over(db: DB) -> Result<Self, StoreError> {
        let log_is_taken = AtomicBool::new(false);
        let database = Self { db, sealed: OnceLock::new(), log_end: AtomicU64::new(0), log_is_taken };
        let last = database.last_key(Table::Log)?.map(|key| key::parse_number(&key)).transpose()?;
        let end = last.map_or(0, |last| last + 1).max(database.number(Meta::LogStart)?);
        database.log_end.store(end, Ordering::Relaxed);
        Ok(database)
    }

    /// The offset of the next log record.
    pub(crate) fn log_end(&self) -> u64 {
        self.log_end.load(Ordering::Acquire)
    }

    /// Once the records below it are written.
    pub(crate) fn set_log_end(&self, end: u64) {
        self.log_end.store(end, Ordering::Release);
    }

    /// Whether the log had no writer until now.
    pub(crate) fn take_log(&self) -> bool {
        !self.log_is_taken.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn return_log(&self) {
        self.log_is_taken.store(false, Ordering::Release);
    }

    /// Refuses everything after a failed write: memory and disk may differ from here on.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.sealed.get() {
            Some(cause) => Err(StoreError::Sealed { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    pub(crate) fn batch(&self) -> Batch<'_> {
        self.batch_of(0)
    }

    /// A batch that is expected to have so many bytes.
    pub(crate) fn batch_of(&self, bytes: usize) -> Batch<'_> {
        let families = Family::ALL.map(|family| self.family(family));
        Batch { database: self, families, writes: WriteBatch::with_capacity_bytes(bytes), delta: None }
    }

    /// A batch that writes down what is put into it.
    pub(crate) fn recording_batch(&self) -> Batch<'_> {
        Batch { delta: Some(DeltaWriter::new()), ..self.batch() }
    }

    /// The value under a key.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.check()?;
        let value = self.db.get_pinned_cf(self.family(table.family()), key).map_err(reading)?;
        Ok(value.map(|value| value.to_vec()))
    }

    pub(crate) fn get_meta(&self, key: Meta) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(Table::Meta, &key::meta(key))
    }

    /// 0 if it was never set.
    pub(crate) fn number(&self, key: Meta) -> Result<u64, StoreError> {
        self.get_meta(key)?.map_or(Ok(0), |value| codec::decode_number(&value))
    }

    /// Values in the order of the keys, which must be sorted.
    pub(crate) fn get_sorted(
        &self,
        table: Table,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<DBPinnableSlice<'_>>>, StoreError> {
        self.check()?;
        let found = self.db.batched_multi_get_cf(self.family(table.family()), keys, true);
        found.into_iter().map(|value| value.map_err(reading)).collect()
    }

    /// Everything in a table, in order.
    pub(crate) fn scan(&self, table: Table) -> Result<Scan<'_>, StoreError> {
        let (from, to) = table.range();
        self.scan_range(table, from, to)
    }

    /// Everything from a key on, up to and without another.
    pub(crate) fn scan_range(&self, table: Table, from: Vec<u8>, to: Vec<u8>) -> Result<Scan<'_>, StoreError> {
        self.scan_with(table, from, to, |reads| {
            reads.set_readahead_size(READAHEAD_BYTES);
            reads.fill_cache(false);
        })
    }

    /// A look at the first few of a range.
    pub(crate) fn peek_range(&self, table: Table, from: Vec<u8>, to: Vec<u8>) -> Result<Scan<'_>, StoreError> {
        self.scan_with(table, from, to, |_| ())
    }

    fn scan_with(
        &self,
        table: Table,
        from: Vec<u8>,
        to: Vec<u8>,
        set: impl FnOnce(&mut ReadOptions),
    ) -> Result<Scan<'_>, StoreError> {
        self.check()?;
        let mut reads = ReadOptions::default();
        set(&mut reads);
        reads.set_iterate_range(from..to);
        let rows = self.db.raw_iterator_cf_opt(self.family(table.family()), reads);
        Ok(Scan { rows, started: false })
    }

    /// The last key of a table.
    pub(crate) fn last_key(&self, table: Table) -> Result<Option<Vec<u8>>, StoreError> {
        let (from, to) = table.range();
        let mut rows = self.peek_range(table, from, to)?.rows;
        rows.seek_to_last();
        rows.status().map_err(reading)?;
        Ok(rows.key().map(<[u8]>::to_vec))
    }

    /// # Errors
    /// HR0304 or HR0303 of the write that fails, HR0306 ever after.
    pub(crate) fn write(&self, writes: WriteBatch, durability: Durability) -> Result<(), StoreError> {
        self.check()?;
        let mut how = WriteOptions::default();
        how.set_sync(durability == Durability::Fsync);
        // No hint for insertions (`memtable_insert_hint_per_batch`): where a batch with a deleted range meets another
        // one, RocksDB uses the place of its last key for the range too, which lies in another list.
        let done = self.db.write_opt(writes, &how).map_err(|error| StoreError::rocks("write a commit", error));
        done.inspect_err(|error| self.seal(error))
    }

    /// Refuses everything from here on.
    pub(crate) fn seal(&self, cause: impl ToString) {
        // Only the first failure counts; later ones follow from it.
        let _ = self.sealed.set(cause.to_string());
    }

    /// Moves everything written from memory into files.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.check()?;
        let families = Family::ALL.map(|family| self.family(family));
        let done = self.db.flush_cfs_opt(&families, &FlushOptions::default());
        done.map_err(|error| StoreError::rocks("flush the store", error)).inspect_err(|error| self.seal(error))
    }

    /// Makes a directory that can be opened like this one: files are linked where the file system can, else copied.
    pub(crate) fn checkpoint(&self, dir: &Path) -> Result<(), StoreError> {
        self.check()?;
        let made = Checkpoint::new(&self.db).and_then(|maker| maker.create_checkpoint(dir.join(FOLDER)));
        made.map_err(|error| StoreError::rocks("make a checkpoint", error))?;
        format::write(dir, Stage::Checkpoint)
    }

    /// Bytes of the files that hold live data.
    pub(crate) fn file_bytes(&self) -> Result<u64, StoreError> {
        self.check()?;
        let listed =
            std::fs::read_dir(self.db.path()).map_err(|error| StoreError::io("list the store's files", &error))?;
        // A file that a compaction removes meanwhile counts nothing.
        Ok(listed.flatten().filter_map(|each| each.metadata().ok()).map(|each| each.len()).sum())
    }

    fn family(&self, family: Family) -> &ColumnFamily {
        self.db.cf_handle(family.name()).expect("all families are opened")
    }
}

/// An opened database always has a write-ahead log, if an empty one. RocksDB knows only of those that it has closed: with
/// the last one gone it would open without complaint, and without the newest commits.
fn require_log(folder: &Path) -> Result<(), StoreError> {
    // A folder that cannot be listed is RocksDB's to report.
    let Ok(files) = std::fs::read_dir(folder) else { return Ok(()) };
    let is_log = |path: &Path| path.extension().is_some_and(|extension| extension == "log");
    if files.flatten().any(|file| is_log(&file.path())) {
        return Ok(());
    }
    Err(StoreError::corrupt("the write-ahead log is missing"))
}

fn reading(error: rocksdb::Error) -> StoreError {
    StoreError::rocks("read the store", error)
}

/// Writes that happen together or not at all.
pub(crate) struct Batch<'a> {
    database: &'a Database,
    /// In the order of [`Family::ALL`]: RocksDB's binding looks them up by name.
    families: [&'a ColumnFamily; Family::ALL.len()],
    writes: WriteBatch,
    delta: Option<DeltaWriter>,
}

impl Batch<'_> {
    /// What was put into it so far; from here on nothing is written down.
    pub(crate) fn take_delta(&mut self) -> Vec<u8> {
        self.delta.take().map_or_else(Vec::new, DeltaWriter::into_bytes)
    }

    pub(crate) fn into_writes(self) -> WriteBatch {
        self.writes
    }

    fn note(&mut self, operation: Operation<'_>) {
        if let Some(delta) = &mut self.delta {
            delta.push(operation);
        }
    }

    pub(crate) fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.note(Operation::Put(key, value));
        self.writes.put_cf(self.families[table.family() as usize], key, value);
    }

    pub(crate) fn put_meta(&mut self, key: Meta, value: &[u8]) {
        self.put(Table::Meta, &key::meta(key), value);
    }

    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) {
        self.note(Operation::Delete(key));
        self.writes.delete_cf(self.families[table.family() as usize], key);
    }

    /// From a key on, up to and without another.
    pub(crate) fn delete_range(&mut self, table: Table, from: &[u8], to: &[u8]) {
        self.note(Operation::DeleteRange(from, to));
        self.writes.delete_range_cf(self.families[table.family() as usize], from, to);
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> usize {
        self.writes.size_in_bytes()
    }

    /// # Errors
    /// HR0304 or HR0303 of the write that fails, HR0306 ever after.
    pub(crate) fn write(self, durability: Durability) -> Result<(), StoreError> {
        self.database.write(self.writes, durability)
    }
}

/// A key and its value.
pub(crate) type Row<'a> = (&'a [u8], &'a [u8]);

/// Rows in the order of their keys.
pub(crate) struct Scan<'a> {
    rows: DBRawIteratorWithThreadMode<'a, DB>,
    started: bool,
}

impl Scan<'_> {
    /// The next key and its value; `None` at the end of the range.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'_>>, StoreError> {
        if self.started {
            self.rows.next();
        } else {
            self.rows.seek_to_first();
            self.started = true;
        }
        // An iterator also ends where it cannot read on: only the status tells.
        self.rows.status().map_err(reading)?;
        Ok(self.rows.item())
    }

    /// The key and its value before; on the first call the last of the range.
    pub(crate) fn previous_row(&mut self) -> Result<Option<Row<'_>>, StoreError> {
        if self.started {
            self.rows.prev();
        } else {
            self.rows.seek_to_last();
            self.started = true;
        }
        self.rows.status().map_err(reading)?;
        Ok(self.rows.item())
    }

    /// Where the scan stands.
    pub(crate) fn row(&self) -> Option<Row<'_>> {
        self.rows.item()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_seals_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(Database::open(dir.path(), &StoreOptions::default()).unwrap());
        // RocksDB refuses to write to what was opened for reading: a failure without a broken disk.
        let database = Database::open_read_only(dir.path(), &StoreOptions::default()).unwrap();
        let mut batch = database.batch();
        batch.put_meta(Meta::OutLength, &[1]);
        assert_eq!(batch.write(Durability::Fsync).unwrap_err().code(), "HR0304");
        assert_eq!(database.batch().write(Durability::Fsync).unwrap_err().code(), "HR0306");
        assert_eq!(database.get_meta(Meta::OutLength).unwrap_err().code(), "HR0306");
        drop(database);
        let database = Database::open(dir.path(), &StoreOptions::default()).unwrap();
        assert_eq!(database.get_meta(Meta::OutLength), Ok(None));
    }

    #[test]
    fn a_database_that_is_gone_is_not_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        drop(Database::open(dir.path(), &StoreOptions::default()).unwrap());
        std::fs::remove_dir_all(dir.path().join(FOLDER)).unwrap();
        assert_eq!(Database::open(dir.path(), &StoreOptions::default()).err().unwrap().code(), "HR0303");
    }

    #[test]
    fn a_creation_cut_short_is_taken_up_again() {
        let dir = tempfile::tempdir().unwrap();
        format::write(dir.path(), Stage::Creating).unwrap();
        drop(Database::open(dir.path(), &StoreOptions::default()).unwrap());
        assert_eq!(format::read(dir.path()), Ok(Some(Stage::Ready)));
    }
}
