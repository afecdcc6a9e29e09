//! The lane loop's body: load what a batch touches, step, commit in one piece. The same for files and for the log.

mod careful;
mod journal;
mod poison;
mod staging;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headroom_engine::{
    Account, AccountId, Batch, Cancelled, Commit, DAY, Record, Rows, Ruleset, SWEEP_ROWS_PER_RECORD,
    SWEEP_ROWS_PER_TICK, SeenKey, ShardState, Timer, Timestamp, concerned, event_key, step, timers_step,
};
use headroom_store::{CommitExtra, Store, StoreError, fault};
use headroom_wire::{Journal, JournalWriter, Names, encode_journal, proto};

use crate::error::RunError;
use crate::out::{Out, publish};
use crate::service::LOG_INPUT;
use careful::{Care, guarded};
use journal::Chain;
use poison::Work;

pub use staging::StagedPiece;

pub use careful::poisoned;
pub use journal::{decode as decode_journal, input_digest, outputs_digest, parse_cancelled};

/// Timers stepped at a time where nothing else is said.
const TIMERS_MAX: usize = 5_000;
/// Rows that one piece of a sweep passes at most: a larger batch is cut, which changes no decision.
const ROWS_MAX: usize = 20_000;

/// Where a lane's time went.
#[derive(Clone, Copy, Debug, Default)]
pub struct LaneTimes {
    /// Waiting for records.
    pub waiting: Duration,
    /// Looking up timers, accounts and seen keys.
    pub loading: Duration,
    /// Deciding.
    pub stepping: Duration,
    /// Encoding outputs and the journal, writing outputs to the file.
    pub publishing: Duration,
    /// Handing over to the store, and waiting for the write before.
    pub committing: Duration,
}

/// What was decided in one piece; not durable yet.
#[derive(Debug)]
pub struct Piece<'a> {
    /// The records that it took.
    pub records: &'a [Record],
    /// What was decided.
    pub commit: &'a Commit,
    /// Its outputs as published.
    pub outputs: &'a [proto::Output],
    /// The sequence behind its last output.
    pub outputs_end: u64,
}

/// Called by the store's writer once a piece is durable, or is not going to be.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Hears of every piece before it is written, and says whom to call when it is.
pub type Tell<'a> = &'a mut dyn FnMut(Piece<'_>) -> Option<Done>;

/// What makes a lane's decisions count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Commits {
    /// The store's write: embedded mode, and files.
    #[default]
    AtOnce,
    /// A transaction: pieces are staged in the store until [`Lane::release`] or [`Lane::abandon`].
    Staged,
}

/// What the next commit stands on.
#[derive(Clone, Debug)]
struct Head {
    ruleset: Arc<Ruleset>,
    state: ShardState,
    outputs: u64,
    chain: Chain,
}

/// Who a lane writes for.
#[derive(Clone, Debug)]
pub struct LaneOptions {
    /// Its number: the partition of its log.
    pub shard: u32,
    /// Named in the journal.
    pub writer: JournalWriter,
    /// Hash of the settings, for the journal.
    pub config_hash: String,
    /// Timers stepped at a time: bounds the accounts that one commit holds.
    pub timers_max: usize,
    /// What makes its decisions count.
    pub commits: Commits,
    /// Where the inputs of a new shard begin: written with its first ruleset.
    pub first_positions: BTreeMap<(Arc<str>, u32), u64>,
}

impl Default for LaneOptions {
    fn default() -> Self {
        Self {
            shard: 0,
            writer: JournalWriter::default(),
            config_hash: String::new(),
            timers_max: TIMERS_MAX,
            commits: Commits::AtOnce,
            first_positions: BTreeMap::new(),
        }
    }
}

/// What a new shard's journal begins with.
#[derive(Debug)]
struct First {
    rules: Vec<(String, String)>,
    positions: BTreeMap<(Arc<str>, u32), u64>,
}

