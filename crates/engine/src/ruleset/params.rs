//! Parameters of a rule: declared in its file, given other values by a deployment's settings.

use headroom_policy::yaml::{Key, Node};
use headroom_policy::{Constant, Diagnostic, Params};

use super::fields::{Fields, Findings, entries, is_snake, money_entry, near, text, whole, word, yes};

/// The largest absolute value of a whole-number parameter; products with money are computed in 128 bits.
const INT_MAX: i64 = 1_000_000_000_000_000;
/// The largest percentage: a hundredfold.
const PERCENT_MAX: i64 = 10_000;

/// The types of parameters.
pub const PARAM_TYPES: [&str; 4] = ["int", "percent", "money", "bool"];

/// The parameters of a rule: as `declared`, changed by a deployment's `overrides`.
pub fn params(
    declared: Option<&Node>,
    overrides: Option<&Node>,
    out: &mut Findings,
    settings: &mut Findings,
) -> Params {
    let declarations = declared.and_then(|node| out.take(entries(node, "the parameters"))).unwrap_or_default();
    let mut params: Params =
        declarations.iter().map(|(key, node)| (key.text.clone(), declaration(key, node, out))).collect();
    if let Some(overrides) = overrides {
        replace(&mut params, declared, overrides, settings);
    }
    params
}

/// One parameter. A wrong one has some value of its type, so that the condition is not blamed for it too.
fn declaration(key: &Key, node: &Node, out: &mut Findings) -> Constant {
    if !is_snake(&key.text) || key.text == "zero" {
        let message = format!("`{}` cannot be the name of a parameter", key.text);
        let finding = Diagnostic::error("HR0205", message, key.span);
        out.add(finding.help("lower-case letters, digits and underscores; `p.zero` always exists"));
    }
    match type_of(node) {
        Some("money") => Constant::Money(amounts(node, out)),
        Some("bool") => plain(node, out).unwrap_or(Constant::Bool(false)),
        _ => plain(node, out).unwrap_or(Constant::Int(0)),
    }
}

fn plain(node: &Node, out: &mut Findings) -> Option<Constant> {
    let fields = Fields::of(node, "a parameter", &["type", "default"], out)?;
    let kind = fields.read("type", out, |node| word(node, "type of a parameter", &PARAM_TYPES, |each| each))?;
    fields.read("default", out, |node| scalar(kind, node))
}

fn type_of(declared: &Node) -> Option<&str> {
    declared.get("type")?.text()
}

fn scalar(kind: &str, node: &Node) -> Result<Constant, Diagnostic> {
    match kind {
        "bool" => yes(node).map(Constant::Bool),
        "percent" => whole(node, 0, PERCENT_MAX).map(Constant::Int),
        _ => whole(node, -INT_MAX, INT_MAX).map(Constant::Int),
    }
}

fn amounts(node: &Node, out: &mut Findings) -> Vec<(headroom_policy::Currency, i64)> {
    let entries = node.entries().unwrap_or_default().iter().filter(|(key, _)| key.text != "type");
    let mut found: Vec<_> = entries.filter_map(|(key, node)| out.take(money_entry(key, node))).collect();
    found.sort_unstable();
    found
}

/// Gives parameters other values. Of money only the currencies that are named change.
fn replace(params: &mut Params, declared: Option<&Node>, overrides: &Node, out: &mut Findings) {
    for (key, node) in out.take(entries(overrides, "the parameters")).unwrap_or_default() {
        match params.get_mut(&key.text) {
            Some(Constant::Money(known)) => replace_money(known, node, out),
            Some(known) => {
                let kind = declared.and_then(|all| all.get(&key.text)).and_then(type_of).unwrap_or("int");
                *known = out.take(text(node).and_then(|_| scalar(kind, node))).unwrap_or_else(|| known.clone());
            }
            None => {
                let message = format!("the rule has no parameter `{}`", key.text);
                let names = params.keys().map(String::as_str);
                out.add(near(Diagnostic::error("HR0211", message, key.span), &key.text, names));
            }
        }
    }
}

fn replace_money(known: &mut Vec<(headroom_policy::Currency, i64)>, node: &Node, out: &mut Findings) {
    for (currency, amount) in super::fields::money_table(node, out) {
        known.retain(|(each, _)| *each != currency);
        known.push((currency, amount));
    }
    known.sort_unstable();
}
