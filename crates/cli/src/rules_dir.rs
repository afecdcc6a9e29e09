//! Rulesets from directories or from the binary, with what is wrong about them on stderr.

use std::path::Path;

use anyhow::{Result, bail};
use headroom_engine::{FileReport, Ruleset};
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
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    working(&BUILTIN.iter().map(owned).collect::<Vec<_>>(), "builtin")
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