/// One shard being served.
pub struct Lane {
    store: Store,
    head: Head,
    /// What each staged commit stood on, oldest first.
    before: VecDeque<Head>,
    /// Staged since they were last taken.
    pieces: Vec<StagedPiece>,
    /// The first ruleset and where inputs begin, until they are committed.
    first: Option<First>,
    waited_out: bool,
    out: Option<Out>,
    shard: u32,
    timers_max: usize,
    commits: Commits,
    care: Care,
    times: LaneTimes,
}

impl Lane {
    /// A lane over an open store. `rules` (path and text of files) come into force if the store has none, or if
    /// `replace` is set and it has others.
    pub fn open(
        store: Store,
        rules: &[(String, String)],
        replace: bool,
        out: Option<Out>,
        options: LaneOptions,
    ) -> Result<Self, RunError> {
        let state = store.reader().state()?.unwrap_or_default();
        let chain = Chain::behind(store.reader(), options.writer, options.config_hash)?;
        let Seed { ruleset, is_new } = seed(&store, rules, replace)?;
        let outputs = store.reader().outputs_count()?;
        let care = Care::read(store.reader())?;
        let mut lane = Self {
            store,
            head: Head { ruleset, state, outputs, chain },
            before: VecDeque::new(),
            pieces: Vec::new(),
            first: None,
            waited_out: false,
            out,
            shard: options.shard,
            timers_max: options.timers_max.max(1),
            commits: options.commits,
            care,
            times: LaneTimes::default(),
        };
        if is_new && options.commits == Commits::Staged {
            lane.first = Some(First { rules: rules.to_vec(), positions: options.first_positions });
        } else if is_new {
            lane.put_ruleset(rules)?;
        }
        Ok(lane)
    }

    /// The shard after the last commit.
    pub fn state(&self) -> &ShardState {
        &self.head.state
    }

    /// Where the time went so far; waiting is the caller's to count.
    pub fn times(&self) -> LaneTimes {
        self.times
    }

    /// Counts time that the caller spent waiting for records.
    pub fn waited(&mut self, time: Duration) {
        self.times.waiting += time;
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The store, for what is done between rounds.
    pub fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }

    /// The ruleset in force.
    pub fn ruleset(&self) -> &Arc<Ruleset> {
        &self.head.ruleset
    }

    /// The sequence behind the last output.
    pub fn outputs_end(&self) -> u64 {
        self.head.outputs
    }

    /// Steps over records, then moves the clock to `tick` if it is given, and hands everything to the store's writer.
    pub fn round(&mut self, records: &[Record], tick: Option<Timestamp>, tell: Tell<'_>) -> Result<(), RunError> {
        if self.care.is_needed() {
            return self.carefully(records, tick, tell);
        }
        let done = self.pieces(records, tick, &BTreeSet::new(), tell)?;
        match done {
            Pieces::All => Ok(()),
            Pieces::Panicked { taken } => self.carefully(&records[taken..], tick, tell),
        }
    }

    /// The next round holds records although a partition that was behind gave nothing: its journal record says so
    /// (PROTOCOL P1).
    pub fn mark_waited_out(&mut self) {
        self.waited_out = true;
    }

    /// Fires everything that is due up to an instant, and finishes what is being swept.
    pub fn advance(&mut self, until: Timestamp) -> Result<(), RunError> {
        loop {
            self.round(&[], Some(until.max(self.head.state.now)), &mut |_| None)?;
            if self.head.state.sweep.is_none() {
                return Ok(());
            }
        }
    }

    /// The earliest timer that is due at or before an instant, if there is one.
    pub fn has_due(&mut self, until: Timestamp) -> Result<bool, StoreError> {
        Ok(!self.store.due_timers(until, None, 1)?.is_empty())
    }

