//! A decision table of a customer, its rows in a CSV file: checked, tested and explained like any rule.

use crate::command::{Ran, folder, headroom};

const TABLE: &str = "\
id: order_step
number: 1200
title: {en: A look at orders, zh: 订单查看}
why: What is looked at depends on amount and tier.
family: fraud
on: [order_placed]
params: {large: {type: money, CNY: 1_000.00}}
columns: {amount: order.amount, tier: account.tier}
reason: LARGE_ORDER
on_unknown: skip
owner: risk
since: 2026-11-22
";
const ROWS: &str = "\
amount,tier,review.kind,review.priority,reason
>= p.large,\"none, silver\",order,high,
>= p.large,\"gold, platinum\",order,,LARGE_ORDER_OF_THE_KNOWN
< p.large,-,,,
";
const TESTS: &str = "\
tests:
  - name: a large order is looked at
    steps: |
      account M1 segment=merchant_key base=1_000_000.00 opened=2024-03-01
      2025-01-01T11:00 order_placed M1 seller 1_000.00
          => review M1 order
  - name: a small one is not
    steps: |
      account M1 segment=merchant_key base=1_000_000.00 opened=2024-03-01
      2025-01-01T11:00 order_placed M1 seller 999.99
";

fn ruleset(rows: &str) -> tempfile::TempDir {
    folder(&[
        ("fraud/order_step.table.yaml", TABLE),
        ("fraud/order_step.table.csv", rows),
        ("fraud/order_step.test.yaml", TESTS),
    ])
}

fn rules(words: &[&str]) -> Ran {
    headroom(["rules"].iter().chain(words))
}

#[test]
fn a_table_with_its_rows_in_csv_is_checked_tested_and_explained() {
    let dir = ruleset(ROWS);
    let path = dir.path().to_str().unwrap();
    let checked = rules(&["check", path, "--format", "json"]);
    assert_eq!((checked.code, checked.stderr.as_str()), (0, ""));
    assert_eq!((&checked.json()["rules"], &checked.json()["tables"]), (&0.into(), &1.into()));
    let tested = rules(&["test", path, "--format", "json"]);
    assert_eq!((tested.code, &tested.json()["passed"]), (0, &2.into()), "{}", tested.stderr);
    let explained = rules(&["explain", "order_step", "--rules", path, "--format", "json"]).json();
    assert_eq!(explained["class"], "review");
    assert_eq!(explained["rows"][1]["account.tier"], "gold, platinum");
    assert_eq!(explained["rows"][1]["reason"], "LARGE_ORDER_OF_THE_KNOWN");
    assert_eq!(explained["rows"][2]["then"], "none");
}

#[test]
fn coverage_and_mutation_reach_the_rows_of_a_csv_file() {
    let dir = ruleset(ROWS);
    let path = dir.path().to_str().unwrap();
    let json = rules(&["test", path, "--coverage", "--format", "json"]).json();
    assert_eq!((&json["rows"], &json["rows_chosen"]), (&3.into(), &2.into()));
    let row = &json["row_coverage"][1];
    assert_eq!((&row["row"], &row["chosen"]), (&"rows[1]".into(), &0.into()));
    assert_eq!(row["cells"], "amount >= p.large, tier gold, platinum");
    assert_eq!(row["conditions"][0]["condition"], "order.amount >= p.large");
    assert_eq!(row["conditions"][0]["never"].to_string(), r#"["unknown"]"#);
    let table = rules(&["test", path, "--coverage"]).stdout;
    assert!(table.contains("rows_never_chosen:\n"), "{table}");
    let mutated = rules(&["mutate", path, "--format", "json"]);
    assert_eq!(mutated.code, 1, "the second row has no test");
    let survivors = mutated.json()["survivors"].to_string();
    let wanted = r#"{"at":"fraud/order_step.table.csv:3","mutation":"rows[1].then: review -> none"}"#;
    assert!(survivors.contains(wanted), "{survivors}");
}

#[test]
fn a_table_held_against_an_account_says_which_rows_count() {
    let facts = [
        "limit.base=50_000.00",
        "account.history_days=400",
        "repay.statement_balance=15_000.00",
        "repay.late_12m=1",
        "repay.on_time_streak=3",
        "repay.min_only_streak=0",
        "util.avg_3m=40",
        "orders.months_active_12m=10",
        "delinquency.max_12m=0",
    ];
    let words = ["explain", "scorecard_step"].into_iter().chain(facts.iter().flat_map(|fact| ["--fact", fact]));
    let words: Vec<&str> = words.collect();
    let shown = rules(&words).stdout;
    for line in [
        "scorecard_step does not fire\n",
        "  points.payment.rows[3] where late 1: 12 points (SCORE_PAID_LATE)\n",
        "  rows[3] where score 45..74: none\n",
    ] {
        assert!(shown.contains(line), "{line} is not in:\n{shown}");
    }
    let json = rules(&[&words[..], &["--format", "json"]].concat()).json();
    let last = json["asked"][0]["rows"].as_array().unwrap().last().unwrap();
    assert_eq!(*last, serde_json::json!({"row": "rows[3]", "cells": "score 45..74", "gives": "none"}));
}

#[test]
fn events_that_reach_no_row_are_told_of() {
    let dir = ruleset(ROWS);
    let events = dir.path().join("events.ndjson");
    std::fs::write(&events, "{\"no\":\"event\"}\n").unwrap();
    let (path, events) = (dir.path().to_str().unwrap(), events.to_str().unwrap());
    let ran = rules(&["coverage", "--rules", path, "--events", events, "--format", "json"]);
    assert!(ran.stderr.contains("1 of 1 events were refused"), "{}", ran.stderr);
    let json = ran.json();
    assert_eq!((&json["table_rows"], &json["table_rows_chosen"]), (&3.into(), &0.into()));
    assert_eq!(json["rows_never_chosen"].as_array().unwrap().len(), 3);
    assert_eq!(json["dead_letters"].as_object().unwrap().len(), 1, "{json}");
}

#[test]
fn a_gap_names_the_row_and_an_input() {
    let dir = ruleset(&ROWS.replace(">= p.large,\"none, silver\"", "> p.large,\"none, silver\""));
    let checked = rules(&["check", dir.path().to_str().unwrap()]);
    let input = "no row matches `order.amount = 1000.00, account.tier = none` (CNY)";
    checked.refused(1, &["HR0241", input, "fraud/order_step.table.csv:4"]);
}

#[test]
fn the_built_in_scorecard_shows_its_rows_and_what_its_score_is() {
    let json = rules(&["explain", "scorecard_step", "--format", "json"]).json();
    assert_eq!(json["class"], "increase or decrease");
    assert_eq!(json["rows"][0]["scorecard_step.score"], ">= 95");
    let score = json["reads"].as_array().unwrap().iter().find(|each| each["name"] == "scorecard_step.score").unwrap();
    assert_eq!((&score["range"], &score["unit"]), (&"0 to 100".into(), &"points".into()));
}
