//! What is wrong with a data directory, a disk or a port is said with its code; nothing is lost, nothing made worse.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::events::{event, list_hit, opened, order};
use crate::server::{JSON, LINES, Server, headroom, refused, serve_command, until};

const SETTINGS: &[&str] = &["log.time=recorded"];

/// As settings of a test, with others.
fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SETTINGS.iter().chain(more).copied().collect()
}

fn accounts(server: &Server) -> u64 {
    let ready = server.get("/readyz");
    ready["shards"].as_array().unwrap().iter().map(|each| each["accounts"].as_u64().unwrap()).sum()
}

/// A directory with some accounts, stopped in peace or killed.
fn directory(in_peace: bool) -> TempDir {
    let dir = TempDir::new().unwrap();
    let server = Server::start(dir.path(), SETTINGS);
    for chunk in 0..5 {
        let ids: Vec<String> = (0..100).map(|number| format!("A{chunk}-{number}")).collect();
        server.take(&ids.iter().map(|each| opened(each)).collect::<Vec<_>>());
        server.take(&ids.iter().map(|each| list_hit(each)).collect::<Vec<_>>());
    }
    if in_peace {
        server.stop()
    } else {
        server.kill()
    }
    dir
}

#[test]
fn a_second_process_is_refused_and_the_first_goes_on() {
    let dir = TempDir::new().unwrap();
    let server = Server::start(dir.path(), SETTINGS);
    server.take(&[opened("A")]);
    refused(dir.path(), SETTINGS).assert_refused(3, "HR0301");
    server.take(&[opened("B")]);
    assert_eq!(accounts(&server), 2);
    server.stop();
}

#[test]
fn data_of_a_newer_version_is_left_alone() {
    let dir = directory(true);
    let format = dir.path().join("FORMAT");
    let text = fs::read_to_string(&format).unwrap();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let newer = text.replacen(&digits, &(digits.parse::<u32>().unwrap() + 1).to_string(), 1);
    fs::write(&format, &newer).unwrap();
    refused(dir.path(), SETTINGS).assert_refused(3, "HR0302");
    assert_eq!(fs::read_to_string(&format).unwrap(), newer);
    fs::write(&format, text).unwrap();
    let server = Server::start(dir.path(), SETTINGS);
    assert_eq!(accounts(&server), 500);
    server.stop();
}

#[test]
fn another_number_of_shards_is_refused() {
    for (made, wanted) in [("node.shards=1", "node.shards=2"), ("node.shards=3", "node.shards=1")] {
        let dir = TempDir::new().unwrap();
        Server::start(dir.path(), &with(&[made])).stop();
        // It is a matter of settings, not of the data.
        refused(dir.path(), &with(&[wanted])).assert_refused(1, "HR0511");
        Server::start(dir.path(), &with(&[made])).stop();
    }
}

#[test]
fn a_port_in_use_leaves_no_directory_behind() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    let address = taken.local_addr().unwrap().to_string();
    let mut command = headroom();
    command.args(["serve", "--listen", &address, "--data-dir"]).arg(&data);
    let Err(ended) = Server::try_run(&mut command) else { panic!("the port is taken") };
    ended.assert_refused(1, "HR0510");
    assert!(!data.exists());
}

/// Files of the store by the end of their names, the largest first.
fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(ending) || name.starts_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    found
}

