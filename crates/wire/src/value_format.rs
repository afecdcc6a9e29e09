//! How the values of topics are written: protobuf, JSON, or protobuf in Confluent's frame.

use prost::Message;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{DecodeError, EncodeError, MESSAGE_BYTES_MAX, delimited, json};

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueFormat {
    /// Protobuf as it is.
    Protobuf,
    /// Protobuf's JSON mapping.
    Json,
    /// Protobuf behind a magic byte 0, a schema id of four bytes, and the index of the message.
    Confluent,
}

/// Deeper than any message of any schema.
const INDEXES_MAX: u64 = 16;

impl ValueFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Protobuf, Self::Json, Self::Confluent];

    /// "protobuf", "json" or "confluent".
    pub fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "json",
            Self::Confluent => "confluent",
        }
    }

    /// The format with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf | Self::Confluent => "application/protobuf",
            Self::Json => "application/json",
        }
    }

    /// Reads a message of which it is known what it is.
    pub(crate) fn read<M: Message + Default + DeserializeOwned>(self, value: &[u8]) -> Result<M, DecodeError> {
        match self {
            Self::Protobuf => delimited::decode(value),
            Self::Json => json::from_json(value),
            Self::Confluent => delimited::decode(unframed(value)?),
        }
    }

    /// Writes a message; `schema` is its schema's id, and its place among the messages of the schema.
    pub(crate) fn write<M: Message + Serialize>(self, message: &M, schema: (u32, u8)) -> Result<Vec<u8>, EncodeError> {
        let mut value = Vec::with_capacity(message.encoded_len() + 8);
        match self {
            Self::Protobuf => message.encode(&mut value).expect("a `Vec` grows as needed"),
            Self::Json => json::to_json(message, &mut value)?,
            Self::Confluent => {
                frame(schema, &mut value);
                message.encode(&mut value).expect("a `Vec` grows as needed");
            }
        }
        Ok(value)
    }
}

/// The first message of a schema is written short; a place up to 63 has one byte in zigzag.
fn frame((id, place): (u32, u8), value: &mut Vec<u8>) {
    assert!(place < 64, "a schema of ours has fewer messages");
    value.push(0);
    value.extend(id.to_be_bytes());
    match place {
        0 => value.push(0),
        place => value.extend([2, place * 2]),
    }
}

/// What stands in the frame. Schema id and index are not looked at: the topic, or a header, says what the message is.
fn unframed(value: &[u8]) -> Result<&[u8], DecodeError> {
    let short = || DecodeError::unparseable("the value ends within the frame of a schema registry");
    if value.len() > MESSAGE_BYTES_MAX {
        return Err(DecodeError::too_large(value.len() as u64));
    }
    let (magic, rest) = value.split_first().ok_or_else(short)?;
    if *magic != 0 {
        let detail = format!("the value begins with byte {magic}, not with 0 as in the frame of a schema registry");
        return Err(DecodeError::unparseable(detail));
    }
    let mut rest = rest.get(4..).ok_or_else(short)?;
    // Zigzag: twice the count.
    let count = varint(&mut rest).ok_or_else(short)? / 2;
    if count > INDEXES_MAX {
        return Err(DecodeError::unparseable(format!("the frame names a message {count} levels deep")));
    }
    (0..count).try_for_each(|_| varint(&mut rest).map(drop)).ok_or_else(short)?;
    Ok(rest)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    prost::decode_length_delimiter(rest).ok().and_then(|number| u64::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{Event, OrderEvent};

    #[test]
    fn every_format_reads_what_it_writes() {
        let event = Event { event_id: "e".into(), account_id: "客户".into(), ..Default::default() };
        let order = OrderEvent { order_id: "o".into(), amount: -5, ..Default::default() };
        for format in ValueFormat::ALL {
            assert_eq!(ValueFormat::of_name(format.name()), Some(format));
            assert_eq!(format.read::<Event>(&format.write(&event, (70_000, 0)).unwrap()).unwrap(), event);
            assert_eq!(format.read::<OrderEvent>(&format.write(&order, (1, 63)).unwrap()).unwrap(), order);
        }
    }

    #[test]
    fn the_frame_is_confluents() {
        let order = OrderEvent { order_id: "o".into(), ..Default::default() };
        let value = ValueFormat::Confluent.write(&order, (258, 1)).unwrap();
        assert_eq!(value, [&[0, 0, 0, 1, 2, 2, 2][..], &order.encode_to_vec()].concat());
        let first = ValueFormat::Confluent.write(&order, (258, 0)).unwrap();
        assert_eq!(first, [&[0, 0, 0, 1, 2, 0][..], &order.encode_to_vec()].concat());
        // As other writers may: the first message, written long; a message within a message.
        for frame in [&[0, 9, 9, 9, 9, 2, 0][..], &[0, 0, 0, 0, 0, 4, 2, 6]] {
            let value = [frame, &order.encode_to_vec()].concat();
            assert_eq!(ValueFormat::Confluent.read::<OrderEvent>(&value).unwrap(), order);
        }
    }

    #[test]
    fn frames_that_are_none_are_refused() {
        for frame in [
            &[][..],
            &[1, 0, 0, 0, 1, 0],
            &[0],
            &[0, 0, 0, 1],
            &[0, 0, 0, 0, 1],
            &[0, 0, 0, 0, 1, 2],
            &[0, 0, 0, 0, 1, 0xff, 0xff, 0x01],
        ] {
            let error = ValueFormat::Confluent.read::<OrderEvent>(frame).unwrap_err();
            assert_eq!(error.code, headroom_engine::RefusalCode::Unparseable, "{frame:?}");
        }
    }
}
