//! The lane loop's body: load what a batch touches, step, commit in one piece.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headroom_engine::{
    Account, AccountId, Batch, Commit, DAY, Record, Ruleset, SeenKey, ShardState, Timer, Timestamp, event_key, step,
    timers_step,
};
use headroom_store::{CommitExtra, Store, StoreError};
use headroom_wire::Names;

use crate::error::RunError;
use crate::out::{Out, publish};

/// Timers stepped at a time: bounds the accounts that one commit holds.
const TIMERS_MAX: usize = 5_000;

/// Where a lane's time went.
#[derive(Clone, Copy, Debug, Default)]
pub struct LaneTimes {
    /// Waiting for records.
    pub waiting: Duration,
    /// Looking up timers, accounts and seen keys.
    pub loading: Duration,
    /// Deciding.
    pub stepping: Duration,
    /// Writing outputs to the file.
    pub publishing: Duration,
    /// Writing and syncing the store.
    pub committing: Duration,
}

/// One shard being served.
pub struct Lane {
    store: Store,
    ruleset: Arc<Ruleset>,
    state: ShardState,
    out: Option<Out>,
    times: LaneTimes,
}

impl Lane {
    /// A lane over an open store, with the ruleset in force.
    pub fn new(store: Store, ruleset: Arc<Ruleset>, out: Option<Out>) -> Result<Self, StoreError> {
        let state = store.reader().state()?.unwrap_or_default();
        Ok(Self { store, ruleset, state, out, times: LaneTimes::default() })
    }

    /// The shard after the last commit.
    pub fn state(&self) -> &ShardState {
        &self.state
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

    /// Waits until everything committed is durable and readable.
    pub fn settle(&mut self) -> Result<(), RunError> {
        Ok(self.store.settle()?)
    }

    /// The ruleset in force.
    pub fn ruleset(&self) -> &Arc<Ruleset> {
        &self.ruleset
    }

    /// Steps over records and commits.
    pub fn batch(&mut self, records: Vec<Record>) -> Result<(), RunError> {
        let Some(until) = records.iter().map(|each| each.timestamp).max() else { return Ok(()) };
        let timers = self.due_timers(until.max(self.state.now))?;
        let started = Instant::now();
        let ids = touched(&records, &timers);
        let accounts = self.load(&ids)?;
        let seen = self.seen(&records)?;
        self.times.loading += started.elapsed();
        let started = Instant::now();
        let commit = step(&self.ruleset, &self.state, Batch { records, timers, accounts, seen });
        self.times.stepping += started.elapsed();
        self.commit(commit)
    }

    /// Fires everything that is due up to an instant, without records.
    pub fn advance(&mut self, until: Timestamp) -> Result<(), RunError> {
        let timers = self.due_timers(until)?;
        let ids = touched(&[], &timers);
        let accounts = self.load(&ids)?;
        let mut commit = timers_step(&self.ruleset, &self.state, timers, accounts);
        commit.state.now = commit.state.now.max(until);
        self.commit(commit)
    }

    /// The timers that are due. Many of them are stepped first, in chunks, so that no batch holds them all.
    fn due_timers(&mut self, until: Timestamp) -> Result<Vec<(AccountId, Timer)>, RunError> {
        loop {
            let timers = self.store.due_timers(until, None, TIMERS_MAX)?;
            if timers.len() < TIMERS_MAX {
                return Ok(timers);
            }
            let ids = touched(&[], &timers);
            let accounts = self.load(&ids)?;
            let commit = timers_step(&self.ruleset, &self.state, timers, accounts);
            self.commit(commit)?;
        }
    }

    #[expect(clippy::vec_box, reason = "an account is about a kilobyte: moving the pointer is what the box is for")]
    fn load(&mut self, ids: &[AccountId]) -> Result<Vec<Box<Account>>, StoreError> {
        self.store.load_accounts(ids)
    }

    fn seen(&self, records: &[Record]) -> Result<BTreeMap<SeenKey, u64>, StoreError> {
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
    fn commit(&mut self, commit: Commit) -> Result<(), RunError> {
        let rules = commit.ruleset.as_ref().map_or(&self.ruleset.names, |each| &each.ruleset.names);
        let names = Names { rules, broadcasts: &commit.state.broadcasts };
        let started = Instant::now();
        let outputs = publish(&commit.outputs, names);
        let out_len = match &mut self.out {
            Some(out) => out.write(&outputs)?,
            None => 0,
        };
        let encoded = outputs.iter().map(headroom_wire::output_to_protobuf).collect();
        self.times.publishing += started.elapsed();
        let started = Instant::now();
        let (state, published) = (commit.state.clone(), commit.ruleset.clone());
        let out_path = self.out.as_ref().map(|out| out.path().to_string_lossy().into_owned());
        self.store.commit(commit, CommitExtra { outputs: encoded, out_len, out_path, ..CommitExtra::default() })?;
        self.times.committing += started.elapsed();
        self.state = state;
        if let Some(published) = published {
            self.ruleset = published.ruleset;
        }
        Ok(())
    }
}

/// The accounts that records and timers touch, each once, sorted.
fn touched(records: &[Record], timers: &[(AccountId, Timer)]) -> Vec<AccountId> {
    let events = records.iter().filter_map(|each| each.event.as_ref().ok());
    let ids: BTreeSet<AccountId> = events
        .filter(|event| !event.body.is_broadcast())
        .map(|event| Arc::clone(&event.account))
        .chain(timers.iter().map(|(account, _)| Arc::clone(account)))
        .collect();
    ids.into_iter().collect()
}
