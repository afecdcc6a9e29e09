//! One expression over named facts: what `headroom rules eval` shows.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::parse::parse;
use crate::program::{Program, compile};
use crate::schema::{Schema, Symbol, Type};
use crate::scope::{Constant, Currency, Expect, Params, Scope};
use crate::slots::Slots;
use crate::tree::Form;
use crate::value::{Datum, Value};

/// A fact as JSON gives it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FactValue {
    /// A whole number; minor units where the schema says money.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// An enum's name or a text.
    Text(String),
    /// Not known.
    Null,
}

/// What an expression gives over facts.
#[derive(Clone, Debug)]
pub struct EvalReport {
    /// The type of the result.
    pub ty: Type,
    /// The result.
    pub value: Value,
    /// The result decoded by its type.
    pub datum: Datum,
    /// `OK`, or the code of what is missing or wrong.
    pub code: &'static str,
    /// The name that is missing, if the code is `NOT_KNOWN`.
    pub missing: Option<String>,
    /// The program, for its trace over `slots`.
    pub program: Program,
    /// The facts in slot form.
    pub slots: Slots,
    /// What is odd about the expression.
    pub warnings: Vec<Diagnostic>,
}

/// The account currency of an evaluation: facts carry none, and no parameter here depends on it.
const CURRENCY: Currency = Currency(*b"XXX");

/// Compiles and evaluates an expression over facts by name.
///
/// A name that `base` declares has its type there, and a fact of another type is an error. Any other name gets its
/// type from its fact; without one, or with `Null`, it is unknown and fits everywhere. A fact `p.x` is a parameter:
/// an int or bool constant. Spans are of `text`.
pub fn eval_text(
    text: &str,
    base: &Schema,
    facts: &BTreeMap<String, FactValue>,
) -> Result<EvalReport, Vec<Diagnostic>> {
    let (schema, params) = surroundings(text, base, facts)?;
    let slots = fill(&schema, facts)?;
    let scope = Scope { schema: &schema, params: &params };
    let compiled = compile(text, 0, &scope, Expect::Any)?;
    let program = compiled.program;
    let value = program.evaluate(&slots, CURRENCY);
    let missing = match value {
        Value::Unknown(crate::Cause::Missing(slot)) => program.name(slot).map(str::to_owned),
        _ => None,
    };
    Ok(EvalReport {
        ty: program.ty().clone(),
        value,
        datum: program.decode(value, program.ty()),
        code: value.code().unwrap_or("OK"),
        missing,
        program,
        slots,
        warnings: compiled.warnings,
    })
}

/// The schema with all names of the expression and the facts in it, and the parameters among the facts.
fn surroundings(
    text: &str,
    base: &Schema,
    facts: &BTreeMap<String, FactValue>,
) -> Result<(Schema, Params), Vec<Diagnostic>> {
    let tree = parse(text)?;
    let mut symbols = base.symbols().to_vec();
    let mut params = Params::new();
    for (name, value) in facts {
        match (name.strip_prefix("p."), value) {
            (Some(name), FactValue::Int(value)) => {
                params.insert(name.to_owned(), Constant::Int(*value));
            }
            (Some(name), FactValue::Bool(value)) => {
                params.insert(name.to_owned(), Constant::Bool(*value));
            }
            (Some(_), _) => return Err(vec![wrong(name, "a parameter is an int or a bool")]),
            (None, _) => declare(&mut symbols, name, type_of(value)),
        }
    }
    tree.walk(&mut |node| match &node.kind {
        Form::Name(name) if !name.starts_with("p.") => declare(&mut symbols, name, Type::Any),
        _ => {}
    });
    let texts = facts.values().filter_map(|fact| match fact {
        FactValue::Text(text) => Some(text.clone()),
        _ => None,
    });
    let texts = texts.chain(base.texts().iter().cloned()).collect();
    Ok((Schema::new(symbols).with_texts(texts), params))
}

fn declare(symbols: &mut Vec<Symbol>, name: &str, ty: Type) {
    if symbols.iter().any(|symbol| symbol.name == name) {
        return;
    }
    symbols.push(Symbol { name: name.to_owned(), ty, min: i64::MIN, max: i64::MAX });
}

fn type_of(value: &FactValue) -> Type {
    match value {
        FactValue::Int(_) => Type::Int,
        FactValue::Bool(_) => Type::Bool,
        FactValue::Text(_) => Type::Text,
        FactValue::Null => Type::Any,
    }
}

