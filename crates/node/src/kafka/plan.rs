//! What the topics should be.

use super::topic::{Topic, TopicKind};
use crate::config::{KafkaConfig, KafkaProfile};

/// Brokers count a batch's frame as part of a message.
const FRAME_BYTES: usize = 12;
/// Without an end.
pub const ENDLESS: &str = "-1";

/// A topic as it should be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlannedTopic {
    /// Which.
    pub topic: Topic,
    /// Its name.
    pub name: String,
    /// Partitions.
    pub partitions: u32,
    /// Copies of each.
    pub replicas: u16,
    /// Its settings, as Kafka names and writes them.
    pub settings: Vec<(&'static str, String)>,
}

/// All topics as they should be.
pub fn plan(config: &KafkaConfig) -> Vec<PlannedTopic> {
    Topic::ALL.into_iter().map(|topic| planned(topic, config)).collect()
}

fn planned(topic: Topic, config: &KafkaConfig) -> PlannedTopic {
    let settings = vec![
        ("cleanup.policy", "delete".to_owned()),
        ("retention.ms", retention(topic, config)),
        ("retention.bytes", ENDLESS.to_owned()),
        ("min.insync.replicas", config.insync_replicas().to_string()),
        ("unclean.leader.election.enable", "false".to_owned()),
        ("message.timestamp.type", timestamp_type(topic, config).to_owned()),
        ("max.message.bytes", (super::client::MESSAGE_BYTES_MAX + FRAME_BYTES).to_string()),
    ];
    PlannedTopic {
        topic,
        name: topic.name(&config.topic_prefix),
        partitions: if topic.kind() == TopicKind::Broadcast { 1 } else { config.partitions },
        replicas: config.replicas(),
        settings,
    }
}

/// In the development profile records carry times of past seasons, which would be too old at once.
fn retention(topic: Topic, config: &KafkaConfig) -> String {
    match (topic.kind(), config.profile) {
        (TopicKind::Keyed, KafkaProfile::Production) => config.input_retention.as_millis().to_string(),
        (TopicKind::Output, _) => config.output_retention.as_millis().to_string(),
        _ => ENDLESS.to_owned(),
    }
}

/// Inputs: the profile's. Whatever else there is has its writer's.
fn timestamp_type(topic: Topic, config: &KafkaConfig) -> &'static str {
    match (topic.kind(), config.profile) {
        (TopicKind::Keyed | TopicKind::Broadcast, KafkaProfile::Production) => "LogAppendTime",
        _ => "CreateTime",
    }
}

impl PlannedTopic {
    /// A setting's value.
    pub fn setting(&self, name: &str) -> &str {
        self.settings.iter().find(|(each, _)| *each == name).map_or("", |(_, value)| value)
    }
}
