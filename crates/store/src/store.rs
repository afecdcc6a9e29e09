//! The one writer of a shard: loads what a step needs, commits what it decided.

use std::path::Path;
use std::sync::Arc;

use headroom_engine::{Account, AccountId, Commit, SeenKey, ShardState, Timer, Timestamp};

use crate::cache::AccountCache;
use crate::database::{Batch, Database};
use crate::recent::{Recent, RecentKeys};
use crate::table::{Meta, Table};
use crate::{Durability, Reader, StoreError, StoreOptions, codec, key};

/// A shard's data, owned by one thread of one process.
///
/// Every function fails with HR0303 for damage, HR0304 where the disk fails, and HR0306 after a failed write.
pub struct Store {
    database: Arc<Database>,
    reader: Reader,
    durability: Durability,
    cache: AccountCache,
    recent: RecentKeys,
    /// No stored timer sorts before this key. Removed timers leave marks in front of the live ones that a scan from
    /// the start of the table would have to pass each time.
    timers_from: Vec<u8>,
    seen_from_day: i32,
    outputs: u64,
}

/// What is committed together with a step beside its own [`Commit`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommitExtra {
    /// The encoded outputs, one for each of the commit's, in its order.
    pub outputs: Vec<Vec<u8>>,
    /// Bytes of the file that outputs are copied to, with these; 0 without such a file.
    pub out_len: u64,
    /// That file.
    pub out_path: Option<String>,
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
        let newest_seen = database.last_key(Table::Seen)?.map(|key| key::parse_seen_day(&key)).transpose()?;
        Ok(Self {
            durability: options.durability,
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

    /// The accounts of different ids, as far as they exist, in no order. They leave the cache; those in the next commit
    /// return to it.
    pub fn load_accounts(&mut self, ids: &[AccountId]) -> Result<Vec<Box<Account>>, StoreError> {
        self.database.check()?;
        let mut accounts = Vec::with_capacity(ids.len());
        let mut keys = Vec::new();
        for id in ids {
            match self.cache.take(id) {
                Some(account) => accounts.push(account),
                None => keys.push(key::account(id)),
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
                Recent::AskDisk => asked.push(at),
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
        let first = rows.next_row()?.map_or(end, |(key, _)| key.to_vec());
        self.timers_from = first;
        Ok(())
    }

    fn timers_between(&self, from: Vec<u8>, end: Vec<u8>, limit: usize) -> Result<Vec<(AccountId, Timer)>, StoreError> {
        let mut timers = Vec::new();
        if from >= end {
            return Ok(timers);
        }
        let mut rows = self.database.peek_range(Table::Timers, from, end)?;
        while timers.len() < limit {
            let Some((key, _)) = rows.next_row()? else { break };
            timers.push(key::parse_timer(key)?);
        }
        Ok(timers)
    }

    /// Writes everything that a step decided, in one piece. Timers are removed before others are added; seen days
    /// before `state.seen_from_day` are deleted.
    ///
    /// # Errors
    /// HR0304 or HR0303 if the write fails; the store is sealed then, and nothing of the commit is there.
    ///
    /// # Panics
    /// If `extra` does not hold one encoded output for each of the commit's.
    pub fn commit(&mut self, commit: Commit, extra: CommitExtra) -> Result<(), StoreError> {
        assert_eq!(commit.outputs.len(), extra.outputs.len(), "every output is encoded");
        self.database.check()?;
        let mut batch = self.database.batch();
        let sizes = write_accounts(&mut batch, &commit.accounts);
        let first_timer = write_timers(&mut batch, &commit);
        let outputs = write_outputs(&mut batch, self.outputs, &extra.outputs);
        write_positions(&mut batch, &commit);
        write_seen(&mut batch, &commit.seen, self.seen_from_day, &commit.state);
        if let Some(published) = &commit.ruleset {
            write_ruleset(&mut batch, &published.ruleset.hash, &published.files);
        }
        write_meta(&mut batch, &commit.state, outputs, &extra);
        batch.write(self.durability)?;
        self.outputs = outputs;
        self.lower_first_timer(first_timer);
        self.remember(commit, &sizes);
        Ok(())
    }

    /// Keeps a ruleset's files (path and text) under its content hash and puts it in force, without a step: the seed of
    /// a new data directory. A ruleset that a step publishes is part of its commit.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn put_ruleset(&mut self, hash: &str, files: &[(String, String)]) -> Result<(), StoreError> {
        let mut batch = self.database.batch();
        write_ruleset(&mut batch, hash, files);
        batch.write(self.durability)
    }

    /// Moves everything from memory into files, so that the next open has no log to replay.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.database.flush()
    }

    fn lower_first_timer(&mut self, added: Option<Vec<u8>>) {
        if let Some(added) = added.filter(|added| *added < self.timers_from) {
            self.timers_from = added;
        }
    }

    /// Memory follows the disk, never the other way round.
    fn remember(&mut self, commit: Commit, sizes: &[usize]) {
        for (account, size) in commit.accounts.into_iter().zip(sizes) {
            self.cache.put(account, *size);
        }
        self.recent.put(&commit.seen);
        if commit.state.seen_from_day > self.seen_from_day {
            self.seen_from_day = commit.state.seen_from_day;
            self.recent.drop_before(self.seen_from_day);
        }
    }
}

/// The smallest key behind another.
fn key_behind(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// Gives the stored size of each.
fn write_accounts(batch: &mut Batch<'_>, accounts: &[Box<Account>]) -> Vec<usize> {
    let mut buffer = Vec::new();
    let mut write = |account: &Account| {
        let value = codec::encode_account(account, &mut buffer);
        batch.put(Table::Accounts, &key::account(&account.id), value);
        value.len()
    };
    accounts.iter().map(|account| write(account)).collect()
}

/// Gives the key of the first that is added.
fn write_timers(batch: &mut Batch<'_>, commit: &Commit) -> Option<Vec<u8>> {
    for (id, timer) in &commit.timers_removed {
        batch.delete(Table::Timers, &key::timer(id, timer));
    }
    let mut added: Vec<_> = commit.timers_added.iter().map(|(id, timer)| key::timer(id, timer)).collect();
    added.sort_unstable();
    for key in &added {
        batch.put(Table::Timers, key, &codec::versioned(&[]));
    }
    added.into_iter().next()
}

/// Gives the sequence of the next.
fn write_outputs(batch: &mut Batch<'_>, first: u64, outputs: &[Vec<u8>]) -> u64 {
    let mut sequence = first;
    for output in outputs {
        batch.put(Table::Outputs, &key::output(sequence), &codec::versioned(output));
        sequence += 1;
    }
    sequence
}

fn write_positions(batch: &mut Batch<'_>, commit: &Commit) {
    for ((input, partition), next) in &commit.positions {
        batch.put(Table::Positions, &key::position(input, *partition), &codec::encode_number(*next));
    }
}

/// Old days go last: a key of an old day in the same commit goes with them, as it would in a commit of its own.
fn write_seen(batch: &mut Batch<'_>, seen: &[(SeenKey, u64)], from_day: i32, state: &ShardState) {
    let mut sorted = seen.to_vec();
    sorted.sort_by_key(|(key, _)| *key);
    for (key, content) in sorted {
        batch.put(Table::Seen, &key::seen(key), &codec::encode_number(content));
    }
    if state.seen_from_day > from_day {
        let (start, _) = Table::Seen.range();
        batch.delete_range(Table::Seen, &start, &key::seen_day(state.seen_from_day));
    }
}

fn write_meta(batch: &mut Batch<'_>, state: &ShardState, outputs: u64, extra: &CommitExtra) {
    batch.put_meta(Meta::State, &codec::encode_state(state));
    batch.put_meta(Meta::Outputs, &codec::encode_number(outputs));
    batch.put_meta(Meta::OutLength, &codec::encode_number(extra.out_len));
    if let Some(path) = &extra.out_path {
        batch.put_meta(Meta::OutPath, &codec::versioned(path.as_bytes()));
    }
}

fn write_ruleset(batch: &mut Batch<'_>, hash: &str, files: &[(String, String)]) {
    batch.put(Table::Rulesets, &key::ruleset(hash), &codec::encode_ruleset(hash, files));
    batch.put_meta(Meta::Ruleset, &codec::versioned(hash.as_bytes()));
}