    /// Does again what was done once: steps that panicked then are named in `cancelled`.
    ///
    /// # Errors
    /// What the store says; a panic that was not there the first time.
    pub fn again(
        &mut self,
        records: &[Record],
        tick: Option<Timestamp>,
        cancelled: &BTreeSet<Cancelled>,
        tell: Tell<'_>,
    ) -> Result<(), RunError> {
        match self.pieces(records, tick, cancelled, tell)? {
            Pieces::All => Ok(()),
            Pieces::Panicked { .. } => Err(RunError::Poisoned),
        }
    }

    /// Puts another ruleset in force, without a control record.
    ///
    /// # Errors
    /// What loading and the store say.
    pub fn reseed(&mut self, rules: &[(String, String)]) -> Result<(), RunError> {
        let Seed { ruleset, is_new } = seed(&self.store, rules, true)?;
        self.head.ruleset = ruleset;
        if is_new { self.put_ruleset(rules) } else { Ok(()) }
    }

    fn put_ruleset(&mut self, rules: &[(String, String)]) -> Result<(), RunError> {
        let hash = Arc::clone(&self.head.ruleset.hash);
        let record = self.head.chain.seeded(&hash, self.head.state.now);
        self.store.put_ruleset(&hash, rules, Some(entry(&record)))?;
        Ok(())
    }

    /// The offset of the first record of the embedded log that is not decided.
    ///
    /// # Errors
    /// What the store says.
    pub fn log_position(&self) -> Result<u64, StoreError> {
        let positions = self.store.reader().positions()?;
        Ok(positions.get(&(Arc::from(LOG_INPUT), self.shard)).copied().unwrap_or(0))
    }

    /// The sequence of the next journal record.
    pub fn journal_end(&self) -> u64 {
        self.head.chain.next()
    }

