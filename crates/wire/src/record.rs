//! From the bytes of an input to a record of a shard.

use std::sync::Arc;

use headroom_engine::{Event, Position, Record, Refusal, Timestamp};
use prost::Message;
use xxhash_rust::xxh3::xxh3_64;

use crate::{DecodeError, event_from_json, event_from_proto, event_from_protobuf, proto, record_time};

/// How an event is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// A line of JSON.
    Json,
    /// One protobuf message, without a length before it.
    Protobuf,
}

impl Encoding {
    /// As dead letters name it.
    pub fn word(self) -> &'static str {
        match self {
            Encoding::Json => "json",
            Encoding::Protobuf => "protobuf",
        }
    }
}

/// Reads one record. What cannot be read is a record too: it carries the refusal instead of the event.
/// `previous` is the timestamp of the record before it, taken where this one has no readable time of its own.
pub fn read_record(original: Arc<[u8]>, encoding: Encoding, position: Position, previous: Timestamp) -> Record {
    let (timestamp, content, event) = match decode(&original, encoding) {
        Ok(message) => check(message, previous),
        Err(error) => (previous, xxh3_64(&original), Err(error.into())),
    };
    Record { position, timestamp, event, content, original, encoding: encoding.word() }
}

fn decode(bytes: &[u8], encoding: Encoding) -> Result<proto::Event, DecodeError> {
    match encoding {
        Encoding::Json => event_from_json(bytes),
        Encoding::Protobuf => event_from_protobuf(bytes),
    }
}

fn check(mut message: proto::Event, previous: Timestamp) -> (Timestamp, u64, Result<Event, Refusal>) {
    let timestamp = record_time(&message).unwrap_or(previous);
    let content = content_hash(&mut message);
    (timestamp, content, event_from_proto(message))
}

/// A hash of everything that an event says: the same for JSON and protobuf. When it became known is left out, because
/// a second delivery of the same event may carry a later one.
fn content_hash(event: &mut proto::Event) -> u64 {
    let recorded_at = event.recorded_at.take();
    let hash = xxh3_64(&event.encode_to_vec());
    event.recorded_at = recorded_at;
    hash
}

#[cfg(test)]
mod tests {
    use headroom_engine::RefusalCode;

    use super::*;

    const LINE: &str = r#"{"event_id":"e","account_id":"A","occurred_at":"2025-11-10T20:05:00Z","order":{"kind":"KIND_PLACED","order_id":"o","currency":"CNY","amount":"5"}}"#;
    const OCCURRED: Timestamp = Timestamp(1_762_805_100_000);

    fn read(bytes: &[u8], encoding: Encoding) -> Record {
        let position = Position { input: "file".into(), partition: 0, offset: 7 };
        read_record(bytes.into(), encoding, position, Timestamp(3))
    }

    fn line(line: &str) -> Record {
        read(line.as_bytes(), Encoding::Json)
    }

    #[test]
    fn both_encodings_give_the_same_event_and_content() {
        let json = line(LINE);
        let message = event_from_json(LINE.as_bytes()).unwrap();
        let protobuf = read(&message.encode_to_vec(), Encoding::Protobuf);
        assert_eq!((&json.event, json.content), (&protobuf.event, protobuf.content));
        assert_eq!((json.timestamp, json.encoding, protobuf.encoding), (OCCURRED, "json", "protobuf"));
        assert_eq!(&*json.event.unwrap().account, "A");
    }

    #[test]
    fn a_second_delivery_has_the_same_content_and_another_amount_has_not() {
        let later = line(&LINE.replace("\"order\"", "\"recorded_at\":\"2025-11-10T21:00:00Z\",\"order\""));
        assert_eq!((later.content, later.timestamp), (line(LINE).content, OCCURRED.plus(55 * 60_000)));
        assert_ne!(line(&LINE.replace("\"5\"", "\"6\"")).content, line(LINE).content);
    }

    #[test]
    fn what_cannot_be_read_keeps_its_bytes_and_the_time_before_it() {
        let record = line("{");
        assert_eq!((record.timestamp, &*record.original), (Timestamp(3), &b"{"[..]));
        assert_eq!(record.event.unwrap_err().code, RefusalCode::Unparseable);
    }

    #[test]
    fn what_is_refused_keeps_its_own_time() {
        let record = line(&LINE.replace("CNY", "cny"));
        assert_eq!(record.timestamp, OCCURRED);
        assert_eq!(record.event.unwrap_err().code, RefusalCode::WrongCurrency);
    }
}
