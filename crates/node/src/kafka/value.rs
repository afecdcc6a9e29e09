//! Records of topics to records of shards, and back.

use std::sync::Arc;

use headroom_engine::{Around, Position, Record, Refusal, RefusalCode, Timestamp};
use headroom_wire::proto::{self, DeadLetter};
use headroom_wire::{
    BodyKind, Decoded, EncodeError, EventHeaders, TopicRecord, ValueFormat, decode_event, event_from_topic,
    event_to_topic, letter_headers, output_to_topic,
};

use super::topic::{Topic, TopicKind};
use crate::config::KafkaConfig;
use crate::service::shard_of;

/// What came of an input topic, as it stood there. Headers come beside it.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: u64,
    /// Milliseconds since 1970-01-01T00:00Z, if it has a time.
    pub timestamp: Option<i64>,
    /// Key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Value; none: a tombstone.
    pub value: Option<&'a [u8]>,
}

/// How one input topic is read.
#[derive(Clone, Debug)]
pub struct Intake {
    topic: Topic,
    name: Arc<str>,
    format: ValueFormat,
    partitions: u32,
}

impl Intake {
    /// For an input topic; `partitions`: those of keyed topics.
    pub fn new(topic: Topic, config: &KafkaConfig, partitions: u32) -> Self {
        let name = Arc::from(topic.name(&config.topic_prefix));
        Self { topic, name, format: topic.format(&config.formats), partitions }
    }

    /// Its name, as positions have it.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The shard's record. What cannot be taken carries its refusal. A time beyond `latest`, or none at all, is refused
    /// and counts as the beginning of time, so that it moves no clock.
    pub fn decode<'a>(
        &self,
        arrived: Arrived<'a>,
        headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
        latest: Timestamp,
    ) -> Record {
        let headers: Vec<_> = headers.collect();
        let known = EventHeaders::of(headers.iter().copied());
        let time = time(&arrived, latest);
        let decoded = time.clone().and_then(|_| self.event(&arrived, &known));
        let content = decoded.as_ref().map_or(0, |decoded| decoded.content);
        let event = decoded.map(|decoded| decoded.event);
        // An envelope says everything, its key among it.
        let plain = headers.is_empty() && event.is_ok();
        Record {
            position: Position { input: Arc::clone(&self.name), partition: arrived.partition, offset: arrived.offset },
            timestamp: time.unwrap_or_default(),
            event,
            content,
            original: Arc::from(arrived.value.unwrap_or_default()),
            encoding: self.format.name(),
            around: (!plain).then(|| Around::pack(arrived.key, headers)),
            replayed: known.is_replayed(),
        }
    }

    fn event(&self, arrived: &Arrived<'_>, headers: &EventHeaders<'_>) -> Result<Decoded, Refusal> {
        let is_keyed = self.topic.kind() == TopicKind::Keyed;
        let key = if is_keyed { self.key(arrived)? } else { "" };
        let tombstone = || Refusal::new(RefusalCode::NoBody, "the record has no value (a tombstone)");
        let mut event = event_from_topic(self.format, headers, arrived.value.ok_or_else(tombstone)?)?;
        if let Some(kind) = BodyKind::of(&event).filter(|kind| !self.topic.takes(*kind)) {
            return Err(wrong_topic(kind, self.topic));
        }
        if headers.is_cloud_event() {
            key.clone_into(&mut event.account_id);
        } else if is_keyed && event.account_id != key {
            let detail = format!("`account_id` is `{}`, and the record's key `{key}`", event.account_id);
            return Err(Refusal::new(RefusalCode::BadId, detail));
        }
        decode_event(event)
    }

    /// The account of a keyed record, which must belong where it stands.
    fn key<'a>(&self, arrived: &Arrived<'a>) -> Result<&'a str, Refusal> {
        let missing = || Refusal::new(RefusalCode::NoKey, "the record has no key");
        let key = arrived.key.filter(|key| !key.is_empty()).ok_or_else(missing)?;
        let key = std::str::from_utf8(key);
        let key = key.map_err(|_| Refusal::new(RefusalCode::BadId, "the record's key is no UTF-8"))?;
        let home = shard_of(key, self.partitions);
        if home == arrived.partition {
            return Ok(key);
        }
        let detail = format!("key `{key}` belongs into partition {home}, and stands in {}", arrived.partition);
        Err(Refusal::new(RefusalCode::WrongPartition, detail))
    }
}

