//! Names and types: a syntax tree becomes a checked expression, or a list of everything that is wrong with it.

use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{Comparison, Expr, Kind};
use crate::schema::Type;
use crate::scope::{Expect, Scope};
use crate::semantics::{compare, negate};
use crate::tree::{Form, Tree};
use crate::value::Value;

/// A checked expression and what was noted on the way.
pub struct Checked {
    pub root: Expr,
    /// String literals that no slot can hold, by `-1 - id`.
    pub texts: Vec<String>,
    pub warnings: Vec<Diagnostic>,
}

/// Checks a tree that was parsed from `text`.
pub fn check(tree: &Tree, text: &str, scope: &Scope<'_>, expect: Expect) -> Result<Checked, Vec<Diagnostic>> {
    let mut checker = Checker { text, scope: *scope, errors: Vec::new(), warnings: Vec::new(), texts: Vec::new() };
    let root = checker.expr(tree);
    if let Some(root) = &root {
        checker.outcome(root, expect);
    }
    match root {
        Some(root) if checker.errors.is_empty() => {
            Ok(Checked { root, texts: checker.texts, warnings: checker.warnings })
        }
        _ => Err(checker.errors),
    }
}

/// Walks the tree. A method that returns `None` has noted an error; its caller goes on with what is left.
pub struct Checker<'a> {
    pub text: &'a str,
    pub scope: Scope<'a>,
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
    pub texts: Vec<String>,
}

