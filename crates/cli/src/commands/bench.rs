//! `headroom bench`: what this machine does with a generated season, and where the time goes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use headroom_node::view::Item;
use headroom_node::{LaneTimes, Merge, RunOptions, RunSummary, run};
use headroom_sources::{EventWriter, SeasonPlan, generate, read_ruleset_dir};
use headroom_store::{Durability, StoreOptions};

use crate::failure::Status;
use crate::output::Output;
use crate::progress;

/// How large a season to run.
#[derive(Args)]
pub struct Command {
    /// The ruleset
    #[arg(long, value_name = "DIR", default_value = "rules")]
    rules: PathBuf,
    /// Accounts of the season
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    accounts: u64,
    /// Days of the season
    #[arg(long, value_name = "D", default_value_t = 1)]
    days: u32,
    /// Records per batch
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    batch_records: u32,
    /// A folder for the season and the store; about 1.2 KB per account is written, and removed at the end
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
}

impl Command {
    /// Generates the season, decodes it alone (what the loop cannot be faster than), then runs it, durable.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let folder = tempfile::Builder::new().prefix("headroom-bench-").tempdir_in(&self.dir)?;
        let season = folder.path().join("season.pb");
        let events = self.generate(&season, output)?;
        let decoding = decode_alone(&season)?;
        let (summary, running) = self.run_durable(folder.path(), &season, output)?;
        output.print(&report(events, decoding, running, &summary))?;
        Ok(Status::Done)
    }

    fn generate(&self, season: &Path, output: &Output) -> Result<u64> {
        let bar = progress::bytes(0, output);
        let mut writer = EventWriter::create(season)?;
        let plan = SeasonPlan { accounts: self.accounts, days: self.days, seed: 1 };
        let mut sink = |event| writer.write(&event).map_err(std::io::Error::other);
        let mut show = |events: u64| bar.set_message(format!("generating, {events} events"));
        generate(&plan, &mut sink, &mut show).context("the season was not generated")?;
        bar.finish_and_clear();
        Ok(writer.finish()?.events)
    }

    fn run_durable(&self, folder: &Path, season: &Path, output: &Output) -> Result<(RunSummary, Duration)> {
        let options = RunOptions {
            rules: read_ruleset_dir(&self.rules)?,
            events: vec![season.to_owned()],
            data_dir: folder.join("data"),
            out: folder.join("out.pb"),
            batch_records: usize::try_from(self.batch_records)?,
            until: None,
            store: StoreOptions { durability: Durability::Fsync, ..StoreOptions::default() },
        };
        let bar = progress::bytes(0, output);
        let mut last = Duration::ZERO;
        let started = Instant::now();
        let summary = run(&options, &mut |at| {
            bar.set_length(at.bytes_total);
            bar.set_position(at.bytes_read);
            last = started.elapsed();
        })?;
        bar.finish_and_clear();
        Ok((summary, last))
    }
}

/// Reads, decodes and merges without deciding anything.
fn decode_alone(season: &Path) -> Result<Duration> {
    let started = Instant::now();
    let mut merge = Merge::open(&[season.to_owned()], |_, _| 0)?;
    while merge.next_record()?.is_some() {}
    Ok(started.elapsed())
}

fn report(events: u64, decoding: Duration, running: Duration, summary: &RunSummary) -> Item {
    let LaneTimes { waiting, loading, stepping, publishing, committing } = summary.times;
    let share = |part: Duration| Item::from(per(part.as_nanos(), 100, running.as_nanos()));
    Item::fields([
        ("events", events.into()),
        ("accounts", summary.accounts.into()),
        ("run_events_per_s", rate(events, running).into()),
        ("decode_alone_events_per_s", rate(events, decoding).into()),
        ("step_events_per_s_of_one_core", rate(events, stepping).into()),
        ("run_to_decode_percent", per(decoding.as_nanos(), 100, running.as_nanos()).into()),
        ("bytes_per_account", summary.bytes_per_account.into()),
        ("file_bytes", summary.file_bytes.into()),
        (
            "percent_of_the_lane",
            Item::fields([
                ("waiting_for_records", share(waiting)),
                ("loading", share(loading)),
                ("stepping", share(stepping)),
                ("publishing", share(publishing)),
                ("committing", share(committing)),
            ]),
        ),
    ])
}

fn rate(events: u64, time: Duration) -> u64 {
    per(u128::from(events), 1_000_000_000, time.as_nanos())
}

fn per(part: u128, scale: u128, whole: u128) -> u64 {
    u64::try_from((part * scale).checked_div(whole).unwrap_or(0)).unwrap_or(u64::MAX)
}
