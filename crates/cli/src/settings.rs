//! The options that say which settings the service has.

use std::path::PathBuf;

use anyhow::{Error, Result};
use clap::Args;
use headroom_node::Config;

use crate::failure::Coded;
use crate::rules_dir;

/// A file, and what stands above it.
#[derive(Args)]
pub struct Settings {
    /// A TOML file with settings; those that it does not mention have their defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting that stands above the file, like http.listen=127.0.0.1:9000
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Settings {
    /// The settings in force. Where they are wrong all findings stand on stderr, and the error has the first's code.
    pub fn load(&self) -> Result<Config> {
        self.load_with(&[])
    }

    /// As [`Self::load`], with pairs `KEY=VALUE` above all others.
    pub fn load_with(&self, above: &[String]) -> Result<Config> {
        let sets: Vec<String> = self.set.iter().chain(above).cloned().collect();
        Config::load(self.config.as_deref(), &sets).map_err(|error| {
            rules_dir::show(&error.reports);
            Error::new(Coded { code: error.code(), message: error.to_string() })
        })
    }
}
