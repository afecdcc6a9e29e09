use serde_json::Value;

use crate::command::{Ran, folder, headroom};

const RULE: &str = "\
id: large_order
number: 7
title: {en: Large order, zh: 大单}
why: A large order deserves a look.
family: growth
class: review
on: [order_placed]
when: order.amount >= p.large && weather.storm
params: {large: {type: money, CNY: 1_000.00}}
then: {review: {kind: order}}
reason: LARGE_ORDER
on_unknown: skip
owner: limits
since: 2026-11-22
";
const FACTS: &str = "- {name: weather.storm, type: bool, meaning: There is a storm.}\n";
const TEST: &str = "\
tests:
  - name: a large order in a storm
    steps: |
      account M1 segment=merchant_key base=1_000_000.00 opened=2024-03-01
      2025-01-01T10:00 signal M1 weather.storm=true
      2025-01-01T11:00 order_placed M1 seller 5_000.00
";

fn ruleset() -> tempfile::TempDir {
    folder(&[("growth/large_order.rule.yaml", RULE), ("facts.yaml", FACTS), ("growth/large_order.test.yaml", TEST)])
}

fn rules(words: &[&str]) -> Ran {
    headroom(["rules"].iter().chain(words))
}

fn path(dir: &tempfile::TempDir) -> &str {
    dir.path().to_str().unwrap()
}

