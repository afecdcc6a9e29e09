//! Kafka: clients, topics, and what their records say.

mod check;
pub mod client;
mod cluster;
mod create;
mod error;
mod genesis;
mod native_topics;
mod plan;
mod problem;
mod sender;
mod topic;
mod value;

pub use check::{Checked, check};
pub use client::Isolation;
pub use cluster::{Cluster, FoundTopic};
pub use create::{Created, FirstRuleset, create};
pub use error::KafkaError;
pub use genesis::StartAt;
pub use plan::{PlannedTopic, plan};
pub use problem::{Problem, ProblemCode};
pub use sender::{SendCounts, Sender};
pub use topic::{Topic, TopicKind};
pub use value::{Arrived, Intake, Outgoing, event_to_send, letter_to_send, output_to_send};
