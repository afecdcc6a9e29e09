//! What can go wrong with snapshots, each with the code of its page.

use std::io;
use std::path::PathBuf;

use headroom_store::StoreError;
use object_store::path::Path;

/// Why there is no snapshot, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// No place, or none that can be used.
    #[error("snapshots cannot be kept at `{url}`: {why}")]
    Place {
        /// `snapshots.url`.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file with credentials cannot be read.
    #[error("cannot read `{}`", path.display())]
    Credentials {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The place refuses, or does not answer.
    #[error("cannot {action} `{path}`: {detail}")]
    Remote {
        /// What was tried.
        action: &'static str,
        /// With which object.
        path: String,
        /// What the place said.
        detail: String,
    },
    /// There is no snapshot.
    #[error("there is no snapshot of {what}")]
    Missing {
        /// Of which cluster, shard or sequence.
        what: String,
    },
    /// A manifest or a file is not as it was sent.
    #[error("a snapshot is damaged: {detail}")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// A snapshot with the same number has another history.
    #[error("the snapshot of shard {shard} at {seq} that is there already has another history")]
    OtherHistory {
        /// Which shard.
        shard: u32,
        /// The journal sequence.
        seq: u64,
    },
    /// Nothing is restored over other files.
    #[error("`{}` holds something: a snapshot is restored into an empty folder", dir.display())]
    Occupied {
        /// Which folder.
        dir: PathBuf,
    },
    /// A newer build wrote it.
    #[error("the snapshot has format {found}, this build knows up to {known}")]
    Newer {
        /// Of the manifest.
        found: u32,
        /// Newest of this build.
        known: u32,
    },
    /// The shard's own data, or the local disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no threads.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

impl SnapshotError {
    /// The code, for `headroom explain`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Place { .. } | Self::Credentials { .. } => "HR0701",
            Self::Remote { .. } | Self::Thread(_) => "HR0702",
            Self::Missing { .. } => "HR0703",
            Self::Damaged { .. } => "HR0704",
            Self::OtherHistory { .. } => "HR0705",
            Self::Occupied { .. } => "HR0706",
            Self::Newer { .. } => "HR0707",
            Self::Store(error) => error.code(),
        }
    }

    pub(super) fn damaged(detail: impl Into<String>) -> Self {
        Self::Damaged { detail: detail.into() }
    }

    pub(super) fn local(action: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Store(StoreError::Io { action, detail: error.to_string() })
    }

    pub(super) fn remote(action: &'static str, path: &Path) -> impl Fn(object_store::Error) -> Self + use<> {
        let path = path.to_string();
        move |error| Self::Remote { action, path: path.clone(), detail: error.to_string() }
    }

    /// Of a file that a manifest names: without it the snapshot is damaged.
    pub(super) fn fetching(path: &Path) -> impl Fn(object_store::Error) -> Self + use<> {
        let (failed, path) = (Self::remote("read", path), path.to_string());
        move |error| match error {
            object_store::Error::NotFound { .. } => Self::damaged(format!("`{path}` is missing")),
            error => failed(error),
        }
    }
}
