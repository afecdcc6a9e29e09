//! The mutation check: a boundary that no test stands at survives, a rule with full tests leaves none.

use std::sync::Arc;

use headroom_engine::Ruleset;
use headroom_sim::{Fate, MutationCheck};

const RULE: &str = "\
id: late_watch
number: 7
title: {en: Late, zh: 逾期}
why: To have something to change.
family: delinquency
class: freeze
cause: delinquency
on: [dpd_changed]
when: delinquency.dpd >= 4 && account.tier == \"none\"
params: {part: {type: percent, default: 20}}
then:
  freeze: {scope: watch, ceiling: limit.base * p.part / 100}
reason: PAST_DUE
on_unknown: skip
owner: tests
since: 2026-11-22
";

/// A test in which the report of so many days past due leads to what is said.
fn test(name: &str, dpd: u32, tier: &str, comes: &str) -> String {
    let comes = if comes.is_empty() { String::new() } else { format!("        => {comes}\n") };
    format!(
        "  - name: {name}\n    steps: |\n      account C1 segment=consumer base=1_000.00 opened=2025-01-01 tier={tier}\n      \
         2025-11-10T09:00 overdue C1 dpd={dpd}\n{comes}"
    )
}

const WATCHED: &str = "block_changed C1 delinquency watch ceiling 200.00 because PAST_DUE";

fn check(tests: &str) -> (MutationCheck, Vec<Fate>) {
    let files =
        [("late_watch.rule.yaml".to_owned(), RULE.to_owned()), ("late_watch.test.yaml".to_owned(), tests.to_owned())];
    let ruleset = Arc::new(Ruleset::load(&files).expect("the rule is fine"));
    let check = MutationCheck::new(&ruleset, &ruleset.rules[0], &files).expect("the tests can be read");
    assert_eq!(check.failing, Vec::<String>::new());
    let fates = (0..check.mutants.len()).map(|at| check.try_mutant(at, 0)).collect();
    (check, fates)
}

fn survivors(check: &MutationCheck, fates: &[Fate]) -> Vec<String> {
    let open = check.mutants.iter().zip(fates).filter(|(_, fate)| **fate == Fate::Survived);
    open.map(|(mutant, _)| format!("{}:{} {}", mutant.path, mutant.line, mutant.text)).collect()
}

fn full() -> String {
    [
        "tests:\n".to_owned(),
        test("below", 3, "none", ""),
        test("at", 4, "none", WATCHED),
        test("above", 9, "none", WATCHED),
    ]
    .concat()
        + &test("another tier", 9, "silver", "")
}

#[test]
fn a_full_set_of_tests_leaves_no_survivor() {
    let (check, fates) = check(&full());
    assert_eq!(survivors(&check, &fates), Vec::<String>::new());
    assert!(fates.iter().filter(|fate| matches!(fate, Fate::Killed(_))).count() > 15, "{fates:?}");
}

#[test]
fn a_missing_boundary_test_lets_the_boundary_go() {
    let tests = full().replace(&test("at", 4, "none", WATCHED), "");
    let (check, fates) = check(&tests);
    assert_eq!(
        survivors(&check, &fates),
        [
            "late_watch.rule.yaml:9 when: delinquency.dpd >= 4 -> delinquency.dpd > 4",
            "late_watch.rule.yaml:9 when: delinquency.dpd >= 4 -> delinquency.dpd >= 5",
        ]
    );
}

#[test]
fn a_missing_negative_test_lets_the_condition_go() {
    let tests = full().replace(&test("another tier", 9, "silver", ""), "");
    let found = survivors(&check(&tests).0, &check(&tests).1);
    assert_eq!(found, ["late_watch.rule.yaml:9 when: account.tier == \"none\" -> true"]);
}

#[test]
fn a_note_accepts_one_mutant_and_goes_stale_with_it() {
    let missing = full().replace(&test("another tier", 9, "silver", ""), "");
    let note = "equivalent:\n  - mutation: 'when: account.tier == \"none\" -> true'\n    because: all have it\n";
    let (found, fates) = check(&format!("{missing}{note}"));
    let survivor = fates.iter().position(|fate| *fate == Fate::Survived).expect("one survives");
    assert_eq!(found.note(survivor).map(|note| note.because.as_str()), Some("all have it"));
    assert!(found.stale_notes(&fates).is_empty());
    let (found, fates) = check(&format!("{}{note}", full()));
    assert_eq!(found.stale_notes(&fates).len(), 1, "a test notices by now");
}

