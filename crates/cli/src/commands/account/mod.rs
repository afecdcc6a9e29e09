//! `headroom account`: one file per subcommand. Data directories are opened read-only.

mod dump;
mod page;
mod show;

use anyhow::Result;
use clap::Subcommand;

use crate::failure::Status;
use crate::output::Output;

/// What to look at.
#[derive(Subcommand)]
pub enum Command {
    /// Everything about one account
    Show(show::Command),
    /// All accounts, one JSON object a line, sorted by id
    Dump(dump::Command),
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        match self {
            Self::Show(command) => command.run(output),
            Self::Dump(command) => command.run(output),
        }
    }
}
