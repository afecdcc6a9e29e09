//! More than 100,000 damaged records, as JSON and as protobuf, through files, decoding, step and store: each ends as a
//! change, as nothing, or as a dead letter that carries what came.

mod common;

use common::{Place, dead_letters};
use headroom_sources::{SeasonPlan, generate};
use headroom_wire::proto::{self, output::Body};
use headroom_wire::{event_to_delimited, event_to_json, split_delimited};

/// Seasons, each in a store of its own: a damaged time may carry a shard's clock to where all else is too old.
const SEASONS: u64 = 40;

/// Numbers that look random and follow from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound.max(1) as u64).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.roll().to_le_bytes()[0]
    }
}

/// Flips a bit, sets, cuts, inserts, doubles: at least one of them.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = dice.below(bytes.len());
        match dice.below(8) {
            0..=2 => bytes[at] ^= 1 << dice.below(8),
            3 => bytes[at] = dice.byte(),
            4 => bytes[at] = b'0' + dice.byte() % 10,
            5 => bytes.truncate(at),
            6 => bytes.insert(at, dice.byte()),
            _ => {
                let part: Vec<u8> = bytes[at..].iter().copied().take(16).collect();
                bytes.splice(at..at, part);
            }
        }
    }
}

fn season(seed: u64) -> Vec<proto::Event> {
    let mut events = Vec::new();
    let plan = SeasonPlan { accounts: 25, days: 60, seed };
    let mut keep = |event| {
        events.push(event);
        Ok(())
    };
    generate(&plan, &mut keep, &mut |_| {}).expect("a season");
    events
}

fn is_opening(event: &proto::Event) -> bool {
    let Some(proto::event::Body::Account(account)) = &event.body else { return false };
    matches!(account.kind, Some(proto::account_event::Kind::Opened(_)))
}

/// Records as they stand in a file: openings whole, the others damaged.
fn damaged(events: &[proto::Event], dice: &mut Dice, encode: fn(&proto::Event) -> Vec<u8>) -> Vec<Vec<u8>> {
    let record = |event: &proto::Event| {
        let mut bytes = encode(event);
        if !is_opening(event) {
            damage(&mut bytes, dice);
        }
        bytes
    };
    events.iter().map(record).collect()
}

fn json(event: &proto::Event) -> Vec<u8> {
    let mut line = Vec::new();
    event_to_json(event, &mut line).expect("a JSON form");
    line
}

fn protobuf(event: &proto::Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    event_to_delimited(event, &mut bytes);
    let (message, _) = split_delimited(&bytes).expect("a message").expect("a whole one");
    message.to_vec()
}

/// What a run made of its records.
#[derive(Default)]
struct Sum {
    records: usize,
    letters: usize,
    changes: usize,
}

impl Sum {
    /// Runs a file and compares every dead letter with the record at its place.
    fn run(&mut self, name: &str, file: &[u8], records: &[Vec<u8>]) {
        let place = Place::new();
        let summary = place.run(name, file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(summary.totals.events, records.len() as u64, "every record is taken");
        let outputs = place.outputs();
        let letters = dead_letters(&outputs);
        for letter in &letters {
            let at = usize::try_from(letter.offset).expect("an offset");
            assert_eq!(letter.original, records[at], "the dead letter of record {at} carries it");
        }
        let counted: u64 = summary.totals.dead_letters.values().sum();
        assert_eq!(counted, letters.len() as u64);
        self.records += records.len();
        self.letters += letters.len();
        self.changes += outputs.iter().filter(|each| matches!(each, Body::LimitChange(_))).count();
    }

    /// Damage leaves some records readable, and some of those still move limits.
    fn holds(&self) {
        assert!(self.records > 50_000, "{} records", self.records);
        assert!(self.letters > self.records / 4, "{} dead letters of {}", self.letters, self.records);
        assert!(self.letters < self.records * 99 / 100, "{} dead letters of {}", self.letters, self.records);
        assert!(self.changes > 30, "{} changes", self.changes);
    }
}

#[test]
fn damaged_lines_end_somewhere() {
    let mut sum = Sum::default();
    for seed in 0..SEASONS {
        let mut lines = damaged(&season(seed), &mut Dice(seed), json);
        // A line break would make two records of one, and an empty line is none.
        for line in &mut lines {
            line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        }
        lines.retain(|line| !line.trim_ascii().is_empty());
        let file: Vec<u8> = lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect();
        sum.run("events.ndjson", &file, &lines);
    }
    sum.holds();
}

#[test]
fn damaged_messages_end_somewhere() {
    let mut sum = Sum::default();
    for seed in 0..SEASONS {
        let messages = damaged(&season(seed), &mut Dice(1_000 + seed), protobuf);
        let mut file = Vec::new();
        for message in &messages {
            length(message.len(), &mut file);
            file.extend_from_slice(message);
        }
        sum.run("events.pb", &file, &messages);
    }
    sum.holds();
}

/// The varint before a message.
fn length(mut length: usize, file: &mut Vec<u8>) {
    while length >= 0x80 {
        file.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
        length >>= 7;
    }
    file.push(u8::try_from(length).expect("seven bits"));
}
