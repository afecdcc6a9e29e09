//! `facts.yaml`: facts that a ruleset declares beside those of the catalogue.

use std::collections::BTreeMap;

use headroom_policy::yaml::Node;
use headroom_policy::{Diagnostic, Symbol, Type};

use crate::features::{BUILT_IN_FACTS, FactDef, FactType, Feature, FeatureType, MONEY_MAX};
use crate::ids::fact_key;

use super::fields::{Fields, Findings, amount, each, is_snake, list, owned, snake, text, whole, word, yes};

/// The keys of a fact, in the order in which they are written.
pub const FACT_KEYS: &[&str] = &["name", "type", "values", "min", "max", "default", "occurrence", "sources", "meaning"];
/// The types of facts.
pub const FACT_TYPES: [&str; 5] = ["bool", "int", "percent", "money", "enum"];

/// Bounds of whole numbers that the file does not narrow.
const INT_MAX: i64 = 1_000_000_000_000_000;

/// The facts of a ruleset.
#[derive(Clone, Debug)]
pub struct Facts {
    /// All facts by key.
    pub by_key: BTreeMap<u32, FactDef>,
    /// Those of the file that rules read by name, in its order.
    pub declared: Vec<FactDef>,
}

/// The facts of the catalogue alone.
pub fn built_in() -> Facts {
    let facts = BUILT_IN_FACTS.iter().map(|(name, ty, min, max, occurrence)| FactDef {
        name: (*name).to_owned(),
        ty: built_in_type(*ty),
        min: *min,
        max: *max,
        occurrence: *occurrence,
        sources: Vec::new(),
        default: None,
        meaning: String::new(),
    });
    Facts { by_key: facts.map(|fact| (fact_key(&fact.name), fact)).collect(), declared: Vec::new() }
}

fn built_in_type(ty: FeatureType) -> FactType {
    match ty {
        FeatureType::Bool => FactType::Bool,
        FeatureType::Int | FeatureType::Percent => FactType::Int,
        FeatureType::Money => FactType::Money,
        FeatureType::Enum(words) => FactType::Enum(words.iter().map(|each| (*each).to_owned()).collect()),
    }
}

/// Adds the facts of a file, a list of maps.
pub fn read(root: &Node, features: &[&'static Feature], facts: &mut Facts, out: &mut Findings) {
    let Some(elements) = root.elements() else {
        return out.add(Diagnostic::error(
            "HR0203",
            format!("a list of facts is needed here, found {}", root.what()),
            root.span,
        ));
    };
    for node in elements {
        if let Some(fields) = Fields::of(node, "a fact", FACT_KEYS, out) {
            one(&fields, features, facts, out);
        }
    }
}

fn one(fields: &Fields<'_>, features: &[&'static Feature], facts: &mut Facts, out: &mut Findings) -> Option<()> {
    let name = fields.read("name", out, fact_name)?;
    let at = fields.get("name")?.span;
    if BUILT_IN_FACTS.iter().any(|each| each.0 == name) {
        narrow(&name, fields, facts, out);
        return None;
    }
    if features.iter().any(|each| each.name == name) {
        out.add(Diagnostic::error("HR0219", format!("`{name}` is a feature of the catalogue"), at));
        return None;
    }
    let fact = declared(name, fields, out)?;
    if let Some(earlier) = facts.by_key.get(&fact_key(&fact.name)) {
        out.add(taken(&fact.name, &earlier.name, at));
        return None;
    }
    facts.declared.push(fact.clone());
    facts.by_key.insert(fact_key(&fact.name), fact);
    None
}

fn taken(name: &str, earlier: &str, at: headroom_policy::Span) -> Diagnostic {
    if name == earlier {
        return Diagnostic::error("HR0213", format!("`{name}` is declared twice"), at);
    }
    let message = format!("`{name}` and `{earlier}` have the same key in stored forms");
    Diagnostic::error("HR0219", message, at).help("choose another name for one of them")
}

/// A fact of the catalogue keeps its type and range; a ruleset may say who reports it.
fn narrow(name: &str, fields: &Fields<'_>, facts: &mut Facts, out: &mut Findings) {
    for key in FACT_KEYS.iter().filter(|key| !["name", "sources"].contains(key) && fields.get(key).is_some()) {
        let message = format!("`{name}` is a fact of the catalogue: only its `sources` can be given");
        out.add(Diagnostic::error("HR0219", message, fields.place(key)));
    }
    let sources = sources(fields, out);
    if let Some(fact) = facts.by_key.get_mut(&fact_key(name)) {
        fact.sources = sources;
    }
}

