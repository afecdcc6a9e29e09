//! The one layout of a ruleset's files: rules, their tests, settings, facts.

mod steps;

use headroom_engine::{FACT_KEYS, GUARD_KEYS, RULE_KEYS, SETTINGS_KEYS};
use headroom_policy::yaml::{Layout, layout};
use headroom_policy::{Diagnostic, layout_expression};

use crate::rule_tests::KEYS;

use steps::steps;

/// A longer condition has a line for each of its parts.
const CONDITION_WIDTH: usize = 80;
/// Arguments of actions that are expressions.
const AMOUNTS: &[&str] = &["percent", "by", "to", "floor", "ceiling", "proposal"];
/// Arguments of actions in the order in which they are written.
const ARGUMENTS: &[&str] = &[
    "name",
    "kind",
    "template",
    "scope",
    "cause",
    "percent",
    "by",
    "to",
    "of",
    "ceiling",
    "floor",
    "from",
    "until",
    "for",
    "within",
    "recheck",
    "waive_until",
    "every",
    "steps",
    "after",
    "blocking",
    "priority",
    "proposal",
    "due",
    "can_do",
];

/// A file of a ruleset in its layout: `None` for a path that is no rule, test, settings or facts file.
///
/// # Errors
/// What is wrong with its YAML; a file that loads has none.
pub fn format_file(path: &str, text: &str) -> Option<Result<String, Vec<Diagnostic>>> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let kind = match name {
        "ruleset.yaml" => &SETTINGS,
        "facts.yaml" => &FACTS,
        name if name.ends_with(".rule.yaml") => &RULE,
        name if name.ends_with(".test.yaml") => &TESTS,
        _ => return None,
    };
    Some(layout(text, kind))
}

const RULE: Layout = Layout {
    order: rule_order,
    lines: expression,
    as_block: |_| false,
    is_open: |_| false,
    has_lines: |path, count| matches!(path, ["then"] | ["params"]) && count > 1,
    keeps_form: false,
};
const TESTS: Layout = Layout {
    order: |path| match path {
        ["tests", "[]"] => KEYS,
        ["equivalent", "[]"] => &["mutation", "because"],
        _ => &[],
    },
    lines: |path, text, _| (path.last() == Some(&"steps")).then(|| steps(text)),
    as_block: |path| path.last() == Some(&"steps"),
    is_open: |path| path == ["tests"] || path == ["equivalent"],
    has_lines: |_, _| false,
    keeps_form: false,
};
const SETTINGS: Layout = Layout {
    order: |path| match path {
        [] => SETTINGS_KEYS,
        ["guards"] => GUARD_KEYS,
        _ => &[],
    },
    lines: |_, _, _| None,
    as_block: |_| false,
    is_open: |_| false,
    has_lines: |_, _| false,
    keeps_form: true,
};
const FACTS: Layout = Layout {
    order: |path| if path == ["[]"] { FACT_KEYS } else { &[] },
    lines: |_, _, _| None,
    as_block: |_| false,
    is_open: |_| false,
    has_lines: |_, _| false,
    keeps_form: true,
};

fn rule_order(path: &[&str]) -> &'static [&'static str] {
    match path {
        [] => RULE_KEYS,
        ["title"] => &["en", "zh"],
        ["params", _] => &["type", "default"],
        ["notice"] => &["template", "can_do"],
        ["then", _] | ["then", "[]", _] => ARGUMENTS,
        _ => &[],
    }
}

/// The condition and the amounts of actions.
fn expression(path: &[&str], text: &str, width: usize) -> Option<Vec<String>> {
    match path {
        ["when"] => layout_expression(text, width.min(CONDITION_WIDTH)),
        ["then", .., last] if AMOUNTS.contains(last) => layout_expression(text, width),
        _ => None,
    }
}
