//! `headroom dead-letters list`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headroom_node::view::Item;

use crate::client::Client;
use crate::failure::Status;
use crate::output::{Format, Output};
use crate::settings::Settings;

use super::letter::{Selection, item, row};
use super::read::{from_data_dir, from_server, from_topics};

/// Where from, and which.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    selection: Selection,
    /// So many at most, the oldest first
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// Where they are kept.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// A data directory that nobody runs on
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A running service, such as http://127.0.0.1:8090
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The topic of dead letters of the settings
    #[arg(long)]
    kafka: bool,
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let mut found = Vec::new();
        let mut more = false;
        let take = |letter| {
            if self.selection.takes(&letter) {
                more = found.len() == self.limit;
                if !more {
                    found.push(letter);
                }
            }
            Ok(!more)
        };
        match (&self.source.data_dir, &self.source.server) {
            (Some(dir), _) => from_data_dir(dir, take)?,
            (None, None) => from_topics(&self.settings.load()?.kafka, take)?,
            (None, server) => from_server(&Client::new(server.as_deref().unwrap_or_default())?, take)?,
        }
        let shown = if output.format == Format::Json { item } else { row };
        output.print(&Item::fields([("more", more.into()), ("dead_letters", Item::list(found.iter().map(shown)))]))?;
        Ok(Status::Done)
    }
}
