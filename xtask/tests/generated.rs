//! `docs/RULES.md` says what the engine does: `UPDATE_EXPECT=1` writes it anew.

use expect_test::expect_file;
use headroom_engine::{GUARD_NAMES, Ruleset, TriggerKind};
use xtask::{ACTIONS, arguments_of, example_findings, read, report, rules_page, texts};

/// Paths within the ruleset, and texts.
fn built_in() -> Vec<(String, String)> {
    let files = texts(|path| path.starts_with("rules/") && path.ends_with(".yaml") && !path.ends_with(".test.yaml"));
    files.into_iter().map(|(path, text)| (path.trim_start_matches("rules/").to_owned(), text)).collect()
}

/// The words of the triggers with the documentation of their variants.
fn triggers() -> Vec<(String, String)> {
    let source = read("crates/engine/src/trigger.rs");
    let mut says = String::new();
    let mut found = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            text.clone_into(&mut says);
        } else if let Some(word) = line.strip_suffix("\",").and_then(|rest| rest.split_once("= \"")) {
            found.push((word.1.to_owned(), says.clone()));
        }
    }
    found
}

/// The engine's list of actions.
fn action_words() -> Vec<String> {
    let source = read("crates/engine/src/ruleset/action.rs");
    let list = source.split("ACTION_WORDS").nth(1).and_then(|rest| rest.split("];").next()).unwrap_or_default();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The guards with the first line of their files; consent is asked where offers are made.
fn guards() -> Vec<(String, String)> {
    let folder = "crates/engine/src/decision/";
    let file = |name: &str| match name {
        "consent" => format!("{folder}offer.rs"),
        name => format!("{folder}guards/{name}.rs"),
    };
    GUARD_NAMES.iter().map(|name| ((*name).to_owned(), first_line(&read(&file(name))))).collect()
}

/// A file's first line of documentation; a word before a colon that only names the topic is left out.
fn first_line(source: &str) -> String {
    let line = source.lines().next().unwrap_or_default();
    let text = line.trim_start_matches("//! ");
    text.strip_prefix("Consent: where").map_or_else(|| text.to_owned(), |rest| format!("Where{rest}"))
}

#[test]
fn the_page_about_rules_is_up_to_date() {
    let ruleset = match Ruleset::load(&built_in()) {
        Ok(ruleset) => ruleset,
        Err(reports) => {
            panic!("the built-in rules load: {}", reports.iter().map(|each| each.render(false)).collect::<String>())
        }
    };
    let page = rules_page(&read("docs/rules-language.md"), &ruleset, &triggers(), &guards());
    expect_file!["../../docs/RULES.md"].assert_eq(&page);
}

#[test]
fn every_trigger_is_explained() {
    let words: Vec<String> = triggers().into_iter().map(|(word, _)| word).collect();
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
