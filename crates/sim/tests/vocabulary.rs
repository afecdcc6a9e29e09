//! What actions and `once` mean, shown by small rulesets of their own: each test is one rule or two and a scenario.

use std::sync::Arc;

use headroom_engine::Ruleset;
use headroom_sim::{compare, parse_scenario, render_mismatches, run_bare};

/// A rule file from the lines that differ between the tests.
fn rule(id: &str, number: u32, lines: &str) -> (String, String) {
    let head =
        format!("id: {id}\nnumber: {number}\ntitle: {{en: A, zh: A}}\nwhy: A test.\nowner: tests\nsince: 2026-11-22\n");
    (
        format!("tests/{id}.rule.yaml"),
        format!("{head}family: growth\non_unknown: skip\nreason: {}\n{lines}", id.to_uppercase()),
    )
}

/// Runs a scenario under rules; it must come as written.
#[track_caller]
fn shows(rules: &[(String, String)], text: &str) {
    let settings = "name: tests\nzone: UTC\nguards: {customer_share_required: false, maximum_step_pct: 50}\n";
    let mut files = vec![("ruleset.yaml".to_owned(), settings.to_owned())];
    files.extend_from_slice(rules);
    let loaded =
        Ruleset::load(&files).map_err(|reports| reports.iter().map(|each| each.render(false)).collect::<String>());
    let ruleset = Arc::new(loaded.unwrap_or_else(|reports| panic!("{reports}")));
    let scenario = parse_scenario(text, &ruleset.settings.zone).expect("a scenario");
    let run = run_bare(&scenario, &ruleset);
    let found = compare(&scenario, &run.transcript);
    assert!(found.is_empty(), "{}", render_mismatches("scenario", &found));
}

const ORDER_BOOST: &str =
    "class: boost\non: [order_placed]\nwhen: limit.base > p.zero\nthen: {boost: {percent: 10, until: now + 5d}}\n";
const START_BOOST: &str = "class: boost\non: [promotion_enrolled]\nwhen: promotion.enrolled\n\
                           then: {boost: {percent: 20, from: promotion.start, until: promotion.end + 3d}}\n";
const WITHDRAW: &str = "class: decrease\non: [order_cancelled]\nwhen: boost.active\nthen: {end_boost: {}}\n";

#[test]
fn a_boost_that_does_not_end_with_a_promotion_belongs_to_none() {
    // Announced is a promotion; were the boost bound to it, its extension would prolong the boost.
    let extend = "class: boost\non: [promotion_extended]\nwhen: boost.active\nthen: {extend_boost: {until: promotion.end + 3d}}\n";
    shows(
        &[rule("lend", 1, ORDER_BOOST), rule("prolong", 2, extend)],
        "account M1 segment=merchant_key base=1_000.00 opened=2024-03-01
         promotion fair 2025-06-03 .. 2025-06-04 announced 2025-06-01
         2025-06-02T09:00 order_placed M1 buyer 1.00
             => boost M1 100.00 until 2025-06-07T09:00 because LEND
         2025-06-03T10:00 promotion_extended fair end=2025-06-20
         2025-06-03T11:00 order_paid M1 buyer 1.00",
    );
}

#[test]
fn only_what_ran_out_or_was_never_used_while_its_promotion_lasted_is_ended() {
    shows(
        &[rule("lend", 1, ORDER_BOOST), rule("start", 2, START_BOOST), rule("withdraw", 3, WITHDRAW)],
        "account M1 segment=merchant_key base=1_000.00 opened=2025-05-01
         promotion fair 2025-06-03 .. 2025-06-05 announced 2025-06-01
         2025-06-02T09:00 enrolled M1 fair forecast_daily=10.00
             => boost M1 200.00 from 2025-06-03T00:00 until 2025-06-08T00:00 because START
         2025-06-03T10:00 order_placed M1 buyer 1.00
             => boost M1 100.00 until 2025-06-08T10:00 because LEND
         # The promotion runs, the other boost has none: both may still be drawn upon.
         2025-06-04T10:00 order_cancelled M1 buyer 1.00
             ? granted M1 1_200.00
         2025-06-05T10:00 order_cancelled M1 buyer 1.00
             => boost_ended M1 200.00 because WITHDRAW
             ? granted M1 1_100.00",
    );
}

