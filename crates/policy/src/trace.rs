//! What an evaluation saw: every part of the expression with its value.

use crate::diagnostic::Span;
use crate::expr::{Arithmetic, Expr, Kind};
use crate::machine::money;
use crate::program::Program;
use crate::schema::Type;
use crate::scope::Currency;
use crate::semantics::{
    FALSE, and, arithmetic, compare, found, greatest, least, load, negate, not, or, percent, truth,
};
use crate::slots::Slots;
use crate::value::{Datum, Value};

/// The parts of one evaluation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// The whole expression.
    pub root: TraceNode,
}

/// A part of the expression and its value.
///
/// All operands of `&&` and `||` are shown, also those that could not change the outcome any more;
/// of `?:` only the branch that was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceNode {
    /// What is written there, on one line.
    pub text: String,
    /// Where, in the file.
    pub span: Span,
    /// The value in slot form; for `pct(…)` itself, that of its comparison.
    pub value: Value,
    /// The value decoded by its type.
    pub datum: Datum,
    /// The verdict, for a condition.
    pub verdict: Option<Verdict>,
    /// True for a condition that is not made of conditions: a comparison, an `in`, a `has`, a bool feature.
    pub leaf: bool,
    /// Its operands.
    pub children: Vec<TraceNode>,
    /// How many of the children are the sides of a condition: two of a comparison, one of `in`.
    sides: usize,
}

/// The outcome of a condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Something it needs is not known.
    Unknown,
    /// Its arithmetic has no result.
    Error,
}

/// A leaf condition of a trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition<'a> {
    /// What is written there, on one line.
    pub text: &'a str,
    /// Where, in the file.
    pub span: Span,
    /// The left side of a comparison or `in` (for `pct`, the ratio); for any other condition, its outcome.
    pub left: Datum,
    /// The right side of a comparison.
    pub right: Option<Datum>,
    /// The outcome.
    pub verdict: Verdict,
}

impl From<Value> for Verdict {
    fn from(value: Value) -> Self {
        match value {
            Value::Known(0) => Verdict::False,
            Value::Known(_) => Verdict::True,
            Value::Unknown(_) => Verdict::Unknown,
            Value::Error(_) => Verdict::Error,
        }
    }
}

impl Trace {
    /// The leaf conditions, in the order of the text.
    pub fn conditions(&self) -> impl Iterator<Item = Condition<'_>> {
        let mut found = Vec::new();
        self.root.collect(&mut found);
        found.into_iter()
    }
}

impl TraceNode {
    fn collect<'a>(&'a self, found: &mut Vec<Condition<'a>>) {
        match self.verdict {
            Some(verdict) if self.leaf => found.push(self.condition(verdict)),
            _ => self.children.iter().for_each(|child| child.collect(found)),
        }
    }

    fn condition(&self, verdict: Verdict) -> Condition<'_> {
        let mut sides = self.children.iter().take(self.sides).map(|child| child.datum.clone());
        Condition {
            text: &self.text,
            span: self.span,
            left: sides.next().unwrap_or_else(|| self.datum.clone()),
            right: sides.next(),
            verdict,
        }
    }
}

pub fn trace(program: &Program, slots: &Slots, currency: Currency) -> Trace {
    let tracer = Tracer { program, slots, currency };
    Trace { root: tracer.node(program.root()) }
}

struct Tracer<'a> {
    program: &'a Program,
    slots: &'a Slots,
    currency: Currency,
}

