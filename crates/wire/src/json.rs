//! Protobuf's JSON mapping: field names as in the contract (lowerCamelCase is read too), int64 as strings (numbers are
//! read too), times in RFC 3339. Unknown fields, unknown enum names and fields given twice are refused.

use std::fmt;

use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::{DecodeError, EncodeError, MESSAGE_BYTES_MAX, proto};

/// Reads one event from a line of JSON. Checks the form only: what it says is checked on the way to the engine.
///
/// # Errors
/// `TOO_LARGE` above [`MESSAGE_BYTES_MAX`]; `UNPARSEABLE`, naming the path of the field, if it is not the JSON of an event.
pub fn event_from_json(line: &[u8]) -> Result<proto::Event, DecodeError> {
    from_json(line)
}

/// Reads one output from a line of JSON.
///
/// # Errors
/// `TOO_LARGE` above [`MESSAGE_BYTES_MAX`]; `UNPARSEABLE`, naming the path of the field, if it is not the JSON of an output.
pub fn output_from_json(line: &[u8]) -> Result<proto::Output, DecodeError> {
    from_json(line)
}

/// Appends the event as one line of JSON, without the line end.
///
/// # Errors
/// An enum number or a time that has no JSON form. What was appended until then is taken back.
pub fn event_to_json(event: &proto::Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    to_json(event, out)
}

/// Appends the output as one line of JSON, without the line end.
///
/// # Errors
/// An enum number or a time that has no JSON form. What was appended until then is taken back.
pub fn output_to_json(output: &proto::Output, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    to_json(output, out)
}

pub(crate) fn to_json(message: &impl Serialize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let before = out.len();
    serde_json::to_writer(&mut *out, message).map_err(|error| {
        out.truncate(before);
        EncodeError { detail: error.to_string() }
    })
}

pub(crate) fn from_json<M: DeserializeOwned>(line: &[u8]) -> Result<M, DecodeError> {
    if line.len() > MESSAGE_BYTES_MAX {
        return Err(DecodeError::too_large(line.len() as u64));
    }
    strict(line).or_else(|error| lenient(line).unwrap_or(Err(error)))
}

fn strict<M: DeserializeOwned>(line: &[u8]) -> Result<M, DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let message = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| named(&error))?;
    deserializer.end().map_err(|error| DecodeError::unparseable(error.to_string()))?;
    Ok(message)
}

/// The mapping lets `null` stand for a missing field and `1.0` for an integer; the generated readers do not.
/// Both are rare, so they cost a second reading only where the first one failed. `None`: there was neither.
fn lenient<M: DeserializeOwned>(line: &[u8]) -> Option<Result<M, DecodeError>> {
    let plain: Plain = serde_json::from_slice(line).ok()?;
    plain.changed.then(|| serde_path_to_error::deserialize(plain.value).map_err(|error| named(&error)))
}

fn named(error: &serde_path_to_error::Error<serde_json::Error>) -> DecodeError {
    let path = error.path().to_string();
    let detail = if path == "." { error.inner().to_string() } else { format!("`{path}`: {}", error.inner()) };
    DecodeError::unparseable(detail)
}

/// JSON without null fields and with whole floats as integers. A field given twice stays an error.
struct Plain {
    value: Value,
    changed: bool,
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Plain, D::Error> {
        deserializer.deserialize_any(PlainVisitor)
    }
}

struct PlainVisitor;

