//! `[kafka]`: brokers, topics and rounds. What each setting is for stands in `default.toml`; its range stands here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use headroom_wire::ValueFormat;
use rdkafka::ClientConfig;
use serde::Serialize;

use super::layer::Raw;
use super::reader::{Flaw, Reader};
use super::{as_text, names};

/// `[kafka]`: brokers, topics and rounds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KafkaConfig {
    /// Brokers to begin with, with commas; empty: embedded mode.
    pub brokers: String,
    /// First part of transactional ids.
    pub environment: String,
    /// The consumer group, and second part of transactional ids.
    pub group: String,
    /// What the names of all topics begin with.
    pub topic_prefix: String,
    /// Whose time a record has, and how safe topics must be.
    pub profile: KafkaProfile,
    /// Partitions of keyed topics where they are made.
    pub partitions: u32,
    /// Copies of each partition where topics are made; 0: as the profile has it ([`KafkaConfig::replicas`]).
    pub replication: u16,
    /// Copies that must have a record; 0: as the profile has it ([`KafkaConfig::insync_replicas`]).
    pub min_insync: u16,
    /// How long keyed input topics keep records.
    #[serde(serialize_with = "as_text::duration")]
    pub input_retention: Duration,
    /// How long output topics keep records.
    #[serde(serialize_with = "as_text::duration")]
    pub output_retention: Duration,
    /// How long a round collects.
    #[serde(serialize_with = "as_text::duration")]
    pub commit_every: Duration,
    /// Records of a round, at most.
    pub round_records: usize,
    /// Bytes of a round's inputs, at most.
    #[serde(serialize_with = "as_text::size")]
    pub round_bytes: usize,
    /// How long a partition that is behind is waited for (PROTOCOL P1).
    #[serde(serialize_with = "as_text::duration")]
    pub wait_behind: Duration,
    /// Time without a sign of life after which shards move.
    #[serde(serialize_with = "as_text::duration")]
    pub session_timeout: Duration,
    /// How often a sign of life is given.
    #[serde(serialize_with = "as_text::duration")]
    pub heartbeat: Duration,
    /// How the group finds its members.
    pub group_protocol: GroupProtocol,
    /// Time after which brokers abort a transaction.
    #[serde(serialize_with = "as_text::duration")]
    pub transaction_timeout: Duration,
    /// Whether the node follows the journals of shards that others serve.
    pub standby: bool,
    /// How connections are protected.
    pub security_protocol: SecurityProtocol,
    /// How we say who we are.
    pub sasl_mechanism: SaslMechanism,
    /// Who we are.
    pub sasl_username: String,
    /// Holds the password.
    pub sasl_password_file: PathBuf,
    /// Holds the certificates that brokers are checked against; empty: the system's.
    pub ssl_ca_file: PathBuf,
    /// Holds our certificate; empty: none.
    pub ssl_certificate_file: PathBuf,
    /// Holds its private key.
    pub ssl_key_file: PathBuf,
    /// Holds the key's password; empty: it has none.
    pub ssl_key_password_file: PathBuf,
    /// How values are written.
    pub formats: KafkaFormats,
    /// Properties of librdkafka by their own names.
    pub client: BTreeMap<String, String>,
}

/// `[kafka.formats]`: how the values of each topic are written. The journal's are always protobuf.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[expect(missing_docs, reason = "a field is named as its topic")]
pub struct KafkaFormats {
    pub orders: ValueFormat,
    pub repayments: ValueFormat,
    pub signals: ValueFormat,
    pub accounts: ValueFormat,
    pub promotions: ValueFormat,
    pub control: ValueFormat,
    pub limit_changes: ValueFormat,
    pub offers: ValueFormat,
    pub notices: ValueFormat,
    pub reviews: ValueFormat,
    pub dead_letters: ValueFormat,
    /// The schema id of events that we write as [`ValueFormat::Confluent`].
    pub events_schema_id: u32,
    /// The schema id of outputs.
    pub outputs_schema_id: u32,
}

