//! `headroom serve`: the embedded service, with its HTTP interface.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use headroom_engine::Ruleset;
use headroom_node::telemetry::{self, Telemetry};
use headroom_node::{AppendError, Config, RunError, Service};
use headroom_sources::read_ruleset_dir;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Coded, Status, of_run};
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
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(&config, telemetry))?;
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

async fn serve(config: &Config, telemetry: Telemetry) -> Result<()> {
    // Listening first: a port that is taken should leave no data directory behind.
    let listener = TcpListener::bind(config.http.listen).await.map_err(|error| Coded {
        code: "HR0510",
        message: format!("cannot listen on `{}`: {error}", config.http.listen),
    })?;
    let address = listener.local_addr()?;
    let named = rules(config)?;
    let files = named.clone().unwrap_or_else(rules_dir::builtin_files);
    Ruleset::load(&files).map_err(|reports| of_run(RunError::Ruleset(reports)))?;
    let opening = config.clone();
    let opened = tokio::task::spawn_blocking(move || Service::open(&opening, &files)).await?;
    let service = opened.map_err(of_run)?;
    if let Some(files) = named {
        publish(&service, &files).await?;
    }
    tracing::info!(address = %address, shards = service.shards(), data_dir = %config.node.data_dir.display(), "serving");
    eprintln!("headroom: serving on http://{address}");
    headroom_node::serve(service.clone(), config.http.clone(), telemetry, listener, stop_signal()?).await?;
    tokio::task::spawn_blocking(move || service.stop()).await?;
    Ok(())
}

/// The files of `rules.dir`, if it is set.
fn rules(config: &Config) -> Result<Option<Vec<(String, String)>>> {
    if config.rules.dir.as_os_str().is_empty() {
        return Ok(None);
    }
    Ok(Some(read_ruleset_dir(&config.rules.dir)?))
}

/// Rules that were named come into force by a control record, if others are.
async fn publish(service: &Service, rules: &[(String, String)]) -> Result<()> {
    loop {
        match service.publish(rules).await {
            Ok(_) => return Ok(()),
            // The log of the last run is still being decided.
            Err(AppendError::Busy { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => return Err(error).context("cannot put the ruleset in force"),
        }
    }
}

/// Resolves when the process is asked to stop.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
