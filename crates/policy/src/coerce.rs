//! Bringing several expressions to one type. String literals become enum values where they meet an enum.

use std::sync::Arc;

use crate::check::{Checker, MONEY_HELP};
use crate::diagnostic::Diagnostic;
use crate::expr::{Expr, Kind};
use crate::schema::Type;
use crate::suggest::suggest;
use crate::tree::Tree;

impl Checker<'_> {
    /// Checks all and brings them to one type; notes an error for each that does not fit the first.
    pub fn unified<'t>(&mut self, trees: impl IntoIterator<Item = &'t Tree>) -> Option<(Vec<Expr>, Type)> {
        let checked: Vec<Option<Expr>> = trees.into_iter().map(|tree| self.expr(tree)).collect();
        let mut exprs: Vec<Expr> = checked.into_iter().collect::<Option<_>>()?;
        let before = self.errors.len();
        self.texts_to_enum(&mut exprs);
        let ty = self.common(&exprs);
        (self.errors.len() == before).then_some((exprs, ty))
    }

    /// If one of them is an enum, turns the string literals among them into its values.
    fn texts_to_enum(&mut self, exprs: &mut [Expr]) {
        let names = exprs.iter().find_map(|expr| match &expr.ty {
            Type::Enum(names) => Some(Arc::clone(names)),
            _ => None,
        });
        if let Some(names) = names {
            for expr in exprs.iter_mut().filter(|expr| expr.ty == Type::Text) {
                self.text_to_enum(expr, &names);
            }
        }
    }

    fn text_to_enum(&mut self, expr: &mut Expr, names: &Arc<[String]>) {
        match &mut expr.kind {
            Kind::Const(id) => {
                let text = self.text_of(*id);
                match names.iter().position(|name| *name == text) {
                    Some(at) => *id = i64::try_from(at).unwrap_or(i64::MAX),
                    None => self.not_a_name(expr, &text, names),
                }
            }
            Kind::Choose(parts) => {
                self.text_to_enum(&mut parts[1], names);
                self.text_to_enum(&mut parts[2], names);
            }
            _ => {
                let message = format!("`{}` is text, not this enum", self.quote(expr.span));
                self.errors.push(Diagnostic::error("HR0120", message, expr.span));
            }
        }
        expr.ty = Type::Enum(Arc::clone(names));
    }

    fn not_a_name(&mut self, expr: &Expr, text: &str, names: &[String]) {
        let message = format!("`{text}` is not a value of this enum");
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let help = match suggest(text, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`? it has {}", list.join(", ")),
            None => format!("it has {}", list.join(", ")),
        };
        self.errors.push(Diagnostic::error("HR0121", message, expr.span).help(help));
    }

    /// The common type of all; an error for each that differs from the first known one.
    fn common(&mut self, exprs: &[Expr]) -> Type {
        let Some(first) = exprs.iter().find(|expr| expr.ty != Type::Any) else {
            return Type::Any;
        };
        for other in exprs {
            if other.ty != Type::Any && other.ty != first.ty {
                let finding = self.mismatch(first, other);
                self.errors.push(finding);
            }
        }
        first.ty.clone()
    }

    fn mismatch(&self, first: &Expr, other: &Expr) -> Diagnostic {
        let (a, b) = (self.quote(first.span), self.quote(other.span));
        match (&first.ty, &other.ty) {
            (Type::Enum(_), Type::Enum(_)) => {
                let message = format!("`{a}` and `{b}` are enums with different values");
                Diagnostic::error("HR0120", message, other.span)
            }
            (Type::Money, Type::Int) | (Type::Int, Type::Money) => {
                let message = format!("`{a}` is {}, but `{b}` is {}", first.ty, other.ty);
                Diagnostic::error("HR0122", message, other.span).help(MONEY_HELP)
            }
            _ => {
                let message = format!("`{a}` is {}, but `{b}` is {}", first.ty, other.ty);
                Diagnostic::error("HR0120", message, other.span)
            }
        }
    }

    /// The number of a string literal: the schema's, or a negative one of this expression's own.
    pub fn text_id(&mut self, text: &str) -> i64 {
        if let Some(id) = self.scope.schema.text_id(text) {
            return id;
        }
        let known = self.texts.iter().position(|known| known == text);
        let at = known.unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        });
        i64::try_from(at).map_or(i64::MIN, |at| -1 - at)
    }

    fn text_of(&self, id: i64) -> String {
        let own = usize::try_from(-1 - id).ok();
        let own = own.and_then(|at| self.texts.get(at)).map(String::as_str);
        own.or(self.scope.schema.text(id)).unwrap_or("").to_owned()
    }
}
