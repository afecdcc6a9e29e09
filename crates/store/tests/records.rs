//! Log, journal, outputs by kind and account, trims, attempts, sweeps.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use headroom_engine::{Commit, SeenKey, ShardState, Timestamp};
use headroom_store::{CommitExtra, LogRecord, OutputKind, Store, Trim};
use proptest::prelude::*;

use common::{account, ids, open, output, outputs};

fn record(n: u64) -> LogRecord {
    let encoding = if n.is_multiple_of(2) { "json" } else { "protobuf" };
    let timestamp = Timestamp(i64::try_from(n).unwrap() - 3);
    LogRecord { timestamp, encoding, replayed: n.is_multiple_of(3), bytes: n.to_string().as_bytes().into() }
}

fn records(range: std::ops::Range<u64>) -> Vec<LogRecord> {
    range.map(record).collect()
}

fn numbered(range: std::ops::Range<u64>) -> Vec<(u64, LogRecord)> {
    range.map(|n| (n, record(n))).collect()
}

#[test]
fn the_log_gives_back_what_was_appended() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut log = store.log();
    assert_eq!((log.end(), log.append(&[]), store.reader().log_end()), (0, Ok(0), 0));
    assert_eq!((log.append(&records(0..3)), log.append(&records(3..20))), (Ok(0), Ok(3)));
    let reader = store.reader();
    assert_eq!((log.end(), reader.log_end(), reader.log_start()), (20, 20, Ok(0)));
    assert_eq!(reader.log_from(0, 99, usize::MAX).unwrap(), numbered(0..20));
    assert_eq!(reader.log_from(5, 3, usize::MAX).unwrap(), numbered(5..8));
    assert_eq!(reader.log_from(0, 99, 4).unwrap(), numbered(0..4));
    assert_eq!(reader.log_from(20, 99, 99).unwrap(), []);
}

#[test]
fn offsets_go_on_after_a_trim_of_everything_and_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    store.log().append(&records(0..5)).unwrap();
    assert!(store.trim(Trim { log_below: 99, ..Trim::default() }).unwrap().done);
    assert_eq!((store.reader().log_start(), store.reader().log_end()), (Ok(5), 5));
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.log().append(&records(5..7)), Ok(5));
    assert_eq!(store.reader().log_from(0, 99, 99).unwrap(), numbered(5..7));
}

#[test]
#[should_panic(expected = "the log has one writer at a time")]
fn a_log_has_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    drop(store.log());
    let _first = store.log();
    let _second = store.log();
}

#[test]
fn the_log_is_appended_to_beside_commits() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut log = store.log();
    let appending = std::thread::spawn(move || {
        for n in 0..200 {
            assert_eq!(log.append(&records(n..n + 1)), Ok(n));
        }
    });
    for n in 1..=200 {
        let commit = Commit { accounts: vec![account("a", n)], ..Commit::default() };
        store.commit(commit, CommitExtra::default()).unwrap();
    }
    appending.join().unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.reader().account("a").unwrap().unwrap().sequence, 200);
    assert_eq!(store.reader().log_from(0, 999, usize::MAX).unwrap(), numbered(0..200));
}

/// RocksDB writes what meets in one group side by side. A hint for insertions, which it offers, would then carry the place
/// of a key over to the table of deleted ranges.
#[test]
fn days_are_forgotten_while_the_log_is_appended_to() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut log = store.log();
    let over = Arc::new(AtomicBool::new(false));
    let appending = std::thread::spawn({
        let over = Arc::clone(&over);
        move || {
            while !over.load(Ordering::Acquire) {
                log.append(&records(0..50)).unwrap();
            }
        }
    });
    let day = |day: i32| (0..50).map(move |hash| (SeenKey { day, hash }, hash));
    for today in 0..500 {
        let accounts = (0..50).map(|n| account(&format!("a{n:02}"), 1)).collect();
        let state = ShardState { seen_from_day: today - 1, ..ShardState::default() };
        let commit = Commit { accounts, seen: day(today).collect(), state, ..Commit::default() };
        store.commit(commit, CommitExtra::default()).unwrap();
    }
    store.settle().unwrap();
    over.store(true, Ordering::Release);
    appending.join().unwrap();
    drop(store);
    let store = open(dir.path());
    let keys = |of| day(of).map(|(key, _)| key).collect::<Vec<_>>();
    assert!(store.seen(&keys(497)).unwrap().iter().all(Option::is_none));
    assert!(store.seen(&keys(498)).unwrap().iter().all(Option::is_some));
}

fn journaled(seq: u64) -> CommitExtra {
    CommitExtra { journal: Some((seq, format!("record {seq}").into())), ..CommitExtra::default() }
}

