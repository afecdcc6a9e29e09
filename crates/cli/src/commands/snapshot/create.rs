//! `headroom snapshot create`: every shard of a data directory that nobody runs on.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use headroom_node::DataDir;
use headroom_node::snapshot::{Pruned, Snapshots, Uploaded};
use headroom_node::view::Item;
use headroom_store::StoreOptions;

use super::place::Place;
use crate::failure::{Status, of_snapshot};
use crate::output::Output;

/// Of what, and to where.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    place: Place,
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
}

impl Command {
    /// Does it. Errors: HR0301 while somebody runs on the directory.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let context = || format!("cannot look into `{}`", self.data_dir.display());
        let dir = DataDir::find(&self.data_dir).with_context(context)?;
        let opened = self.place.for_new(dir.shards(), output)?;
        let mut rows = Vec::new();
        for shard in 0..dir.shards() {
            opened.bar.set_message(format!("shard {shard}"));
            rows.push(one(&opened.snapshots, &dir, shard)?);
        }
        opened.bar.finish_and_clear();
        output.print(&Item::fields([("shards", Item::List(rows))]))?;
        Ok(Status::Done)
    }
}

fn one(snapshots: &Snapshots, dir: &DataDir, shard: u32) -> Result<Item> {
    let options = StoreOptions::default();
    let mut store = dir.open(shard, &options).with_context(|| format!("cannot open shard {shard}"))?;
    let uploaded = snapshots.take(shard, &mut store, &dir.shard_dir(shard)).map_err(of_snapshot)?;
    let pruned = snapshots.prune(shard).map_err(of_snapshot)?;
    Ok(row(shard, uploaded, pruned))
}

fn row(shard: u32, uploaded: Uploaded, pruned: Pruned) -> Item {
    Item::fields([
        ("shard", shard.into()),
        ("journal_seq", uploaded.journal_seq.into()),
        ("files_sent", uploaded.files_sent.into()),
        ("bytes_sent", uploaded.bytes_sent.into()),
        ("files_kept", uploaded.files_kept.into()),
        ("bytes_kept", uploaded.bytes_kept.into()),
        ("snapshots_pruned", pruned.snapshots.into()),
        ("bytes_pruned", pruned.bytes.into()),
    ])
}
