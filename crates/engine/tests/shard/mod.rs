//! A shard in memory: what the lane loop does around `step`, with accounts, timers and seen keys in maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::{
    Account, AccountEvent, AccountId, Batch, Body, Commit, DAY, Event, Output, Position, Precision, Provenance, Record,
    Rows, Ruleset, SeenKey, ShardState, Timer, Timestamp, concerned, step,
};
use headroom_policy::Currency;

/// Yuan: the built-in rules have amounts for it.
pub const CNY: Currency = Currency(*b"CNY");
/// 2025-01-01T00:00Z.
pub const START: Timestamp = Timestamp(1_735_689_600_000);

/// A shard and everything that it ever gave out.
pub struct Shard {
    pub ruleset: Arc<Ruleset>,
    pub state: ShardState,
    pub accounts: BTreeMap<AccountId, Box<Account>>,
    pub seen: BTreeMap<SeenKey, u64>,
    pub outputs: Vec<Output>,
    /// Rows given to a step at most.
    pub rows_max: usize,
}

impl Shard {
    pub fn new(ruleset: &Arc<Ruleset>) -> Self {
        Self {
            ruleset: Arc::clone(ruleset),
            state: ShardState::default(),
            accounts: BTreeMap::new(),
            seen: BTreeMap::new(),
            outputs: Vec::new(),
            rows_max: 16,
        }
    }

    pub fn batch(&mut self, records: Vec<Record>) {
        let mut rest = records.as_slice();
        while !rest.is_empty() {
            let batch = self.prepared(rest, None);
            rest = &rest[self.stepped(batch).taken..];
        }
    }

    /// A batch with everything that it touches.
    pub fn prepared<'a>(&self, records: &'a [Record], tick: Option<Timestamp>) -> Batch<'a> {
        let last = records.iter().map(|each| each.timestamp).chain(tick).max().unwrap_or_default();
        let timers = self.due(last.max(self.state.now));
        let of_records = records.iter().filter_map(|each| Some(Arc::clone(&each.event.as_ref().ok()?.account)));
        let mut ids: Vec<AccountId> = of_records.chain(timers.iter().map(|(id, _)| Arc::clone(id))).collect();
        let rows = self.rows(&mut ids);
        let accounts = self.loaded(ids.into_iter()).collect();
        Batch { records, timers, accounts, seen: self.seen.clone(), rows, tick, ..Batch::default() }
    }

    /// The rows that a sweep passes next, [`Self::rows_max`] of them; the accounts that it touches join `ids`.
    fn rows(&self, ids: &mut Vec<AccountId>) -> Rows {
        let Some(sweep) = &self.state.sweep else { return Rows::default() };
        let behind: Vec<&Account> = self.accounts.values().map(|each| &**each).collect();
        let from = behind.partition_point(|each| sweep.after.as_ref().is_some_and(|after| each.id <= *after));
        let given = &behind[from..behind.len().min(from + self.rows_max)];
        let broadcasts = &self.state.broadcasts;
        let concerned = given.iter().filter(|each| concerned(&self.ruleset, broadcasts, each, sweep.target));
        ids.extend(concerned.map(|each| Arc::clone(&each.id)));
        let end = from + given.len() == behind.len();
        Rows { ids: given.iter().map(|each| Arc::clone(&each.id)).collect(), end }
    }

    /// Steps, and carries the commit out.
    pub fn stepped(&mut self, batch: Batch<'_>) -> Commit {
        let commit = step(&self.ruleset, &self.state, batch);
        self.take(commit.clone());
        commit
    }

    /// The timers that are due, in order.
    pub fn due(&self, until: Timestamp) -> Vec<(AccountId, Timer)> {
        let all =
            self.accounts.values().flat_map(|each| each.timers.iter().map(|timer| (Arc::clone(&each.id), *timer)));
        let mut due: Vec<_> = all.filter(|(_, timer)| timer.due <= until).collect();
        due.sort_by_key(|(account, timer)| (timer.due, Arc::clone(account), *timer));
        due
    }

    pub fn loaded(&self, ids: impl Iterator<Item = AccountId>) -> impl Iterator<Item = Box<Account>> {
        let mut ids: Vec<AccountId> = ids.collect();
        ids.sort();
        ids.dedup();
        ids.into_iter().filter_map(|id| self.accounts.get(&id).cloned())
    }

    pub fn take(&mut self, commit: Commit) {
        self.accounts.extend(commit.accounts.into_iter().map(|each| (Arc::clone(&each.id), each)));
        self.seen.extend(commit.seen);
        self.outputs.extend(commit.outputs);
        self.state = commit.state;
        if let Some(published) = commit.ruleset {
            self.ruleset = published.ruleset;
        }
    }

    /// One record, its open ids filled in from what the shard knows: offers, reviews and sequences have no other source.
    pub fn one(&mut self, mut event: Event, at: Timestamp) -> Record {
        self.resolve(&mut event);
        let record = record(event, at, self.state.totals.events);
        self.batch(vec![record.clone()]);
        record
    }

    fn resolve(&self, event: &mut Event) {
        let Some(account) = self.accounts.get(&event.account) else { return };
        let Body::Account(body) = &mut event.body else { return };
        match body {
            AccountEvent::OfferAnswered { offer_id, .. } => {
                *offer_id = account.memory.offers.last().map_or_else(String::new, |each| format!("{:032x}", each.id));
            }
            AccountEvent::ReviewResolved { review_id, .. } => {
                *review_id = account.memory.reviews.last().map_or_else(String::new, |each| format!("{:032x}", each.id));
            }
            AccountEvent::LedgerSnapshot { last_applied_sequence, .. } => *last_applied_sequence = account.sequence,
            _ => {}
        }
    }
}

/// An event that stands as a record of its own.
pub fn record(event: Event, at: Timestamp, offset: u64) -> Record {
    let text = format!("{event:?}");
    Record {
        position: Position { input: Arc::from("test"), partition: 0, offset },
        timestamp: at,
        content: xxhash_rust::xxh3::xxh3_64(text.as_bytes()),
        event: Ok(event),
        original: Arc::from(text.as_bytes()),
        encoding: "json",
        around: None,
        replayed: false,
    }
}

/// An event of a test; a broadcast has no account.
pub fn event(id: &str, account: &str, at: Timestamp, body: Body) -> Event {
    let account = if body.is_broadcast() { "" } else { account };
    Event {
        id: id.to_owned(),
        source: "test".to_owned(),
        account: AccountId::from(account),
        occurred_at: at,
        provenance: Provenance::Fact,
        precision: Precision::Second,
        body,
    }
}

/// So many days after [`START`].
pub fn day(days: i64) -> Timestamp {
    START.plus(days * DAY)
}

/// A ruleset of files.
pub fn load(files: &[(String, String)]) -> Arc<Ruleset> {
    let loaded = Ruleset::load(files);
    let shown = |reports: Vec<headroom_engine::FileReport>| -> String {
        reports.iter().map(|each| each.render(false)).collect()
    };
    Arc::new(loaded.unwrap_or_else(|reports| panic!("{}", shown(reports))))
}
