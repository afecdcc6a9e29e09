//! `headroom snapshot`: copies of shards, one file per subcommand.

mod create;
mod list;
mod place;
mod restore;
mod verify;

use anyhow::Result;
use clap::Subcommand;

use crate::failure::Status;
use crate::output::Output;

/// What to do with them.
#[derive(Subcommand)]
pub enum Command {
    /// Copy the shards of a data directory that nobody runs on
    Create(create::Command),
    /// What there is
    List(list::Command),
    /// Fetch every file and compare it with what was sent
    Verify(verify::Command),
    /// Bring shards back, each from its newest copy that is whole
    Restore(restore::Command),
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        match self {
            Self::Create(command) => command.run(output),
            Self::List(command) => command.run(output),
            Self::Verify(command) => command.run(output),
            Self::Restore(command) => command.run(output),
        }
    }
}
