//! Facts for `headroom rules eval`, from JSON: nested or dotted, whole numbers, truth values and texts.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, anyhow};
use headroom_policy::FactValue;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::failure::Coded;

/// Facts by dotted name. Errors: no JSON, no object, a name given twice, or a value that no fact can have.
pub fn parse(json: &str) -> Result<BTreeMap<String, FactValue>> {
    let tree: Tree = serde_json::from_str(json).context("the facts are no JSON that rules can read")?;
    let Tree::Object(entries) = tree else {
        return Err(anyhow!("the facts must be a JSON object, like {{\"orders\":{{\"amount_24h\":5}}}}"));
    };
    let mut facts = BTreeMap::new();
    for (name, tree) in entries {
        flatten(name, tree, &mut facts)?;
    }
    Ok(facts)
}

fn flatten(name: String, tree: Tree, facts: &mut BTreeMap<String, FactValue>) -> Result<()> {
    let fact = match tree {
        Tree::Object(entries) => {
            return entries.into_iter().try_for_each(|(part, tree)| flatten(format!("{name}.{part}"), tree, facts));
        }
        Tree::Fact(fact) => fact,
        Tree::TooLarge => {
            return Err(refused("HR0103", format!("the number of `{name}` does not fit a 64-bit integer")));
        }
        Tree::Fraction => {
            return Err(refused(
                "HR0101",
                format!("the number of `{name}` is not a whole number; money is in minor units"),
            ));
        }
        Tree::List => return Err(refused("HR0120", format!("`{name}` is a list; a fact has a single value"))),
    };
    match facts.insert(name.clone(), fact) {
        Some(_) => Err(anyhow!("the fact `{name}` is given twice")),
        None => Ok(()),
    }
}

fn refused(code: &'static str, message: String) -> anyhow::Error {
    Coded { code, message }.into()
}

/// JSON that keeps apart what `serde_json::Value` rounds or drops: large numbers, names given twice.
enum Tree {
    Fact(FactValue),
    TooLarge,
    Fraction,
    List,
    Object(Vec<(String, Tree)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Fact(FactValue::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Fact(FactValue::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(i64::try_from(value).map_or(Tree::TooLarge, |value| Tree::Fact(FactValue::Int(value))))
    }

    /// A fraction, or a number beyond 64 bits, which the parser rounds.
    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        let beyond = value.abs() >= 9_223_372_036_854_775_808.0;
        Ok(if beyond { Tree::TooLarge } else { Tree::Fraction })
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Fact(FactValue::Text(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Fact(FactValue::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
        while elements.next_element::<Tree>()?.is_some() {}
        Ok(Tree::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(json: &str) -> String {
        format!("{:#}", parse(json).unwrap_err())
    }

    #[test]
    fn nested_and_dotted_names_are_the_same() {
        let nested = parse(r#"{"orders":{"amount_24h":5,"late":null},"a":{"b":{"c":"x"}},"p":{"on":true}}"#).unwrap();
        let dotted = parse(r#"{"orders.amount_24h":5,"orders.late":null,"a.b.c":"x","p.on":true}"#).unwrap();
        assert_eq!(nested, dotted);
        assert_eq!(nested["orders.amount_24h"], FactValue::Int(5));
        assert_eq!(parse("{}").unwrap(), BTreeMap::new());
    }

    #[test]
    fn the_ends_of_64_bits_fit_and_one_more_does_not() {
        let facts = parse(r#"{"a":9223372036854775807,"b":-9223372036854775808}"#).unwrap();
        assert_eq!((&facts["a"], &facts["b"]), (&FactValue::Int(i64::MAX), &FactValue::Int(i64::MIN)));
        for large in ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e30"] {
            assert_eq!(
                why(&format!("{{\"a\":{{\"b\":{large}}}}}")),
                "the number of `a.b` does not fit a 64-bit integer"
            );
        }
    }

    #[test]
    fn what_is_no_fact_is_refused() {
        assert_eq!(why(r#"{"a":1.5}"#), "the number of `a` is not a whole number; money is in minor units");
        assert_eq!(why(r#"{"a":5.0}"#), "the number of `a` is not a whole number; money is in minor units");
        assert_eq!(why(r#"{"a":[1]}"#), "`a` is a list; a fact has a single value");
        assert_eq!(why(r#"{"a":{"b":1},"a.b":2}"#), "the fact `a.b` is given twice");
        assert_eq!(why(r#"{"a":1,"a":2}"#), "the fact `a` is given twice");
        assert!(why("[1]").starts_with("the facts must be a JSON object"));
        assert!(why("{").contains("EOF"));
    }
}
