//! Every code that a user can meet has its page, and every page a code.

use std::collections::BTreeSet;
use xtask::{
    code_and_literals, contains_word, error_codes, is_test_path, missing_sections, read, refusal_codes, report,
    rule_reasons, texts, tracked, untested,
};

/// Source of the crates without tests and comments.
fn sources() -> Vec<String> {
    let wanted = |path: &str| path.starts_with("crates/") && path.ends_with(".rs") && !is_test_path(path);
    texts(wanted).iter().map(|(_, text)| code_and_literals(&untested(text))).collect()
}

fn rules() -> Vec<String> {
    let wanted = |path: &str| path.ends_with(".rule.yaml") || path.ends_with(".table.yaml");
    texts(|path| path.starts_with("rules/") && wanted(path)).into_iter().map(|(_, text)| text).collect()
}

fn pages(folder: &str) -> BTreeSet<String> {
    let name = |path: String| path.strip_prefix(folder)?.strip_suffix(".md").map(String::from);
    tracked().into_iter().filter_map(name).collect()
}

fn differences(codes: &BTreeSet<String>, pages: &BTreeSet<String>, folder: &str) -> Vec<String> {
    let missing = codes.difference(pages).map(|code| format!("`{code}` has no page {folder}{code}.md"));
    let orphans = pages.difference(codes).map(|code| format!("{folder}{code}.md: no code mentions `{code}`"));
    missing.chain(orphans).collect()
}

#[test]
fn every_error_code_has_a_page_and_every_page_a_code() {
    let folder = "docs/errors/";
    let codes: BTreeSet<String> = sources().iter().flat_map(|text| error_codes(text)).collect();
    report("error codes", &differences(&codes, &pages(folder), folder));
}

#[test]
fn every_error_page_says_what_why_and_what_to_do() {
    let findings: Vec<String> = texts(|path| path.starts_with("docs/errors/HR"))
        .into_iter()
        .flat_map(|(path, page)| {
            missing_sections(&page).into_iter().map(move |section| format!("{path}: `## {section}`"))
        })
        .collect();
    report("missing or empty section", &findings);
}

#[test]
fn every_reason_has_a_page_and_every_page_a_reason() {
    let folder = "docs/reasons/";
    let (sources, rules) = (sources(), rules());
    let pages = pages(folder);
    let refusals = refusal_codes(&read("crates/engine/src/refusal.rs"));
    assert!(!refusals.is_empty(), "crates/engine/src/refusal.rs names no dead-letter code");
    let declared: BTreeSet<String> = rules.iter().flat_map(|rule| rule_reasons(rule)).chain(refusals).collect();
    // The engine gives some reasons itself (guards, ledger); their pages are no orphans.
    let built_in = pages.iter().filter(|code| sources.iter().any(|text| contains_word(text, &format!("\"{code}\""))));
    let codes = declared.iter().chain(built_in).cloned().collect();
    report("reason codes", &differences(&codes, &pages, folder));
}

/// What a rule's reason means, and what the customer can do, in both languages.
#[test]
fn every_reason_of_a_rule_speaks_both_languages() {
    let chinese = |line: &&str| line.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let lacks = |page: &str| {
        let says = |start: &str| page.lines().any(|line| line.starts_with(start));
        let told = page.lines().filter(chinese).any(|line| !line.starts_with("- "));
        !(told && says("- Customer: ") && says("- 客户：") && says("- Operator: "))
    };
    let codes: BTreeSet<String> = rules().iter().flat_map(|rule| rule_reasons(rule)).collect();
    let findings: Vec<String> =
        codes.into_iter().filter(|code| lacks(&read(&format!("docs/reasons/{code}.md")))).collect();
    report("reasons whose page lacks Chinese, or what customer and operator can do", &findings);
}

#[test]
fn every_reason_page_is_headed_by_its_code() {
    let headed = |path: &str, page: &str| {
        let code = path.trim_start_matches("docs/reasons/").trim_end_matches(".md");
        page.lines().next().is_some_and(|first| first.starts_with("# ") && contains_word(first, code))
    };
    let findings: Vec<String> = texts(|path| path.starts_with("docs/reasons/") && path.ends_with(".md"))
        .into_iter()
        .filter(|(path, page)| !headed(path, page))
        .map(|(path, _)| path)
        .collect();
    report("the first line is `# CODE`", &findings);
}
