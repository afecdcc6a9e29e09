//! Settings of the client library, from ours. Why they are as they are: docs/design, and MEASURED in the tracker.

use std::path::Path;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;

use super::error::KafkaError;
use crate::config::{GroupProtocol, KafkaConfig, SaslMechanism, SecurityProtocol};

/// The largest record that topics take and clients send, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 1_048_576;
/// Read ahead of one partition, in KiB and in records. Of all partitions together as much while none is held back.
const READ_AHEAD_KIB: &str = "16384";
const READ_AHEAD_RECORDS: &str = "10000";

/// What a consumer sees of transactions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// What was committed.
    Committed,
    /// Everything, also what is open or was aborted.
    Uncommitted,
}

/// A consumer outside of any group: partitions and offsets are assigned by hand. It commits nothing; the client library
/// wants a group's name all the same.
///
/// # Errors
/// [`KafkaError::Secret`], [`KafkaError::NoBrokers`]; so do all others here.
pub fn consumer(config: &KafkaConfig, isolation: Isolation) -> Result<ClientConfig, KafkaError> {
    let mut client = reader(config, isolation)?;
    client.set("group.id", format!("{}-reader", config.group));
    Ok(client)
}

/// A member of the group that says who serves which shard (PROTOCOL P8).
///
/// # Errors
/// As [`consumer`].
pub fn group(config: &KafkaConfig, instance: &str) -> Result<ClientConfig, KafkaError> {
    let mut client = reader(config, Isolation::Committed)?;
    client.set("group.id", &config.group).set("group.instance.id", instance);
    match config.group_protocol {
        // The broker says how long a session is and how often it wants to hear.
        GroupProtocol::Consumer => client.set("group.protocol", "consumer"),
        GroupProtocol::Classic => client
            .set("group.protocol", "classic")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", millis(config.session_timeout))
            .set("heartbeat.interval.ms", millis(config.heartbeat)),
    };
    Ok(client)
}

/// A producer: transactional with an id, else idempotent.
///
/// # Errors
/// As [`consumer`].
pub fn producer(config: &KafkaConfig, transactional_id: Option<&str>) -> Result<ClientConfig, KafkaError> {
    let mut client = common(config)?;
    client
        .set("linger.ms", "0")
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("message.max.bytes", MESSAGE_BYTES_MAX.to_string());
    if let Some(id) = transactional_id {
        client.set("transactional.id", id).set("transaction.timeout.ms", millis(config.transaction_timeout));
        client.set("retry.backoff.ms", "1").set("retry.backoff.max.ms", "10");
    }
    Ok(client)
}

/// A client that asks about topics, and makes them.
///
/// # Errors
/// As [`consumer`].
pub fn admin(config: &KafkaConfig) -> Result<ClientConfig, KafkaError> {
    common(config)
}

/// The transactional id of a lane's producer, `a` or `b` (PROTOCOL P13).
pub fn transactional_id(config: &KafkaConfig, instance: &str, lane: usize, producer: char) -> String {
    format!("{}.{}.{instance}.lane-{lane}.{producer}", config.environment, config.group)
}

/// A context that turns the library's lines into ours.
pub struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: rdkafka::error::KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "client");
    }
}

impl ConsumerContext for Quiet {}

/// A line of the client library in our log. What it calls an error is one to us where something of ours fails by it,
/// and is told there: a broker that is away would fill the log otherwise.
pub fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
            tracing::info!(target: "librdkafka", facility, "{message}")
        }
        _ => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}

/// A client with these settings.
///
/// # Errors
/// [`KafkaError::Client`] for settings that the library refuses.
pub fn create<C: ClientContext, T: FromClientConfigAndContext<C>>(
    config: &ClientConfig,
    context: C,
) -> Result<T, KafkaError> {
    T::from_config_and_context(config, context).map_err(KafkaError::client("cannot set up a Kafka client"))
}

fn reader(config: &KafkaConfig, isolation: Isolation) -> Result<ClientConfig, KafkaError> {
    let mut client = common(config)?;
    let isolation = match isolation {
        Isolation::Committed => "read_committed",
        Isolation::Uncommitted => "read_uncommitted",
    };
    set_default(&mut client, config, "queued.max.messages.kbytes", READ_AHEAD_KIB);
    set_default(&mut client, config, "queued.min.messages", READ_AHEAD_RECORDS);
    // The default of a second makes a consumer that has read ahead stall.
    set_default(&mut client, config, "fetch.queue.backoff.ms", "2");
    client
        .set("isolation.level", isolation)
        .set("auto.offset.reset", "error")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        .set("allow.auto.create.topics", "false")
        .set("check.crcs", "true");
    Ok(client)
}

fn set_default(client: &mut ClientConfig, config: &KafkaConfig, key: &str, value: &str) {
    if !config.client.contains_key(key) {
        client.set(key, value);
    }
}

