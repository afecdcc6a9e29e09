//! The same records through `engine::step`, in batches, with accounts in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::{
    Account, AccountId, Batch, Commit, Output, Record, Rows, Ruleset, SWEEP_ROWS_PER_RECORD, SWEEP_ROWS_PER_TICK,
    SeenKey, ShardState, Timer, Timestamp, concerned, step,
};

use crate::bare::Run;

/// What the shard's step gave.
#[derive(Clone, Debug)]
pub struct Stepped {
    /// The outputs in their order.
    pub outputs: Vec<Output>,
    /// The accounts at the end.
    pub accounts: BTreeMap<AccountId, Account>,
    /// The shard at the end.
    pub state: ShardState,
}

/// Steps over the records of a run, at most `batch_size` (at least 1) at a time.
pub fn run_step(run: &Run, ruleset: &Arc<Ruleset>, batch_size: usize) -> Stepped {
    let mut shard = Shard::new(ruleset);
    let mut from = 0;
    let ends = run.untils.iter().map(|(before, _, at)| (*before, Some(*at))).chain([(run.records.len(), None)]);
    for (to, until) in ends {
        for batch in run.records[from..to].chunks(batch_size.max(1)) {
            let records: Vec<Record> = batch.iter().map(|(_, record)| record.clone()).collect();
            shard.batch(&records);
        }
        if let Some(until) = until {
            shard.until(until);
        }
        from = to;
    }
    Stepped { outputs: shard.outputs, accounts: shard.accounts, state: shard.state }
}

struct Shard {
    ruleset: Arc<Ruleset>,
    state: ShardState,
    accounts: BTreeMap<AccountId, Account>,
    /// The timers as commits say: they must be those of the accounts.
    timers: Vec<(AccountId, Timer)>,
    seen: BTreeMap<SeenKey, u64>,
    outputs: Vec<Output>,
}

impl Shard {
    fn new(ruleset: &Arc<Ruleset>) -> Self {
        Self {
            ruleset: Arc::clone(ruleset),
            state: ShardState::default(),
            accounts: BTreeMap::new(),
            timers: Vec::new(),
            seen: BTreeMap::new(),
            outputs: Vec::new(),
        }
    }

    fn batch(&mut self, records: &[Record]) {
        let mut taken = 0;
        while taken < records.len() {
            taken += self.step(&records[taken..], None);
        }
    }

    /// Everything that is due up to an instant, and the rest of a sweep.
    fn until(&mut self, until: Timestamp) {
        loop {
            self.step(&[], Some(until));
            if self.state.sweep.is_none() {
                return;
            }
        }
    }

    /// One step; says how many records it took.
    fn step(&mut self, records: &[Record], tick: Option<Timestamp>) -> usize {
        let last = records.iter().map(|each| each.timestamp).chain(tick).max().unwrap_or_default();
        let timers = self.due(last.max(self.state.now));
        let of_records = records.iter().filter_map(|each| Some(Arc::clone(&each.event.as_ref().ok()?.account)));
        let mut ids: Vec<AccountId> = of_records.chain(timers.iter().map(|(account, _)| Arc::clone(account))).collect();
        let limit = if tick.is_some() { SWEEP_ROWS_PER_TICK } else { records.len() * SWEEP_ROWS_PER_RECORD };
        let rows = self.rows(limit, &mut ids);
        let accounts = self.loaded(ids).collect();
        let seen = self.seen.clone();
        let batch = Batch { records, timers, accounts, seen, rows, tick, ..Batch::default() };
        let commit = step(&self.ruleset, &self.state, batch);
        let taken = commit.taken;
        self.carry_out(commit);
        taken
    }

    /// The rows that a sweep passes next; the accounts that it touches join `touched`.
    fn rows(&self, limit: usize, touched: &mut Vec<AccountId>) -> Rows {
        let Some(sweep) = &self.state.sweep else { return Rows::default() };
        let behind = self.accounts.values().filter(|each| sweep.after.as_ref().is_none_or(|after| each.id > *after));
        let given: Vec<&Account> = behind.clone().take(limit).collect();
        let broadcasts = &self.state.broadcasts;
        let concerned = given.iter().filter(|each| concerned(&self.ruleset, broadcasts, each, sweep.target));
        touched.extend(concerned.map(|each| Arc::clone(&each.id)));
        Rows { ids: given.iter().map(|each| Arc::clone(&each.id)).collect(), end: given.len() == behind.count() }
    }

    fn due(&self, until: Timestamp) -> Vec<(AccountId, Timer)> {
        let mut due: Vec<_> = self.timers.iter().filter(|(_, timer)| timer.due <= until).cloned().collect();
        due.sort_by_key(|(account, timer)| (timer.due, Arc::clone(account), *timer));
        due
    }

    fn loaded(&self, mut ids: Vec<AccountId>) -> impl Iterator<Item = Box<Account>> {
        ids.sort();
        ids.dedup();
        ids.into_iter().filter_map(|id| self.accounts.get(&id)).cloned().map(Box::new)
    }

    fn carry_out(&mut self, commit: Commit) {
        self.timers.retain(|each| !commit.timers_removed.contains(each));
        self.timers.extend(commit.timers_added);
        self.accounts.extend(commit.accounts.into_iter().map(|each| (Arc::clone(&each.id), *each)));
        let kept: usize = self.accounts.values().map(|each| each.timers.len()).sum();
        assert_eq!(kept, self.timers.len(), "the table of timers holds the accounts' timers");
        self.seen.extend(commit.seen);
        self.outputs.extend(commit.outputs);
        self.state = commit.state;
        if let Some(published) = commit.ruleset {
            self.ruleset = published.ruleset;
        }
    }
}
