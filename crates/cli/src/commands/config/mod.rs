//! `headroom config`: the service's settings.

mod check;
mod show;

use anyhow::Result;
use clap::Subcommand;

use crate::failure::Status;
use crate::output::Output;

/// What to do with settings.
#[derive(Subcommand)]
pub enum Command {
    /// Print what is in force, and where each value came from
    Show(show::Command),
    /// Find everything that is wrong with a file
    Check(check::Command),
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        match self {
            Self::Show(command) => command.run(output),
            Self::Check(command) => command.run(output),
        }
    }
}
