//! `headroom completions`: what a shell needs to complete command lines.

use anyhow::Result;
use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::{Shell, generate};

use crate::failure::Status;
use crate::output::{Output, text};

/// For which shell.
#[derive(Args)]
pub struct Command {
    /// The shell
    shell: Kind,
}

/// The shells whose scripts are tested.
#[derive(ValueEnum, Clone, Copy)]
enum Kind {
    /// source <(headroom completions bash)
    Bash,
    /// headroom completions zsh > "${fpath[1]}/_headroom"
    Zsh,
    /// headroom completions fish | source
    Fish,
}

impl Command {
    /// Prints the script.
    pub fn run(&self, _: &Output) -> Result<Status> {
        let shell = match self.shell {
            Kind::Bash => Shell::Bash,
            Kind::Zsh => Shell::Zsh,
            Kind::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        generate(shell, &mut crate::Arguments::command(), "headroom", &mut script);
        text(&String::from_utf8(script)?)?;
        Ok(Status::Done)
    }
}
