//! Names: features, facts and parameters.

use crate::check::{Checker, constant};
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{Expr, Kind};
use crate::schema::Type;
use crate::scope::Constant;
use crate::suggest::suggest;
use crate::tree::{Form, Tree};

/// The parameter that always exists: no money.
const ZERO: &str = "zero";

impl Checker<'_> {
    /// A feature, fact or parameter.
    pub fn name(&mut self, span: Span, name: &str) -> Option<Expr> {
        if let Some(parameter) = name.strip_prefix("p.") {
            return self.parameter(span, parameter);
        }
        let slot = self.slot(span, name)?;
        let ty = self.scope.schema.symbol(slot).ty.clone();
        Some(Expr { span, ty, kind: Kind::Slot(slot) })
    }

    fn slot(&mut self, span: Span, name: &str) -> Option<usize> {
        let schema = self.scope.schema;
        let slot = schema.slot(name);
        if slot.is_none() {
            let finding = Diagnostic::error("HR0110", format!("unknown name `{name}`"), span);
            let near = schema.suggest(name);
            self.errors.push(did_you_mean(finding, near));
        }
        slot
    }

    fn parameter(&mut self, span: Span, name: &str) -> Option<Expr> {
        if name == ZERO {
            return Some(constant(span, Type::Money, 0));
        }
        match self.scope.params.get(name) {
            Some(Constant::Int(value)) => Some(constant(span, Type::Int, *value)),
            Some(Constant::Bool(value)) => Some(constant(span, Type::Bool, i64::from(*value))),
            Some(Constant::Money(values)) => Some(Expr { span, ty: Type::Money, kind: Kind::Money(values.clone()) }),
            None => self.no_parameter(span, name),
        }
    }

    fn no_parameter(&mut self, span: Span, name: &str) -> Option<Expr> {
        let known = self.scope.params.keys().map(String::as_str);
        let near = suggest(name, known.chain([ZERO])).map(|near| format!("p.{near}"));
        let message = format!("unknown parameter `p.{name}`");
        let finding = Diagnostic::error("HR0110", message, span);
        self.fail(did_you_mean(finding, near.as_deref()))
    }

    /// The slot of an argument that has to be a feature's name.
    pub fn feature(&mut self, tree: &Tree, function: &str) -> Option<(usize, Type)> {
        let name = match &tree.kind {
            Form::Name(name) if !name.starts_with("p.") => name,
            Form::Name(_) => {
                let message = format!("`{function}` needs a feature name; parameters are always known");
                return self.fail(Diagnostic::error("HR0113", message, tree.span));
            }
            _ => {
                let message = format!("`{function}` needs a feature name");
                return self.fail(Diagnostic::error("HR0113", message, tree.span));
            }
        };
        let slot = self.slot(tree.span, name)?;
        Some((slot, self.scope.schema.symbol(slot).ty.clone()))
    }
}

/// Adds the nearest name, if there is one.
pub fn did_you_mean(finding: Diagnostic, near: Option<&str>) -> Diagnostic {
    match near {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding,
    }
}
