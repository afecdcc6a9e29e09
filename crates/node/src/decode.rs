//! From a raw record of a file to a record of the shard.

use std::sync::Arc;
use std::time::SystemTime;

use headroom_engine::{DAY, Position, Record, Refusal, RefusalCode, Timestamp};
use headroom_sources::{Encoding, RawRecord};

/// A record may lie ahead of our clock by so much: clocks and zones differ.
const AHEAD_MAX: i64 = DAY;

/// The clock of the machine.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The latest time that a record may carry. A file has no broker that stamps its records: one that lies in the future
/// would move the shard's clock there, and everything after it would be too old. So this is the one place where the
/// clock of the machine decides, and only about records that cannot be true.
pub fn latest_record_time() -> Timestamp {
    wall_clock().plus(AHEAD_MAX)
}

/// Decodes; what cannot be taken carries its refusal and the timestamp of the record before.
pub fn decode(raw: &RawRecord<'_>, position: Position, last: Timestamp, latest: Timestamp) -> Record {
    let decoded = match &raw.cut {
        Some(cut) => {
            let detail = format!("the record has {} bytes, an event at most 1 MiB", cut.length);
            Err(Refusal::new(RefusalCode::TooLarge, detail))
        }
        None => match raw.encoding {
            Encoding::Json => headroom_wire::decode_json(raw.bytes),
            Encoding::Protobuf => headroom_wire::decode_protobuf(raw.bytes),
        },
    };
    let (timestamp, content, event) = match decoded {
        Ok(decoded) if decoded.recorded_at > latest => {
            let detail = "the record lies more than a day ahead of this machine's clock";
            (last, 0, Err(Refusal::new(RefusalCode::TimeInFuture, detail)))
        }
        Ok(decoded) => (decoded.recorded_at, decoded.content, Ok(decoded.event)),
        Err(refusal) => (last, 0, Err(refusal)),
    };
    let (original, encoding) = (Arc::from(raw.bytes), raw.encoding.name());
    Record { position, timestamp, event, content, original, encoding, around: None, replayed: false }
}
