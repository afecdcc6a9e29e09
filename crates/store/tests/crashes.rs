//! A death at every fail point, a full disk, a flipped byte in every file: what was acknowledged is there, whole, or the
//! error has a code.

mod common;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use headroom_engine::{Commit, SeenKey, ShardState, Timer, TimerKind, Timestamp};
use headroom_store::{CommitExtra, LogRecord, OutputKind, Store, StoreError, StoreOptions, Trim, fault};

use common::{account, copy, open, options, output, outputs, without_memory};

const DIR: &str = "HEADROOM_TEST_CRASH_DIR";

/// Commit n: its number is in every table.
fn numbered(n: u64) -> (Commit, CommitExtra) {
    let mut state = ShardState::default();
    state.totals.events = n;
    let due = |n: u64| Timer { due: Timestamp(i64::try_from(n).unwrap()), kind: TimerKind::Daily, rule: 0 };
    let commit = Commit {
        accounts: vec![account("a", n)],
        timers_removed: vec![("a".into(), due(n - 1))],
        timers_added: vec![("a".into(), due(n))],
        seen: vec![(SeenKey { day: 0, hash: n }, n)],
        state,
        ..Commit::default()
    };
    let (commit, extra) = outputs(commit, vec![(output(OutputKind::Notice, "a"), n.to_string().into_bytes())]);
    (commit, CommitExtra { out_len: n, journal: Some((n, n.to_string().into_bytes())), ..extra })
}

fn record(n: u64) -> LogRecord {
    let bytes = vec![7; 100 + usize::try_from(n).unwrap()];
    LogRecord { timestamp: Timestamp(0), encoding: "json", replayed: false, bytes: bytes.into() }
}

/// The numbers of the last commit and of the log's end; what belongs to them must be there whole.
#[track_caller]
fn whole(dir: &Path) -> Result<(u64, u64), StoreError> {
    let mut store = Store::open(dir, without_memory())?;
    let n = store.reader().out_len()?;
    let timers = store.due_timers(Timestamp(i64::MAX), None, 9)?;
    assert_eq!(timers.iter().map(|(_, timer)| timer.due.0.cast_unsigned()).collect::<Vec<_>>(), last(n));
    let seen = store.seen(&(1..=n + 1).map(|hash| SeenKey { day: 0, hash }).collect::<Vec<_>>())?;
    assert!(seen.into_iter().eq((1..=n).map(Some).chain([None])));
    let reader = store.reader();
    assert_eq!(reader.state()?.map_or(0, |state| state.totals.events), n);
    assert_eq!(reader.account("a")?.map_or(0, |account| account.sequence), n);
    let kept: Vec<u64> = (reader.outputs_start()?..reader.outputs_count()?).collect();
    assert_eq!(reader.outputs_count()?, n);
    assert!(reader.outputs_from(0, usize::MAX)?.iter().map(|row| row.0).eq(kept.iter().copied()));
    let own = reader.account_outputs("a", None, usize::MAX)?;
    assert!(own.iter().map(|row| row.0).eq(kept.iter().rev().copied()));
    assert_eq!(reader.journal_last()?.map(|last| last.0).into_iter().collect::<Vec<_>>(), last(n));
    let log = reader.log_from(0, usize::MAX, usize::MAX)?;
    assert!(log.iter().map(|row| row.0).eq(reader.log_start()?..reader.log_end()));
    assert!(log.iter().all(|(offset, found)| *found == record(*offset)));
    Ok((n, reader.log_end()))
}

fn last(n: u64) -> Vec<u64> {
    (n > 0).then_some(n).into_iter().collect()
}

/// Does everything that a store can do, and notes what was acknowledged.
fn work(dir: &Path) {
    let data = dir.join("data");
    let mut store = open(&data);
    store.put_ruleset("ab", &[], None).unwrap();
    let mut log = store.log();
    for n in 1..=6 {
        log.append(&[record(n * 2 - 2), record(n * 2 - 1)]).unwrap();
        note(dir, "log", n * 2);
        let (commit, extra) = numbered(n);
        let dir = dir.to_owned();
        let done = Box::new(move |done: Result<(), StoreError>| done.map(|()| note(&dir, "commits", n)).unwrap());
        store.commit(commit, CommitExtra { done: Some(done), ..extra }).unwrap();
        if n.is_multiple_of(3) {
            store.trim(Trim { journal_below: n, outputs_below: n - 1, log_below: n }).unwrap();
            store.set_attempt(b"next").unwrap();
            store.flush().unwrap();
        }
    }
    drop((log, store));
    open(&data);
}

