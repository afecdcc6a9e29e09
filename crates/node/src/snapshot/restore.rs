//! Brings a shard back: the newest snapshot that is whole, into an empty folder, in one piece.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path as Folder, PathBuf};

use futures_util::{StreamExt, TryStreamExt, stream};
use headroom_store::fault;

use super::error::SnapshotError;
use super::files;
use super::manifest::{Manifest, SnapshotFile};
use super::progress::Meter;
use super::snapshots::Snapshots;
use super::upload::FILES_AT_ONCE;
use crate::telemetry;

impl Snapshots {
    /// Restores the newest snapshot of a shard into a folder that is missing or empty, and gives its manifest; `None`:
    /// there is no snapshot. A damaged one is told in the log and by a metric, and the next older one is taken. The
    /// folder appears with everything in it, or not at all; beside it, with `.restoring` behind its name, is what is on
    /// its way.
    ///
    /// # Errors
    /// HR0706 if the folder holds something, HR0704 if every snapshot is damaged, HR0707 if the newest one is of a newer
    /// build, HR0304, HR0702.
    pub fn restore(&self, shard: u32, into: &Folder) -> Result<Option<Manifest>, SnapshotError> {
        require_vacant(into)?;
        let mut damaged = None;
        for seq in self.block_on(self.sequences(shard))? {
            match self.restore_one(shard, seq, into) {
                Ok(manifest) => return Ok(Some(manifest)),
                Err(error @ SnapshotError::Damaged { .. }) => {
                    telemetry::snapshot_damaged(shard, seq, error.code(), &error.to_string());
                    damaged = damaged.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        damaged.map_or(Ok(None), Err)
    }

    fn restore_one(&self, shard: u32, seq: u64, into: &Folder) -> Result<Manifest, SnapshotError> {
        let beside = beside(into);
        let failed = SnapshotError::local("restore a snapshot");
        clear(&beside).map_err(&failed)?;
        let manifest = self.block_on(async {
            let manifest = self.manifest(shard, seq).await?;
            self.fetch_all(&manifest, Some(&beside)).await?;
            Ok::<_, SnapshotError>(manifest)
        });
        let Ok(manifest) = manifest else {
            fs::remove_dir_all(&beside).map_err(&failed)?;
            return manifest;
        };
        fault::point("snapshot.fetched");
        put_in_place(&beside, into).map_err(failed)?;
        fault::point("snapshot.in_place");
        Ok(manifest)
    }

    /// Fetches the files of a snapshot into a folder that is there, or only checks them.
    pub(super) async fn fetch_all(&self, manifest: &Manifest, into: Option<&Folder>) -> Result<(), SnapshotError> {
        if let Some(into) = into {
            make_folders(into, &manifest.files).map_err(SnapshotError::local("restore a snapshot"))?;
        }
        let meter = &Meter::new(manifest.shard, "fetching", manifest.bytes(), &self.watcher);
        let fetch = |file: &SnapshotFile| {
            let (from, file) = (self.file_path(manifest.shard, &file.sha256), file.clone());
            async move { files::fetch(&self.place, &from, into, &file, meter).await }
        };
        stream::iter(manifest.files.iter().map(fetch)).buffer_unordered(FILES_AT_ONCE).try_collect().await
    }
}

fn make_folders(into: &Folder, files: &[SnapshotFile]) -> io::Result<()> {
    let folders: BTreeSet<&str> = files.iter().filter_map(|file| Some(file.name.split_once('/')?.0)).collect();
    folders.into_iter().try_for_each(|folder| fs::create_dir_all(into.join(folder)))
}

fn require_vacant(dir: &Folder) -> Result<(), SnapshotError> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(SnapshotError::Occupied { dir: dir.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SnapshotError::local("restore a snapshot")(error)),
    }
}

/// On the same file system, so that a rename is enough.
fn beside(into: &Folder) -> PathBuf {
    let mut name = into.file_name().unwrap_or_default().to_owned();
    name.push(".restoring");
    into.with_file_name(name)
}

/// An empty folder, whatever another process left there.
fn clear(dir: &Folder) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(dir),
    }
}

fn put_in_place(from: &Folder, into: &Folder) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if path.is_dir() {
            File::open(path)?.sync_all()?;
        }
    }
    File::open(from)?.sync_all()?;
    fs::rename(from, into)?;
    match into.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
