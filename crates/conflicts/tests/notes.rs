//! Findings that a person accepted: bound to the rules as they were.

mod common;

use common::ruleset;
use headroom_conflicts::{Report, analyse, explain, notes};

const RULES: &str = "up | growth | increase | statement_closed | repay.on_time_streak >= 3 | increase: {percent: 10}
    down | growth | decrease | statement_closed | util.avg_3m >= 80 | decrease: {percent: 10}";

fn note(report: &Report) -> String {
    let rules = &report.findings[0].rules;
    let hashes: Vec<&str> = rules.iter().map(|each| &each.hash[..12]).collect();
    format!(
        "- kind: contradictory\n  rules: [up, down]\n  hashes: [{}]\n  note: the decrease counts\n  by: someone\n  since: 2026-11-22\n",
        hashes.join(", ")
    )
}

#[test]
fn a_note_explains_its_finding_until_a_rule_is_edited() {
    let mut before = report(RULES);
    let notes = notes(&note(&before)).expect("it can be read");
    assert_eq!(before.unexplained().count(), 1);
    explain(&mut before, &notes);
    assert_eq!(before.unexplained().count(), 0);
    assert_eq!(before.findings[0].note.as_ref().map(|each| each.by.as_str()), Some("someone"));
    let mut after = report(&RULES.replace("percent: 10}\n", "percent: 11}\n"));
    explain(&mut after, &notes);
    assert_eq!(after.unexplained().count(), 1);
    assert!(after.findings[0].voided && after.idle_notes.is_empty());
}

/// A deployment's settings change what a rule means without touching its file.
#[test]
fn another_value_of_a_parameter_voids_a_note() {
    let rules = RULES.replace(
        ">= 80 | decrease: {percent: 10}",
        ">= p.much | decrease: {percent: 10} | params: {much: {type: int, default: 80}}",
    );
    let before = report(&rules);
    let notes = notes(&note(&before)).expect("it can be read");
    let mut files = common::files(&rules);
    files.push(("ruleset.yaml".to_owned(), "params: {down: {much: 70}}\n".to_owned()));
    let mut after = analyse(&common::loaded(&files), &mut |_| {}).expect("the evaluator agrees with the solver");
    explain(&mut after, &notes);
    assert!(after.findings[0].voided);
}

#[test]
fn a_note_about_nothing_is_named() {
    let report = &mut analyse(
        &ruleset("up | growth | increase | monthly | util.avg_3m >= 20 | increase: {percent: 5}"),
        &mut |_| {},
    )
    .expect("the evaluator agrees with the solver");
    let text = "- {kind: gap, rules: [a, b], hashes: [0123456789ab, 0123456789ab], note: n, by: b, since: s}";
    explain(report, &notes(text).expect("it can be read"));
    assert_eq!(report.idle_notes, ["gap of a, b"]);
}

#[test]
fn what_is_wrong_with_notes_is_said_with_its_place() {
    let wrong = |text: &str| notes(text).expect_err("it is wrong").remove(0);
    let cases = [
        ("kind: gap", "the notes are a list"),
        ("- gap", "a note has keys, not a value"),
        ("- {kind: gapp, rules: [a], hashes: [b], note: n, by: b, since: s}", "`gapp` is no kind of finding"),
        ("- {kid: gap}", "a note has no `kid`"),
        ("- {kind: gap, rules: [a], hashes: [0123456789ab], note: n, since: s}", "a note needs `by`"),
        (
            "- {kind: gap, rules: [a, b], hashes: [0123456789ab], note: n, by: b, since: s}",
            "a note has one hash for each of its rules",
        ),
        ("- {kind: gap, rules: [a], hashes: [0123], note: n, by: b, since: s}", "`0123` is too short for a hash"),
        ("- {kind: gap, rules: a, hashes: [0123456789ab], note: n, by: b, since: s}", "`rules` is a list"),
        ("- {kind: gap, rules: [a], hashes: [0123456789ab], note: '', by: b, since: s}", "`note` is a text"),
    ];
    for (text, message) in cases {
        let finding = wrong(text);
        assert_eq!((finding.code, finding.message.as_str()), ("HR0801", message), "{text}");
    }
    assert_eq!(notes("").expect("an empty file has no notes"), []);
}

/// What an analysis says of rules.
fn report(rules: &str) -> Report {
    analyse(&ruleset(rules), &mut |_| {}).expect("the evaluator agrees with the solver")
}
