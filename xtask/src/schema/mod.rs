//! JSON Schemas of a ruleset's files, for editors. Words come from the engine's lists, descriptions from
//! `docs/rules-language.md`.

mod kinds;
mod rule;
mod settings;

use std::collections::BTreeMap;

use headroom_policy::yaml::{Kind, Node, Style};
use serde_json::{Map, Value, json};

/// Each schema: the name of its file in `docs/schema`, and its text.
pub fn schemas(language: &str, triggers: &[(String, String)]) -> Vec<(&'static str, String)> {
    let meanings = meanings(language);
    let all = [
        ("rule.schema.json", rule::rule(&meanings, triggers)),
        ("table.schema.json", rule::decision_table(&meanings, triggers)),
        ("test.schema.json", rule::tests()),
        ("ruleset.schema.json", settings::ruleset(&meanings)),
        ("facts.schema.json", settings::facts()),
        ("strategies.schema.json", settings::strategies()),
        ("conflicts.schema.json", settings::notes()),
    ];
    all.map(|(name, schema)| (name, pretty(&schema))).to_vec()
}

fn pretty(schema: &Value) -> String {
    serde_json::to_string_pretty(schema).expect("a schema has a JSON form") + "\n"
}

/// What the tables of the language's page say of keys: `key` to meaning.
type Meanings = BTreeMap<String, String>;

fn meanings(language: &str) -> Meanings {
    let rows = language.lines().filter_map(|line| line.strip_prefix("| `")?.rsplit_once(" |"));
    let mut found = Meanings::new();
    for (row, _) in rows {
        let Some((keys, meaning)) = row.split_once("` | ") else { continue };
        // Of three columns the last says what it means, the one before its default.
        let meaning = meaning.replace("\\|", "/").replace(" | ", ": ");
        let mut group = String::new();
        for key in keys.split("`, `") {
            let key = match key.strip_prefix('.') {
                Some(rest) => format!("{group}.{rest}"),
                None => key.to_owned(),
            };
            group = key.rsplit_once('.').map_or_else(String::new, |(group, _)| group.to_owned());
            found.entry(key).or_insert_with(|| meaning.clone());
        }
    }
    found
}

/// The head of every schema around its body.
fn document(name: &str, title: &str, body: Value) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("https://headroom.example/schema/{name}"),
        "title": title,
    });
    merge(&mut schema, body);
    schema
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

/// A schema with a description.
fn described(mut schema: Value, says: &str) -> Value {
    if !says.is_empty() {
        merge(&mut schema, json!({ "description": says }));
    }
    schema
}

/// A map with these keys and no others.
fn closed(properties: Map<String, Value>, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// A document as JSON: what an editor's YAML reader makes of it.
pub fn as_json(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Scalar { text, style: Style::Plain } => plain(text),
        Kind::Scalar { text, .. } => Value::String(text.clone()),
        Kind::Map(entries) => entries.iter().map(|(key, node)| (key.text.clone(), as_json(node))).collect(),
        Kind::Seq(elements) => elements.iter().map(as_json).collect(),
    }
}

fn plain(text: &str) -> Value {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_number = digits(unsigned) || unsigned.split_once('.').is_some_and(|(a, b)| digits(a) && digits(b));
    match text {
        "true" | "false" => Value::Bool(text == "true"),
        _ if is_number => text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Number),
        _ => Value::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_key_by_key() {
        let found = meanings("| key | meaning |\n|---|---|\n| `id` | the name |\n| `g.a`, `.b` | 3 | a pause |\n");
        let words: Vec<(&str, &str)> = found.iter().map(|(key, says)| (key.as_str(), says.as_str())).collect();
        assert_eq!(words, [("g.a", "3: a pause"), ("g.b", "3: a pause"), ("id", "the name")]);
    }

    #[test]
    fn plain_scalars_have_the_types_of_yaml() {
        assert_eq!(plain("10.00"), json!(10.0));
        assert_eq!((plain("-3"), plain("true")), (json!(-3), json!(true)));
        assert_eq!((plain("10_000.00"), plain("2026-11-22")), (json!("10_000.00"), json!("2026-11-22")));
    }
}
