//! The scenario language: a line is a header, an event, a promotion, `until`, or, below an event, what it leads to.
//!
//! ```text
//! [TIME] EVENT ACCOUNT arguments... [key=value...]
//!     => output, in order
//!     ? spendable ACCOUNT 800_000.00
//! ```
//! TIME is `2025-11-10T20:05`, `2025-11-10` (its first instant), `+3h` (after the line before), or a series
//! `2025-10-06..2025-11-09 daily 12:00`, `A..B every 30d`, both ends included. A line without a time stands at the
//! beginning: the first time of the file. `payments: '500 500 _ 500' every 30d` is a line of several events, of the account
//! that the `account` line above opens; `TIME payment M1 '500 500x3 _' every 30d` says from when and whose. `_` leaves one
//! out, `500x3` stands for three, `key='a b'` is a list too.
//! `=> nothing` says that nothing comes.
//! All are wall-clock times of the scenario's zone.
//! Every event takes `event=`, `source=`, `occurred=`, `precision=`, `provenance=`.

mod account;
mod args;
mod broadcast;
mod clock;
mod event;
mod line;
mod lists;
mod money;
mod read;
mod series;

pub use clock::Clock;
pub use money::{read_money, write_money};
pub use read::parse_scenario;

use headroom_engine::{AccountId, Event, Timestamp};

/// The codes of what can be wrong with a scenario, each with its title, for the error pages.
pub const SCENARIO_CODES: &[(&str, &str)] = &[
    ("HR0401", "a line of a scenario that is no event"),
    ("HR0402", "a time of a scenario that cannot be read"),
    ("HR0403", "a part of an event is missing"),
    ("HR0404", "a part of an event has a value that it cannot have"),
    ("HR0405", "an event does not take this part"),
    ("HR0406", "an expectation without an event above it"),
    ("HR0407", "a header of a scenario that cannot be read"),
    ("HR0408", "tests of rules in the wrong form"),
];

/// A scenario that was read.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// As the header names it: `builtin` or a folder; `None`: the caller's.
    pub ruleset: Option<String>,
    /// Writes and reads times.
    pub clock: Clock,
    /// What happens, in the order of time.
    pub steps: Vec<Step>,
    /// `=>` lines in the order of the text.
    pub expected: Vec<Expected>,
    /// `?` lines in the order of the text.
    pub probes: Vec<Probe>,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub struct Step {
    /// The line of the text that its outputs stand under, from 1.
    pub line: usize,
    /// When; the record's timestamp.
    pub at: Timestamp,
    /// One of a series: its outputs are written with their time.
    pub series: bool,
    /// The line as written, without its indentation.
    pub text: String,
    /// What.
    pub kind: StepKind,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// A record arrives.
    Record(Box<Event>, Resolve),
    /// The clock moves and timers fire.
    Until,
}

/// What an event names by a word that only a run can turn into an id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolve {
    /// Nothing.
    Nothing,
    /// The open offer of a rule.
    Offer(String),
    /// The newest open review of a kind.
    Review(String),
    /// The sequence of the account's last change.
    Sequence,
}

/// A `=>` line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    /// Where it stands, from 1.
    pub at_line: usize,
    /// The line of its event.
    pub line: usize,
    /// The output, spaces between words made single.
    pub text: String,
}

/// A `?` line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probe {
    /// Where it stands, from 1.
    pub at_line: usize,
    /// The line of its event.
    pub line: usize,
    /// What is looked at.
    pub name: ProbeName,
    /// The feature's name, if it is one that is looked at.
    pub feature: String,
    /// On which account; of some names a rule.
    pub account: AccountId,
    /// What it should be, as written, without underscores.
    pub value: String,
}

/// What a `?` line looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProbeName {
    /// The permanent limit.
    Base,
    /// Base and boost under caps.
    Granted,
    /// Granted under blocks.
    Effective,
    /// Effective less used.
    Available,
    /// Drawn and held.
    Used,
    /// Held.
    Pending,
    /// Paid, not final.
    Uncleared,
    /// What an order may use.
    Spendable,
    /// What a cash order may use.
    SpendableCash,
    /// Days past due.
    Dpd,
    /// How far the account has come.
    Status,
    /// The number of limit changes so far.
    Sequence,
    /// A feature, fact or score as rules read it; its name has a dot.
    Feature,
    /// How often a rule fired so far; it stands in the account's place.
    Fired,
    /// How often a rule's proposal lost so far, to a rule, a hold, a guard; it stands in the account's place.
    Beaten,
}

impl ProbeName {
    /// Every name.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("base", Self::Base),
        ("granted", Self::Granted),
        ("effective", Self::Effective),
        ("available", Self::Available),
        ("used", Self::Used),
        ("pending", Self::Pending),
        ("uncleared", Self::Uncleared),
        ("spendable", Self::Spendable),
        ("spendable_cash", Self::SpendableCash),
        ("dpd", Self::Dpd),
        ("status", Self::Status),
        ("sequence", Self::Sequence),
        ("fired", Self::Fired),
        ("beaten", Self::Beaten),
    ];

    /// As scenarios write it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, each)| *each == self).map_or("", |(word, _)| word)
    }
}
