//! `headroom config check`: everything that is wrong with a file of settings, at once.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headroom_node::view::Item;
use headroom_node::{Config, ConfigError};

use crate::failure::Status;
use crate::output::{Format, Output};
use crate::rules_dir;

/// Which file.
#[derive(Args)]
pub struct Command {
    /// The file
    file: PathBuf,
}

impl Command {
    /// Findings are rendered on stderr; the summary is the result.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let loaded = Config::load(Some(&self.file), &[]);
        let reports = loaded.as_ref().err().map_or(&[][..], |error| &error.reports);
        rules_dir::show(reports);
        let errors = loaded.as_ref().err().map_or(0, ConfigError::count);
        let hash = loaded.as_ref().ok().map(Config::hash);
        let mut summary = vec![("errors".to_owned(), errors.into()), ("config_hash".to_owned(), hash.into())];
        if output.format == Format::Json {
            summary.push(("diagnostics".to_owned(), Item::List(rules_dir::findings(reports))));
        }
        output.print(&Item::Fields(summary))?;
        Ok(if loaded.is_ok() { Status::Done } else { Status::Findings })
    }
}
