//! `headroom topics check`: everything that is wrong with the topics.

use anyhow::Result;
use clap::Args;
use headroom_node::kafka::{Checked, Problem, ProblemCode, check};
use headroom_node::view::Item;

use crate::failure::Status;
use crate::output::Output;
use crate::progress;
use crate::settings::Settings;

use super::{refused, tell};

/// By which settings.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    settings: Settings,
    /// The journal may begin late: snapshots hold what came before
    #[arg(long)]
    trimmed: bool,
}

impl Command {
    /// Does it. Findings: something is wrong.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let config = self.settings.load()?;
        let bar = progress::count(output).with_message("asking the cluster");
        let checked = check(&config.kafka, None);
        bar.finish_and_clear();
        match checked {
            Ok(checked) => {
                output.print(&item(&checked))?;
                Ok(Status::Done)
            }
            Err(problems) => self.tell(output, problems),
        }
    }

    fn tell(&self, output: &Output, mut problems: Vec<Problem>) -> Result<Status> {
        if self.trimmed {
            problems.retain(|problem| problem.code != ProblemCode::Trimmed.code());
        }
        if problems.is_empty() {
            output.print(&Item::fields([("good", true.into())]))?;
            return Ok(Status::Done);
        }
        refused(&problems).map_or_else(|| tell(output, &problems), Err)
    }
}

fn item(checked: &Checked) -> Item {
    let first = checked.genesis.iter().flatten().next();
    let topic = |found: &headroom_node::kafka::FoundTopic| {
        Item::fields([
            ("topic", found.name.as_str().into()),
            ("id", found.id.as_str().into()),
            ("partitions", u64::from(found.partitions).into()),
            ("replication", u64::from(found.replicas).into()),
        ])
    };
    Item::fields([
        ("good", true.into()),
        ("cluster_id", checked.cluster_id.as_str().into()),
        ("shards", u64::from(checked.shards).into()),
        ("ruleset_hash", first.map(|genesis| genesis.ruleset_hash.as_str()).into()),
        ("topics", Item::list(checked.topics.values().map(topic))),
    ])
}
