//! Conditions as a list of tests: what nearly all rules are, `test && test && …`, without a stack.
//!
//! Comparisons of a slot with a constant become one test of a range, and two of them on one slot a single one. Ranges
//! are asked first, being cheap; then the others. A part that is none of the known forms keeps its code for the stack
//! machine. The outcome is the same in every case; why it is open is found out only where it is. The tests below and
//! `tests/differential.rs` hold the two against each other.

mod build;

use std::sync::Arc;

use crate::emit::{Amounts, Code};
use crate::machine::{money, run};
use crate::scope::Currency;
use crate::semantics::{TRUE, truth};
use crate::slots::Slots;
use crate::value::{Cause, Value};

/// The slot lies within `low ..= low + width`, wrapping: `!=` is the range of all but one. An operand of `||` stands here
/// negated, so that a range that does not hold decides the whole, whatever joins them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Range {
    slot: u32,
    /// Its place among the operands of the whole.
    operand: u32,
    low: i64,
    width: u64,
}

impl Range {
    #[inline(always)]
    fn holds(&self, value: i64) -> bool {
        value.wrapping_sub(self.low).cast_unsigned() <= self.width
    }

    /// `None` for the range of everything.
    fn negated(self) -> Option<Self> {
        let width = (u64::MAX - 1).checked_sub(self.width)?;
        let low = self.low.wrapping_add(self.width.cast_signed()).wrapping_add(1);
        Some(Self { low, width, ..self })
    }
}

/// Any other operand of `&&` or `||`.
#[derive(Debug)]
enum Other {
    Plain(Plain),
    /// An `&&` or `||` within.
    Group(Flat),
    /// Anything else.
    Code(Box<Code>),
}

/// An operand that reads slots and does no more.
#[derive(Debug)]
enum Plain {
    /// The slot is one of the numbers below 64 whose bits are set.
    Among { slot: u32, bits: u64 },
    /// `pct(part, whole) OP bound`.
    Percent { part: u32, whole: u32, wanted: Wanted, bound: i64 },
    /// Two slots.
    Pair { left: u32, right: u32, wanted: Wanted },
    /// A slot and a money parameter.
    Money { slot: u32, amounts: Amounts, wanted: Wanted },
    /// Whether the slot is known.
    Has { slot: u32 },
}

/// The orders of two numbers that satisfy a comparison, a bit for each: less, equal, greater.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wanted(u8);

impl Wanted {
    #[inline(always)]
    fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        let order = u8::from(left < right) | u8::from(left == right) << 1 | u8::from(left > right) << 2;
        self.0 & order != 0
    }
}

/// A condition as tests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Flat {
    ranges: Arc<[Range]>,
    /// Each with its place among the operands.
    others: Arc<[(u32, Other)]>,
    /// They are joined by `||`.
    any: bool,
}

impl Flat {
    #[inline(always)]
    pub fn evaluate(&self, slots: &Slots, currency: Currency) -> Value {
        match self.ask(slots, currency) {
            Some(holds) => truth(holds),
            None => self.why(slots, currency),
        }
    }

    /// Whether it holds, if that is known.
    #[inline(always)]
    fn ask(&self, slots: &Slots, currency: Currency) -> Option<bool> {
        let mut open = false;
        for range in &*self.ranges {
            match slots.get(range.slot as usize) {
                Some(value) if range.holds(value) => {}
                Some(_) => return Some(self.any),
                None => open = true,
            }
        }
        if self.others.is_empty() { (!open).then_some(!self.any) } else { self.ask_others(open, slots, currency) }
    }

    /// Apart, so that what needs ranges only keeps its registers.
    #[inline(never)]
    fn ask_others(&self, mut open: bool, slots: &Slots, currency: Currency) -> Option<bool> {
        for (_, other) in &*self.others {
            match other.ask(slots, currency) {
                Some(holds) if holds == self.any => return Some(self.any),
                Some(_) => {}
                None => open = true,
            }
        }
        (!open).then_some(!self.any)
    }

    /// What leaves it open that is neither true nor false: the first reason.
    #[inline(never)]
    fn why(&self, slots: &Slots, currency: Currency) -> Value {
        let ranges = self.ranges.iter().filter(|range| slots.get(range.slot as usize).is_none());
        let ranges = ranges.map(|range| (range.operand, missing(range.slot)));
        let others = self.others.iter().map(|(operand, other)| match other {
            Other::Plain(plain) if plain.ask(slots, currency).is_some() => (*operand, TRUE),
            Other::Plain(plain) => (*operand, plain.why(slots, currency)),
            Other::Group(group) => (*operand, group.evaluate(slots, currency)),
            Other::Code(code) => (*operand, run(code, slots, currency)),
        });
        ranges.chain(others).min_by_key(rank).map_or(TRUE, |(_, value)| value)
    }
}

/// Unknown goes before error, as in every operator, and then the first.
fn rank((operand, value): &(u32, Value)) -> (u8, u32) {
    match value {
        Value::Unknown(_) => (0, *operand),
        Value::Error(_) => (1, *operand),
        Value::Known(_) => (2, *operand),
    }
}