fn note(dir: &Path, what: &str, n: u64) {
    let new = dir.join(format!("{what}.new"));
    fs::write(&new, n.to_string()).unwrap();
    fs::rename(new, dir.join(what)).unwrap();
}

fn noted(dir: &Path, what: &str) -> u64 {
    fs::read_to_string(dir.join(what)).map_or(0, |text| text.parse().unwrap())
}

fn worker(dir: &Path, fail_at: &str) -> Output {
    let mut worker = Command::new(std::env::current_exe().unwrap());
    worker.args(["--exact", "a_death_at_any_point_loses_nothing_acknowledged"]);
    worker.env(DIR, dir).env("HEADROOM_FAIL_AT", fail_at).output().unwrap()
}

#[test]
fn a_death_at_any_point_loses_nothing_acknowledged() {
    if let Ok(dir) = std::env::var(DIR) {
        return work(Path::new(&dir));
    }
    // The store's own stand first; the node's are passed in its tests.
    let last = fault::POINTS.iter().position(|point| *point == "attempt.after_write").unwrap();
    let points = &fault::POINTS[..=last];
    assert!(points.len() >= 20);
    for point in points {
        let mut deaths = 0;
        for count in [1, 2, 5] {
            deaths += u32::from(dies_at(point, count));
        }
        assert!(deaths >= 1, "`{point}` is never passed");
    }
}

/// Whether the point is passed so often.
fn dies_at(point: &str, count: u64) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let ran = worker(dir.path(), &format!("{point}:{count}"));
    let killed = ran.status.signal() == Some(9);
    let said = String::from_utf8_lossy(&ran.stderr).contains(&format!("fail point {point}\n"));
    assert!(killed == said && (killed || ran.status.success()), "{point}: {ran:?}");
    let data = dir.path().join("data");
    let (commits, log) = whole(&data).unwrap_or_else(|error| panic!("{point}:{count}: {error}"));
    let acknowledged = (noted(dir.path(), "commits"), noted(dir.path(), "log"));
    assert!(commits >= acknowledged.0 && log >= acknowledged.1, "{point}:{count}: {acknowledged:?}, {commits}, {log}");
    assert!(commits <= acknowledged.0 + 1 && log <= acknowledged.1 + 2, "{point}:{count}: more than was tried");
    // It goes on where it stopped.
    let mut store = open(&data);
    let (commit, extra) = numbered(commits + 1);
    store.commit(commit, extra).unwrap();
    drop(store);
    assert_eq!(whole(&data).unwrap().0, commits + 1);
    killed
}

#[test]
fn a_panic_at_a_point_unwinds_and_a_name_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let ran = worker(dir.path(), "open.done=panic");
    assert_eq!(ran.status.signal(), None);
    assert!(!ran.status.success() && String::from_utf8_lossy(&ran.stderr).contains("fail point open.done\n"));
    let ran = worker(dir.path(), "open.nowhere");
    assert_eq!(ran.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(stderr.contains("HEADROOM_FAIL_AT: no fail point is called `open.nowhere`"), "{stderr}");
}

#[test]
fn a_commit_that_kills_the_writing_thread_seals() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let extra = CommitExtra { done: Some(Box::new(|_| panic!("on purpose"))), ..CommitExtra::default() };
    store.commit(Commit::default(), extra).unwrap();
    assert_eq!(store.settle().unwrap_err().code(), "HR0306");
    assert_eq!(store.commit(Commit::default(), CommitExtra::default()).unwrap_err().code(), "HR0306");
    assert_eq!(store.log().append(&[record(0)]).unwrap_err().code(), "HR0306");
    assert_eq!(store.reader().state().unwrap_err().code(), "HR0306");
}

/// A small file system of its own.
struct Mounted(tempfile::TempDir);

