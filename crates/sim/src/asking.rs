//! How often conditions held, and which of them stopped their rule.

use std::collections::BTreeMap;

use headroom_engine::{Asked, Rule, Ruleset, Verdict};
use headroom_policy::TraceNode;

use crate::rows::RowCoverage;

/// What watched decisions asked, rule by rule.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Questions(BTreeMap<u32, AskedRule>);

/// How often a rule was asked, and how its conditions came out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AskedRule {
    /// How often, for each of its causes.
    pub asked: u64,
    /// How often its whole condition held.
    pub held: u64,
    /// The operands of its top-level `&&` in order.
    pub conditions: Vec<AskedCondition>,
    /// Of a table: its rows.
    pub rows: Vec<RowCoverage>,
    /// Of a table: how often the row that counts does something.
    pub acted: u64,
}

/// How often one condition came out how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AskedCondition {
    /// As written, on one line.
    pub text: String,
    /// True.
    pub held: u64,
    /// False.
    pub failed: u64,
    /// Unknown, or without a result.
    pub unknown: u64,
    /// Not true while all others were: it alone stopped the rule.
    pub alone: u64,
}

impl Questions {
    /// Nothing was asked yet; the rules' conditions are known.
    pub fn new(ruleset: &Ruleset) -> Self {
        let blank = |text: &str| AskedCondition { text: single(text), ..AskedCondition::default() };
        let rules = ruleset.rules.iter().map(|rule| {
            let conditions = rule.when.conjuncts().iter().map(|each| blank(each.text())).collect();
            (rule.number, AskedRule { conditions, rows: RowCoverage::all(rule, ruleset), ..AskedRule::default() })
        });
        Self(rules.collect())
    }

    /// Adds one question, asked by rules of this ruleset.
    pub fn note(&mut self, asked: &Asked, ruleset: &Ruleset) {
        let rule = self.0.entry(asked.rule).or_default();
        let root = &asked.trace.root;
        rule.asked += 1;
        rule.held += u64::from(root.verdict == Some(Verdict::True));
        let is_split = root.children.len() == rule.conditions.len() && rule.conditions.len() > 1 && !root.leaf;
        let parts: Vec<&TraceNode> = if is_split { root.children.iter().collect() } else { vec![root] };
        let open = parts.iter().filter(|part| part.verdict != Some(Verdict::True)).count();
        for part in parts {
            let condition = rule.condition(&part.text);
            match part.verdict {
                Some(Verdict::True) => condition.held += 1,
                Some(Verdict::False) => condition.failed += 1,
                _ => condition.unknown += 1,
            }
            condition.alone += u64::from(open == 1 && part.verdict != Some(Verdict::True));
        }
        if let Some(table) = ruleset.rules.iter().find(|each| each.number == asked.rule && each.table.is_some()) {
            rule.table(asked, table, ruleset);
        }
    }

    /// What is known of a rule; nothing was asked of one that is not in the ruleset.
    pub fn of(&self, number: u32) -> AskedRule {
        self.0.get(&number).cloned().unwrap_or_default()
    }
}

impl AskedRule {
    fn condition(&mut self, text: &str) -> &mut AskedCondition {
        let text = single(text);
        let at = self.conditions.iter().position(|each| each.text == text).unwrap_or_else(|| {
            self.conditions.push(AskedCondition { text, ..AskedCondition::default() });
            self.conditions.len() - 1
        });
        &mut self.conditions[at]
    }

    fn table(&mut self, asked: &Asked, rule: &Rule, ruleset: &Ruleset) {
        RowCoverage::note(&mut self.rows, asked, rule, ruleset);
        let verdict = rule.verdict(|program| program.evaluate(&asked.slots, asked.currency));
        self.acted += u64::from(verdict.value.is_true());
    }

    /// In a word or a condition, what keeps it from firing: the condition that alone stopped it most often; if none ever
    /// did alone, the one that was true least often.
    pub fn stopped_by(&self) -> String {
        if self.asked == 0 {
            return "nobody: none of its triggers came to an account that it is for".to_owned();
        }
        let alone = self.conditions.iter().filter(|each| each.alone > 0).max_by_key(|each| each.alone);
        match alone.or_else(|| self.conditions.iter().min_by_key(|each| each.held)) {
            Some(condition) if self.held == 0 => condition.text.clone(),
            _ if !self.rows.is_empty() && self.acted == 0 => {
                "its rows: where its condition held, none that does anything was chosen".to_owned()
            }
            _ => "its actions: the condition held, see what overrode it".to_owned(),
        }
    }
}

fn single(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
