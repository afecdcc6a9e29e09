//! Functions: `pct`, `has`, `default`, `min`, `max`.

use crate::check::Checker;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{Comparison, Expr, Kind};
use crate::names::did_you_mean;
use crate::schema::Type;
use crate::suggest::suggest;
use crate::tree::{Call, Form, Tree};

const FUNCTIONS: [&str; 5] = ["pct", "has", "default", "min", "max"];
const PCT_HELP: &str = "write it like `pct(balance.used, limit.granted) >= 80`";

impl Checker<'_> {
    pub fn call(&mut self, span: Span, call: &Call) -> Option<Expr> {
        match call.function.as_str() {
            "pct" => {
                self.exprs(&call.args);
                let message = "`pct` can only stand on one side of `<`, `<=`, `>` or `>=`";
                self.fail(Diagnostic::error("HR0123", message, span).help(PCT_HELP))
            }
            "has" => self.arity(call, "one feature name"),
            "default" => self.fallback(span, call),
            "min" => self.extreme(span, call, Kind::Min),
            "max" => self.extreme(span, call, Kind::Max),
            _ => self.no_function(call),
        }
    }

    fn no_function(&mut self, call: &Call) -> Option<Expr> {
        self.exprs(&call.args);
        let message = format!("unknown function `{}`", call.function);
        let finding = Diagnostic::error("HR0111", message, call.name_span);
        let near = suggest(&call.function, FUNCTIONS);
        let finding = match near {
            Some(_) => did_you_mean(finding, near),
            None => finding.help("there are `pct`, `has`, `default`, `min` and `max`"),
        };
        self.fail(finding)
    }

    fn arity<T>(&mut self, call: &Call, wants: &str) -> Option<T> {
        let (name, found) = (&call.function, call.args.len());
        let message = format!("`{name}` needs {wants}, found {found}");
        self.fail(Diagnostic::error("HR0112", message, call.name_span))
    }

    fn extreme(&mut self, span: Span, call: &Call, kind: fn(Vec<Expr>) -> Kind) -> Option<Expr> {
        if call.args.len() < 2 {
            self.exprs(&call.args);
            return self.arity(call, "two arguments or more");
        }
        let (args, ty) = self.unified(&call.args)?;
        if !matches!(ty, Type::Int | Type::Money | Type::Any) {
            let message = format!("`{}` needs int or money, found {ty}", call.function);
            return self.fail(Diagnostic::error("HR0120", message, span));
        }
        let kind = kind(args);
        Some(Expr { span, ty, kind })
    }

    fn fallback(&mut self, span: Span, call: &Call) -> Option<Expr> {
        let [name, other] = call.args.as_slice() else {
            return self.arity(call, "a feature name and a value");
        };
        if !matches!(name.kind, Form::Name(_)) {
            self.expr(other);
        }
        let (slot, _) = self.feature(name, "default")?;
        let (mut both, ty) = self.unified([name, other])?;
        let other = Box::new(both.pop()?);
        Some(Expr { span, ty, kind: Kind::Default(slot, other) })
    }

    /// A comparison with `pct` on a side: `[part, whole, bound]`, with `pct` moved to the left.
    pub fn pct(&mut self, span: Span, operator: Comparison, [left, right]: &[Tree; 2]) -> Option<Expr> {
        let (operator, at, call, bound) = match (&left.kind, &right.kind) {
            (Form::Call(call), _) if call.function == "pct" => (operator, left.span, call, right),
            (_, Form::Call(call)) => (operator.flipped(), right.span, call, left),
            _ => return None,
        };
        let bound = self.bound(bound);
        if !operator.orders() {
            let message = "`pct` can only be compared with `<`, `<=`, `>` or `>=`";
            self.errors.push(Diagnostic::error("HR0123", message, span).help(PCT_HELP));
        }
        let (part, whole) = self.ratio(call)?;
        let bound = bound?;
        Some(Expr { span, ty: Type::Bool, kind: Kind::Pct(operator, at, Box::new([part, whole, bound])) })
    }

    /// The other side of a `pct`: an int without features.
    fn bound(&mut self, tree: &Tree) -> Option<Expr> {
        let bound = self.expr(tree)?;
        if matches!(bound.ty, Type::Int) && bound.reads_nothing() {
            return Some(bound);
        }
        let message = "`pct` can only be compared with an int constant or parameter";
        self.fail(Diagnostic::error("HR0123", message, bound.span).help(PCT_HELP))
    }

    fn ratio(&mut self, call: &Call) -> Option<(Expr, Expr)> {
        if call.args.len() != 2 {
            self.exprs(&call.args);
            return self.arity(call, "two arguments");
        }
        let (both, ty) = self.unified(&call.args)?;
        let [part, whole]: [Expr; 2] = both.try_into().ok()?;
        if matches!(ty, Type::Int | Type::Money | Type::Any) {
            return Some((part, whole));
        }
        let message = format!("`pct` needs two ints or two amounts of money, found {ty}");
        self.fail(Diagnostic::error("HR0120", message, call.name_span))
    }
}
