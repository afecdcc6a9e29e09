//! One commit on its way to disk: what the lane still reads of it, and how it is written.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use headroom_engine::{Account, AccountId, Broadcasts, Commit, Output, Published, SeenKey, ShardState, Timer};
use rocksdb::WriteBatch;

use crate::database::{Batch, Database};
use crate::table::{Meta, Table};
use crate::{Durability, StoreError, codec, fault, journal, key, outputs};

/// Told once that a commit is durable, or why it is not.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// What is committed together with a step beside its own [`Commit`].
#[derive(Default)]
pub struct CommitExtra {
    /// The encoded outputs, one for each of the commit's, in its order.
    pub outputs: Vec<Vec<u8>>,
    /// Bytes of the file that outputs are copied to, with these; 0 without such a file.
    pub out_len: u64,
    /// That file.
    pub out_path: Option<String>,
    /// The commit's journal record and its sequence.
    pub journal: Option<(u64, Vec<u8>)>,
    /// Called on the store's writing thread when the commit is durable, or has failed; the next commit is not written
    /// before it returns. Dropped uncalled if that thread dies.
    pub done: Option<Done>,
}

impl fmt::Debug for CommitExtra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.journal.as_ref().map(|(seq, _)| seq);
        let outputs = self.outputs.len();
        f.debug_struct("CommitExtra").field("outputs", &outputs).field("journal", &seq).finish_non_exhaustive()
    }
}

/// What the lane reads of a commit that may not be on disk yet. Reading it from disk as well does no harm.
pub(crate) struct Flight {
    /// Sorted by id.
    #[expect(clippy::vec_box, reason = "as the engine gives them and the cache keeps them")]
    accounts: Vec<Box<Account>>,
    /// Keys, sorted.
    timers_removed: Vec<Vec<u8>>,
    /// Keys, sorted; one that is removed too is there afterwards.
    timers_added: Vec<Vec<u8>>,
    seen: Vec<(SeenKey, u64)>,
    seen_sorted: OnceLock<Vec<(SeenKey, u64)>>,
    /// Days before this one are deleted.
    seen_from: Option<i32>,
}

impl Flight {
    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        let at = self.accounts.binary_search_by(|account| (*account.id).cmp(id)).ok()?;
        Some(&self.accounts[at])
    }

    /// What the flight does to a seen key: `Some(None)`, it is deleted.
    pub(crate) fn seen(&self, key: SeenKey) -> Option<Option<u64>> {
        if self.seen_from.is_some_and(|day| key.day < day) {
            return Some(None);
        }
        let sorted = self.seen_sorted();
        let behind = sorted.partition_point(|(each, _)| *each <= key);
        let (found, content) = sorted[..behind].last()?;
        (*found == key).then_some(Some(*content))
    }

    /// In whichever thread needs it first.
    fn seen_sorted(&self) -> &[(SeenKey, u64)] {
        self.seen_sorted.get_or_init(|| {
            let mut sorted = self.seen.clone();
            // Stable: of two contents under one key the later one counts.
            sorted.sort_by_key(|(key, _)| *key);
            sorted
        })
    }

    pub(crate) fn first_timer_added(&self) -> Option<&[u8]> {
        self.timers_added.first().map(Vec::as_slice)
    }

    pub(crate) fn removes_timer(&self, key: &[u8]) -> bool {
        self.timers_removed.binary_search_by(|each| each.as_slice().cmp(key)).is_ok()
    }

    /// Keys from one up to and without another.
    pub(crate) fn timers_added(&self, from: &[u8], end: &[u8]) -> &[Vec<u8>] {
        let at = |key: &[u8]| self.timers_added.partition_point(|each| each.as_slice() < key);
        &self.timers_added[at(from)..at(end)]
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().map(|account| &**account)
    }

    #[expect(clippy::vec_box, reason = "as the engine gives them and the cache keeps them")]
    pub(crate) fn into_accounts(self) -> Vec<Box<Account>> {
        self.accounts
    }
}

