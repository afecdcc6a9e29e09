//! `docs/RULES.md` says what the engine does: `UPDATE_EXPECT=1` writes it anew.

use expect_test::expect_file;
use headroom_conflicts::{Report, analyse, explain, notes};
use headroom_engine::{Ruleset, TriggerKind};
use xtask::{
    ACTIONS, Around, arguments_of, beside, example_findings, guard_words, read, reasons, report, rules_page, texts,
    trigger_words,
};

/// Paths within the ruleset, and texts.
fn built_in() -> Vec<(String, String)> {
    let files = texts(|path| path.starts_with("rules/") && path.ends_with(".yaml") && !path.ends_with(".test.yaml"));
    files.into_iter().map(|(path, text)| (path.trim_start_matches("rules/").to_owned(), text)).collect()
}

/// The engine's list of actions.
fn action_words() -> Vec<String> {
    let source = read("crates/engine/src/ruleset/action.rs");
    let list = source.split("ACTION_WORDS").nth(1).and_then(|rest| rest.split("];").next()).unwrap_or_default();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What the conflict check says about the built-in rules, explained by their notes.
fn checked(ruleset: &Ruleset) -> Report {
    let mut report = analyse(ruleset, &mut |_| ()).unwrap_or_else(|mismatch| panic!("{mismatch}"));
    let notes = notes(&read("rules/conflicts.yaml")).unwrap_or_else(|findings| panic!("{findings:?}"));
    explain(&mut report, &notes);
    report
}

#[test]
fn the_page_about_rules_is_up_to_date() {
    let ruleset = match Ruleset::load(&built_in()) {
        Ok(ruleset) => ruleset,
        Err(reports) => {
            panic!("the built-in rules load: {}", reports.iter().map(|each| each.render(false)).collect::<String>())
        }
    };
    let around = Around {
        language: read("docs/rules-language.md"),
        triggers: trigger_words(),
        guards: guard_words(),
        reasons: reasons(),
        beside: beside(&checked(&ruleset)),
    };
    let page = rules_page(&ruleset, &around);
    expect_file!["../../docs/RULES.md"].assert_eq(&page);
}

#[test]
fn every_trigger_is_explained() {
    let words: Vec<String> = trigger_words().into_iter().map(|(word, _)| word).collect();
    let known: Vec<&str> = TriggerKind::ALL.iter().map(|each| each.word()).collect();
    assert_eq!(words, known);
}

#[test]
fn every_action_is_explained_with_its_arguments() {
    let words: Vec<&str> = ACTIONS.iter().map(|each| each.word).collect();
    assert_eq!(words, action_words());
    let findings: Vec<String> = ACTIONS
        .iter()
        .filter(|each| {
            each.arguments.iter().map(|(name, _)| *name).ne(arguments_of(each.word).iter().map(String::as_str))
        })
        .map(|each| format!("`{}` takes {:?}", each.word, arguments_of(each.word)))
        .collect();
    report("arguments of actions", &findings);
}

#[test]
fn the_examples_of_actions_load() {
    report("examples of actions", &example_findings());
}