impl Mounted {
    /// `None`: nobody allows it, which only CI must.
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"]).arg(dir.path()).output();
        let mounted = mount.is_ok_and(|mount| mount.status.success());
        assert!(mounted || std::env::var("CI").is_err(), "CI mounts a file system of its own for this test");
        mounted.then_some(Self(dir))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

/// Commits until the disk is full; gives the number of the last that was acknowledged, and the error.
fn fill(store: &mut Store) -> (u64, StoreError) {
    let mut n = 0;
    loop {
        let (commit, extra) = numbered(n + 1);
        let ballast = (0..200).map(|_| record(4_000)).collect::<Vec<_>>();
        let done = store.log().append(&ballast).and_then(|_| store.commit(commit, extra)).and_then(|()| store.settle());
        match done {
            Ok(()) => n += 1,
            Err(error) => return (n, error),
        }
    }
}

#[test]
fn a_full_disk_seals_and_loses_nothing_acknowledged() {
    let Some(disk) = Mounted::new() else { return };
    let (ballast, data) = (disk.0.path().join("ballast"), disk.0.path().join("data"));
    fs::write(&ballast, vec![1; 4 << 20]).unwrap();
    let mut store = open(&data);
    let (acknowledged, error) = fill(&mut store);
    assert!(acknowledged > 0);
    assert_eq!(error.code(), "HR0304", "{error}");
    assert_eq!(store.commit(Commit::default(), CommitExtra::default()).unwrap_err().code(), "HR0306");
    drop(store);
    fs::remove_file(ballast).unwrap();
    let reopened = Store::open(&data, without_memory()).unwrap();
    let found = reopened.reader().out_len().unwrap();
    assert!(found == acknowledged || found == acknowledged + 1, "{found}, {acknowledged}");
    assert_eq!(reopened.reader().outputs_count().unwrap(), found);
    assert_eq!(reopened.reader().account("a").unwrap().unwrap().sequence, found);
    assert!(reopened.reader().log_end() >= acknowledged * 200);
}

/// Data in files and, where `unflushed`, some in the log.
fn filled(dir: &Path, unflushed: bool) {
    let mut store = open(dir);
    for n in 1..=40 {
        let (commit, extra) = numbered(n);
        store.commit(commit, extra).unwrap();
        store.log().append(&[record(n - 1)]).unwrap();
        if n == 20 || n == 40 && !unflushed {
            store.flush().unwrap();
        }
    }
}

fn every_file(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir.join("db")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.ends_with("LOCK") && !path.ends_with("LOG"));
    files.push(dir.join("FORMAT"));
    files.sort();
    files
}

/// Damages a copy; the whole truth, or an error with a code.
#[track_caller]
fn truth_or_code(from: &Path, file: &Path, damage: impl FnOnce(&Path)) -> bool {
    let here = tempfile::tempdir().unwrap();
    copy(from, here.path());
    let file = here.path().join(file.strip_prefix(from).unwrap());
    damage(&file);
    match whole(here.path()) {
        Ok(found) => {
            assert_eq!(found, (40, 40), "{}", file.display());
            false
        }
        Err(error) => {
            assert!(["HR0302", "HR0303", "HR0304", "HR0305"].contains(&error.code()), "{error}");
            true
        }
    }
}

#[test]
fn a_flipped_byte_in_any_file_is_found_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), false);
    let mut found = 0;
    for file in every_file(dir.path()) {
        let length = fs::metadata(&file).unwrap().len();
        for part in 0..length.min(9) {
            let at = usize::try_from(length * part / 9).unwrap();
            found += u32::from(truth_or_code(dir.path(), &file, |file| {
                let mut bytes = fs::read(file).unwrap();
                bytes[at] ^= 0x10;
                fs::write(file, bytes).unwrap();
            }));
        }
    }
    assert!(found >= 20, "{found}");
}

#[test]
fn any_missing_file_is_found_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), true);
    let lost = |file: &PathBuf| truth_or_code(dir.path(), file, |file| fs::remove_file(file).unwrap());
    let lost: Vec<_> = every_file(dir.path()).into_iter().filter(lost).collect();
    for needed in ["CURRENT", "MANIFEST", ".sst", "FORMAT", ".log"] {
        assert!(lost.iter().any(|file| file.to_str().unwrap().contains(needed)), "{needed} is not among {lost:?}");
    }
}

#[test]
fn memory_of_the_store_changes_no_answer_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let (commit, extra) = numbered(1);
    store.commit(commit, extra).unwrap();
    store.settle().unwrap();
    let killed = tempfile::tempdir().unwrap();
    copy(dir.path(), killed.path());
    assert_eq!(whole(killed.path()).unwrap(), (1, 0));
    let reopened = Store::open(killed.path(), StoreOptions { seen_cached_max: 1, ..options() }).unwrap();
    assert_eq!(reopened.seen(&[SeenKey { day: 0, hash: 1 }]).unwrap(), [Some(1)]);
}