fn sources(fields: &Fields<'_>, out: &mut Findings) -> Vec<String> {
    fields.get("sources").map(|node| each(node, out, owned)).unwrap_or_default()
}

/// `group.name`; rules need two segments, and `p` is the group of parameters.
fn fact_name(node: &Node) -> Result<String, Diagnostic> {
    let written = text(node)?;
    let parts: Vec<&str> = written.split('.').collect();
    if parts.len() == 2 && parts.iter().all(|part| is_snake(part)) && parts[0] != "p" {
        return Ok(written.to_owned());
    }
    let finding = Diagnostic::error("HR0205", format!("`{written}` cannot be the name of a fact"), node.span);
    Err(finding.help("write it like `weather.storm`: two words of lower-case letters, digits and underscores"))
}

fn declared(name: String, fields: &Fields<'_>, out: &mut Findings) -> Option<FactDef> {
    let kind = fields.read("type", out, |node| word(node, "type of a fact", &FACT_TYPES, |each| each));
    let meaning = fields.read("meaning", out, owned);
    let occurrence = fields.read_or("occurrence", false, out, yes);
    let sources = sources(fields, out);
    let kind = kind?;
    let ty = fact_type(kind, fields, out)?;
    let (least, most) = widest(kind, &ty);
    let min = fields.read_or("min", least, out, |node| bound(kind, node, least, most));
    let max = fields.read_or("max", most, out, |node| bound(kind, node, min, most));
    if min > max {
        out.add(Diagnostic::error("HR0207", "`min` is above `max`", fields.place("min")));
    }
    let default = fields.read_or("default", None, out, |node| value(&ty, node, min, max).map(Some));
    if occurrence && ty != FactType::Bool {
        out.add(Diagnostic::error(
            "HR0219",
            "only a fact of type `bool` can be an occurrence",
            fields.place("occurrence"),
        ));
    }
    Some(FactDef { name, ty, min, max, occurrence, sources, default, meaning: meaning? })
}

fn fact_type(kind: &str, fields: &Fields<'_>, out: &mut Findings) -> Option<FactType> {
    if kind != "enum" && fields.get("values").is_some() {
        out.add(Diagnostic::error(
            "HR0201",
            format!("a fact of type `{kind}` has no `values`"),
            fields.place("values"),
        ));
    }
    Some(match kind {
        "bool" => FactType::Bool,
        "money" => FactType::Money,
        "enum" => {
            let node = fields.need("values", out)?;
            out.take(list(node))?;
            FactType::Enum(each(node, out, snake))
        }
        _ => FactType::Int,
    })
}

fn widest(kind: &str, ty: &FactType) -> (i64, i64) {
    match ty {
        FactType::Bool => (0, 1),
        FactType::Money => (0, MONEY_MAX),
        FactType::Enum(words) => (0, i64::try_from(words.len()).unwrap_or(i64::MAX).saturating_sub(1).max(0)),
        FactType::Int if kind == "percent" => (0, 100),
        FactType::Int => (-INT_MAX, INT_MAX),
    }
}

fn bound(kind: &str, node: &Node, least: i64, most: i64) -> Result<i64, Diagnostic> {
    match kind {
        "int" => whole(node, least, most),
        // A percentage beyond 100 is a percentage still.
        "percent" => whole(node, -10_000, 10_000),
        "money" => amount(node, None),
        other => Err(Diagnostic::error("HR0201", format!("a fact of type `{other}` has no bounds"), node.span)),
    }
}

/// A default in slot form. Of money it is the same number of minor units in every currency.
fn value(ty: &FactType, node: &Node, min: i64, max: i64) -> Result<i64, Diagnostic> {
    match ty {
        FactType::Bool => yes(node).map(i64::from),
        FactType::Int => whole(node, min, max),
        FactType::Money => amount(node, None),
        FactType::Enum(words) => {
            let written = text(node)?;
            let at = words.iter().position(|each| each == written).and_then(|at| i64::try_from(at).ok());
            at.ok_or_else(|| {
                let finding = Diagnostic::error("HR0204", format!("`{written}` is no value of this fact"), node.span);
                super::fields::near(finding, written, words.iter().map(String::as_str))
            })
        }
    }
}

/// A declared fact as a name that rules may read.
pub fn symbol(fact: &FactDef) -> Symbol {
    let ty = match &fact.ty {
        FactType::Bool => Type::Bool,
        FactType::Int => Type::Int,
        FactType::Money => Type::Money,
        FactType::Enum(words) => Type::Enum(words.clone().into()),
    };
    Symbol { name: fact.name.clone(), ty, min: fact.min, max: fact.max }
}
