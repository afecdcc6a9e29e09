//! What each operator means over values, unknowns and errors. The machine and the trace both use these.
//!
//! Where an operator needs both operands, unknown goes before error and error before a value, as in CEL.

use crate::expr::{Arithmetic, Comparison};
use crate::slots::Slots;
use crate::value::{Cause, Fault, Value};

pub const TRUE: Value = Value::Known(1);
pub const FALSE: Value = Value::Known(0);

#[inline(always)]
pub fn truth(holds: bool) -> Value {
    Value::Known(i64::from(holds))
}

#[inline(always)]
pub fn load(slots: &Slots, slot: usize) -> Value {
    match slots.get(slot) {
        Some(value) => Value::Known(value),
        None => Value::Unknown(Cause::Missing(slot)),
    }
}

/// What two operands give that are not both known.
#[inline(always)]
fn undefined(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Unknown(_), _) => left,
        (_, Value::Unknown(_)) => right,
        (Value::Error(_), _) => left,
        _ => right,
    }
}

#[inline(always)]
fn both(left: Value, right: Value, then: impl FnOnce(i64, i64) -> Value) -> Value {
    match (left, right) {
        (Value::Known(left), Value::Known(right)) => then(left, right),
        _ => undefined(left, right),
    }
}

#[inline(always)]
pub fn arithmetic(operator: Arithmetic, left: Value, right: Value) -> Value {
    both(left, right, |left, right| {
        let result = match operator {
            Arithmetic::Add => left.checked_add(right),
            Arithmetic::Sub => left.checked_sub(right),
            Arithmetic::Mul => left.checked_mul(right),
            Arithmetic::Div | Arithmetic::Rem if right == 0 => {
                return Value::Error(Fault::DivisionByZero);
            }
            Arithmetic::Div => left.checked_div(right),
            Arithmetic::Rem => left.checked_rem(right),
        };
        result.map_or(Value::Error(Fault::Overflow), Value::Known)
    })
}

#[inline(always)]
pub fn compare(operator: Comparison, left: Value, right: Value) -> Value {
    both(left, right, |left, right| truth(operator.holds(left, right)))
}

#[inline(always)]
pub fn least(left: Value, right: Value) -> Value {
    both(left, right, |left, right| Value::Known(left.min(right)))
}

#[inline(always)]
pub fn greatest(left: Value, right: Value) -> Value {
    both(left, right, |left, right| Value::Known(left.max(right)))
}

/// One step of `in`: what was found so far, and whether this element is equal.
#[inline(always)]
pub fn found(sofar: Value, wanted: Value, element: Value) -> Value {
    let equal = compare(Comparison::Equal, wanted, element);
    both(sofar, equal, |sofar, equal| truth(sofar != 0 || equal != 0))
}

/// `pct(part, whole) OP bound`: products in 128 bits cannot overflow.
#[inline(always)]
pub fn percent(operator: Comparison, part: Value, whole: Value, bound: Value) -> Value {
    let whole = match whole {
        Value::Known(whole) if whole <= 0 => Value::Unknown(Cause::DenominatorNotPositive),
        other => other,
    };
    match (part, whole, bound) {
        (Value::Known(part), Value::Known(whole), Value::Known(bound)) => {
            truth(operator.holds(i128::from(part) * 100, i128::from(bound) * i128::from(whole)))
        }
        _ => undefined(undefined(part, whole), bound),
    }
}

#[inline(always)]
pub fn not(value: Value) -> Value {
    match value {
        Value::Known(value) => truth(value == 0),
        other => other,
    }
}

#[inline(always)]
pub fn negate(value: Value) -> Value {
    arithmetic(Arithmetic::Sub, Value::Known(0), value)
}

/// Kleene and: false wins, then unknown, then error.
#[inline(always)]
pub fn and(left: Value, right: Value) -> Value {
    if left == FALSE || right == FALSE {
        return FALSE;
    }
    both(left, right, |_, _| TRUE)
}

/// Kleene or: true wins, then unknown, then error.
#[inline(always)]
pub fn or(left: Value, right: Value) -> Value {
    if left.is_true() || right.is_true() {
        return TRUE;
    }
    both(left, right, |_, _| FALSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const U: Value = Value::Unknown(Cause::Currency);
    const E: Value = Value::Error(Fault::Overflow);

    /// Every pair of {false, true, unknown, error}, in that order on both axes.
    #[test]
    fn and_or_tables() {
        let all = [FALSE, TRUE, U, E];
        let ands = [[FALSE, FALSE, FALSE, FALSE], [FALSE, TRUE, U, E], [FALSE, U, U, U], [FALSE, E, U, E]];
        let ors = [[FALSE, TRUE, U, E], [TRUE, TRUE, TRUE, TRUE], [U, TRUE, U, U], [E, TRUE, U, E]];
        for (i, &left) in all.iter().enumerate() {
            for (j, &right) in all.iter().enumerate() {
                assert_eq!(and(left, right), ands[i][j], "{left:?} && {right:?}");
                assert_eq!(or(left, right), ors[i][j], "{left:?} || {right:?}");
            }
        }
        assert_eq!([TRUE, FALSE, U, E].map(not), [FALSE, TRUE, U, E]);
    }

    #[test]
    fn unknown_goes_before_error_everywhere() {
        for (left, right, wanted) in [(U, E, U), (E, U, U), (E, TRUE, E), (TRUE, U, U)] {
            for operator in [Arithmetic::Add, Arithmetic::Sub, Arithmetic::Mul, Arithmetic::Div, Arithmetic::Rem] {
                assert_eq!(arithmetic(operator, left, right), wanted);
            }
            assert_eq!(compare(Comparison::Less, left, right), wanted);
            assert_eq!(least(left, right), wanted);
            assert_eq!(greatest(left, right), wanted);
            assert_eq!(found(FALSE, left, right), wanted);
            assert_eq!(percent(Comparison::Less, left, right, TRUE), wanted);
        }
    }

    #[test]
    fn arithmetic_never_wraps() {
        let min = Value::Known(i64::MIN);
        let minus = Value::Known(-1);
        let overflow = Value::Error(Fault::Overflow);
        assert_eq!(arithmetic(Arithmetic::Div, min, minus), overflow);
        assert_eq!(arithmetic(Arithmetic::Rem, min, minus), overflow);
        assert_eq!(negate(min), overflow);
        assert_eq!(arithmetic(Arithmetic::Rem, Value::Known(-7), Value::Known(5)), Value::Known(-2));
        assert_eq!(arithmetic(Arithmetic::Div, Value::Known(-7), Value::Known(2)), Value::Known(-3));
        let zero = Value::Error(Fault::DivisionByZero);
        assert_eq!(arithmetic(Arithmetic::Rem, minus, FALSE), zero);
    }

    #[test]
    fn percent_is_exact_at_the_ends_of_the_range() {
        let max = Value::Known(i64::MAX);
        let hundred = Value::Known(100);
        assert_eq!(percent(Comparison::AtLeast, max, max, hundred), TRUE);
        assert_eq!(percent(Comparison::Greater, max, max, hundred), FALSE);
        let denominator = Value::Unknown(Cause::DenominatorNotPositive);
        assert_eq!(percent(Comparison::AtLeast, max, FALSE, hundred), denominator);
        assert_eq!(percent(Comparison::AtLeast, E, FALSE, hundred), denominator);
    }
}
