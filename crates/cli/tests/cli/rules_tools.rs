//! The tools around rules: fmt, explain over an account, new, schema, coverage, watch.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::command::{Ran, checkout, folder, headroom};

const RULE: &str = "\
number: 7
id: large_order   # the file's name
title: {zh: 大单, en: Large order}
why: A large order deserves a look.
family: growth
class: review
on: [order_placed]
when: order.amount>=p.large&&!block.any
params: {large: {type: money, CNY: 1_000.00}}
then: {review: {kind: order}}
reason: LARGE_ORDER
owner: limits
since: 2026-11-22
";
const TEST: &str = "\
tests:
- name: a large order
  steps: |
    account M1 segment=merchant_key base=1_000_000.00 opened=2024-03-01
    2025-01-01T11:00   order_placed M1 seller 5_000.00
    => review M1 order
";

fn ruleset() -> tempfile::TempDir {
    folder(&[("growth/large_order.rule.yaml", RULE), ("growth/large_order.test.yaml", TEST)])
}

fn rules(words: &[&str]) -> Ran {
    headroom(["rules"].iter().chain(words))
}

fn path(dir: &tempfile::TempDir) -> &str {
    dir.path().to_str().unwrap()
}

fn read(dir: &tempfile::TempDir, file: &str) -> String {
    std::fs::read_to_string(dir.path().join(file)).unwrap()
}

#[test]
fn files_are_laid_out_once_and_for_all() {
    let dir = ruleset();
    let check = rules(&["fmt", path(&dir), "--check", "--format", "json"]);
    assert_eq!((check.code, &check.json()["changed"]), (1, &2.into()));
    assert_eq!(read(&dir, "growth/large_order.rule.yaml"), RULE, "a check writes nothing");
    let ran = rules(&["fmt", path(&dir), "--format", "json"]);
    assert_eq!((ran.code, &ran.json()["written"][0]), (0, &"growth/large_order.rule.yaml".into()));
    let rule = read(&dir, "growth/large_order.rule.yaml");
    assert!(rule.starts_with("id: large_order  # the file's name\nnumber: 7\n"), "{rule}");
    assert!(rule.contains("\nwhen: order.amount >= p.large && !block.any\n"), "{rule}");
    assert!(rule.contains("\ntitle: {en: Large order, zh: 大单}\n"), "{rule}");
    let test = read(&dir, "growth/large_order.test.yaml");
    assert!(test.contains("\n  - name: a large order\n    steps: |\n      account M1"), "{test}");
    assert!(test.contains("\n          => review M1 order\n"), "{test}");
    assert_eq!(rules(&["fmt", path(&dir), "--check"]).code, 0);
    assert_eq!(rules(&["test", path(&dir)]).code, 0);
}

#[test]
fn a_file_that_is_no_yaml_is_left_alone() {
    let dir = folder(&[("a.rule.yaml", "id: [a\n"), ("ruleset.yaml", "name: x\n")]);
    let ran = rules(&["fmt", path(&dir), "--format", "json"]);
    ran.refused(1, &["error[HR0140]", "a.rule.yaml:"]);
    assert_eq!((&ran.json()["changed"], read(&dir, "a.rule.yaml").as_str()), (&0.into(), "id: [a\n"));
}

