//! What actions come to, as formulas: results of amounts, whether anything would change, which of two is the stronger.

use std::cmp::Ordering;

use headroom_engine::{Action, Amount, Scope};
use headroom_policy::{Expr, Kind, Program, Type};
use z3::ast::{Bool, Int};

use crate::effects::{Deed, holds as stopped, lasts_as_long, rank};
use crate::encode::{Beyond, Encoder, Number, Place, all, any, constant};
use crate::world::{Asked, World};

/// The base that an amount leads to, or down to with `down`.
fn result(
    encoder: &mut Encoder<'_, '_>,
    world: &World<'_>,
    amount: &Amount,
    down: bool,
    place: &Place,
) -> Result<Number, Beyond> {
    let base = encoder.slot(world.slots.base, place);
    let step = match amount {
        Amount::To(program) => return encoder.number(program.root(), place),
        Amount::By(program) => encoder.number(program.root(), place)?,
        Amount::Percent(program) => percent_of(encoder, &base, program.root(), place)?,
    };
    let value = match down {
        true => Int::sub(&[base.value, step.value]),
        false => Int::add(&[base.value, step.value]),
    };
    Ok(Number { known: all(&[base.known, step.known]), value, ..constant(0) })
}

/// Percent of base, where the percentage is a choice of constants: a product of two unknowns cannot be proven.
fn percent_of(encoder: &mut Encoder<'_, '_>, base: &Number, percent: &Expr, place: &Place) -> Result<Number, Beyond> {
    if let Kind::Choose(parts) = &percent.kind
        && percent.ty != Type::Bool
    {
        let condition = encoder.truth(&parts[0], place)?;
        let one = percent_of(encoder, base, &parts[1], place)?;
        let other = percent_of(encoder, base, &parts[2], place)?;
        let known = any(&[all(&[condition.yes.clone(), one.known]), all(&[condition.no, other.known])]);
        return Ok(Number { known, value: condition.yes.ite(&one.value, &other.value), ..constant(0) });
    }
    let percent = percent.constant().ok_or(Beyond)?;
    let product = Int::mul(&[base.value.clone(), Int::from_i64(percent)]);
    Ok(Number { known: base.known.clone(), value: product.div(Int::from_i64(100)), ..constant(0) })
}

/// The base after an increase or decrease; what a boost leads to.
pub(crate) fn outcome(
    encoder: &mut Encoder<'_, '_>,
    world: &World<'_>,
    action: &Action,
    place: &Place,
) -> Result<Number, Beyond> {
    match action {
        Action::Increase(amount) | Action::Boost { amount, .. } => result(encoder, world, amount, false, place),
        Action::Decrease { amount, floor, .. } => {
            let to = result(encoder, world, amount, true, place)?;
            let floor = match floor {
                Some(program) => encoder.number(program.root(), place)?,
                None => constant(0),
            };
            let value = to.value.ge(&floor.value).ite(&to.value, &floor.value);
            Ok(Number { known: all(&[to.known, floor.known]), value, ..constant(0) })
        }
        _ => Err(Beyond),
    }
}

/// What must hold beside a rule's condition for its first action to change anything. What cannot be proven is left out:
/// more is then thought possible, never less.
pub(crate) fn would_change(encoder: &mut Encoder<'_, '_>, world: &World<'_>, asked: Asked<'_>, place: &Place) -> Bool {
    let Some(action) = asked.actions().first() else { return Bool::from_bool(true) };
    let has = |encoder: &mut Encoder<'_, '_>, name: &str| match world.ruleset.schema.slot(name) {
        Some(slot) => encoder.slot(slot, place),
        None => constant(1),
    };
    let true_of = |number: Number| all(&[number.known, number.value.eq(Int::from_i64(1))]);
    match action {
        Action::Increase(_) | Action::Boost { .. } => {
            let base = encoder.slot(world.slots.base, place);
            match outcome(encoder, world, action, place) {
                Ok(to) => all(&[to.known, to.value.gt(&base.value)]),
                Err(Beyond) => Bool::from_bool(true),
            }
        }
        Action::Decrease { .. } => {
            let base = encoder.slot(world.slots.base, place);
            match outcome(encoder, world, action, place) {
                Ok(to) => all(&[to.known, to.value.lt(&base.value)]),
                Err(Beyond) => Bool::from_bool(true),
            }
        }
        Action::Unfreeze | Action::Restore { .. } => true_of(encoder.slot(world.slots.block_active, place)),
        Action::Undo { .. } => true_of(encoder.slot(world.slots.undo_active, place)),
        Action::EndBoost | Action::StepBoost { .. } => has(encoder, "boost.used_peak").known,
        Action::RegrantBoost => true_of(has(encoder, "boost.stepped_down")),
        Action::ExtendBoost { .. } => true_of(has(encoder, "boost.active")),
        _ => Bool::from_bool(true),
    }
}

fn ceiling(
    encoder: &mut Encoder<'_, '_>,
    scope: Scope,
    program: Option<&Program>,
    place: &Place,
) -> Result<Number, Beyond> {
    match (program, scope) {
        (Some(program), _) => encoder.number(program.root(), place),
        (None, Scope::Watch) => Ok(constant(i64::MAX)),
        (None, _) => Ok(constant(0)),
    }
}

/// How the strength of two actions for one field compares: the first is stronger; both are equally strong.
struct Strength {
    stronger: Bool,
    equal: Bool,
}

fn fixed(order: Ordering) -> Strength {
    Strength { stronger: Bool::from_bool(order.is_gt()), equal: Bool::from_bool(order.is_eq()) }
}

