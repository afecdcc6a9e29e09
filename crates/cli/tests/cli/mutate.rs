//! `rules mutate` and `rules coverage` from outside.

use crate::command::{checkout, folder, headroom};

/// Rules of the built-in fifty that a season may leave silent: a file made before any decision cannot name a review.
const SILENT_MAX: usize = 3;

const RULE: &str = "\
id: large_order
number: 7
title: {en: Large order, zh: 大单}
why: A large order deserves a look.
family: growth
class: review
on: [order_placed]
when: order.amount >= p.large
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
      2025-01-01T11:00 order_placed M1 seller 5_000.00
          => review M1 order
";

#[test]
fn survivors_are_listed_with_their_place_and_fail() {
    let dir = folder(&[("large_order.rule.yaml", RULE), ("large_order.test.yaml", TEST)]);
    let ran = headroom(["rules", "mutate", dir.path().to_str().unwrap(), "--format", "json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let found = ran.json();
    let survivors = found["survivors"].as_array().unwrap();
    assert_eq!(survivors[0]["at"], "large_order.rule.yaml:8");
    assert!(
        survivors.iter().any(|each| each["mutation"] == "when: order.amount >= p.large -> order.amount != p.large")
    );
    assert!(survivors.iter().any(|each| each["mutation"] == "params.large.CNY: 1_000.00 -> 999.99"));
    let wrong = headroom(["rules", "mutate", dir.path().to_str().unwrap(), "large_ordr"]);
    assert!(wrong.stderr.contains("did you mean `large_order`?"), "{}", wrong.stderr);
}

#[test]
fn the_tests_of_the_built_in_rules_notice_every_change() {
    let ran = headroom(["rules", "mutate", checkout("rules").to_str().unwrap(), "--format", "json"]);
    let found = ran.json();
    assert_eq!(found["survivors"], serde_json::json!([]));
    assert_eq!(found["stale_notes"], serde_json::json!([]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_generated_season_fires_nearly_every_built_in_rule() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("season.pb.zst");
    let events = events.to_str().unwrap();
    let made = headroom(["generate", "--accounts", "600", "--days", "460", "--seed", "11", "--output", events]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let rules = checkout("rules");
    let ran =
        headroom(["rules", "coverage", "--rules", rules.to_str().unwrap(), "--events", events, "--format", "json"]);
    let found = ran.json();
    let silent = found["rules_never_fired"].as_array().unwrap();
    let told: Vec<String> = silent.iter().map(|each| format!("{} by {}", each["rule"], each["stopped_by"])).collect();
    assert!(silent.len() <= SILENT_MAX, "{told:#?}");
    assert!(silent.iter().all(|each| each["stopped_by"].as_str().is_some_and(|text| !text.is_empty())), "{told:#?}");
}
