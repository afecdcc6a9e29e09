//! What the shards of a cluster were made for, kept beside their snapshots: where the journal is trimmed, its genesis
//! is gone.

use object_store::{ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::error::SnapshotError;
use super::snapshots::Snapshots;

const NAME: &str = "genesis";

impl Snapshots {
    /// Keeps the genesis, unless one is there.
    ///
    /// # Errors
    /// HR0702.
    pub fn keep_genesis(&self, genesis: &[u8]) -> Result<(), SnapshotError> {
        let path = self.place.cluster(&self.cluster).join(NAME);
        let payload = PutPayload::from(genesis.to_vec());
        let mode = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.block_on(self.place.objects.put_opts(&path, payload, mode)) {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(SnapshotError::remote("write", &path)(error)),
        }
    }

    /// The genesis that is kept.
    ///
    /// # Errors
    /// HR0702.
    pub fn genesis(&self) -> Result<Option<Vec<u8>>, SnapshotError> {
        let path = self.place.cluster(&self.cluster).join(NAME);
        let read = async { self.place.objects.get(&path).await?.bytes().await };
        match self.block_on(read) {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(SnapshotError::remote("read", &path)(error)),
        }
    }
}
