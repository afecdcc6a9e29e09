//! What other files of the checkout say about words of rules.

use std::collections::BTreeMap;

use headroom_engine::GUARD_NAMES;

use crate::{read, texts};

/// The words of the triggers with the documentation of their variants.
pub fn trigger_words() -> Vec<(String, String)> {
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

/// The guards with the first line of their files; consent is asked where offers are made.
pub fn guard_words() -> Vec<(String, String)> {
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

/// The first paragraph of each reason's page, by code.
pub fn reasons() -> BTreeMap<String, String> {
    let pages = texts(|path| path.starts_with("docs/reasons/") && path.ends_with(".md"));
    let code = |path: &str| path.trim_start_matches("docs/reasons/").trim_end_matches(".md").to_owned();
    pages.into_iter().map(|(path, text)| (code(&path), first_paragraph(&text))).collect()
}

fn first_paragraph(page: &str) -> String {
    let body = page.lines().skip_while(|line| line.starts_with('#') || line.trim().is_empty());
    let lines: Vec<&str> = body.take_while(|line| !line.trim().is_empty()).collect();
    lines.join(" ")
}
