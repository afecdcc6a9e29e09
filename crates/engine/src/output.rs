//! What goes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_policy::{Currency, Verdict};

use crate::around::Around;
use crate::event::AccountId;
use crate::refusal::Refusal;
use crate::stack::{Limits, Stack};
use crate::time::Timestamp;
use crate::vocabulary::{Cause, ChangeKind, Class, Priority, Scope};

/// One output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// What the ledger applies.
    LimitChange(Box<LimitChange>),
    /// An increase that waits for consent.
    Offer(Box<Offer>),
    /// What to tell the customer.
    Notice(Box<Notice>),
    /// A person must look.
    Review(Box<Review>),
    /// Input that could not be taken.
    DeadLetter(Box<DeadLetter>),
}

/// The stack and its numbers at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StackView {
    /// The stack.
    pub stack: Stack,
    /// Its numbers.
    pub limits: Limits,
}

/// Rule ids by number: stored forms carry numbers, outputs carry ids.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleNames(pub BTreeMap<u32, Arc<str>>);

impl RuleNames {
    /// The id of a rule; of one that is no longer in the ruleset "rule-N"; of 0 "".
    pub fn name(&self, number: u32) -> String {
        match self.0.get(&number) {
            Some(name) => name.to_string(),
            None if number == 0 => String::new(),
            None => format!("rule-{number}"),
        }
    }
}

/// What made a decision happen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TriggerRef {
    /// For example "order_placed", "timer:recheck", "broadcast:promotion_started".
    pub name: String,
    /// Of an event.
    pub event_id: String,
    /// Of an event.
    pub source: String,
    /// The decision's `now`.
    pub at: Timestamp,
    /// Of an event.
    pub position: Option<Position>,
}

/// Where a record came from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    /// Content hash of the file, or topic.
    pub input: Arc<str>,
    /// Partition; of a file, which of several equal files.
    pub partition: u32,
    /// Line or record, from 0.
    pub offset: u64,
}

/// A change of one account's limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitChange {
    /// Derived from account, sequence and cause.
    pub id: u128,
    /// Whose.
    pub account: AccountId,
    /// Per account, from 1, without gaps.
    pub sequence: u64,
    /// What kind.
    pub kind: ChangeKind,
    /// Of every amount.
    pub currency: Option<Currency>,
    /// Before it.
    pub before: StackView,
    /// After it.
    pub after: StackView,
    /// Of `block_changed`.
    pub block: Option<BlockChange>,
    /// From when.
    pub effective_at: Timestamp,
    /// Until when; `None`: it does not end by itself.
    pub expires_at: Option<Timestamp>,
    /// One to four, most important first.
    pub reasons: Vec<String>,
    /// The rule, if one made it.
    pub rule: Option<RuleRef>,
    /// Content hash of the ruleset, hex.
    pub ruleset_hash: Arc<str>,
    /// Proposals that lost.
    pub overridden: Vec<Overridden>,
    /// Guards that lowered the amount.
    pub guards_applied: Vec<&'static str>,
    /// What made it happen.
    pub trigger: TriggerRef,
    /// When the customer must have been told.
    pub notice_due: Option<Timestamp>,
    /// Why.
    pub trace: Option<Trace>,
}

/// A rule as outputs name it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleRef {
    /// Its id.
    pub id: Arc<str>,
    /// Its number.
    pub number: u32,
    /// SHA-256 of its text, hex.
    pub hash: Arc<str>,
}

/// How a block moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockChange {
    /// Its key.
    pub cause: Cause,
    /// Scope and ceiling before; `None`: there was none.
    pub before: Option<(Scope, Option<i64>)>,
    /// Scope and ceiling after; `None`: it is gone.
    pub after: Option<(Scope, Option<i64>)>,
}

/// A proposal that lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overridden {
    /// Whose it was.
    pub rule: Arc<str>,
    /// What it would have done.
    pub class: Class,
    /// What beat it: a rule, or "guard:cool_down", "hold:3", "waiver:promo_compensation".
    pub by: String,
}

/// Why a rule decided as it did; re-evaluating it gives its decision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trace {
    /// The condition as written.
    pub condition: String,
    /// Every feature that condition and amounts read.
    pub features: Vec<NamedValue>,
    /// Every condition and its verdict.
    pub conditions: Vec<(String, Verdict)>,
    /// Every parameter that they read.
    pub params: Vec<NamedValue>,
}

/// A value with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedValue {
    /// The feature or parameter.
    pub name: String,
    /// Its value; `None`: unknown.
    pub value: Option<i64>,
    /// The variant of an enumeration.
    pub text: String,
}

/// An increase that waits for consent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Derived.
    pub id: u128,
    /// Whose.
    pub account: AccountId,
    /// Currency.
    pub currency: Option<Currency>,
    /// Increase or boost.
    pub class: Class,
    /// What the limit would grow by.
    pub amount: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it stands.
    pub expires_at: Timestamp,
    /// The rule.
    pub rule: RuleRef,
    /// Its reasons.
    pub reasons: Vec<String>,
    /// Content hash of the ruleset, hex.
    pub ruleset_hash: Arc<str>,
    /// What made it happen.
    pub trigger: TriggerRef,
    /// Why.
    pub trace: Option<Trace>,
}

/// What to tell the customer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// Derived.
    pub id: u128,
    /// Whom.
    pub account: AccountId,
    /// Language-neutral.
    pub template: String,
    /// Reasons that may be told.
    pub public_reasons: Vec<String>,
    /// Reasons for the service desk.
    pub internal_reasons: Vec<String>,
    /// English.
    pub text_en: String,
    /// Chinese.
    pub text_zh: String,
    /// What the customer can do.
    pub can_do: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By when it must be out.
    pub due: Timestamp,
    /// The change that it is about.
    pub change_id: Option<u128>,
    /// The rule, if one caused it.
    pub rule_id: String,
}

/// A person must look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Review {
    /// Derived.
    pub id: u128,
    /// At whom.
    pub account: AccountId,
    /// At what.
    pub kind: String,
    /// It vetoes favourable changes while open.
    pub blocking: bool,
    /// How urgent.
    pub priority: Priority,
    /// The rule, if one asked.
    pub rule_id: String,
    /// Its reasons.
    pub reasons: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// What the rule would do, minor units.
    pub proposal: Option<i64>,
    /// Currency.
    pub currency: Option<Currency>,
    /// The block it is about.
    pub cause: Option<Cause>,
    /// For example the condition that failed.
    pub detail: String,
    /// What made it happen.
    pub trigger: TriggerRef,
    /// Why.
    pub trace: Option<Trace>,
}

/// Input that could not be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// Why.
    pub refusal: Refusal,
    /// Whose, as far as it could be read.
    pub account: String,
    /// The bytes as they came, at most 64 KiB of them.
    pub original: Vec<u8>,
    /// "json", "protobuf" or "confluent".
    pub encoding: &'static str,
    /// What stood around the bytes.
    pub around: Option<Around>,
    /// SHA-256 of the whole original, hex, if it was cut.
    pub original_sha256: Option<String>,
    /// Where it stood.
    pub position: Position,
    /// The record's timestamp, or the shard's `now` where it has none.
    pub at: Timestamp,
}