fn journal(seq: u64) -> (u64, Vec<u8>) {
    (seq, format!("record {seq}").into())
}

#[test]
fn the_journal_goes_with_commits_and_rulesets_and_keeps_its_last_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    assert_eq!((store.reader().journal_last(), store.reader().journal_start()), (Ok(None), Ok(0)));
    store.put_ruleset("ab", &[], Some(journal(1))).unwrap();
    for seq in 2..=5 {
        store.commit(Commit::default(), journaled(seq)).unwrap();
    }
    store.settle().unwrap();
    assert_eq!(store.reader().journal_from(1, 2).unwrap(), [journal(1), journal(2)]);
    assert_eq!(store.reader().journal_last().unwrap(), Some(journal(5)));
    assert!(store.trim(Trim { journal_below: 4, ..Trim::default() }).unwrap().done);
    assert_eq!(store.reader().journal_from(0, 9).unwrap(), [journal(4), journal(5)]);
    store.trim(Trim { journal_below: u64::MAX, ..Trim::default() }).unwrap();
    store.trim(Trim { journal_below: 2, ..Trim::default() }).unwrap();
    assert_eq!(store.reader().journal_from(0, 9).unwrap(), [journal(5)]);
    assert_eq!(store.reader().journal_start(), Ok(5));
}

type Row = (u64, OutputKind, String, Vec<u8>);

/// Sequence n has its number as content.
fn check_outputs(store: &Store, rows: &[Row], start: u64) {
    let reader = store.reader();
    let kept: Vec<&Row> = rows.iter().filter(|row| row.0 >= start).collect();
    let found = |rows: &[&Row]| rows.iter().map(|row| (row.0, row.3.clone())).collect::<Vec<_>>();
    assert_eq!((reader.outputs_count(), reader.outputs_start()), (Ok(rows.len() as u64), Ok(start)));
    assert_eq!(reader.outputs_from(0, usize::MAX).unwrap(), found(&kept));
    let middle = start + (rows.len() as u64 - start) / 2;
    let page: Vec<_> = kept.iter().copied().filter(|row| row.0 >= middle).take(3).collect();
    assert_eq!(reader.outputs_from(middle, 3).unwrap(), found(&page));
    for kind in OutputKind::ALL {
        let of_kind: Vec<_> = kept.iter().copied().filter(|row| row.1 == kind && row.0 >= middle).collect();
        assert_eq!(reader.outputs_of_kind(kind, middle, usize::MAX).unwrap(), found(&of_kind));
        assert_eq!(reader.outputs_of_kind(kind, middle, 1).unwrap(), found(&of_kind[..of_kind.len().min(1)]));
    }
    for account in ["a", "ab", "b", "nobody", "", "x\0y", "x\u{1}"] {
        let indexed = !account.is_empty() && !account.contains(char::is_control);
        let own: Vec<_> = kept.iter().rev().copied().filter(|row| indexed && row.2 == account).collect();
        assert_eq!(reader.account_outputs(account, None, usize::MAX).unwrap(), found(&own), "`{account:?}`");
        let before: Vec<_> = own.into_iter().filter(|row| row.0 < middle).take(2).collect();
        assert_eq!(reader.account_outputs(account, Some(middle), 2).unwrap(), found(&before));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn outputs_are_read_in_order_by_kind_and_by_account(
        commits in proptest::collection::vec(proptest::collection::vec((0..5_usize, 0..6_usize), 0..9), 1..6),
        trims in proptest::collection::vec(0_u64..30, 6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        let (mut rows, mut start): (Vec<Row>, u64) = (Vec::new(), 0);
        for (commit, below) in commits.iter().zip(trims) {
            let mut made = Vec::new();
            for (kind, account) in commit {
                let account = ["a", "ab", "b", "", "x\0y", "x\u{1}"][*account];
                let kind = OutputKind::ALL[*kind];
                // Only a dead letter may name what is no account.
                let account = if kind == OutputKind::DeadLetter || account.len() < 3 && !account.is_empty()
                    && !account.contains(char::is_control) { account } else { "a" };
                let sequence = rows.len() as u64;
                made.push((output(kind, account), sequence.to_string().into_bytes()));
                rows.push((sequence, kind, account.to_owned(), sequence.to_string().into_bytes()));
            }
            let (commit, extra) = outputs(Commit::default(), made);
            store.commit(commit, extra).unwrap();
            store.settle().unwrap();
            check_outputs(&store, &rows, start);
            let trimmed = store.trim(Trim { outputs_below: below, ..Trim::default() }).unwrap();
            prop_assert!(trimmed.done);
            start = start.max(below.min(rows.len() as u64));
            check_outputs(&store, &rows, start);
            drop(store);
            store = open(dir.path());
            check_outputs(&store, &rows, start);
        }
    }
}

#[test]
fn a_long_trim_goes_in_bounded_steps() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let made = (0..25_000).map(|n: u32| (output(OutputKind::Notice, "a"), n.to_string().into_bytes())).collect();
    let (commit, extra) = outputs(Commit::default(), made);
    store.commit(commit, extra).unwrap();
    let trim = Trim { outputs_below: 24_999, ..Trim::default() };
    let done: Vec<bool> = (0..4).map(|_| store.trim(trim).unwrap().done).collect();
    assert_eq!(done, [false, false, true, true]);
    let last = [(24_999, b"24999".to_vec())];
    assert_eq!(store.reader().outputs_from(0, 9).unwrap(), last);
    assert_eq!(store.reader().account_outputs("a", None, 9).unwrap(), last);
}

#[test]
fn readers_see_whole_prefixes_while_commits_and_trims_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let reader = store.reader().clone();
    let (stop, stopped) = channel();
    let reading = std::thread::spawn(move || {
        let mut looks = 0;
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) || looks == 0 {
            let found = reader.outputs_from(0, 1_000).unwrap();
            let sequences: Vec<u64> = found.iter().map(|row| row.0).collect();
            assert!(sequences.is_sorted_by(|one, next| next - one == 1), "{sequences:?}");
            looks += 1;
        }
    });
    for n in 0..300_u64 {
        let made = OutputKind::ALL.map(|kind| (output(kind, "a"), n.to_string().into_bytes()));
        let (commit, extra) = outputs(Commit::default(), made.into());
        store.commit(commit, extra).unwrap();
        if n.is_multiple_of(7) {
            store.trim(Trim { outputs_below: n * 5 - n, ..Trim::default() }).unwrap();
        }
    }
    stop.send(()).unwrap();
    reading.join().unwrap();
}

