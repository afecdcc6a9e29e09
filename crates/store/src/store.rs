//! The one writer of a shard: loads what a step needs, commits what it decided.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use headroom_engine::{Account, AccountId, Commit, SeenKey, Timer, Timestamp};

use crate::cache::AccountCache;
use crate::commit::{CommitExtra, Flight, Job, write_ruleset};
use crate::database::{Batch, Database};
use crate::recent::{Recent, RecentKeys};
use crate::staging::Staging;
use crate::table::{Meta, Table};
use crate::writer::Writer;
use crate::{Durability, LogWriter, Reader, StoreError, StoreOptions, codec, fault, journal, key};

/// A shard's data, owned by one thread of one process.
///
/// Every function fails with HR0303 for damage, HR0304 where the disk fails, and HR0306 after a failed write.
/// A commit is written by a thread of the store's own while its owner goes on; the owner's reads ([`Self::load_accounts`],
/// [`Self::seen`], [`Self::due_timers`]) hold what is being written, a [`Reader`] only what is durable.
/// A failed write seals the shard: the call that learns of it gives the failure itself, every later one HR0306.
pub struct Store {
    pub(crate) database: Arc<Database>,
    pub(crate) reader: Reader,
    pub(crate) durability: Durability,
    /// Dropped before the rest: it writes to the end what it has.
    pub(crate) writer: Writer,
    pub(crate) staging: Staging,
    pub(crate) cache: AccountCache,
    pub(crate) recent: RecentKeys,
    /// No stored timer sorts before this key. Removed timers leave marks in front of the live ones that a scan from
    /// the start of the table would have to pass each time.
    pub(crate) timers_from: Vec<u8>,
    pub(crate) seen_from_day: i32,
    pub(crate) outputs: u64,
}

impl Store {
    /// Opens a data directory, or creates one where nothing is. The directory must be the store's alone.
    ///
    /// # Errors
    /// HR0301 while another process has it open, HR0302 if a newer build wrote it, HR0303, HR0304, HR0305 where
    /// something else lives.
    pub fn open(dir: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let database = Arc::new(Database::open(dir, &options)?);
        let reader = Reader::new(database.clone());
        let newest_seen = newest_seen_day(&database)?;
        Ok(Self {
            durability: options.durability,
            writer: Writer::start(&database, options.durability)?,
            staging: Staging::default(),
            cache: AccountCache::new(options.accounts_cached_max, options.account_bytes_cached_max),
            recent: RecentKeys::new(newest_seen, options.seen_cached_max),
            timers_from: Table::Timers.range().0,
            seen_from_day: reader.state()?.map_or(i32::MIN, |state| state.seen_from_day),
            outputs: reader.outputs_count()?,
            database,
            reader,
        })
    }

    /// For reading what is committed, from here or from other threads.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The log of embedded mode, for the thread that appends to it.
    ///
    /// # Panics
    /// If it has a writer.
    pub fn log(&self) -> LogWriter {
        LogWriter::new(Arc::clone(&self.database), self.durability)
    }

    /// The accounts of different ids, as far as they exist, in no order. They leave the cache; those in the next commit
    /// return to it.
    pub fn load_accounts(&mut self, ids: &[AccountId]) -> Result<Vec<Box<Account>>, StoreError> {
        self.database.check()?;
        let mut accounts = Vec::with_capacity(ids.len());
        let mut keys = Vec::new();
        for id in ids {
            // Flights first: of an account that came from one, the cache may hold an older one.
            if let Some(account) = self.flights().find_map(|flight| flight.account(id)) {
                accounts.push(Box::new(account.clone()));
            } else if let Some(account) = self.cache.take(id) {
                accounts.push(account);
            } else {
                keys.push(key::account(id));
            }
        }
        keys.sort_unstable();
        for value in self.database.get_sorted(Table::Accounts, &keys)?.into_iter().flatten() {
            accounts.push(Box::new(codec::decode_account(&value)?));
        }
        Ok(accounts)
    }

