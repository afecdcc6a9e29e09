//! `headroom account dump`: all accounts.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headroom_node::view::{Names, account};

use crate::data_dir;
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
    /// Does it: JSON lines whatever the format, shard by shard in the order of ids.
    pub fn run(&self, _: &Output) -> Result<Status> {
        let mut stdout = BufWriter::new(io::stdout().lock());
        for (_, reader) in data_dir::open(&self.data_dir)? {
            let names = Names::read(&reader)?;
            for each in reader.accounts()? {
                writeln!(stdout, "{}", account(&each?, &names).json())?;
            }
        }
        stdout.flush()?;
        Ok(Status::Done)
    }
}
