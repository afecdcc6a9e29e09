//! Conditions as a flat list of tests: what nearly all rules are, `test && test && …`, without a stack.
//!
//! Comparisons of a slot with a constant become one test of a range, and two of them on one slot a single one. A part
//! that is none of the known forms keeps its code for the stack machine. The outcome is the same in every case, causes
//! of unknowns included; the tests below and `tests/differential.rs` hold the two against each other.

use crate::emit::{Amounts, Code, emit_part};
use crate::expr::{Comparison, Expr, Kind};
use crate::machine::{money, run_stack};
use crate::scope::Currency;
use crate::semantics::{FALSE, TRUE, and, compare, load, or, percent, truth};
use crate::slots::Slots;
use crate::value::{Cause, Value};

/// One operand of `&&` or `||`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Test {
    /// The slot lies within `low ..= low + width`; or not.
    Range { slot: u32, within: bool, low: i64, width: u64 },
    /// The slot is one of the numbers below 64 whose bits are set.
    Among { slot: u32, bits: u64 },
    /// `pct(part, whole) OP bound`.
    Percent { operator: Comparison, part: u32, whole: u32, bound: i64 },
    /// Two slots.
    Pair { operator: Comparison, left: u32, right: u32 },
    /// A slot and a money parameter.
    Money { operator: Comparison, slot: u32, amounts: u32 },
    /// Whether the slot is known.
    Has { slot: u32 },
    /// `&&` or `||` of the tests `from .. to`.
    Group { any: bool, from: u32, to: u32 },
    /// Anything else.
    Code { part: u32 },
}

/// A condition as tests.
#[derive(Debug)]
pub struct Flat {
    tests: Box<[Test]>,
    /// How many of the tests, from the first, are the operands of the whole; groups lie behind them.
    top: usize,
    /// They are joined by `||`.
    any: bool,
    amounts: Box<[Amounts]>,
    parts: Box<[Code]>,
}

impl Flat {
    /// The tests of an `&&` or `||`; `None` for any other expression, which the stack machine does as well.
    pub fn of(root: &Expr) -> Option<Self> {
        let (operands, any) = operands(root)?;
        let mut building = Building::default();
        let top = building.tests(operands, any)?;
        let mut tests = top;
        let count = tests.len();
        building.lay(&mut tests)?;
        Some(Self {
            tests: tests.into(),
            top: count,
            any,
            amounts: building.amounts.into(),
            parts: building.parts.into(),
        })
    }

    #[inline(always)]
    pub fn evaluate(&self, slots: &Slots, currency: Currency) -> Value {
        let top = &self.tests[..self.top];
        if self.any { self.some(top, slots, currency) } else { self.all(top, slots, currency) }
    }

    /// `&&`: false ends it; what is not known is kept until it is sure that nothing is false.
    #[inline(always)]
    fn all(&self, tests: &[Test], slots: &Slots, currency: Currency) -> Value {
        let mut open = TRUE;
        for test in tests {
            let value = match *test {
                Test::Range { slot, within, low, width } => match slots.get(slot as usize) {
                    Some(value) if (value.wrapping_sub(low).cast_unsigned() <= width) == within => continue,
                    Some(_) => return FALSE,
                    None => Value::Unknown(Cause::Missing(slot as usize)),
                },
                _ => self.test(test, slots, currency),
            };
            if value == FALSE {
                return FALSE;
            }
            open = and(open, value);
        }
        open
    }

    /// `||`: true ends it.
    #[inline(always)]
    fn some(&self, tests: &[Test], slots: &Slots, currency: Currency) -> Value {
        let mut open = FALSE;
        for test in tests {
            let value = self.test(test, slots, currency);
            if value.is_true() {
                return TRUE;
            }
            open = or(open, value);
        }
        open
    }

