//! `headroom rules schema`: JSON Schemas, from which editors complete and check a ruleset's files.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use headroom_node::view::Item;

use crate::failure::Status;
use crate::output::{Output, text};

/// The schemas by file name.
const SCHEMAS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

/// Which schema.
#[derive(Args)]
pub struct Command {
    /// Of which files
    #[arg(value_enum, required_unless_present = "dir")]
    kind: Option<Kind>,
    /// Write all of them into this directory instead
    #[arg(long, value_name = "DIR", conflicts_with = "kind")]
    dir: Option<PathBuf>,
}

/// The kinds of files.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// `*.rule.yaml`
    Rule,
    /// `*.table.yaml`
    Table,
    /// `*.test.yaml`
    Test,
    /// `ruleset.yaml`
    Ruleset,
    /// `facts.yaml`
    Facts,
    /// `strategies.yaml`
    Strategies,
    /// `conflicts.yaml`
    Conflicts,
}

impl Command {
    /// Prints one as it is, whatever the format, or writes all.
    pub fn run(&self, output: &Output) -> Result<Status> {
        if let Some(dir) = &self.dir {
            fs::create_dir_all(dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
            for (name, schema) in SCHEMAS {
                let target = dir.join(name);
                fs::write(&target, schema).with_context(|| format!("cannot write `{}`", target.display()))?;
            }
            output.print(&Item::fields([("written", Item::list(SCHEMAS.iter().map(|(name, _)| *name)))]))?;
        } else if let Some(kind) = self.kind {
            text(schema(kind))?;
        }
        Ok(Status::Done)
    }
}

fn schema(kind: Kind) -> &'static str {
    let wanted = match kind {
        Kind::Rule => "rule.schema.json",
        Kind::Table => "table.schema.json",
        Kind::Test => "test.schema.json",
        Kind::Ruleset => "ruleset.schema.json",
        Kind::Facts => "facts.schema.json",
        Kind::Strategies => "strategies.schema.json",
        Kind::Conflicts => "conflicts.schema.json",
    };
    SCHEMAS.iter().find(|(name, _)| *name == wanted).map_or("", |(_, text)| text)
}