fn common(config: &KafkaConfig) -> Result<ClientConfig, KafkaError> {
    if !config.is_used() {
        return Err(KafkaError::NoBrokers);
    }
    let mut client = ClientConfig::new();
    client.extend(config.client.iter().map(|(key, value)| (key.clone(), value.clone())));
    client.set("bootstrap.servers", &config.brokers).set("client.id", "headroom");
    // By default a broker that was away for a while is looked for every ten seconds.
    set_default(&mut client, config, "reconnect.backoff.max.ms", "1000");
    secure(&mut client, config)?;
    Ok(client)
}

fn secure(client: &mut ClientConfig, config: &KafkaConfig) -> Result<(), KafkaError> {
    let (protocol, is_ssl) = match config.security_protocol {
        SecurityProtocol::Plaintext => ("plaintext", false),
        SecurityProtocol::Ssl => ("ssl", true),
        SecurityProtocol::SaslPlaintext => ("sasl_plaintext", false),
        SecurityProtocol::SaslSsl => ("sasl_ssl", true),
    };
    client.set("security.protocol", protocol);
    if is_ssl {
        set_path(client, "ssl.ca.location", &config.ssl_ca_file);
        set_path(client, "ssl.certificate.location", &config.ssl_certificate_file);
        set_path(client, "ssl.key.location", &config.ssl_key_file);
        set_secret(client, "ssl.key.password", "kafka.ssl_key_password_file", &config.ssl_key_password_file)?;
    }
    if config.security_protocol.is_sasl() {
        let mechanism = match config.sasl_mechanism {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        };
        client.set("sasl.mechanisms", mechanism).set("sasl.username", &config.sasl_username);
        set_secret(client, "sasl.password", "kafka.sasl_password_file", &config.sasl_password_file)?;
    }
    Ok(())
}

fn set_path(client: &mut ClientConfig, key: &str, path: &Path) {
    if !path.as_os_str().is_empty() {
        client.set(key, path.to_string_lossy());
    }
}

/// A file's line end is no part of a secret.
fn set_secret(client: &mut ClientConfig, key: &str, setting: &'static str, path: &Path) -> Result<(), KafkaError> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let secret = std::fs::read_to_string(path);
    let secret = secret.map_err(|source| KafkaError::Secret { setting, path: path.to_owned(), source })?;
    client.set(key, secret.trim_end_matches(['\r', '\n']));
    Ok(())
}

fn millis(time: Duration) -> String {
    time.as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn config(sets: &[&str]) -> KafkaConfig {
        let sets: Vec<String> = sets.iter().map(|pair| format!("kafka.{pair}")).collect();
        Config::load(None, &sets).unwrap().kafka
    }

    #[test]
    fn every_client_is_one_that_the_library_takes() {
        let config = config(&["brokers=b:1", "security_protocol=ssl"]);
        let clients = [
            consumer(&config, Isolation::Committed),
            consumer(&config, Isolation::Uncommitted),
            group(&config, "n"),
            group(&KafkaConfig { group_protocol: GroupProtocol::Consumer, ..config.clone() }, "n"),
            producer(&config, None),
            producer(&config, Some(&transactional_id(&config, "n", 0, 'a'))),
            admin(&config),
        ];
        for client in clients {
            client.unwrap().create_native_config().unwrap();
        }
        assert_eq!(transactional_id(&config, "n1", 2, 'b'), "dev.headroom.n1.lane-2.b");
    }

    #[test]
    fn the_users_properties_are_passed_on_and_win_over_ours_where_they_may() {
        let config = config(&["brokers=b:1", "client.fetch.queue.backoff.ms=7", "client.debug=topic"]);
        let client = consumer(&config, Isolation::Committed).unwrap();
        assert_eq!((client.get("fetch.queue.backoff.ms"), client.get("debug")), (Some("7"), Some("topic")));
        assert_eq!(client.get("auto.offset.reset"), Some("error"));
    }

    #[test]
    fn secrets_come_from_files_and_a_missing_one_has_its_code() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "s3cret\n").unwrap();
        let sets = |path: &Path| {
            let path = format!("sasl_password_file={}", path.display());
            config(&["brokers=b:1", "security_protocol=sasl_ssl", "sasl_username=u", &path])
        };
        let client = admin(&sets(&file)).unwrap();
        assert_eq!(
            (client.get("sasl.password"), client.get("sasl.mechanisms")),
            (Some("s3cret"), Some("SCRAM-SHA-512"))
        );
        let error = admin(&sets(&dir.path().join("none"))).unwrap_err();
        assert_eq!(error.code(), "HR0601");
        assert_eq!(admin(&config(&[])).unwrap_err().code(), "HR0603");
    }
}