/// Of two numbers the larger, or with `low` the lower, is the stronger.
fn compared(one: &Number, other: &Number, low: bool) -> Strength {
    let known = all(&[one.known.clone(), other.known.clone()]);
    let stronger = if low { one.value.lt(&other.value) } else { one.value.gt(&other.value) };
    let equal = one.value.eq(&other.value);
    Strength { stronger: all(&[known.clone(), stronger]), equal: all(&[known, equal]) }
}

fn strength(
    encoder: &mut Encoder<'_, '_>,
    world: &World<'_>,
    one: &Deed<'_>,
    other: &Deed<'_>,
    place: &Place,
) -> Result<Option<Strength>, Beyond> {
    let same_cause = one.asked.cause == other.asked.cause;
    Ok(Some(match (one.action, other.action) {
        (Action::Increase(_), Action::Increase(_)) | (Action::Boost { .. }, Action::Boost { .. }) => {
            let (a, b) = (outcome(encoder, world, one.action, place)?, outcome(encoder, world, other.action, place)?);
            compared(&a, &b, false)
        }
        (Action::Decrease { after: 0, .. }, Action::Decrease { after: 0, .. }) => {
            let (a, b) = (outcome(encoder, world, one.action, place)?, outcome(encoder, world, other.action, place)?);
            compared(&a, &b, true)
        }
        (
            Action::Freeze { cause, scope, ceiling: a, .. },
            Action::Freeze { cause: of, scope: weaker, ceiling: b, .. },
        ) if cause == of => match scope.cmp(weaker) {
            Ordering::Equal => {
                let a = ceiling(encoder, *scope, a.as_ref(), place)?;
                compared(&a, &ceiling(encoder, *weaker, b.as_ref(), place)?, true)
            }
            order => fixed(order),
        },
        (Action::Cap { name, to: a, .. }, Action::Cap { name: of, to: b, .. }) if name == of => {
            let a = encoder.number(a.root(), place)?;
            compared(&a, &encoder.number(b.root(), place)?, true)
        }
        (Action::Cap { name, .. }, Action::Uncap { name: of }) if name == of => fixed(Ordering::Greater),
        (Action::Uncap { name }, Action::Uncap { name: of }) if name == of => fixed(Ordering::Equal),
        (Action::Restore { percent: a, .. }, Action::Restore { percent: b, .. }) if same_cause => {
            let a = encoder.number(a.root(), place)?;
            compared(&a, &encoder.number(b.root(), place)?, false)
        }
        (Action::Unfreeze | Action::Restore { .. }, Action::Unfreeze | Action::Restore { .. }) if same_cause => {
            fixed(rank(one.action).cmp(&rank(other.action)))
        }
        (Action::EndBoost | Action::StepBoost { .. }, Action::EndBoost | Action::StepBoost { .. }) => {
            fixed(rank(one.action).cmp(&rank(other.action)))
        }
        (
            Action::EndBoost | Action::StepBoost { .. },
            Action::Boost { .. } | Action::ExtendBoost { .. } | Action::RegrantBoost,
        ) => fixed(Ordering::Greater),
        (Action::Hold { of: a, lasts: one }, Action::Hold { of: b, lasts: two }) if a.is_empty() || a == b => {
            match lasts_as_long(one, two) {
                Some(order) => fixed(order),
                None => return Ok(None),
            }
        }
        (Action::Review { kind, blocking: a, .. }, Action::Review { kind: of, blocking: b, .. }) if kind == of => {
            fixed(a.cmp(b))
        }
        _ => return Ok(None),
    }))
}

/// When the first keeps the second from having any effect, beside the first rule's own condition; `None`: never.
pub(crate) fn beats(
    encoder: &mut Encoder<'_, '_>,
    world: &World<'_>,
    one: &Deed<'_>,
    other: &Deed<'_>,
    place: &Place,
) -> Option<Bool> {
    let vetoes = match one.action {
        Action::Freeze { .. } => other.is_upward(),
        Action::Decrease { after: 0, .. } if other.is_upward() => {
            return Some(would_change(encoder, world, one.asked, place));
        }
        Action::Hold { of, .. } => stopped(of, other),
        Action::Review { blocking: true, .. } => other.is_upward() || other.loosens().is_some(),
        _ => false,
    };
    if vetoes {
        return Some(Bool::from_bool(true));
    }
    if !one.first {
        return None;
    }
    let strength = strength(encoder, world, one, other, place).ok().flatten()?;
    let wins_ties = one.asked.rule.number < other.asked.rule.number;
    Some(if wins_ties { any(&[strength.stronger, strength.equal]) } else { strength.stronger })
}

/// When both do the same thing; `None`: never.
pub(crate) fn equal(
    encoder: &mut Encoder<'_, '_>,
    world: &World<'_>,
    one: &Deed<'_>,
    other: &Deed<'_>,
    place: &Place,
) -> Option<Bool> {
    if !one.first || !same_terms(one.action, other.action) {
        return None;
    }
    strength(encoder, world, one, other, place).ok().flatten().map(|strength| strength.equal)
}

/// Whether two actions differ in nothing that strength leaves out: how long they last.
fn same_terms(one: &Action, other: &Action) -> bool {
    match (one, other) {
        (Action::Boost { from, until, .. }, Action::Boost { from: begins, until: ends, .. }) => {
            from == begins && until == ends
        }
        (Action::Freeze { until, .. }, Action::Freeze { until: ends, .. }) => until == ends,
        (Action::Cap { lasts, .. }, Action::Cap { lasts: ends, .. }) => lasts == ends,
        (Action::Restore { waive_until, .. }, Action::Restore { waive_until: ends, .. }) => waive_until == ends,
        (Action::StepBoost { every, steps, .. }, Action::StepBoost { every: pace, steps: count, .. }) => {
            every == pace && steps == count
        }
        _ => one.word() == other.word(),
    }
}
