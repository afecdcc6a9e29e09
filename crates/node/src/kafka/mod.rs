//! Kafka: clients, topics, and what their records say.

pub mod client;
mod error;
mod topic;

pub use client::Isolation;
pub use error::KafkaError;
pub use topic::{Topic, TopicKind};
