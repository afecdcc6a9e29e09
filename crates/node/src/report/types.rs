//! The file of `headroom run --report`: what `headroom report` draws.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The form of the file; another number is another form.
pub const REPORT_FORMAT: u32 = 1;

/// What one run did. A run over files that were consumed before tells only of what was new.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RunReport {
    /// [`REPORT_FORMAT`].
    pub format: u32,
    /// The version of the program.
    pub version: String,
    /// Paths of the event files, as they were given.
    pub inputs: Vec<String>,
    /// Content hash of the ruleset in force at the end, hex.
    pub ruleset_hash: String,
    /// Its rules by number.
    pub rules: Vec<ReportRule>,
    /// Records that the data directory had taken before this run; nothing else here counts them.
    pub records_before: u64,
    /// Records that this run took.
    pub records: u64,
    /// Of them seen before.
    pub duplicates: u64,
    /// Accounts of the data directory at the end.
    pub accounts: u64,
    /// Of them with an effective limit of 0 by a block.
    pub blocked: u64,
    /// The shard's clock at the end, RFC 3339.
    pub now: String,
    /// From the first record's reading to the last commit's sync, microseconds.
    pub micros: u64,
    /// UTC days, ascending.
    pub days: Vec<ReportDay>,
    /// How the run went on: cumulated, ascending, at most a thousand.
    pub rounds: Vec<ReportRound>,
}

/// A rule as people know it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ReportRule {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: u32,
    /// Its English title.
    pub title: String,
    /// What it does: a class's word.
    pub class: String,
}

/// One UTC day of the events' time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ReportDay {
    /// Year, month, day: `2025-11-10`.
    pub date: String,
    /// Records taken.
    pub records: u64,
    /// Limit changes by rule id; those that no rule made have the id "".
    pub changes_by_rule: BTreeMap<String, u64>,
    /// Limit changes by kind.
    pub changes_by_kind: BTreeMap<String, u64>,
    /// Limit changes by what they did.
    pub changes_by_class: BTreeMap<String, u64>,
    /// Offers.
    pub offers: u64,
    /// Reviews.
    pub reviews: u64,
    /// Notices.
    pub notices: u64,
    /// Dead letters by code.
    pub dead_letters: BTreeMap<String, u64>,
    /// How often a block took an account's effective limit to 0.
    pub blocked: u64,
    /// How often an account's effective limit came back from there.
    pub restored: u64,
    /// Accounts that are blocked at the day's end.
    pub blocked_at_end: u64,
    /// Limits and their use at the day's end, by currency; accounts without one have "".
    pub exposure: BTreeMap<String, Exposure>,
}

/// Sums over accounts, minor units. A sum beyond 64 bits stays at their end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Exposure {
    /// How many.
    pub accounts: u64,
    /// Permanent limits.
    pub base: i64,
    /// With boosts and caps.
    pub granted: i64,
    /// With blocks.
    pub effective: i64,
    /// Drawn and held.
    pub used: i64,
}

/// How far a run had come at a moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ReportRound {
    /// Microseconds since the run began.
    pub micros: u64,
    /// Records stepped until then.
    pub records: u64,
}