/// Whose time a record has, and how safe topics must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KafkaProfile {
    /// The broker's: LogAppendTime.
    Production,
    /// The producer's: CreateTime.
    Development,
}

/// How the group finds its members.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupProtocol {
    /// One of them assigns.
    Classic,
    /// The broker assigns (KIP-848).
    Consumer,
}

/// How connections are protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityProtocol {
    /// Not at all.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL without TLS.
    SaslPlaintext,
    /// SASL within TLS.
    SaslSsl,
}

/// How we say who we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum SaslMechanism {
    /// Name and password as they are.
    #[serde(rename = "PLAIN")]
    Plain,
    /// Challenge and response over SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// Challenge and response over SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl SecurityProtocol {
    /// Whether we say who we are.
    pub fn is_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl KafkaConfig {
    /// Whether there are brokers: else the service keeps its own log.
    pub fn is_used(&self) -> bool {
        !self.brokers.is_empty()
    }

    /// Copies of each partition where topics are made.
    pub fn replicas(&self) -> u16 {
        self.by_profile(self.replication, 3)
    }

    /// Copies that must have a record before it counts.
    pub fn insync_replicas(&self) -> u16 {
        self.by_profile(self.min_insync, 2)
    }

    fn by_profile(&self, value: u16, production: u16) -> u16 {
        match (value, self.profile) {
            (0, KafkaProfile::Production) => production,
            (0, KafkaProfile::Development) => 1,
            (value, _) => value,
        }
    }

    pub(super) fn read(from: &mut Reader) -> Self {
        let profiles = [("production", KafkaProfile::Production), ("development", KafkaProfile::Development)];
        let protocols = [("classic", GroupProtocol::Classic), ("consumer", GroupProtocol::Consumer)];
        Self {
            brokers: from.text("kafka.brokers"),
            environment: name(from, "kafka.environment", 1, 32),
            group: name(from, "kafka.group", 1, 64),
            topic_prefix: name(from, "kafka.topic_prefix", 0, 64),
            profile: from.word("kafka.profile", &profiles),
            partitions: from.number("kafka.partitions", 1..=1024),
            replication: from.number("kafka.replication", 0..=9),
            min_insync: from.number("kafka.min_insync", 0..=9),
            input_retention: from.duration("kafka.input_retention", "1h", "3650d"),
            output_retention: from.duration("kafka.output_retention", "1h", "3650d"),
            commit_every: from.duration("kafka.commit_every", "1ms", "10s"),
            round_records: from.number("kafka.round_records", 1..=100_000),
            round_bytes: from.size("kafka.round_bytes", "64KiB", "256MiB"),
            wait_behind: from.duration("kafka.wait_behind", "0s", "1m"),
            session_timeout: from.duration("kafka.session_timeout", "1s", "30m"),
            heartbeat: from.duration("kafka.heartbeat", "50ms", "10m"),
            group_protocol: from.word("kafka.group_protocol", &protocols),
            transaction_timeout: from.duration("kafka.transaction_timeout", "1s", "15m"),
            standby: from.flag("kafka.standby"),
            security_protocol: from.word("kafka.security_protocol", &SECURITY),
            sasl_mechanism: from.word("kafka.sasl_mechanism", &MECHANISMS),
            sasl_username: from.text("kafka.sasl_username"),
            sasl_password_file: from.text("kafka.sasl_password_file").into(),
            ssl_ca_file: from.text("kafka.ssl_ca_file").into(),
            ssl_certificate_file: from.text("kafka.ssl_certificate_file").into(),
            ssl_key_file: from.text("kafka.ssl_key_file").into(),
            ssl_key_password_file: from.text("kafka.ssl_key_password_file").into(),
            formats: KafkaFormats::read(from),
            client: from.open(client_flaw),
        }
    }

    /// Settings that are good each, but not together.
    pub(super) fn conflicts(&self, reader: &mut Reader) {
        if self.heartbeat > self.session_timeout / 3 {
            let message = "`kafka.heartbeat` is more than a third of `kafka.session_timeout`".to_owned();
            let help = "one lost sign of life would move shards: raise the session or lower the heartbeat";
            reader.conflict(&["kafka.heartbeat", "kafka.session_timeout"], message, help);
        }
        if self.insync_replicas() > self.replicas() {
            let (insync, copies) = (self.insync_replicas(), self.replicas());
            let message = format!("`kafka.min_insync` is {insync}, more than the {copies} of `kafka.replication`");
            let help = "nothing could be written: lower the first or raise the second";
            reader.conflict(&["kafka.min_insync", "kafka.replication"], message, help);
        }
        if self.commit_every >= self.transaction_timeout {
            let message = "`kafka.commit_every` is not below `kafka.transaction_timeout`".to_owned();
            let help = "brokers would abort every round: lower the first or raise the second";
            reader.conflict(&["kafka.commit_every", "kafka.transaction_timeout"], message, help);
        }
        self.secret_conflicts(reader);
    }

    fn secret_conflicts(&self, reader: &mut Reader) {
        let nobody = self.sasl_username.is_empty() || self.sasl_password_file.as_os_str().is_empty();
        if self.security_protocol.is_sasl() && nobody {
            let keys = &["kafka.security_protocol", "kafka.sasl_username", "kafka.sasl_password_file"];
            let message = "`kafka.security_protocol` is SASL, and there is no name or no password".to_owned();
            reader.conflict(keys, message, "set `kafka.sasl_username` and `kafka.sasl_password_file`");
        }
        if self.ssl_certificate_file.as_os_str().is_empty() != self.ssl_key_file.as_os_str().is_empty() {
            let keys = &["kafka.ssl_certificate_file", "kafka.ssl_key_file"];
            let message = "`kafka.ssl_certificate_file` and `kafka.ssl_key_file` belong together".to_owned();
            reader.conflict(keys, message, "set both, or none where brokers ask for no certificate");
        }
    }
}

