//! A rule held against facts that somebody wrote down: what its condition gives, part by part.

mod facts;

use headroom_engine::{Cause, Rule, Ruleset};
use headroom_policy::{Cause as Gap, Currency, Kind, Slots, Trace, TraceNode, Value, Verdict};

use crate::rows::{CountedRow, counting};

pub use facts::{AccountFacts, read_account_facts};

/// Stands for "no currency": no money parameter has a value for it.
const NO_CURRENCY: Currency = Currency(*b"XXX");

/// What a rule gives over an account's facts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The rule is not for the account's segment: then it is not asked, whatever its condition says.
    pub wrong_segment: bool,
    /// One for each cause that it is asked for; one without a cause for a rule about none.
    pub asked: Vec<Asking>,
}

/// A rule asked for one cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asking {
    /// The cause.
    pub cause: Option<Cause>,
    /// The condition.
    pub condition: Trace,
    /// The condition is a list of parts of which all must hold.
    pub all_of: bool,
    /// The word of the action that each amount belongs to.
    pub words: Vec<&'static str>,
    /// The amounts of its actions, or of those of the row that counts, in their order.
    pub amounts: Vec<Trace>,
    /// Of a table: the rows that count, those of its score's parts first.
    pub rows: Vec<CountedRow>,
    /// Whether it acts: a row of a table may match and do nothing.
    value: Value,
}

impl Asking {
    /// What the condition gives.
    pub fn verdict(&self) -> Verdict {
        Verdict::from(self.value)
    }

    /// The features and facts that are missing where the condition, or one of its parts, is unknown; each once.
    pub fn missing(&self, ruleset: &Ruleset) -> Vec<String> {
        let mut names = Vec::new();
        collect_missing(&self.condition.root, ruleset, &mut names);
        names
    }

    /// The parts joined by `&&` at the top that keep the condition from being true.
    pub fn in_the_way(&self) -> Vec<&TraceNode> {
        let root = &self.condition.root;
        let parts = if self.all_of { &root.children[..] } else { std::slice::from_ref(root) };
        parts.iter().filter(|each| each.verdict != Some(Verdict::True)).collect()
    }
}

/// The name of the feature or fact that a value waits for.
pub fn missing_name(value: Value, ruleset: &Ruleset) -> Option<String> {
    match value {
        Value::Unknown(Gap::Missing(slot)) => Some(ruleset.schema.symbol(slot).name.clone()),
        _ => None,
    }
}

fn collect_missing(node: &TraceNode, ruleset: &Ruleset, names: &mut Vec<String>) {
    if let Some(name) = missing_name(node.value, ruleset).filter(|name| !names.contains(name)) {
        names.push(name);
    }
    node.children.iter().for_each(|each| collect_missing(each, ruleset, names));
}

/// Asks a rule's condition, and its amounts, over facts.
pub fn hold_against(rule: &Rule, ruleset: &Ruleset, facts: &AccountFacts) -> Held {
    let asked = causes(rule).into_iter().map(|cause| ask(rule, ruleset, facts, cause)).collect();
    let wrong_segment = facts.segment().is_some_and(|segment| !rule.is_for(segment));
    Held { wrong_segment, asked }
}

fn causes(rule: &Rule) -> Vec<Option<Cause>> {
    match rule.causes.as_slice() {
        [] => vec![None],
        causes if rule.reads_block => causes.iter().copied().map(Some).collect(),
        causes => vec![causes.first().copied()],
    }
}

fn ask(rule: &Rule, ruleset: &Ruleset, facts: &AccountFacts, cause: Option<Cause>) -> Asking {
    let mut slots = Slots::new(ruleset.schema.len());
    for (slot, value) in facts.of_cause(cause) {
        match value {
            Some(value) => slots.set(slot, value),
            None => slots.forget(slot),
        }
    }
    let currency = facts.currency.unwrap_or(NO_CURRENCY);
    // A score is computed where the facts do not give it; its parts stand before it.
    for score in &ruleset.scores {
        if slots.get(score.slot).is_none() {
            score.value(&slots, currency).into_iter().for_each(|value| slots.set(score.slot, value));
        }
    }
    let verdict = rule.verdict(|program| program.evaluate(&slots, currency));
    let acting = if verdict.row.is_some() || rule.table.is_none() { verdict.actions(rule) } else { &[] };
    let amounts = acting.iter().flat_map(|each| each.programs().into_iter().map(|program| (each.word(), program)));
    let (words, amounts): (Vec<_>, Vec<_>) = amounts.unzip();
    Asking {
        cause,
        value: verdict.value,
        condition: verdict.condition.trace(&slots, currency),
        all_of: matches!(verdict.condition.root().kind, Kind::And(_)),
        words,
        rows: counting(rule, ruleset, &slots, currency),
        amounts: amounts.into_iter().map(|each| each.trace(&slots, currency)).collect(),
    }
}
