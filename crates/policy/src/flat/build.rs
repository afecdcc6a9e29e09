//! From an expression to tests.

use super::{Flat, Other, Plain, Range, Wanted};
use crate::emit::emit_part;
use crate::expr::{Comparison, Expr, Kind};
use crate::schema::Type;

impl Flat {
    /// The tests of a condition; `None` for what is no condition, or is done by the stack machine as a whole.
    pub fn of(root: &Expr) -> Option<Self> {
        let (operands, any) = match &root.kind {
            Kind::And(operands) => (operands.as_slice(), false),
            Kind::Or(operands) => (operands.as_slice(), true),
            _ if root.ty == Type::Bool => (std::slice::from_ref(root), false),
            _ => return None,
        };
        let (mut ranges, mut others) = (Vec::new(), Vec::new());
        for (at, operand) in operands.iter().enumerate() {
            let at = u32::try_from(at).ok()?;
            let range = range(operand, at).and_then(|range| if any { range.negated() } else { Some(range) });
            match range {
                Some(range) => add(&mut ranges, range),
                None => others.push((at, other(operand)?)),
            }
        }
        let is_code = ranges.is_empty() && matches!(others.as_slice(), [(_, Other::Code(_))]);
        (!is_code).then(|| Self { ranges: ranges.into(), others: others.into(), any })
    }
}

/// Two ranges of one slot that meet are one. Both stand for the first of them, which is the reason if the slot is unknown.
fn add(ranges: &mut Vec<Range>, range: Range) {
    match ranges.iter_mut().find_map(|earlier| narrowed(*earlier, range).map(|new| (earlier, new))) {
        Some((earlier, new)) => *earlier = new,
        None => ranges.push(range),
    }
}

fn other(expr: &Expr) -> Option<Other> {
    if let Some(plain) = plain(expr) {
        return Some(Other::Plain(plain));
    }
    match &expr.kind {
        Kind::And(_) | Kind::Or(_) => Flat::of(expr).map(Other::Group),
        _ => emit_part(expr).ok().map(|code| Other::Code(Box::new(code))),
    }
}

fn wanted(operator: Comparison) -> Wanted {
    Wanted(match operator {
        Comparison::Less => 0b001,
        Comparison::AtMost => 0b011,
        Comparison::Equal => 0b010,
        Comparison::NotEqual => 0b101,
        Comparison::AtLeast => 0b110,
        Comparison::Greater => 0b100,
    })
}

/// A slot against a constant.
fn range(expr: &Expr, operand: u32) -> Option<Range> {
    match &expr.kind {
        &Kind::Slot(slot) => within(slot, operand, Comparison::NotEqual, 0),
        Kind::Not(one) => match one.kind {
            Kind::Slot(slot) => within(slot, operand, Comparison::Equal, 0),
            _ => None,
        },
        Kind::Compare(operator, sides) => match (&sides[0].kind, &sides[1].kind) {
            (&Kind::Slot(slot), &Kind::Const(value)) => within(slot, operand, *operator, value),
            (&Kind::Const(value), &Kind::Slot(slot)) => within(slot, operand, operator.flipped(), value),
            _ => None,
        },
        _ => None,
    }
}

/// `None` where no number satisfies it.
fn within(slot: usize, operand: u32, operator: Comparison, value: i64) -> Option<Range> {
    let (low, high) = match operator {
        Comparison::Equal => (value, value),
        Comparison::NotEqual => (value.wrapping_add(1), value.wrapping_sub(1)),
        Comparison::AtLeast => (value, i64::MAX),
        Comparison::AtMost => (i64::MIN, value),
        Comparison::Greater => (value.checked_add(1)?, i64::MAX),
        Comparison::Less => (i64::MIN, value.checked_sub(1)?),
    };
    let slot = u32::try_from(slot).ok()?;
    Some(Range { slot, operand, low, width: high.wrapping_sub(low).cast_unsigned() })
}

fn plain(expr: &Expr) -> Option<Plain> {
    let slot = |slot: usize| u32::try_from(slot).ok();
    match &expr.kind {
        &Kind::Has(at) => Some(Plain::Has { slot: slot(at)? }),
        Kind::Compare(operator, sides) => match (&sides[0].kind, &sides[1].kind) {
            (&Kind::Slot(left), &Kind::Slot(right)) => {
                Some(Plain::Pair { left: slot(left)?, right: slot(right)?, wanted: wanted(*operator) })
            }
            (&Kind::Slot(at), Kind::Money(table)) => {
                Some(Plain::Money { slot: slot(at)?, amounts: table.as_slice().into(), wanted: wanted(*operator) })
            }
            _ => None,
        },
        Kind::Pct(operator, _, parts) => match (&parts[0].kind, &parts[1].kind, &parts[2].kind) {
            (&Kind::Slot(part), &Kind::Slot(whole), &Kind::Const(bound)) => {
                Some(Plain::Percent { part: slot(part)?, whole: slot(whole)?, wanted: wanted(*operator), bound })
            }
            _ => None,
        },
        Kind::In(wanted, elements) => among(wanted, elements),
        _ => None,
    }
}

fn among(wanted: &Expr, elements: &[Expr]) -> Option<Plain> {
    let Kind::Slot(slot) = wanted.kind else { return None };
    let bits = elements.iter().try_fold(0_u64, |bits, element| {
        let value = element.constant().filter(|value| (0..64).contains(value))?;
        Some(bits | 1 << value)
    })?;
    // An empty list has its own meaning for an unknown value.
    (!elements.is_empty()).then_some(Plain::Among { slot: u32::try_from(slot).ok()?, bits })
}

/// One range for two of the same slot, if neither wraps and they meet.
fn narrowed(one: Range, other: Range) -> Option<Range> {
    let high = |range: Range| range.low.wrapping_add(range.width.cast_signed());
    let plain = |range: Range| range.low <= high(range);
    let (low, high) = (one.low.max(other.low), high(one).min(high(other)));
    let meet = one.slot == other.slot && plain(one) && plain(other) && low <= high;
    meet.then(|| Range { low, width: high.wrapping_sub(low).cast_unsigned(), ..one })
}