impl Tracer<'_> {
    fn node(&self, expr: &Expr) -> TraceNode {
        match &expr.kind {
            Kind::Pct(_, call, parts) => self.percent_node(expr, *call, parts),
            Kind::Choose(parts) => self.choice_node(expr, parts),
            Kind::Default(slot, other) => self.fallback_node(expr, *slot, other),
            Kind::Has(slot) => self.finish(expr, truth(self.slots.get(*slot).is_some()), Vec::new()),
            _ => {
                let nodes = expr.operands().into_iter().map(|operand| self.node(operand));
                let children: Vec<TraceNode> = nodes.collect();
                let values: Vec<Value> = children.iter().map(|child| child.value).collect();
                self.finish(expr, self.value(&expr.kind, &values), children)
            }
        }
    }

    /// The value of a node from those of its operands.
    fn value(&self, kind: &Kind, values: &[Value]) -> Value {
        let fold = |operator: fn(Value, Value) -> Value| {
            let folded = values.iter().copied().reduce(operator);
            folded.unwrap_or(FALSE)
        };
        match kind {
            Kind::Const(value) => Value::Known(*value),
            Kind::Money(amounts) => money(amounts, self.currency),
            Kind::Slot(slot) => load(self.slots, *slot),
            Kind::Not(_) => not(values[0]),
            Kind::Neg(_) => negate(values[0]),
            Kind::And(_) => fold(and),
            Kind::Or(_) => fold(or),
            Kind::Min(_) => fold(least),
            Kind::Max(_) => fold(greatest),
            Kind::Arithmetic(operator, _) => arithmetic(*operator, values[0], values[1]),
            Kind::Compare(operator, _) => compare(*operator, values[0], values[1]),
            Kind::Pct(operator, ..) => percent(*operator, values[0], values[1], values[2]),
            Kind::In(..) => search(values[0], &values[1..]),
            Kind::Has(_) | Kind::Default(..) | Kind::Choose(_) => FALSE,
        }
    }

    fn finish(&self, expr: &Expr, value: Value, children: Vec<TraceNode>) -> TraceNode {
        let mut node = self.value_node(expr.span, &expr.ty, value);
        let joins = matches!(expr.kind, Kind::And(_) | Kind::Or(_) | Kind::Not(_) | Kind::Choose(_));
        node.verdict = (expr.ty == Type::Bool).then(|| Verdict::from(value));
        node.leaf = node.verdict.is_some() && !joins;
        node.children = children;
        node.sides = match expr.kind {
            Kind::Compare(..) | Kind::Pct(..) => 2,
            Kind::In(..) => 1,
            _ => 0,
        };
        node
    }

    fn value_node(&self, span: Span, ty: &Type, value: Value) -> TraceNode {
        let source = self.program.source();
        let words: Vec<&str> = source.text[span.start..span.end].split_whitespace().collect();
        TraceNode {
            text: words.join(" "),
            span: source.origin.map(span),
            value,
            datum: source.decode(value, ty),
            verdict: None,
            leaf: false,
            children: Vec::new(),
            sides: 0,
        }
    }

    /// `pct(a, b) OP c` shows the ratio on the left and the bound on the right.
    fn percent_node(&self, expr: &Expr, call: Span, parts: &[Expr; 3]) -> TraceNode {
        let [part, whole, bound] = parts.each_ref().map(|part| self.node(part));
        let value = self.value(&expr.kind, &[part.value, whole.value, bound.value]);
        let mut ratio = self.value_node(call, &Type::Any, value);
        ratio.datum = match (part.value, whole.value, value) {
            (Value::Known(part), Value::Known(whole), Value::Known(_)) => Datum::Ratio { part, whole },
            _ => ratio.datum,
        };
        ratio.children = vec![part, whole];
        self.finish(expr, value, vec![ratio, bound])
    }

    fn choice_node(&self, expr: &Expr, [condition, yes, no]: &[Expr; 3]) -> TraceNode {
        let condition = self.node(condition);
        let branch = match condition.value {
            Value::Known(0) => Some(no),
            Value::Known(_) => Some(yes),
            Value::Unknown(_) | Value::Error(_) => None,
        };
        let branch = branch.map(|branch| self.node(branch));
        let value = branch.as_ref().map_or(condition.value, |node| node.value);
        let children = std::iter::once(condition).chain(branch).collect();
        self.finish(expr, value, children)
    }

    fn fallback_node(&self, expr: &Expr, slot: usize, other: &Expr) -> TraceNode {
        let own = load(self.slots, slot);
        let mut feature = self.value_node(expr.span, &expr.ty, own);
        feature.text = self.program.name(slot).unwrap_or_default().to_owned();
        let mut children = vec![feature];
        if matches!(own, Value::Unknown(_)) {
            children.push(self.node(other));
        }
        let value = children.last().map_or(own, |node| node.value);
        self.finish(expr, value, children)
    }
}

fn search(wanted: Value, elements: &[Value]) -> Value {
    if elements.is_empty() {
        return arithmetic(Arithmetic::Mul, wanted, FALSE);
    }
    let step = |sofar: Value, &element: &Value| found(sofar, wanted, element);
    elements.iter().fold(FALSE, step)
}
