//! Why something with Kafka could not be done.

use std::path::PathBuf;

use rdkafka::error::KafkaError as ClientError;

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
        }
    }

    /// An error of the client library, with what was being done.
    pub fn client(doing: impl Into<String>) -> impl FnOnce(ClientError) -> Self {
        let doing = doing.into();
        move |source| Self::Client { doing, source }
    }
}
