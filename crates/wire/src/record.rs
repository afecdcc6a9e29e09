//! From the bytes of a record to an event of the engine.

use headroom_engine::{Event, Refusal, Timestamp};
use prost::Message;
use xxhash_rust::xxh3::xxh3_64;

use crate::{event_from_json, event_from_proto, event_from_protobuf, proto, record_time};

/// An event with what a shard wants to know of its record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decoded {
    /// The event.
    pub event: Event,
    /// The record's timestamp where nothing else gives one: `recorded_at`, else `occurred_at`.
    pub recorded_at: Timestamp,
    /// A hash of everything that the event says, the same for JSON and protobuf: tells a duplicate from a reused id.
    pub content: u64,
}

/// Reads and checks an event from a line of JSON.
///
/// # Errors
/// As [`event_from_json`] and [`event_from_proto`].
pub fn decode_json(line: &[u8]) -> Result<Decoded, Refusal> {
    decode_event(event_from_json(line)?)
}

/// Reads and checks an event from protobuf bytes, without a length before them.
///
/// # Errors
/// As [`event_from_protobuf`] and [`event_from_proto`].
pub fn decode_protobuf(bytes: &[u8]) -> Result<Decoded, Refusal> {
    decode_event(event_from_protobuf(bytes)?)
}

/// Checks an event that was read.
///
/// # Errors
/// As [`event_from_proto`].
pub fn decode_event(mut message: proto::Event) -> Result<Decoded, Refusal> {
    let recorded_at = record_time(&message);
    let content = content_hash(&mut message);
    let event = event_from_proto(message)?;
    Ok(Decoded { recorded_at: recorded_at.unwrap_or(event.occurred_at), event, content })
}

/// When the event became known is left out: a second delivery of the same event may carry a later time.
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

    fn taken(line: &str) -> Decoded {
        decode_json(line.as_bytes()).unwrap()
    }

    #[test]
    fn both_encodings_give_the_same_event_and_content() {
        let message = event_from_json(LINE.as_bytes()).unwrap();
        let json = taken(LINE);
        assert_eq!(decode_protobuf(&message.encode_to_vec()).unwrap(), json);
        assert_eq!((json.recorded_at, &*json.event.account), (OCCURRED, "A"));
    }

    #[test]
    fn a_second_delivery_has_the_same_content_and_another_amount_has_not() {
        let later = taken(&LINE.replace("\"order\"", "\"recorded_at\":\"2025-11-10T21:00:00Z\",\"order\""));
        assert_eq!((later.content, later.recorded_at), (taken(LINE).content, OCCURRED.plus(55 * 60_000)));
        assert_ne!(taken(&LINE.replace("\"5\"", "\"6\"")).content, taken(LINE).content);
    }

    #[test]
    fn what_cannot_be_read_and_what_is_refused_have_their_codes() {
        assert_eq!(decode_json(b"{").unwrap_err().code, RefusalCode::Unparseable);
        assert_eq!(decode_protobuf(b"\xff").unwrap_err().code, RefusalCode::Unparseable);
        let refused = decode_json(LINE.replace("CNY", "cny").as_bytes());
        assert_eq!(refused.unwrap_err().code, RefusalCode::WrongCurrency);
    }
}
