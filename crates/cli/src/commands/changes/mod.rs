//! `headroom changes`: one file per subcommand. They read what `headroom run --out` wrote.

mod details;
mod entry;
mod show;

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use headroom_sources::{Encoding, EventReader};
use headroom_wire::{output_from_json, output_from_protobuf, proto};

use crate::failure::Status;
use crate::output::Output;

/// What to do with them.
#[derive(Subcommand)]
pub enum Command {
    /// Every limit change in order: what changed, from what to what, why
    Show(show::Command),
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        match self {
            Self::Show(command) => command.run(output),
        }
    }
}

/// Hands over each output of a file: .ndjson or .pb, also .gz or .zst.
fn read(path: &Path, mut take: impl FnMut(proto::output::Body)) -> Result<()> {
    let mut file = EventReader::open(path)?;
    while let Some(record) = file.read()? {
        let place = || format!("record {} of `{}` is no output", record.index, path.display());
        if record.cut.is_some() {
            bail!("{}: it is too long", place());
        }
        let output = match record.encoding {
            Encoding::Json => output_from_json(record.bytes),
            Encoding::Protobuf => output_from_protobuf(record.bytes),
        };
        let Some(body) = output.with_context(place)?.body else { bail!("{}: it is empty", place()) };
        take(body);
    }
    Ok(())
}
