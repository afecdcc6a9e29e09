//! Rulesets from directories, with what is wrong about them on stderr.

use std::path::Path;

use anyhow::{Result, bail};
use headroom_engine::{FileReport, Ruleset};
use headroom_policy::{Severity, render};
use headroom_sources::read_ruleset_dir;

use crate::output::color;

/// A ruleset that works. Errors: its files cannot be read, or are wrong; then the findings stand on stderr.
pub fn load(directory: &Path) -> Result<Ruleset> {
    let files = read_ruleset_dir(directory)?;
    Ruleset::load(&files).or_else(|reports| {
        show(&reports);
        let errors = count(&reports, Severity::Error);
        bail!("the rules in `{}` have {errors} error{}", directory.display(), if errors == 1 { "" } else { "s" })
    })
}

/// Renders findings on stderr, each with its lines and advice.
pub fn show(reports: &[FileReport]) {
    for report in reports {
        eprintln!("{}", report.render(color()).trim_end_matches('\n'));
        eprintln!();
    }
}

/// Renders findings about a text that stands in no file.
pub fn show_text(name: &str, text: &str, findings: &[headroom_policy::Diagnostic]) {
    if !findings.is_empty() {
        eprint!("{}", render(name, text, findings, color()));
    }
}

/// How many findings of a severity there are.
pub fn count(reports: &[FileReport], severity: Severity) -> usize {
    let all = reports.iter().flat_map(|each| &each.diagnostics);
    all.filter(|each| each.severity == severity).count()
}
