//! Topics on a real broker: made, checked, written and read.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use headroom_engine::Timestamp;
use headroom_kafka_broker::{Broker, Options};
use headroom_node::kafka::{
    Arrived, Cluster, FirstRuleset, Intake, Isolation, PlannedTopic, Problem, Sender, StartAt, Topic, check, client,
    create, event_to_send, plan,
};
use headroom_node::{Config, KafkaConfig, ruleset_event, shard_of};
use headroom_wire::{JournalTopicRecord, decode_json, encode_journal_topic, event_from_json};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const WAIT: Duration = Duration::from_secs(20);

/// One for all tests; it ends with the process.
fn broker() -> Option<&'static Broker> {
    static BROKER: OnceLock<Option<Broker>> = OnceLock::new();
    BROKER.get_or_init(|| Broker::for_test(Options::default())).as_ref()
}

/// One installation: a prefix of its own on a broker of all.
struct Place {
    config: KafkaConfig,
    runtime: tokio::runtime::Runtime,
    admin: AdminClient<DefaultClientContext>,
}

fn config(broker: &Broker, prefix: &str, sets: &[&str]) -> KafkaConfig {
    let own = [
        format!("kafka.brokers={}", broker.bootstrap()),
        format!("kafka.topic_prefix={prefix}."),
        "kafka.profile=development".to_owned(),
        "kafka.partitions=2".to_owned(),
    ];
    let sets = sets.iter().map(|set| (*set).to_owned());
    Config::load(None, &own.into_iter().chain(sets).collect::<Vec<_>>()).unwrap().kafka
}

fn rules() -> Vec<(String, String)> {
    vec![("facts.yaml".to_owned(), "facts: {}\n".to_owned())]
}

fn first(files: &[(String, String)]) -> FirstRuleset<'_> {
    FirstRuleset { files, is_named: true }
}

fn codes(problems: &[Problem]) -> BTreeSet<&str> {
    problems.iter().map(|problem| problem.code).collect()
}

impl Place {
    fn new(broker: &Broker, prefix: &str) -> Self {
        let config = config(broker, prefix, &[]);
        let admin = client::admin(&config).unwrap().create().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { config, runtime, admin }
    }

    fn made(broker: &Broker, prefix: &str) -> Self {
        let place = Self::new(broker, prefix);
        create(&place.config, first(&rules()), StartAt::Beginning).unwrap();
        place
    }

    fn planned(&self, topic: Topic) -> PlannedTopic {
        plan(&self.config).into_iter().find(|planned| planned.topic == topic).unwrap()
    }

    /// Sets one setting of a topic otherwise than planned.
    fn set(&self, topic: Topic, name: &str, value: &str) {
        let planned = self.planned(topic);
        let mut settings = AlterConfig::new(ResourceSpecifier::Topic(&planned.name));
        for (each, planned) in &planned.settings {
            settings = settings.set(each, if *each == name { value } else { planned });
        }
        let done = self.runtime.block_on(self.admin.alter_configs([&settings], &AdminOptions::new()));
        done.unwrap().into_iter().for_each(|each| drop(each.unwrap()));
    }

    fn delete(&self, topic: Topic) {
        let name = topic.name(&self.config.topic_prefix);
        let options = AdminOptions::new().operation_timeout(Some(WAIT));
        let done = self.runtime.block_on(self.admin.delete_topics(&[&name], &options));
        done.unwrap().into_iter().for_each(|each| drop(each.unwrap()));
    }

    fn problems(&self) -> Vec<Problem> {
        check(&self.config, None).unwrap_err()
    }

