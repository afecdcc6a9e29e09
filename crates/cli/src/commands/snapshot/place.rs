//! Where snapshots are, and whose.

use anyhow::{Context, Result};
use clap::Args;
use headroom_node::snapshot::{SnapshotError, Snapshots};
use headroom_node::{SnapshotsConfig, telemetry};
use indicatif::ProgressBar;

use crate::failure::of_snapshot;
use crate::output::Output;
use crate::progress;
use crate::settings::Settings;

/// The name of what has no Kafka cluster.
pub const EMBEDDED: &str = "embedded";

/// The place, and the cluster.
#[derive(Args)]
pub struct Place {
    #[command(flatten)]
    settings: Settings,
    /// Where snapshots are: file:///a/folder or s3://bucket/prefix; short for --set snapshots.url
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Id of the Kafka cluster; without one `embedded` for create, else the only one that is there
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
}

/// Snapshots with a bar that counts bytes.
pub struct Opened {
    pub snapshots: Snapshots,
    pub bar: ProgressBar,
}

impl Place {
    /// For new snapshots of so many shards.
    pub fn for_new(&self, shards: u32, output: &Output) -> Result<Opened> {
        let config = self.config()?;
        open(&config, self.cluster.as_deref().unwrap_or(EMBEDDED), shards, output)
    }

    /// For those that are there.
    pub fn for_old(&self, output: &Output) -> Result<Opened> {
        let config = self.config()?;
        let cluster = match &self.cluster {
            Some(cluster) => cluster.clone(),
            None => only(Snapshots::clusters(&config).map_err(of_snapshot)?)?,
        };
        open(&config, &cluster, 0, output)
    }

    fn config(&self) -> Result<SnapshotsConfig> {
        // What matters stands in the result; damage is told on the way.
        let quiet = std::iter::once("telemetry.log=error".to_owned());
        let sets: Vec<String> = quiet.chain(self.url.iter().map(|url| format!("snapshots.url={url}"))).collect();
        let config = self.settings.load_with(&sets)?;
        telemetry::init(&config.telemetry).context("cannot set up telemetry")?;
        Ok(config.snapshots)
    }
}

fn open(config: &SnapshotsConfig, cluster: &str, shards: u32, output: &Output) -> Result<Opened> {
    let bar = progress::moved(output);
    let watched = bar.clone();
    let snapshots = Snapshots::open(config, cluster, shards).map_err(of_snapshot)?;
    Ok(Opened { snapshots: snapshots.watched(move |bytes| watched.inc(bytes)), bar })
}

fn only(mut clusters: Vec<String>) -> Result<String> {
    match (clusters.pop(), clusters.is_empty()) {
        (Some(cluster), true) => Ok(cluster),
        (Some(last), false) => {
            let all = clusters.into_iter().chain([last]).collect::<Vec<_>>().join("`, `");
            Err(of_snapshot(SnapshotError::Missing {
                what: format!("one cluster only, there are `{all}`: name one with --cluster"),
            }))
        }
        (None, _) => Err(of_snapshot(SnapshotError::Missing { what: "any cluster there".to_owned() })),
    }
}
