//! Kafka: clients, topics, and what their records say.

pub mod client;
mod error;
mod topic;
mod value;

pub use client::Isolation;
pub use error::KafkaError;
pub use topic::{Topic, TopicKind};
pub use value::{Arrived, Intake, Outgoing, event_to_send, letter_to_send, output_to_send};
