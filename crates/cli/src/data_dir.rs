//! Data directories, opened for looking at them.

use std::path::Path;

use anyhow::{Context, Result};
use headroom_node::DataDir;
use headroom_store::{Reader, StoreOptions};

/// Every shard of a data directory that is there, in order, with its number. A node on Kafka holds only those that it
/// has served: the others are named, and left out.
pub fn open(dir: &Path) -> Result<Vec<(u32, Reader)>> {
    let context = || format!("cannot look into `{}`", dir.display());
    let found = DataDir::find(dir).with_context(context)?;
    let is_here = |shard: &u32| found.has(*shard) || !found.is_of_topics();
    let (here, missing): (Vec<u32>, Vec<u32>) = (0..found.shards()).partition(is_here);
    if !missing.is_empty() {
        let missing: Vec<String> = missing.iter().map(u32::to_string).collect();
        eprintln!("`{}` does not hold shards {}: they are left out", dir.display(), missing.join(", "));
    }
    let open = |shard| Ok((shard, found.read(shard, &StoreOptions::default()).with_context(context)?));
    here.into_iter().map(open).collect()
}
