//! Damaged input is refused or read as something else; it never panics.

use crate::fill::{Dice, full, kinds, message, random};
use headroom_wire::{
    decode_json, decode_protobuf, event_from_protobuf, event_to_json, output_from_json, output_from_protobuf,
    split_delimited,
};
use prost::Message;

const ROUNDS: usize = 60_000;

/// Flips, cuts, doubles, inserts: a few at a time.
pub fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = dice.below(bytes.len());
        match dice.below(5) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes[at] = dice.roll().to_le_bytes()[0],
            2 => bytes.truncate(at),
            3 => bytes.insert(at, dice.roll().to_le_bytes()[0]),
            _ => {
                let part = bytes[at..].to_vec();
                bytes.splice(at..at, part.into_iter().take(16));
            }
        }
    }
}

/// Every kind in turn, well-formed or with random content.
fn samples(name: &str, dice: &mut Dice) -> Vec<Vec<u8>> {
    let descriptor = message(name);
    let mut samples: Vec<Vec<u8>> =
        kinds(&descriptor).iter().map(|kind| full(&descriptor, kind).encode_to_vec()).collect();
    samples.extend((0..200).map(|_| random(&descriptor, dice).encode_to_vec()));
    samples
}

#[test]
fn damaged_events_never_panic() {
    let mut dice = Dice(1);
    let samples = samples("Event", &mut dice);
    let (mut taken, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        let mut bytes = samples[round % samples.len()].clone();
        damage(&mut bytes, &mut dice);
        let _ = split_delimited(&bytes);
        match decode_protobuf(&bytes) {
            Ok(_) => taken += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(taken > 0 && refused > taken, "{taken} taken, {refused} refused");
}

#[test]
fn damaged_lines_never_panic() {
    let mut dice = Dice(2);
    let lines: Vec<Vec<u8>> = samples("Event", &mut dice)
        .iter()
        .map(|bytes| {
            let mut line = Vec::new();
            event_to_json(&event_from_protobuf(bytes).unwrap(), &mut line).unwrap();
            line
        })
        .collect();
    let mut unreadable = 0;
    for round in 0..ROUNDS {
        let mut line = lines[round % lines.len()].clone();
        damage(&mut line, &mut dice);
        let _ = output_from_json(&line);
        unreadable += usize::from(decode_json(&line).is_err());
    }
    assert!(unreadable > ROUNDS / 2, "{unreadable} refused");
}

#[test]
fn damaged_outputs_never_panic() {
    let mut dice = Dice(3);
    let samples = samples("Output", &mut dice);
    let mut refused = 0;
    for round in 0..ROUNDS {
        let mut bytes = samples[round % samples.len()].clone();
        damage(&mut bytes, &mut dice);
        refused += usize::from(output_from_protobuf(&bytes).is_err());
    }
    assert!(refused > ROUNDS / 10, "{refused} refused");
}
