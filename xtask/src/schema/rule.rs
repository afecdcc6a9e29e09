//! Rule files and test files.

use headroom_engine::{
    CAN_DO, CapName, Cause, Class, Family, HoldOf, PARAM_TYPES, Priority, RULE_KEYS, Scope, Segment, TABLE_KEYS,
};
use serde_json::{Map, Value, json};

use super::kinds::{amount, duration, expression, flag, hold_end, one_or_more, snake, text, time, whole, word};
use super::{Meanings, closed, described, document};
use crate::rules_actions::{ACTIONS, Action};

/// What every rule has to say.
const REQUIRED: &[&str] =
    &["id", "number", "title", "why", "family", "class", "on", "when", "then", "reason", "owner", "since"];

/// The schema of `*.rule.yaml`.
pub fn rule(meanings: &Meanings, triggers: &[(String, String)]) -> Value {
    let says = |key: &str| meanings.get(key).map_or("", String::as_str);
    let keys = RULE_KEYS.iter().map(|key| ((*key).to_owned(), described(rule_key(key, triggers), says(key))));
    document("rule.schema.json", "A rule of Headroom", closed(keys.collect(), REQUIRED))
}

/// What every table has to say; its rows may stand in a CSV file.
const OF_TABLES: &[&str] = &["id", "number", "title", "why", "family", "on", "columns", "reason", "owner", "since"];

/// The schema of `*.table.yaml`.
pub fn decision_table(meanings: &Meanings, triggers: &[(String, String)]) -> Value {
    let says = |key: &str| meanings.get(key).map_or("", String::as_str);
    let keys = TABLE_KEYS.iter().map(|key| ((*key).to_owned(), described(table_key(key, triggers), says(key))));
    document("table.schema.json", "A decision table of Headroom", closed(keys.collect(), OF_TABLES))
}

fn table_key(key: &str, triggers: &[(String, String)]) -> Value {
    let effect = json!({ "anyOf": [word(&["none"]), then()] });
    let reason = || rule_key("reason", &[]);
    match key {
        "hit" => word(&["unique", "first"]),
        "columns" => columns(),
        "rows" => rows(fields(&[("then", effect), ("reason", reason())]), &["then"]),
        "otherwise" => closed(fields(&[("then", effect), ("reason", reason())]), &["then"]),
        "points" => json!({ "type": "object", "additionalProperties": part() }),
        "notices" => json!({ "type": "object", "additionalProperties": rule_key("notice", &[]) }),
        _ => rule_key(key, triggers),
    }
}

fn columns() -> Value {
    json!({ "type": "object", "additionalProperties": expression(), "minProperties": 1, "maxProperties": 16 })
}

/// Rows have cells under the names of columns, beside what they give.
fn rows(gives: Map<String, Value>, required: &[&str]) -> Value {
    let cell = json!({ "type": ["string", "integer", "boolean", "array", "null"] });
    let row = json!({ "type": "object", "properties": gives, "required": required, "additionalProperties": cell });
    json!({ "type": "array", "items": row, "minItems": 1, "maxItems": 1_000 })
}

fn part() -> Value {
    let gives = || fields(&[("points", whole(-1_000_000, 1_000_000)), ("reason", rule_key("reason", &[]))]);
    let parts = fields(&[
        ("hit", word(&["unique", "first"])),
        ("columns", columns()),
        ("rows", rows(gives(), &["points"])),
        ("otherwise", closed(gives(), &["points"])),
    ]);
    closed(parts, &["columns", "rows"])
}

fn words<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Value {
    word(&all.iter().map(|each| name(*each)).collect::<Vec<_>>())
}

fn rule_key(key: &str, triggers: &[(String, String)]) -> Value {
    match key {
        "id" => snake(),
        "number" => whole(1, 999_999),
        "title" => closed(fields(&[("en", text()), ("zh", text())]), &["en", "zh"]),
        "family" => words(Family::ALL, Family::word),
        "class" => words(Class::ALL, Class::word),
        "cause" => json!({ "anyOf": [word(&["review"]), one_or_more(words(Cause::ALL, Cause::word))] }),
        "on" => one_or_more(trigger(triggers)),
        "segments" => one_or_more(words(Segment::ALL, Segment::word)),
        "when" => expression(),
        "params" => json!({ "type": "object", "additionalProperties": param() }),
        "then" => then(),
        "reason" => json!({ "type": "string", "pattern": "^[A-Z][A-Z0-9_]*$" }),
        "notice" => closed(fields(&[("template", snake()), ("can_do", can_do())]), &["template"]),
        "on_unknown" => word(&["skip", "hold", "review"]),
        "once" => word(&["account", "entry"]),
        "since" => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
        "why" | "owner" => text(),
        // A key that this list does not describe yet takes anything: the loader is the judge.
        _ => json!({}),
    }
}

