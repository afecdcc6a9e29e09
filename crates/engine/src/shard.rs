//! What one shard takes in and gives out. Everything a step decides is in the commit; the caller has no choices left.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::account::Account;
use crate::around::Around;
use crate::broadcast::Broadcasts;
use crate::decision::Asked;
use crate::event::{AccountId, Event};
use crate::output::{Output, Position};
use crate::refusal::Refusal;
use crate::ruleset::Ruleset;
use crate::sweep::Sweep;
use crate::time::Timestamp;
use crate::timer::Timer;

/// One record of an input, decoded or refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Where it stood.
    pub position: Position,
    /// The record's timestamp: `recorded_at`, else `occurred_at`; of an unreadable one the timestamp before it.
    pub timestamp: Timestamp,
    /// The event, or why there is none.
    pub event: Result<Event, Refusal>,
    /// A hash of the event's content without its position (id included): tells a duplicate from a reused id.
    pub content: u64,
    /// The bytes as they came.
    pub original: Arc<[u8]>,
    /// "json", "protobuf" or "confluent".
    pub encoding: &'static str,
    /// What stood around the bytes, where they do not say everything.
    pub around: Option<Around>,
    /// An operator replays it by name: it may be older than the horizon within which duplicates are known. Beyond that
    /// horizon it is not remembered either, so replaying it twice books it twice.
    pub replayed: bool,
}

/// What the caller takes out of a step because it failed before (PROTOCOL P19).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cancelled {
    /// A timer is removed without firing.
    Timer(AccountId, Timer),
    /// A sweep's touch: the account takes the broadcasts as applied without deciding.
    Sweep(AccountId),
}

/// The key under which an event is remembered: the day of its own time (UTC), and its hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SeenKey {
    /// Days since 1970, UTC.
    pub day: i32,
    /// Hash of account, kind, source and id.
    pub hash: u64,
}

/// What the shard remembers beside accounts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ShardState {
    /// The clock: never goes back.
    pub now: Timestamp,
    /// Promotions, market, control.
    pub broadcasts: Arc<Broadcasts>,
    /// The first day (UTC) of which seen keys are kept.
    pub seen_from_day: i32,
    /// Accounts that nobody opened yet.
    pub provisional: u64,
    /// Accounts in all.
    pub accounts: u64,
    /// When each source that has a heartbeat last sent a signal.
    pub feeds: BTreeMap<String, Timestamp>,
    /// The pass over accounts that is under way.
    pub sweep: Option<Sweep>,
    /// Counts since the beginning.
    pub totals: Totals,
}

/// Counts since the beginning of a data directory.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Records taken from inputs.
    pub events: u64,
    /// Of them seen before.
    pub duplicates: u64,
    /// Of them refused, by code.
    pub dead_letters: BTreeMap<String, u64>,
    /// Limit changes by kind.
    pub changes: BTreeMap<String, u64>,
    /// Offers.
    pub offers: u64,
    /// Reviews.
    pub reviews: u64,
    /// Notices.
    pub notices: u64,
    /// How often each rule fired (its change, offer, review or notice came out), by rule number.
    pub fired: BTreeMap<u32, u64>,
    /// How often each guard stopped or lowered something.
    pub guards: BTreeMap<String, u64>,
    /// How often a rule ended unknown, by rule number.
    pub not_evaluated: BTreeMap<u32, u64>,
    /// Restores that missed their deadline.
    pub compensations_missed: u64,
    /// Decisions whose consequences would have wanted a third pass.
    pub cascades_cut: u64,
    /// Releases larger than what was held.
    pub pending_drift: u64,
    /// Proposals that lost, by "rule < what beat it": also those whose decision made no change that could carry them.
    pub overridden: BTreeMap<String, u64>,
}

/// Everything that one step decided, to be written in one piece.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Accounts after the step, sorted by id.
    pub accounts: Vec<Box<Account>>,
    /// Timers that are gone.
    pub timers_removed: Vec<(AccountId, Timer)>,
    /// Timers that are new.
    pub timers_added: Vec<(AccountId, Timer)>,
    /// Events to remember: key and content hash.
    pub seen: Vec<(SeenKey, u64)>,
    /// Outputs in commit order.
    pub outputs: Vec<Output>,
    /// Inputs and the next offset to read.
    pub positions: BTreeMap<(Arc<str>, u32), u64>,
    /// A ruleset that came into force.
    pub ruleset: Option<Published>,
    /// The shard after the step.
    pub state: ShardState,
    /// How many of the records were taken. Fewer than given: a sweep needs rows that were not given; commit, and step
    /// again with the others.
    pub taken: usize,
    /// For each record taken: the part of `outputs` that its own event caused (its decision, or its dead letter), not
    /// timers and sweeps before it.
    pub spans: Vec<Range<usize>>,
    /// The tick, if it happened: only after all records were taken.
    pub tick: Option<Timestamp>,
    /// Rows that sweeps passed.
    pub swept: u64,
    /// What was cancelled, in the order in which it would have happened.
    pub cancelled: Vec<Cancelled>,
    /// Records that came in as [`RefusalCode::Poisoned`](crate::RefusalCode::Poisoned).
    pub poisoned: Vec<Position>,
    /// Of a watched step: every condition that was asked, in order.
    pub asked: Vec<Asked>,
}

/// A ruleset that came into force with a control record.
#[derive(Clone, Debug)]
pub struct Published {
    /// Compiled.
    pub ruleset: Arc<Ruleset>,
    /// Its files: path and content.
    pub files: Vec<(String, String)>,
}
