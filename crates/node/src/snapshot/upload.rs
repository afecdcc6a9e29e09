//! Sends what is new of a checkpoint, then the manifest that makes it a snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path as Folder;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt, TryStreamExt, stream};
use headroom_store::{CheckpointInfo, Store, fault};

use super::error::SnapshotError;
use super::files;
use super::manifest::{Manifest, Origin, SnapshotFile};
use super::progress::Meter;
use super::snapshots::Snapshots;
use crate::telemetry;

/// Files on their way at once.
pub(super) const FILES_AT_ONCE: usize = 4;
/// The folder in a shard's folder that a checkpoint lives in while it is sent.
const CHECKPOINT: &str = "checkpoint";

/// What one snapshot cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Uploaded {
    /// The last journal record that is in it; 0: none.
    pub journal_seq: u64,
    /// Files that had to be sent.
    pub files_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Files that were there.
    pub files_kept: u64,
    /// Their bytes.
    pub bytes_kept: u64,
}

impl Snapshots {
    /// Makes a checkpoint in the shard's folder `dir`, sends it, and takes it away again, what another process left of
    /// one too. A lane that must go on meanwhile makes the checkpoint itself and calls [`Self::upload`] elsewhere.
    ///
    /// # Errors
    /// As [`Store::checkpoint`] and [`Self::upload`].
    pub fn take(&self, shard: u32, store: &mut Store, dir: &Folder) -> Result<Uploaded, SnapshotError> {
        let checkpoint = dir.join(CHECKPOINT);
        remove(&checkpoint)?;
        let taken = store.checkpoint(&checkpoint)?;
        let uploaded = self.upload(shard, &taken, &checkpoint);
        remove(&checkpoint)?;
        uploaded
    }

    /// Sends a checkpoint that stands in a folder of its own. One of the same moment that is there already counts as
    /// this one; after a death in the middle the next call goes on where it stood.
    ///
    /// # Errors
    /// HR0705 if the one that is there has another history: whoever finds that must stop the shard (PROTOCOL P14).
    /// HR0704 if a file changes meanwhile, HR0304, HR0702.
    pub fn upload(&self, shard: u32, taken: &CheckpointInfo, dir: &Folder) -> Result<Uploaded, SnapshotError> {
        let begun = Instant::now();
        let sent = self.describe(shard, taken, dir).and_then(|manifest| self.block_on(self.send(&manifest, dir)));
        match &sent {
            Ok(uploaded) => telemetry::snapshot_taken(shard, uploaded, begun.elapsed()),
            Err(error) => telemetry::snapshot_failed(shard, error.code(), &error.to_string()),
        }
        sent
    }

    fn describe(&self, shard: u32, taken: &CheckpointInfo, dir: &Folder) -> Result<Manifest, SnapshotError> {
        let origin = Origin { cluster: &self.cluster, shard, shards: self.shards };
        Manifest::new(&origin, taken, self.known.describe(shard, dir)?, now_ms())
    }

    async fn send(&self, manifest: &Manifest, dir: &Folder) -> Result<Uploaded, SnapshotError> {
        let (shard, seq) = (manifest.shard, manifest.journal_seq);
        let sequences = self.sequences(shard).await?;
        if sequences.contains(&seq) {
            return self.is_ours(manifest).await;
        }
        let there = self.reusable(shard, sequences.first().copied()).await?;
        // Two files of the same content are one.
        let by_hash: BTreeMap<&str, &SnapshotFile> =
            manifest.files.iter().map(|file| (file.sha256.as_str(), file)).collect();
        let (kept, missing): (Vec<_>, Vec<_>) = by_hash.into_values().partition(|file| there.contains(&file.sha256));
        let uploaded = Uploaded {
            journal_seq: seq,
            files_sent: missing.len() as u64,
            bytes_sent: missing.iter().map(|file| file.bytes).sum(),
            files_kept: kept.len() as u64,
            bytes_kept: kept.iter().map(|file| file.bytes).sum(),
        };
        self.send_files(shard, dir, &missing, uploaded.bytes_sent).await?;
        fault::point("snapshot.files_sent");
        if !self.place.create(&self.manifest_path(shard, seq), manifest.to_json()).await? {
            return self.is_ours(manifest).await;
        }
        fault::point("snapshot.manifest_written");
        Ok(uploaded)
    }

    async fn send_files(
        &self,
        shard: u32,
        dir: &Folder,
        missing: &[&SnapshotFile],
        bytes: u64,
    ) -> Result<(), SnapshotError> {
        let meter = &Meter::new(shard, "sending", bytes, &self.watcher);
        let send = |file: &SnapshotFile| {
            let (to, file) = (self.file_path(shard, &file.sha256), file.clone());
            async move { files::send(&self.place, &to, dir, &file, meter).await }
        };
        stream::iter(missing.iter().map(|file| send(file))).buffer_unordered(FILES_AT_ONCE).try_collect().await
    }

    /// Somebody took a snapshot at this sequence. With the same journal record it holds the same state, in whichever
    /// files.
    async fn is_ours(&self, manifest: &Manifest) -> Result<Uploaded, SnapshotError> {
        let (shard, seq) = (manifest.shard, manifest.journal_seq);
        let there = self.manifest(shard, seq).await?;
        if there.journal_digest != manifest.journal_digest {
            return Err(SnapshotError::OtherHistory { shard, seq });
        }
        let (files_kept, bytes_kept) = (there.files.len() as u64, there.bytes());
        Ok(Uploaded { journal_seq: seq, files_kept, bytes_kept, ..Uploaded::default() })
    }

    /// Hashes of files that are there and stay. Only the newest snapshot's are safe for sure; others must be young,
    /// for another process may be pruning those that nobody names.
    async fn reusable(&self, shard: u32, newest: Option<u64>) -> Result<BTreeSet<String>, SnapshotError> {
        let named = match newest {
            Some(seq) => self.manifest(shard, seq).await.map_or_else(|_| Vec::new(), |manifest| manifest.files),
            None => Vec::new(),
        };
        let named: BTreeSet<(&str, u64)> = named.iter().map(|file| (file.sha256.as_str(), file.bytes)).collect();
        let oldest = now_ms() - millis(self.grace / 2);
        let mut there = BTreeSet::new();
        for object in self.place.list(&self.files_path(shard)).await? {
            let Some(hash) = object.location.filename() else { continue };
            if named.contains(&(hash, object.size)) || object.last_modified.timestamp_millis() > oldest {
                there.insert(hash.to_owned());
            }
        }
        Ok(there)
    }
}

/// By the machine's clock: snapshots are kept by their number, this is for people and for the age of files.
pub(super) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn remove(dir: &Folder) -> Result<(), SnapshotError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SnapshotError::local("remove a checkpoint")(error))
        }
        _ => Ok(()),
    }
}
