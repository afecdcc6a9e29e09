//! What can stop a run. Bad records never do: they become dead letters.

use std::net::SocketAddr;
use std::path::PathBuf;

use headroom_engine::FileReport;
use headroom_sources::SourceError;
use headroom_store::StoreError;

use crate::service::AppendError;

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
    /// The outputs that the file should hold are no longer all there.
    #[error("`{}` cannot be written anew: outputs before number {start} are trimmed", path.display())]
    OutTrimmed {
        /// The file.
        path: PathBuf,
        /// The first output that is kept.
        start: u64,
    },
    /// The data directory has another number of shards.
    #[error("the data directory `{}` has {found} shards, not {wanted}", dir.display())]
    OtherShards {
        /// Which.
        dir: PathBuf,
        /// What it has.
        found: u32,
        /// What was asked for.
        wanted: u32,
    },
    /// A step panics whatever is set aside.
    #[error("a step panics, and no single record, timer or account is to blame")]
    Poisoned,
    /// A journal that cannot be done again.
    #[error("the journal cannot be replayed: {0}")]
    Replay(String),
    /// The address is taken, or not ours.
    #[error("cannot listen on `{address}`: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A ruleset could not be put in force.
    #[error("cannot put the ruleset in force: {0}")]
    Append(AppendError),
    /// Kafka, or what is kept there.
    #[error(transparent)]
    Kafka(#[from] crate::kafka::KafkaError),
    /// The topics are not what they must be.
    #[error("the topics are not what they must be: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Topics(Vec<crate::kafka::Problem>),
    /// What ended the node before it was told to stop.
    #[error("{detail}")]
    Ended {
        /// Its code.
        code: &'static str,
        /// What it was.
        detail: String,
    },
    /// The system gives no thread.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

impl RunError {
    /// The code that `headroom explain` knows, if the error has one.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => Some(error.code()),
            Self::OtherShards { .. } => Some("HR0511"),
            Self::Replay(_) => Some("HR0523"),
            Self::Poisoned => Some("HR0524"),
            Self::Kafka(error) => Some(error.code()),
            Self::Topics(problems) => problems.first().map(|problem| problem.code),
            Self::Ended { code, .. } => Some(code),
            Self::Listen { .. } => Some("HR0510"),
            Self::Append(AppendError::Sealed { code, .. }) => Some(code),
            Self::Source(_)
            | Self::Ruleset(_)
            | Self::Out { .. }
            | Self::OutTrimmed { .. }
            | Self::StoredOutput(_)
            | Self::Append(_)
            | Self::Thread(_) => None,
        }
    }
}
