//! `journal`: shown and verified.

use std::path::Path;

use headroom_engine::{Commit, Output, Refusal, RefusalCode, ShardState, Timestamp};
use headroom_engine::{DeadLetter, Position};
use headroom_store::{CommitExtra, Durability, SharedMemory, Store, StoreOptions};
use headroom_wire::{Journal, JournalInput, JournalOutputs, encode_journal};
use sha2::{Digest, Sha256};

use crate::command::{Ran, folder, headroom};

const NOW: Timestamp = Timestamp(1_762_776_300_000);

fn journal(words: &[&str], dir: &Path) -> Ran {
    headroom(["journal"].iter().chain(words).chain(&["--data-dir", dir.to_str().unwrap()]))
}

/// Three records in a chain, the second and the third with one output each.
fn chain() -> Vec<Journal> {
    let mut records: Vec<Journal> = Vec::new();
    for seq in 1..=3_u64 {
        let with_output = seq > 1;
        let mut record = Journal {
            seq,
            prev_digest: records.last().map(|last| last.digest).unwrap_or_default(),
            now: NOW.plus(i64::try_from(seq).unwrap()),
            inputs: vec![JournalInput {
                input: "0123456789abcdef".into(),
                partition: 0,
                from: 10 * seq,
                to: 10 * seq + 5,
                count: 5,
            }],
            outputs: JournalOutputs {
                first: seq.saturating_sub(2),
                count: u64::from(with_output),
                digest: if with_output { digest(&output(seq)) } else { [0; 32] },
            },
            ..Journal::default()
        };
        record.seal();
        records.push(record);
    }
    records
}

fn output(seq: u64) -> Vec<u8> {
    format!("output of {seq}").into_bytes()
}

fn digest(output: &[u8]) -> [u8; 32] {
    let length = u32::try_from(output.len()).unwrap().to_be_bytes();
    Sha256::digest([&length[..], output].concat()).into()
}

fn letter() -> Output {
    Output::DeadLetter(Box::new(DeadLetter {
        refusal: Refusal::new(RefusalCode::Unparseable, "no"),
        account: String::new(),
        original: Vec::new(),
        encoding: "json",
        original_sha256: None,
        around: None,
        position: Position { input: "i".into(), partition: 0, offset: 0 },
        at: NOW,
    }))
}

/// A store with these records; outputs as the untouched chain has them.
fn write(dir: &Path, records: &[Journal], outputs: impl Fn(u64) -> Vec<u8>) {
    let options = StoreOptions {
        durability: Durability::Process,
        memory: SharedMemory::new(4 << 20, 8 << 20),
        write_buffer_bytes: 1 << 20,
        ..StoreOptions::default()
    };
    let mut store = Store::open(dir, options).unwrap();
    for (record, seq) in records.iter().zip(1..) {
        let with_output = usize::from(seq > 1);
        let state = ShardState { now: record.now, ..ShardState::default() };
        let commit = Commit { outputs: vec![letter(); with_output], state, ..Commit::default() };
        let extra = CommitExtra {
            outputs: vec![outputs(seq); with_output],
            journal: Some((record.seq, encode_journal(record))),
            ..CommitExtra::default()
        };
        store.commit(commit, extra).unwrap();
    }
}

#[test]
fn a_whole_journal_is_shown_and_verified() {
    let dir = folder(&[]);
    write(dir.path(), &chain(), output);
    let json = journal(&["verify", "--format", "json"], dir.path()).json();
    let shard = &json["shards"][0];
    assert_eq!((&shard["records"], &shard["last"], &shard["outputs"]), (&3.into(), &3.into(), &2.into()));
    let table = journal(&["show"], dir.path()).stdout;
    assert!(table.contains("0123456789ab:0 10–14"), "{table}");
    let json = journal(&["show", "--from", "2", "--limit", "1", "--format", "json"], dir.path()).json();
    let records = json["records"].as_array().unwrap();
    assert_eq!((records.len(), &records[0]["seq"], &records[0]["outputs"]), (1, &2.into(), &1.into()));
    journal(&["show", "--shard", "1"], dir.path()).refused(1, &["there is no shard 1"]);
}

#[test]
fn what_was_altered_is_found_at_its_record() {
    let refused = |records: &[Journal], outputs: fn(u64) -> Vec<u8>, words: &[&str]| {
        let dir = folder(&[]);
        write(dir.path(), records, outputs);
        journal(&["verify"], dir.path()).refused(1, words);
    };
    let mut altered = chain();
    altered[1].swept = 7;
    refused(&altered, output, &["error[HR0521]", "record 2 of shard 0", "does not fit its bytes"]);
    let mut resealed = chain();
    resealed[1].swept = 7;
    resealed[1].seal();
    refused(&resealed, output, &["error[HR0521]", "record 3 of shard 0", "it follows"]);
    let mut gap = chain();
    gap[1].seq = 5;
    refused(&gap, output, &["error[HR0521]", "record 2 of shard 0"]);
    let other = |seq| if seq == 3 { b"output of x".to_vec() } else { output(seq) };
    refused(&chain(), other, &["error[HR0522]", "record 3 of shard 0", "another digest"]);
    let mut fewer = chain();
    fewer[2].outputs = JournalOutputs::default();
    fewer[2].seal();
    refused(&fewer, output, &["error[HR0522]", "ends with output 1, 2 are stored"]);
}