const SECURITY: [(&str, SecurityProtocol); 4] = [
    ("plaintext", SecurityProtocol::Plaintext),
    ("ssl", SecurityProtocol::Ssl),
    ("sasl_plaintext", SecurityProtocol::SaslPlaintext),
    ("sasl_ssl", SecurityProtocol::SaslSsl),
];

const MECHANISMS: [(&str, SaslMechanism); 3] = [
    ("PLAIN", SaslMechanism::Plain),
    ("SCRAM-SHA-256", SaslMechanism::ScramSha256),
    ("SCRAM-SHA-512", SaslMechanism::ScramSha512),
];

const FORMATS: [(&str, ValueFormat); 3] =
    [("protobuf", ValueFormat::Protobuf), ("json", ValueFormat::Json), ("confluent", ValueFormat::Confluent)];

impl KafkaFormats {
    fn read(from: &mut Reader) -> Self {
        Self {
            orders: from.word("kafka.formats.orders", &FORMATS),
            repayments: from.word("kafka.formats.repayments", &FORMATS),
            signals: from.word("kafka.formats.signals", &FORMATS),
            accounts: from.word("kafka.formats.accounts", &FORMATS),
            promotions: from.word("kafka.formats.promotions", &FORMATS),
            control: from.word("kafka.formats.control", &FORMATS),
            limit_changes: from.word("kafka.formats.limit_changes", &FORMATS),
            offers: from.word("kafka.formats.offers", &FORMATS),
            notices: from.word("kafka.formats.notices", &FORMATS),
            reviews: from.word("kafka.formats.reviews", &FORMATS),
            dead_letters: from.word("kafka.formats.dead_letters", &FORMATS),
            events_schema_id: from.number("kafka.formats.events_schema_id", 0..=i64::from(i32::MAX)),
            outputs_schema_id: from.number("kafka.formats.outputs_schema_id", 0..=i64::from(i32::MAX)),
        }
    }
}

