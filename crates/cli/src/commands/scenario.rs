//! `headroom scenario`: scenario files, played and compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use headroom_engine::{Ruleset, Zone};
use headroom_node::view::Item;
use headroom_sim::{Mismatch, Scenario, bless, compare, parse_scenario, render_mismatches, run_bare};

use crate::failure::Status;
use crate::output::Output;
use crate::rules_dir;

/// Which scenarios.
#[derive(Args)]
pub struct Command {
    /// Scenario files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write what comes into the files, as what they expect
    #[arg(long)]
    bless: bool,
    /// The ruleset, whatever the scenarios name; without it theirs, or else the built-in one
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

/// What became of a file.
struct Played {
    steps: usize,
    outputs: usize,
    mismatches: Vec<Mismatch>,
    blessed: bool,
}

impl Command {
    /// What came otherwise is shown on stderr; the counts are the result.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let mut rows = Vec::new();
        let mut failed = 0_usize;
        for path in &self.files {
            let played = self.file(path)?;
            let fine = played.as_ref().is_some_and(|played| played.mismatches.is_empty());
            failed += usize::from(!fine);
            rows.push(row(path, played.as_ref(), fine));
        }
        let counts = [("scenarios", self.files.len()), ("passed", self.files.len() - failed), ("failed", failed)];
        let [scenarios, passed, failed_part] = counts.map(|(name, count)| (name, count.into()));
        output.print(&Item::fields([scenarios, passed, failed_part, ("files", Item::List(rows))]))?;
        Ok(if failed == 0 { Status::Done } else { Status::Findings })
    }

    /// Plays a file; `None`: it is no scenario, which stands on stderr.
    fn file(&self, path: &Path) -> Result<Option<Played>> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read `{name}`"))?;
        let given = self.rules.as_deref().map(rules_dir::load).transpose()?;
        let zone = given.as_ref().map_or_else(Zone::utc, |ruleset| ruleset.settings.zone.clone());
        let first = match parse_scenario(&text, &zone) {
            Ok(scenario) => scenario,
            Err(findings) => {
                rules_dir::show_text(&name, &text, &findings);
                return Ok(None);
            }
        };
        let ruleset = given.map_or_else(|| named(path, &first), Ok)?;
        // Times without a header `zone` are those of the ruleset, which is known only now.
        let scenario = parse_scenario(&text, &ruleset.settings.zone).unwrap_or(first);
        let played = self.play(path, &text, &scenario, &Arc::new(ruleset))?;
        eprint!("{}", render_mismatches(&name, &played.mismatches));
        Ok(Some(played))
    }

    fn play(&self, path: &Path, text: &str, scenario: &Scenario, ruleset: &Arc<Ruleset>) -> Result<Played> {
        let run = run_bare(scenario, ruleset);
        let mut mismatches = compare(scenario, &run.transcript);
        let blessed = if self.bless { bless(text, scenario, &run.transcript) } else { text.to_owned() };
        let changed = blessed != text;
        if changed {
            fs::write(path, &blessed).with_context(|| format!("cannot write `{}`", path.display()))?;
            let again = parse_scenario(&blessed, &ruleset.settings.zone).ok();
            mismatches = again.map_or(mismatches, |again| compare(&again, &run_bare(&again, ruleset).transcript));
        }
        Ok(Played { steps: scenario.steps.len(), outputs: run.outputs.len(), mismatches, blessed: changed })
    }
}

/// The ruleset that a scenario's header names: `builtin`, or a folder beside the scenario.
fn named(path: &Path, scenario: &Scenario) -> Result<Ruleset> {
    match scenario.ruleset.as_deref() {
        None | Some("builtin") => rules_dir::builtin(),
        Some(folder) => rules_dir::load(&path.parent().unwrap_or(Path::new(".")).join(folder)),
    }
}

fn row(path: &Path, played: Option<&Played>, fine: bool) -> Item {
    Item::fields([
        ("file", path.display().to_string().into()),
        ("passed", fine.into()),
        ("steps", played.map(|each| each.steps).into()),
        ("outputs", played.map(|each| each.outputs).into()),
        ("mismatches", played.map(|each| each.mismatches.len()).into()),
        ("blessed", played.is_some_and(|each| each.blessed).into()),
    ])
}
