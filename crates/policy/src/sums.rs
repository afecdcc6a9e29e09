//! Arithmetic: what integers and money can do, and folding of constants.

use crate::check::Checker;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{Arithmetic, Expr, Kind};
use crate::schema::Type;
use crate::semantics::arithmetic;
use crate::tree::Tree;
use crate::value::Value;

impl Checker<'_> {
    pub fn arithmetic(&mut self, span: Span, operator: Arithmetic, [left, right]: &[Tree; 2]) -> Option<Expr> {
        let (left, right) = (self.expr(left), self.expr(right));
        let (left, right) = (left?, right?);
        let Some(ty) = result(operator, &left, &right) else {
            let finding = self.refusal(span, operator, &left, &right);
            return self.fail(finding);
        };
        let folded = fold(operator, &left, &right);
        self.warn_failure(span, folded);
        let kind = match folded {
            Some(Value::Known(value)) => Kind::Const(value),
            _ => Kind::Arithmetic(operator, Box::new([left, right])),
        };
        Some(Expr { span, ty, kind })
    }

    fn refusal(&self, span: Span, operator: Arithmetic, left: &Expr, right: &Expr) -> Diagnostic {
        let sign = sign(operator);
        for side in [left, right] {
            if !matches!(side.ty, Type::Int | Type::Money | Type::Any) {
                let what = self.quote(side.span);
                let message = format!("`{sign}` needs int or money, but `{what}` is {}", side.ty);
                return Diagnostic::error("HR0120", message, side.span);
            }
        }
        let message = format!("{} {sign} {} does not exist", left.ty, right.ty);
        let help = match operator {
            Arithmetic::Add | Arithmetic::Sub => {
                "money is added to money; money constants are parameters, zero is `p.zero`"
            }
            Arithmetic::Mul => "money is multiplied by an int constant or parameter only",
            Arithmetic::Div if right.ty == Type::Money => "compare a ratio of two amounts with `pct(a, b)`",
            Arithmetic::Div => "money is divided by an int constant or parameter only",
            Arithmetic::Rem => "money has no remainder",
        };
        Diagnostic::error("HR0122", message, span).help(help)
    }
}

fn sign(operator: Arithmetic) -> &'static str {
    match operator {
        Arithmetic::Add => "+",
        Arithmetic::Sub => "-",
        Arithmetic::Mul => "*",
        Arithmetic::Div => "/",
        Arithmetic::Rem => "%",
    }
}

/// The type of the result; `None` if the operator does not exist for these.
fn result(operator: Arithmetic, left: &Expr, right: &Expr) -> Option<Type> {
    use Arithmetic::{Add, Div, Mul, Sub};
    match (operator, &left.ty, &right.ty) {
        (_, Type::Int, Type::Int) => Some(Type::Int),
        (Add | Sub, Type::Money, Type::Money) => Some(Type::Money),
        (Mul | Div, Type::Money, Type::Int) if right.reads_nothing() => Some(Type::Money),
        (Mul, Type::Int, Type::Money) if left.reads_nothing() => Some(Type::Money),
        (_, Type::Any, Type::Any) => Some(Type::Any),
        (_, Type::Any, Type::Int) | (_, Type::Int, Type::Any) => Some(Type::Int),
        (Add | Sub, Type::Any, Type::Money) | (Add | Sub, Type::Money, Type::Any) => Some(Type::Money),
        _ => None,
    }
}

fn fold(operator: Arithmetic, left: &Expr, right: &Expr) -> Option<Value> {
    let divides = matches!(operator, Arithmetic::Div | Arithmetic::Rem);
    if divides && right.constant() == Some(0) {
        return Some(arithmetic(operator, Value::Known(1), Value::Known(0)));
    }
    let (left, right) = (left.constant()?, right.constant()?);
    Some(arithmetic(operator, Value::Known(left), Value::Known(right)))
}