/// A commit with everything that its batch needs.
pub(crate) struct Job {
    pub(crate) flight: Arc<Flight>,
    work: Work,
    done: Option<Done>,
}

/// How far a commit's batch is.
enum Work {
    /// The writing thread builds it.
    Parts(Box<Parts>),
    /// It was built when it was staged; with the stored size of each account.
    Built(WriteBatch, Vec<usize>),
}

/// What goes into a batch beside the flight.
struct Parts {
    first_output: u64,
    outputs: Vec<Output>,
    positions: BTreeMap<(Arc<str>, u32), u64>,
    ruleset: Option<Published>,
    state: ShardState,
    extra: CommitExtra,
}

impl Job {
    /// # Panics
    /// If the accounts are not sorted by id.
    pub(crate) fn new(commit: Commit, mut extra: CommitExtra, first_output: u64, seen_from_day: i32) -> Self {
        assert!(commit.accounts.is_sorted_by(|one, other| one.id < other.id), "accounts are sorted by id");
        let flight = Flight {
            accounts: commit.accounts,
            timers_removed: timer_keys(&commit.timers_removed),
            timers_added: timer_keys(&commit.timers_added),
            seen: commit.seen,
            seen_sorted: OnceLock::new(),
            seen_from: (commit.state.seen_from_day > seen_from_day).then_some(commit.state.seen_from_day),
        };
        let done = extra.done.take();
        let parts = Parts {
            first_output,
            outputs: commit.outputs,
            positions: commit.positions,
            ruleset: commit.ruleset,
            state: commit.state,
            extra,
        };
        Self { flight: Arc::new(flight), work: Work::Parts(Box::new(parts)), done }
    }

    /// Puts everything into a batch, which [`Self::built`] takes back.
    pub(crate) fn build(&mut self, builder: &mut Builder, batch: &mut Batch<'_>) {
        let work = std::mem::replace(&mut self.work, Work::Built(WriteBatch::default(), Vec::new()));
        if let Work::Parts(parts) = work {
            let sizes = builder.build(batch, &self.flight, *parts);
            self.work = Work::Built(WriteBatch::default(), sizes);
        }
    }

    /// Its batch, ready to be written.
    pub(crate) fn built(&mut self, writes: WriteBatch) {
        let sizes = match &mut self.work {
            Work::Built(_, sizes) => std::mem::take(sizes),
            Work::Parts(_) => Vec::new(),
        };
        self.work = Work::Built(writes, sizes);
    }
}

fn timer_keys(timers: &[(AccountId, Timer)]) -> Vec<Vec<u8>> {
    let mut keys: Vec<_> = timers.iter().map(|(id, timer)| key::timer(id, timer)).collect();
    keys.sort_unstable();
    keys
}

/// Writes commits one after the other.
pub(crate) struct Committer {
    database: Arc<Database>,
    durability: Durability,
    builder: Builder,
}

/// Makes batches of commits, and keeps what helps with the next.
#[derive(Default)]
pub(crate) struct Builder {
    /// Bytes of the largest batch: the next one starts with as many.
    batch_bytes: usize,
    /// As written last. The engine makes a new one for a change, so the same one needs no writing.
    broadcasts: Option<Arc<Broadcasts>>,
}

impl Committer {
    pub(crate) fn new(database: Arc<Database>, durability: Durability) -> Self {
        Self { database, durability, builder: Builder::default() }
    }

    /// Writes a commit and says so to who waits for it; gives the stored size of each account.
    pub(crate) fn write(&mut self, mut job: Job) -> Result<Vec<usize>, StoreError> {
        let done = job.done.take();
        let written = self.write_batch(job);
        fault::point("commit.before_done");
        if let Some(done) = done {
            done(written.as_ref().map(|_| ()).map_err(Clone::clone));
        }
        fault::point("commit.after_done");
        written
    }

