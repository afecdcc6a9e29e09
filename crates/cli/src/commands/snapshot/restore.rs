//! `headroom snapshot restore`: a data directory out of the newest snapshots that are whole.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headroom_node::DataDir;
use headroom_node::snapshot::{Manifest, SnapshotError, Snapshots};
use headroom_node::view::Item;

use super::place::Place;
use crate::failure::{Status, of_run, of_snapshot};
use crate::output::Output;

/// From where, and to where.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    place: Place,
    /// The data directory: missing, empty, or with other shards of the same service
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// This shard only
    #[arg(long, value_name = "N")]
    shard: Option<u32>,
}

impl Command {
    /// Does it. Errors: HR0703 if a shard has no snapshot, HR0706 where something lies already, HR0704.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let opened = self.place.for_old(output)?;
        let all = shards(&opened.snapshots)?;
        let wanted: Vec<u32> = (0..all).filter(|shard| self.shard.is_none_or(|only| only == *shard)).collect();
        let there = opened.snapshots.shards().map_err(of_snapshot)?;
        if let Some(missing) =
            wanted.iter().find(|shard| !there.contains(shard)).or(self.shard.filter(|only| *only >= all).as_ref())
        {
            return Err(of_snapshot(SnapshotError::Missing { what: format!("shard {missing}") }));
        }
        let dir = DataDir::find_or_create(&self.data_dir, all).map_err(of_run)?;
        let mut rows = Vec::new();
        for shard in wanted {
            opened.bar.set_message(format!("shard {shard}"));
            let restored = opened.snapshots.restore(shard, &dir.shard_dir(shard)).map_err(of_snapshot)?;
            let missing = || of_snapshot(SnapshotError::Missing { what: format!("shard {shard}") });
            rows.push(row(&restored.ok_or_else(missing)?));
        }
        opened.bar.finish_and_clear();
        output.print(&Item::fields([("shards", Item::List(rows))]))?;
        Ok(Status::Done)
    }
}

/// How many shards the service has, by a snapshot that can be read.
fn shards(snapshots: &Snapshots) -> Result<u32> {
    for shard in snapshots.shards().map_err(of_snapshot)? {
        let found = snapshots.list(shard).map_err(of_snapshot)?;
        if let Some(manifest) = found.into_iter().find_map(|each| each.manifest.ok()) {
            return Ok(manifest.shards);
        }
    }
    Err(of_snapshot(SnapshotError::Missing { what: "any shard that can be read".to_owned() }))
}

fn row(manifest: &Manifest) -> Item {
    Item::fields([
        ("shard", manifest.shard.into()),
        ("journal_seq", manifest.journal_seq.into()),
        ("files", manifest.files.len().into()),
        ("bytes", manifest.bytes().into()),
    ])
}
