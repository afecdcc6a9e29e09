//! What can stop a run. Bad records never do: they become dead letters.

use std::path::PathBuf;

use headroom_engine::FileReport;
use headroom_sources::SourceError;
use headroom_store::StoreError;

/// Why a run stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The data directory.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An input or the output file.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The ruleset does not load.
    #[error("the ruleset has errors in {} of its files", .0.len())]
    Ruleset(Vec<FileReport>),
    /// The `--out` file cannot be brought to where the data directory stands.
    #[error("cannot write `{}`", path.display())]
    Out {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A stored output does not decode.
    #[error("a stored output does not decode: {0}")]
    StoredOutput(String),
}

impl RunError {
    /// The code that `headroom explain` knows, if the error has one.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => Some(error.code()),
            Self::Source(_) | Self::Ruleset(_) | Self::Out { .. } | Self::StoredOutput(_) => None,
        }
    }
}
