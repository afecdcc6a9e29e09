//! What events would do to one account: decided on a copy, and not kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headroom_engine::{
    Account, AccountId, Batch, Commit, Position, Record, Refusal, Rows, Ruleset, ShardState, Timestamp, step,
};
use headroom_sources::Encoding;
use headroom_store::StoreError;
use headroom_wire::{Decoded, Names, proto};

use super::embedded::{Elsewhere, RawEvent, Service};
use crate::config::LogTime;
use crate::decode::wall_clock;
use crate::out::publish;

/// Steps that one question may take: a broadcast makes two of one.
const STEPS_MAX: usize = 1_000;

/// What would happen.
#[derive(Clone, PartialEq, Debug)]
pub struct WhatIf {
    /// As it is; `None`: nobody has heard of it.
    pub before: Option<Account>,
    /// As it would be.
    pub after: Option<Account>,
    /// The clock after the last event.
    pub now: Timestamp,
    /// What would come out, dead letters included.
    pub outputs: Vec<proto::Output>,
    /// Events that would not even be taken.
    pub rejected: Vec<Refusal>,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WhatIfError {
    /// An event of somebody else.
    #[error("event `{event}` is of account `{account}`")]
    OtherAccount {
        /// Its id.
        event: String,
        /// Whose it is.
        account: String,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another node has the account.
    #[error(transparent)]
    Elsewhere(#[from] Elsewhere),
}

impl Service {
    /// Decides on events of one account, and on what concerns every account, as if they came now; keeps nothing. Reads
    /// the disk.
    ///
    /// # Errors
    /// An event of another account; what the store says.
    pub fn what_if(&self, account: &str, events: Vec<RawEvent>) -> Result<WhatIf, WhatIfError> {
        let shard = self.shard_of(account);
        let reader = self.reader(shard)?;
        let state = reader.state()?.unwrap_or_default();
        let before = reader.account(account)?;
        let mut rejected = Vec::new();
        let mut records = Vec::new();
        for event in events {
            match decode(&event) {
                Ok(decoded) if !decoded.event.body.is_broadcast() && *decoded.event.account != *account => {
                    let (event, account) = (decoded.event.id.clone(), decoded.event.account.to_string());
                    return Err(WhatIfError::OtherAccount { event, account });
                }
                Ok(decoded) => records.push(self.record(event, decoded, records.len())),
                Err(refusal) => rejected.push(refusal),
            }
        }
        let copy = Copy::new(account, before.clone(), state, self.ruleset(shard)?);
        Ok(copy
            .decide(records, WhatIf { before, after: None, now: Timestamp::default(), outputs: Vec::new(), rejected }))
    }

    fn record(&self, event: RawEvent, decoded: Decoded, offset: usize) -> Record {
        Record {
            position: Position { input: Arc::from("what-if"), partition: 0, offset: offset as u64 },
            timestamp: if self.time() == LogTime::Append { wall_clock() } else { decoded.recorded_at },
            event: Ok(decoded.event),
            content: decoded.content,
            original: Arc::from(&*event.bytes),
            encoding: event.encoding.name(),
            around: None,
            replayed: event.replayed,
        }
    }
}

fn decode(event: &RawEvent) -> Result<Decoded, Refusal> {
    match event.encoding {
        Encoding::Json => headroom_wire::decode_json(&event.bytes),
        Encoding::Protobuf => headroom_wire::decode_protobuf(&event.bytes),
    }
}

/// A shard with one account.
struct Copy {
    id: AccountId,
    account: Option<Account>,
    state: ShardState,
    ruleset: Arc<Ruleset>,
}

impl Copy {
    fn new(id: &str, account: Option<Account>, mut state: ShardState, ruleset: Arc<Ruleset>) -> Self {
        // The shard's own sweep is about the accounts that are not here.
        state.sweep = None;
        Self { id: id.into(), account, state, ruleset }
    }

    fn decide(mut self, records: Vec<Record>, mut answer: WhatIf) -> WhatIf {
        let last = records.iter().map(|each| each.timestamp).max().unwrap_or(self.state.now).max(self.state.now);
        let mut left = records.as_slice();
        for _ in 0..STEPS_MAX {
            let commit = self.step(left, last);
            let (taken, ticked) = (commit.taken, commit.tick.is_some());
            left = &left[taken..];
            answer.outputs.extend(self.carry_out(commit));
            if left.is_empty() && ticked && self.state.sweep.is_none() {
                break;
            }
        }
        (answer.after, answer.now) = (self.account, self.state.now);
        answer
    }

    /// With a tick at the end, which brings broadcasts to the account.
    fn step(&self, records: &[Record], last: Timestamp) -> Commit {
        let timers = self.account.iter().flat_map(|account| &account.timers).filter(|timer| timer.due <= last);
        let mut timers: Vec<_> = timers.map(|timer| (Arc::clone(&self.id), *timer)).collect();
        timers.sort_by_key(|(_, timer)| *timer);
        let behind =
            self.state.sweep.as_ref().and_then(|sweep| sweep.after.as_ref()).is_none_or(|after| *after < self.id);
        let ids = self.account.iter().filter(|_| behind).map(|account| Arc::clone(&account.id)).collect();
        let batch = Batch {
            records,
            timers,
            accounts: self.account.iter().cloned().map(Box::new).collect(),
            seen: BTreeMap::new(),
            rows: Rows { ids, end: true },
            tick: Some(last),
            cancelled: BTreeSet::new(),
            watched: false,
        };
        step(&self.ruleset, &self.state, batch)
    }

    fn carry_out(&mut self, commit: Commit) -> Vec<proto::Output> {
        if let Some(published) = commit.ruleset {
            self.ruleset = published.ruleset;
        }
        self.state = commit.state;
        self.account = commit.accounts.into_iter().next().map(|account| *account).or(self.account.take());
        publish(&commit.outputs, Names { rules: &self.ruleset.names, broadcasts: &self.state.broadcasts })
    }
}
