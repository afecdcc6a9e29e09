//! `headroom send` and what belongs to it against the real service: the same decisions as `headroom run`.

use std::path::Path;

use headroom_node::DataDir;
use headroom_store::StoreOptions;
use headroom_wire::output_from_json;
use headroom_wire::proto::output::Body;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::events::{event, opened};
use crate::server::{Server, checkout, done, headroom};

const SETTINGS: &[&str] = &["log.time=recorded", "log.durability=process", "telemetry.log=error"];

fn season(file: &Path) {
    done(
        headroom()
            .args(["generate", "--accounts", "300", "--days", "90", "--seed", "11", "--quiet", "--output"])
            .arg(file),
    );
}

/// What sending says of itself.
fn send(server: &Server, file: &Path, encoding: &str) -> Value {
    let mut command = headroom();
    // One connection: the order between accounts is the file's, so that the clock is too.
    command.args(["send", "--connections", "1", "--wait", "decided", "--quiet", "--format", "json"]);
    let told = done(command.args(["--encoding", encoding, "--server", &server.url()]).arg(file));
    serde_json::from_str(&told).unwrap()
}

fn digest(dir: &Path) -> String {
    let reader = DataDir::find(dir).unwrap().read(0, &StoreOptions::default()).unwrap();
    reader.digest().unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An output without where its record stood: a file has another name than the log.
fn placeless(output: headroom_wire::proto::Output) -> String {
    let mut output = output;
    let trigger = match output.body.as_mut() {
        Some(Body::LimitChange(each)) => each.trigger.as_mut(),
        Some(Body::Offer(each)) => each.trigger.as_mut(),
        Some(Body::Review(each)) => each.trigger.as_mut(),
        Some(Body::DeadLetter(each)) => {
            (each.offset, each.partition, each.input) = (0, 0, String::new());
            // Sending turns one encoding into the other.
            (each.original, each.encoding) = (Vec::new(), String::new());
            None
        }
        _ => None,
    };
    if let Some(trigger) = trigger {
        (trigger.offset, trigger.partition, trigger.input) = (0, 0, String::new());
    }
    let mut json = Vec::new();
    headroom_wire::output_to_json(&output, &mut json).unwrap();
    String::from_utf8(json).unwrap()
}

fn outputs(dir: &Path) -> Vec<String> {
    let reader = DataDir::find(dir).unwrap().read(0, &StoreOptions::default()).unwrap();
    let stored = reader.outputs_from(0, usize::MAX).unwrap();
    stored.iter().map(|(_, bytes)| placeless(headroom_wire::output_from_protobuf(bytes).unwrap())).collect()
}

fn verify(dir: &Path) {
    done(headroom().args(["journal", "verify", "--quiet", "--replay", "--data-dir"]).arg(dir));
}

#[test]
fn what_is_sent_is_decided_as_it_is_run() {
    let dir = TempDir::new().unwrap();
    let (file, ran, out) = (dir.path().join("season.ndjson"), dir.path().join("ran"), dir.path().join("out.ndjson"));
    season(&file);
    let mut run = headroom();
    run.args(["run", "--quiet", "--rules"]).arg(checkout("rules")).arg("--events").arg(&file);
    done(run.arg("--data-dir").arg(&ran).arg("--out").arg(&out));
    let text = std::fs::read_to_string(&out).unwrap();
    let expected: Vec<String> =
        text.lines().map(|line| placeless(output_from_json(line.as_bytes()).unwrap())).collect();
    assert!(expected.len() > 100, "{} outputs", expected.len());
    for encoding in ["ndjson", "protobuf"] {
        let data = dir.path().join(encoding);
        let server = Server::start(&data, SETTINGS);
        let told = send(&server, &file, encoding);
        assert_eq!((&told["accepted"], &told["rejected"]), (&told["records"], &json!({})));
        let first = server.all("/v1/limit-changes", 1_000);
        server.stop();
        assert_eq!(outputs(&data), expected, "{encoding}");
        assert_eq!(digest(&data), digest(&ran), "{encoding}");
        let server = Server::start(&data, SETTINGS);
        let again = send(&server, &file, encoding);
        assert_eq!(again["accepted"], told["accepted"], "taken, and found to be known");
        assert_eq!(server.all("/v1/limit-changes", 1_000), first, "{encoding}: the same again changes nothing");
        println!("{encoding}: {} records, {} limit changes, {} outputs", told["records"], first.len(), expected.len());
        server.stop();
        only_too_old(&outputs(&data)[expected.len()..]);
        verify(&data);
    }
}

/// The second sending may add letters about events that are too old by then to be told apart, and nothing else.
fn only_too_old(more: &[String]) {
    assert!(more.iter().all(|each| each.contains("TOO_OLD_TO_DEDUP")), "{:?}", more.first());
}

/// A fact that the built-in ruleset does not know.
fn unknown_fact() -> String {
    event("A", "score", "2025-11-02T01:00:00Z", r#""signal":{"name":"bureau.mood","int_value":"7"}"#)
}

/// The built-in ruleset with one fact more.
fn with_the_fact(to: &Path) {
    copy(&checkout("rules"), to);
    let fact = "- {name: bureau.mood, type: int, meaning: how a lender feels about it}\n";
    std::fs::write(to.join("facts.yaml"), fact).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn letters(server: &Server) -> Vec<Value> {
    let mut list = headroom();
    let listed = done(list.args(["dead-letters", "list", "--format", "json", "--server", &server.url()]));
    serde_json::from_str::<Value>(&listed).unwrap()["dead_letters"].as_array().unwrap().clone()
}

#[test]
fn a_dead_letter_is_taken_once_its_cause_is_mended() {
    let dir = TempDir::new().unwrap();
    let (data, rules) = (dir.path().join("data"), dir.path().join("rules"));
    let server = Server::start(&data, SETTINGS);
    server.take(&[opened("A"), unknown_fact()]);
    let found = letters(&server);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["account"], found[0]["original"].as_str()), (&"A".into(), Some(unknown_fact().as_str())));
    server.stop();
    with_the_fact(&rules);
    let setting = format!("rules.dir={}", rules.display());
    let server = Server::start(&data, &[SETTINGS, &[setting.as_str()]].concat());
    let mut replay = headroom();
    let told = done(replay.args(["dead-letters", "replay", "--all", "--format", "json", "--server", &server.url()]));
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["replayed"][0]["verdict"], "accepted", "{told}");
    server.take(&[opened("B")]);
    assert_eq!(letters(&server).len(), 1, "no new one");
    let account = server.get("/v1/accounts/A");
    assert!(account["facts"].to_string().contains("bureau.mood"), "{}", account["facts"]);
    server.stop();
    verify(&data);
}
