//! What is wrong with topics, each with a code and its page in `docs/errors`.

use std::fmt;

use super::error::KafkaError;

/// What can be wrong with topics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ProblemCode {
    /// The cluster could not be asked.
    Unreachable,
    /// Partitions: keyed topics differ, broadcasts have several, or another number than at genesis.
    Partitions,
    /// A topic that is needed is not there.
    Missing,
    /// Records are compacted away.
    Compacted,
    /// Records are deleted too early.
    Retention,
    /// Too few copies, or too few that must have a record.
    Replication,
    /// A copy that lacks records may become the leader.
    UncleanElection,
    /// The wrong time of records.
    Timestamps,
    /// Records of our size are refused.
    MessageSize,
    /// A journal partition does not begin with a genesis.
    NoGenesis,
    /// The genesis names another cluster.
    OtherCluster,
    /// The genesis names another topic of the same name.
    OtherTopic,
    /// The journal's beginning is gone.
    Trimmed,
    /// The genesis names another ruleset, or its partitions disagree.
    OtherGenesis,
}

impl ProblemCode {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Unreachable,
        Self::Partitions,
        Self::Missing,
        Self::Compacted,
        Self::Retention,
        Self::Replication,
        Self::UncleanElection,
        Self::Timestamps,
        Self::MessageSize,
        Self::NoGenesis,
        Self::OtherCluster,
        Self::OtherTopic,
        Self::Trimmed,
        Self::OtherGenesis,
    ];

    /// The code that `headroom explain` knows.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "HR0602",
            Self::Partitions => "HR0604",
            Self::Missing => "HR0605",
            Self::Compacted => "HR0606",
            Self::Retention => "HR0607",
            Self::Replication => "HR0608",
            Self::UncleanElection => "HR0609",
            Self::Timestamps => "HR0610",
            Self::MessageSize => "HR0611",
            Self::NoGenesis => "HR0612",
            Self::OtherCluster => "HR0613",
            Self::OtherTopic => "HR0614",
            Self::Trimmed => "HR0615",
            Self::OtherGenesis => "HR0616",
        }
    }
}

/// Something that is wrong with a topic, for whoever mends it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// What kind.
    pub code: &'static str,
    /// The topic's name; empty: not one of them.
    pub topic: String,
    /// What is found, and what is expected.
    pub detail: String,
}

impl Problem {
    /// With what is found and expected.
    pub fn new(code: ProblemCode, topic: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code: code.code(), topic: topic.into(), detail: detail.into() }
    }
}

impl From<KafkaError> for Problem {
    fn from(error: KafkaError) -> Self {
        Self { code: error.code(), topic: String::new(), detail: error.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.topic.as_str() {
            "" => write!(f, "{}: {}", self.code, self.detail),
            topic => write!(f, "{}: topic `{topic}`: {}", self.code, self.detail),
        }
    }
}
