//! A generated season, and a shard whose accounts all stay in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use headroom_engine::{
    Account, AccountId, Asked, Batch, Commit, Position, Record, Rows, Ruleset, SWEEP_ROWS_PER_RECORD, ShardState,
    Timer, concerned, step,
};
use headroom_sources::{SeasonPlan, generate, read_ruleset_dir};
use headroom_wire::decode_protobuf;
use prost::Message;

/// A season as protobuf bytes, and the built-in rules.
pub struct Season {
    /// One event each, without a length before it.
    pub encoded: Vec<Vec<u8>>,
    /// The built-in rules.
    pub ruleset: Arc<Ruleset>,
}

impl Season {
    /// Generates one; the same plan gives the same bytes.
    ///
    /// # Panics
    /// If the plan is out of range, or the built-in rules do not load.
    pub fn new(accounts: u64, days: u32) -> Self {
        let mut encoded = Vec::new();
        let mut sink = |event: headroom_wire::proto::Event| {
            encoded.push(event.encode_to_vec());
            Ok(())
        };
        generate(&SeasonPlan { accounts, days, seed: 1 }, &mut sink, &mut |_| {}).expect("the plan is in range");
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules");
        let files = read_ruleset_dir(rules.as_ref()).expect("the built-in rules are there");
        let ruleset = Arc::new(Ruleset::load(&files).expect("the built-in rules load"));
        Self { encoded, ruleset }
    }

    /// The season as records, decoded.
    ///
    /// # Panics
    /// If a generated event does not decode.
    pub fn records(&self) -> Vec<Record> {
        let input: Arc<str> = Arc::from("season");
        let record = |(offset, bytes): (usize, &Vec<u8>)| {
            let decoded = decode_protobuf(bytes).expect("generated events are valid");
            Record {
                position: Position { input: Arc::clone(&input), partition: 0, offset: offset as u64 },
                timestamp: decoded.recorded_at,
                event: Ok(decoded.event),
                content: decoded.content,
                original: Arc::from([]),
                encoding: "protobuf",
                around: None,
                replayed: false,
            }
        };
        self.encoded.iter().enumerate().map(record).collect()
    }
}

/// A shard without a store: every account is hot.
pub struct Shard {
    ruleset: Arc<Ruleset>,
    state: ShardState,
    accounts: BTreeMap<AccountId, Box<Account>>,
    timers: BTreeMap<(i64, AccountId, Timer), ()>,
    /// Outputs so far.
    pub outputs: u64,
}

impl Shard {
    /// An empty one.
    pub fn new(ruleset: &Arc<Ruleset>) -> Self {
        Self {
            ruleset: Arc::clone(ruleset),
            state: ShardState::default(),
            accounts: BTreeMap::new(),
            timers: BTreeMap::new(),
            outputs: 0,
        }
    }

    /// Steps over a batch; more than once if a sweep begins in it.
    pub fn batch(&mut self, records: &[Record]) {
        self.batches(records, false);
    }

    /// As [`Self::batch`], and gives every condition that was asked, in order.
    pub fn watch(&mut self, records: &[Record]) -> Vec<Asked> {
        self.batches(records, true)
    }

    fn batches(&mut self, records: &[Record], watched: bool) -> Vec<Asked> {
        let (mut taken, mut asked) = (0, Vec::new());
        while taken < records.len() {
            let mut commit = self.step(&records[taken..], watched);
            taken += commit.taken;
            asked.append(&mut commit.asked);
            self.take(commit);
        }
        asked
    }

    fn step(&self, records: &[Record], watched: bool) -> Commit {
        let until = records.iter().map(|each| each.timestamp.0).max().unwrap_or(0);
        let due = self.timers.keys().take_while(|(due, ..)| *due <= until);
        let timers: Vec<(AccountId, Timer)> = due.map(|(_, id, timer)| (Arc::clone(id), *timer)).collect();
        let (rows, swept) = self.rows(records.len() * SWEEP_ROWS_PER_RECORD);
        let events = records.iter().filter_map(|each| each.event.as_ref().ok());
        let of_events = events.map(|event| &event.account).chain(timers.iter().map(|(id, _)| id));
        let ids: BTreeSet<&AccountId> = of_events.chain(&swept).collect();
        let accounts = ids.into_iter().filter_map(|id| self.accounts.get(id).cloned()).collect();
        step(&self.ruleset, &self.state, Batch { records, timers, accounts, rows, watched, ..Batch::default() })
    }

    /// The rows that a sweep passes next, and which of them it touches.
    fn rows(&self, limit: usize) -> (Rows, Vec<AccountId>) {
        let Some(sweep) = &self.state.sweep else { return (Rows::default(), Vec::new()) };
        let from = sweep.after.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.accounts.range((from, Bound::Unbounded)).take(limit);
        let broadcasts = &self.state.broadcasts;
        let swept = behind.clone().filter(|(_, each)| concerned(&self.ruleset, broadcasts, each, sweep.target));
        let swept = swept.map(|(id, _)| Arc::clone(id)).collect();
        let ids: Vec<AccountId> = behind.map(|(id, _)| Arc::clone(id)).collect();
        let end = ids.len() < limit;
        (Rows { ids, end }, swept)
    }

    fn take(&mut self, commit: Commit) {
        for (id, timer) in commit.timers_removed {
            self.timers.remove(&(timer.due.0, id, timer));
        }
        for (id, timer) in commit.timers_added {
            self.timers.insert((timer.due.0, id, timer), ());
        }
        for account in commit.accounts {
            self.accounts.insert(Arc::clone(&account.id), account);
        }
        self.outputs += commit.outputs.len() as u64;
        self.state = commit.state;
    }
}
