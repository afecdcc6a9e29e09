//! `headroom rules test`: the tests that stand beside the rules.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;
use headroom_engine::Ruleset;
use headroom_node::view::Item;
use headroom_sim::{
    Coverage, Failure, Hole, Report, RowCoverage, bless_rule_tests, cover_rule_tests, render_mismatches, run_rule_tests,
};
use headroom_sources::read_rule_tests_dir;

use crate::failure::Status;
use crate::output::{Format, Output, color};
use crate::rules_dir;

use super::watch::Seen;

/// Which ruleset.
#[derive(Args)]
pub struct Command {
    /// The ruleset's directory
    dir: PathBuf,
    /// Write what comes into the test files, as what they expect
    #[arg(long)]
    bless: bool,
    /// Show of each rule's conditions what they never were in its tests (true, false, unknown), of tables the same of each
    /// row's cells and which rows were never chosen, and which cases no test has
    #[arg(long)]
    coverage: bool,
    /// Run again whenever a file changes, until interrupted
    #[arg(long, conflicts_with = "bless")]
    watch: bool,
    /// With `--watch`: end after so many runs
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
}

impl Command {
    /// What came otherwise is shown on stderr; the counts are the result.
    pub fn run(&self, output: &Output) -> Result<Status> {
        if self.watch { self.watch(output) } else { self.once(output) }
    }

    /// Run after run; a ruleset that does not load is told, and the next change is waited for. Of the last run is the
    /// status.
    fn watch(&self, output: &Output) -> Result<Status> {
        let mut seen = Seen::of(&self.dir);
        let mut left = self.runs.unwrap_or(u64::MAX);
        loop {
            let status = self.once(output).unwrap_or_else(|error| {
                eprintln!("error: {error:#}");
                Status::Findings
            });
            left -= 1;
            if left == 0 {
                return Ok(status);
            }
            eprintln!("waiting for changes in `{}`", self.dir.display());
            seen = seen.wait(&self.dir);
        }
    }

