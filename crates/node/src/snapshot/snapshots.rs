//! The handle: opens the place, knows what is where.

use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use tokio::runtime::{Builder, Runtime};

use super::error::SnapshotError;
use super::files::KnownHashes;
use super::manifest::Manifest;
use super::place::Place;
use super::progress::Watcher;
use crate::config::SnapshotsConfig;

/// Threads that move bytes.
const WORKERS: usize = 2;
/// Longest name of a cluster.
const NAME_CHARS_MAX: usize = 64;

/// Snapshots of the shards of one cluster. Its functions block, for as long as a transfer takes: call them from threads
/// that may wait, never from within an async runtime. Several may be called at once.
///
/// Every function fails with HR0702 where the place refuses or does not answer, after some tries.
#[derive(Debug)]
pub struct Snapshots {
    pub(super) place: Place,
    pub(super) cluster: String,
    pub(super) shards: u32,
    pub(super) keep: usize,
    pub(super) grace: Duration,
    pub(super) known: KnownHashes,
    pub(super) watcher: Watcher,
    runtime: Runtime,
}

/// One snapshot that is there.
#[derive(Debug)]
pub struct Snapshot {
    /// Of which shard.
    pub shard: u32,
    /// The last journal record that is in it; 0: none.
    pub journal_seq: u64,
    /// What it is made of, unless that cannot be read (HR0704, HR0707).
    pub manifest: Result<Manifest, SnapshotError>,
}

impl Snapshots {
    /// Opens the place of the settings. `cluster` is the id of the Kafka cluster, or a name for an embedded service, and
    /// `shards` how many there are, for manifests.
    ///
    /// # Errors
    /// HR0701 for a place or credentials that cannot be used; nothing is asked of a bucket yet.
    pub fn open(config: &SnapshotsConfig, cluster: &str, shards: u32) -> Result<Self, SnapshotError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let starts_well = cluster.starts_with(|c: char| c != '.');
        if !starts_well || cluster.len() > NAME_CHARS_MAX || !cluster.chars().all(plain) {
            let why = format!("`{cluster}` is no name of a cluster");
            return Err(SnapshotError::Place { url: config.url.clone(), why });
        }
        Ok(Self {
            place: Place::open(config)?,
            cluster: cluster.to_owned(),
            shards,
            keep: config.keep,
            grace: config.grace,
            known: KnownHashes::default(),
            watcher: Watcher::default(),
            runtime: runtime()?,
        })
    }

    /// Clusters that have snapshots at the place of the settings, sorted.
    ///
    /// # Errors
    /// HR0701, HR0702.
    pub fn clusters(config: &SnapshotsConfig) -> Result<Vec<String>, SnapshotError> {
        let place = Place::open(config)?;
        let mut clusters = runtime()?.block_on(place.folders(None))?;
        clusters.sort();
        Ok(clusters)
    }

    /// The same, with somebody who hears how many bytes more were sent or fetched, from whichever thread.
    #[must_use]
    pub fn watched(mut self, watcher: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.watcher = Watcher(Some(Arc::new(watcher)));
        self
    }

    /// Shards that have snapshots, in order.
    ///
    /// # Errors
    /// HR0702.
    pub fn shards(&self) -> Result<Vec<u32>, SnapshotError> {
        let folders = self.block_on(self.place.folders(Some(&self.place.cluster(&self.cluster))))?;
        let mut shards: Vec<u32> =
            folders.iter().filter_map(|name| name.strip_prefix("shard-")?.parse().ok()).collect();
        shards.sort_unstable();
        Ok(shards)
    }

    /// Snapshots of a shard, the newest first, those that cannot be read too.
    ///
    /// # Errors
    /// HR0702.
    pub fn list(&self, shard: u32) -> Result<Vec<Snapshot>, SnapshotError> {
        self.block_on(async {
            let mut found = Vec::new();
            for journal_seq in self.sequences(shard).await? {
                let manifest = match self.manifest(shard, journal_seq).await {
                    Err(error @ SnapshotError::Remote { .. }) => return Err(error),
                    manifest => manifest,
                };
                found.push(Snapshot { shard, journal_seq, manifest });
            }
            Ok(found)
        })
    }

    /// The journal sequence of the oldest snapshot among those that are kept: the journal may be trimmed below it, and
    /// no further. `None`: there is no snapshot, nothing may be trimmed.
    ///
    /// # Errors
    /// HR0702.
    pub fn oldest_kept(&self, shard: u32) -> Result<Option<u64>, SnapshotError> {
        let sequences = self.block_on(self.sequences(shard))?;
        Ok(sequences.into_iter().take(self.keep).next_back())
    }

    pub(super) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Sequences of a shard's snapshots, the newest first.
    pub(super) async fn sequences(&self, shard: u32) -> Result<Vec<u64>, SnapshotError> {
        let found = self.place.list(&self.folder(shard).join("manifests")).await?;
        let sequence = |path: &Path| path.filename()?.strip_suffix(".json")?.parse().ok();
        let mut sequences: Vec<u64> = found.iter().filter_map(|object| sequence(&object.location)).collect();
        sequences.sort_unstable_by(|one, other| other.cmp(one));
        Ok(sequences)
    }

    /// # Errors
    /// HR0704 where it is missing or no manifest, HR0707, HR0702.
    pub(super) async fn manifest(&self, shard: u32, seq: u64) -> Result<Manifest, SnapshotError> {
        let path = self.manifest_path(shard, seq);
        match self.place.get(&path).await? {
            Some(bytes) => Manifest::from_json(&bytes, shard, seq),
            None => Err(SnapshotError::damaged(format!("`{path}` is missing"))),
        }
    }

    pub(super) fn manifest_path(&self, shard: u32, seq: u64) -> Path {
        self.folder(shard).join("manifests").join(format!("{seq:020}.json"))
    }

    pub(super) fn files_path(&self, shard: u32) -> Path {
        self.folder(shard).join("files")
    }

    pub(super) fn file_path(&self, shard: u32, sha256: &str) -> Path {
        self.files_path(shard).join(sha256)
    }

    fn folder(&self, shard: u32) -> Path {
        self.place.cluster(&self.cluster).join(format!("shard-{shard:04}"))
    }
}

fn runtime() -> Result<Runtime, SnapshotError> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(WORKERS).thread_name("snapshots").enable_all().build().map_err(SnapshotError::Thread)
}
