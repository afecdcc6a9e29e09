//! The JSON Schemas in `docs/schema` say what the loader takes: `UPDATE_EXPECT=1` writes them anew.

use expect_test::expect_file;
use headroom_engine::Ruleset;
use headroom_policy::yaml::parse;
use jsonschema::Validator;
use serde_json::Value;
use xtask::{as_json, read, report, schemas, texts, trigger_words};

fn all() -> Vec<(&'static str, String)> {
    schemas(&read("docs/rules-language.md"), &trigger_words())
}

fn validator(name: &str) -> Validator {
    let (_, text) = all().into_iter().find(|(each, _)| *each == name).expect("one of the four");
    let schema: Value = serde_json::from_str(&text).expect("it is JSON");
    jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name} is no schema: {error}"));
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn instance(text: &str) -> Value {
    as_json(&parse(text).unwrap_or_else(|findings| panic!("{findings:?}")))
}

fn findings(validator: &Validator, path: &str, text: &str) -> Vec<String> {
    let instance = instance(text);
    validator.iter_errors(&instance).map(|error| format!("{path}: {error} at {}", error.instance_path())).collect()
}

#[test]
fn the_schemas_are_up_to_date() {
    for (name, text) in all() {
        expect_file![format!("../../docs/schema/{name}")].assert_eq(&text);
    }
}

#[test]
fn every_file_of_a_ruleset_here_is_valid() {
    let kinds = [
        ("rule.schema.json", ".rule.yaml"),
        ("table.schema.json", ".table.yaml"),
        ("test.schema.json", ".test.yaml"),
        ("ruleset.schema.json", "ruleset.yaml"),
        ("facts.schema.json", "facts.yaml"),
    ];
    let mut seen = 0;
    for (name, ending) in kinds {
        let validator = validator(name);
        let files = texts(|path| path.ends_with(ending) && !path.contains("/invalid/") && !path.contains("tests/"));
        seen += files.len();
        let found: Vec<String> = files.iter().flat_map(|(path, text)| findings(&validator, path, text)).collect();
        report(name, &found);
    }
    assert!(seen > 20, "{seen} files");
}

const RULE: &str = "\
id: probe
number: 1
title: {en: Probe, zh: 探针}
why: To ask the schema.
family: growth
class: review
on: [order_placed, fact weather.storm]
when: order.amount >= p.large
params: {large: {type: money, CNY: 1_000.00, JPY: 5}, often: {type: int, default: 3}}
then: {review: {kind: order, proposal: limit.base * 2}, hold: {until: cured + 30d, of: increase}}
reason: PROBE
on_unknown: skip
owner: nobody
since: 2026-01-01
";

#[test]
fn what_the_loader_refuses_an_editor_marks_too() {
    let validator = validator("rule.schema.json");
    assert_eq!(findings(&validator, "rule", RULE), Vec::<String>::new());
    let wrong = [
        ("family: growth", "family: grwth"),
        ("class: review", "class: reviews"),
        ("on: [order_placed,", "on: [order_place,"),
        ("kind: order", "knd: order"),
        ("until: cured + 30d", "until: curd"),
        ("of: increase", "of: decrease"),
        ("owner: nobody", "ownr: nobody"),
        ("reason: PROBE\n", ""),
        ("{type: int, default: 3}", "{type: float, default: 3}"),
        ("since: 2026-01-01", "since: yesterday"),
        ("title: {en: Probe, zh: 探针}", "title: Probe"),
        ("review: {kind: order,", "rview: {kind: order,"),
    ];
    let unmarked: Vec<String> = wrong
        .into_iter()
        .filter(|(right, wrong)| {
            let text = RULE.replace(right, wrong);
            assert_ne!(text, RULE, "`{right}` stands in the rule");
            let loads = Ruleset::load(&[("probe.rule.yaml".to_owned(), text.clone())]).is_ok();
            assert!(!loads, "the loader takes `{wrong}`");
            findings(&validator, "rule", &text).is_empty()
        })
        .map(|(_, wrong)| wrong.to_owned())
        .collect();
    report("the schema of rules takes", &unmarked);
}

#[test]
fn tests_settings_and_facts_have_their_bounds() {
    let cases = [
        ("test.schema.json", "tests:\n  - name: a\n    steps: x\n", "tests:\n  - name: a\n    stps: x\n"),
        ("test.schema.json", "tests:\n  - {name: a, steps: x, silent: [b]}\n", "tests: []\n"),
        ("ruleset.schema.json", "guards: {daily_count: 3}\n", "guards: {daily: 3}\n"),
        ("ruleset.schema.json", "feeds: {bureau: 6h}\n", "feeds: {bureau: 6 hours}\n"),
        ("ruleset.schema.json", "tier_caps: {gold: {CNY: 1_000.00}}\n", "tier_caps: {golden: {CNY: 1_000.00}}\n"),
        ("facts.schema.json", "- {name: a.b, type: bool, meaning: c}\n", "- {name: ab, type: bool, meaning: c}\n"),
        ("facts.schema.json", "- {name: a.b, sources: [c]}\n", "- {name: a.b, type: boolean}\n"),
    ];
    for (schema, right, wrong) in cases {
        let validator = validator(schema);
        assert_eq!(findings(&validator, schema, right), Vec::<String>::new());
        assert!(!findings(&validator, schema, wrong).is_empty(), "{schema} takes {wrong}");
    }
}
