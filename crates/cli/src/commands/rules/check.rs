//! `headroom rules check`: everything that is wrong with a ruleset, at once.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headroom_engine::{FileReport, Reader, Ruleset, content_hash};
use headroom_node::view::Item;
use headroom_policy::Severity;
use headroom_sources::read_ruleset_dir;

use crate::failure::Status;
use crate::output::{Format, Output};
use crate::rules_dir;

/// Which ruleset.
#[derive(Args)]
pub struct Command {
    /// The ruleset's directory
    dir: PathBuf,
}

impl Command {
    /// Findings are rendered on stderr; the summary is the result. Errors make it fail, warnings do not.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let files = read_ruleset_dir(&self.dir)?;
        let loaded = Ruleset::load(&files);
        let reports = match &loaded {
            Ok(ruleset) => &ruleset.warnings,
            Err(reports) => reports,
        };
        rules_dir::show(reports);
        let mut summary = summary(&files, loaded.as_ref().ok(), reports);
        if output.format == Format::Json {
            summary.push(("diagnostics".to_owned(), Item::List(rules_dir::findings(reports))));
        }
        output.print(&Item::Fields(summary))?;
        Ok(if loaded.is_ok() { Status::Done } else { Status::Findings })
    }
}

/// A ruleset that does not load still has files and a hash; which facts it declares is not known then.
fn summary(files: &[(String, String)], ruleset: Option<&Ruleset>, reports: &[FileReport]) -> Vec<(String, Item)> {
    let of = |ending: &str| files.iter().filter(|(path, _)| path.ends_with(ending)).count();
    let (rules, tables) = (of(".rule.yaml"), of(".table.yaml"));
    let parts = Item::fields([
        ("rules", rules.into()),
        ("tables", tables.into()),
        ("facts", ruleset.map(facts).into()),
        ("warnings", rules_dir::count(reports, Severity::Warning).into()),
        ("errors", rules_dir::count(reports, Severity::Error).into()),
        ("ruleset_hash", content_hash(files).into()),
    ]);
    match parts {
        Item::Fields(parts) => parts,
        _ => unreachable!("`fields` makes fields"),
    }
}

/// Facts that the ruleset itself declares.
fn facts(ruleset: &Ruleset) -> usize {
    ruleset.readers.iter().filter(|each| matches!(each, Reader::Fact(..))).count()
}
