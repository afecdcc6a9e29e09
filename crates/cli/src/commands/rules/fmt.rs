//! `headroom rules fmt`: one layout for the files of a ruleset.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use headroom_node::view::Item;
use headroom_policy::Severity;
use headroom_sim::format_file;
use headroom_sources::{read_rule_tests_dir, read_ruleset_dir};

use crate::failure::Status;
use crate::output::Output;
use crate::rules_dir;

/// Which ruleset.
#[derive(Args)]
pub struct Command {
    /// The ruleset's directory
    dir: PathBuf,
    /// Write nothing; fail if a file would change
    #[arg(long)]
    check: bool,
}

impl Command {
    /// Rewrites rules, their tests, settings and facts. Files with broken YAML stay as they are and are findings.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let mut files = read_ruleset_dir(&self.dir)?;
        files.extend(read_rule_tests_dir(&self.dir)?);
        let (mut changed, mut broken) = (Vec::new(), 0_usize);
        for (path, text) in &files {
            match format_file(path, text) {
                Some(Ok(tidy)) if tidy != *text => {
                    self.write(path, &tidy)?;
                    changed.push(path.clone());
                }
                Some(Err(findings)) => {
                    rules_dir::show_text(path, text, &findings);
                    broken += findings.iter().filter(|each| each.severity == Severity::Error).count();
                }
                Some(Ok(_)) | None => {}
            }
        }
        let fails = broken > 0 || (self.check && !changed.is_empty());
        output.print(&Item::fields([
            ("files", files.len().into()),
            ("changed", changed.len().into()),
            ("errors", broken.into()),
            (if self.check { "would_change" } else { "written" }, Item::list(changed)),
        ]))?;
        Ok(if fails { Status::Findings } else { Status::Done })
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        if self.check {
            return Ok(());
        }
        let target = self.dir.join(path);
        fs::write(&target, text).with_context(|| format!("cannot write `{}`", target.display()))
    }
}
