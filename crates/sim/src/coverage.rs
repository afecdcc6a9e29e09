//! What the tests beside a rule reached of it.

use std::sync::Arc;

use headroom_engine::{Rule, Ruleset};
use headroom_policy::{Currency, Slots, Span, Trace, Verdict};

use crate::bare::Run;
use crate::rows::RowCoverage;

/// What the tests beside a rule reached of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// The rule.
    pub rule: Arc<str>,
    /// Tests in which it fired.
    pub fired: usize,
    /// Tests in which it did not.
    pub silent: usize,
    /// How often it ended unknown.
    pub unknown: usize,
    /// Its conditions in the order of the text; those of a watched run have counts.
    pub conditions: Vec<ConditionCoverage>,
    /// Of a table: its rows, those of its score's parts first; those of a watched run have counts.
    pub rows: Vec<RowCoverage>,
}

/// A condition that is not made of conditions, and what it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConditionCoverage {
    /// As written, on one line.
    pub text: String,
    /// How often it was true.
    pub was_true: usize,
    /// How often it was false.
    pub was_false: usize,
    /// How often it was unknown, or its arithmetic had no result.
    pub was_unknown: usize,
    /// It cannot be unknown: `has(x)`.
    pub always_known: bool,
    span: Span,
}

impl ConditionCoverage {
    /// What it never was, of `true`, `false` and, if it can be, `unknown`.
    pub fn never(&self) -> Vec<&'static str> {
        let seen = [("true", self.was_true), ("false", self.was_false), ("unknown", self.was_unknown)];
        let possible = seen.into_iter().filter(|(word, _)| !(self.always_known && *word == "unknown"));
        possible.filter(|(_, times)| *times == 0).map(|(word, _)| word).collect()
    }
}

impl Coverage {
    pub(crate) fn of(rule: &Rule, ruleset: &Ruleset) -> Self {
        // Nothing is known: that shows every condition, whatever its value.
        let trace = rule.when.trace(&Slots::new(ruleset.schema.len()), Currency(*b"XXX"));
        Self {
            rule: Arc::clone(&rule.id),
            fired: 0,
            silent: 0,
            unknown: 0,
            conditions: ConditionCoverage::all(&trace, 0),
            rows: RowCoverage::all(rule, ruleset),
        }
    }

    pub(crate) fn take(&mut self, run: &Run, rule: &Rule, ruleset: &Ruleset) {
        let fired = run.tallies.iter().any(|each| each.fired.contains(&rule.number));
        self.fired += usize::from(fired);
        self.silent += usize::from(!fired);
        let unknown = run.tallies.iter().flat_map(|each| &each.not_evaluated);
        self.unknown += unknown.filter(|each| **each == rule.number).count();
        for asked in run.asked.iter().filter(|each| each.rule == rule.number) {
            note(&mut self.conditions, &asked.trace, 0);
            RowCoverage::note(&mut self.rows, asked, rule, ruleset);
        }
    }
}

impl ConditionCoverage {
    /// The conditions of a trace without the first `skip`, none of them seen yet.
    pub(crate) fn all(trace: &Trace, skip: usize) -> Vec<Self> {
        let mut found = Vec::new();
        for each in trace.conditions().skip(skip) {
            at(&mut found, each.text, each.span);
        }
        found
    }
}

/// Counts what the conditions of a trace came to, all but the first `skip`.
pub(crate) fn note(conditions: &mut Vec<ConditionCoverage>, trace: &Trace, skip: usize) {
    for each in trace.conditions().skip(skip) {
        let condition = at(conditions, each.text, each.span);
        match each.verdict {
            Verdict::True => condition.was_true += 1,
            Verdict::False => condition.was_false += 1,
            Verdict::Unknown | Verdict::Error => condition.was_unknown += 1,
        }
    }
}

fn at<'c>(conditions: &'c mut Vec<ConditionCoverage>, text: &str, span: Span) -> &'c mut ConditionCoverage {
    let known = conditions.iter().position(|each| each.span == span && each.text == text);
    let at = known.unwrap_or(conditions.len());
    if known.is_none() {
        conditions.push(ConditionCoverage {
            text: text.to_owned(),
            was_true: 0,
            was_false: 0,
            was_unknown: 0,
            always_known: text.starts_with("has("),
            span,
        });
    }
    &mut conditions[at]
}
