//! A compiled expression and everything that can be asked of it.

use std::sync::Arc;

use crate::check::check;
use crate::diagnostic::{Diagnostic, Span};
use crate::emit::{Code, emit};
use crate::expr::{Expr, Kind};
use crate::flat::Flat;
use crate::machine::run;
use crate::origin::Origin;
use crate::parse::parse;
use crate::schema::{Schema, Type};
use crate::scope::{Currency, Expect, Scope};
use crate::slots::Slots;
use crate::trace::{Trace, trace};
use crate::value::{Cause, Datum, Value};

/// A program and what is odd about its text.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// Findings that do not stop it from working.
    pub warnings: Vec<Diagnostic>,
}

/// A checked and compiled expression. Cheap to clone; evaluation is total and allocates nothing.
#[derive(Clone, Debug)]
pub struct Program {
    /// The same as tests without a stack, where it has that form: close at hand, it is what nearly every rule asks.
    flat: Option<Flat>,
    code: Arc<Code>,
    root: Arc<Expr>,
    source: Arc<Source>,
    span: Span,
}

/// What an expression was compiled from.
#[derive(Debug)]
pub(crate) struct Source {
    pub text: String,
    pub origin: Origin,
    pub texts: Vec<String>,
    pub schema_texts: Vec<String>,
    pub names: Vec<(usize, String)>,
}

/// Compiles an expression, or says everything that is wrong with it.
///
/// `origin` is the offset of `text` in its file, or the map that a YAML block literal needs; spans are of the file.
/// Errors come in three stages (characters, syntax, names and types); a stage is reached if the one before is clean.
pub fn compile(
    text: &str,
    origin: impl Into<Origin>,
    scope: &Scope<'_>,
    expect: Expect,
) -> Result<Compiled, Vec<Diagnostic>> {
    let origin = origin.into();
    compile_text(text, &origin, scope, expect)
        .map_err(|errors| in_file(errors, &origin))
        .map(|(program, warnings)| Compiled { program, warnings: in_file(warnings, &origin) })
}

fn compile_text(
    text: &str,
    origin: &Origin,
    scope: &Scope<'_>,
    expect: Expect,
) -> Result<(Program, Vec<Diagnostic>), Vec<Diagnostic>> {
    let tree = parse(text)?;
    let checked = check(&tree, text, scope, expect)?;
    let source = Source {
        text: text.to_owned(),
        origin: origin.clone(),
        names: names(&checked.root, scope.schema),
        texts: checked.texts,
        schema_texts: scope.schema.texts().to_vec(),
    };
    let span = Span { start: 0, end: text.len() };
    let program = Program::new(checked.root, Arc::new(source), span).map_err(|e| vec![e])?;
    Ok((program, checked.warnings))
}

fn in_file(mut diagnostics: Vec<Diagnostic>, origin: &Origin) -> Vec<Diagnostic> {
    for diagnostic in &mut diagnostics {
        diagnostic.span = origin.map(diagnostic.span);
    }
    diagnostics.sort_by_key(|d| (d.severity, d.span));
    diagnostics
}

fn names(root: &Expr, schema: &Schema) -> Vec<(usize, String)> {
    let slots = slots_read(root);
    let name = |slot: usize| schema.symbol(slot).name.clone();
    slots.into_iter().map(|slot| (slot, name(slot))).collect()
}

fn slots_read(root: &Expr) -> Vec<usize> {
    let mut slots = Vec::new();
    root.walk(&mut |expr| match expr.kind {
        Kind::Slot(slot) | Kind::Has(slot) | Kind::Default(slot, _) => slots.push(slot),
        _ => {}
    });
    slots.sort_unstable();
    slots.dedup();
    slots
}

impl Program {
    fn new(root: Expr, source: Arc<Source>, span: Span) -> Result<Self, Diagnostic> {
        let code = emit(&root, slots_read(&root), defaults(&root))?;
        Ok(Program { flat: Flat::of(&root), code: Arc::new(code), root: Arc::new(root), source, span })
    }

    /// The result over these slots, for an account of this currency. Never panics, never allocates.
    #[inline]
    pub fn evaluate(&self, slots: &Slots, currency: Currency) -> Value {
        match &self.flat {
            Some(flat) => flat.evaluate(slots, currency),
            None => run(&self.code, slots, currency),
        }
    }

    /// The same result with every part of the expression and its value. The root's value is what `evaluate` gives.
    pub fn trace(&self, slots: &Slots, currency: Currency) -> Trace {
        trace(self, slots, currency)
    }

