//! Style that a machine can see.

use xtask::{
    code_lines, code_only, contains_path, contains_word, exists, parse_exceptions, parse_ratchet, read, report,
    size_findings, texts, tracked, uncovered,
};

fn rust_sources() -> Vec<(String, String)> {
    texts(|path| path.ends_with(".rs"))
}

#[test]
fn files_stay_short() {
    let sizes = rust_sources().into_iter().map(|(path, text)| (path, code_lines(&text))).collect();
    report("long files (xtask/ratchet.txt)", &size_findings(&sizes, &parse_ratchet(&read("xtask/ratchet.txt"))));
}

#[test]
fn unsafe_code_only_where_expected() {
    let keyword = "unsafe";
    let found: Vec<(String, String)> = rust_sources()
        .into_iter()
        .filter(|(_, text)| contains_word(&code_only(text), keyword))
        .map(|(path, _)| (path, keyword.to_string()))
        .collect();
    report("unsafe code (xtask/unsafe.txt)", &uncovered(&found, &parse_exceptions(&read("xtask/unsafe.txt"))));
}

#[test]
fn lints_are_expected_never_allowed() {
    let allows = |text: &str| {
        let code: String = code_only(text).split_whitespace().collect();
        code.contains("#[allow(") || code.contains("#![allow(")
    };
    let findings: Vec<String> =
        rust_sources().into_iter().filter(|(_, text)| allows(text)).map(|(path, _)| path).collect();
    report("write `#[expect(…, reason = \"…\")]` instead of `#[allow(…)]`", &findings);
}

#[test]
fn no_unfinished_work_and_no_paths_of_one_machine() {
    // Put together from halves, so that this file does not find itself.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("to", "do!("), concat!("unimple", "mented!(")];
    let paths = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    let findings: Vec<String> = texts(|_| true)
        .into_iter()
        .flat_map(|(path, text)| {
            let words = words.into_iter().filter(|word| contains_word(&text, word));
            let paths = paths.into_iter().filter(|prefix| contains_path(&text, prefix));
            words.chain(paths).map(|found| format!("{path}: `{found}`")).collect::<Vec<_>>()
        })
        .collect();
    report("forbidden in a tracked file", &findings);
}

fn is_rule(path: &str) -> bool {
    path.ends_with(".rule.yaml") || path.ends_with(".table.yaml")
}

#[test]
fn every_rule_has_its_tests_beside_it() {
    let rules: Vec<String> = tracked().into_iter().filter(|path| path.starts_with("rules/") && is_rule(path)).collect();
    assert!(!rules.is_empty() || !exists("rules"), "the folder `rules` holds no rule");
    let tests = |rule: &String| rule.replace(".rule.yaml", ".test.yaml").replace(".table.yaml", ".test.yaml");
    let findings: Vec<String> = rules.iter().map(tests).filter(|path| !exists(path)).collect();
    report("missing beside its rule", &findings);
}
