//! The subcommands. A new one is a file with a `Command` of its own, and three lines here.

mod account;
mod bench;
mod changes;
mod completions;
mod config;
mod dead_letters;
mod explain;
mod generate;
mod import;
mod journal;
mod report;
mod rules;
mod run;
mod scenario;
mod send;
mod serve;
mod snapshot;
mod topics;

use anyhow::Result;
use clap::Subcommand;

use crate::failure::Status;
use crate::output::Output;

/// What the first word after `headroom` may be.
#[derive(Subcommand)]
pub enum Command {
    /// Make an event file from a CSV set, by a mapping file
    Import(import::Command),
    /// Make up a season of events
    Generate(generate::Command),
    /// Run event files through a durable shard
    Run(run::Command),
    /// Make a page of what a run did
    Report(report::Command),
    /// Check, test, explain and try out rules
    #[command(subcommand)]
    Rules(rules::Command),
    /// Play scenarios, and compare what comes with what they say
    Scenario(scenario::Command),
    /// Look at accounts of a data directory
    #[command(subcommand)]
    Account(account::Command),
    /// Look at what a run decided
    #[command(subcommand)]
    Changes(changes::Command),
    /// Look at records that could not be taken, and send them again
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Look at what each commit read and gave out, and check it
    #[command(subcommand)]
    Journal(journal::Command),
    /// Copy shards to where a lost disk does not take them, and bring them back
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Serve: take events over HTTP, decide, publish
    Serve(serve::Command),
    /// Send event files to a running service; also a load generator
    Send(send::Command),
    /// Measure this machine with a generated season
    Bench(bench::Command),
    /// Show and check the service's settings
    #[command(subcommand)]
    Config(config::Command),
    /// Plan, make and check the topics of Kafka
    #[command(subcommand)]
    Topics(topics::Command),
    /// Print a script that completes command lines
    Completions(completions::Command),
    /// Explain an error code or a reason code
    Explain(explain::Command),
}

impl Command {
    /// Whether its result can be a page for a browser.
    pub fn has_page(&self) -> bool {
        matches!(self, Self::Rules(rules::Command::Conflicts(_)))
    }

    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        match self {
            Self::Import(command) => command.run(output),
            Self::Generate(command) => command.run(output),
            Self::Run(command) => command.run(output),
            Self::Report(command) => command.run(output),
            Self::Rules(command) => command.run(output),
            Self::Scenario(command) => command.run(output),
            Self::Account(command) => command.run(output),
            Self::Changes(command) => command.run(output),
            Self::DeadLetters(command) => command.run(output),
            Self::Journal(command) => command.run(output),
            Self::Snapshot(command) => command.run(output),
            Self::Send(command) => command.run(output),
            Self::Serve(command) => command.run(output),
            Self::Bench(command) => command.run(output),
            Self::Config(command) => command.run(output),
            Self::Topics(command) => command.run(output),
            Self::Completions(command) => command.run(output),
            Self::Explain(command) => command.run(output),
        }
    }
}
