//! The built-in rules load without a word of complaint.
#![expect(clippy::disallowed_methods, reason = "a test reads its data from disk; the crate itself never does")]

use std::path::{Path, PathBuf};

use headroom_engine::{Action, FileReport, NOTICE_TEXTS, Ruleset};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules")
}

fn collect(folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
            files.push((name, std::fs::read_to_string(&path).expect("a text")));
        }
    }
}

fn files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    files
}

fn rendered(reports: &[FileReport]) -> String {
    reports.iter().map(|report| report.render(false)).collect()
}

fn builtin() -> Ruleset {
    Ruleset::load(&files()).unwrap_or_else(|reports| panic!("{}", rendered(&reports)))
}

#[test]
fn the_built_in_rules_load_without_warnings() {
    let ruleset = builtin();
    assert_eq!(rendered(&ruleset.warnings), "");
    assert_eq!(ruleset.settings.name, "builtin");
    let numbers: Vec<u32> = ruleset.rules.iter().map(|rule| rule.number).collect();
    assert_eq!(numbers, (1..=50).collect::<Vec<u32>>());
}

#[test]
fn built_in_rules_stay_provable_and_are_tested() {
    let files = files();
    for rule in &builtin().rules {
        assert!(rule.ways().iter().all(|(when, ..)| when.linear()), "`{}` is no linear arithmetic", rule.id);
        let tests = rule.path.replace(".rule.yaml", ".test.yaml").replace(".table.yaml", ".test.yaml");
        assert!(files.iter().any(|(path, _)| *path == tests), "`{}` has no tests beside it", rule.id);
        assert!(rule.path.starts_with(rule.family.word()), "`{}` lies in the wrong folder", rule.path);
    }
}

#[test]
fn the_hash_covers_content_and_nothing_else() {
    let mut files = files();
    let before = headroom_engine::content_hash(&files);
    files.reverse();
    files.push(("fraud/notes.test.yaml".to_owned(), "tests: []".to_owned()));
    assert_eq!(headroom_engine::content_hash(&files), before);
    let settings = files.iter_mut().find(|(path, _)| path == "ruleset.yaml").expect("settings");
    settings.1.push('\n');
    assert_ne!(headroom_engine::content_hash(&files), before);
}

#[test]
fn every_notice_of_a_built_in_rule_has_its_texts() {
    for rule in &builtin().rules {
        let told = rule.actions.iter().filter_map(|action| match action {
            Action::Notify { template, .. } => Some(template),
            _ => None,
        });
        for template in told.chain(rule.notice.iter().map(|notice| &notice.template)) {
            assert!(
                NOTICE_TEXTS.iter().any(|(name, ..)| name == template),
                "`{}` has no text for `{template}`",
                rule.id
            );
        }
    }
}
