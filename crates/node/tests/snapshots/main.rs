//! Snapshots of a real store, in a folder and in a bucket.

mod place;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use headroom_engine::{Account, Commit, ShardState, Timestamp};
use headroom_node::SnapshotsConfig;
use headroom_node::snapshot::{SnapshotError, Snapshots, Uploaded};
use headroom_store::{CheckpointInfo, CommitExtra, Durability, SharedMemory, Store, StoreOptions};
use headroom_wire::{Journal, encode_journal};

use place::{Place, files};

const CLUSTER: &str = "MkU3OEVBNTcwNTJENDM2Qk";

/// In both places.
fn everywhere(test: impl Fn(&Place)) {
    test(&Place::folder());
    Place::bucket().iter().for_each(test);
}

fn options() -> StoreOptions {
    StoreOptions {
        durability: Durability::Process,
        memory: SharedMemory::new(8 << 20, 16 << 20),
        write_buffer_bytes: 1 << 20,
        ..StoreOptions::default()
    }
}

fn open(config: &SnapshotsConfig) -> Snapshots {
    Snapshots::open(config, CLUSTER, 4).unwrap()
}

/// Commits accounts with numbers in a range; `swept` makes the histories of two stores differ.
fn commit(store: &mut Store, accounts: std::ops::Range<u32>, seq: u64, swept: u64) {
    let account = |number: u32| {
        let mut account = Account::provisional(format!("A{number:07}").as_str().into(), Timestamp(1_000), 3);
        account.sequence = seq;
        Box::new(account)
    };
    let mut journal = Journal { seq, swept, ..Journal::default() };
    journal.seal();
    let commit = Commit {
        accounts: accounts.map(account).collect(),
        state: ShardState { now: Timestamp(i64::try_from(seq).unwrap()), ..ShardState::default() },
        ..Commit::default()
    };
    let extra = CommitExtra { journal: Some((seq, encode_journal(&journal))), ..CommitExtra::default() };
    store.commit(commit, extra).unwrap();
    store.settle().unwrap();
}

/// A store with many accounts after one commit.
fn started(dir: &Path) -> Store {
    let mut store = Store::open(dir, options()).unwrap();
    commit(&mut store, 0..30_000, 1, 0);
    store
}

fn digest(dir: &Path) -> [u8; 32] {
    Store::open(dir, options()).unwrap().reader().digest().unwrap()
}

fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_is_wiped_comes_back_and_only_changes_are_sent_again() {
    everywhere(|place| {
        let (live, back) = (place.path("live"), place.path("back"));
        let snapshots = open(&place.config());
        let mut store = started(&live);
        let first = snapshots.take(3, &mut store, &live).unwrap();
        commit(&mut store, 100..110, 2, 0);
        let second = snapshots.take(3, &mut store, &live).unwrap();
        let again = snapshots.take(3, &mut store, &live).unwrap();
        println!("first {first:?}\nsecond {second:?}\nagain {again:?}");
        assert_eq!((first.files_kept, second.journal_seq, again.files_sent), (0, 2, 0));
        assert!(second.bytes_sent * 10 < first.bytes_sent && second.bytes_kept * 10 > first.bytes_sent * 9);
        let (state, journal) = (store.reader().digest().unwrap(), store.reader().journal_last().unwrap());
        drop(store);
        fs::remove_dir_all(&live).unwrap();
        // Another process, which knows nothing.
        let snapshots = open(&place.config());
        let manifest = snapshots.restore(3, &back).unwrap().unwrap();
        assert_eq!((manifest.journal_seq, manifest.shards, manifest.now), (2, 4, 2));
        let mut store = Store::open(&back, options()).unwrap();
        assert_eq!((store.reader().digest().unwrap(), store.reader().journal_last().unwrap()), (state, journal));
        commit(&mut store, 0..5, 3, 0);
        let third = snapshots.take(3, &mut store, &back).unwrap();
        assert!(third.bytes_sent * 10 < first.bytes_sent, "the restored files are known: {third:?}");
        let sequences: Vec<u64> = snapshots.list(3).unwrap().iter().map(|each| each.journal_seq).collect();
        assert_eq!((sequences, snapshots.shards().unwrap()), (vec![3, 2, 1], vec![3]));
        assert_eq!((snapshots.oldest_kept(3).unwrap(), snapshots.oldest_kept(2).unwrap()), (Some(2), None));
        assert_eq!(Snapshots::clusters(&place.config()).unwrap(), [CLUSTER]);
        let checked = snapshots.verify(3, Some(2), Some(&place.path("scratch"))).unwrap();
        assert_eq!(checked[0].state_digest, Some(hex(state)));
        assert!(snapshots.restore(0, &place.path("nothing")).unwrap().is_none());
        assert!(!place.path("nothing").exists() && !place.path("scratch").exists());
        assert_eq!(snapshots.restore(3, &back).unwrap_err().code(), "HR0706");
    });
}

