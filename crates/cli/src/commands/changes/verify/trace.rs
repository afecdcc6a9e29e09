//! A rule asked again with the values that its trace recorded.

use headroom_engine::{Rule, Ruleset, money_in};
use headroom_policy::{Constant, Currency, Program, Slots, Type, Verdict};
use headroom_wire::proto::condition_verdict::Verdict as Written;
use headroom_wire::proto::{FeatureValue, Trace};

use super::{Finding, finding};

/// Stands for "no currency", as in the engine.
const NO_CURRENCY: Currency = Currency(*b"XXX");

/// What the condition must have come to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It held.
    True,
    /// It did not hold, or nobody knew.
    NotTrue,
    /// Nobody knew.
    Unknown,
}

/// What an output says of the rule behind it.
pub struct Asked<'a> {
    pub rule: &'a str,
    /// `None`: this kind of output does not tell.
    pub rule_hash: Option<&'a str>,
    /// `None`: this kind of output does not tell.
    pub ruleset_hash: Option<&'a str>,
    pub currency: &'a str,
    pub trace: Option<&'a Trace>,
    pub outcome: Outcome,
}

/// Asks the rule again. One that is not the rule of the ruleset any more is a finding, and is not asked.
pub fn check(asked: &Asked<'_>, ruleset: &Ruleset) -> Vec<Finding> {
    let rule = ruleset.rules.iter().find(|each| *each.id == *asked.rule);
    let Some(rule) = rule else { return vec![finding("rule", format!("the ruleset has no rule `{}`", asked.rule))] };
    if let Some(hash) = asked.rule_hash.filter(|hash| *rule.hash != **hash) {
        return vec![finding("rule_hash", format!("`{}` is {hash}, the ruleset has {}", asked.rule, rule.hash))];
    }
    let mut found = Vec::new();
    if let Some(hash) = asked.ruleset_hash.filter(|hash| *ruleset.hash != **hash) {
        found.push(finding("ruleset_hash", format!("{hash}, the ruleset is {}", ruleset.hash)));
    }
    match asked.trace {
        Some(trace) => evaluate(asked, rule, trace, ruleset, &mut found),
        None => found.push(finding("trace", format!("`{}` made it, and it has no trace", asked.rule))),
    }
    found
}

fn evaluate(asked: &Asked<'_>, rule: &Rule, trace: &Trace, ruleset: &Ruleset, found: &mut Vec<Finding>) {
    let currency = asked.currency.parse().unwrap_or(NO_CURRENCY);
    let Some(condition) = condition(rule, &trace.condition) else {
        found.push(finding("condition", format!("`{}` is not the condition of `{}`", trace.condition, rule.id)));
        return;
    };
    let slots = slots(rule, trace, ruleset, found);
    params(rule, trace, currency, found);
    let verdict = Verdict::from(condition.evaluate(&slots, currency));
    if !fits(asked.outcome, verdict) {
        found.push(finding("condition", format!("`{}` comes to {}", rule.id, word(verdict))));
    }
    verdicts(condition, &slots, currency, trace, found);
}

/// The rule's condition, or the negated one that explains why a block was lifted.
fn condition<'a>(rule: &'a Rule, text: &str) -> Option<&'a Program> {
    let rows = rule.table.iter().flat_map(|table| &table.rows.rows).map(|row| &row.when);
    std::iter::once(&rule.when).chain(&rule.unless).chain(rows).find(|each| each.text() == text)
}

fn fits(outcome: Outcome, verdict: Verdict) -> bool {
    match outcome {
        Outcome::True => verdict == Verdict::True,
        Outcome::NotTrue => verdict != Verdict::True,
        Outcome::Unknown => matches!(verdict, Verdict::Unknown | Verdict::Error),
    }
}

fn slots(rule: &Rule, trace: &Trace, ruleset: &Ruleset, found: &mut Vec<Finding>) -> Slots {
    let schema = &ruleset.schema;
    let mut slots = Slots::new(schema.len());
    for slot in &rule.reads {
        let name = &schema.symbol(*slot).name;
        match trace.features.iter().find(|each| each.name == *name) {
            None => found.push(finding("feature", format!("`{name}` is read and not recorded"))),
            Some(feature) => {
                found.extend(text(feature, &schema.symbol(*slot).ty));
                feature.value.into_iter().for_each(|value| slots.set(*slot, value));
            }
        }
    }
    let read = |name: &str| schema.slot(name).is_some_and(|slot| rule.reads.binary_search(&slot).is_ok());
    let strange = trace.features.iter().filter(|each| !read(&each.name));
    found.extend(strange.map(|each| finding("feature", format!("`{}` is recorded and not read", each.name))));
    slots
}

/// The word of an enum is that of its number.
fn text(feature: &FeatureValue, ty: &Type) -> Option<Finding> {
    let (Type::Enum(words), Some(value)) = (ty, feature.value) else { return None };
    let word = usize::try_from(value).ok().and_then(|at| words.get(at)).map_or("", String::as_str);
    let words = || format!("`{}` is `{}`, its number {value} says `{word}`", feature.name, feature.text);
    (word != feature.text).then(|| finding("feature", words()))
}

fn params(rule: &Rule, trace: &Trace, currency: Currency, found: &mut Vec<Finding>) {
    for written in &trace.params {
        let constant = written.name.strip_prefix("p.").and_then(|name| rule.params.get(name));
        let Some(constant) = constant else {
            found.push(finding("param", format!("`{}` is no parameter of `{}`", written.name, rule.id)));
            continue;
        };
        let value = value(constant, currency);
        if value != written.value {
            let detail = format!("`{}` is {}, the rule says {}", written.name, shown(written.value), shown(value));
            found.push(finding("param", detail));
        }
    }
}

fn value(constant: &Constant, currency: Currency) -> Option<i64> {
    match constant {
        Constant::Int(value) => Some(*value),
        Constant::Bool(value) => Some(i64::from(*value)),
        Constant::Money(table) => money_in(table, Some(currency)),
    }
}

fn shown(value: Option<i64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| value.to_string())
}

fn verdicts(condition: &Program, slots: &Slots, currency: Currency, trace: &Trace, found: &mut Vec<Finding>) {
    let again = condition.trace(slots, currency);
    let again: Vec<(&str, Verdict)> = again.conditions().map(|each| (each.text, each.verdict)).collect();
    if again.len() != trace.conditions.len() {
        let detail = format!("{} conditions are recorded, there are {}", trace.conditions.len(), again.len());
        found.push(finding("verdict", detail));
    }
    for ((text, verdict), written) in again.into_iter().zip(&trace.conditions) {
        if text != written.text {
            found.push(finding("verdict", format!("`{}` stands where `{text}` comes", written.text)));
        } else if number(verdict) != written.verdict() {
            let detail =
                format!("`{text}` comes to {}, recorded is {}", word(verdict), written_word(written.verdict()));
            found.push(finding("verdict", detail));
        }
    }
}

fn number(verdict: Verdict) -> Written {
    match verdict {
        Verdict::True => Written::True,
        Verdict::False => Written::False,
        Verdict::Unknown => Written::Unknown,
        Verdict::Error => Written::Error,
    }
}

fn word(verdict: Verdict) -> String {
    written_word(number(verdict))
}

fn written_word(verdict: Written) -> String {
    verdict.as_str_name().trim_start_matches("VERDICT_").to_lowercase()
}
