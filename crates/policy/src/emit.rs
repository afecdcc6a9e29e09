//! A checked expression as code.

use crate::diagnostic::Diagnostic;
use crate::expr::{Arithmetic, Comparison, Expr, Kind};
use crate::machine::DEPTH_MAX;
use crate::scope::Currency;
use crate::value::Value;

/// One operation. "Top" is the uppermost cell of the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Pushes a value.
    Const(i64),
    /// Pushes a money parameter by its index.
    Money(usize),
    /// Pushes a slot.
    Load(usize),
    /// Pushes whether a slot is known.
    Has(usize),
    /// Pushes a comparison of a slot with a constant: nearly all conditions of real rules.
    Test(Comparison, usize, i64),
    Not,
    Neg,
    And,
    Or,
    Min,
    Max,
    Arithmetic(Arithmetic),
    Compare(Comparison),
    /// Takes part, whole, bound.
    Percent(Comparison),
    /// Takes an element and what was found so far, looks at the wanted value below them.
    Find,
    /// Drops the wanted value from under what was found.
    Found,
    Jump(usize),
    /// Keeps top.
    JumpIfFalse(usize),
    /// Keeps top.
    JumpIfTrue(usize),
    /// Keeps top and jumps if it is known or an error, drops it otherwise.
    JumpUnlessMissing(usize),
    /// Drops a known condition; keeps one that is unknown or an error, and jumps to the end with it.
    Branch {
        otherwise: usize,
        end: usize,
    },
}

/// A money parameter: minor units by currency.
pub type Amounts = Box<[(Currency, i64)]>;

/// The code of one program and what was found out about it.
#[derive(Debug)]
pub struct Code {
    pub ops: Box<[Op]>,
    pub money: Vec<Amounts>,
    pub depth: usize,
    pub reads: Box<[usize]>,
    pub defaults: Box<[(usize, Value)]>,
}

/// Compiles a checked expression.
pub fn emit(root: &Expr, reads: Vec<usize>, defaults: Vec<(usize, Value)>) -> Result<Code, Diagnostic> {
    let mut emitter = Emitter::default();
    emitter.expr(root);
    if emitter.deepest > DEPTH_MAX {
        let message = format!("the expression needs more than {DEPTH_MAX} values at a time");
        return Err(Diagnostic::error("HR0100", message, root.span));
    }
    Ok(Code {
        ops: emitter.ops.into(),
        money: emitter.money,
        depth: emitter.deepest,
        reads: reads.into(),
        defaults: defaults.into(),
    })
}

/// The code of an expression alone.
pub fn emit_part(root: &Expr) -> Result<Code, Diagnostic> {
    emit(root, Vec::new(), Vec::new())
}

#[derive(Default)]
struct Emitter {
    ops: Vec<Op>,
    money: Vec<Amounts>,
    depth: usize,
    deepest: usize,
}

impl Emitter {
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::Const(value) => self.push(Op::Const(*value)),
            Kind::Money(values) => self.parameter(values),
            Kind::Slot(slot) => self.push(Op::Load(*slot)),
            Kind::Has(slot) => self.push(Op::Has(*slot)),
            Kind::Default(slot, other) => self.fallback(*slot, other),
            Kind::Not(operand) => self.unary(operand, Op::Not),
            Kind::Neg(operand) => self.unary(operand, Op::Neg),
            Kind::And(operands) => self.logic(operands, Op::And, Op::JumpIfFalse),
            Kind::Or(operands) => self.logic(operands, Op::Or, Op::JumpIfTrue),
            Kind::Min(operands) => self.fold(operands, Op::Min),
            Kind::Max(operands) => self.fold(operands, Op::Max),
            Kind::Arithmetic(operator, sides) => self.fold(&**sides, Op::Arithmetic(*operator)),
            Kind::Compare(operator, sides) => self.compare(*operator, sides),
            Kind::Pct(operator, _, parts) => self.percent(*operator, parts),
            Kind::In(wanted, elements) => self.search(wanted, elements),
            Kind::Choose(parts) => self.choose(parts),
        }
    }

    /// An operation that leaves one value more.
    fn push(&mut self, op: Op) {
        self.ops.push(op);
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
    }

    /// An operation that takes `fewer` values more than it leaves.
    fn take(&mut self, op: Op, fewer: usize) {
        self.ops.push(op);
        self.depth -= fewer;
    }

    fn parameter(&mut self, values: &[(Currency, i64)]) {
        self.money.push(values.into());
        self.push(Op::Money(self.money.len() - 1));
    }

    fn unary(&mut self, operand: &Expr, op: Op) {
        self.expr(operand);
        self.ops.push(op);
    }

    fn fold(&mut self, operands: &[Expr], op: Op) {
        for (at, operand) in operands.iter().enumerate() {
            self.expr(operand);
            if at > 0 {
                self.take(op, 1);
            }
        }
    }

    fn compare(&mut self, operator: Comparison, sides: &[Expr; 2]) {
        match (&sides[0].kind, &sides[1].kind) {
            (&Kind::Slot(slot), &Kind::Const(value)) => {
                self.push(Op::Test(operator, slot, value));
            }
            (&Kind::Const(value), &Kind::Slot(slot)) => {
                self.push(Op::Test(operator.flipped(), slot, value));
            }
            _ => self.fold(sides, Op::Compare(operator)),
        }
    }

    fn percent(&mut self, operator: Comparison, parts: &[Expr; 3]) {
        for part in parts {
            self.expr(part);
        }
        self.take(Op::Percent(operator), 2);
    }

    /// The outcome may be certain after any operand; otherwise it is joined with the next.
    fn logic(&mut self, operands: &[Expr], join: Op, leave: fn(usize) -> Op) {
        let mut leaves = Vec::new();
        for (at, operand) in operands.iter().enumerate() {
            self.expr(operand);
            if at > 0 {
                self.take(join, 1);
            }
            if at + 1 < operands.len() {
                leaves.push(self.hole());
            }
        }
        let end = self.ops.len();
        for hole in leaves {
            self.ops[hole] = leave(end);
        }
    }

    fn fallback(&mut self, slot: usize, other: &Expr) {
        self.push(Op::Load(slot));
        let hole = self.hole();
        self.depth -= 1;
        self.expr(other);
        self.ops[hole] = Op::JumpUnlessMissing(self.ops.len());
    }

    fn search(&mut self, wanted: &Expr, elements: &[Expr]) {
        self.expr(wanted);
        self.push(Op::Const(0));
        for element in elements {
            self.expr(element);
            self.take(Op::Find, 1);
        }
        // An empty list is false, but passes an unknown or failed wanted value on, as a product with 0 does.
        match elements {
            [] => self.take(Op::Arithmetic(Arithmetic::Mul), 1),
            _ => self.take(Op::Found, 1),
        }
    }

    fn choose(&mut self, [condition, yes, no]: &[Expr; 3]) {
        self.expr(condition);
        let branch = self.hole();
        self.depth -= 1;
        self.expr(yes);
        let leave = self.hole();
        self.depth -= 1;
        let otherwise = self.ops.len();
        self.expr(no);
        let end = self.ops.len();
        self.ops[branch] = Op::Branch { otherwise, end };
        self.ops[leave] = Op::Jump(end);
    }

    /// A place for a jump whose target is not known yet.
    fn hole(&mut self) -> usize {
        self.ops.push(Op::Jump(0));
        self.ops.len() - 1
    }
}
