//! Topics on the broker, and the season in them.

use std::process::Command;

use headroom_node::kafka::{Outgoing, Sender, TopicKind, event_to_send};
use headroom_node::{Config, KafkaConfig};
use headroom_sources::{SeasonPlan, generate};
use headroom_wire::proto;

use crate::Run;

/// One set of topics.
#[derive(Clone)]
pub struct Cluster {
    pub config: KafkaConfig,
    /// As arguments of the binary.
    pub settings: Vec<String>,
}

impl Cluster {
    /// New topics behind a prefix, with the genesis of their shards.
    pub fn create(run: &Run, brokers: &str, name: &str, partitions: u32) -> Self {
        let mut settings = vec![
            format!("kafka.brokers={brokers}"),
            format!("kafka.topic_prefix={name}."),
            format!("kafka.group={name}"),
            format!("kafka.partitions={partitions}"),
            "kafka.profile=development".to_owned(),
        ];
        settings.extend(run.set.iter().cloned());
        let config = Config::load(None, &settings).expect("settings are right").kafka;
        let cluster = Self { config, settings };
        let mut command = Command::new(&run.headroom);
        command.args(["topics", "create", "--quiet"]).args(cluster.settings.iter().flat_map(|set| ["--set", set]));
        let output = command.output().expect("the binary starts");
        assert!(output.status.success(), "topics create: {}", String::from_utf8_lossy(&output.stderr));
        cluster
    }

    pub fn prefix(&self) -> &str {
        &self.config.topic_prefix
    }

    /// Fills the inputs with a season; gives how many events of accounts it has. Those for everybody are few, and each
    /// shard decides each of them.
    pub fn load(&self, accounts: u64, days: u32) -> u64 {
        let sender = Sender::connect(&self.config, self.config.partitions).expect("the broker is there");
        let mut of_accounts = 0;
        let mut sink = |event: proto::Event| {
            let (outgoing, time) = self.record(&event);
            of_accounts += u64::from(outgoing.topic.kind() == TopicKind::Keyed);
            sender.send(&outgoing, Some(time)).expect("the broker takes it");
            Ok(())
        };
        generate(&SeasonPlan { accounts, days, seed: 1 }, &mut sink, &mut |_| {}).expect("the plan is in range");
        sender.finish().expect("the broker takes everything");
        of_accounts
    }

    /// An event as a record, and its time.
    pub fn record(&self, event: &proto::Event) -> (Outgoing, i64) {
        let time = event.recorded_at.or(event.occurred_at).and_then(|at| at.to_millis());
        (event_to_send(event, &self.config).expect("generated events have a form"), time.expect("and a time"))
    }
}