fn fill(schema: &Schema, facts: &BTreeMap<String, FactValue>) -> Result<Slots, Vec<Diagnostic>> {
    let mut slots = Slots::new(schema.len());
    let mut errors = Vec::new();
    for (name, fact) in facts {
        let Some(slot) = schema.slot(name) else {
            continue;
        };
        let ty = &schema.symbol(slot).ty;
        match (fact, in_slot(schema, ty, fact)) {
            (FactValue::Null, _) => {}
            (_, Some(value)) => slots.set(slot, value),
            (_, None) => errors.push(wrong(name, &format!("it is declared as {ty}"))),
        }
    }
    if errors.is_empty() { Ok(slots) } else { Err(errors) }
}

/// A fact in slot form, if it fits the type.
fn in_slot(schema: &Schema, ty: &Type, fact: &FactValue) -> Option<i64> {
    match (ty, fact) {
        (Type::Int | Type::Money, FactValue::Int(value)) => Some(*value),
        (Type::Bool, FactValue::Bool(value)) => Some(i64::from(*value)),
        (Type::Text, FactValue::Text(text)) => schema.text_id(text),
        (Type::Enum(names), FactValue::Text(text)) => {
            let at = names.iter().position(|name| name == text)?;
            i64::try_from(at).ok()
        }
        _ => None,
    }
}

fn wrong(name: &str, why: &str) -> Diagnostic {
    let message = format!("the value of `{name}` does not fit: {why}");
    Diagnostic::error("HR0120", message, Span::default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn base() -> Schema {
        let tiers: Arc<[String]> = ["none", "gold"].map(str::to_owned).into();
        let symbol = |name: &str, ty| Symbol { name: name.to_owned(), ty, min: 0, max: 1_000_000 };
        Schema::new(vec![
            symbol("account.tier", Type::Enum(tiers)),
            symbol("limit.base", Type::Money),
            symbol("block.active", Type::Bool),
        ])
    }

    fn eval(text: &str, facts: &[(&str, FactValue)]) -> String {
        let facts = facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())).collect();
        match eval_text(text, &base(), &facts) {
            Ok(report) => format!("{} {} {}", report.ty, report.datum, report.code),
            Err(errors) => errors[0].message.clone(),
        }
    }

    #[test]
    fn declared_names_keep_their_type() {
        let gold = [("account.tier", FactValue::Text("gold".into()))];
        assert_eq!(eval("account.tier == \"gold\"", &gold), "bool true OK");
        assert_eq!(eval("account.tier", &gold), "enum \"gold\" OK");
        let base = [("limit.base", FactValue::Int(500))];
        assert_eq!(eval("limit.base * 2", &base), "money 1000 OK");
        assert_eq!(
            eval("limit.base", &[("limit.base", FactValue::Bool(true))]),
            "the value of `limit.base` does not fit: it is declared as money"
        );
    }

    #[test]
    fn absent_names_are_unknown_and_fit_everywhere() {
        assert_eq!(eval("a.b > 3 || true", &[]), "bool true OK");
        assert_eq!(eval("a.b > 3", &[]), "bool unknown (NOT_KNOWN) NOT_KNOWN");
        assert_eq!(eval("has(a.b)", &[("a.b", FactValue::Null)]), "bool false OK");
        assert_eq!(eval("default(a.b, 7)", &[]), "int 7 OK");
        assert_eq!(eval("a.b == \"x\" && false", &[]), "bool false OK");
        assert_eq!(eval("block.active", &[]), "bool unknown (NOT_KNOWN) NOT_KNOWN");
    }

    #[test]
    fn texts_compare_with_literals_and_each_other() {
        let facts = [("a.x", FactValue::Text("red".into())), ("a.y", FactValue::Text("green".into()))];
        assert_eq!(eval("a.x == \"red\"", &facts), "bool true OK");
        assert_eq!(eval("a.x == a.y", &facts), "bool false OK");
        assert_eq!(eval("a.x in [\"blue\", \"red\"]", &facts), "bool true OK");
        assert_eq!(eval("\"blue\" == \"blue\"", &facts), "bool true OK");
        assert_eq!(eval("true ? \"blue\" : a.x", &facts), "text \"blue\" OK");
    }

    #[test]
    fn parameters_come_from_facts() {
        let facts = [("p.most", FactValue::Int(80)), ("a.n", FactValue::Int(4)), ("a.d", FactValue::Int(5))];
        assert_eq!(eval("pct(a.n, a.d) >= p.most", &facts), "bool true OK");
        assert_eq!(eval("p.zero", &facts), "money 0 OK");
        assert_eq!(eval("a.n / (a.d - 5)", &facts), "int error (DIVISION_BY_ZERO) DIVISION_BY_ZERO");
    }
}
