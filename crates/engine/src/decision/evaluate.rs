//! Reading the features that a rule needs, once per pass, and asking its condition.

use headroom_policy::{Currency, Program, Slots, Value};

use crate::features::View;
use crate::output::{NamedValue, Trace};
use crate::ruleset::{Reader, Rule, Ruleset};
use crate::vocabulary::Cause;

/// Stands for "no currency yet": no money parameter has a value for it.
const NO_CURRENCY: Currency = Currency(*b"XXX");

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
        for &slot in &rule.reads {
            let fresh = self.read[slot / 64] >> (slot % 64) & 1 == 0;
            let reader = view.context.ruleset.readers[slot];
            if fresh || (rule.reads_block && depends_on_cause(&reader)) {
                self.read[slot / 64] |= 1 << (slot % 64);
                match read(&reader, view) {
                    Some(value) => self.slots.set(slot, value),
                    None => self.slots.forget(slot),
                }
            }
        }
    }

    /// Sets a slot by hand: "as if".
    pub fn force(&mut self, slot: usize, value: i64) {
        self.slots.set(slot, value);
    }

    pub fn ask(&self, program: &Program, view: &View<'_>) -> Value {
        program.evaluate(&self.slots, view.account.currency.unwrap_or(NO_CURRENCY))
    }

    /// Every part of a condition with its value.
    pub fn trace(&self, condition: &Program, view: &View<'_>) -> headroom_policy::Trace {
        condition.trace(&self.slots, view.account.currency.unwrap_or(NO_CURRENCY))
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

fn depends_on_cause(reader: &Reader) -> bool {
    match reader {
        Reader::Feature(feature) => feature.name.starts_with("block.") || feature.name == "undo.active",
        Reader::Fact(..) => false,
    }
}

fn read(reader: &Reader, view: &View<'_>) -> Option<i64> {
    match reader {
        Reader::Feature(feature) => feature.value(view),
        Reader::Fact(key, default) => view.account.fact(*key, view.now).map(|each| each.value).or(*default),
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
