//! `snapshot`: taken, listed, verified, restored, also by processes that die on the way.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use headroom_node::DataDir;
use headroom_store::StoreOptions;
use serde_json::Value;

use crate::command::{Ran, checkout, headroom};

/// A data directory with decisions in it, and a place for snapshots beside it.
struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { dir: tempfile::tempdir().unwrap() };
        for season in ["1", "2"] {
            let file = scene.text(&format!("{season}.pb"));
            let made = headroom(["generate", "--accounts", "30", "--days", "40", "--seed", season, "--output", &file]);
            assert_eq!(made.code, 0, "{}", made.stderr);
        }
        scene
    }

    /// Runs a season; the digest of the state then.
    fn run(&self, season: u32) -> Value {
        let (season, data, out) = (self.text(&format!("{season}.pb")), self.text("data"), self.text("out.ndjson"));
        let rules = checkout("rules").display().to_string();
        let mut words = vec!["run", "--rules", &rules, "--events", &season, "--data-dir", &data, "--out", &out];
        words.extend(["--format", "json"]);
        let ran = headroom(words);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.json()["state_digest"].clone()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn words(&self, what: &str, more: &[&str]) -> Vec<String> {
        let url = format!("file://{}", self.text("copies"));
        ["snapshot", what, "--url", &url, "--format", "json"]
            .iter()
            .chain(more)
            .map(|word| (*word).to_owned())
            .collect()
    }

    fn snapshot(&self, what: &str, more: &[&str]) -> Ran {
        headroom(self.words(what, more))
    }

    fn create(&self) -> Ran {
        self.snapshot("create", &["--data-dir", &self.text("data")])
    }

    fn restore(&self, into: &str) -> Ran {
        self.snapshot("restore", &["--data-dir", &self.text(into)])
    }

    /// The process passes a named place and is gone.
    fn dies(&self, at: &str, what: &str, data: &str) {
        let words = self.words(what, &["--data-dir", &self.text(data)]);
        let output =
            Command::new(env!("CARGO_BIN_EXE_headroom")).args(words).env("HEADROOM_FAIL_AT", at).output().unwrap();
        assert_eq!(output.status.signal(), Some(9), "{at}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// State digests of all snapshots, newest first.
    fn digests(&self) -> Vec<Value> {
        let json = self.snapshot("verify", &["--deep"]).json();
        let rows = json["snapshots"].as_array().unwrap();
        rows.iter().map(|row| row["state_digest"].clone()).collect()
    }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into()).collect();
    names.sort();
    names
}

#[test]
fn a_data_directory_comes_back_as_it_was() {
    let scene = Scene::new();
    let state = scene.run(1);
    let first = scene.create().json();
    let again = scene.create().json();
    assert_eq!(again["shards"][0]["bytes_sent"], 0);
    assert_eq!(again["shards"][0]["bytes_kept"], first["shards"][0]["bytes_sent"]);
    assert_eq!(scene.digests(), std::slice::from_ref(&state));
    let list = scene.snapshot("list", &[]).json();
    assert_eq!(list["snapshots"][0]["journal_seq"], first["shards"][0]["journal_seq"]);
    fs::remove_dir_all(scene.path("data")).unwrap();
    let restored = scene.restore("data").json();
    assert_eq!(restored["shards"][0]["journal_seq"], first["shards"][0]["journal_seq"]);
    let verify = headroom(["journal", "verify", "--data-dir", &scene.text("data")]);
    assert_eq!(verify.code, 0, "{}", verify.stderr);
    assert_eq!(scene.run(1), state, "everything was decided already");
    scene.restore("data").refused(1, &["error[HR0706]", "holds something"]);
}

#[test]
fn a_death_on_the_way_costs_nothing() {
    let scene = Scene::new();
    let early = scene.run(1);
    scene.dies("snapshot.manifest_written", "create", "data");
    let late = scene.run(2);
    assert_ne!(early, late);
    scene.dies("snapshot.files_sent", "create", "data");
    assert_eq!(scene.digests(), std::slice::from_ref(&early), "without a manifest it is no snapshot");
    let finished = scene.create().json();
    // An open writes RocksDB's own list of files anew; everything else is there.
    let sent = finished["shards"][0]["bytes_sent"].as_u64().unwrap();
    assert!(sent < 10_000 && finished["shards"][0]["bytes_kept"].as_u64().unwrap() > 5 * sent, "{finished}");
    assert_eq!(scene.digests(), [late.clone(), early]);
    scene.dies("snapshot.fetched", "restore", "back");
    assert!(!scene.path("back").join("FORMAT").exists());
    assert_eq!(scene.restore("back").code, 0);
    scene.dies("snapshot.in_place", "restore", "other");
    assert_eq!(names(scene.dir.path()).iter().filter(|name| name.ends_with(".restoring")).count(), 0);
    for name in ["data", "back", "other"] {
        let dumped = headroom(
            ["snapshot", "create", "--url", &format!("file://{}", scene.text(&format!("c-{name}")))]
                .into_iter()
                .chain(["--data-dir", &scene.text(name)]),
        );
        assert_eq!(dumped.code, 0, "{name}: {}", dumped.stderr);
        assert_eq!(names(&scene.path(name)), names(&scene.path("back")));
    }
}

#[test]
fn shards_come_back_together_or_one_by_one() {
    let scene = Scene { dir: tempfile::tempdir().unwrap() };
    let made = DataDir::find_or_create(&scene.path("data"), 3).unwrap();
    let options = StoreOptions::default();
    for shard in 0..3 {
        let mut store = made.open(shard, &options).unwrap();
        let rules = [("ruleset.yaml".to_owned(), format!("of shard {shard}"))];
        store.put_ruleset(&format!("hash {shard}"), &rules, None).unwrap();
    }
    assert_eq!(scene.create().json()["shards"].as_array().unwrap().len(), 3);
    let back = scene.text("back");
    let one = scene.snapshot("restore", &["--data-dir", &back, "--shard", "1"]).json();
    assert_eq!(one["shards"].as_array().unwrap().len(), 1);
    scene.restore("back").refused(1, &["error[HR0706]", "shard-001"]);
    assert_eq!(scene.restore("all").code, 0);
    let hash = |dir: &str, shard| DataDir::find(&scene.path(dir)).unwrap().read(shard, &options)?.ruleset_hash();
    assert_eq!(hash("back", 1).unwrap().as_deref(), Some("hash 1"));
    assert!([0, 1, 2].into_iter().all(|shard| hash("all", shard).unwrap().unwrap() == format!("hash {shard}")));
}

#[test]
fn what_is_wrong_is_named() {
    let scene = Scene::new();
    scene.snapshot("list", &[]).refused(1, &["error[HR0703]"]);
    scene.restore("back").refused(1, &["error[HR0703]"]);
    let nowhere = headroom(["snapshot", "list"]);
    nowhere.refused(1, &["error[HR0701]"]);
    headroom(["snapshot", "list", "--url", "ftp://x"]).refused(1, &["error[HR0502]", "s3://bucket/prefix"]);
    scene.create().refused(3, &["error[HR0305]"]);
    scene.run(1);
    scene.create();
    let files = scene.path("copies/embedded/shard-0000/files");
    let largest = names(&files).into_iter().max_by_key(|name| fs::metadata(files.join(name)).unwrap().len()).unwrap();
    let mut bytes = fs::read(files.join(&largest)).unwrap();
    bytes[100] ^= 1;
    fs::write(files.join(&largest), bytes).unwrap();
    let verify = scene.snapshot("verify", &[]);
    verify.refused(1, &["error[HR0704]", "1 of 1 snapshots"]);
    assert_eq!(verify.json()["snapshots"][0]["whole"], false);
    scene.restore("back").refused(1, &["error[HR0704]", "is not what was sent"]);
    scene
        .snapshot("restore", &["--data-dir", &scene.text("back"), "--shard", "3"])
        .refused(1, &["error[HR0703]", "shard 3"]);
}