    /// The content hashes of events seen before, in the order of the keys; `None`: not seen.
    pub fn seen(&self, keys: &[SeenKey]) -> Result<Vec<Option<u64>>, StoreError> {
        self.database.check()?;
        let mut contents = vec![None; keys.len()];
        let mut asked = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            match self.recent.get(*key) {
                Recent::Known(content) => contents[at] = content,
                Recent::AskDisk => match self.flights().find_map(|flight| flight.seen(*key)) {
                    Some(content) => contents[at] = content,
                    None => asked.push(at),
                },
            }
        }
        asked.sort_unstable_by_key(|at| keys[*at]);
        let stored_keys: Vec<_> = asked.iter().map(|at| key::seen(keys[*at])).collect();
        for (at, stored) in asked.into_iter().zip(self.database.get_sorted(Table::Seen, &stored_keys)?) {
            contents[at] = stored.map(|value| codec::decode_number(&value)).transpose()?;
        }
        Ok(contents)
    }

    /// Stored timers due at or before an instant, in the order in which they fire, at most `limit`, those behind
    /// `after` if it is given.
    pub fn due_timers(
        &mut self,
        until: Timestamp,
        after: Option<&(AccountId, Timer)>,
        limit: usize,
    ) -> Result<Vec<(AccountId, Timer)>, StoreError> {
        self.database.check()?;
        let end = key::timers_after(until);
        let from = after.map_or_else(Vec::new, |(id, timer)| key_behind(key::timer(id, timer)));
        if self.timers_from >= end || from >= end || limit == 0 {
            return Ok(Vec::new());
        }
        if from > self.timers_from {
            return self.timers_between(from, end, limit);
        }
        self.find_first_timer()?;
        self.timers_between(self.timers_from.clone(), end, limit)
    }

    fn find_first_timer(&mut self) -> Result<(), StoreError> {
        let (_, end) = Table::Timers.range();
        let mut rows = self.database.peek_range(Table::Timers, self.timers_from.clone(), end.clone())?;
        let stored = rows.next_row()?.map_or(end, |(key, _)| key.to_vec());
        let added = self.flights().filter_map(Flight::first_timer_added).min().map(<[u8]>::to_vec);
        self.timers_from = added.map_or(stored.clone(), |added| stored.min(added));
        Ok(())
    }

    /// What is on disk, without what flights remove, with what they add.
    fn timers_between(&self, from: Vec<u8>, end: Vec<u8>, limit: usize) -> Result<Vec<(AccountId, Timer)>, StoreError> {
        if from >= end {
            return Ok(Vec::new());
        }
        let mut keys: Vec<Vec<u8>> = Vec::new();
        let mut newer: Vec<&Flight> = Vec::new();
        for flight in self.flights() {
            let added = flight.timers_added(&from, &end).iter();
            keys.extend(added.filter(|key| !newer.iter().any(|flight| flight.removes_timer(key))).cloned());
            newer.push(flight);
        }
        let is_added = !keys.is_empty();
        let mut rows = self.database.peek_range(Table::Timers, from, end)?;
        let mut stored = 0;
        while stored < limit {
            let Some((key, _)) = rows.next_row()? else { break };
            if !newer.iter().any(|flight| flight.removes_timer(key)) {
                keys.push(key.to_vec());
                stored += 1;
            }
        }
        if is_added {
            keys.sort_unstable();
            keys.dedup();
            keys.truncate(limit);
        }
        keys.iter().map(|key| key::parse_timer(key)).collect()
    }

    /// Commits that are not durable yet, newest first.
    fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.staging.flights().chain(self.writer.flight())
    }

    /// Writes everything that a step decided, in one piece. Timers are removed before others are added; seen days
    /// before `state.seen_from_day` are deleted. Returns when the commit before is durable and this one is being written:
    /// [`Self::settle`] waits for it, `extra.done` is told.
    ///
    /// # Errors
    /// HR0304 or HR0303 if the write of the commit *before* failed: the shard is sealed then, and nothing of either is
    /// there.
    ///
    /// # Panics
    /// If `extra` does not hold one encoded output for each of the commit's, or accounts are not sorted by id.
    pub fn commit(&mut self, commit: Commit, extra: CommitExtra) -> Result<(), StoreError> {
        assert_eq!(commit.outputs.len(), extra.outputs.len(), "every output is encoded");
        self.settle()?;
        self.database.check()?;
        assert!(self.staging.is_empty(), "what is staged comes first");
        let job = self.take_up(commit, extra);
        self.writer.send(job)
    }

    /// What the owner reads from here on holds the commit.
    pub(crate) fn take_up(&mut self, commit: Commit, extra: CommitExtra) -> Job {
        let (first_output, from_day) = (self.outputs, self.seen_from_day);
        self.outputs += commit.outputs.len() as u64;
        self.recent.put(&commit.seen);
        if commit.state.seen_from_day > self.seen_from_day {
            self.seen_from_day = commit.state.seen_from_day;
            self.recent.drop_before(self.seen_from_day);
        }
        let job = Job::new(commit, extra, first_output, from_day);
        if let Some(added) = job.flight.first_timer_added()
            && added < self.timers_from.as_slice()
        {
            self.timers_from = added.to_vec();
        }
        job
    }

    /// The thread that writes knows what was written last: what came past it makes it start anew.
    pub(crate) fn restart_writer(&mut self) -> Result<(), StoreError> {
        self.settle()?;
        self.writer = Writer::start(&self.database, self.durability)?;
        Ok(())
    }

    /// Waits until everything committed is durable and readable.
    ///
    /// # Errors
    /// HR0304 or HR0303 if the write failed: the shard is sealed then, and nothing of the commit is there.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        if let Some((flight, sizes)) = self.writer.land()? {
            for (account, size) in flight.into_accounts().into_iter().zip(sizes) {
                self.cache.put(account, size);
            }
        }
        Ok(())
    }

    /// Keeps a ruleset's files (path and text) under its content hash and puts it in force, without a step, with a
    /// journal record and its sequence if given: the seed of a new data directory. A ruleset that a step publishes is
    /// part of its commit.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub fn put_ruleset(
        &mut self,
        hash: &str,
        files: &[(String, String)],
        journal: Option<(u64, Vec<u8>)>,
    ) -> Result<(), StoreError> {
        self.settle()?;
        let mut batch = self.database.batch();
        write_ruleset(&mut batch, hash, files);
        journal::write(&mut batch, journal.as_ref());
        fault::point("ruleset.before_write");
        batch.write(self.durability)?;
        fault::point("ruleset.after_write");
        Ok(())
    }

    /// Notes what the shard is about to do, synced: a process that dies of it is told by [`Reader::attempt`].
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub fn set_attempt(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.settle()?;
        let mut batch: Batch<'_> = self.database.batch();
        batch.put_meta(Meta::Attempt, &codec::versioned(bytes));
        fault::point("attempt.before_write");
        batch.write(Durability::Fsync)?;
        fault::point("attempt.after_write");
        Ok(())
    }

    /// Moves everything from memory into files, so that the next open has no log to replay.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.settle()?;
        fault::point("flush.before");
        self.database.flush()?;
        fault::point("flush.after");
        Ok(())
    }

    /// At most `limit` accounts in the order of ids behind `after`, and those of them that `concerned` chooses: for
    /// sweeps.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub fn rows_after(
        &mut self,
        after: Option<&str>,
        limit: usize,
        mut concerned: impl FnMut(&Account) -> bool,
    ) -> Result<Rows, StoreError> {
        self.settle()?;
        let (first, end) = Table::Accounts.range();
        let from = after.map_or(first, |after| key_behind(key::account(after)));
        let mut staged = self.staged_accounts(after).into_iter().peekable();
        let mut rows = self.database.peek_range(Table::Accounts, from, end)?;
        let mut stored = rows.next_row()?;
        let mut found = Rows::default();
        while found.ids.len() < limit {
            let id = stored.map(|(key, _)| key::parse_account(key)).transpose()?;
            let is_staged = staged.peek().is_some_and(|(each, _)| id.is_none_or(|id| **each <= *id));
            let (account, matters) = if let (true, Some((staged_id, account))) = (is_staged, staged.peek()) {
                (Arc::clone(staged_id), concerned(account))
            } else if let (Some(id), Some((_, value))) = (id, stored) {
                // What is cached is what is on disk, and decoding is most of a row's cost.
                match self.cache.peek(id) {
                    Some(account) => (Arc::clone(&account.id), concerned(account)),
                    None => {
                        let account = codec::decode_account(value)?;
                        let matters = concerned(&account);
                        (account.id, matters)
                    }
                }
            } else {
                found.end = true;
                break;
            };
            if id == Some(&*account) {
                stored = rows.next_row()?;
            }
            staged.next_if(|(each, _)| *each == account);
            if matters {
                found.concerned.push(Arc::clone(&account));
            }
            found.ids.push(account);
        }
        Ok(found)
    }

    /// The newest of each account that is staged, behind an id.
    fn staged_accounts(&self, after: Option<&str>) -> BTreeMap<AccountId, &Account> {
        let flights = self.staging.flights().rev();
        let accounts = flights.flat_map(Flight::accounts).filter(|each| after.is_none_or(|after| *each.id > *after));
        accounts.map(|each| (Arc::clone(&each.id), each)).collect()
    }
}

