//! Files on their way: each is hashed while it is read, on both sides.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path as Folder;
use std::sync::{Mutex, PoisonError};

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload, WriteMultipart};
use sha2::{Digest, Sha256};

use super::error::SnapshotError;
use super::manifest::{SnapshotFile, hex};
use super::place::Place;
use super::progress::Meter;

/// What is read at once, and the size of a part of a large file.
const PART_BYTES: usize = 8 << 20;
/// Parts of one file on their way at once.
const PARTS_AT_ONCE: usize = 2;

/// Tells a file of a store from every other. Files of RocksDB do not change once they are closed, and a link has the
/// same number as what it links to.
type Identity = (String, u64, u64, i64, i64);

/// Hashes of the files of each shard's last checkpoint: what did not change is not read again.
#[derive(Debug, Default)]
pub(super) struct KnownHashes(Mutex<BTreeMap<u32, BTreeMap<Identity, String>>>);

impl KnownHashes {
    /// Everything in a shard's folder, sorted by name.
    pub fn describe(&self, shard: u32, dir: &Folder) -> Result<Vec<SnapshotFile>, SnapshotError> {
        let failed = SnapshotError::local("read a checkpoint");
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&shard).cloned().unwrap_or_default();
        let mut now = BTreeMap::new();
        let mut files = Vec::new();
        for name in names(dir, "").map_err(&failed)? {
            let path = dir.join(&name);
            let file = fs::metadata(&path).map_err(&failed)?;
            let identity = (name.clone(), file.ino(), file.len(), file.mtime(), file.mtime_nsec());
            let sha256 = match before.get(&identity) {
                Some(hash) => hash.clone(),
                None => hash_of(&path).map_err(&failed)?,
            };
            now.insert(identity, sha256.clone());
            files.push(SnapshotFile { name, bytes: file.len(), sha256 });
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(shard, now);
        Ok(files)
    }
}

/// Files of a folder and of those in it, by path. RocksDB's own log is for people, and the lock is nobody's.
fn names(dir: &Folder, prefix: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            found.extend(names(&entry.path(), &format!("{name}/"))?);
        } else if !name.ends_with("/LOG") && !name.ends_with("/LOCK") {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

fn hash_of(path: &Folder) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Sends a file under its hash.
pub(super) async fn send(
    place: &Place,
    to: &Path,
    dir: &Folder,
    file: &SnapshotFile,
    meter: &Meter,
) -> Result<(), SnapshotError> {
    let mut from = Hashing::open(&dir.join(&file.name))?;
    let failed = SnapshotError::remote("write", to);
    let first = from.next()?;
    if first.len() < PART_BYTES {
        from.check(file)?;
        let sent = first.len();
        place.objects.put(to, PutPayload::from(first)).await.map_err(failed)?;
        meter.add(sent);
        return Ok(());
    }
    let upload = place.objects.put_multipart(to).await.map_err(&failed)?;
    let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
    let mut part = first;
    while !part.is_empty() {
        upload.wait_for_capacity(PARTS_AT_ONCE).await.map_err(&failed)?;
        meter.add(part.len());
        upload.put(part.into());
        part = from.next()?;
    }
    if let Err(error) = from.check(file) {
        upload.abort().await.map_err(&failed)?;
        return Err(error);
    }
    upload.finish().await.map(drop).map_err(failed)
}

/// Fetches a file, synced, and checks its hash; without a folder it is only checked.
pub(super) async fn fetch(
    place: &Place,
    from: &Path,
    into: Option<&Folder>,
    file: &SnapshotFile,
    meter: &Meter,
) -> Result<(), SnapshotError> {
    let failed = SnapshotError::fetching(from);
    let local = SnapshotError::local("write a restored file");
    let mut to = into.map(|dir| File::create(dir.join(&file.name))).transpose().map_err(&local)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut stream = place.objects.get(from).await.map_err(&failed)?.into_stream();
    while let Some(part) = stream.try_next().await.map_err(&failed)? {
        hash.update(&part);
        bytes += part.len() as u64;
        meter.add(part.len());
        if let Some(to) = &mut to {
            to.write_all(&part).map_err(&local)?;
        }
    }
    if bytes != file.bytes || hex(&hash.finalize()) != file.sha256 {
        return Err(SnapshotError::damaged(format!("`{}` (`{from}`) is not what was sent", file.name)));
    }
    to.map_or(Ok(()), |to| to.sync_all()).map_err(local)
}

/// A file, read part by part and hashed on the way.
struct Hashing {
    file: File,
    hash: Sha256,
}

impl Hashing {
    fn open(path: &Folder) -> Result<Self, SnapshotError> {
        let file = File::open(path).map_err(SnapshotError::local("read a checkpoint"))?;
        Ok(Self { file, hash: Sha256::new() })
    }

    /// A whole part, or what is left.
    fn next(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let mut part = Vec::new();
        let read = (&mut self.file).take(PART_BYTES as u64).read_to_end(&mut part);
        read.map_err(SnapshotError::local("read a checkpoint"))?;
        self.hash.update(&part);
        Ok(part)
    }

    fn check(self, file: &SnapshotFile) -> Result<(), SnapshotError> {
        if hex(&self.hash.finalize()) == file.sha256 {
            return Ok(());
        }
        Err(SnapshotError::damaged(format!("`{}` changed while it was sent", file.name)))
    }
}