    fn once(&self, output: &Output) -> Result<Status> {
        let ruleset = Arc::new(rules_dir::load(&self.dir)?);
        let mut files = read_rule_tests_dir(&self.dir)?;
        if files.is_empty() {
            bail!("there are no tests in `{}`: they stand beside rules, as `x.test.yaml`", self.dir.display());
        }
        let blessed = if self.bless { self.bless(&ruleset, &mut files)? } else { Vec::new() };
        let run = if self.coverage { cover_rule_tests } else { run_rule_tests };
        let report = run(&ruleset, &files);
        report.broken.iter().for_each(|file| eprint!("{}", file.render(color())));
        report.failed.iter().for_each(show);
        let mut parts = summary(&report, &files, blessed);
        if self.coverage {
            parts.extend(conditions(&report, output.format));
            parts.extend(rows(&report, output.format));
            parts.push(("no_test_in_which".to_owned(), Item::list(report.holes.iter().map(hole))));
        }
        output.print(&Item::Fields(parts))?;
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

fn summary(report: &Report, files: &[(String, String)], blessed: Vec<String>) -> Vec<(String, Item)> {
    let failed = report.failed.iter().map(|each| {
        let (file, test) = (each.path.as_str(), each.test.as_str());
        Item::fields([("file", file.into()), ("line", each.line.into()), ("test", test.into())])
    });
    let parts = [
        ("files", files.len().into()),
        ("passed", report.passed.into()),
        ("failed", report.failed.len().into()),
        ("unreadable", report.broken.len().into()),
        ("blessed", Item::list(blessed)),
        ("failures", Item::list(failed)),
        ("coverage", Item::list(report.coverage.iter().map(coverage))),
    ];
    parts.into_iter().map(|(name, item)| (name.to_owned(), item)).collect()
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

/// What no test beside a rule shows.
fn hole(each: &Hole) -> Item {
    Item::fields([("rule", each.rule.as_ref().into()), ("case", each.text.as_str().into())])
}

/// How many conditions there are and were all that they can be; people see the others, machines every one.
fn conditions(report: &Report, format: Format) -> Vec<(String, Item)> {
    let all = || report.coverage.iter().flat_map(|rule| rule.conditions.iter().map(move |each| (&rule.rule, each)));
    let covered = all().filter(|(_, each)| each.never().is_empty()).count();
    let shown = all().filter(|(_, each)| format == Format::Json || !each.never().is_empty());
    let rows = shown.map(|(rule, each)| {
        Item::fields([
            ("rule", rule.as_ref().into()),
            ("condition", each.text.as_str().into()),
            ("true", each.was_true.into()),
            ("false", each.was_false.into()),
            ("unknown", each.was_unknown.into()),
            ("never", Item::list(each.never())),
        ])
    });
    let rows = Item::list(rows);
    let name = if format == Format::Json { "condition_coverage" } else { "conditions_not_covered" };
    let parts = [("conditions", all().count().into()), ("conditions_covered", covered.into()), (name, rows)];
    parts.into_iter().map(|(name, item)| (name.to_owned(), item)).collect()
}

/// How many rows of decision tables there are and were chosen, and what their cells never were; people see what is
/// missing, and nothing of it where there are no tables, machines every row.
fn rows(report: &Report, format: Format) -> Vec<(String, Item)> {
    let all = || report.coverage.iter().flat_map(|rule| rule.rows.iter().map(move |each| (&*rule.rule, each)));
    let cells = || all().flat_map(|(rule, row)| row.conditions.iter().map(move |each| (rule, row, each)));
    if format != Format::Json && all().next().is_none() {
        return Vec::new();
    }
    let chosen = all().filter(|(_, row)| row.chosen > 0).count();
    let covered = cells().filter(|(.., each)| each.never().is_empty()).count();
    let mut parts = vec![
        ("rows", all().count().into()),
        ("rows_chosen", chosen.into()),
        ("cells", cells().count().into()),
        ("cells_covered", covered.into()),
    ];
    if format == Format::Json {
        parts.push(("row_coverage", Item::list(all().map(|(rule, row)| whole_row(rule, row)))));
    } else {
        let open = all().filter(|(_, row)| row.chosen == 0);
        let open = open.map(|(rule, row)| named_row(rule, row));
        let cells = cells().filter(|(.., each)| !each.never().is_empty()).map(|(rule, row, each)| {
            let [rule, row, cells] = name_of(rule, row);
            Item::fields([
                rule,
                row,
                cells,
                ("condition", each.text.as_str().into()),
                ("never", Item::list(each.never())),
            ])
        });
        parts.extend([("rows_never_chosen", Item::list(open)), ("cells_not_covered", Item::list(cells))]);
    }
    parts.into_iter().map(|(name, item)| (name.to_owned(), item)).collect()
}

/// Which row of which table, and what it asks.
pub fn named_row(rule: &str, row: &RowCoverage) -> Item {
    Item::fields(name_of(rule, row))
}

fn name_of(rule: &str, row: &RowCoverage) -> [(&'static str, Item); 3] {
    [("rule", rule.into()), ("row", row.place.as_str().into()), ("cells", row.cells.as_str().into())]
}

/// A row with how often it was chosen and what each condition of its cells was.
pub fn whole_row(rule: &str, row: &RowCoverage) -> Item {
    let conditions = row.conditions.iter().map(|each| {
        Item::fields([
            ("condition", each.text.as_str().into()),
            ("true", each.was_true.into()),
            ("false", each.was_false.into()),
            ("unknown", each.was_unknown.into()),
            ("never", Item::list(each.never())),
        ])
    });
    let [rule, row_at, cells] = name_of(rule, row);
    Item::fields([rule, row_at, cells, ("chosen", row.chosen.into()), ("conditions", Item::list(conditions))])
}