fn time(arrived: &Arrived<'_>, latest: Timestamp) -> Result<Timestamp, Refusal> {
    let missing = || Refusal::new(RefusalCode::NoTime, "the record has no time");
    let time = arrived.timestamp.map(headroom_wire::Timestamp::from_millis);
    let millis = time.ok_or_else(missing)?.to_millis();
    let beyond = || Refusal::new(RefusalCode::NoTime, "the record's time lies outside years 1 to 9999");
    let time = Timestamp(millis.ok_or_else(beyond)?);
    if time > latest {
        let detail = "the record's time lies more than a day ahead of this machine's clock";
        return Err(Refusal::new(RefusalCode::TimeInFuture, detail));
    }
    Ok(time)
}

fn wrong_topic(kind: BodyKind, topic: Topic) -> Refusal {
    let (name, home) = (kind.type_name(), Topic::of_kind(kind).word());
    let detail = format!("`{name}` belongs into topic `{home}`, and stands in `{}`", topic.word());
    Refusal::new(RefusalCode::WrongTopic, detail)
}

/// A record to be sent, and where to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// Which topic.
    pub topic: Topic,
    /// Key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Vec<u8>,
    /// Headers.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Outgoing {
    fn new(topic: Topic, record: TopicRecord) -> Self {
        let header = |(name, value): (&str, String)| (name.to_owned(), value.into_bytes());
        Self {
            topic,
            key: record.key.map(String::into_bytes),
            value: record.value,
            headers: record.headers.into_iter().map(header).collect(),
        }
    }
}

/// An event as its topic has it.
///
/// # Errors
/// As [`event_to_topic`].
pub fn event_to_send(event: &proto::Event, config: &KafkaConfig) -> Result<Outgoing, EncodeError> {
    let kind = BodyKind::of(event).ok_or_else(|| EncodeError { detail: "the event has no body".to_owned() })?;
    let topic = Topic::of_kind(kind);
    let record = event_to_topic(event, topic.format(&config.formats), config.formats.events_schema_id)?;
    Ok(Outgoing::new(topic, record))
}

/// An output as its topic has it; its partition is the shard's, whatever the key.
///
/// # Errors
/// As [`output_to_topic`].
pub fn output_to_send(output: &proto::Output, config: &KafkaConfig) -> Result<Outgoing, EncodeError> {
    let body = output.body.as_ref().ok_or_else(|| EncodeError { detail: "the output has no content".to_owned() })?;
    let topic = Topic::of_output(body);
    let record = output_to_topic(output, topic.format(&config.formats), config.formats.outputs_schema_id)?;
    Ok(Outgoing::new(topic, record))
}

/// A dead letter's original as it goes into its topic again, marked as replayed. `None`: it was cut, or did not come
/// through one of our topics.
pub fn letter_to_send(letter: &DeadLetter, config: &KafkaConfig) -> Option<Outgoing> {
    const REPLAYED: &str = "ce_replayed";
    let topic = Topic::of_name(&config.topic_prefix, &letter.input)?;
    if !letter.original_sha256.is_empty() || letter.encoding != topic.format(&config.formats).name() {
        return None;
    }
    let mut headers = letter_headers(letter);
    headers.retain(|(name, _)| name != REPLAYED);
    headers.push((REPLAYED.to_owned(), b"true".to_vec()));
    let key = letter.key.clone().or_else(|| Some(letter.account_id.clone().into_bytes()));
    let key = key.filter(|key| !key.is_empty());
    Some(Outgoing { topic, key, value: letter.original.clone(), headers })
}

#[cfg(test)]
mod tests {
    use headroom_wire::event_from_json;

    use super::*;
    use crate::config::Config;