fn flip(path: &Path, at: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(path).unwrap();
    let place = at(bytes.len());
    bytes[place] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

/// It does not start, says HR0303, and starts again once the file is what it was.
fn damaged(dir: &TempDir, path: &Path, what: &str, damage: impl Fn(&Path)) {
    let whole = fs::read(path).unwrap();
    damage(path);
    println!("{what}: {}", path.file_name().unwrap().display());
    refused(dir.path(), SETTINGS).assert_refused(3, "HR0303");
    fs::write(path, whole).unwrap();
    let server = Server::start(dir.path(), SETTINGS);
    assert_eq!(accounts(&server), 500, "{what}");
    server.stop();
}

#[test]
fn damaged_and_missing_tables_are_found_at_the_start() {
    let gone = |path: &Path| fs::remove_file(path).unwrap();
    let dir = directory(true);
    damaged(&dir, &files(dir.path(), ".sst")[0], "a table is gone", gone);
    let dir = directory(true);
    damaged(&dir, &files(dir.path(), ".sst")[0], "the end of a table is damaged", |path| flip(path, |len| len - 20));
    let dir = directory(true);
    damaged(&dir, &files(dir.path(), "MANIFEST")[0], "the manifest is damaged", |path| flip(path, |len| len / 2));
}

#[test]
fn a_log_that_is_gone_is_found_at_the_start() {
    let dir = directory(false);
    let logs = files(dir.path(), ".log");
    assert!(fs::metadata(&logs[0]).unwrap().len() > 0, "killed: what it had is in its log");
    damaged(&dir, &logs[0], "the log is gone", |path| fs::remove_file(path).unwrap());
}

/// Damage inside of tables is found when that part is read: wrong limits never come of it.
#[test]
fn a_flipped_byte_anywhere_in_tables_never_becomes_a_limit() {
    let (mut right, mut refusals) = (0, 0);
    for part in 1..8 {
        let dir = directory(true);
        for table in files(dir.path(), ".sst") {
            flip(&table, |len| len * part / 8);
        }
        match Server::try_run(&mut serve_command(&[], dir.path(), SETTINGS)) {
            Err(ended) => ended.assert_refused(3, "HR0303"),
            Ok(server) => {
                for (chunk, number) in (0..5).flat_map(|chunk| (0..100).map(move |number| (chunk, number))) {
                    let found = limit_or_refusal(&server, &format!("A{chunk}-{number}"));
                    right += u32::from(found);
                    refusals += u32::from(!found);
                }
                server.terminate();
                server.wait();
            }
        }
    }
    println!("accounts of damaged tables: {right} right, {refusals} refused with HR0303");
    assert!(right > 0 && refusals > 0, "{right} right, {refusals} refused");
}

/// True: the right limit; false: refused as damaged. There is nothing else.
fn limit_or_refusal(server: &Server, account: &str) -> bool {
    let (status, body) = server.try_get(&format!("/v1/accounts/{account}")).unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    if status == 200 {
        assert_eq!((&body["limits"]["effective"], &body["limits"]["base"]), (&0.into(), &1_000_000.into()));
    } else {
        assert_eq!((status, body["code"].as_str()), (503, Some("HR0303")), "{body}");
    }
    status == 200
}

/// A small disk of memory; `None` where the test may not make one.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn new() -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=48m", "none"]).arg(dir.path()).output().ok()?;
        mounted.status.success().then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Nobody can be told that it failed; the directory would stay.
        drop(Command::new("umount").arg(self.0.path()).status());
    }
}