    /// The slots that it may read, ascending, each once.
    pub fn reads(&self) -> &[usize] {
        &self.code.reads
    }

    /// The type of the result.
    pub fn ty(&self) -> &Type {
        &self.root.ty
    }

    /// Every `default(feature, constant)` in it: slot and value in slot form.
    /// A money parameter depends on the currency and is listed as unknown (`CURRENCY`).
    pub fn defaults(&self) -> &[(usize, Value)] {
        &self.code.defaults
    }

    /// True if all of it is linear integer arithmetic: the conflict check can prove things about it.
    pub fn linear(&self) -> bool {
        self.root.linear()
    }

    /// The text it was compiled from; for a conjunct, its part.
    pub fn text(&self) -> &str {
        &self.source.text[self.span.start..self.span.end]
    }

    /// The checked expression, for analyses.
    pub fn root(&self) -> &Expr {
        &self.root
    }

    /// The name of a slot that it reads; `None` for any other.
    pub fn name(&self, slot: usize) -> Option<&str> {
        let names = &self.source.names;
        let at = names.binary_search_by_key(&slot, |&(slot, _)| slot).ok()?;
        Some(&names[at].1)
    }

    /// A value decoded by a type of this program.
    pub fn decode(&self, value: Value, ty: &Type) -> Datum {
        self.source.decode(value, ty)
    }

    /// The operands of the top-level `&&` as programs, in order; the program itself if there is none.
    pub fn conjuncts(&self) -> Vec<Program> {
        let part = |expr: &Expr| self.part(expr.clone(), expr.span);
        match &self.root.kind {
            Kind::And(operands) => operands.iter().map(part).collect(),
            _ => vec![self.clone()],
        }
    }

    /// The same condition as if every top-level conjunct that reads `slot` were true.
    pub fn without(&self, slot: usize) -> Program {
        let operands = match &self.root.kind {
            Kind::And(operands) => operands.clone(),
            _ => vec![Expr::clone(&self.root)],
        };
        let mut rest: Vec<Expr> =
            operands.into_iter().filter(|operand| slots_read(operand).binary_search(&slot).is_err()).collect();
        let root = match rest.len() {
            0 => truth(self.root.span),
            1 => rest.swap_remove(0),
            _ => Expr { kind: Kind::And(rest), ..Expr::clone(&self.root) },
        };
        self.part(root, self.span)
    }

    /// A part of this program. It is no deeper than the whole, so it fits the machine.
    fn part(&self, root: Expr, span: Span) -> Program {
        match Program::new(root, Arc::clone(&self.source), span) {
            Ok(program) => program,
            Err(finding) => unreachable!("a part is deeper than its whole: {}", finding.message),
        }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }
}

fn truth(span: Span) -> Expr {
    Expr { span, ty: Type::Bool, kind: Kind::Const(1) }
}

fn defaults(root: &Expr) -> Vec<(usize, Value)> {
    let mut found = Vec::new();
    root.walk(&mut |expr| {
        if let Kind::Default(slot, other) = &expr.kind {
            match other.kind {
                Kind::Const(value) => found.push((*slot, Value::Known(value))),
                Kind::Money(_) => found.push((*slot, Value::Unknown(Cause::Currency))),
                _ => {}
            }
        }
    });
    found
}

impl Source {
    pub fn decode(&self, value: Value, ty: &Type) -> Datum {
        match (value, ty) {
            (Value::Unknown(cause), _) => Datum::Unknown(cause),
            (Value::Error(fault), _) => Datum::Error(fault),
            (Value::Known(value), Type::Bool) => Datum::Bool(value != 0),
            (Value::Known(value), Type::Money) => Datum::Money(value),
            (Value::Known(value), Type::Int | Type::Any) => Datum::Int(value),
            (Value::Known(value), Type::Enum(names)) => named(names, value),
            (Value::Known(value), Type::Text) if value < 0 => named(&self.texts, -1 - value),
            (Value::Known(value), Type::Text) => named(&self.schema_texts, value),
        }
    }
}

/// The name behind an index; the bare index if a slot holds one that its type does not have.
fn named(names: &[String], index: i64) -> Datum {
    let at = usize::try_from(index).ok();
    let name = at.and_then(|at| names.get(at));
    name.map_or(Datum::Int(index), |name| Datum::Text(name.clone()))
}

#[cfg(test)]
mod tests;
