//! `headroom serve`: the embedded service, with its HTTP interface.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use headroom_engine::Ruleset;
use headroom_node::{Config, HostRules, RunError, host, telemetry};
use headroom_sources::read_ruleset_dir;

use crate::failure::{Status, of_run};
use crate::output::Output;
use crate::rules_dir;
use crate::settings::Settings;

/// What to serve, and where.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    settings: Settings,
    /// The data directory; short for --set node.data_dir
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The ruleset to begin with, and to change to; short for --set rules.dir
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Address and port; short for --set http.listen
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Shards of a new data directory; short for --set node.shards
    #[arg(long, value_name = "N")]
    shards: Option<u32>,
}

impl Command {
    /// Does it, until SIGINT or SIGTERM.
    pub fn run(&self, _: &Output) -> Result<Status> {
        let config = self.settings.load_with(&self.sets())?;
        let telemetry = telemetry::init(&config.telemetry).context("cannot set up telemetry")?;
        let rules = rules(&config)?;
        Ruleset::load(&rules.files).map_err(|reports| of_run(RunError::Ruleset(reports)))?;
        let listening = |address| eprintln!("headroom: serving on http://{address}");
        host(&config, rules, telemetry, listening).map_err(of_run)?;
        Ok(Status::Done)
    }

    fn sets(&self) -> Vec<String> {
        let text = |key: &str, value: String| format!("{key}={value}");
        let path = |key: &str, value: &PathBuf| text(key, value.display().to_string());
        std::iter::empty()
            .chain(self.data_dir.iter().map(|each| path("node.data_dir", each)))
            .chain(self.rules.iter().map(|each| path("rules.dir", each)))
            .chain(self.listen.iter().map(|each| text("http.listen", each.clone())))
            .chain(self.shards.iter().map(|each| text("node.shards", each.to_string())))
            .collect()
    }
}

/// Those of `rules.dir` replace what is in force; the built-in ones begin where there are none.
fn rules(config: &Config) -> Result<HostRules> {
    if config.rules.dir.as_os_str().is_empty() {
        return Ok(HostRules { files: rules_dir::builtin_files(), replace: false });
    }
    Ok(HostRules { files: read_ruleset_dir(&config.rules.dir)?, replace: true })
}
