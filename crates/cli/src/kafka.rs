//! What commands that write to topics have in common.

use anyhow::{Error, Result};
use headroom_node::KafkaConfig;
use headroom_node::kafka::{Cluster, KafkaError, ProblemCode, Sender, Topic};

use crate::failure::Coded;

/// A sender to topics that are there. Errors: HR0602 and its like, HR0604, HR0605.
pub fn sender(config: &KafkaConfig) -> Result<Sender> {
    let counts = Cluster::connect(config).and_then(|cluster| cluster.partition_counts()).map_err(coded)?;
    let missing = Topic::KEYED.iter().chain(&Topic::BROADCAST).find(|topic| !counts.contains_key(topic));
    if let Some(topic) = missing {
        let message = format!("there is no topic `{}`", topic.name(&config.topic_prefix));
        return Err(Coded { code: ProblemCode::Missing.code(), message }.into());
    }
    let partitions = counts[&Topic::Orders];
    if let Some(other) = Topic::KEYED.iter().find(|topic| counts[topic] != partitions) {
        let message = format!(
            "topic `{}` has {} partitions, and `{}` {partitions}",
            other.name(&config.topic_prefix),
            counts[other],
            Topic::Orders.name(&config.topic_prefix)
        );
        return Err(Coded { code: ProblemCode::Partitions.code(), message }.into());
    }
    Sender::connect(config, partitions).map_err(coded)
}

/// With its code.
pub fn coded(error: KafkaError) -> Error {
    Coded { code: error.code(), message: error.to_string() }.into()
}
