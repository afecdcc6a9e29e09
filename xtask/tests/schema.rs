//! The JSON Schemas in `docs/schema` say what the loader takes: `UPDATE_EXPECT=1` writes them anew.

use expect_test::expect_file;
use headroom_conflicts::notes;
use headroom_engine::Ruleset;
use headroom_policy::yaml::parse;
use jsonschema::Validator;
use serde_json::Value;
use xtask::{as_json, read, report, schemas, texts, trigger_words};

fn all() -> Vec<(&'static str, String)> {
    schemas(&read("docs/rules-language.md"), &trigger_words())
}

fn validator(name: &str) -> Validator {
    let (_, text) = all().into_iter().find(|(each, _)| *each == name).expect("one of them");
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
        ("strategies.schema.json", "strategies.yaml"),
        ("conflicts.schema.json", "conflicts.yaml"),
    ];
    let of_rules = texts(|path| path.starts_with("rules/") && path.ends_with(".yaml"));
    let strangers = of_rules.iter().filter(|(path, _)| !kinds.iter().any(|(_, ending)| path.ends_with(ending)));
    report("files without a schema", &strangers.map(|(path, _)| path.clone()).collect::<Vec<_>>());
    let mut seen = 0;
    for (name, ending) in kinds {
        let validator = validator(name);
        let files = texts(|path| path.ends_with(ending) && !path.contains("/invalid/") && !path.contains("tests/"));
        seen += files.len();
        let found: Vec<String> = files.iter().flat_map(|(path, text)| findings(&validator, path, text)).collect();
        report(name, &found);
    }
    assert!(seen > 100, "{seen} files");
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
    let beside = [("facts.yaml".to_owned(), FACTS.to_owned())];
    unmarked("rule.schema.json", RULE, "probe.rule.yaml", &beside, &wrong);
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
        ("conflicts.schema.json", "# none yet\n", "kind: dead\n"),
    ];
    for (schema, right, wrong) in cases {
        let validator = validator(schema);
        assert_eq!(findings(&validator, schema, right), Vec::<String>::new());
        assert!(!findings(&validator, schema, wrong).is_empty(), "{schema} takes {wrong}");
    }
}

const TABLE: &str = "\
id: probe
number: 1
title: {en: Probe, zh: 探针}
why: To ask the schema.
family: growth
on: statement_closed
hit: unique
columns: {score: model.score}
points:
  part:
    columns: {late: repay.late_12m}
    rows:
      - {late: \">= 1\", points: 0, reason: LATE}
    otherwise: {points: 40}
rows:
  - {score: \">= 700\", then: {increase: {percent: 10}}, reason: OTHER}
  - {score: 500..699, then: none}
otherwise: {then: {decrease: {percent: 5}}}
notices:
  increase: {template: limit_increased, can_do: [wait]}
reason: PROBE
on_unknown: skip
owner: nobody
since: 2026-01-01
";

#[test]
fn what_the_loader_refuses_of_tables_an_editor_marks_too() {
    let wrong = [
        ("hit: unique", "hit: any"),
        ("columns: {score: model.score}", "columns: {}"),
        ("columns: {score: model.score}", "column: {score: model.score}"),
        ("then: none", "then: nothing"),
        ("then: none", "than: none"),
        ("then: {increase: {percent: 10}}", "then: {incraese: {percent: 10}}"),
        ("then: {increase: {percent: 10}}", "then: {increase: {per_cent: 10}}"),
        ("then: {increase: {percent: 10}}, reason: OTHER", "then: {increase: {percent: 10}}, reason: other"),
        ("points: 40", "points: forty"),
        ("points: 40", "score: 40"),
        ("points: 0, reason: LATE", "reason: LATE"),
        ("family: growth", "family: grwth"),
        ("on: statement_closed", "on: statement_close"),
        ("template: limit_increased", "templat: limit_increased"),
        ("owner: nobody\n", ""),
    ];
    unmarked("table.schema.json", TABLE, "probe.table.yaml", &[], &wrong);
}

const STRATEGIES: &str = "\
groups:
  core: {families: [growth, fraud]}
  one: {rules: [probe]}
segments:
  consumer: [core, one]
  merchant_new:
";

#[test]
fn what_the_loader_refuses_of_strategies_an_editor_marks_too() {
    let wrong = [
        ("families: [growth, fraud]", "families: [growth, frauds]"),
        ("families: [growth, fraud]", "family: [growth, fraud]"),
        ("rules: [probe]", "rules: [Probe]"),
        ("  consumer:", "  consumers:"),
        ("groups:", "group:"),
        ("  merchant_new:", "  merchant_new: {core: one}"),
        ("  core: {families: [growth, fraud]}", "  core: growth"),
    ];
    let beside = [("probe.rule.yaml".to_owned(), RULE.to_owned()), ("facts.yaml".to_owned(), FACTS.to_owned())];
    unmarked("strategies.schema.json", STRATEGIES, "strategies.yaml", &beside, &wrong);
}

const FACTS: &str = "- {name: weather.storm, type: bool, meaning: There is a storm.}\n";

/// Every mistake is one that the loader refuses and the schema marks. `beside`: the other files of the ruleset.
fn unmarked(schema: &str, text: &str, path: &str, beside: &[(String, String)], wrong: &[(&str, &str)]) {
    let validator = validator(schema);
    assert_eq!(findings(&validator, path, text), Vec::<String>::new());
    let loads = |text: &str| {
        let files: Vec<_> = beside.iter().cloned().chain([(path.to_owned(), text.to_owned())]).collect();
        Ruleset::load(&files).map(|_| ()).map_err(|reports| reports[0].render(false))
    };
    assert_eq!(loads(text), Ok(()));
    let taken = wrong.iter().filter(|(right, wrong)| {
        let text = text.replacen(right, wrong, 1);
        assert!(text.contains(wrong), "`{right}` stands in the file");
        assert!(loads(&text).is_err(), "the loader takes `{wrong}`");
        findings(&validator, path, &text).is_empty()
    });
    report(&format!("{schema} takes"), &taken.map(|(_, wrong)| (*wrong).to_owned()).collect::<Vec<_>>());
}

const NOTES: &str = "\
- kind: dead
  rules: [probe]
  hashes: [0123456789ab]
  note: It waits for a feed.
  by: nobody
  since: 2026-01-01
";

#[test]
fn what_cannot_be_read_of_accepted_findings_an_editor_marks_too() {
    let validator = validator("conflicts.schema.json");
    assert_eq!(findings(&validator, "notes", NOTES), Vec::<String>::new());
    assert!(notes(NOTES).is_ok());
    let wrong = [
        ("kind: dead", "kind: deed"),
        ("kind: dead", "kinds: dead"),
        ("rules: [probe]", "rules: probe"),
        ("hashes: [0123456789ab]", "hashes: [0123abc]"),
        ("  by: nobody\n", ""),
        ("note: It waits for a feed.", "note: ''"),
    ];
    let taken = wrong.iter().filter(|(right, wrong)| {
        let text = NOTES.replacen(right, wrong, 1);
        assert!(notes(&text).is_err(), "the reader takes `{wrong}`");
        findings(&validator, "notes", &text).is_empty()
    });
    report("the schema of notes takes", &taken.map(|(_, wrong)| (*wrong).to_owned()).collect::<Vec<_>>());
}
