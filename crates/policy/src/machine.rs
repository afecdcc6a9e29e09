//! The evaluator: code over a small stack of known size.
//!
//! Inlining is forced here and in `semantics`: measured, it halves the time of a rule of seven conditions.

use crate::emit::{Code, Op};
use crate::scope::Currency;
use crate::semantics::{
    FALSE, and, arithmetic, compare, found, greatest, least, load, negate, not, or, percent, truth,
};
use crate::slots::Slots;
use crate::value::{Cause, Value};

/// The deepest stack that a program may need.
pub const DEPTH_MAX: usize = 256;

/// Runs the code. Most rules need a handful of cells, so only what is needed is cleared.
pub fn run(code: &Code, slots: &Slots, currency: Currency) -> Value {
    match code.depth {
        0..=8 => run_within::<8>(code, slots, currency),
        9..=32 => run_within::<32>(code, slots, currency),
        _ => run_within::<DEPTH_MAX>(code, slots, currency),
    }
}

struct Stack<const N: usize> {
    cells: [Value; N],
    top: usize,
}

impl<const N: usize> Stack<N> {
    #[inline(always)]
    fn push(&mut self, value: Value) {
        self.cells[self.top] = value;
        self.top += 1;
    }

    #[inline(always)]
    fn pop(&mut self) -> Value {
        self.top -= 1;
        self.cells[self.top]
    }

    #[inline(always)]
    fn peek(&self) -> Value {
        self.cells[self.top - 1]
    }

    /// Replaces the two upper cells by one.
    #[inline(always)]
    fn join(&mut self, operator: impl FnOnce(Value, Value) -> Value) {
        let right = self.pop();
        let left = self.pop();
        self.push(operator(left, right));
    }
}

fn run_within<const N: usize>(code: &Code, slots: &Slots, currency: Currency) -> Value {
    let mut stack = Stack::<N> { cells: [FALSE; N], top: 0 };
    let mut at = 0;
    while let Some(&op) = code.ops.get(at) {
        at += 1;
        match op {
            Op::Jump(to) => at = to,
            Op::JumpIfFalse(to) if stack.peek() == FALSE => at = to,
            Op::JumpIfTrue(to) if stack.peek().is_true() => at = to,
            Op::JumpIfFalse(_) | Op::JumpIfTrue(_) => {}
            Op::JumpUnlessMissing(to) if !matches!(stack.peek(), Value::Unknown(_)) => at = to,
            Op::JumpUnlessMissing(_) => _ = stack.pop(),
            Op::Branch { otherwise, end } => at = branch(&mut stack, at, otherwise, end),
            other => step(other, code, slots, currency, &mut stack),
        }
    }
    stack.pop()
}

/// Where a `?:` goes on: its first branch follows directly.
#[inline(always)]
fn branch<const N: usize>(stack: &mut Stack<N>, next: usize, otherwise: usize, end: usize) -> usize {
    match stack.peek() {
        Value::Known(condition) => {
            stack.pop();
            if condition == 0 { otherwise } else { next }
        }
        Value::Unknown(_) | Value::Error(_) => end,
    }
}

/// One operation that does not jump.
#[inline(always)]
fn step<const N: usize>(op: Op, code: &Code, slots: &Slots, currency: Currency, stack: &mut Stack<N>) {
    match op {
        Op::Const(value) => stack.push(Value::Known(value)),
        Op::Money(at) => stack.push(money(&code.money[at], currency)),
        Op::Load(slot) => stack.push(load(slots, slot)),
        Op::Has(slot) => stack.push(truth(slots.get(slot).is_some())),
        Op::Test(operator, slot, value) => {
            stack.push(compare(operator, load(slots, slot), Value::Known(value)));
        }
        Op::Not => {
            let value = stack.pop();
            stack.push(not(value));
        }
        Op::Neg => {
            let value = stack.pop();
            stack.push(negate(value));
        }
        Op::And => stack.join(and),
        Op::Or => stack.join(or),
        Op::Min => stack.join(least),
        Op::Max => stack.join(greatest),
        Op::Arithmetic(operator) => stack.join(|left, right| arithmetic(operator, left, right)),
        Op::Compare(operator) => stack.join(|left, right| compare(operator, left, right)),
        Op::Percent(operator) => {
            let bound = stack.pop();
            stack.join(|part, whole| percent(operator, part, whole, bound));
        }
        Op::Find => {
            let element = stack.pop();
            let sofar = stack.pop();
            let wanted = stack.peek();
            stack.push(found(sofar, wanted, element));
        }
        Op::Found => stack.join(|_, found| found),
        Op::Jump(_) | Op::JumpIfFalse(_) | Op::JumpIfTrue(_) | Op::JumpUnlessMissing(_) | Op::Branch { .. } => {}
    }
}

/// The parameter's value in a currency.
pub fn money(values: &[(Currency, i64)], currency: Currency) -> Value {
    let value = values.iter().find(|(code, _)| *code == currency);
    value.map_or(Value::Unknown(Cause::Currency), |&(_, amount)| Value::Known(amount))
}
