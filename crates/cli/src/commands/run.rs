//! `headroom run`: event files through one durable shard.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use headroom_engine::Timestamp;
use headroom_node::view::Item;
use headroom_node::{RunError, RunOptions, RunProgress, RunReport, RunSummary, run, run_reported};
use headroom_sources::read_ruleset_dir;
use headroom_store::{Durability, StoreOptions};

use crate::failure::{Status, of_run};
use crate::output::Output;
use crate::{progress, rules_dir};

/// What to run, and where its results go.
#[derive(Args)]
pub struct Command {
    /// The ruleset
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// Event files: .ndjson or .pb, also .gz or .zst; merged by record time
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    events: Vec<PathBuf>,
    /// The shard's store; made if it does not exist
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Outputs in commit order: .ndjson or .pb
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Records per batch: larger is faster, and changes no decision
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    batch_records: u32,
    /// Move the clock here at the end, so that timers due by then fire (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// When a commit counts: after its sync to disk, or when the process has written it
    #[arg(long, value_enum, default_value_t = Sync::Fsync)]
    durability: Sync,
    /// Write what happened day by day to this file, for `headroom report`
    #[arg(long, value_name = "FILE.json")]
    report: Option<PathBuf>,
}

/// When a commit counts.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Sync {
    /// Survives the loss of power
    Fsync,
    /// Survives the death of the process
    Process,
}

impl Command {
    /// Does it. Records that cannot be taken become dead letters, and no failure.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let options = RunOptions {
            rules: read_ruleset_dir(&self.rules)?,
            events: self.events.clone(),
            data_dir: self.data_dir.clone(),
            out: self.out.clone(),
            batch_records: self.batch_records.try_into()?,
            until: self.until,
            store: StoreOptions {
                durability: match self.durability {
                    Sync::Fsync => Durability::Fsync,
                    Sync::Process => Durability::Process,
                },
                ..StoreOptions::default()
            },
        };
        if let Some(path) = &self.report {
            try_to_write_beside(path)?;
        }
        let bar = progress::bytes(0, output);
        let mut show = |at: RunProgress| {
            bar.set_length(at.bytes_total);
            bar.set_position(at.bytes_read);
            bar.set_message(format!("{} records", at.records));
        };
        let ran = match &self.report {
            Some(_) => run_reported(&options, &mut show).map(|(summary, report)| (summary, Some(report))),
            None => run(&options, &mut show).map(|summary| (summary, None)),
        };
        bar.finish_and_clear();
        match ran {
            Ok((summary, report)) => {
                output.print(&item(&summary))?;
                if let Some((path, report)) = self.report.as_deref().zip(report) {
                    write_report(path, &report)?;
                }
            }
            Err(RunError::Ruleset(reports)) => {
                rules_dir::show(&reports);
                bail!("the rules in `{}` have errors", self.rules.display());
            }
            Err(error) => return Err(of_run(error)),
        }
        Ok(Status::Done)
    }
}

/// A run should not end without its report because of a folder that is not there.
fn try_to_write_beside(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(folder).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(())
}

fn write_report(path: &Path, report: &RunReport) -> Result<()> {
    let mut text = serde_json::to_vec(report)?;
    text.push(b'\n');
    fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    if report.records_before > 0 {
        eprintln!(
            "`{}` tells of the {} records that were new; {} had been consumed before",
            path.display(),
            report.records,
            report.records_before
        );
    }
    Ok(())
}

fn time(text: &str) -> Result<Timestamp, String> {
    let parsed = text.parse::<jiff::Timestamp>().map_err(|error| error.to_string())?;
    Ok(Timestamp(parsed.as_millisecond()))
}

/// Counts since the data directory was made, so that a second run tells the same.
fn item(summary: &RunSummary) -> Item {
    let totals = &summary.totals;
    let names = &summary.ruleset.names;
    let by_rule = |counts: &std::collections::BTreeMap<u32, u64>| {
        Item::counts(counts.iter().map(|(number, count)| (names.name(*number), *count)))
    };
    let counts = |counts: &std::collections::BTreeMap<String, u64>| Item::counts(counts.clone());
    Item::fields([
        ("events", totals.events.into()),
        ("new_events", summary.new_records.into()),
        ("duplicates", totals.duplicates.into()),
        ("dead_letters", counts(&totals.dead_letters)),
        ("changes", counts(&totals.changes)),
        ("offers", totals.offers.into()),
        ("reviews", totals.reviews.into()),
        ("notices", totals.notices.into()),
        ("accounts", summary.accounts.into()),
        ("fired", by_rule(&totals.fired)),
        ("not_evaluated", by_rule(&totals.not_evaluated)),
        ("guards", counts(&totals.guards)),
        ("overridden", counts(&totals.overridden)),
        ("compensations_missed", totals.compensations_missed.into()),
        ("cascades_cut", totals.cascades_cut.into()),
        ("pending_drift", totals.pending_drift.into()),
        ("bytes_per_account", summary.bytes_per_account.into()),
        ("file_bytes", summary.file_bytes.into()),
        ("ruleset_hash", (&*summary.ruleset.hash).into()),
        ("state_digest", summary.state_digest.as_str().into()),
        ("outputs_digest", summary.outputs_digest.as_str().into()),
    ])
}