impl Checker<'_> {
    pub fn expr(&mut self, tree: &Tree) -> Option<Expr> {
        let span = tree.span;
        match &tree.kind {
            Form::Int(value) => Some(constant(span, Type::Int, *value)),
            Form::Bool(value) => Some(constant(span, Type::Bool, i64::from(*value))),
            Form::Text(text) => Some(constant(span, Type::Text, self.text_id(text))),
            Form::Name(name) => self.name(span, name),
            Form::Has(name) => {
                self.feature(name, "has").map(|(slot, _)| Expr { span, ty: Type::Bool, kind: Kind::Has(slot) })
            }
            Form::Call(call) => self.call(span, call),
            Form::Not(operand) => self.negation(span, operand),
            Form::Neg(operand) => self.minus(span, operand),
            Form::And(operands) => self.logic(span, operands, "&&", Kind::And),
            Form::Or(operands) => self.logic(span, operands, "||", Kind::Or),
            Form::Arithmetic(operator, sides) => self.arithmetic(span, *operator, sides),
            Form::Compare(operator, sides) => self.comparison(span, *operator, sides),
            Form::In(sides) => self.membership(span, sides),
            Form::Choose(parts) => self.choice(span, parts),
            Form::List(_) => {
                let message = "a list can only stand on the right of `in`";
                self.fail(Diagnostic::error("HR0104", message, span))
            }
            Form::Refused(what) => {
                let message = format!("{what} do not exist in rules");
                let message = message.replace("`null` do", "`null` does").replace("indexing do", "indexing does");
                self.fail(Diagnostic::error("HR0104", message, span))
            }
        }
    }

    /// Checks all, so that the errors of each are seen.
    pub fn exprs(&mut self, trees: &[Tree]) -> Option<Vec<Expr>> {
        let checked: Vec<Option<Expr>> = trees.iter().map(|tree| self.expr(tree)).collect();
        checked.into_iter().collect()
    }

    /// Notes an error.
    pub fn fail<T>(&mut self, finding: Diagnostic) -> Option<T> {
        self.errors.push(finding);
        None
    }

    /// What is written there, on one line.
    pub fn quote(&self, span: Span) -> String {
        let words: Vec<&str> = self.text[span.start..span.end].split_whitespace().collect();
        words.join(" ")
    }

    fn outcome(&mut self, root: &Expr, expect: Expect) {
        if expect.accepts(&root.ty) {
            return;
        }
        let message = format!("expected {expect}, found {}", root.ty);
        let finding = Diagnostic::error("HR0120", message, root.span);
        self.errors.push(match (expect, &root.ty) {
            (Expect::Money, Type::Int) => finding.help(MONEY_HELP),
            (Expect::Bool, Type::Int | Type::Money) => {
                finding.help("a condition needs a comparison, like `… > p.threshold`")
            }
            _ => finding,
        });
    }

    /// An operand that has to be a condition.
    fn bool_expr(&mut self, operand: &Tree, operator: &str) -> Option<Expr> {
        let operand = self.expr(operand)?;
        if matches!(operand.ty, Type::Bool | Type::Any) {
            return Some(operand);
        }
        let what = self.quote(operand.span);
        let message = format!("`{operator}` needs bool, but `{what}` is {}", operand.ty);
        self.fail(Diagnostic::error("HR0120", message, operand.span))
    }

    fn negation(&mut self, span: Span, operand: &Tree) -> Option<Expr> {
        let operand = self.bool_expr(operand, "!")?;
        Some(Expr { span, ty: Type::Bool, kind: Kind::Not(Box::new(operand)) })
    }

    fn minus(&mut self, span: Span, operand: &Tree) -> Option<Expr> {
        let operand = self.expr(operand)?;
        if !matches!(operand.ty, Type::Int | Type::Money | Type::Any) {
            let message = format!("`-` needs int or money, found {}", operand.ty);
            return self.fail(Diagnostic::error("HR0120", message, operand.span));
        }
        let ty = operand.ty.clone();
        let folded = operand.constant().map(|value| negate(Value::Known(value)));
        let kind = match folded {
            Some(Value::Known(value)) => Kind::Const(value),
            _ => Kind::Neg(Box::new(operand)),
        };
        self.warn_failure(span, folded);
        Some(Expr { span, ty, kind })
    }

    fn logic(&mut self, span: Span, operands: &[Tree], operator: &str, kind: fn(Vec<Expr>) -> Kind) -> Option<Expr> {
        let checked: Vec<Option<Expr>> = operands.iter().map(|operand| self.bool_expr(operand, operator)).collect();
        let operands = checked.into_iter().collect::<Option<_>>()?;
        Some(Expr { span, ty: Type::Bool, kind: kind(operands) })
    }

    fn comparison(&mut self, span: Span, operator: Comparison, sides: &[Tree; 2]) -> Option<Expr> {
        if sides.iter().any(is_pct) {
            return self.pct(span, operator, sides);
        }
        let (sides, ty) = self.unified(&sides[..])?;
        let sides: [Expr; 2] = sides.try_into().ok()?;
        if operator.orders() && !matches!(ty, Type::Int | Type::Money | Type::Any) {
            let message = format!("`<`, `<=`, `>` and `>=` need int or money, found {ty}");
            return self.fail(Diagnostic::error("HR0120", message, span));
        }
        self.warn_range(span, operator, &sides);
        Some(Expr { span, ty: Type::Bool, kind: Kind::Compare(operator, Box::new(sides)) })
    }

    /// Warns about a comparison of a feature with a constant outside the feature's range.
    fn warn_range(&mut self, span: Span, operator: Comparison, sides: &[Expr; 2]) {
        let (operator, slot, value) = match (&sides[0].kind, &sides[1].kind) {
            (&Kind::Slot(slot), &Kind::Const(value)) => (operator, slot, value),
            (&Kind::Const(value), &Kind::Slot(slot)) => (operator.flipped(), slot, value),
            _ => return,
        };
        let symbol = self.scope.schema.symbol(slot);
        if !matches!(symbol.ty, Type::Int | Type::Money) || symbol.min >= symbol.max {
            return;
        }
        let (low, high) = (operator.holds(symbol.min, value), operator.holds(symbol.max, value));
        let inside = (symbol.min..=symbol.max).contains(&value);
        let certain = match operator {
            Comparison::Equal | Comparison::NotEqual => !inside,
            _ => low == high,
        };
        if certain {
            let message = format!("`{}` is always {low}", self.quote(span));
            let label = format!("`{}` is {} to {}", symbol.name, symbol.min, symbol.max);
            self.warnings.push(Diagnostic::warning("HR0130", message, span).label(label));
        }
    }

    fn membership(&mut self, span: Span, [wanted, list]: &[Tree; 2]) -> Option<Expr> {
        let Form::List(elements) = &list.kind else {
            self.expr(wanted);
            let message = "`in` needs a list in brackets on its right";
            return self.fail(
                Diagnostic::error("HR0104", message, list.span)
                    .help("write it like `account.tier in [\"gold\", \"platinum\"]`"),
            );
        };
        let all: Vec<&Tree> = std::iter::once(wanted).chain(elements).collect();
        let (mut all, _) = self.unified(all)?;
        let elements = all.split_off(1);
        Some(Expr { span, ty: Type::Bool, kind: Kind::In(Box::new(all.pop()?), elements) })
    }

    fn choice(&mut self, span: Span, [condition, yes, no]: &[Tree; 3]) -> Option<Expr> {
        let condition = self.bool_expr(condition, "?:");
        let (branches, ty) = self.unified([yes, no])?;
        let [yes, no]: [Expr; 2] = branches.try_into().ok()?;
        let condition = condition?;
        let decided = condition.constant().map(|value| {
            let truth = compare(Comparison::NotEqual, Value::Known(value), Value::Known(0));
            truth.is_true()
        });
        if let Some(outcome) = decided {
            let message = format!("the condition of `?:` is always {outcome}");
            self.warnings.push(Diagnostic::warning("HR0130", message, condition.span));
        }
        Some(Expr { span, ty, kind: Kind::Choose(Box::new([condition, yes, no])) })
    }

    /// Warns if a computation over constants failed.
    pub fn warn_failure(&mut self, span: Span, folded: Option<Value>) {
        if let Some(Value::Error(fault)) = folded {
            let message = format!("`{}` always fails ({})", self.quote(span), fault.code());
            self.warnings.push(Diagnostic::warning("HR0131", message, span));
        }
    }
}

/// What to do with a bare number where money is needed.
pub const MONEY_HELP: &str = "there are no money literals: declare a parameter `p.x` of type money, or use `p.zero`";

pub fn constant(span: Span, ty: Type, value: i64) -> Expr {
    Expr { span, ty, kind: Kind::Const(value) }
}

fn is_pct(tree: &Tree) -> bool {
    matches!(&tree.kind, Form::Call(call) if call.function == "pct")
}
