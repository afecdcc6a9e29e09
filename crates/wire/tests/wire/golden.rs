//! One file of bytes for every kind of message: what was published once is read for ever. Files are added, never edited.
//!
//! `HEADROOM_BLESS=new` writes the files of kinds that have none.

use std::fmt::Debug;
use std::path::PathBuf;
use std::{env, fs};

use crate::account::{random_account, random_state};
use crate::fill::{Dice, full, kinds, message};
use crate::journal::{journal, log_record};
use headroom_wire::{
    DecodeError, EncodeError, Journal, StoredError, decode_account, decode_journal, decode_log_record, decode_state,
    encode_account, encode_journal, encode_log_record, encode_state, event_from_json, event_from_protobuf,
    event_to_json, output_from_json, output_from_protobuf, output_to_json,
};
use prost::Message;
use prost_reflect::FieldDescriptor;

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file)
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.chunks(48).map(|line| line.concat() + "\n").collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn name(prefix: &str, kind: &[FieldDescriptor]) -> String {
    let words: Vec<String> = kind.iter().map(|field| field.name().to_owned()).collect();
    format!("{prefix}.{}", words.join("."))
}

struct Form<M> {
    from_protobuf: fn(&[u8]) -> Result<M, DecodeError>,
    from_json: fn(&[u8]) -> Result<M, DecodeError>,
    to_json: fn(&M, &mut Vec<u8>) -> Result<(), EncodeError>,
}

const EVENT: Form<headroom_wire::proto::Event> =
    Form { from_protobuf: event_from_protobuf, from_json: event_from_json, to_json: event_to_json };
const OUTPUT: Form<headroom_wire::proto::Output> =
    Form { from_protobuf: output_from_protobuf, from_json: output_from_json, to_json: output_to_json };

impl<M: Message + PartialEq + Debug> Form<M> {
    fn json(&self, message: &M) -> String {
        let mut json = Vec::new();
        (self.to_json)(message, &mut json).unwrap();
        String::from_utf8(json).unwrap() + "\n"
    }

    fn bless(&self, file: &str, bytes: &[u8]) {
        fs::write(path(&format!("{file}.hex")), hex(bytes)).unwrap();
        fs::write(path(&format!("{file}.json")), self.json(&(self.from_protobuf)(bytes).unwrap())).unwrap();
    }

    fn check(&self, file: &str) {
        let published = bytes(&fs::read_to_string(path(&format!("{file}.hex"))).unwrap());
        let json = fs::read_to_string(path(&format!("{file}.json"))).unwrap();
        let message = (self.from_protobuf)(&published).unwrap();
        assert_eq!(message.encode_to_vec(), published, "{file}.hex");
        assert_eq!(self.json(&message), json, "{file}.json");
        assert_eq!((self.from_json)(json.as_bytes()).unwrap(), message, "{file}.json");
    }
}

fn blessing() -> bool {
    env::var("HEADROOM_BLESS").is_ok_and(|what| what == "new")
}

fn every_kind<M: Message + PartialEq + Debug>(form: &Form<M>, prefix: &str, type_name: &str) {
    let descriptor = message(type_name);
    let bless = blessing();
    for kind in kinds(&descriptor) {
        let file = name(prefix, &kind);
        let exists = path(&format!("{file}.hex")).exists();
        if !exists && bless {
            form.bless(&file, &full(&descriptor, &kind).encode_to_vec());
        }
        assert!(exists || bless, "no golden file for `{file}`: HEADROOM_BLESS=new writes it");
        form.check(&file);
    }
}

#[test]
fn every_kind_of_event_is_read_as_it_was_published() {
    every_kind(&EVENT, "event", "Event");
}

#[test]
fn every_kind_of_output_is_read_as_it_was_published() {
    every_kind(&OUTPUT, "output", "Output");
}

/// What was stored once is read for ever, and written in the same bytes.
#[track_caller]
fn stored<T>(file: &str, sample: &T, write: fn(&T, &mut Vec<u8>), read: fn(&[u8]) -> Result<T, StoredError>) {
    let path = path(file);
    let bytes_of = |value: &T| {
        let mut out = Vec::new();
        write(value, &mut out);
        out
    };
    if blessing() && !path.exists() {
        fs::write(&path, hex(&bytes_of(sample))).unwrap();
    }
    let stored = bytes(&fs::read_to_string(&path).unwrap());
    assert_eq!(bytes_of(&read(&stored).unwrap()), stored, "{file}");
}

#[test]
fn stored_values_are_read_as_they_were_written() {
    stored("stored.account.1.hex", &random_account(&mut Dice(1)), encode_account, decode_account);
    stored("stored.account.2.hex", &random_account(&mut Dice(2)), encode_account, decode_account);
    stored("stored.shard.1.hex", &random_state(&mut Dice(1)), encode_state, decode_state);
    stored("stored.log.1.hex", &log_record(), encode_log_record, decode_log_record);
    let append = |record: &Journal, out: &mut Vec<u8>| out.extend(encode_journal(record));
    stored("stored.journal.1.hex", &journal(), append, decode_journal);
}

#[test]
fn files_of_kinds_that_are_gone_are_still_read() {
    let mut files = 0;
    for entry in fs::read_dir(path("")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(stem) = file.strip_suffix(".hex") else { continue };
        match stem.split_once('.') {
            Some(("event", _)) => EVENT.check(stem),
            Some(("output", _)) => OUTPUT.check(stem),
            _ => continue,
        }
        files += 1;
    }
    assert!(files > 40, "{files} files");
}