    /// Deleting and altering take a moment to be seen everywhere.
    #[track_caller]
    fn comes_to(&self, wanted: &[&str]) {
        let until = Instant::now() + WAIT;
        loop {
            let found = check(&self.config, None).err().unwrap_or_default();
            if codes(&found) == wanted.iter().copied().collect() {
                return;
            }
            assert!(Instant::now() < until, "expected {wanted:?}: {found:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn read(&self, topic: Topic, partitions: u32, records: usize) -> Vec<headroom_engine::Record> {
        let reader: BaseConsumer = client::consumer(&self.config, Isolation::Committed).unwrap().create().unwrap();
        let name = topic.name(&self.config.topic_prefix);
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(&name, partition.cast_signed(), Offset::Offset(0)).unwrap();
        }
        reader.assign(&list).unwrap();
        let intake = Intake::new(topic, &self.config, partitions);
        let mut found = Vec::new();
        while found.len() < records {
            let message = match reader.poll(WAIT).expect("a record in time") {
                Ok(message) => message,
                Err(KafkaError::PartitionEOF(_)) => continue,
                Err(error) => panic!("{error}"),
            };
            let arrived = Arrived {
                partition: message.partition().cast_unsigned(),
                offset: message.offset().cast_unsigned(),
                timestamp: message.timestamp().to_millis(),
                key: message.key(),
                value: message.payload(),
            };
            let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
            let headers = headers.map(|header| (header.key, header.value));
            found.push(intake.decode(arrived, headers, Timestamp(i64::MAX)));
        }
        found
    }
}

#[test]
fn topics_are_made_once_and_every_shard_gets_its_genesis() {
    let Some(broker) = broker() else { return };
    let place = Place::new(broker, "made");
    let missing = place.problems();
    assert_eq!((missing.len(), codes(&missing)), (12, BTreeSet::from(["HR0605"])));

    // Topics without genesis, as an interrupted call leaves them.
    Cluster::connect(&place.config).unwrap().create(&plan(&place.config)).unwrap();
    assert_eq!(codes(&place.problems()), BTreeSet::from(["HR0612"]));
    let order = r#"{"event_id":"e1","account_id":"M1","occurred_at":"2025-11-10T20:05:00Z","order":{"kind":"KIND_PLACED","order_id":"o","currency":"CNY","amount":"5"}}"#;
    let sender = Sender::connect(&place.config, 2).unwrap();
    let sent = event_to_send(&event_from_json(order.as_bytes()).unwrap(), &place.config).unwrap();
    sender.send(&sent, Some(1_762_805_100_000)).unwrap();
    assert_eq!(sender.finish().unwrap().delivered, 1);

    let made = create(&place.config, first(&rules()), StartAt::End).unwrap();
    assert_eq!((made.topics.len(), made.genesis), (0, vec![0, 1]));
    let checked = check(&place.config, None).unwrap();
    assert_eq!((checked.shards, checked.journal_first.clone()), (2, vec![0, 0]));
    let home = shard_of("M1", 2);
    for (shard, genesis) in (0..).zip(&checked.genesis) {
        let genesis = genesis.as_ref().unwrap();
        assert_eq!((&genesis.cluster_id, &genesis.ruleset), (&checked.cluster_id, &rules()));
        let orders = ("made.orders.v1".to_owned(), shard, u64::from(shard == home));
        assert_eq!((genesis.inputs.len(), &genesis.inputs[0]), (6, &orders));
        assert_eq!(genesis.topics.len(), 12);
        assert!(genesis.topics.iter().all(|(_, id, _)| id.len() == 22), "{:?}", genesis.topics);
    }

    let again = create(&place.config, first(&rules()), StartAt::Beginning).unwrap();
    assert_eq!((again.topics.len(), again.genesis.len()), (0, 0));
    assert_eq!(again.checked, checked);
    let other = [("facts.yaml".to_owned(), "facts: {}\n# other\n".to_owned())];
    let refused = create(&place.config, first(&other), StartAt::Beginning).unwrap_err();
    assert_eq!(codes(&refused), BTreeSet::from(["HR0616"]));
    let unnamed = FirstRuleset { files: &other, is_named: false };
    assert_eq!(create(&place.config, unnamed, StartAt::Beginning).unwrap().checked, checked);
    let counts = Cluster::connect(&place.config).unwrap().partition_counts().unwrap();
    assert_eq!((counts.len(), counts[&Topic::Orders], counts[&Topic::Control]), (12, 2, 1));
}

#[test]
fn every_deviation_is_found() {
    let Some(broker) = broker() else { return };
    let place = Place::made(broker, "off");
    let settings = [
        (Topic::Orders, "cleanup.policy", "compact,delete", "HR0606"),
        (Topic::Control, "cleanup.policy", "compact", "HR0606"),
        (Topic::Journal, "retention.ms", "86400000", "HR0607"),
        (Topic::Notices, "retention.ms", "86400000", "HR0607"),
        (Topic::Promotions, "retention.bytes", "1000000", "HR0607"),
        (Topic::Journal, "unclean.leader.election.enable", "true", "HR0609"),
        (Topic::Signals, "message.timestamp.type", "LogAppendTime", "HR0610"),
        (Topic::LimitChanges, "max.message.bytes", "1000", "HR0611"),
    ];
    for (topic, name, value, code) in settings {
        place.set(topic, name, value);
        place.comes_to(&[code]);
        let found = place.problems();
        assert!(found[0].detail.contains(&format!("`{name}` is `{value}`")), "{found:?}");
        place.set(topic, "", "");
        place.comes_to(&[]);
    }
    let production = config(broker, "off", &["kafka.profile=production"]);
    let found = check(&production, None).unwrap_err();
    assert_eq!(codes(&found), BTreeSet::from(["HR0608", "HR0610"]));

    let name = Topic::Repayments.name(&place.config.topic_prefix);
    let more = [NewPartitions::new(&name, 3)];
    let done = place.runtime.block_on(place.admin.create_partitions(&more, &AdminOptions::new()));
    done.unwrap().into_iter().for_each(|each| drop(each.unwrap()));
    place.comes_to(&["HR0604"]);
    assert_eq!(place.problems().len(), 2, "against the other topics, and against genesis");
    let refused = create(&place.config, first(&rules()), StartAt::Beginning).unwrap_err();
    assert_eq!(codes(&refused), BTreeSet::from(["HR0604"]));
}

#[test]
fn topics_that_were_made_anew_or_elsewhere_are_found() {
    let Some(broker) = broker() else { return };
    let place = Place::made(broker, "anew");
    place.delete(Topic::Offers);
    place.comes_to(&["HR0605"]);
    Cluster::connect(&place.config).unwrap().create(&[place.planned(Topic::Offers)]).unwrap();
    place.comes_to(&["HR0614"]);
    let refused = create(&place.config, first(&rules()), StartAt::Beginning).unwrap_err();
    assert_eq!(codes(&refused), BTreeSet::from(["HR0614"]));

    // The journal itself.
    let journal = Place::made(broker, "journal");
    let known = check(&journal.config, None).unwrap().genesis[0].clone().unwrap();
    let name = Topic::Journal.name(&journal.config.topic_prefix);
    let mut below = TopicPartitionList::new();
    below.add_partition_offset(&name, 0, Offset::Offset(1)).unwrap();
    let done = journal.runtime.block_on(journal.admin.delete_records(&below, &AdminOptions::new()));
    drop(done.unwrap());
    journal.comes_to(&["HR0615"]);
    let checked = check(&journal.config, Some(&known)).unwrap();
    assert_eq!((checked.journal_first, checked.genesis[0].is_none()), (vec![1, 0], true));
    journal.delete(Topic::Journal);
    journal.comes_to(&["HR0605"]);
    Cluster::connect(&journal.config).unwrap().create(&[journal.planned(Topic::Journal)]).unwrap();
    journal.comes_to(&["HR0612"]);
    let found = check(&journal.config, Some(&known)).unwrap_err();
    assert_eq!(codes(&found), BTreeSet::from(["HR0612", "HR0614"]));

    // A genesis from another cluster, and records that are none.
    let foreign = Place::new(broker, "foreign");
    Cluster::connect(&foreign.config).unwrap().create(&plan(&foreign.config)).unwrap();
    let name = Topic::Journal.name(&foreign.config.topic_prefix);
    let writer: BaseProducer = client::producer(&foreign.config, None).unwrap().create().unwrap();
    let elsewhere = headroom_wire::JournalGenesis { cluster_id: "elsewhere".into(), ..known };
    let value = encode_journal_topic(&JournalTopicRecord::Genesis(elsewhere));
    writer.send(BaseRecord::<(), [u8]>::to(&name).partition(0).payload(&value)).unwrap();
    writer.send(BaseRecord::<(), str>::to(&name).partition(1).payload("hello")).unwrap();
    writer.flush(WAIT).unwrap();
    foreign.comes_to(&["HR0612", "HR0613"]);
}

#[test]
fn what_is_sent_through_topics_is_what_files_hold() {
    let Some(broker) = broker() else { return };
    for format in ["protobuf", "json", "confluent"] {
        let formats = ["orders", "control"].map(|topic| format!("kafka.formats.{topic}={format}"));
        let config = config(broker, format, &formats.each_ref().map(String::as_str));
        let place = Place { config, ..Place::new(broker, format) };
        create(&place.config, first(&rules()), StartAt::Beginning).unwrap();
        let line = |n: usize| {
            format!(
                r#"{{"event_id":"e{n}","source":"oms","account_id":"M{n}","occurred_at":"2025-11-10T20:05:00Z","order":{{"kind":"KIND_PLACED","order_id":"o{n}","currency":"CNY","amount":"5"}}}}"#
            )
        };
        let sender = Sender::connect(&place.config, 2).unwrap();
        for n in 0..100 {
            let event = event_from_json(line(n).as_bytes()).unwrap();
            sender.send(&event_to_send(&event, &place.config).unwrap(), Some(1_762_805_100_000)).unwrap();
        }
        let ruleset = ruleset_event(&rules(), Timestamp(1_762_805_100_000));
        sender.send(&event_to_send(&ruleset, &place.config).unwrap(), None).unwrap();
        assert_eq!(sender.finish().unwrap().delivered, 101);
        let mut found = place.read(Topic::Orders, 2, 100);
        assert_eq!(found.iter().map(|record| record.position.partition).collect::<BTreeSet<_>>().len(), 2);
        found.sort_by_key(|record| record.event.as_ref().map(|event| event.id[1..].parse::<usize>().unwrap()).unwrap());
        for (n, record) in found.iter().enumerate() {
            let plain = decode_json(line(n).as_bytes()).unwrap();
            assert_eq!((record.event.as_ref(), record.content), (Ok(&plain.event), plain.content));
            assert_eq!(record.timestamp, Timestamp(1_762_805_100_000));
        }
        let control = place.read(Topic::Control, 1, 1).remove(0).event.unwrap();
        assert!(matches!(control.body, headroom_engine::Body::Control(_)), "{control:?}");
    }
}
