//! A checked expression: every name resolved to a slot, every type known.

use crate::diagnostic::Span;
use crate::schema::Type;
use crate::scope::Currency;

/// A node of a checked expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expr {
    /// Where it stands in the text of the expression (not of the file).
    pub span: Span,
    /// Its type.
    pub ty: Type,
    /// What it is.
    pub kind: Kind,
}

/// What a node does. Money and integers share their operations: both are 64-bit integers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A value in slot form.
    Const(i64),
    /// A money parameter: minor units by currency, unknown for any other currency.
    Money(Vec<(Currency, i64)>),
    /// The value of a slot.
    Slot(usize),
    /// Whether a slot has a value.
    Has(usize),
    /// The slot, or the second expression where it is unknown.
    Default(usize, Box<Expr>),
    /// Logical not.
    Not(Box<Expr>),
    /// Arithmetic negation.
    Neg(Box<Expr>),
    /// Two or more operands of `&&`.
    And(Vec<Expr>),
    /// Two or more operands of `||`.
    Or(Vec<Expr>),
    /// `+ - * / %`.
    Arithmetic(Arithmetic, Box<[Expr; 2]>),
    /// The least of two or more.
    Min(Vec<Expr>),
    /// The greatest of two or more.
    Max(Vec<Expr>),
    /// `== != < <= > >=`.
    Compare(Comparison, Box<[Expr; 2]>),
    /// `pct(a, b) OP c` as `[a, b, c]`: `a * 100 OP c * b` where `b > 0`, else unknown.
    /// The span is that of the `pct(…)` alone.
    Pct(Comparison, Span, Box<[Expr; 3]>),
    /// Whether the first is equal to one of the others.
    In(Box<Expr>, Vec<Expr>),
    /// Condition, value if true, value if false.
    Choose(Box<[Expr; 3]>),
}

/// An arithmetic operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`, truncating toward zero.
    Div,
    /// `%`, with the sign of the dividend.
    Rem,
}

/// A comparison operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Comparison {
    /// Whether it holds between two integers.
    #[inline]
    pub fn holds<T: Ord>(self, left: T, right: T) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => left < right,
            Comparison::AtMost => left <= right,
            Comparison::Greater => left > right,
            Comparison::AtLeast => left >= right,
        }
    }

    /// The operator that says the same with its sides exchanged.
    pub fn flipped(self) -> Self {
        match self {
            Comparison::Equal | Comparison::NotEqual => self,
            Comparison::Less => Comparison::Greater,
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::Greater => Comparison::Less,
            Comparison::AtLeast => Comparison::AtMost,
        }
    }

    /// True for `< <= > >=`.
    pub fn orders(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::NotEqual)
    }
}

impl Expr {
    /// The direct operands, in the order they are written (for `pct` the constant comes last).
    pub fn operands(&self) -> Vec<&Expr> {
        match &self.kind {
            Kind::Const(_) | Kind::Money(_) | Kind::Slot(_) | Kind::Has(_) => Vec::new(),
            Kind::Default(_, one) | Kind::Not(one) | Kind::Neg(one) => vec![&**one],
            Kind::And(many) | Kind::Or(many) | Kind::Min(many) | Kind::Max(many) => many.iter().collect(),
            Kind::Arithmetic(_, two) | Kind::Compare(_, two) => two.iter().collect(),
            Kind::Pct(_, _, three) | Kind::Choose(three) => three.iter().collect(),
            Kind::In(one, many) => std::iter::once(&**one).chain(many).collect(),
        }
    }

    /// The constant's value, if it is one.
    pub fn constant(&self) -> Option<i64> {
        match self.kind {
            Kind::Const(value) => Some(value),
            _ => None,
        }
    }

    /// True if nothing in it depends on a slot.
    pub fn reads_nothing(&self) -> bool {
        let own = matches!(self.kind, Kind::Slot(_) | Kind::Has(_) | Kind::Default(..));
        !own && self.operands().iter().all(|operand| operand.reads_nothing())
    }

    /// Calls `visit` on this node and everything below it, in the order of the text.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        for operand in self.operands() {
            operand.walk(visit);
        }
    }

    /// True if every product has a constant side and every divisor is a positive constant.
    pub fn linear(&self) -> bool {
        let own = match &self.kind {
            Kind::Arithmetic(Arithmetic::Mul, sides) => sides.iter().any(Expr::reads_nothing),
            Kind::Arithmetic(Arithmetic::Div | Arithmetic::Rem, sides) => {
                sides[1].constant().is_some_and(|divisor| divisor > 0)
            }
            _ => true,
        };
        own && self.operands().iter().all(|operand| operand.linear())
    }
}
