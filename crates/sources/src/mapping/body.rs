//! The body of an event, field by field: any event of the contract, through protobuf's JSON mapping.

use std::collections::BTreeMap;

use headroom_wire::{event_from_json, proto};
use serde_json::{Map, Value as Json};
use serde_saphyr::Spanned;

use super::Flaw;
use super::expression::{Evaluator, Expression};
use super::value::Value;

/// Fields that the importer fills in.
const ENVELOPE: [&str; 6] = ["event_id", "source", "account_id", "occurred_at", "provenance", "time_precision"];

#[derive(Debug)]
pub(crate) struct Body {
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    path: Vec<String>,
    line: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Constant(Json),
    Computed(Expression),
}

impl Body {
    /// Compiles and tries out the fields: each path must exist, constants must fit, and together they are one event.
    pub(super) fn new(
        file: &BTreeMap<String, Spanned<Json>>,
        line: u64,
        names: &BTreeMap<String, usize>,
    ) -> Result<Body, Flaw> {
        let fields =
            file.iter().map(|(path, content)| Field::new(path, content, names)).collect::<Result<Vec<_>, _>>()?;
        let body = Body { fields };
        let mut sample = Map::new();
        for field in &body.fields {
            put(&mut sample, &field.path, field.sample()?);
        }
        match event_of(sample) {
            Err(detail) => Err(Flaw::new(line, detail)),
            Ok(event) if event.body.is_none() => Err(Flaw::new(line, "`body` is no event, such as `order.kind`")),
            Ok(_) => Ok(body),
        }
    }

    /// The event of this row, its envelope still empty.
    pub(crate) fn event(&self, evaluator: &Evaluator, row: &[Value]) -> Result<proto::Event, String> {
        let mut json = Map::new();
        for field in &self.fields {
            let value = match &field.content {
                Content::Constant(constant) => constant.clone(),
                Content::Computed(expression) => json_of(evaluator.evaluate(expression, row)?),
            };
            if !value.is_null() {
                put(&mut json, &field.path, value);
            }
        }
        event_of(json)
    }

    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.fields.iter().filter_map(|field| match &field.content {
            Content::Computed(expression) => Some(expression),
            Content::Constant(_) => None,
        })
    }
}

impl Field {
    fn new(path: &str, content: &Spanned<Json>, names: &BTreeMap<String, usize>) -> Result<Field, Flaw> {
        let line = content.referenced.line();
        let segments: Vec<String> = path.split('.').map(str::to_owned).collect();
        if ENVELOPE.contains(&segments[0].as_str()) {
            return Err(Flaw::new(line, format!("`{path}` is not a field of the body")));
        }
        let content = match &content.value {
            Json::String(text) if text.starts_with('=') => {
                Content::Computed(Expression::compile(text[1..].trim(), line, names)?)
            }
            constant => Content::Constant(constant.clone()),
        };
        Ok(Field { path: segments, line, content })
    }

    /// Content that the field takes, or why it takes none.
    fn sample(&self) -> Result<Json, Flaw> {
        let candidates = match &self.content {
            Content::Constant(constant) => vec![constant.clone()],
            Content::Computed(_) => {
                vec![Json::from(1), Json::from("x"), Json::from(true), Json::from("1970-01-01T00:00:00Z")]
            }
        };
        let mut detail = String::new();
        for candidate in candidates {
            let mut json = Map::new();
            put(&mut json, &self.path, candidate.clone());
            match event_of(json) {
                Ok(_) => return Ok(candidate),
                Err(first) if detail.is_empty() => detail = first,
                Err(_) => {}
            }
        }
        Err(Flaw::new(self.line, format!("body: {detail}")))
    }
}

fn event_of(json: Map<String, Json>) -> Result<proto::Event, String> {
    let text = serde_json::to_vec(&json).map_err(|error| error.to_string())?;
    event_from_json(&text).map_err(|error| without_place(&error.detail))
}

/// Nobody has seen the JSON, so a place in it helps nobody.
fn without_place(detail: &str) -> String {
    detail.split(" at line 1 column ").next().unwrap_or_default().to_owned()
}

/// Sets the field at `path`, making the messages on the way.
fn put(json: &mut Map<String, Json>, path: &[String], value: Json) {
    let Some((name, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        json.insert(name.clone(), value);
        return;
    }
    let inner = json.entry(name.clone()).or_insert_with(|| Json::Object(Map::new()));
    if let Json::Object(inner) = inner {
        put(inner, rest, value);
    }
}

fn json_of(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => value.into(),
        Value::Int(number) => number.into(),
        Value::Text(text) => text.into(),
    }
}
