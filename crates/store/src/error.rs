//! What can go wrong, each with the code of its page.

use std::path::{Path, PathBuf};

use rocksdb::ErrorKind;

/// Why the store did not do what it was asked to. Each has a page, `docs/errors/` and its code.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// One process at a time.
    #[error("the data directory `{}` is in use by another process", dir.display())]
    Locked {
        /// Which directory.
        dir: PathBuf,
    },
    /// A newer build wrote it.
    #[error("the data has format {found}, this build knows up to {known}")]
    NewerFormat {
        /// Format of the data.
        found: u32,
        /// Newest format of this build.
        known: u32,
    },
    /// Bytes are not as they were written.
    #[error("stored data is damaged: {detail}")]
    Corrupt {
        /// What was found.
        detail: String,
    },
    /// The disk is full, or refuses.
    #[error("cannot {action}: {detail}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        detail: String,
    },
    /// Nothing is created inside somebody else's files.
    #[error("`{}` is no headroom data directory", dir.display())]
    NotADataDirectory {
        /// Which directory.
        dir: PathBuf,
    },
    /// Every call after a failed write.
    #[error("the shard is sealed after a failed write: {cause}")]
    Sealed {
        /// The first failure.
        cause: String,
    },
}

impl StoreError {
    /// The code, for `headroom explain`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "HR0301",
            Self::NewerFormat { .. } => "HR0302",
            Self::Corrupt { .. } => "HR0303",
            Self::Io { .. } => "HR0304",
            Self::NotADataDirectory { .. } => "HR0305",
            Self::Sealed { .. } => "HR0306",
        }
    }

    pub(crate) fn corrupt(detail: impl Into<String>) -> Self {
        Self::Corrupt { detail: detail.into() }
    }

    pub(crate) fn io(action: &'static str, error: &std::io::Error) -> Self {
        Self::Io { action, detail: error.to_string() }
    }

    /// Of an answer of RocksDB. What is neither the disk's fault nor a refusal of the system is damage: this crate
    /// asks for nothing else that RocksDB could refuse.
    pub(crate) fn rocks(action: &'static str, error: rocksdb::Error) -> Self {
        let kind = error.kind();
        let detail = error.into_string();
        match kind {
            ErrorKind::Corruption | ErrorKind::NotFound | ErrorKind::InvalidArgument => Self::Corrupt { detail },
            _ => Self::Io { action, detail },
        }
    }

    /// Of a failed open. RocksDB has no kind for a lock that is held; it names the lock file.
    pub(crate) fn open(dir: &Path, error: rocksdb::Error) -> Self {
        if error.kind() == ErrorKind::IOError && error.as_ref().contains("/LOCK") {
            return Self::Locked { dir: dir.to_owned() };
        }
        Self::rocks("open the store", error)
    }
}
