//! `headroom account show`: everything about one account.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use headroom_node::view::{Names, account};

use crate::failure::Status;
use crate::output::Output;

/// Which account.
#[derive(Args)]
pub struct Command {
    /// The account's id
    id: String,
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

impl Command {
    /// Does it. Amounts are minor units of the account's currency, times are UTC.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let reader = super::open(&self.data_dir)?;
        let Some(found) = reader.account(&self.id)? else {
            bail!("there is no account `{}` in `{}`", self.id, self.data_dir.display());
        };
        output.print(&account(&found, &Names::read(&reader)?))?;
        Ok(Status::Done)
    }
}
