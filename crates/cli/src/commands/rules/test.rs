//! `headroom rules test`: the tests that stand beside the rules.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use headroom_engine::Ruleset;
use headroom_node::view::Item;
use headroom_sim::{Coverage, Failure, Report, bless_rule_tests, render_mismatches, run_rule_tests};
use headroom_sources::read_rule_tests_dir;

use crate::failure::Status;
use crate::output::{Output, color};
use crate::rules_dir;

/// Which ruleset.
#[derive(Args)]
pub struct Command {
    /// The ruleset's directory
    dir: PathBuf,
    /// Write what comes into the test files, as what they expect
    #[arg(long)]
    bless: bool,
}

impl Command {
    /// What came otherwise is shown on stderr; the counts are the result.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let ruleset = Arc::new(rules_dir::load(&self.dir)?);
        let mut files = read_rule_tests_dir(&self.dir)?;
        if files.is_empty() {
            bail!("there are no tests in `{}`: they stand beside rules, as `x.test.yaml`", self.dir.display());
        }
        let blessed = if self.bless { self.bless(&ruleset, &mut files)? } else { Vec::new() };
        let report = run_rule_tests(&ruleset, &files);
        report.broken.iter().for_each(|file| eprint!("{}", file.render(color())));
        report.failed.iter().for_each(show);
        output.print(&summary(&report, &files, blessed))?;
        Ok(if report.is_fine() { Status::Done } else { Status::Findings })
    }

    /// Rewrites files whose tests expect something else; a file that cannot be read as tests stays as it is.
    fn bless(&self, ruleset: &Arc<Ruleset>, files: &mut [(String, String)]) -> Result<Vec<String>> {
        let mut written = Vec::new();
        for (path, text) in files {
            let Ok(blessed) = bless_rule_tests(ruleset, path, text) else { continue };
            if blessed != *text {
                let target = self.dir.join(&path);
                fs::write(&target, &blessed).with_context(|| format!("cannot write `{}`", target.display()))?;
                *text = blessed;
                written.push(path.clone());
            }
        }
        Ok(written)
    }
}

fn show(failure: &Failure) {
    eprintln!("failed: {}", failure.test);
    eprint!("{}", render_mismatches(&failure.path, &failure.mismatches));
}

fn summary(report: &Report, files: &[(String, String)], blessed: Vec<String>) -> Item {
    let failed = report.failed.iter().map(|each| {
        let (file, test) = (each.path.as_str(), each.test.as_str());
        Item::fields([("file", file.into()), ("line", each.line.into()), ("test", test.into())])
    });
    Item::fields([
        ("files", files.len().into()),
        ("passed", report.passed.into()),
        ("failed", report.failed.len().into()),
        ("unreadable", report.broken.len().into()),
        ("blessed", Item::list(blessed)),
        ("failures", Item::list(failed)),
        ("coverage", Item::list(report.coverage.iter().map(coverage))),
    ])
}

/// In how many tests beside it a rule fired, did not, and ended unknown.
fn coverage(each: &Coverage) -> Item {
    Item::fields([
        ("rule", each.rule.as_ref().into()),
        ("fired", each.fired.into()),
        ("silent", each.silent.into()),
        ("unknown", each.unknown.into()),
    ])
}
