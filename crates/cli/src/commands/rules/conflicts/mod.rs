//! `headroom rules conflicts`: what rules are to each other, proven, with an account for each finding.

mod item;
mod page;
mod prose;

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Args;
use headroom_conflicts::{Note, Report, analyse, explain, notes};
use headroom_engine::Ruleset;

use crate::failure::{Coded, Status};
use crate::output::{self, Format, Output};
use crate::{progress, rules_dir};

/// Where accepted findings stand, beside the rules.
const NOTES: &str = "conflicts.yaml";

/// Which ruleset.
#[derive(Args)]
pub struct Command {
    /// The ruleset's directory; accepted findings are read from its `conflicts.yaml`
    dir: PathBuf,
}

/// What is shown.
struct Shown<'a> {
    /// The ruleset's name.
    ruleset: &'a str,
    report: &'a Report,
    /// Milliseconds that it took.
    elapsed_ms: u64,
}

impl Command {
    /// Findings that nobody has explained make it fail.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let ruleset = rules_dir::load(&self.dir)?;
        let notes = self.notes()?;
        let begun = Instant::now();
        let mut report = proven(&ruleset, output)?;
        let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        explain(&mut report, &notes);
        let shown = Shown { ruleset: &ruleset.settings.name, report: &report, elapsed_ms };
        match output.format {
            Format::Json => output::line(&item::item(&shown).json())?,
            Format::Table => output::text(&prose::prose(&shown))?,
            Format::Html => output::text(&page::page(&shown))?,
        }
        let open = report.unexplained().next().is_some();
        Ok(if open { Status::Findings } else { Status::Done })
    }

    fn notes(&self) -> Result<Vec<Note>> {
        let path = self.dir.join(NOTES);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        };
        notes(&text).or_else(|findings| {
            rules_dir::show_text(&path.display().to_string(), &text, &findings);
            bail!("the notes in `{}` cannot be read", path.display())
        })
    }
}

fn proven(ruleset: &Ruleset, output: &Output) -> Result<Report> {
    let bar = progress::steps(1, output);
    let report = analyse(ruleset, &mut |progress| {
        bar.set_length(u64::try_from(progress.total).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
        bar.set_message(progress.stage);
    });
    bar.finish_and_clear();
    report.map_err(|mismatch| Coded { code: "HR0802", message: mismatch.to_string() }.into())
}

/// The keys of a note that would explain a finding, for `conflicts.yaml`.
fn template(finding: &headroom_conflicts::Finding) -> String {
    let list = |texts: Vec<&str>| texts.join(", ");
    let ids = list(finding.rules.iter().map(|each| each.id.as_str()).collect());
    let hashes = list(finding.rules.iter().map(|each| &each.hash[..12]).collect());
    format!(
        "- kind: {}\n  rules: [{ids}]\n  hashes: [{hashes}]\n  note: why this is fine\n  by: you\n  since: today\n",
        finding.kind.word()
    )
}

/// Segments in a word where all are meant.
fn segments(of: &[&str]) -> String {
    if of.len() == headroom_engine::Segment::ALL.len() { "all segments".to_owned() } else { of.join(", ") }
}
