//! A shard whose accounts are in memory: `engine::step` without store and log.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use headroom_engine::{
    Account, AccountId, Batch, Commit, DAY, Record, Rows, Ruleset, SWEEP_ROWS_PER_RECORD, SWEEP_ROWS_PER_TICK, SeenKey,
    ShardState, Timer, Timestamp, concerned, event_key, step,
};

/// A shard in memory. It keeps every account and every key of an event: for tests and tools.
#[derive(Debug)]
pub struct MemoryShard {
    ruleset: Arc<Ruleset>,
    state: ShardState,
    accounts: BTreeMap<AccountId, Box<Account>>,
    /// As commits say: they must be those of the accounts.
    timers: BTreeSet<(Timestamp, AccountId, Timer)>,
    seen: BTreeMap<SeenKey, u64>,
    watched: bool,
}

impl MemoryShard {
    /// An empty shard under a ruleset. `watched`: its commits tell what every condition gave.
    pub fn new(ruleset: &Arc<Ruleset>, watched: bool) -> Self {
        Self {
            ruleset: Arc::clone(ruleset),
            state: ShardState::default(),
            accounts: BTreeMap::new(),
            timers: BTreeSet::new(),
            seen: BTreeMap::new(),
            watched,
        }
    }

    /// Takes records in; each commit goes to `told` before it is carried out, its accounts, timers and state aside,
    /// which the shard has then.
    pub fn records(&mut self, records: &[Record], told: &mut dyn FnMut(&Commit)) {
        let mut taken = 0;
        while taken < records.len() {
            taken += self.step(&records[taken..], None, told);
        }
    }

    /// Everything that is due up to an instant, and the rest of a sweep.
    pub fn until(&mut self, until: Timestamp, told: &mut dyn FnMut(&Commit)) {
        loop {
            self.step(&[], Some(until), told);
            if self.state.sweep.is_none() {
                return;
            }
        }
    }

    /// The ruleset in force.
    pub fn ruleset(&self) -> &Arc<Ruleset> {
        &self.ruleset
    }

    /// What the shard remembers beside accounts.
    pub fn state(&self) -> &ShardState {
        &self.state
    }

    /// One account.
    pub fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.get(id).map(|each| &**each)
    }

    /// All accounts, by id.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().map(|each| &**each)
    }

    /// How many timers are stored.
    pub fn timers(&self) -> usize {
        self.timers.len()
    }

    /// One step; says how many records it took.
    fn step(&mut self, records: &[Record], tick: Option<Timestamp>, told: &mut dyn FnMut(&Commit)) -> usize {
        let last = records.iter().map(|each| each.timestamp).chain(tick).max().unwrap_or_default();
        let timers = self.due(last.max(self.state.now));
        let of_records = records.iter().filter_map(|each| Some(Arc::clone(&each.event.as_ref().ok()?.account)));
        let mut ids: Vec<AccountId> = of_records.chain(timers.iter().map(|(account, _)| Arc::clone(account))).collect();
        let limit = if tick.is_some() { SWEEP_ROWS_PER_TICK } else { records.len() * SWEEP_ROWS_PER_RECORD };
        let rows = self.rows(limit, &mut ids);
        let (accounts, seen) = (self.loaded(ids).collect(), self.seen_before(records));
        let batch =
            Batch { records, timers, accounts, seen, rows, tick, watched: self.watched, cancelled: BTreeSet::new() };
        let commit = step(&self.ruleset, &self.state, batch);
        let taken = commit.taken;
        told(&commit);
        self.carry_out(commit);
        taken
    }

    fn seen_before(&self, records: &[Record]) -> BTreeMap<SeenKey, u64> {
        let events = records.iter().filter_map(|each| each.event.as_ref().ok());
        let day = |at: Timestamp| i32::try_from(at.0.div_euclid(DAY)).unwrap_or(i32::MAX);
        let keys = events.map(|event| SeenKey { day: day(event.occurred_at), hash: event_key(event) });
        keys.filter_map(|key| Some((key, *self.seen.get(&key)?))).collect()
    }

    /// The rows that a sweep passes next; the accounts that it touches join `touched`.
    fn rows(&self, limit: usize, touched: &mut Vec<AccountId>) -> Rows {
        let Some(sweep) = &self.state.sweep else { return Rows::default() };
        let from = sweep.after.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let mut behind = self.accounts.range((from, Bound::Unbounded));
        let given: Vec<&Account> = behind.by_ref().take(limit).map(|(_, account)| &**account).collect();
        let broadcasts = &self.state.broadcasts;
        let concerned = given.iter().filter(|each| concerned(&self.ruleset, broadcasts, each, sweep.target));
        touched.extend(concerned.map(|each| Arc::clone(&each.id)));
        Rows { ids: given.iter().map(|each| Arc::clone(&each.id)).collect(), end: behind.next().is_none() }
    }

    fn due(&self, until: Timestamp) -> Vec<(AccountId, Timer)> {
        let due = self.timers.iter().take_while(|(due, ..)| *due <= until);
        due.map(|(_, account, timer)| (Arc::clone(account), *timer)).collect()
    }

    fn loaded(&self, mut ids: Vec<AccountId>) -> impl Iterator<Item = Box<Account>> {
        ids.sort();
        ids.dedup();
        ids.into_iter().filter_map(|id| self.accounts.get(&id)).cloned()
    }

    fn carry_out(&mut self, commit: Commit) {
        for (account, timer) in commit.timers_removed {
            self.timers.remove(&(timer.due, account, timer));
        }
        self.timers.extend(commit.timers_added.into_iter().map(|(account, timer)| (timer.due, account, timer)));
        self.accounts.extend(commit.accounts.into_iter().map(|each| (Arc::clone(&each.id), each)));
        self.seen.extend(commit.seen);
        self.state = commit.state;
        if let Some(published) = commit.ruleset {
            self.ruleset = published.ruleset;
        }
    }
}
