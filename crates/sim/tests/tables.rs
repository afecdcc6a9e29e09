//! Tables: rows in YAML and in CSV decide alike, unknowns stay open, and every number of the scorecard matters.

use std::sync::Arc;

use headroom_engine::Ruleset;
use headroom_policy::{Currency, Slots, Value};
use headroom_sim::{RowCoverage, cover_rule_tests};

const HEAD: &str = "\
id: step
number: 1200
title: {en: A step, zh: 调额}
why: To try tables.
family: growth
on: [statement_closed]
columns: {score: model.score, tier: account.tier}
reason: STEP
on_unknown: skip
owner: limits
since: 2026-11-22
";
const ROWS: &str = "\
rows:
  - {score: unknown, then: none}
  - {score: \">= 700\", tier: gold, then: {increase: {percent: 10}}}
  - {score: \">= 700\", tier: not gold, then: {increase: {percent: 5}}, reason: OTHER}
  - {score: 500..699, then: none}
  - {score: \"< 500\", then: {decrease: {percent: 5}}}
";
const SHEET: &str = "\
score,tier,increase.percent,decrease.percent,reason
unknown,-,,,
>= 700,gold,10,,
>= 700,not gold,5,,OTHER
500..699,,,,
< 500,,,5,
";

fn load(files: &[(&str, &str)]) -> Ruleset {
    let files: Vec<(String, String)> = files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
    Ruleset::load(&files).unwrap_or_else(|reports| panic!("{}", reports[0].render(false)))
}

/// What the only rule does, as written; nothing; or that it is open.
fn outcome(ruleset: &Ruleset, score: Option<i64>, tier: Option<i64>) -> String {
    let mut slots = Slots::new(ruleset.schema.len());
    for (name, value) in [("model.score", score), ("account.tier", tier)] {
        let slot = ruleset.schema.slot(name).expect("it exists");
        value.into_iter().for_each(|value| slots.set(slot, value));
    }
    let verdict = ruleset.rules[0].verdict(|program| program.evaluate(&slots, Currency(*b"CNY")));
    match (verdict.value, verdict.row) {
        (Value::Unknown(_), _) => "open".to_owned(),
        (_, Some(row)) => row.then_text.clone(),
        _ => "no row".to_owned(),
    }
}

#[test]
fn yaml_and_csv_decide_alike() {
    let inline = load(&[("step.table.yaml", &format!("{HEAD}{ROWS}"))]);
    let sheet = load(&[("step.table.yaml", HEAD), ("step.table.csv", SHEET)]);
    assert_ne!(inline.hash, sheet.hash);
    let cases = [
        (None, Some(2), "none"),
        (None, None, "none"),
        (Some(700), Some(2), "increase: {percent: 10}"),
        (Some(699), Some(2), "none"),
        (Some(700), Some(3), "increase: {percent: 5}"),
        (Some(700), None, "open"),
        (Some(500), None, "none"),
        (Some(499), None, "decrease: {percent: 5}"),
    ];
    for (score, tier, wanted) in cases {
        assert_eq!(outcome(&inline, score, tier), wanted, "{score:?} {tier:?}");
        assert_eq!(outcome(&sheet, score, tier), wanted, "{score:?} {tier:?} of the CSV");
    }
    assert_eq!(sheet.rules[0].ways()[1].2, "OTHER");
}

#[test]
fn of_first_the_upper_row_wins_and_an_open_one_leaves_all_open() {
    let rows = "hit: first\nrows:\n  - {score: \">= 700\", then: {increase: {percent: 10}}}\n  - {tier: gold, then: \
                {increase: {percent: 5}}}\notherwise: {then: none}\n";
    let ruleset = load(&[("step.table.yaml", &format!("{HEAD}{rows}"))]);
    assert_eq!(outcome(&ruleset, Some(700), Some(2)), "increase: {percent: 10}");
    assert_eq!(outcome(&ruleset, Some(699), Some(2)), "increase: {percent: 5}");
    assert_eq!(outcome(&ruleset, Some(699), Some(1)), "none");
    assert_eq!(outcome(&ruleset, None, Some(2)), "open");
    assert_eq!(outcome(&ruleset, Some(699), None), "open");
}

const SCORED: &str = "\
id: step
number: 1200
title: {en: A step, zh: 调额}
why: To try tables.
family: growth
on: [fact model.score]
when: limit.base > p.zero
columns: {score: step.score}
points:
  late:
    columns: {late: repay.late_12m}
    rows:
      - {late: \"0\", points: 40}
      - {late: \">= 1\", points: 0, reason: LATE}
  model:
    columns: {score: model.score, tier: account.tier}
    rows:
      - {score: \">= 700\", points: 30}
      - {score: \"< 700\", tier: gold, points: 10, reason: LOW}
    otherwise: {points: 0, reason: LOW}
reason: STEP
on_unknown: skip
owner: limits
since: 2026-11-22
";
const OF_SCORE: &str = "score,hold.for,hold.of\n>= 60,,\n< 60,30d,increase\n";
const TESTS: &str = "\
tests:
  - name: a low score is held
    steps: |
      account C1 segment=consumer base=1_000.00 opened=2025-01-01
      2025-11-10T09:00 signal C1 model.score=650
        => hold_changed C1 increase until 2025-12-10T09:00 because LOW
";

/// What the tests reached of the rows: place, cells, how often it was chosen, what its conditions never were.
fn reached() -> Vec<(String, String, u64, String)> {
    let files = [("step.table.yaml", SCORED), ("step.table.csv", OF_SCORE), ("step.test.yaml", TESTS)];
    let files: Vec<(String, String)> = files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
    let ruleset = Ruleset::load(&files[..2]).unwrap_or_else(|reports| panic!("{}", reports[0].render(false)));
    let report = cover_rule_tests(&Arc::new(ruleset), &files);
    assert!(report.is_fine(), "{:?}", report.failed);
    let never = |row: &RowCoverage| {
        let all = row.conditions.iter().map(|each| format!("{} {}", each.text, each.never().join(" ")));
        all.collect::<Vec<_>>().join(", ")
    };
    let rows = report.coverage[0].rows.iter();
    rows.map(|row| (row.place.clone(), row.cells.clone(), row.chosen, never(row))).collect()
}

#[test]
fn coverage_says_of_every_row_whether_it_was_chosen() {
    let row =
        |place: &str, cells: &str, chosen, never: &str| (place.to_owned(), cells.to_owned(), chosen, never.to_owned());
    assert_eq!(
        reached(),
        [
            row("points.late.rows[0]", "late 0", 1, "repay.late_12m == 0 false unknown"),
            row("points.late.rows[1]", "late >= 1", 0, "repay.late_12m >= 1 true unknown"),
            row("points.model.rows[0]", "score >= 700", 0, "model.score >= 700 true unknown"),
            row(
                "points.model.rows[1]",
                "score < 700, tier gold",
                0,
                "model.score < 700 false unknown, account.tier == \"gold\" true unknown"
            ),
            row("points.model.otherwise", "", 1, ""),
            row("rows[0]", "score >= 60", 0, "step.score >= 60 true unknown"),
            row("rows[1]", "score < 60", 1, "step.score < 60 false unknown"),
        ]
    );
}
