//! Takes away snapshots beyond those that are kept, and files that none of these names.

use std::collections::BTreeSet;

use super::error::SnapshotError;
use super::manifest::is_hash;
use super::snapshots::Snapshots;
use super::upload::{millis, now_ms};

/// What was taken away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    /// Snapshots.
    pub snapshots: u64,
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Snapshots {
    /// Removes all but the newest snapshots of a shard (`snapshots.keep`), and files that those do not name and that are
    /// older than `snapshots.grace`: a younger one may belong to a snapshot that is being taken.
    ///
    /// # Errors
    /// HR0704 or HR0707 if a snapshot that is kept cannot be read: then no file is removed, for it may be named there.
    /// HR0702.
    pub fn prune(&self, shard: u32) -> Result<Pruned, SnapshotError> {
        let pruned = self.block_on(self.prune_shard(shard))?;
        let Pruned { snapshots, files, bytes } = pruned;
        tracing::debug!(shard, snapshots, files, bytes, "snapshots pruned");
        Ok(pruned)
    }

    async fn prune_shard(&self, shard: u32) -> Result<Pruned, SnapshotError> {
        // Files before manifests: what a snapshot names that comes in between is not among these files, or it is young.
        let files = self.place.list(&self.files_path(shard)).await?;
        let sequences = self.sequences(shard).await?;
        let (kept, old) = sequences.split_at(self.keep.min(sequences.len()));
        self.place.delete(old.iter().map(|seq| self.manifest_path(shard, *seq)).collect()).await?;
        let mut named = BTreeSet::new();
        for seq in kept {
            named.extend(self.manifest(shard, *seq).await?.files.into_iter().map(|file| file.sha256));
        }
        let oldest = now_ms() - millis(self.grace);
        let unnamed = |hash: &str| is_hash(hash) && !named.contains(hash);
        let gone: Vec<_> = files
            .into_iter()
            .filter(|file| file.last_modified.timestamp_millis() < oldest)
            .filter(|file| file.location.filename().is_some_and(unnamed))
            .collect();
        let (count, bytes) = (gone.len() as u64, gone.iter().map(|file| file.size).sum());
        self.place.delete(gone.into_iter().map(|file| file.location).collect()).await?;
        Ok(Pruned { snapshots: old.len() as u64, files: count, bytes })
    }
}