#[test]
fn a_ruleset_without_errors_is_counted() {
    let dir = ruleset();
    let ran = rules(&["check", path(&dir), "--format", "json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let json = ran.json();
    assert_eq!((&json["rules"], &json["facts"], &json["errors"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(json["ruleset_hash"].as_str().unwrap().len(), 64);
    assert_eq!(json["diagnostics"], Value::Array(Vec::new()));
    assert!(rules(&["check", path(&dir)]).stdout.starts_with("rules         1\n"));
}

#[test]
fn all_errors_of_all_files_are_told_at_once() {
    let typo = RULE.replace("order.amount", "order.amuont").replace("large_order\n", "other\n");
    let dir = folder(&[
        ("a/large_order.rule.yaml", &RULE.replace("class: review", "class: revew")),
        ("other.rule.yaml", &typo),
        ("facts.yaml", FACTS),
    ]);
    let ran = rules(&["check", path(&dir), "--format", "json"]);
    ran.refused(
        1,
        &["error[HR0110]: unknown name `order.amuont`", " --> other.rule.yaml:8:7", "did you mean `review`?"],
    );
    let json = ran.json();
    assert_eq!(json["errors"].as_u64(), json["diagnostics"].as_array().map(|all| all.len() as u64));
    let found = json["diagnostics"].as_array().unwrap().iter().find(|each| each["code"] == "HR0110").unwrap();
    assert_eq!((&found["line"], &found["column"]), (&8.into(), &7.into()));
    assert_eq!((&found["file"], &found["severity"]), (&"other.rule.yaml".into(), &"error".into()));
    assert_eq!(
        (&found["message"], &found["help"]),
        (&"unknown name `order.amuont`".into(), &"did you mean `order.amount`?".into())
    );
    assert_eq!(json["facts"], Value::Null);
}

#[test]
fn a_directory_without_a_ruleset_is_refused() {
    let dir = folder(&[("notes.txt", "")]);
    rules(&["check", path(&dir)]).refused(1, &["cannot read", "there is no ruleset"]);
    rules(&["check", "no/such/folder"]).refused(1, &["cannot read `no/such/folder`", "No such file"]);
    rules(&["test", "no/such/folder"]).refused(1, &["cannot read `no/such/folder`"]);
}

#[test]
fn a_rule_is_explained() {
    let dir = ruleset();
    let json = rules(&["explain", "large_order", "--rules", path(&dir), "--format", "json"]).json();
    assert_eq!((&json["title_en"], &json["title_zh"]), (&"Large order".into(), &"大单".into()));
    assert_eq!(json["when_all_hold"].to_string(), r#"["order.amount >= p.large","weather.storm"]"#);
    assert_eq!(json["in_words"][0], "order.amount is at least CNY 100000");
    assert_eq!(json["params"][0]["value"]["CNY"], 100_000);
    let storm = json["reads"].as_array().unwrap().iter().find(|each| each["name"] == "weather.storm").unwrap();
    assert_eq!(storm["meaning"], "There is a storm.");
    assert_eq!(rules(&["explain", "7", "--rules", path(&dir), "--format", "json"]).json(), json);
    let unknown = rules(&["explain", "large_ordr", "--rules", path(&dir)]);
    unknown.refused(1, &["there is no rule `large_ordr`", "did you mean `large_order`?"]);
}

#[test]
fn built_in_rules_are_in_the_binary() {
    let ran = rules(&["explain", "promo_compensation", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!((&ran.json()["number"], &ran.json()["class"]), (&1.into(), &"restore".into()));
}

#[test]
fn tests_of_rules_fail_and_are_blessed() {
    let dir = ruleset();
    let ran = rules(&["test", path(&dir), "--format", "json"]);
    ran.refused(1, &["failed: a large order in a storm", "+ => review M1 order"]);
    let json = ran.json();
    assert_eq!((&json["passed"], &json["failed"]), (&0.into(), &1.into()));
    assert_eq!(json["failures"][0]["test"], "a large order in a storm");
    let blessed = rules(&["test", path(&dir), "--bless", "--format", "json"]);
    assert_eq!((blessed.code, blessed.stderr.as_str()), (0, ""));
    assert_eq!(blessed.json()["blessed"][0], "growth/large_order.test.yaml");
    let again = rules(&["test", path(&dir), "--format", "json"]).json();
    assert_eq!((&again["passed"], &again["coverage"][0]["fired"]), (&1.into(), &1.into()));
}

#[test]
fn a_test_file_that_is_none_is_shown() {
    let dir =
        folder(&[("large_order.rule.yaml", RULE), ("facts.yaml", FACTS), ("large_order.test.yaml", "tests: 5\n")]);
    let ran = rules(&["test", path(&dir), "--format", "json"]);
    ran.refused(1, &["large_order.test.yaml:1"]);
    assert_eq!(ran.json()["unreadable"], 1);
    std::fs::remove_file(dir.path().join("large_order.test.yaml")).unwrap();
    rules(&["test", path(&dir)]).refused(1, &["there are no tests in"]);
}

fn eval(expression: &str, facts: &str) -> (i32, String) {
    let ran = rules(&["eval", expression, "--facts", facts, "--format", "json"]);
    (ran.code, ran.json().to_string())
}

fn parts(result: &str, ty: &str, value: &str, code: &str) -> String {
    let object = format!(r#"{{"result":{result},"type":{ty},"value":{value},"code":{code}}}"#);
    serde_json::from_str::<Value>(&object).unwrap().to_string()
}

#[test]
fn expressions_have_values() {
    let value = |ty: &str, value: &str| (0, parts(r#""value""#, ty, value, "null"));
    assert_eq!(eval("orders.amount_24h * 2", r#"{"orders":{"amount_24h":5}}"#), value(r#""money""#, "10"));
    assert_eq!(eval("a.n * 2 > 9", r#"{"a.n":5}"#), value(r#""bool""#, "true"));
    assert_eq!(eval("account.tier", r#"{"account.tier":"gold"}"#), value(r#""enum""#, r#""gold""#));
    assert_eq!(eval("a.x", r#"{"a.x":"red"}"#), value(r#""text""#, r#""red""#));
    assert_eq!(eval("-9223372036854775807 - 1", "{}"), value(r#""int""#, "-9223372036854775808"));
    assert_eq!(eval("a.b > 1 && false", "{}"), value(r#""bool""#, "false"));
    let table = rules(&["eval", "pct(a, b) >= p.x", "--facts", r#"{"a":4,"b":5,"p":{"x":80}}"#]);
    assert_eq!((table.code, table.stdout.as_str(), table.stderr.as_str()), (0, "true\n", ""));
}

#[test]
fn unknown_is_no_error() {
    let unknown = |ty: &str, code: &str| (0, parts(r#""unknown""#, ty, "null", code));
    assert_eq!(eval("a.b > 1", "{}"), unknown(r#""bool""#, r#""NOT_KNOWN""#));
    assert_eq!(eval("limit.base > p.zero", r#"{"limit.base":null}"#), unknown(r#""bool""#, r#""NOT_KNOWN""#));
    assert_eq!(eval("pct(1, a) > 3", r#"{"a":0}"#), unknown(r#""bool""#, r#""DENOMINATOR_NOT_POSITIVE""#));
    let table = rules(&["eval", "a.b > 1"]);
    assert_eq!((table.stdout.as_str(), table.stderr.as_str()), ("unknown (NOT_KNOWN)\n", "note: `a.b` is not known\n"));
}

#[test]
fn errors_have_codes_whenever_they_are_found() {
    let failed = |ty: &str, code: &str| (1, parts(r#""error""#, ty, "null", code));
    assert_eq!(eval("a + 1", r#"{"a":9223372036854775807}"#), failed(r#""int""#, r#""OVERFLOW""#));
    assert_eq!(eval("1 / a", r#"{"a":0}"#), failed(r#""int""#, r#""DIVISION_BY_ZERO""#));
    assert_eq!(eval("1 +", "{}"), failed("null", r#""HR0102""#));
    assert_eq!(eval("size(a)", "{}"), failed("null", r#""HR0111""#));
    assert_eq!(eval("1 > true", "{}"), failed("null", r#""HR0120""#));
    assert_eq!(eval("a", r#"{"a":1.5}"#), failed("null", r#""HR0101""#));
    assert_eq!(eval("a", r#"{"a":9223372036854775808}"#), failed("null", r#""HR0103""#));
    assert_eq!(eval("a", r#"{"a":[1]}"#), failed("null", r#""HR0120""#));
    assert_eq!(eval("limit.base", r#"{"limit.base":true}"#), failed("null", r#""HR0120""#));
    assert_eq!(eval("a", "{a:1}"), failed("null", "null"));
    rules(&["eval", "1 +"]).refused(1, &["error[HR0102]", "--> expression:1:"]);
    rules(&["eval", "a", "--facts", r#"{"a":1.5}"#]).refused(1, &["see: headroom explain HR0101"]);
}

#[test]
fn a_ruleset_declares_more_names() {
    let dir = ruleset();
    let ran = rules(&["eval", "weather.storm", "--rules", path(&dir), "--facts", r#"{"weather.storm":1}"#]);
    ran.refused(1, &["the value of `weather.storm` does not fit: it is declared as bool"]);
}
