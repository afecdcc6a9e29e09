//! How far a long transfer is: a line of the log for each tenth, and a call for who draws a bar.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Below this many bytes nobody waits for lines.
const TOLD_FROM: u64 = 64 << 20;

/// Hears how many bytes more went to or came from where snapshots are kept.
#[derive(Clone, Default)]
pub(super) struct Watcher(pub Option<Arc<dyn Fn(u64) + Send + Sync>>);

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watcher(..)" } else { "Watcher" })
    }
}

/// Counts one transfer.
pub(super) struct Meter {
    shard: u32,
    what: &'static str,
    total: u64,
    done: AtomicU64,
    watcher: Watcher,
}

impl Meter {
    pub fn new(shard: u32, what: &'static str, total: u64, watcher: &Watcher) -> Self {
        Self { shard, what, total, done: AtomicU64::new(0), watcher: watcher.clone() }
    }

    pub fn add(&self, bytes: usize) {
        let bytes = bytes as u64;
        let before = self.done.fetch_add(bytes, Ordering::Relaxed);
        if let Some(watcher) = &self.watcher.0 {
            watcher(bytes);
        }
        let tenth = |done: u64| done.saturating_mul(10) / self.total.max(1);
        if self.total >= TOLD_FROM && tenth(before) < tenth(before + bytes) {
            let (shard, what, total) = (self.shard, self.what, self.total);
            tracing::info!(shard, what, bytes = before + bytes, total, "snapshot: under way");
        }
    }
}
