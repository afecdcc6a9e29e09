//! Reading the features that a rule needs, once per pass, and asking its condition.

use headroom_policy::{Currency, Program, Slots, Value};

use crate::account::Account;
use crate::booking::roll;
use crate::context::Context;
use crate::features::{EventFacts, View};
use crate::output::{NamedValue, Trace};
use crate::ruleset::{Reader, RowOutcome, Rule, RuleVerdict, Ruleset};
use crate::time::Timestamp;
use crate::vocabulary::Cause;

use super::decide::Asked;

/// Stands for "no currency yet": no money parameter has a value for it.
const NO_CURRENCY: Currency = Currency(*b"XXX");
/// How many reasons a score gives.
const REASONS: usize = 2;

/// Features of one pass, read on demand.
pub(super) struct Snapshot {
    slots: Slots,
    read: Vec<u64>,
}

impl Snapshot {
    pub fn new(ruleset: &Ruleset) -> Self {
        Self { slots: Slots::new(ruleset.schema.len()), read: vec![0; ruleset.schema.len().div_ceil(64)] }
    }

    /// Reads what the rule needs and is not read yet; what depends on the rule's cause is read anew.
    pub fn prepare(&mut self, rule: &Rule, view: &View<'_>) {
        self.take(&rule.reads, rule.reads_block, view);
    }

    fn take(&mut self, slots: &[usize], reads_block: bool, view: &View<'_>) {
        for &slot in slots {
            let fresh = self.read[slot / 64] >> (slot % 64) & 1 == 0;
            let reader = view.context.ruleset.readers[slot];
            if fresh || (reads_block && depends_on_cause(&reader)) {
                self.read[slot / 64] |= 1 << (slot % 64);
                match self.read(&reader, view) {
                    Some(value) => self.slots.set(slot, value),
                    None => self.slots.forget(slot),
                }
            }
        }
    }

    /// A score's own reads have lower slots than it, so that they are there.
    fn read(&self, reader: &Reader, view: &View<'_>) -> Option<i64> {
        match reader {
            Reader::Feature(feature) => feature.value(view),
            Reader::Fact(key, default) => view.account.fact(*key, view.now).map(|each| each.value).or(*default),
            Reader::Score(at) => view.context.ruleset.scores[*at].value(&self.slots, currency(view)),
        }
    }

    /// What a rule comes to.
    pub fn verdict<'r>(&self, rule: &'r Rule, view: &View<'_>) -> RuleVerdict<'r> {
        rule.verdict(|program| self.ask(program, view))
    }

    /// The codes that a rule's proposals give: its row's, else the two worst rows of its score, else its own.
    pub fn reasons(&self, rule: &Rule, row: Option<&RowOutcome>, view: &View<'_>) -> Vec<String> {
        let own = || vec![rule.reason.clone()];
        if let Some(reason) = row.and_then(|row| row.reason.as_ref()) {
            return vec![reason.clone()];
        }
        let Some(table) = &rule.table else { return own() };
        let scores = view.context.ruleset.scores.iter().filter(|score| table.parts.contains(&score.slot));
        let mut lost: Vec<(i64, &str)> = scores.filter_map(|score| score.lost(&self.slots, currency(view))).collect();
        lost.sort_by_key(|(points, _)| std::cmp::Reverse(*points));
        let worst: Vec<String> = lost.iter().take(REASONS).map(|(_, reason)| (*reason).to_owned()).collect();
        if worst.is_empty() { own() } else { worst }
    }

    /// Sets a slot by hand: "as if".
    pub fn force(&mut self, slot: usize, value: i64) {
        self.slots.set(slot, value);
    }

    pub fn ask(&self, program: &Program, view: &View<'_>) -> Value {
        program.evaluate(&self.slots, currency(view))
    }

    /// Every part of a condition with its value.
    pub fn trace(&self, condition: &Program, view: &View<'_>) -> headroom_policy::Trace {
        condition.trace(&self.slots, currency(view))
    }

    /// A rule's condition for those who watch, and what it is asked over.
    pub fn asked(&self, rule: &Rule, cause: Option<Cause>, view: &View<'_>) -> Asked {
        let (trace, slots) = (self.trace(&rule.when, view), self.slots.clone());
        Asked { rule: rule.number, cause, trace, slots, currency: currency(view) }
    }

    /// Every feature, condition and parameter of a rule with its value.
    pub fn explain(&self, rule: &Rule, condition: &Program, view: &View<'_>) -> Trace {
        let ruleset = view.context.ruleset;
        let trace = self.trace(condition, view);
        let conditions = trace.conditions().map(|each| (each.text.to_owned(), each.verdict)).collect();
        let features = rule.reads.iter().map(|slot| self.named(ruleset, *slot)).collect();
        Trace { condition: condition.text().to_owned(), features, conditions, params: params(rule, view) }
    }

    fn named(&self, ruleset: &Ruleset, slot: usize) -> NamedValue {
        let symbol = ruleset.schema.symbol(slot);
        let value = self.slots.get(slot);
        let text = match (&symbol.ty, value) {
            (headroom_policy::Type::Enum(words), Some(at)) => {
                usize::try_from(at).ok().and_then(|at| words.get(at)).cloned().unwrap_or_default()
            }
            _ => String::new(),
        };
        NamedValue { name: symbol.name.clone(), value, text }
    }
}

/// A feature, fact or score of an account as rules read it at `now`, while no event is decided. `None`: no such name.
pub fn feature_now(context: &Context<'_>, account: &Account, now: Timestamp, name: &str) -> Option<NamedValue> {
    let ruleset = context.ruleset;
    let slot = ruleset.schema.slot(name)?;
    let mut account = account.clone();
    roll(&mut account, now, &ruleset.settings);
    let view = View::new(context, &account, now, EventFacts::default());
    let mut snapshot = Snapshot::new(ruleset);
    if let Reader::Score(at) = ruleset.readers[slot] {
        snapshot.take(&ruleset.scores[at].reads, false, &view);
    }
    snapshot.take(&[slot], false, &view);
    Some(snapshot.named(ruleset, slot))
}

fn currency(view: &View<'_>) -> Currency {
    view.account.currency.unwrap_or(NO_CURRENCY)
}

fn depends_on_cause(reader: &Reader) -> bool {
    match reader {
        Reader::Feature(feature) => feature.name.starts_with("block.") || feature.name == "undo.active",
        Reader::Fact(..) | Reader::Score(_) => false,
    }
}

fn params(rule: &Rule, view: &View<'_>) -> Vec<NamedValue> {
    let value = |constant: &headroom_policy::Constant| match constant {
        headroom_policy::Constant::Int(value) => Some(*value),
        headroom_policy::Constant::Bool(value) => Some(i64::from(*value)),
        headroom_policy::Constant::Money(table) => crate::stack::money_in(table, view.account.currency),
    };
    let named = |(name, constant): (&String, &headroom_policy::Constant)| NamedValue {
        name: format!("p.{name}"),
        value: value(constant),
        text: String::new(),
    };
    rule.params.iter().map(named).collect()
}

/// The causes for which a rule is evaluated, one after the other.
pub(super) fn causes(rule: &Rule, view: &View<'_>) -> Vec<Option<Cause>> {
    if rule.cause_of_review {
        return vec![view.event.review_cause];
    }
    match rule.causes.as_slice() {
        [] => vec![None],
        causes if rule.reads_block => causes.iter().copied().map(Some).collect(),
        causes => vec![causes.first().copied()],
    }
}
