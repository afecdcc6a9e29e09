//! Copies of shards where a lost machine does not take them along (PROTOCOL P22).
//!
//! `CLUSTER/shard-0007/files/SHA256` holds content, `CLUSTER/shard-0007/manifests/SEQ.json` makes a snapshot of it.
//! Files go first and the manifest last, which is written only where none is: a death in between leaves files that
//! nobody names, and `prune` takes them away. A file that is there is never sent again.

mod error;
mod files;
mod genesis;
mod manifest;
mod place;
mod progress;
mod prune;
mod restore;
mod snapshots;
mod upload;
mod verify;

pub use error::SnapshotError;
pub use manifest::{InputPosition, Manifest, SnapshotFile};
pub use prune::Pruned;
pub use snapshots::{Snapshot, Snapshots};
pub use upload::Uploaded;
pub use verify::Verified;
