//! Words of rules whose consequences take more than one decision: `once`, `after`, `undo`, and what expectations may ask.

use std::fmt::Write;
use std::sync::Arc;

use headroom_engine::Ruleset;
use headroom_sim::{compare, parse_scenario, render_mismatches, run_bare};

/// A ruleset of one rule, given from `class` on.
fn rule(body: &str) -> Arc<Ruleset> {
    rules(&[body])
}

/// Rules `r1`, `r2`, … with reasons `R1`, `R2`, …
fn rules(bodies: &[&str]) -> Arc<Ruleset> {
    let settings = "guards: {cool_down_increase: 0d, customer_share_required: false}\n";
    let mut files = vec![("ruleset.yaml".to_owned(), settings.to_owned())];
    for (at, body) in bodies.iter().enumerate() {
        let mut text = String::new();
        let number = at + 1;
        write!(text, "id: r{number}\nnumber: {number}\ntitle: {{en: A test, zh: 测试}}\nwhy: A test.\nowner: tests\n")
            .expect("into a string");
        write!(text, "since: 2026-11-22\nfamily: growth\nreason: R{number}\n{body}").expect("into a string");
        files.push((format!("r{number}.rule.yaml"), text));
    }
    let loaded = Ruleset::load(&files);
    let shown = |reports: Vec<headroom_engine::FileReport>| -> String {
        reports.iter().map(|each| each.render(false)).collect()
    };
    Arc::new(loaded.unwrap_or_else(|reports| panic!("{}", shown(reports))))
}

fn holds(ruleset: &Arc<Ruleset>, text: &str) {
    let scenario = parse_scenario(text, &ruleset.settings.zone).expect("a scenario");
    let mismatches = compare(&scenario, &run_bare(&scenario, ruleset).transcript);
    assert!(mismatches.is_empty(), "\n{}", render_mismatches("x.scn", &mismatches));
}

const ONCE: &str =
    "class: increase\non: autopay_changed\nwhen: repay.autopay\nonce: account\nthen: {increase: {percent: 3}}\n";

#[test]
fn once_in_a_life_is_used_up_by_what_came_of_it() {
    let text = "account M1 segment=merchant_key base=1_000.00
2025-06-01T09:00 overdue M1 dpd=1
2025-06-01T10:00 autopay M1 true
2025-06-01T11:00 overdue M1 dpd=0
2025-06-01T12:00 autopay M1 true
    => increase M1 base 1_000.00 -> 1_030.00 because R1
2025-06-01T13:00 autopay M1 true
? fired r1 1
? beaten r1 1";
    holds(&rule(ONCE), text);
}

#[test]
fn an_offer_made_once_can_be_accepted() {
    let text = "account C1 segment=consumer base=1_000.00
2025-06-01T10:00 autopay C1 true
    => offer C1 increase 30.00 because R1
2025-06-01T11:00 autopay C1 true
2025-06-01T12:00 offer_answered C1 r1 accepted
    => increase C1 base 1_000.00 -> 1_030.00 because R1
2025-06-01T13:00 autopay C1 true";
    holds(&rule(ONCE), text);
}

#[test]
fn a_later_decrease_is_announced_by_notify_and_told_by_notice_when_it_comes() {
    let body = "class: decrease\non_unknown: skip\non: tier_changed\nwhen: account.tier == \"none\"\n\
        then:\n  decrease: {percent: 10, after: 2d}\n  notify: {template: limit_will_decrease, due: 1h}\n\
        notice: {template: limit_decreased, can_do: [appeal]}\n";
    let text = "account M1 segment=merchant_key base=1_000.00 tier=gold
account M2 segment=merchant_key base=1_000.00 tier=gold
2025-06-01T10:00 tier M1 none
    => notice M1 limit_will_decrease (due in 1h; says R1)
2025-06-01T10:00 tier M2 none
    => notice M2 limit_will_decrease
2025-06-02T10:00 tier M2 gold
2025-06-03T10:00 consent M1 true
    => decrease M1 base 1_000.00 -> 900.00 because R1
    => notice M1 limit_decreased (due in 1d; can appeal; says R1)
? base M2 1_000.00";
    holds(&rule(body), text);
}

#[test]
fn without_notify_the_notice_is_the_announcement() {
    let body = "class: decrease\non_unknown: skip\non: tier_changed\nwhen: account.tier == \"none\"\n\
        then: {decrease: {percent: 10, after: 2d}}\nnotice: {template: limit_will_decrease}\n";
    let text = "account M1 segment=merchant_key base=1_000.00 tier=gold
2025-06-01T10:00 tier M1 none
    => notice M1 limit_will_decrease
2025-06-03T10:00 consent M1 true
    => decrease M1 base 1_000.00 -> 900.00 because R1
    => notice M1 limit_will_decrease";
    holds(&rule(body), text);
}

const CUT: &str = "class: decrease\non_unknown: skip\ncause: delinquency\non: payment_returned\n\
    when: repay.returned_30d >= 1\nthen: {decrease: {percent: 20}}\n";
