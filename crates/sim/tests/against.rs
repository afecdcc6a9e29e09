//! Rules held against facts.

mod common;

use expect_test::expect;
use headroom_engine::Ruleset;
use headroom_policy::{Verdict, render};
use headroom_sim::{AccountFacts, Asking, hold_against, read_account_facts};

fn facts(ruleset: &Ruleset, text: &str) -> AccountFacts {
    read_account_facts(ruleset, text).unwrap_or_else(|found| panic!("{}", render("facts.yaml", text, &found, false)))
}

fn asked(rule: &str, text: &str) -> Vec<Asking> {
    let ruleset = common::builtin();
    let rule = ruleset.rules.iter().find(|each| *each.id == *rule).unwrap();
    hold_against(rule, &ruleset, &facts(&ruleset, text)).asked
}

const SURGE: &str = "
currency: CNY
promotion: {active: true, enrolled: true, forecast_daily: 3_000_000.00}
blocks:
  volatility: {active: true, other: false}
delinquency.dpd: 0
fraud.signals_7d: 0
orders.amount_24h: 280000000
";

#[test]
fn a_condition_that_holds_is_true_part_by_part() {
    let asked = asked("promo_compensation", SURGE);
    assert_eq!(asked[0].verdict(), Verdict::True);
    assert!(asked[0].in_the_way().is_empty());
    let not: Vec<&str> =
        asked[0].condition.conditions().filter(|each| each.verdict != Verdict::True).map(|each| each.text).collect();
    assert_eq!(not, ["block.other"], "which stands behind a `!`");
}

#[test]
fn what_is_missing_is_named() {
    let ruleset = common::builtin();
    let asked = asked("promo_compensation", &SURGE.replace("3_000_000.00", "null"));
    assert_eq!(asked[0].missing(&ruleset), ["promotion.forecast_daily"]);
    let ways: Vec<&str> = asked[0].in_the_way().iter().map(|each| each.text.as_str()).collect();
    assert_eq!(ways, ["pct(orders.amount_24h, promotion.forecast_daily) <= p.surge_max"]);
}

#[test]
fn a_rule_is_asked_for_each_of_its_causes() {
    let asked =
        asked("unfreeze_after_quiet", "blocks: {volatility: {active: true, quiet_days: 9}, fraud: {active: true}}");
    let causes: Vec<&str> = asked.iter().filter_map(|each| each.cause).map(|each| each.word()).collect();
    assert_eq!(causes.len(), 3);
    assert!(causes.contains(&"volatility") && !causes.contains(&"fraud"));
}

#[test]
fn a_file_in_json_is_one_in_yaml() {
    let ruleset = common::builtin();
    let json = r#"{"features":{"delinquency.dpd":5,"block.any":null},"features_by_block":{"fraud":{"block.active":true}},"currency":"GBP","id":"M1"}"#;
    let yaml = "currency: GBP\ndelinquency: {dpd: 5}\nblock.any: ~\nblocks: {fraud: {active: true}}\n";
    assert_eq!(facts(&ruleset, json), facts(&ruleset, yaml));
}

#[test]
fn a_fact_of_the_command_line_wins() {
    let ruleset = common::builtin();
    let mut one = facts(&ruleset, "delinquency.dpd: 5");
    one.set(&ruleset, "delinquency.dpd=6").unwrap();
    assert_eq!(one, facts(&ruleset, "delinquency.dpd: 6"));
    assert_eq!(one.set(&ruleset, "delinquency.dpd").unwrap_err()[0].message, "a fact is written `name=value`");
}

#[test]
fn mistakes_are_found_all_at_once() {
    let ruleset = common::builtin();
    let text = "currency: yuan\naccount.tier: golden\ndelinquency.ddp: 1\nlimit.base: 5.5\nblock: [1]\nblocks: {fruad: {active: true}}\n";
    let found = read_account_facts(&ruleset, text).unwrap_err();
    expect![[r#"
        error[HR0209]: `yuan` is no currency
         --> facts.yaml:1:11
          |
        1 | currency: yuan
          |           ^^^^

        error[HR0121]: `golden` is no value of this feature
         --> facts.yaml:2:15
          |
        2 | account.tier: golden
          |               ^^^^^^
          |
          = help: did you mean `gold`?

        error[HR0110]: unknown name `delinquency.ddp`
         --> facts.yaml:3:1
          |
        3 | delinquency.ddp: 1
          | ^^^^^^^^^^^^^^^
          |
          = help: did you mean `delinquency.dpd`?

        error[HR0120]: `5.5` is no value of `limit.base`
         --> facts.yaml:4:13
          |
        4 | limit.base: 5.5
          |             ^^^
          |
          = help: an amount, like `1_200.50` is needed

        error[HR0110]: unknown name `block`
         --> facts.yaml:5:1
          |
        5 | block: [1]
          | ^^^^^
          |
          = help: did you mean `block.any`?

        error[HR0121]: `fruad` is no cause
         --> facts.yaml:6:10
          |
        6 | blocks: {fruad: {active: true}}
          |          ^^^^^
          |
          = help: did you mean `fraud`?
    "#]]
    .assert_eq(&render("facts.yaml", text, &found, false));
}
