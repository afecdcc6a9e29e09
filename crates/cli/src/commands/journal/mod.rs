//! `headroom journal`: what each commit read and gave out, one file per subcommand.

mod kafka;
mod show;
mod verify;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use headroom_store::Reader;
use headroom_wire::{Journal, decode_journal};

use crate::failure::Status;
use crate::output::Output;

/// Records that are read at a time.
const PAGE: usize = 500;

/// What to do with it.
#[derive(Subcommand)]
pub enum Command {
    /// A line for each commit
    Show(show::Command),
    /// Check the chain of digests, and the outputs against it
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

/// Whether there is such a shard.
fn shard_in_range(shard: u32, shards: u32) -> Result<()> {
    if shard >= shards {
        bail!("there is no shard {shard}: there are {shards}");
    }
    Ok(())
}

/// The next records from a sequence on, with the sequences under which they are kept.
fn page(reader: &Reader, from: u64, limit: usize) -> Result<Vec<(u64, Journal)>> {
    let stored = reader.journal_from(from, limit)?;
    let decoded = |(seq, bytes): (u64, Vec<u8>)| {
        let journal = decode_journal(&bytes).with_context(|| format!("journal record {seq} cannot be read"))?;
        Ok((seq, journal))
    };
    stored.into_iter().map(decoded).collect()
}

/// Lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
