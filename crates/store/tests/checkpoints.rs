//! Checkpoints: whole stores of their own, which share what did not change.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{account, open, options};
use headroom_engine::{Commit, ShardState, Timestamp};
use headroom_store::{CommitExtra, Reader, Store};

/// Accounts from a number on, with a sequence, in one commit with a journal record.
fn commit(store: &mut Store, accounts: std::ops::Range<u32>, seq: u64) {
    let commit = Commit {
        accounts: accounts.map(|number| account(&format!("A{number:06}"), seq)).collect(),
        state: ShardState { now: Timestamp(i64::try_from(seq).unwrap()), ..ShardState::default() },
        ..Commit::default()
    };
    let journal = Some((seq, format!("record {seq}").into_bytes()));
    store.commit(commit, CommitExtra { journal, ..CommitExtra::default() }).unwrap();
}

/// Names and bytes of a folder's table files.
fn tables(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir.join("db")).unwrap().map(|file| file.unwrap().path());
    let tables = files.filter(|path| path.extension().is_some_and(|extension| extension == "sst"));
    tables.map(|path| (path.file_name().unwrap().to_string_lossy().into(), fs::read(&path).unwrap())).collect()
}

#[test]
fn a_checkpoint_is_a_store_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (live, taken) = (dir.path().join("live"), dir.path().join("taken"));
    let mut store = open(&live);
    commit(&mut store, 0..500, 1);
    commit(&mut store, 100..300, 2);
    let info = store.checkpoint(&taken).unwrap();
    assert_eq!((info.journal_seq(), info.now), (2, Timestamp(2)));
    let then = store.reader().digest().unwrap();
    commit(&mut store, 0..500, 3);
    store.settle().unwrap();
    assert_ne!(store.reader().digest().unwrap(), then);
    assert_eq!(Reader::open(&taken, &options()).unwrap().digest().unwrap(), then);
    // It goes on by itself, through a process that ends without a word.
    let mut other = open(&taken);
    assert_eq!((other.reader().digest().unwrap(), other.reader().journal_last().unwrap()), (then, info.journal));
    commit(&mut other, 0..500, 3);
    other.settle().unwrap();
    drop(other);
    let other = open(&taken);
    assert_eq!(other.reader().digest().unwrap(), store.reader().digest().unwrap());
    drop(other);
    // From its first open on it has a write-ahead log, and is damaged without.
    for file in fs::read_dir(taken.join("db")).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "log") {
            fs::remove_file(file).unwrap();
        }
    }
    assert_eq!(Store::open(&taken, options()).err().unwrap().code(), "HR0303");
}

#[test]
fn files_that_did_not_change_are_the_same_in_the_next_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("live"));
    for seq in 1..=4 {
        commit(&mut store, 0..2_000, seq);
    }
    let first = dir.path().join("first");
    store.checkpoint(&first).unwrap();
    commit(&mut store, 7..8, 5);
    let second = dir.path().join("second");
    store.checkpoint(&second).unwrap();
    let (first, second) = (tables(&first), tables(&second));
    let bytes = |tables: &BTreeMap<String, Vec<u8>>| tables.values().map(Vec::len).sum::<usize>();
    let new: BTreeMap<_, _> = second.into_iter().filter(|(name, bytes)| first.get(name) != Some(bytes)).collect();
    assert!(!new.is_empty());
    assert!(bytes(&new) * 5 < bytes(&first), "{} of {}", bytes(&new), bytes(&first));
}

#[test]
fn nothing_is_put_among_other_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("live"));
    let taken = dir.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("letter.txt"), "dear").unwrap();
    assert_eq!(store.checkpoint(&taken).unwrap_err().code(), "HR0304");
    commit(&mut store, 0..1, 1);
    store.settle().unwrap();
}
