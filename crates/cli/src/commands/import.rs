//! `headroom import`: an event file from a CSV set.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use headroom_node::view::Item;
use headroom_sources::{ImportReport, ImportSettings, Mapping, Progress, Stage, import};

use crate::failure::Status;
use crate::output::Output;
use crate::progress;

/// Where the set is, and how to read it.
#[derive(Args)]
pub struct Command {
    /// The mapping file (mappings/README.md describes it)
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// The set: CSV, also .gz or .zst
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The event file: .ndjson or .pb, also .gz or .zst
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

impl Command {
    /// Does it. Rows that are refused are counted, and no failure.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let mapping = Mapping::load(&self.mapping)?;
        let bar = progress::bytes(0, output);
        let mut show = |at: Progress| {
            bar.set_length(at.bytes_total);
            bar.set_position(at.bytes_read);
            bar.set_message(match at.stage {
                Stage::Reading => format!("reading {}", self.input.display()),
                Stage::Writing => format!("writing {} events", at.events),
            });
        };
        let report = import(&mapping, &self.input, &self.output, &ImportSettings::default(), &mut show);
        bar.finish_and_clear();
        let report = report.with_context(|| format!("`{}` was not imported", self.input.display()))?;
        output.print(&summary(&mapping, report))?;
        Ok(Status::Done)
    }
}

fn summary(mapping: &Mapping, report: ImportReport) -> Item {
    let first = report.first_refused.into_iter().map(|(reason, first)| {
        let place = Item::fields([("row", first.row.into()), ("detail", first.detail.into())]);
        (reason, place)
    });
    Item::fields([
        ("mapping", mapping.id.as_str().into()),
        ("rows", report.rows.into()),
        ("rows_used", report.rows_used.into()),
        ("events", Item::counts(report.events)),
        ("refused", Item::counts(report.refused)),
        ("first_refused", Item::Fields(first.collect())),
    ])
}
