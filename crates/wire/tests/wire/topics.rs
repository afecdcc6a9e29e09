//! Records of topics: what is written is read again, whatever the format.

use headroom_wire::proto::event;
use headroom_wire::{
    BodyKind, EventHeaders, TopicRecord, ValueFormat, event_from_protobuf, event_from_topic, event_to_topic,
    output_from_protobuf, output_to_topic,
};
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage, SerializeOptions};

use crate::fill::{Dice, message, pool, random};

fn headers(record: &TopicRecord) -> EventHeaders<'_> {
    EventHeaders::of(record.headers.iter().map(|(name, value)| (*name, Some(value.as_bytes()))))
}

fn header<'a>(record: &'a TopicRecord, name: &str) -> &'a str {
    record.headers.iter().find(|(each, _)| *each == name).map(|(_, value)| value.as_str()).unwrap()
}

/// The message that a frame names, by the contract alone.
fn framed(value: &[u8], file: &str) -> DynamicMessage {
    let (place, body) = match value[5..] {
        [0, ref body @ ..] => (0, body),
        [2, place, ref body @ ..] => (usize::from(place / 2), body),
        _ => panic!("no frame of ours"),
    };
    assert_eq!(value[..5], [0, 0, 0, 0x12, 0x34]);
    let file = pool().get_file_by_name(file).unwrap();
    DynamicMessage::decode(file.messages().nth(place).unwrap(), body).unwrap()
}

fn json(message: &DynamicMessage) -> serde_json::Value {
    let options = SerializeOptions::new().use_proto_field_name(true);
    message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_comes_back_in_every_format(seed: u64) {
        let filled = random(&message("Event"), &mut Dice(seed));
        let mut event = event_from_protobuf(&filled.encode_to_vec()).unwrap();
        event.occurred_at.get_or_insert(headroom_wire::Timestamp::from_millis(1));
        prop_assume!(event.body.is_some());
        for format in ValueFormat::ALL {
            let record = event_to_topic(&event, format, 0x1234).unwrap();
            let read = event_from_topic(format, &headers(&record), &record.value);
            let read = headroom_wire::proto::Event { account_id: event.account_id.clone(), ..read.unwrap() };
            prop_assert_eq!(&read, &event);
            prop_assert_eq!(header(&record, "ce_type"), BodyKind::of(&event).unwrap().type_name());
            if !matches!(event.body, Some(event::Body::Promotion(_))) {
                prop_assert_eq!(record.key.as_deref().unwrap_or_default(), &event.account_id);
            }
        }
    }

    #[test]
    fn the_whole_envelope_comes_back_without_headers(seed: u64) {
        let filled = random(&message("Event"), &mut Dice(seed));
        let event = event_from_protobuf(&filled.encode_to_vec()).unwrap();
        let mut json = Vec::new();
        headroom_wire::event_to_json(&event, &mut json).unwrap();
        let confluent = [&[0, 0, 0, 0, 9, 0][..], &filled.encode_to_vec()].concat();
        let protobuf = filled.encode_to_vec();
        for (format, value) in
            [(ValueFormat::Json, json), (ValueFormat::Protobuf, protobuf), (ValueFormat::Confluent, confluent)]
        {
            prop_assert_eq!(&event_from_topic(format, &EventHeaders::default(), &value).unwrap(), &event);
        }
    }

    #[test]
    fn every_outputs_own_message_is_what_is_sent(seed: u64) {
        let filled = random(&message("Output"), &mut Dice(seed));
        let output = output_from_protobuf(&filled.encode_to_vec()).unwrap();
        prop_assume!(output.body.is_some());
        let record = output_to_topic(&output, ValueFormat::Confluent, 0x1234).unwrap();
        let sent = framed(&record.value, "headroom/v1/outputs.proto");
        let descriptor = sent.descriptor();
        prop_assert_eq!(descriptor.full_name(), header(&record, "ce_type"));
        let (_, inner) = filled.fields().next().unwrap();
        prop_assert_eq!(json(&sent), json(inner.as_message().unwrap()));
        let as_json = output_to_topic(&output, ValueFormat::Json, 0).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&as_json.value).unwrap();
        prop_assert_eq!(read, json(&sent));
        prop_assert_eq!(header(&as_json, "content-type"), "application/json");
    }

    #[test]
    fn garbage_is_refused_and_nothing_panics(value: Vec<u8>, headed: bool, kind in 0..BodyKind::ALL.len()) {
        let name = BodyKind::ALL[kind].type_name();
        let headers = [("ce_specversion", Some(&b"1.0"[..])), ("ce_type", Some(name.as_bytes()))];
        let headers = EventHeaders::of(if headed { &headers[..] } else { &[] }.iter().copied());
        for format in ValueFormat::ALL {
            let _ = event_from_topic(format, &headers, &value);
        }
    }
}

#[test]
fn frames_name_the_message_that_they_hold() {
    for (at, field) in message("Event").oneofs().next().unwrap().fields().enumerate() {
        let body = field.kind().as_message().unwrap().clone();
        let mut filled = DynamicMessage::new(message("Event"));
        filled.set_field(&field, prost_reflect::Value::Message(DynamicMessage::new(body.clone())));
        let mut event = event_from_protobuf(&filled.encode_to_vec()).unwrap();
        event.occurred_at = Some(headroom_wire::Timestamp::from_millis(0));
        let record = event_to_topic(&event, ValueFormat::Confluent, 0x1234).unwrap();
        assert_eq!(framed(&record.value, "headroom/v1/events.proto").descriptor(), body);
        assert_eq!(BodyKind::ALL[at].type_name(), body.full_name());
    }
}

#[test]
fn an_event_that_no_topic_takes_is_not_written() {
    let detail = |event| event_to_topic(&event, ValueFormat::Json, 0).unwrap_err().detail;
    assert_eq!(detail(headroom_wire::proto::Event::default()), "the event has no body");
    let body = Some(event::Body::Signal(headroom_wire::proto::SignalEvent::default()));
    let timeless = headroom_wire::proto::Event { body, ..Default::default() };
    assert_eq!(detail(timeless), "the event has no `occurred_at`");
    assert!(output_to_topic(&headroom_wire::proto::Output::default(), ValueFormat::Json, 0).is_err());
}
