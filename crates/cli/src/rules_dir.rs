//! Rulesets from directories or from the binary, with what is wrong about them on stderr.

use std::path::Path;

use anyhow::{Result, bail};
use headroom_engine::{FileReport, Ruleset};
use headroom_node::view::Item;
use headroom_policy::{Diagnostic, Severity, render};
use headroom_sources::read_ruleset_dir;

use crate::output::color;

/// The built-in ruleset: path and text.
const BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// A ruleset that works. Errors: its files cannot be read, or are wrong; then the findings stand on stderr.
pub fn load(directory: &Path) -> Result<Ruleset> {
    working(&read_ruleset_dir(directory)?, &directory.display().to_string())
}

/// As [`load`]; without a directory the built-in ruleset.
pub fn load_or_builtin(directory: Option<&Path>) -> Result<Ruleset> {
    directory.map_or_else(builtin, load)
}

/// The built-in ruleset, as it was when the binary was built.
pub fn builtin() -> Result<Ruleset> {
    working(&builtin_files(), "builtin")
}

/// Its files: path and text.
pub fn builtin_files() -> Vec<(String, String)> {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    BUILTIN.iter().map(owned).collect()
}

fn working(files: &[(String, String)], name: &str) -> Result<Ruleset> {
    Ruleset::load(files).or_else(|reports| {
        show(&reports);
        let errors = count(&reports, Severity::Error);
        bail!("the ruleset `{name}` has {errors} error{}", if errors == 1 { "" } else { "s" })
    })
}

/// Renders findings on stderr, each with its lines and advice.
pub fn show(reports: &[FileReport]) {
    for report in reports {
        eprintln!("{}\n", report.render(color()).trim_end_matches('\n'));
    }
}

/// Renders findings about a text that is no file of a ruleset.
pub fn show_text(name: &str, text: &str, findings: &[Diagnostic]) {
    if !findings.is_empty() {
        eprint!("{}", render(name, text, findings, color()));
    }
}

/// How many findings of a severity there are.
pub fn count(reports: &[FileReport], severity: Severity) -> usize {
    let all = reports.iter().flat_map(|each| &each.diagnostics);
    all.filter(|each| each.severity == severity).count()
}

/// All findings with their places, for machines.
pub fn findings(reports: &[FileReport]) -> Vec<Item> {
    reports.iter().flat_map(|report| report.diagnostics.iter().map(|each| finding(report, each))).collect()
}

fn finding(report: &FileReport, finding: &Diagnostic) -> Item {
    let (line, column) = place(&report.text, finding.span.start);
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    Item::fields([
        ("file", report.path.as_str().into()),
        ("line", line.into()),
        ("column", column.into()),
        ("severity", severity.into()),
        ("code", finding.code.into()),
        ("message", finding.message.as_str().into()),
        ("help", finding.help.as_deref().into()),
    ])
}

/// Line and column of a byte, both from 1; columns count characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at.min(text.len()))];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one_in_characters() {
        let text = "a: é b\nc";
        assert_eq!([0, 6, 8, 9, 99].map(|at| place(text, at)), [(1, 1), (1, 6), (2, 1), (2, 2), (2, 2)]);
    }
}
