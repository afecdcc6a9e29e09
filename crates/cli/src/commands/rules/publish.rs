//! `headroom rules publish`: a ruleset as a control record, to the control topic or to a running service.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Result, bail};
use clap::Args;
use headroom_engine::{Timestamp, content_hash};
use headroom_node::kafka::{Topic, event_to_send};
use headroom_node::ruleset_event;
use headroom_node::view::Item;
use headroom_sources::read_ruleset_dir;
use headroom_wire::{event_to_json, proto};

use crate::client::{Client, JSON, Reply};
use crate::failure::{Coded, Status};
use crate::output::Output;
use crate::settings::Settings;
use crate::{kafka, rules_dir};

/// Which ruleset, and where to.
#[derive(Args)]
pub struct Command {
    /// Its directory
    #[arg(value_name = "DIR")]
    rules: PathBuf,
    /// A running service without Kafka, such as http://127.0.0.1:8090; without it the control topic of the settings
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

impl Command {
    /// Does it. Errors: the ruleset is wrong, or was not taken.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let ruleset = rules_dir::load(&self.rules)?;
        let files = read_ruleset_dir(&self.rules)?;
        let event = ruleset_event(&files, now());
        let to = match &self.server {
            Some(server) => to_server(server, &event)?,
            None => self.to_topic(&event)?,
        };
        output.print(&Item::fields([
            ("ruleset_hash", content_hash(&files).into()),
            ("rules", u64::try_from(ruleset.rules.len()).unwrap_or(u64::MAX).into()),
            ("published_to", to.into()),
        ]))?;
        Ok(Status::Done)
    }

    fn to_topic(&self, event: &proto::Event) -> Result<String> {
        let config = self.settings.load()?.kafka;
        let sender = kafka::sender(&config)?;
        sender.send(&event_to_send(event, &config)?, None).map_err(kafka::coded)?;
        sender.finish().map_err(kafka::coded)?;
        Ok(Topic::Control.name(&config.topic_prefix))
    }
}

fn to_server(server: &str, event: &proto::Event) -> Result<String> {
    let mut json = Vec::new();
    event_to_json(event, &mut json)?;
    match Client::new(server)?.post_events("wait=decided", JSON, &json)? {
        Reply::Answered(answer) => match answer.records.into_iter().find(|record| record.status == "rejected") {
            Some(refused) => bail!("the service refused it: {}: {}", refused.code, refused.detail),
            None => Ok(server.to_owned()),
        },
        Reply::Again { .. } => Err(Coded { code: "HR0512", message: "the service is busy".to_owned() }.into()),
        Reply::Unknown(why) => bail!("nobody knows whether the ruleset was taken: {why}"),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
