//! What the tests of the store share.
#![expect(dead_code, reason = "every test file takes what it needs")]

use std::path::Path;
use std::sync::Arc;

use headroom_engine::{Account, AccountId, Commit, DeadLetter, Output, Position, Refusal, RefusalCode, Timestamp};
use headroom_store::{CommitExtra, Durability, SharedMemory, Store, StoreOptions};

/// Small and quick: what survives a kill is tested without waiting for a disk.
pub fn options() -> StoreOptions {
    StoreOptions {
        durability: Durability::Process,
        memory: SharedMemory::new(4 << 20, 8 << 20),
        write_buffer_bytes: 1 << 20,
        ..StoreOptions::default()
    }
}

/// Nothing is answered from memory of this crate.
pub fn without_memory() -> StoreOptions {
    StoreOptions { accounts_cached_max: 0, seen_cached_max: 0, ..options() }
}

pub fn open(dir: &Path) -> Store {
    Store::open(dir, options()).unwrap()
}

pub fn account(id: &str, sequence: u64) -> Box<Account> {
    let mut account = Account::provisional(id.into(), Timestamp(1_000), 3);
    account.sequence = sequence;
    account.volume = -7;
    Box::new(account)
}

/// An output whose content does not matter: the store keeps the bytes that it is given.
fn output() -> Output {
    let position = Position { input: "in".into(), partition: 0, offset: 0 };
    Output::DeadLetter(Box::new(DeadLetter {
        refusal: Refusal::new(RefusalCode::NoKey, String::new()),
        account: String::new(),
        original: Vec::new(),
        encoding: "json",
        original_sha256: None,
        position,
        at: Timestamp(0),
    }))
}

pub fn with_outputs(mut commit: Commit, outputs: &[&[u8]]) -> (Commit, CommitExtra) {
    commit.outputs = outputs.iter().map(|_| output()).collect();
    let outputs = outputs.iter().map(|bytes| bytes.to_vec()).collect();
    (commit, CommitExtra { outputs, ..CommitExtra::default() })
}

pub fn ids(ids: &[&str]) -> Vec<AccountId> {
    ids.iter().map(|id| Arc::from(*id)).collect()
}

/// The files of the database with an ending, largest first.
pub fn files(dir: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir.join("db")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
    files.sort_by_key(|path| std::cmp::Reverse(path.metadata().unwrap().len()));
    files
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