fn fields(parts: &[(&str, Value)]) -> Map<String, Value> {
    parts.iter().map(|(key, schema)| ((*key).to_owned(), schema.clone())).collect()
}

fn can_do() -> Value {
    one_or_more(word(CAN_DO))
}

/// Words with what they mean, so that an editor shows it beside them.
fn trigger(triggers: &[(String, String)]) -> Value {
    let mut all: Vec<Value> =
        triggers.iter().map(|(word, says)| json!({ "const": word, "description": says })).collect();
    all.push(json!({ "type": "string", "pattern": "^fact [a-z][a-z0-9_]*\\.[a-z][a-z0-9_]*$",
        "description": "The value of this fact changed." }));
    json!({ "anyOf": all })
}

fn param() -> Value {
    let plain: Vec<&str> = PARAM_TYPES.into_iter().filter(|each| *each != "money").collect();
    let default = json!({ "type": ["integer", "boolean", "string"] });
    let number = closed(fields(&[("type", word(&plain)), ("default", default)]), &["type", "default"]);
    let money = json!({ "type": "object", "properties": { "type": { "const": "money" } },
        "patternProperties": { "^[A-Z]{3}$": amount() }, "required": ["type"], "additionalProperties": false });
    json!({ "anyOf": [number, money] })
}

fn then() -> Value {
    let all: Map<String, Value> = ACTIONS.iter().map(|each| (each.word.to_owned(), action(each))).collect();
    let map = json!({ "type": "object", "properties": all, "additionalProperties": false, "minProperties": 1 });
    json!({ "anyOf": [map, { "type": "array", "items": map, "minItems": 1 }] })
}

fn action(action: &Action) -> Value {
    let argument = |(name, says): &(&str, &str)| ((*name).to_owned(), described(argument(action.word, name), says));
    let required = match action.word {
        "boost" | "extend_boost" => &["until"][..],
        "step_boost" => &["percent", "every", "steps"],
        "freeze" => &["scope"],
        "restore" | "undo" => &["percent"],
        "cap" => &["name", "to"],
        "uncap" => &["name"],
        "review" => &["kind"],
        "notify" => &["template"],
        _ => &[],
    };
    let says = format!("{}, like `{}`", action.does, action.example);
    described(closed(action.arguments.iter().map(argument).collect(), required), &says)
}

fn argument(action: &str, name: &str) -> Value {
    match (action, name) {
        (_, "percent" | "by" | "to" | "floor" | "ceiling" | "proposal") => expression(),
        (_, "after" | "every" | "within" | "recheck" | "for" | "due") => duration(),
        ("hold", "until") => hold_end(),
        (_, "until" | "from" | "waive_until") => time(),
        (_, "steps") => whole(1, 52),
        (_, "scope") => words(Scope::ALL, Scope::word),
        (_, "cause") => words(Cause::ALL, Cause::word),
        (_, "name") => words(CapName::ALL, CapName::word),
        (_, "priority") => words(Priority::ALL, Priority::word),
        (_, "blocking") => flag(),
        (_, "kind" | "template") => snake(),
        (_, "can_do") => can_do(),
        ("restore", "of") => word(&["granted_before_block"]),
        ("undo", "of") => word(&["cause", "fault"]),
        ("undo", "field") => word(&["base", "block"]),
        ("hold", "of") => one_or_more(words(HoldOf::ALL, HoldOf::word)),
        _ => json!({}),
    }
}

/// The schema of `*.test.yaml`.
pub fn tests() -> Value {
    let steps =
        described(text(), "the lines of a scenario: accounts, events, and below each event what it leads to (`=> …`)");
    let silent = described(one_or_more(snake()), "ids of rules that must not fire anywhere in the test");
    let name = described(text(), "what is shown, in a sentence");
    let heartbeats = json!({ "type": "object", "additionalProperties": duration() });
    let feeds = described(heartbeats, "heartbeats of risk feeds in this test, in place of those of the settings");
    let keys = fields(&[("name", name), ("silent", silent), ("feeds", feeds), ("steps", steps)]);
    let test = closed(keys, &["name", "steps"]);
    let tests = json!({ "type": "array", "items": test, "minItems": 1 });
    let mutation = described(text(), "a change that `headroom rules mutate` lists as a survivor");
    let because = described(text(), "why no test can notice it");
    let note = closed(fields(&[("mutation", mutation), ("because", because)]), &["mutation", "because"]);
    let equivalent = json!({ "type": "array", "items": note });
    let keys = fields(&[("tests", tests), ("equivalent", equivalent)]);
    document("test.schema.json", "Tests of a rule of Headroom", closed(keys, &["tests"]))
}