    #[inline(always)]
    fn test(&self, test: &Test, slots: &Slots, currency: Currency) -> Value {
        match *test {
            Test::Range { slot, within, low, width } => match slots.get(slot as usize) {
                Some(value) => truth((value.wrapping_sub(low).cast_unsigned() <= width) == within),
                None => Value::Unknown(Cause::Missing(slot as usize)),
            },
            Test::Among { slot, bits } => match slots.get(slot as usize) {
                Some(value) => truth((0..64).contains(&value) && bits >> value & 1 == 1),
                None => Value::Unknown(Cause::Missing(slot as usize)),
            },
            Test::Percent { operator, part, whole, bound } => {
                let (part, whole) = (load(slots, part as usize), load(slots, whole as usize));
                percent(operator, part, whole, Value::Known(bound))
            }
            Test::Pair { operator, left, right } => {
                compare(operator, load(slots, left as usize), load(slots, right as usize))
            }
            Test::Money { operator, slot, amounts } => {
                let amount = money(&self.amounts[amounts as usize], currency);
                compare(operator, load(slots, slot as usize), amount)
            }
            Test::Has { slot } => truth(slots.get(slot as usize).is_some()),
            Test::Group { any, from, to } => self.group(any, from as usize..to as usize, slots, currency),
            Test::Code { part } => run_stack(&self.parts[part as usize], slots, currency),
        }
    }

    #[inline(never)]
    fn group(&self, any: bool, tests: std::ops::Range<usize>, slots: &Slots, currency: Currency) -> Value {
        let tests = &self.tests[tests];
        if any { self.some(tests, slots, currency) } else { self.all(tests, slots, currency) }
    }
}

fn operands(expr: &Expr) -> Option<(&[Expr], bool)> {
    match &expr.kind {
        Kind::And(operands) => Some((operands, false)),
        Kind::Or(operands) => Some((operands, true)),
        _ => None,
    }
}

/// Tests on their way; a group's own tests wait until the level above it is laid.
#[derive(Default)]
struct Building {
    groups: Vec<(bool, Vec<Test>)>,
    amounts: Vec<Amounts>,
    parts: Vec<Code>,
}

impl Building {
    fn tests(&mut self, operands: &[Expr], any: bool) -> Option<Vec<Test>> {
        let mut tests: Vec<Test> = Vec::with_capacity(operands.len());
        for operand in operands {
            let test = self.test(operand)?;
            match tests
                .iter_mut()
                .filter(|_| !any)
                .find_map(|earlier| narrowed(*earlier, test).map(|new| (earlier, new)))
            {
                Some((earlier, new)) => *earlier = new,
                None => tests.push(test),
            }
        }
        Some(tests)
    }

    fn test(&mut self, expr: &Expr) -> Option<Test> {
        if let Some(found) = plain(expr) {
            return Some(found);
        }
        if let Some((operands, any)) = operands(expr) {
            let tests = self.tests(operands, any)?;
            self.groups.push((any, tests));
            let at = u32::try_from(self.groups.len() - 1).ok()?;
            return Some(Test::Group { any, from: at, to: at });
        }
        if let Kind::Compare(operator, sides) = &expr.kind
            && let (Kind::Slot(slot), Kind::Money(table)) = (&sides[0].kind, &sides[1].kind)
        {
            self.amounts.push(table.as_slice().into());
            let amounts = u32::try_from(self.amounts.len() - 1).ok()?;
            return Some(Test::Money { operator: *operator, slot: u32::try_from(*slot).ok()?, amounts });
        }
        self.parts.push(emit_part(expr).ok()?);
        Some(Test::Code { part: u32::try_from(self.parts.len() - 1).ok()? })
    }

    /// Lays groups behind the tests that name them, and puts their places in.
    fn lay(&mut self, tests: &mut Vec<Test>) -> Option<()> {
        let mut at = 0;
        while at < tests.len() {
            if let Test::Group { any, from, .. } = tests[at] {
                let group = std::mem::take(&mut self.groups[from as usize].1);
                let from = u32::try_from(tests.len()).ok()?;
                tests.extend(group);
                tests[at] = Test::Group { any, from, to: u32::try_from(tests.len()).ok()? };
            }
            at += 1;
        }
        Some(())
    }
}

