//! `headroom changes`: one file per subcommand. They read what `headroom run --out` wrote.

mod details;
pub mod entry;
mod show;
mod verify;

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
    /// Evaluate every change of an output file again, from what it says itself
    Verify(verify::Command),
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        match self {
            Self::Show(command) => command.run(output),
            Self::Verify(command) => command.run(output),
        }
    }
}

/// Where an output stood in its file, and how far reading has come.
#[derive(Clone, Copy)]
struct Place {
    /// Line of an NDJSON file, record of a `.pb` file; from 1.
    line: u64,
    bytes_read: u64,
    bytes_total: u64,
}

/// Hands over each output of a file: .ndjson or .pb, also .gz or .zst.
fn read(path: &Path, mut take: impl FnMut(Place, proto::output::Body)) -> Result<()> {
    let mut file = EventReader::open(path)?;
    loop {
        let (bytes_read, bytes_total) = (file.bytes_read(), file.bytes_total());
        let Some(record) = file.read()? else { return Ok(()) };
        let place = || format!("record {} of `{}` is no output", record.index, path.display());
        if record.cut.is_some() {
            bail!("{}: it is too long", place());
        }
        let output = match record.encoding {
            Encoding::Json => output_from_json(record.bytes),
            Encoding::Protobuf => output_from_protobuf(record.bytes),
        };
        let Some(body) = output.with_context(place)?.body else { bail!("{}: it is empty", place()) };
        take(Place { line: record.index + 1, bytes_read, bytes_total }, body);
    }
}