    fn write_batch(&mut self, job: Job) -> Result<Vec<usize>, StoreError> {
        fault::point("commit.begin");
        let (writes, sizes) = match job.work {
            Work::Parts(parts) => {
                let database = Arc::clone(&self.database);
                let mut batch = database.batch_of(self.builder.batch_bytes);
                let sizes = self.builder.build(&mut batch, &job.flight, *parts);
                (batch.into_writes(), sizes)
            }
            Work::Built(writes, sizes) => (writes, sizes),
        };
        fault::point("commit.batch_built");
        fault::point("commit.before_write");
        self.database.write(writes, self.durability)?;
        fault::point("commit.after_write");
        Ok(sizes)
    }
}

impl Builder {
    /// Puts a commit into a batch; gives the stored size of each account.
    fn build(&mut self, batch: &mut Batch<'_>, flight: &Flight, parts: Parts) -> Vec<usize> {
        let sizes = write_accounts(batch, &flight.accounts);
        write_timers(batch, flight);
        write_positions(batch, &parts.positions);
        if let Some(published) = &parts.ruleset {
            write_ruleset(batch, &published.ruleset.hash, &published.files);
        }
        write_seen(batch, flight);
        let outputs = outputs::write(batch, parts.first_output, &parts.outputs, &parts.extra.outputs);
        journal::write(batch, parts.extra.journal.as_ref());
        write_meta(batch, outputs, &parts.extra);
        self.write_state(batch, parts.state);
        self.batch_bytes = self.batch_bytes.max(batch.bytes());
        sizes
    }

    fn write_state(&mut self, batch: &mut Batch<'_>, mut state: ShardState) {
        let broadcasts = std::mem::take(&mut state.broadcasts);
        batch.put_meta(Meta::State, &codec::encode_state(&state));
        if self.broadcasts.as_ref().is_none_or(|before| !Arc::ptr_eq(before, &broadcasts)) {
            let only = ShardState { broadcasts: Arc::clone(&broadcasts), ..ShardState::default() };
            batch.put_meta(Meta::Broadcasts, &codec::encode_state(&only));
            self.broadcasts = Some(broadcasts);
        }
    }
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

fn write_timers(batch: &mut Batch<'_>, flight: &Flight) {
    for key in &flight.timers_removed {
        batch.delete(Table::Timers, key);
    }
    let nothing = codec::versioned(&[]);
    for key in &flight.timers_added {
        batch.put(Table::Timers, key, &nothing);
    }
}

pub(crate) fn write_positions(batch: &mut Batch<'_>, positions: &BTreeMap<(Arc<str>, u32), u64>) {
    for ((input, partition), next) in positions {
        batch.put(Table::Positions, &key::position(input, *partition), &codec::encode_number(*next));
    }
}

/// Old days go last: a key of an old day in the same commit goes with them, as it would in a commit of its own.
fn write_seen(batch: &mut Batch<'_>, flight: &Flight) {
    for (key, content) in flight.seen_sorted() {
        batch.put(Table::Seen, &key::seen(*key), &codec::encode_number(*content));
    }
    if let Some(day) = flight.seen_from {
        let (start, _) = Table::Seen.range();
        batch.delete_range(Table::Seen, &start, &key::seen_day(day));
    }
}

fn write_meta(batch: &mut Batch<'_>, outputs: u64, extra: &CommitExtra) {
    batch.put_meta(Meta::Outputs, &codec::encode_number(outputs));
    batch.put_meta(Meta::OutLength, &codec::encode_number(extra.out_len));
    if let Some(path) = &extra.out_path {
        batch.put_meta(Meta::OutPath, &codec::versioned(path.as_bytes()));
    }
}

/// Keeps a ruleset and puts it in force.
pub(crate) fn write_ruleset(batch: &mut Batch<'_>, hash: &str, files: &[(String, String)]) {
    batch.put(Table::Rulesets, &key::ruleset(hash), &codec::encode_ruleset(hash, files));
    batch.put_meta(Meta::Ruleset, &codec::versioned(hash.as_bytes()));
}
