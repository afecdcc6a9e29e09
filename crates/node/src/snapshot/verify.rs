//! Whether snapshots could be restored, without restoring them.

use std::fs;
use std::path::Path as Folder;

use headroom_store::{Reader, StoreOptions};

use super::error::SnapshotError;
use super::manifest::{Manifest, hex};
use super::snapshots::Snapshots;
use crate::lane::decode_journal;

/// What was found out about a snapshot.
#[derive(Debug)]
pub struct Verified {
    /// Of which shard.
    pub shard: u32,
    /// The last journal record that is in it; 0: none.
    pub journal_seq: u64,
    /// What it is made of, if everything is there as it was sent; else what is not (HR0704, HR0707).
    pub manifest: Result<Manifest, SnapshotError>,
    /// SHA-256 over the restored accounts, timers and seen keys, hex: equal for equal states. Only where it was asked
    /// for, and the snapshot is whole.
    pub state_digest: Option<String>,
}

impl Snapshots {
    /// Checks snapshots of a shard, the newest first: fetches every file and compares it with its hash. With a sequence
    /// only that one. With a scratch folder, which must be empty or missing, each is also restored there, opened,
    /// compared with its manifest, and removed again.
    ///
    /// # Errors
    /// HR0703 if there is none, HR0702, HR0304. What is wrong with a snapshot stands in its row.
    pub fn verify(
        &self,
        shard: u32,
        only: Option<u64>,
        scratch: Option<&Folder>,
    ) -> Result<Vec<Verified>, SnapshotError> {
        let mut sequences = self.block_on(self.sequences(shard))?;
        sequences.retain(|seq| only.is_none_or(|only| only == *seq));
        if sequences.is_empty() {
            let at = only.map_or_else(String::new, |seq| format!(" at {seq}"));
            return Err(SnapshotError::Missing { what: format!("shard {shard}{at}") });
        }
        sequences.into_iter().map(|seq| self.verify_one(shard, seq, scratch)).collect()
    }

    fn verify_one(&self, shard: u32, journal_seq: u64, scratch: Option<&Folder>) -> Result<Verified, SnapshotError> {
        let checked = self.check(shard, journal_seq, scratch);
        if let Some(scratch) = scratch.filter(|scratch| scratch.exists()) {
            fs::remove_dir_all(scratch).map_err(SnapshotError::local("remove a checked snapshot"))?;
        }
        match checked {
            Ok((manifest, state_digest)) => Ok(Verified { shard, journal_seq, manifest: Ok(manifest), state_digest }),
            Err(error @ (SnapshotError::Damaged { .. } | SnapshotError::Newer { .. })) => {
                Ok(Verified { shard, journal_seq, manifest: Err(error), state_digest: None })
            }
            Err(error) => Err(error),
        }
    }

    fn check(
        &self,
        shard: u32,
        seq: u64,
        scratch: Option<&Folder>,
    ) -> Result<(Manifest, Option<String>), SnapshotError> {
        if let Some(scratch) = scratch {
            fs::create_dir_all(scratch).map_err(SnapshotError::local("make a scratch folder"))?;
        }
        let manifest = self.block_on(async {
            let manifest = self.manifest(shard, seq).await?;
            self.fetch_all(&manifest, scratch).await?;
            Ok::<_, SnapshotError>(manifest)
        })?;
        let digest = scratch.map(|scratch| digest(&manifest, scratch)).transpose()?;
        Ok((manifest, digest))
    }
}

/// Of a store that says of itself what the manifest says.
fn digest(manifest: &Manifest, dir: &Folder) -> Result<String, SnapshotError> {
    let damaged = |error: headroom_store::StoreError| SnapshotError::damaged(error.to_string());
    let reader = Reader::open(dir, &StoreOptions::default()).map_err(damaged)?;
    let last = reader.journal_last().map_err(damaged)?;
    let last = last.map(|(_, bytes)| decode_journal(&bytes)).transpose().map_err(damaged)?.unwrap_or_default();
    if (last.seq, hex(&last.digest)) != (manifest.journal_seq, manifest.journal_digest.clone()) {
        let (found, named) = (last.seq, manifest.journal_seq);
        return Err(SnapshotError::damaged(format!("its journal ends with another record {found}, not {named}")));
    }
    Ok(hex(&reader.digest().map_err(damaged)?))
}
