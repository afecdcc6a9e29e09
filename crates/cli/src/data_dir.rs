//! Data directories, opened for looking at them.

use std::path::Path;

use anyhow::{Context, Result};
use headroom_store::{Reader, StoreOptions};

/// Every shard of a data directory.
pub fn open(dir: &Path) -> Result<Vec<Reader>> {
    let reader = Reader::open(dir, &StoreOptions::default());
    Ok(vec![reader.with_context(|| format!("cannot look into `{}`", dir.display()))?])
}