    const ORDER: &str = r#"{"event_id":"e1","source":"oms","account_id":"M1","occurred_at":"2025-11-10T20:05:00.5Z","recorded_at":"2025-11-10T20:06:00Z","provenance":"PROVENANCE_DERIVED","time_precision":"TIME_PRECISION_DAY","order":{"kind":"KIND_PLACED","order_id":"o","currency":"CNY","amount":"5"}}"#;
    const PROMOTION: &str = r#"{"event_id":"p1","occurred_at":"2025-11-10T20:05:00Z","promotion":{"kind":"KIND_STARTED","promotion_id":"double11"}}"#;
    const AT: i64 = 1_762_805_160_000;
    const LATEST: Timestamp = Timestamp(i64::MAX);

    fn config(format: &str) -> KafkaConfig {
        let formats = Topic::ALL[..11].iter().map(|topic| topic.word().replace('-', "_"));
        let sets: Vec<String> = formats.map(|topic| format!("kafka.formats.{topic}={format}")).collect();
        Config::load(None, &sets).unwrap().kafka
    }

    fn taken(sent: &Outgoing, config: &KafkaConfig, partitions: u32) -> Record {
        let key = sent.key.as_deref();
        let home = key.map_or(0, |key| shard_of(std::str::from_utf8(key).unwrap(), partitions));
        let partition = if sent.topic.kind() == TopicKind::Keyed { home } else { 0 };
        arrive(sent, config, (partitions, partition), Some(AT))
    }