#[test]
fn a_rule_is_held_against_an_account() {
    let dir = ruleset();
    std::fs::write(dir.path().join("account.yaml"), "currency: CNY\norder: {amount: 1_000.00}\nblock.any: ~\n")
        .unwrap();
    let file = dir.path().join("account.yaml");
    let base = ["explain", "large_order", "--rules", path(&dir), "--account", file.to_str().unwrap()];
    let json = rules(&[&base[..], &["--format", "json"]].concat()).json();
    let asked = &json["asked"][0];
    assert_eq!((&json["fires"], &asked["verdict"]), (&false.into(), &"unknown".into()));
    assert_eq!((&asked["missing"][0], &asked["in_the_way"][0]), (&"block.any".into(), &"!block.any".into()));
    assert_eq!(asked["condition"]["parts"][0]["verdict"], "true");
    let fires = rules(&[&base[..], &["--fact", "block.any=false", "--format", "json"]].concat()).json();
    assert_eq!(fires["fires"], true);
    let tree = rules(&[&base[..], &["--fact", "order.amount=999.99"]].concat()).stdout;
    assert!(tree.starts_with("large_order does not fire\n"), "{tree}");
    assert!(tree.contains("├─ false        order.amount>=p.large\n"), "{tree}");
    assert!(tree.contains("└─ unknown   block.any  ← not known\n"), "{tree}");
    rules(&[&base[..], &["--fact", "order.amuont=1"]].concat()).refused(1, &["did you mean `order.amount`?"]);
    rules(&["explain", "large_order", "--rules", path(&dir), "--account", "none.yaml"])
        .refused(1, &["cannot read `none.yaml`"]);
}