/// Orders and long texts until the service refuses. How many orders were acknowledged, and the refusal.
fn fill(server: &Server) -> (u64, Value) {
    let note = "x".repeat(4_000);
    let mut taken = 0;
    loop {
        let events = (taken..taken + 25).flat_map(|number| {
            let body = format!(r#""account":{{"appeal_opened":{{"text":"{note}"}}}}"#);
            [order("A", &format!("o{number}")), event("C", &format!("p{number}"), "2025-11-02T01:00:00Z", &body)]
        });
        let body = events.collect::<Vec<_>>().join("\n");
        match server.try_post("wait=durable&verdicts=rejected", LINES, body.as_bytes()).unwrap() {
            (200, answer) => {
                assert_eq!((&answer["accepted"], &answer["rejected"]), (&50.into(), &0.into()), "{answer}");
                taken += 25;
            }
            (429, _) => {}
            (503, answer) => return (taken, answer),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_full_disk_seals_and_loses_nothing_that_was_acknowledged() {
    let Some(disk) = SmallDisk::new() else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "a small disk cannot be mounted");
        println!("SKIPPED: a small disk cannot be mounted here");
        return;
    };
    let ballast = disk.0.path().join("ballast");
    fs::write(&ballast, vec![1; 20 << 20]).unwrap();
    let data = disk.0.path().join("data");
    // Of the log alone: what is decided is small.
    let settings = with(&["store.write_buffer=4MiB", "store.write_buffers=8MiB", "telemetry.log=error"]);
    let server = Server::start(&data, &settings);
    server.take(&[opened("A"), opened("B"), opened("C"), list_hit("B")]);
    let (taken, refusal) = fill(&server);
    let code = refusal["code"].as_str().unwrap().to_owned();
    assert!(["HR0304", "HR0306"].contains(&code.as_str()), "{refusal}");
    let sealed = until("sealed", || {
        let (status, body) = server.try_get("/readyz").unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        (status == 503).then(|| body["shards"][0].clone())
    });
    assert_eq!(sealed["state"], "sealed");
    assert!(["HR0304", "HR0306"].contains(&sealed["code"].as_str().unwrap()), "{sealed}");
    // Nothing is decided on what could not be written: B is as frozen as before, or cannot be read.
    let (status, body) = server.try_get("/v1/accounts/B").unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(status == 503 || body["limits"]["effective"] == 0, "{status} {body}");
    println!("the disk was full after {} orders: {code}, sealed by {}", taken, sealed["code"]);
    server.terminate();
    server.wait();
    fs::remove_file(&ballast).unwrap();
    let server = Server::start(&data, &settings);
    let account = server.get("/v1/accounts/A");
    let used = account["limits"]["used"].as_u64().unwrap();
    // What was refused may have come into the log before the disk was full: at most the last request.
    let acknowledged = 100 * taken;
    assert!((acknowledged..=acknowledged + 2_500).contains(&used), "{used} of {acknowledged}");
    server.take(&[order("B", "later")]);
    server.stop();
}

#[test]
fn a_stop_under_load_loses_nothing_that_was_acknowledged() {
    let dir = TempDir::new().unwrap();
    let server = Server::start(dir.path(), &with(&["log.durability=process", "telemetry.log=error"]));
    let names: Vec<String> = (0..8).map(|number| format!("A{number}")).collect();
    server.take(&names.iter().map(|each| opened(each)).collect::<Vec<_>>());
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let clients: Vec<_> = names.iter().map(|name| scope.spawn(|| orders_until_stopped(&server, name))).collect();
        until("under way", || (server.get("/readyz")["shards"][0]["now"] != Value::Null).then_some(()));
        until("some are decided", || {
            (server.get("/v1/accounts/A0")["limits"]["used"].as_u64() > Some(500)).then_some(())
        });
        server.terminate();
        clients.into_iter().map(|each| each.join().unwrap()).collect()
    });
    let ended = server.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let server = Server::start(dir.path(), SETTINGS);
    for (name, count) in names.iter().zip(&counts) {
        let used = server.get(&format!("/v1/accounts/{name}"))["limits"]["used"].as_u64().unwrap();
        // An answer may have been cut off behind its sync.
        assert!(used == 100 * count || used == 100 * (count + 1), "{name}: {used} of {count}");
    }
    println!("stopped after {} orders", counts.iter().sum::<u64>());
    server.stop();
}

/// One order after the other; says how many were acknowledged.
fn orders_until_stopped(server: &Server, account: &str) -> u64 {
    let mut taken = 0;
    loop {
        let event = order(account, &format!("o-{account}-{taken}"));
        match server.try_post("wait=durable", JSON, event.as_bytes()) {
            Ok((200, _)) => taken += 1,
            Ok((429, _)) => {}
            Ok((503, answer)) => {
                assert_eq!(answer["code"], "HR0513", "{answer}");
                return taken;
            }
            Ok(other) => panic!("{other:?}"),
            Err(_) => return taken,
        }
    }
}