    /// Waits until everything is durable.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        let started = Instant::now();
        let settled = self.store.settle();
        self.times.committing += started.elapsed();
        settled
    }

    /// Steps and commits piece by piece, as far as steps get.
    fn pieces(
        &mut self,
        records: &[Record],
        tick: Option<Timestamp>,
        cancelled: &BTreeSet<Cancelled>,
        tell: Tell<'_>,
    ) -> Result<Pieces, RunError> {
        let mut taken = 0;
        loop {
            let Some(commit) = self.step(&records[taken..], tick, cancelled)? else {
                return Ok(Pieces::Panicked { taken });
            };
            let (ticked, piece) = (commit.tick.is_some(), &records[taken..taken + commit.taken]);
            taken += commit.taken;
            self.commit(commit, piece, tell)?;
            if taken == records.len() && (ticked || tick.is_none()) {
                return Ok(Pieces::All);
            }
        }
    }

    /// One step; `None`: it panicked.
    fn step(
        &mut self,
        records: &[Record],
        tick: Option<Timestamp>,
        cancelled: &BTreeSet<Cancelled>,
    ) -> Result<Option<Commit>, RunError> {
        let started = Instant::now();
        let (records, timers, tick) = match self.due(records, tick)? {
            Due::Chunk(timers) => {
                self.times.loading += started.elapsed();
                return self.timers(timers, cancelled);
            }
            Due::With { records, timers, tick } => (records, timers, tick),
        };
        let (rows, swept) = self.rows(records.len(), tick)?;
        let ids = touched(records, &timers, &swept);
        let accounts = self.load(&ids)?;
        let seen = self.seen(records)?;
        self.times.loading += started.elapsed();
        fault::point("lane.loaded");
        let started = Instant::now();
        let work = Work { records, timers: &timers, swept: &swept, cancelled };
        let stepped = guarded(|| {
            poison::strike(&work);
            let (timers, cancelled) = (timers.clone(), cancelled.clone());
            let batch = Batch { records, timers, accounts, seen, rows, tick, cancelled, watched: false };
            step(&self.head.ruleset, &self.head.state, batch)
        });
        self.times.stepping += started.elapsed();
        fault::point("lane.stepped");
        Ok(stepped)
    }

    /// The timers that fire before records and a tick. Where there are very many, either a chunk of them goes first, or
    /// only those records are taken whose timers are all at hand: no batch holds all, and no timer fires too early.
    fn due<'a>(&mut self, records: &'a [Record], tick: Option<Timestamp>) -> Result<Due<'a>, StoreError> {
        let mut now = self.head.state.now;
        let last = records.iter().map(|each| each.timestamp).max().max(tick).unwrap_or_default().max(now);
        let mut timers = self.store.due_timers(last, None, self.timers_max)?;
        let Some((_, newest)) = timers.last().filter(|_| timers.len() == self.timers_max) else {
            return Ok(Due::With { records, timers, tick });
        };
        let newest = newest.due;
        let mut fit = 0;
        for record in records {
            if now.max(record.timestamp) >= newest {
                break;
            }
            now = now.max(record.timestamp);
            fit += 1;
        }
        if fit == 0 {
            return Ok(Due::Chunk(timers));
        }
        timers.retain(|(_, timer)| timer.due <= now);
        Ok(Due::With { records: &records[..fit], timers, tick: None })
    }

    /// Many timers are stepped by themselves, in chunks.
    fn timers(
        &mut self,
        timers: Vec<(AccountId, Timer)>,
        cancelled: &BTreeSet<Cancelled>,
    ) -> Result<Option<Commit>, RunError> {
        let accounts = self.load(&touched(&[], &timers, &[]))?;
        let started = Instant::now();
        let work = Work { records: &[], timers: &timers, swept: &[], cancelled };
        let stepped = guarded(|| {
            poison::strike(&work);
            timers_step(&self.head.ruleset, &self.head.state, timers.clone(), accounts, cancelled.clone())
        });
        self.times.stepping += started.elapsed();
        fault::point("timers.stepped");
        Ok(stepped)
    }

    /// What a sweep needs for so many records and a tick, if one is on its way.
    fn rows(&mut self, records: usize, tick: Option<Timestamp>) -> Result<(Rows, Vec<AccountId>), StoreError> {
        let Some(sweep) = &self.head.state.sweep else { return Ok((Rows::default(), Vec::new())) };
        let of_tick = if tick.is_some() { SWEEP_ROWS_PER_TICK } else { 0 };
        let wanted = (SWEEP_ROWS_PER_RECORD * records + of_tick).min(ROWS_MAX);
        let (ruleset, broadcasts, target) = (&self.head.ruleset, &self.head.state.broadcasts, sweep.target);
        let rows = self
            .store
            .rows_after(sweep.after.as_deref(), wanted, |account| concerned(ruleset, broadcasts, account, target))?;
        fault::point("sweep.rows");
        Ok((Rows { ids: rows.ids, end: rows.end }, rows.concerned))
    }

    #[expect(clippy::vec_box, reason = "an account is about a kilobyte: moving the pointer is what the box is for")]
    fn load(&mut self, ids: &[AccountId]) -> Result<Vec<Box<Account>>, StoreError> {
        self.store.load_accounts(ids)
    }

    fn seen(&mut self, records: &[Record]) -> Result<BTreeMap<SeenKey, u64>, StoreError> {
        let events = records.iter().filter_map(|each| each.event.as_ref().ok());
        let keys: Vec<SeenKey> = events
            .map(|event| SeenKey {
                day: i32::try_from(event.occurred_at.0.div_euclid(DAY)).unwrap_or(i32::MAX),
                hash: event_key(event),
            })
            .collect();
        let found = self.store.seen(&keys)?;
        Ok(keys.into_iter().zip(found).filter_map(|(key, content)| Some((key, content?))).collect())
    }

    /// Outputs to the file, then everything to the store in one write: what the file has beyond it is cut back.
    fn commit(&mut self, commit: Commit, taken: &[Record], tell: Tell<'_>) -> Result<(), RunError> {
        let started = Instant::now();
        let rules = commit.ruleset.as_ref().map_or(&self.head.ruleset.names, |each| &each.ruleset.names);
        let names = Names { rules, broadcasts: &commit.state.broadcasts };
        let outputs = publish(&commit.outputs, names);
        let out_len = match &mut self.out {
            Some(out) => out.write(&outputs)?,
            None => 0,
        };
        fault::point("lane.published");
        let out_path = self.out.as_ref().map(|out| out.path().to_string_lossy().into_owned());
        let encoded: Vec<Vec<u8>> = outputs.iter().map(headroom_wire::output_to_protobuf).collect();
        let hash = commit.ruleset.as_ref().map_or(&self.head.ruleset.hash, |each| &each.ruleset.hash).to_string();
        let mut journal = self.head.chain.record(&commit, taken, &encoded, self.head.outputs, &hash);
        journal.waited_out = std::mem::take(&mut self.waited_out);
        let outputs_end = self.head.outputs + encoded.len() as u64;
        let done = tell(Piece { records: taken, commit: &commit, outputs: &outputs, outputs_end });
        self.times.publishing += started.elapsed();
        let started = Instant::now();
        let before = (self.commits == Commits::Staged).then(|| self.head.clone());
        self.head.state = commit.state.clone();
        self.head.outputs = outputs_end;
        if let Some(published) = &commit.ruleset {
            self.head.ruleset = Arc::clone(&published.ruleset);
        }
        let extra = CommitExtra { outputs: encoded, out_len, out_path, journal: None, done };
        match self.commits {
            Commits::AtOnce => {
                let journal = Some(entry(&self.head.chain.seal(journal)));
                self.store.commit(commit, CommitExtra { journal, ..extra })?;
            }
            Commits::Staged => {
                self.before.extend(before);
                self.stage(commit, extra, (journal, outputs))?;
            }
        }
        fault::point("lane.handed_over");
        self.times.committing += started.elapsed();
        Ok(())
    }
}

