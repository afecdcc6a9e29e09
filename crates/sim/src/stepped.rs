//! The same records through `engine::step`, in batches, with accounts in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::{
    Account, AccountId, Batch, Commit, Output, Record, Ruleset, SeenKey, ShardState, Timer, Timestamp, step,
    timers_step,
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
            shard.batch(batch.iter().map(|(_, record)| record.clone()).collect());
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

    fn batch(&mut self, records: Vec<Record>) {
        let last = records.iter().map(|each| each.timestamp).max().unwrap_or_default().max(self.state.now);
        let timers = self.due(last);
        let of_records = records.iter().filter_map(|each| Some(Arc::clone(&each.event.as_ref().ok()?.account)));
        let of_timers = timers.iter().map(|(account, _)| Arc::clone(account));
        let accounts = self.loaded(of_records.chain(of_timers).collect()).collect();
        let batch = Batch { records, timers, accounts, seen: self.seen.clone() };
        let commit = step(&self.ruleset, &self.state, batch);
        self.carry_out(commit);
    }

    /// Timers up to an instant, those that timers set included.
    fn until(&mut self, until: Timestamp) {
        loop {
            let timers = self.due(until);
            if timers.is_empty() {
                return;
            }
            let accounts = self.loaded(timers.iter().map(|(account, _)| Arc::clone(account)).collect()).collect();
            let commit = timers_step(&self.ruleset, &self.state, timers, accounts);
            self.carry_out(commit);
        }
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