impl Other {
    #[inline(always)]
    fn ask(&self, slots: &Slots, currency: Currency) -> Option<bool> {
        match self {
            Self::Plain(plain) => plain.ask(slots, currency),
            Self::Group(group) => group.ask(slots, currency),
            Self::Code(code) => run(code, slots, currency).known().map(|value| value != 0),
        }
    }
}

impl Plain {
    /// Whether it holds, if that is known.
    #[inline(always)]
    fn ask(&self, slots: &Slots, currency: Currency) -> Option<bool> {
        let get = |slot: &u32| slots.get(*slot as usize);
        match self {
            Self::Among { slot, bits } => get(slot).map(|value| (0..64).contains(&value) && bits >> value & 1 == 1),
            Self::Percent { part, whole, wanted, bound } => {
                let (part, whole) = (get(part)?, get(whole).filter(|whole| *whole > 0)?);
                Some(wanted.holds(&(i128::from(part) * 100), &(i128::from(*bound) * i128::from(whole))))
            }
            Self::Pair { left, right, wanted } => Some(wanted.holds(&get(left)?, &get(right)?)),
            Self::Money { slot, amounts, wanted } => {
                Some(wanted.holds(&get(slot)?, &money(amounts, currency).known()?))
            }
            Self::Has { slot } => Some(get(slot).is_some()),
        }
    }

    /// Why it is not known: the first reason.
    fn why(&self, slots: &Slots, currency: Currency) -> Value {
        let known = |slot: u32| slots.get(slot as usize).is_some();
        let first = |left: u32, right: u32| missing(if known(left) { right } else { left });
        match self {
            Self::Among { slot, .. } | Self::Has { slot } => missing(*slot),
            Self::Percent { part, whole, .. } if known(*part) && known(*whole) => {
                Value::Unknown(Cause::DenominatorNotPositive)
            }
            Self::Percent { part: left, whole: right, .. } | Self::Pair { left, right, .. } => first(*left, *right),
            Self::Money { slot, .. } if !known(*slot) => missing(*slot),
            Self::Money { amounts, .. } => money(amounts, currency),
        }
    }
}

fn missing(slot: u32) -> Value {
    Value::Unknown(Cause::Missing(slot as usize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::emit_part;
    use crate::{Expect, Params, Schema, Scope, Symbol, Type, compile};

    fn schema() -> Schema {
        let int = |name: &str| Symbol { name: name.to_owned(), ty: Type::Int, min: i64::MIN, max: i64::MAX };
        let flag = |name: &str| Symbol { ty: Type::Bool, ..int(name) };
        Schema::new(vec![int("x.a"), int("x.b"), int("x.c"), flag("x.on"), flag("x.off")])
    }

    const TEXTS: [&str; 10] = [
        "x.a >= 3 && x.a <= 5 && x.on",
        "x.a > 3 && x.b < 2 && x.a < 4",
        "x.on && !x.off && x.a != 4 && x.b in [1, 3, 5]",
        "pct(x.a, x.b) >= 80 && x.c == 2",
        "x.a < x.b && (x.on || x.c > 1 && x.off) && has(x.c)",
        "x.on || x.a == 3 || x.a + x.b > x.c",
        "(x.a >= 1 && x.a <= 4 || x.on) && (x.off || x.b != 0)",
        "!(x.on && x.off) && min(x.a, x.b) >= 2",
        "x.b in [70] || x.a / x.b > 1 && x.on",
        "x.a >= 9223372036854775807 && x.b <= -9223372036854775807",
    ];

    /// Over every combination of a few values and unknown, tests and stack give one outcome, its cause included.
    #[test]
    fn tests_and_stack_agree() {
        let (schema, params) = (schema(), Params::new());
        let values = [None, Some(0), Some(1), Some(4), Some(5)];
        let currency = Currency(*b"CNY");
        let mut slots = Slots::new(schema.len());
        for text in TEXTS {
            let scope = Scope { schema: &schema, params: &params };
            let program = compile(text, 0, &scope, Expect::Bool).expect("it compiles").program;
            let flat = Flat::of(program.root()).expect("it has operands");
            let code = emit_part(program.root()).expect("it fits");
            for pick in 0..values.len().pow(5) {
                for slot in 0..5 {
                    let value = values[pick / values.len().pow(u32::try_from(slot).unwrap_or(0)) % values.len()];
                    let value = if slot > 2 { value.map(|value| i64::from(value > 1)) } else { value };
                    match value {
                        Some(value) => slots.set(slot, value),
                        None => slots.forget(slot),
                    }
                }
                let wanted = run(&code, &slots, currency);
                assert_eq!(flat.evaluate(&slots, currency), wanted, "{text} over {slots:?}");
            }
        }
    }

    #[test]
    fn two_limits_of_one_slot_become_one_test() {
        let (schema, params) = (schema(), Params::new());
        let scope = Scope { schema: &schema, params: &params };
        let program = compile("x.a >= 3 && x.on && x.a <= 5", 0, &scope, Expect::Bool).expect("it compiles").program;
        let flat = Flat::of(program.root()).expect("it has operands");
        let first = Range { slot: 0, operand: 0, low: 3, width: 2 };
        assert_eq!((flat.ranges[0], flat.ranges.len(), flat.others.len()), (first, 2, 0));
    }
}