#[test]
fn an_attempt_is_remembered_until_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    assert_eq!(store.reader().attempt(), Ok(None));
    store.set_attempt(b"orders/3/17").unwrap();
    drop(store);
    let mut store = open(dir.path());
    assert_eq!(store.reader().attempt(), Ok(Some(b"orders/3/17".to_vec())));
    store.set_attempt(b"").unwrap();
    assert_eq!(store.reader().attempt(), Ok(Some(Vec::new())));
}

#[test]
fn sweeps_go_through_all_accounts_in_the_order_of_ids() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let names = ["a", "ab", "ab c", "b", "é"];
    let accounts = names.iter().zip(1..).map(|(name, n)| account(name, n)).collect();
    store.commit(Commit { accounts, ..Commit::default() }, CommitExtra::default()).unwrap();
    let (mut after, mut all, mut odd): (Option<Arc<str>>, Vec<_>, Vec<_>) = (None, Vec::new(), Vec::new());
    loop {
        // The commit right before is in the rows.
        let rows = store.rows_after(after.as_deref(), 2, |account| !account.sequence.is_multiple_of(2)).unwrap();
        assert!(rows.ids.len() <= 2);
        after = rows.ids.last().cloned().or(after);
        all.extend(rows.ids);
        odd.extend(rows.concerned);
        if rows.end {
            break;
        }
    }
    assert_eq!(all, ids(&names));
    assert_eq!(odd, ids(&["a", "ab c", "é"]));
}

#[test]
fn who_waits_for_a_commit_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let (told, heard) = channel();
    for n in 1..=20 {
        let state = ShardState { accounts: n, ..ShardState::default() };
        let (reader, told) = (store.reader().clone(), told.clone());
        let extra = CommitExtra {
            done: Some(Box::new(move |done| {
                told.send((n, done.map(|()| reader.state().unwrap().unwrap().accounts))).unwrap();
            })),
            ..CommitExtra::default()
        };
        store.commit(Commit { state, ..Commit::default() }, extra).unwrap();
    }
    drop((store, told));
    assert!(heard.iter().eq((1..=20).map(|n| (n, Ok(n)))));
}

#[test]
fn broadcasts_come_back_though_they_are_written_only_when_they_change() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut state = ShardState::default();
    let mut expected = BTreeMap::new();
    for n in 1..=6_u64 {
        if n.is_multiple_of(3) {
            Arc::make_mut(&mut state.broadcasts).regime =
                headroom_engine::Regime::from_index(u8::try_from(n / 3).unwrap());
        }
        state.accounts = n;
        expected.insert(n, state.clone());
        store.commit(Commit { state: state.clone(), ..Commit::default() }, CommitExtra::default()).unwrap();
        if n == 4 {
            drop(store);
            store = open(dir.path());
        }
        store.settle().unwrap();
        assert_eq!(store.reader().state().unwrap().as_ref(), expected.get(&n));
    }
}
