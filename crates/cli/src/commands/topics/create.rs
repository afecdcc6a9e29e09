//! `headroom topics create`: topics and genesis where they are missing.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use headroom_node::kafka::{Created, FirstRuleset, StartAt, create};
use headroom_node::view::Item;
use headroom_sources::read_ruleset_dir;

use crate::failure::Status;
use crate::output::Output;
use crate::settings::Settings;
use crate::{progress, rules_dir};

use super::{refused, tell};

/// By which settings, and with which ruleset.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    settings: Settings,
    /// The directory of the first ruleset; without it the built-in one
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Where shards begin to read topics that hold records already
    #[arg(long, value_enum, default_value_t = From::Beginning)]
    from: From,
}

/// Where shards begin to read.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum From {
    /// With the first record that is there
    Beginning,
    /// With the next to be written
    End,
}

impl Command {
    /// Does it. Findings: what is there is wrong, and is left as it is.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let config = self.settings.load()?;
        rules_dir::load_or_builtin(self.rules.as_deref())?;
        let files = match &self.rules {
            Some(dir) => read_ruleset_dir(dir)?,
            None => rules_dir::builtin_files(),
        };
        let start = match self.from {
            From::Beginning => StartAt::Beginning,
            From::End => StartAt::End,
        };
        let rules = FirstRuleset { files: &files, is_named: self.rules.is_some() };
        let bar = progress::count(output).with_message("making topics");
        let created = create(&config.kafka, rules, start);
        bar.finish_and_clear();
        match created {
            Ok(created) => {
                output.print(&item(&created))?;
                Ok(Status::Done)
            }
            Err(problems) => refused(&problems).map_or_else(|| tell(output, &problems), Err),
        }
    }
}

fn item(created: &Created) -> Item {
    let first = created.checked.genesis.iter().flatten().next();
    Item::fields([
        ("cluster_id", created.checked.cluster_id.as_str().into()),
        ("shards", u64::from(created.checked.shards).into()),
        ("ruleset_hash", first.map(|genesis| genesis.ruleset_hash.as_str()).into()),
        ("topics_made", Item::list(created.topics.iter().map(String::as_str))),
        ("genesis_written", u64::try_from(created.genesis.len()).unwrap_or(u64::MAX).into()),
    ])
}
