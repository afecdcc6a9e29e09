//! The tests beside the built-in rules.

mod blessing;
mod common;

use expect_test::expect;
use headroom_sim::{Report, bless_rule_tests, cover_rule_tests, render_mismatches, run_rule_tests};

#[test]
fn the_tests_of_the_built_in_rules_pass() {
    let (ruleset, files) = (common::builtin(), common::files("rules"));
    if blessing::is_wanted() {
        for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".test.yaml")) {
            if let Ok(blessed) = bless_rule_tests(&ruleset, path, text) {
                blessing::write("rules", path, &blessed);
            }
        }
    }
    let report = run_rule_tests(&ruleset, &files);
    let broken: String = report.broken.iter().map(|each| each.render(false)).collect();
    let failed: String = report
        .failed
        .iter()
        .map(|each| format!("{}\n{}", each.test, render_mismatches(&format!("rules/{}", each.path), &each.mismatches)))
        .collect();
    assert!(report.is_fine(), "\n{broken}{failed}");
    assert!(report.passed > 0);
}

/// Every built-in rule has cases in which it fires, in which each feature that may be missing is, in which an account of
/// another segment comes, and in which something stronger wins; thresholds are in `rules mutate`.
#[test]
fn the_tests_of_the_built_in_rules_leave_nothing_out() {
    let report = cover_rule_tests(&common::builtin(), &common::files("rules"));
    let holes: Vec<String> =
        report.holes.iter().map(|each| format!("{}: no test in which {}", each.rule, each.text)).collect();
    assert!(holes.is_empty(), "\n{}", holes.join("\n"));
}

fn own(test: &str) -> Report {
    let mut files = common::files("rules");
    files.retain(|(path, _)| !path.ends_with(".test.yaml"));
    files.push(("delinquency/dpd_4_30.test.yaml".to_owned(), test.to_owned()));
    cover_rule_tests(&common::builtin(), &files)
}

const SILENT: &str = "\
tests:
  - name: three days are none of it
    silent: [dpd_4_30, dpd_61_90]
    steps: |
      account M1 segment=merchant_standard base=1_000_000.00 opened=2024-03-01
      2025-06-05T09:00 overdue M1 dpd=3
          => hold_changed M1 increase until cured because PAYMENT_DUE
          => hold_changed M1 boost until cured because PAYMENT_DUE
          => notice M1 payment_due
      2025-06-05T10:00 signal M1 merchant.rating=90
          => nothing
";

#[test]
fn coverage_says_what_a_condition_never_was() {
    let report = own(SILENT);
    assert!(report.is_fine(), "{report:?}");
    let coverage = &report.coverage[0];
    assert_eq!((coverage.fired, coverage.silent), (0, 1));
    let never: Vec<_> = coverage.conditions.iter().map(|each| (each.text.as_str(), each.never())).collect();
    expect![[r#"
        [
            (
                "delinquency.dpd >= 4",
                [
                    "true",
                    "unknown",
                ],
            ),
            (
                "delinquency.dpd <= 30",
                [
                    "false",
                    "unknown",
                ],
            ),
        ]
    "#]]
    .assert_debug_eq(&never);
}

#[test]
fn coverage_names_the_cases_that_no_test_has() {
    let holes = |report: &Report, rule: &str| -> Vec<String> {
        report.holes.iter().filter(|each| *each.rule == *rule).map(|each| each.text.clone()).collect()
    };
    let report = own(SILENT);
    assert_eq!(holes(&report, "dpd_4_30"), ["it fires", "something stronger wins, or stands beside it"]);
    let all = [
        "it fires",
        "it stays silent",
        "its segments keep it from an account",
        "something stronger wins, or stands beside it",
        "`market.regime` is unknown",
    ];
    assert_eq!(holes(&report, "holiday_preboost"), all);
    let fires = own(&SILENT.replace("dpd=3", "dpd=4"));
    assert_eq!(holes(&fires, "dpd_4_30"), ["it stays silent", "something stronger wins, or stands beside it"]);
}

#[test]
fn a_test_may_give_feeds_a_heartbeat() {
    let silent = |feeds: &str| {
        let told = "          ? fraud.signals_7d M1 unknown\n";
        let text = SILENT.replace("    steps:", &format!("    feeds: {feeds}\n    steps:"));
        own(&text.replace("          => nothing\n", &format!("          => nothing\n{told}")))
    };
    assert!(silent("{bureau: 6h}").is_fine());
    assert_eq!(silent("{}").failed.len(), 1);
    assert_eq!(silent("{bureau: soon}").broken.len(), 1);
}

#[test]
fn silence_that_was_broken_is_told() {
    let report = own(&SILENT.replace("dpd=3", "dpd=4"));
    let failed = &report.failed[0];
    expect![[r#"
        x.test.yaml:6: 2025-06-05T09:00 overdue M1 dpd=4
          - => hold_changed M1 increase until cured because PAYMENT_DUE
          - => hold_changed M1 boost until cured because PAYMENT_DUE
          - => notice M1 payment_due
          + => block_changed M1 delinquency watch ceiling 200_000.00 because PAST_DUE_4_30
          + => hold_changed M1 increase until cured + 30d because PAST_DUE_4_30
          + => hold_changed M1 boost until cured + 30d because PAST_DUE_4_30
          + => notice M1 account_restricted
        x.test.yaml:3: silent: dpd_4_30
          - `dpd_4_30` is silent
          + `dpd_4_30` fired 3 times because PAST_DUE_4_30
    "#]]
    .assert_eq(&render_mismatches("x.test.yaml", &failed.mismatches));
}

#[test]
fn mistakes_in_tests_have_advice() {
    let help = |text: &str| {
        let broken = own(text).broken;
        broken[0].diagnostics[0].help.clone().unwrap_or_default()
    };
    assert_eq!(help(&SILENT.replace("silent:", "silnt:")), "did you mean `silent`?");
    assert_eq!(help(&SILENT.replace("dpd_4_30,", "dpd_4_300,")), "did you mean `dpd_4_30`?");
    let word = help(&SILENT.replace("merchant_standard", "merchant_standart"));
    assert!(word.starts_with("did you mean `merchant_standard`? one of consumer_new, "), "{word}");
}
