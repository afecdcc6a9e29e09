//! Why something with Kafka could not be done.

use std::path::PathBuf;

use headroom_store::StoreError;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};

use crate::snapshot::SnapshotError;

/// Why something with Kafka could not be done, for a person. What is wrong with topics is a
/// [`Problem`](super::Problem).
#[derive(Debug, thiserror::Error)]
pub enum KafkaError {
    /// A file with a secret.
    #[error("cannot read `{}`, which `{setting}` names", path.display())]
    Secret {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The client library, or a broker, refuses or does not answer.
    #[error("{doing}: {source}")]
    Client {
        /// What was being done: "cannot list the topics of `a:9092`".
        doing: String,
        /// What it says.
        source: ClientError,
    },
    /// A partition cannot be read at the moment.
    #[error("cannot read `{topic}` [{partition}]: {code}")]
    Unreadable {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: u32,
        /// What the broker says.
        code: RDKafkaErrorCode,
    },
    /// No broker answers about a partition.
    #[error("`{topic}` [{partition}] gave nothing, not even its end")]
    Silent {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: u32,
    },
    /// The shard is no longer ours.
    #[error("the shard was taken away meanwhile")]
    Interrupted,
    /// A thread could not be started.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// The store of a shard.
    #[error(transparent)]
    Store(StoreError),
    /// A shard's ruleset, or its step.
    #[error("{detail}")]
    Lane {
        /// A code, if there is one.
        code: Option<&'static str>,
        /// What is wrong.
        detail: String,
    },
    /// A snapshot that is needed cannot be had.
    #[error("no snapshot could be restored: {detail}")]
    Snapshot {
        /// Its code.
        code: &'static str,
        /// Why.
        detail: String,
    },
    /// A record of an output topic is none of ours.
    #[error("`{topic}` [{partition}] holds at offset {offset} what no node writes: {detail}")]
    Foreign {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: u32,
        /// Where.
        offset: u64,
        /// What is wrong with it.
        detail: String,
    },
    /// Records of the journal do not make sense.
    #[error("the journal is damaged: {0}")]
    Journal(String),
    /// The journal does not continue what the store holds.
    #[error(
        "record {seq} of the journal of shard {shard} is not the one that this store has seen, or does not follow it"
    )]
    JournalDiffers {
        /// Which shard.
        shard: u32,
        /// Which record.
        seq: u64,
    },
    /// The store knows of commits that the journal does not have.
    #[error("the store of shard {shard} stands at record {seq}, which its journal does not have")]
    StoreAhead {
        /// Which shard.
        shard: u32,
        /// The store's last record.
        seq: u64,
    },
    /// The group committed more than the journal has.
    #[error("the group's offset says that record {} of shard {shard} was committed, the journal ends with {seq}", committed - 1)]
    JournalLost {
        /// Which shard.
        shard: u32,
        /// The group's offset: the next sequence.
        committed: u64,
        /// The journal's last record.
        seq: u64,
    },
    /// What the store needs next was trimmed.
    #[error("shard {shard} needs record {wanted} of its journal, which begins with {found}")]
    JournalTrimmed {
        /// Which shard.
        shard: u32,
        /// The next record it needs.
        wanted: u64,
        /// The first that is kept.
        found: u64,
    },
    /// The shard was never made.
    #[error("`{topic}` [{shard}] does not begin with a genesis record")]
    NoGenesis {
        /// The journal.
        topic: String,
        /// Which shard.
        shard: u32,
    },
    /// Nobody says where an input begins.
    #[error("shard {shard} has no position on `{topic}`")]
    NoPosition {
        /// The input.
        topic: String,
        /// Which shard.
        shard: u32,
    },
    /// What a shard must read next is no longer, or not yet, there.
    #[error("`{topic}` [{partition}] must be read from offset {next}, and holds {low} to {high}")]
    InputGone {
        /// The input.
        topic: String,
        /// Which partition.
        partition: u32,
        /// The offset needed.
        next: u64,
        /// The first kept.
        low: u64,
        /// Its end.
        high: u64,
    },
    /// Another process works in our name.
    #[error("another process is `{instance}`: {reason}")]
    IdentityTaken {
        /// The instance.
        instance: String,
        /// How it was seen.
        reason: String,
    },
    /// There are no brokers to ask.
    #[error("`kafka.brokers` is empty: Headroom is embedded, without Kafka")]
    NoBrokers,
}

impl KafkaError {
    /// The code that `headroom explain` knows.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Secret { .. } => "HR0601",
            Self::Client { .. } => "HR0602",
            Self::NoBrokers => "HR0603",
            Self::Unreadable { .. } | Self::Silent { .. } | Self::Interrupted => "HR0602",
            Self::Thread(_) => "HR0306",
            Self::Store(error) => error.code(),
            Self::Lane { code, .. } => code.unwrap_or("HR0306"),
            Self::Snapshot { code, .. } => code,
            Self::Journal(_) | Self::Foreign { .. } => "HR0650",
            Self::JournalDiffers { .. } => "HR0651",
            Self::StoreAhead { .. } => "HR0652",
            Self::JournalLost { .. } => "HR0653",
            Self::JournalTrimmed { .. } => "HR0654",
            Self::NoGenesis { .. } | Self::NoPosition { .. } => "HR0655",
            Self::InputGone { .. } => "HR0656",
            Self::IdentityTaken { .. } => "HR0657",
        }
    }

    /// Whether it may be over in a while.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Client { .. } | Self::Unreadable { .. } | Self::Silent { .. } | Self::Thread(_) => true,
            // A reader that is being answered holds the store for a moment.
            Self::Store(error) => error.code() == "HR0301",
            _ => false,
        }
    }

    /// An error with snapshots.
    #[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
    pub fn snapshot(error: SnapshotError) -> Self {
        Self::Snapshot { code: error.code(), detail: error.to_string() }
    }

    /// An error of the client library, with what was being done.
    pub fn client(doing: impl Into<String>) -> impl FnOnce(ClientError) -> Self {
        let doing = doing.into();
        move |source| Self::Client { doing, source }
    }
}
