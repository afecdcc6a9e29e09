//! Our JSON against that of prost-reflect, which knows the mapping from the contract alone.

use crate::fill::{Dice, message, random};
use headroom_wire::{
    event_from_json, event_from_protobuf, event_to_delimited, event_to_json, output_from_json, output_from_protobuf,
    output_to_delimited, output_to_json, split_delimited,
};
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DynamicMessage, SerializeOptions};
use serde_json::Value;

fn oracle_json(filled: &DynamicMessage) -> Vec<u8> {
    let mut out = Vec::new();
    let options = SerializeOptions::new().use_proto_field_name(true);
    filled.serialize_with_options(&mut serde_json::Serializer::new(&mut out), &options).unwrap();
    out
}

/// Other programs write lowerCamelCase and every default.
fn foreign_json(filled: &DynamicMessage) -> Vec<u8> {
    let mut out = Vec::new();
    let options = SerializeOptions::new().stringify_64_bit_integers(false).skip_default_fields(false);
    filled.serialize_with_options(&mut serde_json::Serializer::new(&mut out), &options).unwrap();
    out
}

fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_read_and_print_as_the_oracle_does(seed: u64) {
        let filled = random(&message("Event"), &mut Dice(seed));
        let event = event_from_protobuf(&filled.encode_to_vec()).unwrap();
        let mut json = Vec::new();
        event_to_json(&event, &mut json).unwrap();
        prop_assert_eq!(value(&json), value(&oracle_json(&filled)));
        prop_assert_eq!(&event_from_json(&json).unwrap(), &event);
        prop_assert_eq!(&event_from_json(&foreign_json(&filled)).unwrap(), &event);
    }

    #[test]
    fn outputs_read_and_print_as_the_oracle_does(seed: u64) {
        let filled = random(&message("Output"), &mut Dice(seed));
        let output = output_from_protobuf(&filled.encode_to_vec()).unwrap();
        let mut json = Vec::new();
        output_to_json(&output, &mut json).unwrap();
        prop_assert_eq!(value(&json), value(&oracle_json(&filled)));
        prop_assert_eq!(&output_from_json(&json).unwrap(), &output);
        prop_assert_eq!(&output_from_json(&foreign_json(&filled)).unwrap(), &output);
    }

    #[test]
    fn a_stream_of_messages_comes_back(seed: u64) {
        let mut dice = Dice(seed);
        let event = event_from_protobuf(&random(&message("Event"), &mut dice).encode_to_vec()).unwrap();
        let output = output_from_protobuf(&random(&message("Output"), &mut dice).encode_to_vec()).unwrap();
        let mut stream = Vec::new();
        event_to_delimited(&event, &mut stream);
        output_to_delimited(&output, &mut stream);
        let (first, rest) = split_delimited(&stream).unwrap().unwrap();
        let (second, rest) = split_delimited(rest).unwrap().unwrap();
        prop_assert_eq!(event_from_protobuf(first).unwrap(), event);
        prop_assert_eq!(output_from_protobuf(second).unwrap(), output);
        prop_assert!(rest.is_empty());
    }
}