/// A part of names of topics, groups and transactional ids.
fn name(from: &mut Reader, key: &'static str, least: usize, most: usize) -> String {
    from.get(key, |raw| match raw {
        Raw::Text(text) if (least..=most).contains(&text.len()) && text.chars().all(names::is_plain) => {
            Ok(text.clone())
        }
        Raw::Text(text) => {
            let help = format!("write {least} to {most} letters, digits, `.`, `_`, `-`");
            Err(Flaw::range(key, text, help))
        }
        other => Err(Flaw::form(key, "a name", other, "write it in quotes")),
    })
}

/// Properties that are set elsewhere, by the setting that says them.
const ELSEWHERE: [(&str, &str); 21] = [
    ("bootstrap.servers", "kafka.brokers"),
    ("metadata.broker.list", "kafka.brokers"),
    ("group.id", "kafka.group"),
    ("group.protocol", "kafka.group_protocol"),
    ("group.instance.id", "node.instance"),
    ("session.timeout.ms", "kafka.session_timeout"),
    ("heartbeat.interval.ms", "kafka.heartbeat"),
    ("transaction.timeout.ms", "kafka.transaction_timeout"),
    ("security.protocol", "kafka.security_protocol"),
    ("sasl.mechanism", "kafka.sasl_mechanism"),
    ("sasl.mechanisms", "kafka.sasl_mechanism"),
    ("sasl.username", "kafka.sasl_username"),
    ("sasl.password", "kafka.sasl_password_file"),
    ("ssl.ca.location", "kafka.ssl_ca_file"),
    ("ssl.certificate.location", "kafka.ssl_certificate_file"),
    ("ssl.key.location", "kafka.ssl_key_file"),
    ("ssl.key.password", "kafka.ssl_key_password_file"),
    ("ssl.key.pem", "kafka.ssl_key_file"),
    ("ssl.certificate.pem", "kafka.ssl_certificate_file"),
    ("ssl.ca.pem", "kafka.ssl_ca_file"),
    ("transactional.id", "kafka.environment"),
];

/// Properties that exactly once, or the order of records, hangs on; with why.
const OURS: [(&str, &str); 13] = [
    ("isolation.level", "inputs of aborted transactions would be decided"),
    ("enable.auto.commit", "positions are committed with the outputs that they caused"),
    ("enable.auto.offset.store", "positions are committed with the outputs that they caused"),
    ("auto.offset.reset", "a lost position must stop the shard, not start it elsewhere"),
    ("enable.idempotence", "outputs could come twice"),
    ("acks", "a commit could be lost with a broker"),
    ("request.required.acks", "a commit could be lost with a broker"),
    ("partitioner", "accounts would land in other shards than their state"),
    ("partition.assignment.strategy", "only moved shards may pause"),
    ("enable.partition.eof", "the clock may move only when every partition is at its end"),
    ("allow.auto.create.topics", "topics are made by `headroom topics create`, with the right settings"),
    ("message.max.bytes", "it must fit the topics, which `headroom topics create` makes"),
    ("linger.ms", "rounds would wait a second time"),
];

fn client_flaw(name: &str, value: &str) -> Option<Flaw> {
    let key = format!("kafka.client.{name}");
    if let Some((_, setting)) = ELSEWHERE.iter().find(|(each, _)| *each == name) {
        return Some(Flaw::owned(&key, format!("set `{setting}` instead")));
    }
    if let Some((_, why)) = OURS.iter().find(|(each, _)| *each == name) {
        return Some(Flaw::owned(&key, format!("leave it out: with another value {why}")));
    }
    if name.ends_with("password") || name.ends_with("secret") {
        return Some(Flaw::owned(&key, "leave it out: secrets are read from files only".to_owned()));
    }
    let refused = ClientConfig::new().set(name, value).create_native_config().err()?;
    Some(Flaw::range(&key, value, format!("librdkafka says: {refused}")))
}