/// Tests that need nothing beside themselves.
fn plain(expr: &Expr) -> Option<Test> {
    match &expr.kind {
        Kind::Slot(slot) => range(*slot, Comparison::NotEqual, 0),
        Kind::Has(slot) => Some(Test::Has { slot: u32::try_from(*slot).ok()? }),
        Kind::Not(one) => match one.kind {
            Kind::Slot(slot) => range(slot, Comparison::Equal, 0),
            _ => None,
        },
        Kind::Compare(operator, sides) => match (&sides[0].kind, &sides[1].kind) {
            (&Kind::Slot(slot), &Kind::Const(value)) => range(slot, *operator, value),
            (&Kind::Const(value), &Kind::Slot(slot)) => range(slot, operator.flipped(), value),
            (&Kind::Slot(left), &Kind::Slot(right)) => Some(Test::Pair {
                operator: *operator,
                left: u32::try_from(left).ok()?,
                right: u32::try_from(right).ok()?,
            }),
            _ => None,
        },
        Kind::Pct(operator, _, parts) => match (&parts[0].kind, &parts[1].kind, &parts[2].kind) {
            (&Kind::Slot(part), &Kind::Slot(whole), &Kind::Const(bound)) => Some(Test::Percent {
                operator: *operator,
                part: u32::try_from(part).ok()?,
                whole: u32::try_from(whole).ok()?,
                bound,
            }),
            _ => None,
        },
        Kind::In(wanted, elements) => among(wanted, elements),
        _ => None,
    }
}

fn range(slot: usize, operator: Comparison, value: i64) -> Option<Test> {
    let (within, low, high) = match operator {
        Comparison::Equal => (true, value, value),
        Comparison::NotEqual => (false, value, value),
        Comparison::AtLeast => (true, value, i64::MAX),
        Comparison::AtMost => (true, i64::MIN, value),
        Comparison::Greater => (true, value.checked_add(1)?, i64::MAX),
        Comparison::Less => (true, i64::MIN, value.checked_sub(1)?),
    };
    Some(Test::Range { slot: u32::try_from(slot).ok()?, within, low, width: high.wrapping_sub(low).cast_unsigned() })
}

fn among(wanted: &Expr, elements: &[Expr]) -> Option<Test> {
    let Kind::Slot(slot) = wanted.kind else { return None };
    let bits = elements.iter().try_fold(0_u64, |bits, element| {
        let value = element.constant().filter(|value| (0..64).contains(value))?;
        Some(bits | 1 << value)
    })?;
    // An empty list has its own meaning for an unknown value.
    (!elements.is_empty()).then_some(Test::Among { slot: u32::try_from(slot).ok()?, bits })
}

/// One test for two on the same slot, if both are ranges that meet.
fn narrowed(one: Test, other: Test) -> Option<Test> {
    let (
        Test::Range { slot, within: true, low: a, width: wa },
        Test::Range { slot: same, within: true, low: b, width: wb },
    ) = (one, other)
    else {
        return None;
    };
    let high = |low: i64, width: u64| low.wrapping_add(width.cast_signed());
    let (low, high) = (a.max(b), high(a, wa).min(high(b, wb)));
    let meet = slot == same && low <= high;
    meet.then(|| Test::Range { slot, within: true, low, width: high.wrapping_sub(low).cast_unsigned() })
}

#[cfg(test)]
mod tests {
    use super::*;
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
                let wanted = run_stack(&code, &slots, currency);
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
        assert_eq!(flat.tests[0], Test::Range { slot: 0, within: true, low: 3, width: 2 });
        assert_eq!(flat.tests.len(), 2);
    }
}
