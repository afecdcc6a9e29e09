//! What is committed is there, after a reopen too, from memory and from disk.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::{Commit, Published, Ruleset, SeenKey, ShardState, Timer, TimerKind, Timestamp};
use headroom_store::{CommitExtra, Reader, Store};

use common::{account, ids, open, options, with_outputs, without_memory};

const KEY: SeenKey = SeenKey { day: 20_000, hash: 77 };

fn timer(due: i64) -> Timer {
    Timer { due: Timestamp(due), kind: TimerKind::Daily, rule: 9 }
}

fn ruleset_files() -> Vec<(String, String)> {
    let files = [("guards.yaml", "cool_down: 30"), ("rules/a.rule.yaml", "é")];
    files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
}

fn commit() -> (Commit, CommitExtra) {
    let mut state = ShardState { now: Timestamp(5_000), seen_from_day: 19_995, ..ShardState::default() };
    state.totals.events = 12;
    let commit = Commit {
        accounts: vec![account("a", 1), account("b", 2)],
        timers_added: vec![("a".into(), timer(60)), ("b".into(), timer(50))],
        seen: vec![(KEY, 1_234)],
        positions: BTreeMap::from([((Arc::from("orders"), 3), 400), ((Arc::from("orders"), 4), 7)]),
        state,
        ..Commit::default()
    };
    let (commit, extra) = with_outputs(commit, &[b"first", b"", b"third"]);
    (commit, CommitExtra { out_len: 99, ..extra })
}

#[track_caller]
fn check(store: &mut Store) {
    let (expected, extra) = commit();
    let mut accounts = store.load_accounts(&ids(&["b", "nobody", "a"])).unwrap();
    accounts.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(accounts, expected.accounts);
    let other_day = SeenKey { day: KEY.day + 1, ..KEY };
    assert_eq!(store.seen(&[other_day, KEY]).unwrap(), [None, Some(1_234)]);
    assert_eq!(store.due_timers(Timestamp(60), None, 9).unwrap(), [("b".into(), timer(50)), ("a".into(), timer(60))]);
    check_reader(store.reader(), &expected, &extra);
}

#[track_caller]
fn check_reader(reader: &Reader, expected: &Commit, extra: &CommitExtra) {
    assert_eq!(reader.state().unwrap().as_ref(), Some(&expected.state));
    assert_eq!(reader.positions().unwrap(), expected.positions);
    assert_eq!(reader.outputs_count().unwrap(), 3);
    assert_eq!(reader.outputs_from(1, 9).unwrap(), [(1, Vec::new()), (2, b"third".to_vec())]);
    assert_eq!(reader.outputs_from(0, 1).unwrap(), [(0, b"first".to_vec())]);
    assert_eq!(reader.out_len().unwrap(), extra.out_len);
    assert_eq!(reader.account("a").unwrap().as_ref(), Some(&*expected.accounts[0]));
    let all: Vec<_> = reader.accounts().unwrap().map(Result::unwrap).collect();
    assert!(all.iter().eq(expected.accounts.iter().map(|each| &**each)));
}

#[test]
fn a_commit_is_there_at_once_and_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    assert_eq!(store.reader().state().unwrap(), None);
    let (commit, extra) = commit();
    store.commit(commit, extra).unwrap();
    store.settle().unwrap();
    check(&mut store);
    drop(store);
    let mut store = Store::open(dir.path(), without_memory()).unwrap();
    check(&mut store);
    store.flush().unwrap();
    drop(store);
    check(&mut open(dir.path()));
}

#[test]
fn commits_go_on_where_the_last_one_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (first, extra) = commit();
    open(dir.path()).commit(first, extra).unwrap();
    let mut store = open(dir.path());
    let (mut second, extra) = with_outputs(Commit::default(), &[b"fourth"]);
    second.accounts = vec![account("b", 3)];
    second.timers_removed = vec![("b".into(), timer(50))];
    second.positions = BTreeMap::from([((Arc::from("orders"), 3), 401)]);
    store.commit(second, extra).unwrap();
    store.settle().unwrap();
    assert_eq!(store.reader().outputs_from(3, 9).unwrap(), [(3, b"fourth".to_vec())]);
    assert_eq!(store.load_accounts(&ids(&["b"])).unwrap()[0].sequence, 3);
    assert_eq!(store.due_timers(Timestamp(100), None, 9).unwrap(), [("a".into(), timer(60))]);
    assert_eq!(store.reader().positions().unwrap().into_values().collect::<Vec<_>>(), [401, 7]);
}

#[test]
fn rulesets_are_kept_and_the_last_one_is_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    assert_eq!(store.reader().ruleset_hash().unwrap(), None);
    store.put_ruleset("ab12", &ruleset_files(), None).unwrap();
    store.put_ruleset("cd34", &[], None).unwrap();
    let (step, extra) = commit();
    store.commit(step, extra).unwrap();
    assert_eq!(store.reader().ruleset_hash().unwrap().as_deref(), Some("cd34"));
    let ruleset = Arc::new(Ruleset::load(&[]).unwrap());
    let published = Published { ruleset: ruleset.clone(), files: ruleset_files() };
    store.commit(Commit { ruleset: Some(published), ..Commit::default() }, CommitExtra::default()).unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.reader().ruleset_hash().unwrap().as_deref(), Some(&*ruleset.hash));
    assert_eq!(store.reader().ruleset(&ruleset.hash).unwrap(), Some(ruleset_files()));
    assert_eq!(store.reader().ruleset("ab12").unwrap(), Some(ruleset_files()));
    assert_eq!(store.reader().ruleset("cd34").unwrap(), Some(Vec::new()));
    assert_eq!(store.reader().ruleset("ab1").unwrap(), None);
}

#[test]
fn a_reader_looks_on_without_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Reader::open(dir.path(), &options()).err().unwrap().code(), "HR0305");
    let mut store = open(dir.path());
    let (commit, extra) = commit();
    let (expected, (_, expected_extra)) = (commit.clone(), self::commit());
    store.commit(commit, extra).unwrap();
    store.settle().unwrap();
    check_reader(&Reader::open(dir.path(), &options()).unwrap(), &expected, &expected_extra);
    let elsewhere = store.reader().clone();
    std::thread::spawn(move || check_reader(&elsewhere, &expected, &expected_extra)).join().unwrap();
}

#[test]
fn sizes_are_means_of_stored_values() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    assert_eq!(store.reader().sizes().unwrap().bytes_per_account(), 0);
    let (commit, extra) = commit();
    store.commit(commit, extra).unwrap();
    store.flush().unwrap();
    let sizes = store.reader().sizes().unwrap();
    assert_eq!(sizes.accounts, 2);
    assert_eq!(sizes.bytes_per_account(), sizes.account_bytes / 2);
    assert!(sizes.account_bytes > 0 && sizes.file_bytes > 0);
}

#[test]
#[should_panic(expected = "every output is encoded")]
fn outputs_that_nobody_encoded_are_a_bug() {
    let dir = tempfile::tempdir().unwrap();
    let (commit, _) = commit();
    let _ = open(dir.path()).commit(commit, CommitExtra::default());
}
