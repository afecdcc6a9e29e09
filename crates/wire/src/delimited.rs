//! Protobuf bytes, alone or in a stream where each message is preceded by its length as a varint.

use prost::Message;

use crate::{DecodeError, proto};

/// The largest message that is taken. Bounds what one record can make the process allocate.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// A 64-bit varint has at most ten bytes.
const PREFIX_BYTES_MAX: usize = 10;

/// A message's bytes without the length before it, and the rest of the stream.
pub type Split<'a> = (&'a [u8], &'a [u8]);

/// Reads one event from its protobuf bytes. Checks the form only: what it says is checked on the way to the engine.
///
/// # Errors
/// `TOO_LARGE` above [`MESSAGE_BYTES_MAX`], `UNPARSEABLE` otherwise.
pub fn event_from_protobuf(bytes: &[u8]) -> Result<proto::Event, DecodeError> {
    decode(bytes)
}

/// Reads one output from its protobuf bytes.
///
/// # Errors
/// `TOO_LARGE` above [`MESSAGE_BYTES_MAX`], `UNPARSEABLE` otherwise.
pub fn output_from_protobuf(bytes: &[u8]) -> Result<proto::Output, DecodeError> {
    decode(bytes)
}

/// The protobuf bytes of an output, without a length before them.
pub fn output_to_protobuf(output: &proto::Output) -> Vec<u8> {
    output.encode_to_vec()
}

/// The protobuf bytes of an event, without a length before them.
pub fn event_to_protobuf(event: &proto::Event) -> Vec<u8> {
    event.encode_to_vec()
}

/// Appends the event with its length before it.
pub fn event_to_delimited(event: &proto::Event, out: &mut Vec<u8>) {
    append(event, out);
}

/// Appends the output with its length before it.
pub fn output_to_delimited(output: &proto::Output, out: &mut Vec<u8>) {
    append(output, out);
}

/// Takes the first message off a stream.
/// `None`: the stream is empty, or more bytes are needed to complete the message.
///
/// # Errors
/// `TOO_LARGE` if the length is above [`MESSAGE_BYTES_MAX`], `UNPARSEABLE` if it is no varint. After either, the stream
/// cannot be resumed: where the next message starts is unknown.
pub fn split_delimited(stream: &[u8]) -> Result<Option<Split<'_>>, DecodeError> {
    let mut rest = stream;
    let length = match prost::decode_length_delimiter(&mut rest) {
        Ok(length) => length,
        Err(_) if prefix_is_incomplete(stream) => return Ok(None),
        Err(error) => return Err(DecodeError::unparseable(format!("length before the message: {error}"))),
    };
    if length > MESSAGE_BYTES_MAX {
        return Err(DecodeError::too_large(length as u64));
    }
    Ok(rest.split_at_checked(length))
}

fn prefix_is_incomplete(stream: &[u8]) -> bool {
    stream.len() < PREFIX_BYTES_MAX && stream.iter().all(|byte| byte & 0x80 != 0)
}

pub(crate) fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, DecodeError> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(DecodeError::too_large(bytes.len() as u64));
    }
    M::decode(bytes).map_err(|error| DecodeError::unparseable(error.to_string()))
}

fn append(message: &impl Message, out: &mut Vec<u8>) {
    message.encode_length_delimited(out).expect("a `Vec` grows as needed");
}

#[cfg(test)]
mod tests {
    use headroom_engine::RefusalCode;

    use super::*;

    fn event(id: &str) -> proto::Event {
        proto::Event { event_id: id.into(), ..Default::default() }
    }

    #[test]
    fn a_stream_gives_back_its_messages_in_order() {
        let mut stream = Vec::new();
        event_to_delimited(&event("a"), &mut stream);
        event_to_delimited(&event(""), &mut stream);
        event_to_delimited(&event(&"b".repeat(300)), &mut stream);
        let mut rest = &stream[..];
        let mut ids = Vec::new();
        while let Some((message, after)) = split_delimited(rest).unwrap() {
            ids.push(event_from_protobuf(message).unwrap().event_id.len());
            rest = after;
        }
        assert_eq!((ids, rest.len()), (vec![1, 0, 300], 0));
    }

    #[test]
    fn every_cut_of_a_stream_asks_for_more() {
        let mut stream = Vec::new();
        event_to_delimited(&event(&"b".repeat(300)), &mut stream);
        for cut in 0..stream.len() {
            assert_eq!(split_delimited(&stream[..cut]), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn a_length_that_is_too_large_or_no_varint_is_refused() {
        let mut large = Vec::new();
        prost::encode_length_delimiter(MESSAGE_BYTES_MAX + 1, &mut large).unwrap();
        assert_eq!(split_delimited(&large).unwrap_err().code, RefusalCode::TooLarge);
        assert_eq!(split_delimited(&[0xff; 11]).unwrap_err().code, RefusalCode::Unparseable);
        assert_eq!(event_from_protobuf(&vec![0; MESSAGE_BYTES_MAX + 1]).unwrap_err().code, RefusalCode::TooLarge);
    }

    #[test]
    fn an_error_names_the_message_and_field() {
        let error = event_from_protobuf(&[0x0a, 0x01, 0xff]).unwrap_err();
        assert!(error.detail.contains("Event.event_id"), "{}", error.detail);
    }
}
