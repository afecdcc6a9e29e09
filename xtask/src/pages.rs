//! Codes that users meet, and the pages that explain them.

use crate::source;
use std::collections::BTreeSet;

const SECTIONS: [&str; 3] = ["What happened", "Why", "What to do"];

/// Error codes (`HR` and four digits) in `text`.
pub fn error_codes(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| is_error_code(word)).map(String::from).collect()
}

fn is_error_code(word: &str) -> bool {
    word.strip_prefix("HR").is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Sections that an error's page lacks or leaves empty.
pub fn missing_sections(page: &str) -> Vec<&'static str> {
    SECTIONS.into_iter().filter(|section| !has_text(page, section)).collect()
}

fn has_text(page: &str, section: &str) -> bool {
    let heading = format!("## {section}");
    let after = page.lines().skip_while(|line| line.trim_end() != heading).skip(1);
    after.take_while(|line| !line.starts_with('#')).any(|line| !line.trim().is_empty())
}

/// Codes that stand as `=> "CODE"` in Rust source outside of tests: the arms of a refusal's `code()`.
pub fn refusal_codes(source: &str) -> BTreeSet<String> {
    let code = source::code_and_literals(&source::untested(source));
    code.split("=> \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|word| is_code(word))
        .map(String::from)
        .collect()
}

/// Values of `reason:` in a rule file.
pub fn rule_reasons(rule: &str) -> BTreeSet<String> {
    // On a line of its own, or in a row: `{streak: 3, reason: CODE}`.
    let own = |line: &str| line.trim_start().trim_start_matches("- ").starts_with("reason:");
    let values = rule.lines().filter_map(|line| match line.split_once("reason:") {
        Some((before, value)) if own(line) || before.ends_with("{") || before.ends_with(", ") => Some(value),
        _ => None,
    });
    let bare =
        values.map(|value| value.split(['#', '}', ',']).next().unwrap_or_default().trim().trim_matches(['"', '\'']));
    bare.filter(|value| is_code(value)).map(String::from).collect()
}

fn is_code(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(codes: &[&str]) -> BTreeSet<String> {
        codes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn codes_are_collected_from_where_they_are_declared() {
        assert_eq!(error_codes("see `HR0007`, HR00071, XHR0008, HR0009_a HR12"), set(&["HR0007", "HR0009"]));
        let refusal = "match self {\n Self::A => \"WRONG_KEY\",\n Self::B { .. } => \"TOO_OLD_7\",\n _ => \"not a code\" }\n// => \"OLD\"";
        assert_eq!(refusal_codes(refusal), set(&["TOO_OLD_7", "WRONG_KEY"]));
        let rule = "id: a\nreason: ORDER_VOLATILITY  # why\nthen:\n  - reason: \"LATE\"\nreasoning: NO\n";
        assert_eq!(rule_reasons(rule), set(&["LATE", "ORDER_VOLATILITY"]));
    }

    #[test]
    fn every_section_needs_text() {
        let page = "# HR0001\n\n## What happened\nx\n\n## Why\n\n## What to do\ny\n";
        assert_eq!(missing_sections(page), ["Why"]);
        assert_eq!(missing_sections("# HR0001"), SECTIONS);
    }
}
