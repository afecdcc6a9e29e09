//! Every change is explained by itself: its trace, evaluated again, gives its decision.

use headroom_engine::{LimitChange, NamedValue, Output, Rule, RuleRef, Ruleset, Trace, Verdict};
use headroom_policy::{Constant, Currency, Expect, Scope, Slots, compile};
use proptest::prelude::*;

use crate::streams::{Manner, played, stream};
use crate::{builtin, hold};

/// Stands for "no currency yet".
const NO_CURRENCY: Currency = Currency(*b"XXX");

#[test]
fn a_trace_evaluated_again_gives_its_decision() {
    let seen = std::cell::Cell::new(0_usize);
    for manner in [Manner::Lively, Manner::Wild] {
        hold(150, &stream(manner, 150), |steps| {
            let (_, shard) = played(builtin(), &steps);
            for output in &shard.outputs {
                let (rule, trace, currency) = match output {
                    Output::LimitChange(change) => (change.rule.as_ref(), change.trace.as_ref(), change.currency),
                    Output::Offer(offer) => (Some(&offer.rule), offer.trace.as_ref(), offer.currency),
                    _ => continue,
                };
                let (Some(rule), Some(trace)) = (rule, trace) else {
                    prop_assert!(without_a_rule(output), "{output:#?}");
                    continue;
                };
                again(builtin(), rule, trace, currency.unwrap_or(NO_CURRENCY))?;
                seen.set(seen.get() + 1);
            }
            Ok(())
        });
    }
    assert!(seen.get() > 1_500, "only {} traces were seen", seen.get());
}

/// People and the clock need no condition.
fn without_a_rule(output: &Output) -> bool {
    let Output::LimitChange(change) = output else { return false };
    let LimitChange { trigger, rule, .. } = &**change;
    trigger.name.starts_with("timer:") || rule.is_none()
}

fn again(ruleset: &Ruleset, rule: &RuleRef, trace: &Trace, currency: Currency) -> Result<(), TestCaseError> {
    let position = ruleset.rule(rule.number);
    let rule = &ruleset.rules[position.expect("the rule is in force")];
    let scope = Scope { schema: &ruleset.schema, params: &rule.params };
    let compiled = compile(&trace.condition, 0, &scope, Expect::Bool);
    let program = compiled.map_err(|found| TestCaseError::fail(format!("{found:?}")))?.program;
    let mut slots = Slots::new(ruleset.schema.len());
    for NamedValue { name, value, .. } in &trace.features {
        let slot = ruleset.schema.slot(name).expect("a feature of the schema");
        if let Some(value) = value {
            slots.set(slot, *value);
        }
    }
    prop_assert!(program.evaluate(&slots, currency).is_true(), "`{}` of {trace:#?}", rule.id);
    let verdicts = program.trace(&slots, currency);
    let verdicts: Vec<(String, Verdict)> =
        verdicts.conditions().map(|each| (each.text.to_owned(), verdict(each.verdict))).collect();
    prop_assert_eq!(&verdicts, &trace.conditions);
    prop_assert_eq!(&params(rule, currency), &trace.params);
    Ok(())
}

fn verdict(verdict: headroom_policy::Verdict) -> Verdict {
    match verdict {
        headroom_policy::Verdict::True => Verdict::True,
        headroom_policy::Verdict::False => Verdict::False,
        headroom_policy::Verdict::Unknown => Verdict::Unknown,
        headroom_policy::Verdict::Error => Verdict::Error,
    }
}

fn params(rule: &Rule, currency: Currency) -> Vec<NamedValue> {
    let value = |constant: &Constant| match constant {
        Constant::Int(value) => Some(*value),
        Constant::Bool(value) => Some(i64::from(*value)),
        Constant::Money(table) => table.iter().find(|(each, _)| *each == currency).map(|(_, amount)| *amount),
    };
    let named = |(name, constant): (&String, &Constant)| NamedValue {
        name: format!("p.{name}"),
        value: value(constant),
        text: String::new(),
    };
    rule.params.iter().map(named).collect()
}