/// What a step begins with.
enum Due<'a> {
    /// Timers by themselves.
    Chunk(Vec<(AccountId, Timer)>),
    /// Records and a tick, with every timer that fires before them.
    With { records: &'a [Record], timers: Vec<(AccountId, Timer)>, tick: Option<Timestamp> },
}

/// How far pieces got.
enum Pieces {
    All,
    Panicked { taken: usize },
}

fn entry(journal: &Journal) -> (u64, Vec<u8>) {
    (journal.seq, encode_journal(journal))
}

/// A ruleset, and whether the store must still put it in force.
struct Seed {
    ruleset: Arc<Ruleset>,
    is_new: bool,
}

/// The ruleset in force; that of files comes into force before the first record if the store has none or another.
fn seed(store: &Store, files: &[(String, String)], replace: bool) -> Result<Seed, RunError> {
    let stored = store.reader().ruleset_hash()?;
    let known = match &stored {
        Some(hash) => store.reader().ruleset(hash)?,
        None => None,
    };
    if let Some(known) = known.filter(|_| !replace) {
        let ruleset = Arc::new(Ruleset::load(&known).map_err(RunError::Ruleset)?);
        return Ok(Seed { ruleset, is_new: false });
    }
    let ruleset = Arc::new(Ruleset::load(files).map_err(RunError::Ruleset)?);
    let is_new = stored.as_deref() != Some(&*ruleset.hash);
    Ok(Seed { ruleset, is_new })
}

/// The accounts that records, timers and a sweep touch, each once, sorted.
fn touched(records: &[Record], timers: &[(AccountId, Timer)], swept: &[AccountId]) -> Vec<AccountId> {
    let events = records.iter().filter_map(|each| each.event.as_ref().ok());
    let ids: BTreeSet<AccountId> = events
        .filter(|event| !event.body.is_broadcast())
        .map(|event| Arc::clone(&event.account))
        .chain(timers.iter().map(|(account, _)| Arc::clone(account)))
        .chain(swept.iter().cloned())
        .collect();
    ids.into_iter().collect()
}