/// A stretch of accounts in the order of ids.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// All of them.
    pub ids: Vec<AccountId>,
    /// None is behind them.
    pub end: bool,
    /// Those that were chosen.
    pub concerned: Vec<AccountId>,
}

/// The newest day of which the disk holds seen keys.
pub(crate) fn newest_seen_day(database: &Database) -> Result<Option<i32>, StoreError> {
    database.last_key(Table::Seen)?.map(|key| key::parse_seen_day(&key)).transpose()
}

/// The smallest key behind another.
fn key_behind(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

#[cfg(test)]
mod tests {
    use headroom_engine::{ShardState, TimerKind};

    use super::*;
    use crate::commit::Committer;

    fn account(id: &str, sequence: u64) -> Box<Account> {
        let mut account = Account::provisional(id.into(), Timestamp(0), 0);
        account.sequence = sequence;
        Box::new(account)
    }

    fn timer(id: &str, due: i64) -> (AccountId, Timer) {
        (id.into(), Timer { due: Timestamp(due), kind: TimerKind::Daily, rule: 1 })
    }

    fn key(day: i32, hash: u64) -> SeenKey {
        SeenKey { day, hash }
    }

    /// What the owner reads after the two commits of the test, in whichever state the second is.
    #[track_caller]
    fn check(store: &mut Store) {
        let ids: Vec<AccountId> = ["a", "b", "c", "d"].map(Arc::from).into();
        let loaded = store.load_accounts(&ids).unwrap().into_iter().map(|each| (each.id.to_string(), each.sequence));
        let expected = [("a", 1), ("b", 2), ("c", 2)].map(|(id, sequence)| (id.to_owned(), sequence));
        assert_eq!(loaded.collect::<BTreeMap<_, _>>(), expected.into());
        let keys = [key(1, 1), key(2, 1), key(2, 2), key(3, 1), key(3, 2), key(3, 9)];
        assert_eq!(store.seen(&keys).unwrap(), [None, Some(1), Some(2), Some(8), Some(2), None]);
        let all = [timer("b", 5), timer("x", 15), timer("b", 20), timer("a", 30)];
        for limit in 1..6 {
            assert_eq!(store.due_timers(Timestamp(99), None, limit).unwrap(), all[..limit.min(4)]);
            assert_eq!(store.due_timers(Timestamp(20), None, limit).unwrap(), all[..limit.min(3)]);
        }
        assert_eq!(store.due_timers(Timestamp(99), Some(&timer("x", 15)), 9).unwrap(), all[2..]);
        assert_eq!(store.due_timers(Timestamp(4), None, 9).unwrap(), []);
    }

    fn first() -> Commit {
        Commit {
            accounts: vec![account("a", 1), account("b", 1)],
            timers_added: vec![timer("b", 10), timer("x", 15), timer("b", 20), timer("a", 30)],
            seen: vec![(key(1, 1), 1), (key(2, 1), 1), (key(3, 1), 1)],
            ..Commit::default()
        }
    }

    fn second() -> Commit {
        Commit {
            accounts: vec![account("b", 2), account("c", 2)],
            timers_removed: vec![timer("b", 10), timer("b", 20)],
            timers_added: vec![timer("b", 20), timer("b", 5)],
            seen: vec![(key(1, 7), 2), (key(2, 2), 2), (key(3, 1), 2), (key(3, 2), 2), (key(3, 1), 8)],
            state: ShardState { seen_from_day: 2, ..ShardState::default() },
            ..Commit::default()
        }
    }

    #[test]
    fn the_owner_reads_its_commit_before_while_and_after_it_is_written() {
        for (cached, known) in [(0, 0), (1, 2), (99, 99)] {
            let dir = tempfile::tempdir().unwrap();
            let options =
                StoreOptions { accounts_cached_max: cached, seen_cached_max: known, ..StoreOptions::default() };
            let mut store = Store::open(dir.path(), options).unwrap();
            store.commit(first(), CommitExtra::default()).unwrap();
            store.settle().unwrap();
            let (writer, jobs, told) = Writer::held(&store.database);
            store.writer = writer;
            store.commit(second(), CommitExtra::default()).unwrap();
            check(&mut store);
            assert_eq!(store.reader().account("c").unwrap(), None, "nobody else reads it yet");
            let written = Committer::new(store.database.clone(), Durability::Process).write(jobs.recv().unwrap());
            check(&mut store);
            told.send(written).unwrap();
            store.settle().unwrap();
            check(&mut store);
        }
    }

    #[test]
    fn a_failure_is_told_once_by_itself_and_then_as_the_seal() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let (writer, _jobs, told) = Writer::held(&store.database);
        store.writer = writer;
        store.commit(first(), CommitExtra::default()).unwrap();
        let full = StoreError::Io { action: "write a commit", detail: "no space left".to_owned() };
        store.database.seal(&full);
        told.send(Err(full.clone())).unwrap();
        assert_eq!(store.commit(second(), CommitExtra::default()), Err(full));
        assert_eq!(store.commit(second(), CommitExtra::default()).unwrap_err().code(), "HR0306");
        assert_eq!(store.seen(&[]).unwrap_err().code(), "HR0306");
    }
}
