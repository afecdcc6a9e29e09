//! `headroom dead-letters`: records that could not be taken, one file per subcommand.

mod letter;
mod list;
mod offline;
mod online;
mod read;
mod replay;
mod topics;

use anyhow::Result;
use clap::Subcommand;

use crate::failure::Status;
use crate::output::Output;

/// What to do with them.
#[derive(Subcommand)]
pub enum Command {
    /// What could not be taken, why, and where it stood
    List(list::Command),
    /// Send what could not be taken again, after the cause is mended
    Replay(replay::Command),
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        match self {
            Self::List(command) => command.run(output),
            Self::Replay(command) => command.run(output),
        }
    }
}
