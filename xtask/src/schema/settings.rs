//! `ruleset.yaml`, `facts.yaml`, `strategies.yaml` and `conflicts.yaml`.

use headroom_conflicts::{Kind, NOTE_KEYS};
use headroom_engine::{
    FACT_KEYS, FACT_TYPES, Family, GROUP_KEYS, GUARD_KEYS, SETTINGS_KEYS, STRATEGY_KEYS, Segment, Tier,
};
use serde_json::{Map, Value, json};

use super::kinds::{amounts, duration, flag, one_or_more, snake, text, whole, word};
use super::{Meanings, closed, described, document};

/// The schema of `ruleset.yaml`.
pub fn ruleset(meanings: &Meanings) -> Value {
    let says = |key: &str| meanings.get(key).map_or("", String::as_str);
    let keys = SETTINGS_KEYS.iter().map(|key| ((*key).to_owned(), described(setting(key, meanings), says(key))));
    document("ruleset.schema.json", "Settings of a ruleset of Headroom", closed(keys.collect(), &[]))
}

fn setting(key: &str, meanings: &Meanings) -> Value {
    match key {
        "name" | "zone" => text(),
        "large_order" => amounts(),
        "tier_caps" => {
            let tiers: Map<String, Value> = Tier::ALL.iter().map(|tier| (tier.word().to_owned(), amounts())).collect();
            closed(tiers, &[])
        }
        "feeds" => json!({ "type": "object", "additionalProperties": duration() }),
        "dedup_days" => whole(1, 35),
        "provisional_max" => whole(0, 1_000_000_000),
        "notice_within" | "offer_stands" => duration(),
        "guards" => guards(meanings),
        "params" => {
            let value = json!({ "anyOf": [{ "type": ["integer", "boolean", "string"] }, amounts()] });
            let rule = json!({ "type": "object", "additionalProperties": value });
            json!({ "type": "object", "additionalProperties": rule })
        }
        // A key that this list does not describe yet takes anything: the loader is the judge.
        _ => json!({}),
    }
}

fn guards(meanings: &Meanings) -> Value {
    let says = |key: &str| meanings.get(&format!("guards.{key}")).map_or("", String::as_str);
    let keys = GUARD_KEYS.iter().map(|key| ((*key).to_owned(), described(guard(key), says(key))));
    closed(keys.collect(), &[])
}

fn guard(key: &str) -> Value {
    match key {
        "exposure_max" => amounts(),
        "customer_share_required" => flag(),
        _ if key.starts_with("cool_down") => duration(),
        _ if key.ends_with("_days") => whole(0, 36_500),
        _ if key.ends_with("_pct") => whole(0, 10_000),
        "daily_count" => whole(0, 1_000),
        _ => json!({}),
    }
}

/// The schema of `facts.yaml`.
pub fn facts() -> Value {
    let keys: Map<String, Value> = FACT_KEYS.iter().map(|key| ((*key).to_owned(), fact_key(key))).collect();
    // A fact of the catalogue is only given its sources; any other has a type and a meaning.
    let fact = closed(keys, &["name"]);
    document("facts.schema.json", "Facts of a ruleset of Headroom", json!({ "type": "array", "items": fact }))
}

fn fact_key(key: &str) -> Value {
    let (schema, says) = match key {
        "name" => {
            let name = json!({ "type": "string", "pattern": r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$" });
            (name, "two words of lower-case letters, digits and underscores, as rules read it: `weather.storm`")
        }
        "type" => (word(&FACT_TYPES), "what its values are"),
        "values" => (one_or_more(snake()), "the words of an enum"),
        "min" | "max" => (json!({ "type": ["number", "string"] }), "the bound of an int, percent or money"),
        "default" => (json!({ "type": ["boolean", "number", "string"] }), "its value until somebody reports it"),
        "occurrence" => (flag(), "each report of `true` counts by itself and is no state"),
        "sources" => (one_or_more(text()), "who may report it; without it everybody"),
        "meaning" => (text(), "what it means, in a sentence"),
        _ => (json!({}), ""),
    };
    described(schema, says)
}

/// The schema of `strategies.yaml`.
pub fn strategies() -> Value {
    let keys = STRATEGY_KEYS.iter().map(|key| ((*key).to_owned(), strategy_key(key))).collect();
    document("strategies.schema.json", "Which rules a segment has", closed(keys, STRATEGY_KEYS))
}

fn strategy_key(key: &str) -> Value {
    match key {
        "groups" => {
            let keys = GROUP_KEYS.iter().map(|key| ((*key).to_owned(), group_key(key))).collect();
            let groups = json!({ "type": "object", "additionalProperties": closed(keys, &[]) });
            described(groups, "groups of rules, each under a name of its own")
        }
        "segments" => {
            // A segment with nothing behind it has no rules.
            let names = json!({ "anyOf": [one_or_more(snake()), { "type": "null" }] });
            let all = Segment::ALL.iter().map(|segment| (segment.word().to_owned(), names.clone())).collect();
            described(
                closed(all, &[]),
                "by segment the names of its groups; a segment that is not named has every rule",
            )
        }
        _ => json!({}),
    }
}

fn group_key(key: &str) -> Value {
    let families: Vec<&str> = Family::ALL.iter().map(|each| each.word()).collect();
    match key {
        "families" => described(one_or_more(word(&families)), "every rule of these families"),
        "rules" => described(one_or_more(snake()), "ids of single rules"),
        _ => json!({}),
    }
}

/// The schema of `conflicts.yaml`.
pub fn notes() -> Value {
    let keys = NOTE_KEYS.iter().map(|key| ((*key).to_owned(), note_key(key))).collect();
    let notes = json!({ "type": ["array", "null"], "items": closed(keys, &NOTE_KEYS) });
    document("conflicts.schema.json", "Findings of `headroom rules conflicts` that a person accepted", notes)
}

fn note_key(key: &str) -> Value {
    let list = |each: Value| json!({ "type": "array", "items": each, "minItems": 1 });
    let (schema, says) = match key {
        "kind" => {
            let kind = |kind: &Kind| json!({ "const": kind.word(), "description": kind.meaning() });
            (json!({ "anyOf": Kind::ALL.iter().map(kind).collect::<Vec<_>>() }), "what was found")
        }
        "rules" => (list(snake()), "ids of the rules that it is about"),
        "hashes" => {
            // Digits alone, or with one `e` among them, are a number to an editor.
            let hash = json!({ "type": ["string", "number"], "pattern": "^[0-9a-f]{12,64}$" });
            (list(hash), "a hash for each of them, in the same order: twelve digits or more of what the command shows")
        }
        "note" => (text(), "why it is fine"),
        "by" => (text(), "who accepted it"),
        "since" => (text(), "since when"),
        _ => (json!({}), ""),
    };
    described(schema, says)
}
