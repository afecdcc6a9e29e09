//! Kafka: clients, topics, what their records say; and the node that serves shards of them.

mod broadcast;
mod check;
pub mod client;
mod cluster;
mod committer;
mod create;
mod error;
mod fetcher;
mod genesis;
mod group;
mod input;
mod lane;
mod native;
mod native_topics;
mod node;
mod plan;
mod problem;
mod producer;
mod sender;
mod tail;
mod takeover;
mod takeover_thread;
mod topic;
mod value;

pub use check::{Checked, check};
pub use client::Isolation;
pub use cluster::{Cluster, FoundTopic};
pub use create::{Created, FirstRuleset, create};
pub use error::KafkaError;
pub use genesis::StartAt;
pub use node::{Fatal, KafkaNode};
pub use plan::{PlannedTopic, plan};
pub use problem::{Problem, ProblemCode};
pub use sender::{SendCounts, Sender};
pub use topic::{Topic, TopicKind};
pub use value::{Arrived, Intake, Outgoing, event_to_send, letter_to_send, output_to_send};
