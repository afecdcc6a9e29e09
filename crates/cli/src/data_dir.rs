//! Data directories, opened for looking at them.

use std::path::Path;

use anyhow::{Context, Result};
use headroom_node::DataDir;
use headroom_store::{Reader, StoreOptions};

/// Every shard of a data directory, in order.
pub fn open(dir: &Path) -> Result<Vec<Reader>> {
    let context = || format!("cannot look into `{}`", dir.display());
    let found = DataDir::find(dir).with_context(context)?;
    let shards = (0..found.shards()).map(|shard| found.read(shard, &StoreOptions::default()).with_context(context));
    shards.collect()
}