#[test]
fn an_account_of_a_data_directory_is_one_to_hold_against() {
    let dir = folder(&[]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let in_checkout = |name: &str| checkout(name).display().to_string();
    let (ruleset, events) = (in_checkout("rules"), in_checkout("examples/double11.ndjson"));
    let ran =
        headroom(["run", "--rules", &ruleset, "--events", &events, "--data-dir", &at("data"), "--out", &at("o.pb")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let account = headroom(["account", "show", "M1", "--data-dir", &at("data"), "--format", "json"]);
    let shown = account.json();
    assert_eq!(shown["features"]["account.segment"], "merchant_key");
    assert_eq!(shown["features"]["order.amount"], Value::Null, "only an order knows it");
    std::fs::write(dir.path().join("m1.json"), &account.stdout).unwrap();
    let held = rules(&["explain", "promo_compensation", "--account", &at("m1.json"), "--format", "json"]);
    assert_eq!(held.code, 0, "{}", held.stderr);
    let held = held.json();
    assert_eq!((&held["fires"], &held["wrong_segment"]), (&false.into(), &false.into()));
    let missing = held["asked"][0]["missing"].as_array().unwrap();
    assert_eq!(missing, &["promotion.forecast_daily"], "a block that is not there is known not to be");
    let other = rules(&[
        "explain",
        "enrolled_merchant_boost",
        "--account",
        &at("m1.json"),
        "--fact",
        "account.segment=consumer",
    ]);
    assert!(other.stdout.contains("is not for this segment"), "{}", other.stdout);
}

#[test]
fn a_new_rule_passes_at_once_in_every_family() {
    let dir = folder(&[]);
    let families = ["promotion", "repayment", "delinquency", "regulatory"];
    for (nth, family) in families.iter().enumerate() {
        let ran =
            rules(&["new", &format!("first_{family}"), "--family", family, "--rules", path(&dir), "--format", "json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(ran.json()["number"], 1001 + nth);
    }
    let with_fact = ["new", "stormy", "--family", "growth", "--rules", path(&dir), "--fact", "weather.storm"];
    assert_eq!(rules(&with_fact).code, 0);
    let check = rules(&["check", path(&dir), "--format", "json"]).json();
    assert_eq!((&check["rules"], &check["facts"], &check["warnings"]), (&5.into(), &5.into(), &0.into()));
    let test = rules(&["test", path(&dir), "--format", "json"]).json();
    assert_eq!((&test["failed"], &test["passed"]), (&0.into(), &15.into()));
    assert!(test["coverage"].as_array().unwrap().iter().all(|each| each["fired"] == 1), "{test}");
    assert_eq!(rules(&["fmt", path(&dir), "--check"]).code, 0);
}

#[test]
fn a_new_rule_joins_the_built_in_ones() {
    let dir = folder(&[]);
    let copied =
        Command::new("cp").args(["-r".as_ref(), checkout("rules").as_os_str(), dir.path().as_os_str()]).status();
    assert!(copied.unwrap().success());
    let rules_dir = dir.path().join("rules");
    let at = rules_dir.to_str().unwrap();
    let before = rules(&["test", at, "--format", "json"]).json();
    assert_eq!(rules(&["new", "own_rule", "--family", "fraud", "--rules", at]).code, 0);
    let test = rules(&["test", at, "--format", "json"]).json();
    let own = test["coverage"].as_array().unwrap().iter().find(|each| each["rule"] == "own_rule").unwrap().clone();
    assert_eq!((&own["fired"], &own["silent"]), (&1.into(), &2.into()));
    assert_eq!(test["failed"], before["failed"], "it meets no other rule's tests");
    assert_eq!(test["passed"].as_u64(), before["passed"].as_u64().map(|passed| passed + 3));
}

#[test]
fn a_new_rule_takes_nothing_away() {
    let dir = ruleset();
    rules(&["new", "large_order", "--family", "growth", "--rules", path(&dir)])
        .refused(1, &["exists: choose another id"]);
    rules(&["new", "Large", "--family", "growth", "--rules", path(&dir)]).refused(2, &["`Large` is no id"]);
    rules(&["new", "a", "--family", "grwth", "--rules", path(&dir)]).refused(2, &["'growth'"]);
    rules(&["new", "a", "--family", "growth", "--rules", path(&dir), "--fact", "storm"]).refused(1, &["HR0205"]);
    rules(&["new", "a", "--family", "growth", "--rules", path(&dir), "--fact", "limit.base"])
        .refused(1, &["`limit.base` is no fact of type bool"]);
    assert_eq!(read(&dir, "growth/large_order.rule.yaml"), RULE);
    assert!(!dir.path().join("growth/a.rule.yaml").exists());
}

#[test]
fn schemas_are_in_the_binary() {
    let kinds = ["rule", "table", "test", "ruleset", "facts", "strategies", "conflicts"];
    for kind in kinds {
        let shown = rules(&["schema", kind]).stdout;
        let file = std::fs::read_to_string(checkout(&format!("docs/schema/{kind}.schema.json"))).unwrap();
        assert_eq!(shown, file);
    }
    let dir = folder(&[]);
    assert_eq!(rules(&["schema", "--dir", path(&dir)]).code, 0);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), kinds.len(), "every schema can be asked for");
    rules(&["schema"]).refused(2, &["<KIND>"]);
}

#[test]
fn coverage_tells_what_conditions_never_were() {
    let dir = ruleset();
    let json = rules(&["test", path(&dir), "--coverage", "--format", "json"]).json();
    assert_eq!((&json["conditions"], &json["conditions_covered"]), (&2.into(), &0.into()));
    let first = &json["condition_coverage"][0];
    assert_eq!((&first["condition"], &first["true"]), (&"order.amount>=p.large".into(), &1.into()));
    assert_eq!(first["never"].to_string(), r#"["false","unknown"]"#);
    let table = rules(&["test", path(&dir), "--coverage"]).stdout;
    assert!(table.contains("conditions_not_covered:\n"), "{table}");
    assert_eq!(rules(&["test", path(&dir), "--format", "json"]).json().get("condition_coverage"), None);
}

/// Killed if the test gives up on it.
struct Watcher(Child);

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_watcher_runs_again_when_a_file_changes() {
    let dir = ruleset();
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_headroom"))
        .args(["rules", "test", path(&dir), "--watch", "--runs", "2", "--format", "json"])
        .stdout(log)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut watcher = Watcher(child);
    let lines = || read(&dir, "log").lines().count();
    let came = (0..2_000).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        lines() > 0
    });
    assert!(came, "the first run");
    std::fs::write(dir.path().join("growth/large_order.test.yaml"), TEST.replace("review M1 order", "nothing"))
        .unwrap();
    let status = watcher.0.wait().unwrap();
    let log = read(&dir, "log");
    let runs: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&runs[0]["failed"], &runs[1]["failed"]), (&0.into(), &1.into()));
    assert_eq!((runs.len(), status.code()), (2, Some(1)));
    rules(&["test", path(&dir), "--runs", "2"]).refused(2, &["--watch"]);
}