#[test]
fn a_damaged_snapshot_is_found_and_an_older_one_taken() {
    everywhere(|place| {
        let live = place.path("live");
        let snapshots = open(&place.config());
        let mut store = started(&live);
        snapshots.take(0, &mut store, &live).unwrap();
        let state = store.reader().digest().unwrap();
        commit(&mut store, 100..110, 2, 0);
        snapshots.take(0, &mut store, &live).unwrap();
        let [newest, older] = &snapshots.list(0).unwrap()[..] else { panic!("two snapshots") };
        let older = older.manifest.as_ref().unwrap();
        let mut tables = newest.manifest.as_ref().unwrap().files.iter();
        let table = tables.find(|file| file.name.ends_with(".sst") && !older.files.contains(file)).unwrap();
        let object = format!("{CLUSTER}/shard-0000/files/{}", table.sha256);
        let manifest = format!("{CLUSTER}/shard-0000/manifests/{:020}.json", 2);
        for (nth, (object, bytes)) in
            [(&object, Some(&b"flipped"[..])), (&object, None), (&manifest, Some(b"{\"format\": 1, \"cluster\""))]
                .into_iter()
                .enumerate()
        {
            place.damage(object, bytes);
            let found = snapshots.verify(0, None, None).unwrap();
            let codes: Vec<_> =
                found.iter().map(|each| each.manifest.as_ref().err().map(SnapshotError::code)).collect();
            assert_eq!(codes, [Some("HR0704"), None]);
            let back = place.path(&format!("back-{nth}"));
            assert_eq!(snapshots.restore(0, &back).unwrap().unwrap().journal_seq, 1);
            assert_eq!(digest(&back), state);
        }
        // Which files the newest names is not known any more: none is removed.
        assert_eq!(snapshots.prune(0).unwrap_err().code(), "HR0704");
        place.damage(&manifest, Some(b"{\"format\": 9}"));
        assert_eq!(snapshots.restore(0, &place.path("newer")).unwrap_err().code(), "HR0707");
        let (one, other) = (format!("{CLUSTER}/shard-0000/manifests/{:020}.json", 1), place.path("none"));
        place.damage(&manifest, Some(b""));
        place.damage(&one, Some(b""));
        assert_eq!(snapshots.restore(0, &other).unwrap_err().code(), "HR0704");
        assert!(!other.exists() && !place.path("none.restoring").exists());
    });
}

