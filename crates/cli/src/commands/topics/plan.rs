//! `headroom topics plan`: what the topics should be. Asks nobody.

use anyhow::Result;
use clap::Args;
use headroom_node::kafka::{PlannedTopic, plan};
use headroom_node::view::Item;

use crate::failure::Status;
use crate::output::Output;
use crate::settings::Settings;

/// By which settings.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    settings: Settings,
}

impl Command {
    /// Prints it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let config = self.settings.load()?;
        output.print(&Item::fields([("topics", Item::list(plan(&config.kafka).iter().map(row)))]))?;
        Ok(Status::Done)
    }
}

fn row(topic: &PlannedTopic) -> Item {
    let mut parts = vec![
        ("topic".to_owned(), topic.name.as_str().into()),
        ("partitions".to_owned(), u64::from(topic.partitions).into()),
        ("replication".to_owned(), u64::from(topic.replicas).into()),
    ];
    parts.extend(topic.settings.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())));
    Item::Fields(parts)
}