const BLOCK: &str = "class: freeze\non_unknown: skip\ncause: delinquency\non: promise_broken\n\
    when: repay.broken_90d >= 1\nthen: {freeze: {scope: spend}}\n";

fn undoing(field: &str) -> String {
    format!(
        "class: restore\ncause: delinquency\non: autopay_changed\nwhen: undo.active\nthen: {{undo: {{percent: 50{field}}}}}\n"
    )
}

#[test]
fn an_undo_of_one_field_leaves_the_others() {
    let before = "account M1 segment=merchant_key base=1_000.00
2025-06-01T08:00 payment M1 5.00
2025-06-01T09:00 returned M1 5.00
    => decrease M1 base 1_000.00 -> 800.00 because R1
2025-06-01T10:00 promise_broken M1
    => block_changed M1 delinquency spend ceiling 0 because R2
2025-06-01T11:00 autopay M1 true
";
    let of_base = format!("{before}    => undone M1 base 800.00 -> 900.00 because R3\n? spendable M1 0");
    holds(&rules(&[CUT, BLOCK, &undoing(", field: base")]), &of_base);
    let of_block = format!("{before}    => undone M1 block delinquency because R3\n? spendable M1 800.00");
    holds(&rules(&[CUT, BLOCK, &undoing(", field: block")]), &of_block);
    let of_all =
        format!("{before}    => undone M1 base 800.00 -> 900.00, block delinquency because R3\n? spendable M1 900.00");
    holds(&rules(&[CUT, BLOCK, &undoing("")]), &of_all);
}

#[test]
fn an_undo_of_a_fault_needs_a_fault() {
    let body = "class: restore\non: [fault_cleared, rollout_rolled_back, autopay_changed]\n\
        when: undo.active || repay.autopay\nthen: {undo: {of: fault, percent: 100}}\n";
    let without_cause = CUT.replace("cause: delinquency\n", "");
    let text = "account M1 segment=merchant_key base=1_000.00
2025-06-01T08:00 payment M1 5.00
2025-06-01T09:00 returned M1 5.00
    => decrease M1 base 1_000.00 -> 800.00 because R1
2025-06-01T10:00 autopay M1 true
2025-06-01T11:00 rollout_rolled_back R since=2025-06-01 until=2025-06-01T09:00
2025-06-01T11:01 rollout_rolled_back R since=2025-06-01 rule=2
2025-06-01T11:02 consent M1 true
2025-06-01T12:00 rollout_rolled_back R since=2025-06-01 rule=1
2025-06-01T13:00 consent M1 true
    => at 2025-06-01T12:00 undone M1 base 800.00 -> 1_000.00 because R2";
    holds(&rules(&[&without_cause, body]), text);
}

#[test]
fn money_that_clears_says_how_many_days_are_left() {
    let body =
        "class: hold\non: payment_cleared\nwhen: payment.days_before_due >= 3\nthen: {hold: {of: boost, for: 1d}}\n";
    let text = "account M1 segment=merchant_key base=1_000.00
2025-06-01T09:00 statement M1 balance=500.00 min_due=50.00 due=2025-06-20
2025-06-16T09:00 payment M1 20.00 id=a clears=+5d
2025-06-16T09:01 payment M1 20.00 id=b clears=+5d
2025-06-17T23:00 cleared M1 id=a
    => hold_changed M1 boost until 2025-06-18T23:00 because R1
2025-06-18T01:00 cleared M1 id=b";
    holds(&rule(body), text);
}

#[test]
fn a_cap_that_changes_nothing_is_not_told() {
    let body = "class: cap\non_unknown: skip\non: fact lending.other_lines\nwhen: has(lending.other_lines)\n\
        then: {cap: {name: other_lines, to: lending.other_lines}}\nnotice: {template: limit_capped}\n";
    let text = "account M1 segment=merchant_key base=1_000.00
2025-06-01T09:00 signal M1 lending.other_lines=1_000.00
    => cap_changed M1 other_lines 1_000.00 because R1
2025-06-02T09:00 signal M1 lending.other_lines=999.00
    => cap_changed M1 other_lines 999.00 because R1
    => notice M1 limit_capped";
    holds(&rule(body), text);
}

#[test]
fn expectations_may_ask_for_details() {
    let body = "class: review\ncause: fraud\non: tier_changed\nwhen: account.tier == \"none\"\n\
        then: {review: {kind: look, blocking: true, priority: low, proposal: limit.base}}\n";
    let text = "account M1 segment=merchant_key base=1_000.00 tier=gold
2025-06-01T10:00 tier M1 none
    => review M1 look (low, blocking, cause fraud, proposal 1_000.00)";
    let ruleset = rule(body);
    holds(&ruleset, text);
    let wrong = text.replace("low, blocking", "low");
    let scenario = parse_scenario(&wrong, &ruleset.settings.zone).expect("a scenario");
    let mismatches = compare(&scenario, &run_bare(&scenario, &ruleset).transcript);
    let shown = render_mismatches("x.scn", &mismatches);
    assert!(shown.contains("+ => review M1 look (low, blocking, cause fraud, proposal 1_000.00)"), "{shown}");
}
