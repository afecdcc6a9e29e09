//! `headroom generate`: a made-up season.

use std::io;
use std::path::PathBuf;

use anyhow::{Error, Result};
use clap::Args;
use headroom_node::view::Item;
use headroom_sources::{EventWriter, GenerateSummary, SeasonPlan, SourceError, Written, generate};
use indicatif::ProgressBar;

use crate::failure::{Status, Usage};
use crate::output::Output;
use crate::progress;

/// Which season.
#[derive(Args)]
pub struct Command {
    /// Number of accounts; one in five is a merchant
    #[arg(long, value_name = "N")]
    accounts: u64,
    /// Length in days; the season ends some days after Double 11 of 2025
    #[arg(long, value_name = "D")]
    days: u32,
    /// Chooses the season among all of its size
    #[arg(long, value_name = "S")]
    seed: u64,
    /// The event file: .ndjson or .pb, also .gz or .zst
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let bar = progress::count(output).with_message("events");
        let made = self.generate(&bar);
        bar.finish_and_clear();
        let (made, written) = made?;
        output.print(&summary(self, made, written))?;
        Ok(Status::Done)
    }

    fn generate(&self, bar: &ProgressBar) -> Result<(GenerateSummary, Written)> {
        let plan = SeasonPlan { accounts: self.accounts, days: self.days, seed: self.seed };
        let mut writer = EventWriter::create(&self.output)?;
        let mut write = |event| writer.write(&event).map_err(io::Error::other);
        let made = generate(&plan, &mut write, &mut |events| bar.set_position(events)).map_err(cause)?;
        Ok((made, writer.finish()?))
    }
}

/// What a failed season comes from: a plan that is none, or a file that cannot be written.
fn cause(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::InvalidInput {
        return Usage(error.to_string()).into();
    }
    match error.downcast::<SourceError>() {
        Ok(source) => source.into(),
        Err(error) => error.into(),
    }
}

fn summary(plan: &Command, made: GenerateSummary, written: Written) -> Item {
    let total = made.events_total();
    Item::fields([
        ("seed", plan.seed.into()),
        ("days", plan.days.into()),
        ("accounts", plan.accounts.into()),
        ("accounts_by_segment", Item::counts(made.accounts)),
        ("events", total.into()),
        ("events_by_type", Item::counts(made.events)),
        ("promotions", Item::list(made.promotions)),
        ("duplicates", made.duplicates.into()),
        ("late", made.late.into()),
        ("bytes", written.bytes.into()),
    ])
}
