//! The commands for topics, against a real broker.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use headroom_kafka_broker::{Broker, Options};
use serde_json::Value;

const ORDER: &str = r#"{"event_id":"e2","account_id":"M1","occurred_at":"2025-11-10T20:06:00Z","order":{"kind":"KIND_PLACED","order_id":"o","currency":"CNY","amount":"5"}}"#;
const OPENED: &str = r#"{"event_id":"e1","account_id":"M1","occurred_at":"2025-11-10T20:05:00Z","account":{"opened":{"segment":"SEGMENT_MERCHANT_KEY","currency":"CNY","base":"1000"}}}"#;
const BODILESS: &str = r#"{"event_id":"e3","account_id":"M1","occurred_at":"2025-11-10T20:07:00Z"}"#;

fn headroom(config: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    command.args(words).args(["--format", "json", "--quiet", "--config"]).arg(config).output().unwrap()
}

#[track_caller]
fn told(config: &Path, words: &[&str], exit: i32) -> Value {
    let output = headroom(config, words);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
}

#[test]
fn topics_are_planned_made_checked_and_filled() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("headroom.toml");
    let brokers = broker.bootstrap();
    fs::write(&config, format!("[kafka]\nbrokers = \"{brokers}\"\nprofile = \"development\"\npartitions = 2\n"))
        .unwrap();

    let plan = told(&config, &["topics", "plan"], 0);
    assert_eq!(plan["topics"].as_array().unwrap().len(), 12);
    let missing = told(&config, &["topics", "check"], 1);
    assert_eq!((&missing["good"], &missing["problems"][0]["code"]), (&false.into(), &"HR0605".into()));
    let nowhere = headroom(&config, &["send", "--kafka", config.to_str().unwrap()]);
    assert_eq!(nowhere.status.code(), Some(2), "a TOML file is no event file");

    let made = told(&config, &["topics", "create"], 0);
    assert_eq!((&made["shards"], &made["genesis_written"]), (&2.into(), &2.into()));
    assert_eq!(told(&config, &["topics", "create"], 0)["genesis_written"], 0);
    assert_eq!(told(&config, &["topics", "check"], 0)["ruleset_hash"], made["ruleset_hash"]);

    let (first, second) = (dir.path().join("a.ndjson"), dir.path().join("b.ndjson"));
    fs::write(&first, format!("{ORDER}\n{BODILESS}\n")).unwrap();
    fs::write(&second, format!("{OPENED}\nnonsense\n")).unwrap();
    let files = [first.to_str().unwrap(), second.to_str().unwrap()];
    let sent = told(&config, &["send", "--kafka", files[0], files[1]], 1);
    assert_eq!((&sent["records"], &sent["delivered"]), (&4.into(), &2.into()));
    assert_eq!((&sent["not_sent"]["UNPARSEABLE"], &sent["not_sent"]["NO_BODY"]), (&1.into(), &1.into()));

    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules");
    let published = told(&config, &["rules", "publish", rules], 0);
    assert_eq!(published["published_to"], "headroom.control.v1");
}

#[test]
fn without_brokers_the_way_out_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("headroom.toml");
    fs::write(&config, "").unwrap();
    for words in [&["topics", "check"][..], &["topics", "create"]] {
        let output = headroom(&config, words);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.starts_with("error[HR0603]: `kafka.brokers` is empty"), "{stderr}");
        assert_eq!(output.status.code(), Some(1));
    }
}
