//! `headroom account dump`: all accounts.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headroom_node::view::{Names, account};

use crate::failure::Status;
use crate::output::Output;

/// Which data directory.
#[derive(Args)]
pub struct Command {
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

impl Command {
    /// Does it: JSON lines whatever the format, in the order in which the store keeps accounts, that of their ids.
    pub fn run(&self, _: &Output) -> Result<Status> {
        let reader = super::open(&self.data_dir)?;
        let names = Names::read(&reader)?;
        let mut stdout = BufWriter::new(io::stdout().lock());
        for each in reader.accounts()? {
            writeln!(stdout, "{}", account(&each?, &names).json())?;
        }
        stdout.flush()?;
        Ok(Status::Done)
    }
}
