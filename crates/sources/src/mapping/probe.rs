//! Tries every expression once, so that a wrong function or type is an error of the mapping and not of every row.

use super::check::Mapping;
use super::expression::Expression;
use super::{Flaw, Value};

/// Finds the first expression that cannot work on rows of these types.
pub(super) fn probe(mapping: &Mapping) -> Result<(), Flaw> {
    let evaluator = &mapping.evaluator;
    let mut row = mapping.sample();
    for expression in &mapping.lets {
        let value = evaluator.evaluate(expression, &row).unwrap_or(Value::Int(1));
        check(mapping, expression, &row, None)?;
        row.push(value);
    }
    let group = mapping.group.iter();
    let refusals = mapping.refuse.iter().chain(group.clone().flat_map(|group| &group.refuse));
    let emits = || mapping.emit.iter().chain(&mapping.once_per_account);
    let conditions = refusals.map(|refusal| &refusal.when).chain(emits().filter_map(|emit| emit.when.as_ref()));
    for condition in conditions {
        check(mapping, condition, &row, Some(is_condition))?;
    }
    for sum in group.clone().flat_map(|group| &group.sums) {
        check(mapping, sum, &row, Some(is_sum))?;
    }
    let keys = group.map(|group| &group.by).chain(&mapping.account).chain(emits().map(|emit| &emit.id));
    for key in keys {
        check(mapping, key, &row, Some(is_id))?;
    }
    emits().flat_map(|emit| emit.body.expressions()).try_for_each(|field| check(mapping, field, &row, None))
}

type Demand = fn(&Value) -> Option<&'static str>;

fn is_condition(value: &Value) -> Option<&'static str> {
    (!matches!(value, Value::Bool(_))).then_some("a condition must be true or false")
}

fn is_sum(value: &Value) -> Option<&'static str> {
    (!matches!(value, Value::Int(_))).then_some("a sum must be of integers")
}

fn is_id(value: &Value) -> Option<&'static str> {
    (!matches!(value, Value::Int(_) | Value::Text(_))).then_some("an id must be text or an integer")
}

fn check(mapping: &Mapping, expression: &Expression, row: &[Value], demand: Option<Demand>) -> Result<(), Flaw> {
    let flaw = match mapping.evaluator.evaluate(expression, row) {
        Err(why) if mapping.evaluator.never_works(expression, row) => Some(why),
        Ok(value) => demand.and_then(|demand| demand(&value)).map(str::to_owned),
        Err(_) => None,
    };
    flaw.map_or(Ok(()), |why| Err(expression.flaw(&why)))
}
