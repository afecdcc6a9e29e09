//! `headroom topics`: one file per subcommand.

mod check;
mod create;
mod plan;

use anyhow::{Error, Result};
use clap::Subcommand;
use headroom_node::kafka::Problem;
use headroom_node::view::Item;

use crate::failure::{Coded, Status};
use crate::output::Output;

/// What to do with topics.
#[derive(Subcommand)]
pub enum Command {
    /// List the topics that Headroom needs, with their settings
    Plan(plan::Command),
    /// Make the topics that are missing, and the first record of every shard's journal
    Create(create::Command),
    /// Find everything that is wrong with the topics
    Check(check::Command),
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        match self {
            Self::Plan(command) => command.run(output),
            Self::Create(command) => command.run(output),
            Self::Check(command) => command.run(output),
        }
    }
}

/// Problems as a result: their list, and exit code 1.
fn tell(output: &Output, problems: &[Problem]) -> Result<Status> {
    output.print(&Item::fields([("good", false.into()), ("problems", Item::list(problems.iter().map(row)))]))?;
    eprintln!("see: headroom explain {}", problems.first().map_or("HR0602", |first| first.code));
    Ok(Status::Findings)
}

fn row(problem: &Problem) -> Item {
    let topic = Some(problem.topic.as_str()).filter(|topic| !topic.is_empty());
    Item::fields([("code", problem.code.into()), ("topic", topic.into()), ("detail", problem.detail.as_str().into())])
}

/// A single problem that kept us from looking is an error, not a finding.
fn refused(problems: &[Problem]) -> Option<Error> {
    let [Problem { code: code @ ("HR0601" | "HR0602" | "HR0603"), detail, .. }] = problems else { return None };
    Some(Coded { code, message: detail.clone() }.into())
}
