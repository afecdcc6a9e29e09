//! `headroom account show`: everything about one account.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use headroom_engine::Account;
use headroom_node::view::{Item, Names, account, features};
use headroom_store::Reader;
use jiff::tz::TimeZone;

use crate::failure::Status;
use crate::output::{Format, Output, color_on_stdout, width};
use crate::{data_dir, zone};

use super::page::{History, Look, page, read};

/// Which account, and how it is shown.
#[derive(Args)]
pub struct Command {
    /// The account's id
    id: String,
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// So many of the last changes, offers and reviews
    #[arg(long, value_name = "N", default_value_t = 20)]
    history: usize,
    /// Everything that is stored, instead of the page: amounts in minor units, times in UTC
    #[arg(long)]
    all: bool,
    /// Show times in this IANA time zone
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone::parse)]
    zone: TimeZone,
    /// Columns of the page; without it those of the terminal
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(60..))]
    width: Option<u16>,
}

impl Command {
    /// Does it. JSON has everything, features as rules read them included, amounts in minor units, times in UTC, but those of the history in the zone.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let (reader, found) = self.find()?;
        let names = Names::read(&reader)?;
        if self.all && output.format == Format::Table {
            output.print(&account(&found, &names))?;
            return Ok(Status::Done);
        }
        let history = read(&reader, &self.id, self.history, &self.zone)?;
        if output.format == Format::Json {
            let features = features(&reader, &found)?;
            output.print(&with_rest(account(&found, &names), features, &history))?;
        } else {
            let width = self.width.map_or_else(width, usize::from);
            let look = Look { width, color: color_on_stdout(), zone: self.zone.clone() };
            output.print_as(&Item::Null, &page(&found, &names, &history, &look))?;
        }
        Ok(Status::Done)
    }

    fn find(&self) -> Result<(Reader, Account)> {
        for (_, reader) in data_dir::open(&self.data_dir)? {
            if let Some(found) = reader.account(&self.id)? {
                return Ok((reader, found));
            }
        }
        bail!("there is no account `{}` in `{}`", self.id, self.data_dir.display())
    }
}

fn with_rest(account: Item, features: Option<(Item, Item)>, history: &[History]) -> Item {
    let Item::Fields(mut parts) = account else { return account };
    if let Some((features, of_blocks)) = features {
        parts.push(("features".to_owned(), features));
        parts.push(("features_by_block".to_owned(), of_blocks));
    }
    parts.push(("history".to_owned(), Item::list(history.iter().map(History::item))));
    Item::Fields(parts)
}