const TABLE: &str = "\
id: step
number: 7
title: {en: Step, zh: 调额}
why: To have cells to change.
family: growth
on: [fact model.score]
columns: {score: model.score}
reason: STEP
on_unknown: skip
owner: tests
since: 2026-11-22
";
const ROWS: &str = "\
rows:
  - {score: \">= 700\", then: {hold: {for: 30d, of: increase}}}
  - {score: \"< 700\", then: none}
";
const SHEET: &str = "score,hold.for,hold.of\n>= 700,30d,increase\n< 700,,\n";

fn table_check(files: &[(&str, &str)]) -> (MutationCheck, Vec<Fate>) {
    let files: Vec<(String, String)> = files.iter().map(|(path, text)| ((*path).into(), (*text).into())).collect();
    let ruleset = Arc::new(Ruleset::load(&files).unwrap_or_else(|reports| panic!("{}", reports[0].render(false))));
    let check = MutationCheck::new(&ruleset, &ruleset.rules[0], &files).expect("the tests can be read");
    assert_eq!(check.failing, Vec::<String>::new());
    let fates = (0..check.mutants.len()).map(|at| check.try_mutant(at, 0)).collect();
    (check, fates)
}

/// A test in which a score is reported.
fn scored(name: &str, score: u32, comes: &str) -> String {
    let comes = if comes.is_empty() { String::new() } else { format!("        => {comes}\n") };
    format!(
        "  - name: {name}\n    steps: |\n      account C1 segment=consumer base=1_000.00 opened=2025-01-01\n      \
         2025-11-10T09:00 signal C1 model.score={score}\n{comes}"
    )
}

const HELD: &str = "hold_changed C1 increase until 2025-12-10T09:00 because STEP";

#[test]
fn rows_of_a_csv_file_are_changed_as_those_in_the_table() {
    let tests = ["tests:\n".to_owned(), scored("at", 700, HELD), scored("below", 699, "")].concat();
    let whole = format!("{TABLE}{ROWS}");
    let (inline, of_inline) = table_check(&[("step.table.yaml", &whole), ("step.test.yaml", &tests)]);
    let (sheet, of_sheet) =
        table_check(&[("step.table.yaml", TABLE), ("step.table.csv", SHEET), ("step.test.yaml", &tests)]);
    let of_rows = |check: &MutationCheck, fates: Vec<Fate>| {
        let all = check.mutants.iter().map(|each| each.text.clone()).zip(fates);
        all.filter(|(text, _)| text.starts_with("rows")).collect::<Vec<_>>()
    };
    let unnoticed = survivors(&sheet, &of_sheet);
    assert!(!unnoticed.iter().any(|each| each.contains(" rows")), "{unnoticed:#?}");
    let of_sheet = of_rows(&sheet, of_sheet);
    assert_eq!(of_sheet, of_rows(&inline, of_inline));
    let texts: Vec<&str> = of_sheet.iter().map(|(text, _)| text.as_str()).collect();
    assert!(texts.contains(&"rows[0].then: hold -> none"), "{texts:#?}");
    let border = sheet.mutants.iter().find(|each| each.text.starts_with("rows.score: ")).expect("a border moves");
    assert_eq!((border.path.as_str(), border.line), ("step.table.csv", 2));
}

#[test]
fn a_row_of_a_csv_file_that_no_test_reaches_survives() {
    let tests = ["tests:\n".to_owned(), scored("far below", 300, "")].concat();
    let (check, fates) =
        table_check(&[("step.table.yaml", TABLE), ("step.table.csv", SHEET), ("step.test.yaml", &tests)]);
    let found = survivors(&check, &fates);
    for wanted in [
        "step.table.csv:2 rows.score: >= 700 -> >= 699, < 700 -> < 699",
        "step.table.csv:2 rows[0].then.hold.for: 30d -> 29d",
        "step.table.csv:2 rows[0].then.hold.of: increase -> boost",
    ] {
        assert!(found.iter().any(|each| each == wanted), "{wanted} is not among {found:#?}");
    }
}

#[test]
fn of_first_rows_each_border_moves_by_itself() {
    let rows = "hit: first\nrows:\n  - {score: \">= 700\", then: {hold: {for: 30d, of: increase}}}\n  - {score: \">= 500\", \
                then: none}\notherwise: {then: none}\n";
    let tests = ["tests:\n".to_owned(), scored("at", 700, HELD)].concat();
    let (check, _) = table_check(&[("step.table.yaml", &format!("{TABLE}{rows}")), ("step.test.yaml", &tests)]);
    let borders: Vec<&str> =
        check.mutants.iter().map(|each| each.text.as_str()).filter(|text| text.contains("].score")).collect();
    assert_eq!(
        borders,
        [
            "rows[0].score: >= 700 -> >= 699",
            "rows[0].score: >= 700 -> >= 701",
            "rows[1].score: >= 500 -> >= 499",
            "rows[1].score: >= 500 -> >= 501",
        ]
    );
}

/// A rule that `strategies.yaml` keeps from a segment is kept from it in every mutant: else a test of that segment would
/// notice each of them, and say nothing of the change.
#[test]
fn a_mutant_stays_within_the_strategies_of_its_rule() {
    let strategies =
        "groups:\n  arrears: {families: [delinquency]}\nsegments:\n  consumer: [arrears]\n  merchant_new: []\n";
    let other = test("another segment", 9, "none", "").replace("segment=consumer", "segment=merchant_new");
    let tests = format!("tests:\n{}{other}", test("at", 4, "none", WATCHED));
    let files = [
        ("late_watch.rule.yaml".to_owned(), RULE.to_owned()),
        ("late_watch.test.yaml".to_owned(), tests),
        ("strategies.yaml".to_owned(), strategies.to_owned()),
    ];
    let ruleset = Arc::new(Ruleset::load(&files).expect("the rule is fine"));
    let check = MutationCheck::new(&ruleset, &ruleset.rules[0], &files).expect("the tests can be read");
    assert_eq!(check.failing, Vec::<String>::new());
    let fates: Vec<Fate> = (0..check.mutants.len()).map(|at| check.try_mutant(at, 0)).collect();
    let found = survivors(&check, &fates);
    assert!(found.iter().any(|each| each.ends_with("delinquency.dpd >= 4 -> delinquency.dpd >= 3")), "{found:?}");
}

#[test]
fn the_head_of_a_rule_is_changed_too() {
    let (check, _) = check(&full());
    let texts: Vec<&str> = check.mutants.iter().map(|each| each.text.as_str()).collect();
    assert!(!texts.iter().any(|each| each.starts_with("on_unknown")), "what is always known decides: {texts:?}");
    assert!(texts.contains(&"cause: delinquency -> nothing"), "{texts:?}");
}