#[test]
fn hours_since_the_end_are_those_of_the_promotion_that_the_boost_was_for() {
    let late = "class: review\non: [order_cancelled]\nwhen: boost.hours_since_promotion_end >= 24\nthen: {review: {kind: late}}\n";
    shows(
        &[rule("start", 2, START_BOOST), rule("late", 3, late)],
        "account M1 segment=merchant_key base=1_000.00 opened=2024-03-01
         promotion early 2025-05-01 .. 2025-05-02 announced 2025-04-30
         promotion fair 2025-06-03 .. 2025-06-05 announced 2025-06-01
         2025-06-02T08:00 order_placed M1 buyer 1.00
         2025-06-02T09:00 enrolled M1 fair forecast_daily=10.00
             => boost M1 200.00 from 2025-06-03T00:00 until 2025-06-08T00:00 because START
         2025-06-04T10:00 order_cancelled M1 buyer 1.00
         2025-06-05T23:59 order_cancelled M1 buyer 1.00
         2025-06-06T00:00 order_cancelled M1 buyer 1.00
             => review M1 late",
    );
}

#[test]
fn once_in_a_life_counts_what_came_out_and_an_answered_offer_is_granted() {
    let once = "class: increase\non: [order_placed]\nwhen: limit.base > p.zero\nthen: {increase: {percent: 10}}\nonce: account\n";
    shows(
        &[rule("grow", 1, once)],
        "account C1 segment=consumer base=1_000.00 opened=2024-03-01
         2025-06-01T09:00 overdue C1 dpd=1
         2025-06-01T10:00 order_placed C1 buyer 1.00
         2025-06-02T09:00 overdue C1 dpd=0
         2025-06-02T10:00 order_placed C1 buyer 1.00
             => offer C1 increase 100.00 because GROW
         2025-06-03T10:00 offer_answered C1 grow accepted
             => increase C1 base 1_000.00 -> 1_100.00 because GROW
         2025-08-03T10:00 order_placed C1 buyer 1.00",
    );
}

#[test]
fn a_decrease_that_comes_once_is_announced_and_carried_out_once() {
    let idle = "class: decrease\non: [order_cancelled]\nwhen: balance.used == p.zero\n\
                then: {decrease: {percent: 50, after: 10d}, notify: {template: limit_will_decrease}}\nonce: entry\nnotice: {template: limit_decreased, can_do: [appeal]}\n";
    shows(
        &[rule("idle", 1, idle)],
        "account M1 segment=merchant_key base=1_000.00 opened=2024-03-01
         2025-06-01T09:00 order_cancelled M1 buyer 1.00
             => notice M1 limit_will_decrease
         2025-06-12T09:00 order_cancelled M1 buyer 1.00
             => at 2025-06-11T09:00 decrease M1 base 1_000.00 -> 500.00 because IDLE
             => at 2025-06-11T09:00 notice M1 limit_decreased
         2025-07-12T09:00 order_cancelled M1 buyer 1.00",
    );
}

#[test]
fn money_that_becomes_final_knows_the_days_before_the_due_date() {
    let early =
        "class: review\non: [payment_cleared]\nwhen: payment.days_before_due >= 3\nthen: {review: {kind: early}}\n";
    shows(
        &[rule("early", 1, early)],
        "account M1 segment=merchant_key base=1_000.00 opened=2024-03-01
         2025-06-01T09:00 statement M1 balance=10.00 min_due=1.00 due=2025-06-10
         2025-06-02T09:00 payment M1 1.00 clears=2025-06-20
         2025-06-07T09:00 cleared M1
             => review M1 early
         2025-06-08T09:00 payment M1 1.00 clears=2025-06-20
         2025-06-08T10:00 cleared M1",
    );
}