#[test]
fn of_two_writers_one_makes_the_snapshot_and_another_history_is_refused() {
    everywhere(|place| {
        let mut writers: Vec<_> = ["one", "two"]
            .map(|name| {
                let dir = place.path(name);
                let mut store = started(&dir);
                let checkpoint = place.path(&format!("{name}-checkpoint"));
                (open(&place.config()), store.checkpoint(&checkpoint).unwrap(), checkpoint)
            })
            .into();
        let done: Vec<Uploaded> = std::thread::scope(|scope| {
            let upload =
                |writer: &(Snapshots, CheckpointInfo, PathBuf)| writer.0.upload(0, &writer.1, &writer.2).unwrap();
            let threads: Vec<_> = writers.iter().map(|writer| scope.spawn(move || upload(writer))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(done.iter().all(|each| each.journal_seq == 1));
        let (snapshots, ..) = writers.remove(0);
        assert_eq!(snapshots.list(0).unwrap().len(), 1);
        assert!(snapshots.verify(0, None, None).unwrap()[0].manifest.is_ok());
        let other = place.path("other");
        let mut store = Store::open(&other, options()).unwrap();
        commit(&mut store, 0..10, 1, 7);
        assert_eq!(snapshots.take(0, &mut store, &other).unwrap_err().code(), "HR0705");
    });
}

#[test]
fn old_snapshots_go_and_nothing_that_is_named() {
    everywhere(|place| {
        let live = place.path("live");
        let snapshots = open(&place.config());
        let careful = open(&SnapshotsConfig { grace: Duration::from_secs(3_600), ..place.config() });
        let mut store = started(&live);
        for seq in 2..6 {
            commit(&mut store, 0..30_000, seq, 0);
            snapshots.take(0, &mut store, &live).unwrap();
        }
        let pruned = careful.prune(0).unwrap();
        assert_eq!((pruned.snapshots, pruned.files), (2, 0));
        let pruned = snapshots.prune(0).unwrap();
        assert!(pruned.snapshots == 0 && pruned.files > 0 && pruned.bytes > 0, "{pruned:?}");
        assert_eq!(snapshots.prune(0).unwrap().files, 0);
        let left = snapshots.verify(0, None, None).unwrap();
        assert_eq!(left.iter().map(|each| each.journal_seq).collect::<Vec<_>>(), [5, 4]);
        assert!(left.iter().all(|each| each.manifest.is_ok()));
        assert_eq!(snapshots.oldest_kept(0).unwrap(), Some(4));
    });
}

#[test]
fn large_files_go_in_parts() {
    everywhere(|place| {
        let dir = place.path("checkpoint");
        fs::create_dir_all(dir.join("db")).unwrap();
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        fs::write(dir.join("FORMAT"), "of a test").unwrap();
        for (name, bytes) in [("db/000001.sst", 21 << 20), ("db/000002.sst", 8 << 20), ("db/000003.sst", 0)] {
            fs::write(dir.join(name), (0..bytes).map(|_| random()).collect::<Vec<u8>>()).unwrap();
        }
        let snapshots = open(&place.config());
        let sent = snapshots.upload(0, &CheckpointInfo::default(), &dir).unwrap();
        assert_eq!((sent.files_sent, sent.bytes_sent), (4, (29 << 20) + 9));
        let back = place.path("back");
        snapshots.restore(0, &back).unwrap().unwrap();
        let paths = |dir: &Path| files(dir).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
        assert!(paths(&back) == paths(&dir), "they are the same bytes");
    });
}

#[test]
fn a_place_that_cannot_be_used_is_named() {
    let place = Place::folder();
    let open = |config: SnapshotsConfig, cluster: &str| Snapshots::open(&config, cluster, 1).map(drop);
    let code = |result: Result<(), SnapshotError>| result.unwrap_err().code();
    fs::write(place.path("objects"), "in the way").unwrap();
    assert_eq!(code(open(place.config(), CLUSTER)), "HR0701");
    assert_eq!(code(open(SnapshotsConfig { url: String::new(), ..place.config() }, CLUSTER)), "HR0701");
    let missing = SnapshotsConfig {
        url: "s3://bucket".to_owned(),
        s3_access_key_file: place.path("missing"),
        s3_secret_key_file: place.path("missing"),
        ..place.config()
    };
    assert_eq!(code(open(missing, CLUSTER)), "HR0701");
    let good = Place::folder();
    for cluster in ["..", "a/b", ".hidden", ""] {
        assert_eq!(code(open(good.config(), cluster)), "HR0701", "{cluster}");
    }
    if let Some(bucket) = Place::bucket() {
        let other = SnapshotsConfig { url: "s3://elsewhere/x".to_owned(), ..bucket.config() };
        assert_eq!(Snapshots::open(&other, CLUSTER, 1).unwrap().shards().unwrap_err().code(), "HR0702");
    }
}