impl PlainVisitor {
    fn same<E>(value: impl Into<Value>) -> Result<Plain, E> {
        Ok(Plain { value: value.into(), changed: false })
    }
}

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JSON")
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        PlainVisitor::same(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Plain, E> {
        PlainVisitor::same(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Plain, E> {
        PlainVisitor::same(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Plain, E> {
        PlainVisitor::same(value)
    }

    fn visit_str<E>(self, value: &str) -> Result<Plain, E> {
        PlainVisitor::same(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Plain, E> {
        match whole(value) {
            Some(number) => Ok(Plain { value: number.into(), changed: true }),
            None => PlainVisitor::same(value),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Plain, A::Error> {
        let (mut values, mut changed) = (Vec::new(), false);
        while let Some(item) = items.next_element::<Plain>()? {
            changed |= item.changed;
            values.push(item.value);
        }
        Ok(Plain { value: values.into(), changed })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Plain, A::Error> {
        let (mut kept, mut changed) = (Map::new(), false);
        while let Some((name, field)) = fields.next_entry::<String, Plain>()? {
            changed |= field.changed || field.value.is_null();
            let duplicate = kept.insert(name, field.value).is_some();
            if duplicate {
                return Err(de::Error::custom("field given twice"));
            }
        }
        kept.retain(|_, value| !value.is_null());
        Ok(Plain { value: kept.into(), changed })
    }
}

/// Beyond 2^53 a float no longer says which integer was meant.
fn whole(value: f64) -> Option<Number> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let exact = value.abs() <= EXACT_MAX && value.fract() == 0.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    exact.then_some(Number::from(value as i64))
}

#[cfg(test)]
mod tests {
    use headroom_engine::RefusalCode;

    use super::*;

    fn refused(json: &str) -> String {
        let error = event_from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.code, RefusalCode::Unparseable);
        error.detail
    }

    fn same(left: &str, right: &str) {
        assert_eq!(event_from_json(left.as_bytes()).unwrap(), event_from_json(right.as_bytes()).unwrap());
    }

    #[test]
    fn names_are_printed_as_in_the_contract_and_read_in_both_spellings() {
        let json =
            r#"{"event_id":"e1","occurred_at":"2025-11-10T20:05:00Z","order":{"kind":"KIND_PLACED","amount":"5"}}"#;
        let event = event_from_json(json.as_bytes()).unwrap();
        let mut printed = Vec::new();
        event_to_json(&event, &mut printed).unwrap();
        assert_eq!(String::from_utf8(printed).unwrap(), json);
        same(&json.replace("event_id", "eventId").replace("occurred_at", "occurredAt"), json);
    }

    #[test]
    fn integers_are_read_as_text_as_numbers_and_as_whole_floats() {
        same(r#"{"order":{"amount":5}}"#, r#"{"order":{"amount":"5"}}"#);
        same(r#"{"order":{"amount":5.0}}"#, r#"{"order":{"amount":"5"}}"#);
        same(r#"{"order":{"amount":5e2}}"#, r#"{"order":{"amount":"500"}}"#);
        assert!(refused(r#"{"order":{"amount":5.5}}"#).contains("order.amount"));
        assert!(refused(r#"{"order":{"amount":1e18}}"#).contains("order.amount"));
    }

    #[test]
    fn null_stands_for_a_missing_field() {
        same(r#"{"event_id":null,"source":null,"order":{"amount":null}}"#, r#"{"order":{}}"#);
    }

    #[test]
    fn an_error_names_the_path_of_the_field() {
        let cases = [
            (r#"{"order":{"amount":"x"}}"#, "order.amount"),
            (r#"{"order":{"kind":"KIND_X"}}"#, "order.kind"),
            (r#"{"order":{"kind":"KIND_PLACED","price":1}}"#, "unknown field `price`"),
            (r#"{"source":null,"order":{"price":1}}"#, "unknown field `price`"),
            (r#"{"occurred_at":"yesterday"}"#, "occurred_at"),
            (r#"{"event_id":"a","event_id":"b"}"#, "duplicate field `eventId`"),
            (r#"{"source":null,"event_id":"a","event_id":"b"}"#, "source"),
            (r#"{"order":{},"signal":{}}"#, "duplicate field"),
            (r#"{"event_id":"a"} x"#, "trailing characters"),
            (r#"{"event_id":"#, "EOF"),
            ("[]", "expected struct"),
            ("", "EOF"),
        ];
        for (json, part) in cases {
            let detail = refused(json);
            assert!(detail.contains(part), "`{json}`: {detail}");
        }
    }

    #[test]
    fn deep_nesting_and_long_lines_are_refused() {
        assert!(refused(&"[".repeat(100_000)).contains("expected struct"));
        assert!(refused(&format!("{{\"source\":null,\"x\":{}", "[".repeat(100_000))).contains("source"));
        let long = vec![b' '; MESSAGE_BYTES_MAX + 1];
        assert_eq!(event_from_json(&long).unwrap_err().code, RefusalCode::TooLarge);
    }

    #[test]
    fn what_has_no_json_form_leaves_nothing_behind() {
        let event = proto::Event { event_id: "e".into(), provenance: 99, ..Default::default() };
        let mut out = b"before".to_vec();
        assert!(event_to_json(&event, &mut out).is_err());
        assert_eq!(out, b"before");
    }
}
