//! `changes verify`: what a run wrote is true, and what was altered since is found.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::command::{Ran, checkout, folder, headroom};

/// A season of 300 accounts, run with the checkout's rules.
fn season(dir: &Path, out: &str) -> String {
    let path = |name: &str| dir.join(name).display().to_string();
    let (events, data, out) = (path("season.pb"), path(&format!("{out}.data")), path(out));
    let plan = ["--accounts", "300", "--days", "60", "--seed", "5"];
    assert_eq!(headroom(["generate", "--output", &events].iter().chain(&plan)).code, 0);
    let fixed = ["run", "--rules", &rules(), "--events", &events, "--data-dir", &data, "--out", &out];
    let ran = headroom(fixed);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    out
}

fn rules() -> String {
    checkout("rules").display().to_string()
}

fn verify(file: &str) -> Ran {
    headroom(["changes", "verify", file, "--rules", &rules(), "--format", "json"])
}

#[test]
fn a_season_is_true_in_both_formats() {
    let dir = folder(&[]);
    for out in ["o.pb", "o.ndjson"] {
        let ran = verify(&season(dir.path(), out));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
        let json = ran.json();
        assert!(json["verified"]["limit_change"].as_u64().unwrap() > 50, "{json}");
        assert!(json["verified"]["review"].as_u64().unwrap() > 0, "{json}");
        assert_eq!((&json["findings"], &json["first_findings"]), (&json!({}), &json!([])));
    }
}

/// Alters the first line for which it can, and gives the line's number, from 1.
fn alter(lines: &mut [Value], mut how: impl FnMut(&mut Value) -> bool) -> usize {
    1 + lines.iter_mut().position(|line| line["limit_change"].is_object() && how(&mut line["limit_change"])).unwrap()
}

/// One of the rule's conditions that is now recorded as its opposite.
fn turn_verdict(change: &mut Value) -> bool {
    let Some(written) = change.pointer_mut("/trace/conditions/0/verdict") else { return false };
    let turned = if *written == "VERDICT_TRUE" { "VERDICT_FALSE" } else { "VERDICT_TRUE" };
    *written = turned.into();
    true
}

/// The days past due that a hold rests on are 0 now.
fn forget_days(change: &mut Value) -> bool {
    let Some(features) = change.pointer_mut("/trace/features").and_then(Value::as_array_mut) else { return false };
    let days = features.iter_mut().find(|each| each["name"] == "delinquency.dpd");
    let Some(days) = days.filter(|days| days["value"] != "0") else { return false };
    days["value"] = "0".into();
    true
}

fn raise(change: &mut Value, part: &str) -> bool {
    let stack = &mut change["after"];
    let Some(amount) = stack[part].as_str().and_then(|text| text.parse::<i64>().ok()) else { return false };
    stack[part] = (amount + 1).to_string().into();
    true
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn found(dir: &Path, lines: &[Value], kind: &str, line: usize) {
    let file = dir.join(format!("{kind}.ndjson"));
    fs::write(&file, text(lines)).unwrap();
    let ran = verify(&file.display().to_string());
    let json = ran.json();
    assert_eq!(ran.code, 1, "{kind}: {json}");
    let told = json["first_findings"].as_array().unwrap();
    assert!(told.iter().any(|each| each["kind"] == kind && each["line"] == line), "{kind} in {line}: {json}");
}

#[test]
fn whatever_is_altered_is_found_in_its_line() {
    let dir = folder(&[]);
    let whole = fs::read_to_string(season(dir.path(), "o.ndjson")).unwrap();
    let lines: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let altered = |how: &mut dyn FnMut(&mut Value) -> bool| {
        let mut lines = lines.clone();
        let line = alter(&mut lines, how);
        (lines, line)
    };
    let (verdicts, line) = altered(&mut turn_verdict);
    found(dir.path(), &verdicts, "verdict", line);
    let (features, line) = altered(&mut forget_days);
    found(dir.path(), &features, "condition", line);
    let (amounts, line) = altered(&mut |change| raise(change, "effective"));
    found(dir.path(), &amounts, "amount", line);
    let (terms, line) = altered(&mut |change| {
        change["after"]["effective_bound_by"] = "cap:customer".into();
        true
    });
    found(dir.path(), &terms, "binding_term", line);
    let (hashes, line) = altered(&mut |change| {
        let by_rule = change["rule_id"].is_string();
        change["rule_hash"] = "0".repeat(64).into();
        by_rule
    });
    found(dir.path(), &hashes, "rule_hash", line);
    let (params, line) = altered(&mut |change| {
        let Some(param) = change.pointer_mut("/trace/params/0/value") else { return false };
        *param = "7777777".into();
        true
    });
    found(dir.path(), &params, "param", line);
}

#[test]
fn lines_that_are_missing_or_there_twice_are_found() {
    let dir = folder(&[]);
    let whole = fs::read_to_string(season(dir.path(), "o.ndjson")).unwrap();
    let lines: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sequence = |line: &Value| line["limit_change"]["sequence"].as_str().map(|text| text.parse::<u64>().unwrap());
    let third = lines.iter().position(|line| sequence(line) == Some(3)).unwrap();
    let account = &lines[third]["limit_change"]["account_id"];
    let of = |wanted: u64| {
        let is = |line: &Value| line["limit_change"]["account_id"] == *account && sequence(line) == Some(wanted);
        lines.iter().position(is).unwrap()
    };
    let (first, second) = (of(1), of(2));
    let mut missing = lines.clone();
    missing.remove(second);
    found(dir.path(), &missing, "sequence", third);
    let mut twice = lines.clone();
    twice.insert(second + 1, lines[first].clone());
    found(dir.path(), &twice, "id", second + 2);
    found(dir.path(), &twice, "sequence", second + 2);
}