    fn arrive(sent: &Outgoing, config: &KafkaConfig, (partitions, partition): (u32, u32), at: Option<i64>) -> Record {
        let headers: Vec<_> =
            sent.headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_slice()))).collect();
        let key = sent.key.as_deref();
        let arrived = Arrived { partition, offset: 7, timestamp: at, key, value: Some(&sent.value) };
        Intake::new(sent.topic, config, partitions).decode(arrived, headers.into_iter(), LATEST)
    }

    fn refused(record: &Record) -> &'static str {
        record.event.as_ref().unwrap_err().code.code()
    }

    #[test]
    fn what_is_sent_is_taken_in_every_format_as_the_file_has_it() {
        for json in [ORDER, PROMOTION] {
            let plain = headroom_wire::decode_json(json.as_bytes()).unwrap();
            let event = event_from_json(json.as_bytes()).unwrap();
            for format in ["protobuf", "json", "confluent"] {
                let config = config(format);
                let record = taken(&event_to_send(&event, &config).unwrap(), &config, 4);
                assert_eq!(record.event.as_ref(), Ok(&plain.event), "{format}");
                assert_eq!((record.content, record.timestamp), (plain.content, Timestamp(AT)));
                assert_eq!((record.encoding, record.replayed, record.position.offset), (format, false, 7));
            }
        }
    }

    #[test]
    fn an_envelope_without_headers_is_taken_too_and_needs_nothing_around_it() {
        let config = config("json");
        let whole = |json: &str, key: &str| Outgoing {
            topic: Topic::Orders,
            key: Some(key.as_bytes().to_vec()),
            value: json.as_bytes().to_vec(),
            headers: Vec::new(),
        };
        let record = taken(&whole(ORDER, "M1"), &config, 4);
        assert_eq!(record.event, Ok(headroom_wire::decode_json(ORDER.as_bytes()).unwrap().event));
        assert_eq!(record.around, None);
        let other = taken(&whole(ORDER, "M2"), &config, 4);
        assert_eq!((refused(&other), other.around.unwrap().key()), ("BAD_ID", Some(&b"M2"[..])));
    }

    #[test]
    fn what_cannot_be_taken_says_why() {
        let config = config("protobuf");
        let sent = event_to_send(&event_from_json(ORDER.as_bytes()).unwrap(), &config).unwrap();
        let home = shard_of("M1", 4);
        let with = |name: &str, value: Option<&str>| {
            let mut sent = sent.clone();
            sent.headers.retain(|(each, _)| each != name);
            sent.headers.extend(value.map(|value| (name.to_owned(), value.as_bytes().to_vec())));
            refused(&taken(&sent, &config, 4))
        };
        assert_eq!(with("ce_specversion", Some("0.3")), "UNPARSEABLE");
        assert_eq!(with("ce_specversion", None), "UNPARSEABLE");
        assert_eq!(with("ce_type", Some("headroom.v1.Nothing")), "UNKNOWN_WORD");
        assert_eq!(with("ce_type", Some("headroom.v1.SignalEvent")), "UNPARSEABLE");
        assert_eq!(with("ce_type", None), "UNPARSEABLE");
        assert_eq!(with("ce_id", None), "NO_KEY");
        assert_eq!(with("ce_time", Some("yesterday")), "NO_TIME");
        assert_eq!(with("ce_time", None), "NO_TIME");
        assert_eq!(with("ce_provenance", Some("rumour")), "UNKNOWN_WORD");
        let twice = Outgoing { headers: [sent.headers.clone(), sent.headers.clone()].concat(), ..sent.clone() };
        assert_eq!(refused(&taken(&twice, &config, 4)), "UNPARSEABLE");
        let moved = Outgoing { topic: Topic::Signals, ..sent.clone() };
        assert_eq!(refused(&taken(&moved, &config, 4)), "WRONG_TOPIC");
        let broadcast = Outgoing { topic: Topic::Control, ..sent.clone() };
        assert_eq!(refused(&taken(&broadcast, &config, 4)), "WRONG_TOPIC");
        let keyless = Outgoing { key: None, ..sent.clone() };
        assert_eq!(refused(&arrive(&keyless, &config, (4, home), Some(AT))), "NO_KEY");
        let binary = Outgoing { key: Some(vec![0xff]), ..sent.clone() };
        assert_eq!(refused(&arrive(&binary, &config, (4, home), Some(AT))), "BAD_ID");
        let strayed = arrive(&sent, &config, (4, (home + 1) % 4), Some(AT));
        assert_eq!((refused(&strayed), strayed.timestamp), ("WRONG_PARTITION", Timestamp(AT)));
        let timeless = arrive(&sent, &config, (4, home), None);
        assert_eq!((refused(&timeless), timeless.timestamp), ("NO_TIME", Timestamp(0)));
        assert_eq!(refused(&arrive(&sent, &config, (4, home), Some(i64::MAX))), "NO_TIME");
    }

    #[test]
    fn tombstones_and_times_ahead_are_refused_with_everything_around_them() {
        let config = config("protobuf");
        let intake = Intake::new(Topic::Orders, &config, 1);
        let arrived = Arrived { partition: 0, offset: 1, timestamp: Some(AT), key: Some(b"M1"), value: None };
        let record = intake.decode(arrived, [("a", None), ("b", Some(&b"x"[..]))].into_iter(), LATEST);
        assert_eq!(refused(&record), "NO_BODY");
        let around = record.around.unwrap();
        assert_eq!((around.key(), around.headers().count()), (Some(&b"M1"[..]), 2));
        let ahead = intake.decode(arrived, std::iter::empty(), Timestamp(AT - 1));
        assert_eq!((refused(&ahead), ahead.timestamp), ("TIME_IN_FUTURE", Timestamp(0)));
    }

    #[test]
    fn a_dead_letters_original_goes_where_it_came_from_marked_as_replayed() {
        for format in ["protobuf", "json", "confluent"] {
            let config = config(format);
            let sent = event_to_send(&event_from_json(ORDER.as_bytes()).unwrap(), &config).unwrap();
            let strayed = arrive(&sent, &config, (4, (shard_of("M1", 4) + 1) % 4), Some(AT));
            let around = strayed.around.unwrap();
            let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
            let letter = DeadLetter {
                original: strayed.original.to_vec(),
                encoding: strayed.encoding.to_owned(),
                input: strayed.position.input.to_string(),
                headers: around.headers().map(|(name, value)| (name.to_owned(), text(value))).collect(),
                key: around.key().map(<[u8]>::to_vec),
                ..DeadLetter::default()
            };
            let again = taken(&letter_to_send(&letter, &config).unwrap(), &config, 4);
            assert_eq!((again.event.as_ref().unwrap().id.as_str(), again.replayed), ("e1", true));
            let cut = DeadLetter { original_sha256: "5".into(), ..letter.clone() };
            assert_eq!(letter_to_send(&cut, &config), None);
            assert_eq!(letter_to_send(&DeadLetter { input: "log".into(), ..letter }, &config), None);
        }
    }
}
