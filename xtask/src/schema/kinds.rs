//! The kinds of values that files of rulesets have.

use serde_json::{Value, json};

/// One of these words.
pub fn word(words: &[&str]) -> Value {
    json!({ "enum": words })
}

/// One, or a list of them.
pub fn one_or_more(each: Value) -> Value {
    json!({ "anyOf": [each, { "type": "array", "items": each }] })
}

/// A text that is not empty.
pub fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

/// A word of lower-case letters, digits and underscores.
pub fn snake() -> Value {
    json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*$" })
}

/// Truth values.
pub fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// An expression; a number alone is one.
pub fn expression() -> Value {
    json!({ "type": ["string", "integer", "boolean"], "minLength": 1 })
}

/// Whole minutes, hours or days.
pub fn duration() -> Value {
    json!({ "type": "string", "pattern": "^[0-9][0-9_]*[mhd]$", "examples": ["15m", "3h", "30d"] })
}

/// A time in words.
pub fn time() -> Value {
    let pattern = r"^(now|promotion\.start|promotion\.end|holiday\.end)( *[+-] *[0-9]+[mhd])?$";
    json!({ "type": "string", "pattern": pattern, "examples": ["now + 24h", "promotion.end + 7d"] })
}

/// The end of a hold: a time, or when nothing is due any more.
pub fn hold_end() -> Value {
    let cured = json!({ "type": "string", "pattern": r"^cured( *\+ *[0-9]+d)?$", "examples": ["cured + 30d"] });
    json!({ "anyOf": [time(), cured] })
}

/// A whole number; editors read `100_000` as a text.
pub fn whole(least: i64, most: i64) -> Value {
    json!({ "anyOf": [
        { "type": "integer", "minimum": least, "maximum": most },
        { "type": "string", "pattern": "^-?[0-9][0-9_]*$" },
    ]})
}

/// An amount of money: two digits after the point, none for yen and won.
pub fn amount() -> Value {
    json!({ "anyOf": [{ "type": "number" }, { "type": "string", "pattern": r"^-?[0-9][0-9_]*(\.[0-9]{2})?$" }] })
}

/// Amounts by currency.
pub fn amounts() -> Value {
    json!({ "type": "object", "patternProperties": { "^[A-Z]{3}$": amount() }, "additionalProperties": false })
}
