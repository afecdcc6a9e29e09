//! The same conditions through the `cel` interpreter: what is unknown is left out of its map, which is an error there and
//! behaves as our unknowns do.

use std::collections::HashMap;
use std::sync::Arc;

pub use cel::Program;
use cel::objects::{Key, Map};
use cel::{Context, Value};
use headroom_engine::{Rule, Ruleset};
use headroom_policy::{Arithmetic, Comparison, Expr, Kind, Slots};

use crate::CURRENCY;

/// A rule's condition, compiled.
pub fn program(rule: &Rule) -> Program {
    let text = text(rule.when.root());
    Program::compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Whether it holds; `None`: unknown.
pub fn holds_in(program: &Program, context: &Context<'_, '_>) -> Option<bool> {
    match program.execute(context) {
        Ok(Value::Bool(held)) => Some(held),
        _ => None,
    }
}

/// Snapshots as contexts, made before anything is measured.
pub fn contexts(ruleset: &Ruleset, snapshots: &[(usize, Slots)]) -> Vec<Context<'static, 'static>> {
    let context = |(_, slots): &(usize, Slots)| {
        let known = (0..ruleset.schema.len()).filter_map(|slot| Some((slot, slots.get(slot)?)));
        let map: HashMap<Key, Value> = known.map(|(slot, value)| (Key::from(name(slot)), Value::Int(value))).collect();
        let mut context = Context::default();
        context.add_variable_from_value("f", Value::Map(Map { map: Arc::new(map) }));
        context
    };
    snapshots.iter().map(context).collect()
}

fn name(slot: usize) -> String {
    format!("s{slot}")
}

/// A condition in CEL, its parameters put in; slots are ints.
fn text(expr: &Expr) -> String {
    let all = |parts: &[Expr], sign: &str| format!("({})", parts.iter().map(text).collect::<Vec<_>>().join(sign));
    match &expr.kind {
        Kind::Const(value) => value.to_string(),
        Kind::Money(table) => table.iter().find(|(each, _)| *each == CURRENCY).expect("an amount").1.to_string(),
        Kind::Slot(slot) if expr.ty == headroom_policy::Type::Bool => format!("(f.{} != 0)", name(*slot)),
        Kind::Slot(slot) => format!("f.{}", name(*slot)),
        Kind::Has(slot) => format!("has(f.{})", name(*slot)),
        Kind::Not(one) => format!("!{}", text(one)),
        Kind::And(parts) => all(parts, " && "),
        Kind::Or(parts) => all(parts, " || "),
        Kind::Arithmetic(operator, sides) => {
            format!("({} {} {})", text(&sides[0]), sign(*operator), text(&sides[1]))
        }
        Kind::Compare(operator, sides) => format!("({} {} {})", text(&sides[0]), holds(*operator), text(&sides[1])),
        Kind::Max(parts) => {
            let (left, right) = (text(&parts[0]), text(&parts[1]));
            format!("({left} > {right} ? {left} : {right})")
        }
        // Where the whole is zero or less the division fails: unknown, as ours is.
        Kind::Pct(operator, _, parts) => {
            let [part, whole, bound] = parts.each_ref().map(text);
            format!("({whole} > 0 ? {part} * 100 {} {bound} * {whole} : 1 / 0 == 1)", holds(*operator))
        }
        Kind::Choose(parts) => {
            let [condition, yes, no] = parts.each_ref().map(text);
            format!("({condition} ? {yes} : {no})")
        }
        Kind::In(wanted, elements) => {
            format!("({} in [{}])", text(wanted), elements.iter().map(text).collect::<Vec<_>>().join(", "))
        }
        other => panic!("no built-in condition has {other:?}: write it here"),
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

fn holds(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
    }
}
