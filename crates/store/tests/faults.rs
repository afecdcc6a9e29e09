//! Kills, damage, strangers: a coded error or the truth, never something in between.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use headroom_engine::{Commit, SeenKey, ShardState, Timestamp};
use headroom_store::{CommitExtra, Store, StoreError};

use common::{account, copy, files, open, options, with_outputs, without_memory};

/// Commit n: its number is in an account, in a seen key, in the outputs and in the state.
fn numbered(n: u64) -> (Commit, CommitExtra) {
    let mut state = ShardState::default();
    state.totals.events = n;
    let commit = Commit {
        accounts: vec![account("a", n)],
        seen: vec![(SeenKey { day: 0, hash: n }, n)],
        state,
        ..Commit::default()
    };
    let (commit, extra) = with_outputs(commit, &[n.to_string().as_bytes()]);
    (commit, CommitExtra { out_len: n, ..extra })
}

fn commit_numbered(store: &mut Store, numbers: std::ops::RangeInclusive<u64>) {
    for n in numbers {
        let (commit, extra) = numbered(n);
        store.commit(commit, extra).unwrap();
    }
    store.settle().unwrap();
}

/// The number of the last commit, which must be there whole.
#[track_caller]
fn last_whole(dir: &Path) -> Result<u64, StoreError> {
    let store = Store::open(dir, without_memory())?;
    let reader = store.reader();
    let n = reader.out_len()?;
    assert_eq!(reader.state()?.map_or(0, |state| state.totals.events), n);
    assert_eq!(reader.outputs_count()?, n);
    assert_eq!(reader.outputs_from(0, usize::MAX)?.len() as u64, n);
    assert_eq!(reader.account("a")?.map_or(0, |account| account.sequence), n);
    let keys: Vec<_> = (1..=n + 1).map(|hash| SeenKey { day: 0, hash }).collect();
    let seen = store.seen(&keys)?;
    assert_eq!(seen.iter().flatten().count() as u64, n);
    Ok(n)
}

#[test]
fn a_kill_while_writing_leaves_whole_commits() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    commit_numbered(&mut store, 1..=6);
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    let log = files(killed.path(), ".log").remove(0);
    let whole = fs::read(&log).unwrap();
    let mut before = 0;
    for length in (0..=whole.len()).step_by(17) {
        let here = tempfile::tempdir().unwrap();
        copy(killed.path(), here.path());
        fs::write(here.path().join("db").join(log.file_name().unwrap()), &whole[..length]).unwrap();
        let last = last_whole(here.path()).unwrap();
        assert!(last >= before, "a longer log holds no less");
        before = last;
    }
    assert_eq!(last_whole(killed.path()).unwrap(), 6);
    assert!(before >= 5, "only the last commit may be cut");
}

#[test]
fn a_damaged_log_is_an_error_and_no_shorter_history() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    commit_numbered(&mut store, 1..=6);
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    let log = files(killed.path(), ".log").remove(0);
    flip(&log, fs::metadata(&log).unwrap().len() / 2);
    assert_eq!(last_whole(killed.path()).unwrap_err().code(), "HR0303");
}

fn flip(path: &Path, at: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[usize::try_from(at).unwrap()] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

/// Many accounts in files, and their digest.
fn filled(dir: &Path) -> [u8; 32] {
    let mut store = open(dir);
    let accounts = (0..5_000).map(|n| account(&format!("account-{n:05}"), n)).collect();
    store.commit(Commit { accounts, ..Commit::default() }, CommitExtra::default()).unwrap();
    store.flush().unwrap();
    store.reader().digest().unwrap()
}

#[test]
fn a_flipped_byte_is_found_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let digest = filled(dir.path());
    let largest = files(dir.path(), ".sst").remove(0);
    let length = fs::metadata(&largest).unwrap().len();
    let mut found = 0;
    for part in 0..12 {
        let here = tempfile::tempdir().unwrap();
        copy(dir.path(), here.path());
        flip(&here.path().join("db").join(largest.file_name().unwrap()), length * part / 12 + 5);
        match Store::open(here.path(), options()).and_then(|store| store.reader().digest()) {
            Ok(read) => assert_eq!(read, digest),
            Err(error) => {
                assert_eq!(error.code(), "HR0303", "{error}");
                found += 1;
            }
        }
    }
    assert!(found >= 6, "most of the file is data that is read: {found} of 12");
}

#[test]
fn a_missing_file_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path());
    fs::remove_file(files(dir.path(), ".sst").remove(0)).unwrap();
    let opened = Store::open(dir.path(), options()).and_then(|store| store.reader().digest());
    assert_eq!(opened.unwrap_err().code(), "HR0303");
}

#[test]
fn a_second_opener_is_turned_away() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert_eq!(Store::open(dir.path(), options()).err().unwrap().code(), "HR0301");
    drop(store);
    open(dir.path());
}

/// Runs itself as the second process.
#[test]
fn a_second_process_is_turned_away() {
    const DIR: &str = "HEADROOM_TEST_LOCKED_DIR";
    if let Ok(dir) = std::env::var(DIR) {
        assert_eq!(Store::open(Path::new(&dir), options()).err().unwrap().code(), "HR0301");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let _store = open(dir.path());
    let mut second = Command::new(std::env::current_exe().unwrap());
    second.args(["--exact", "a_second_process_is_turned_away"]).env(DIR, dir.path());
    let output = second.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let format = dir.path().join("FORMAT");
    let newer = fs::read_to_string(&format).unwrap().replace("format 3", "format 4");
    fs::write(&format, newer).unwrap();
    let error = Store::open(dir.path(), options()).err().unwrap();
    assert_eq!(error, StoreError::NewerFormat { found: 4, known: 3 });
    assert_eq!(error.code(), "HR0302");
}

#[test]
fn nothing_is_created_among_other_files() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.txt"), "irreplaceable").unwrap();
    assert_eq!(Store::open(dir.path(), options()).err().unwrap().code(), "HR0305");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(Store::open(&dir.path().join("thesis.txt"), options()).err().unwrap().code(), "HR0305");
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_of_the_disk() {
    let error = Store::open(Path::new("/proc/no-such-place/data"), options()).err().unwrap();
    assert_eq!(error.code(), "HR0304");
}

#[test]
fn dropped_days_leave_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let day = |day: i32| (0..100).map(move |hash| (SeenKey { day, hash }, 0));
    let state = |seen_from_day| ShardState { now: Timestamp(0), seen_from_day, ..ShardState::default() };
    let seen = (1..=4).flat_map(day).collect();
    store.commit(Commit { seen, state: state(1), ..Commit::default() }, CommitExtra::default()).unwrap();
    store.flush().unwrap();
    store.commit(Commit { state: state(4), ..Commit::default() }, CommitExtra::default()).unwrap();
    drop(store);
    let store = Store::open(dir.path(), without_memory()).unwrap();
    let answers = |day| store.seen(&[SeenKey { day, hash: 1 }]).unwrap()[0];
    assert_eq!((answers(3), answers(4)), (None, Some(0)));
    let fresh = tempfile::tempdir().unwrap();
    let mut only_last = open(fresh.path());
    let seen = day(4).collect();
    only_last.commit(Commit { seen, state: state(4), ..Commit::default() }, CommitExtra::default()).unwrap();
    only_last.settle().unwrap();
    assert_eq!(store.reader().digest().unwrap(), only_last.reader().digest().unwrap());
}
