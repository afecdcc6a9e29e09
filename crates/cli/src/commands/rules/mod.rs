//! `headroom rules`: one file per subcommand.

mod check;
mod conflicts;
mod coverage;
mod eval;
mod explain;
mod facts;
mod fmt;
mod mutate;
mod new;
mod publish;
mod schema;
mod test;
mod tree;
mod watch;

use anyhow::Result;
use clap::Subcommand;

use crate::failure::Status;
use crate::output::Output;

/// What to do with rules.
#[derive(Subcommand)]
pub enum Command {
    /// Find everything that is wrong with a ruleset
    Check(check::Command),
    /// Prove what rules are to each other: contradictory, shadowed, dead, and more
    Conflicts(conflicts::Command),
    /// Run the tests that stand beside the rules
    Test(test::Command),
    /// Change each rule in every small way, and find what its tests do not notice
    Mutate(mutate::Command),
    /// Find what event files never reach: rules, guards, features
    Coverage(coverage::Command),
    /// Begin a rule and its test, which pass at once
    New(new::Command),
    /// Lay out rules, tests, settings and facts in their one form
    Fmt(fmt::Command),
    /// Say what a rule does and reads; with an account, what each part of its condition gives
    Explain(explain::Command),
    /// Print the JSON Schema of rule, test, settings or facts files, for editors
    Schema(schema::Command),
    /// Evaluate an expression over facts
    Eval(eval::Command),
    /// Put a ruleset into force, in its place in the stream of events
    Publish(publish::Command),
}

impl Command {
    /// Does it.
    pub fn run(&self, output: &Output) -> Result<Status> {
        match self {
            Self::Check(command) => command.run(output),
            Self::Conflicts(command) => command.run(output),
            Self::Test(command) => command.run(output),
            Self::Mutate(command) => command.run(output),
            Self::Coverage(command) => command.run(output),
            Self::New(command) => command.run(output),
            Self::Fmt(command) => command.run(output),
            Self::Explain(command) => command.run(output),
            Self::Schema(command) => command.run(output),
            Self::Eval(command) => command.run(output),
            Self::Publish(command) => command.run(output),
        }
    }
}
