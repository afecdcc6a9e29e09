//! From a raw record of a file to a record of the shard.

use std::sync::Arc;

use headroom_engine::{Position, Record, Refusal, RefusalCode, Timestamp};
use headroom_sources::{Encoding, RawRecord};

/// Decodes; what cannot be taken carries its refusal and the timestamp of the record before.
pub fn decode(raw: &RawRecord<'_>, position: Position, last: Timestamp) -> Record {
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
        Ok(decoded) => (decoded.recorded_at, decoded.content, Ok(decoded.event)),
        Err(refusal) => (last, 0, Err(refusal)),
    };
    Record { position, timestamp, event, content, original: Arc::from(raw.bytes), encoding: raw.encoding.name() }
}
