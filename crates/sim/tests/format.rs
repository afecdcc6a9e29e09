//! The formatter on the built-in rules: it changes no meaning, and a second time it changes nothing.

mod common;

use std::sync::Arc;

use headroom_engine::{Rule, Ruleset};
use headroom_sim::{format_file, run_rule_tests};

fn formatted(files: &[(String, String)]) -> Vec<(String, String)> {
    let one = |(path, text): &(String, String)| {
        let text = match format_file(path, text) {
            Some(Ok(text)) => text,
            Some(Err(findings)) => panic!("{path}: {findings:?}"),
            None => text.clone(),
        };
        (path.clone(), text)
    };
    files.iter().map(one).collect()
}

fn load(files: &[(String, String)]) -> Arc<Ruleset> {
    let broken = |reports: Vec<headroom_engine::FileReport>| -> Ruleset {
        panic!("{}", reports.iter().map(|each| each.render(false)).collect::<String>())
    };
    Arc::new(Ruleset::load(files).unwrap_or_else(broken))
}

/// Everything that a rule does, without where it stands: blanks and places of expressions do not count.
fn meaning(rule: &Rule) -> Vec<String> {
    let bare = |text: &str| text.split_whitespace().collect::<String>();
    let amounts = rule.actions.iter().flat_map(|each| each.programs()).map(|each| bare(each.text()));
    let words = rule.actions.iter().map(|each| each.word().to_owned());
    let facts = [
        format!("{:?} {:?} {:?} {:?}", rule.id, rule.number, rule.class, rule.family),
        format!("{:?} {:?} {:?}", rule.causes, rule.cause_of_review, rule.on_words),
        format!("{:?} {:?} {:?} {:?}", rule.segments, rule.params, rule.once, rule.on_unknown),
        format!("{:?} {:?} {:?} {:?}", rule.title_en, rule.title_zh, rule.why, rule.reason),
        format!("{:?} {:?} {:?}", rule.notice, rule.owner, rule.reads),
        bare(rule.when.text()),
    ];
    facts.into_iter().chain(amounts).chain(words).collect()
}

#[test]
fn the_built_in_rules_mean_the_same_in_their_layout() {
    let files = common::files("rules");
    let tidy = formatted(&files);
    let (before, after) = (common::builtin(), load(&tidy));
    assert_eq!(before.rules.len(), after.rules.len());
    for (one, other) in before.rules.iter().zip(&after.rules) {
        assert_eq!(meaning(one), meaning(other), "{}", one.path);
    }
    assert_eq!(format!("{:?}", before.settings), format!("{:?}", after.settings));
    let report = run_rule_tests(&after, &tidy);
    assert!(report.is_fine(), "{:?}", report.failed.first());
    assert_eq!(report.passed, run_rule_tests(&before, &files).passed);
}

#[test]
fn a_second_time_nothing_changes() {
    let once = formatted(&common::files("rules"));
    for ((path, one), (_, two)) in once.iter().zip(&formatted(&once)) {
        assert_eq!(one, two, "{path}");
    }
}

#[test]
fn comments_and_words_of_the_built_in_files_are_all_there() {
    let files = common::files("rules");
    let words = |text: &str| {
        let mut words: Vec<String> = text
            .replace(['|', '{', '}', '>', '-', '"', ',', '[', ']', '\''], " ")
            .split(|letter: char| letter.is_whitespace() || letter == '(' || letter == ')')
            .map(str::to_owned)
            .collect();
        words.retain(|each| each.chars().any(char::is_alphanumeric));
        words.sort();
        words
    };
    for ((path, text), (_, tidy)) in files.iter().zip(&formatted(&files)) {
        assert_eq!(words(text), words(tidy), "{path}");
    }
}
