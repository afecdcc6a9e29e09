//! What cannot be taken, through real topics: each row of the table in the design, with everything that came; and again
//! through the topics once the cause is gone (PROTOCOL P4, P5, P19, P20, P25).

use std::collections::BTreeMap;

use headroom_kafka_broker::{Broker, Options};
use headroom_node::kafka::Topic;
use headroom_node::{DataDir, shard_of};
use headroom_store::StoreOptions;
use headroom_wire::proto::{DeadLetter, Review};
use prost::Message as _;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::feed::{Feed, Raw};
use crate::node::{Node, killed_by};
use crate::view;
use crate::watch::Watch;

const SHARDS: u32 = 2;
/// Bytes of an original that a dead letter carries at most.
const ORIGINAL_MAX: usize = 64 << 10;
/// Starts after which what kills must be found: two deaths make a node careful, three condemn.
const STARTS_MAX: usize = 12;

fn event(account: &str, id: &str, at: &str, body: &str) -> String {
    format!(r#"{{"event_id":"{id}","source":"oms","account_id":"{account}","occurred_at":"{at}",{body}}}"#)
}

fn opened(account: &str) -> String {
    let body = r#""account":{"opened":{"segment":"SEGMENT_MERCHANT_KEY","tier":"TIER_GOLD","currency":"CNY","base":"1000000"}}"#;
    event(account, &format!("open-{account}"), "2025-11-01T01:00:00Z", body)
}

fn order(account: &str, id: &str, at: &str, money: &str) -> String {
    let body = format!(r#""order":{{"kind":"KIND_PLACED","order_id":"{id}","side":"SIDE_BUYER",{money}}}"#);
    event(account, id, at, &body)
}

/// A person sets the limit: a limit change.
fn override_to(account: &str, id: &str, base: u64) -> String {
    let body = format!(r#""account":{{"manual_override":{{"base":"{base}","by":"somebody"}}}}"#);
    event(account, id, NOON, &body)
}

const NOON: &str = "2025-11-20T12:00:00Z";
const YUAN: &str = r#""currency":"CNY","amount":"100","hold":"100""#;

fn letters(cluster: &Cluster<'_>) -> Vec<(Option<Vec<u8>>, DeadLetter)> {
    let read = |shard| view::committed(cluster, "dead-letters", shard);
    let letter = |(key, value): (Vec<u8>, Vec<u8>)| {
        (Some(key).filter(|key| !key.is_empty()), DeadLetter::decode(&value[..]).unwrap())
    };
    (0..cluster.partitions).flat_map(read).map(letter).collect()
}

fn list(cluster: &Cluster<'_>, words: &[&str]) -> Vec<Value> {
    let listed = cluster.headroom(&[&["dead-letters", "list", "--kafka", "--format", "json"], words].concat());
    serde_json::from_str::<Value>(&listed).unwrap()["dead_letters"].as_array().unwrap().clone()
}

/// What goes wrong, and the code that it must get.
fn rows(feed: &Feed<'_>) -> Vec<(&'static str, Raw)> {
    let good = |id: &str| feed.raw(&order("A", id, NOON, YUAN));
    let with = |id: &str, change: &dyn Fn(&mut Raw)| {
        let mut raw = good(id);
        change(&mut raw);
        raw
    };
    let header = |raw: &mut Raw, name: &str, value: &str| {
        raw.headers.retain(|(each, _)| each != name);
        raw.headers.push((name.to_owned(), value.as_bytes().to_vec()));
    };
    let home = shard_of("A", SHARDS);
    let repaid = feed.raw(&event(
        "A",
        "repaid",
        NOON,
        r#""repayment":{"currency":"CNY","payment_posted":{"payment_id":"p","amount":"1"}}"#,
    ));
    let huge = vec![0xff; 100_000];
    vec![
        ("UNPARSEABLE", with("bytes", &|raw| raw.value = Some(b"\xff\xff nonsense".to_vec()))),
        ("UNPARSEABLE", with("large", &|raw| raw.value = Some(huge.clone()))),
        ("NO_KEY", with("keyless", &|raw| raw.key = None)),
        ("NO_BODY", with("tombstone", &|raw| raw.value = None)),
        ("WRONG_PARTITION", with("strayed", &|raw| raw.partition = 1 - home)),
        ("WRONG_TOPIC", Raw { topic: Topic::Orders, ..repaid }),
        ("UNKNOWN_WORD", with("typed", &|raw| header(raw, "ce_type", "headroom.v1.Nothing"))),
        ("NO_TIME", with("timeless", &|raw| header(raw, "ce_time", "yesterday"))),
        ("WRONG_CURRENCY", feed.raw(&order("A", "euro", NOON, r#""currency":"EUR","amount":"100","hold":"100""#))),
        ("AMOUNT_OUT_OF_RANGE", feed.raw(&order("A", "less", NOON, r#""currency":"CNY","amount":"-5""#))),
        ("TIME_IN_FUTURE", {
            let mut raw = feed.raw(&order("A", "tomorrow", "2025-11-21T12:00:00Z", YUAN));
            raw.time = good("").time;
            raw
        }),
        ("TIME_IN_FUTURE", with("stamped", &|raw| raw.time += 100 * 365 * 86_400_000)),
        ("TOO_OLD_TO_DEDUP", {
            let mut raw = feed.raw(&order("A", "old", "2025-11-02T12:00:00Z", YUAN));
            raw.time = good("").time;
            raw
        }),
        ("ID_REUSED", feed.raw(&order("A", "first", NOON, r#""currency":"CNY","amount":"7","hold":"7""#))),
    ]
}

#[track_caller]
fn assert_carries(letter: &DeadLetter, raw: &Raw, code: &str, at: (&str, u64)) {
    assert_eq!(letter.code, code);
    assert_eq!((letter.input.as_str(), letter.partition, letter.offset), (at.0, raw.partition, at.1), "{code}");
    assert_eq!(letter.key, raw.key, "{code}");
    let value = raw.value.clone().unwrap_or_default();
    let kept = &value[..value.len().min(ORIGINAL_MAX)];
    assert_eq!(letter.original, kept, "{code}");
    let whole = value.len() == kept.len();
    let digest: String = Sha256::digest(&value).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(letter.original_sha256, if whole { String::new() } else { digest });
    let headers: BTreeMap<String, String> =
        raw.headers.iter().map(|(name, value)| (name.clone(), String::from_utf8(value.clone()).unwrap())).collect();
    assert_eq!(letter.headers.clone().into_iter().collect::<BTreeMap<_, _>>(), headers, "{code}");
    assert_eq!(letter.encoding, "protobuf");
}

#[test]
fn what_cannot_be_taken_becomes_a_dead_letter_with_everything_that_came() {
    // By default the broker itself refuses what lies ahead.
    let lenient = Options::default().with("log.message.timestamp.after.max.ms", &i64::MAX.to_string());
    let Some(broker) = Broker::for_test(lenient) else { return };
    let cluster = Cluster::create(&broker, SHARDS, &["kafka.wait_behind=1m"]);
    let (feed, watch, dir) = (Feed::connect(&cluster), Watch::start(&cluster), TempDir::new().unwrap());
    let mut sent = feed.event(&opened("A")) + feed.event(&order("A", "first", NOON, YUAN));
    let node = Node::start(&cluster, dir.path(), &[], None);
    let mut expected = BTreeMap::new();
    for (code, raw) in rows(&feed) {
        let offset = feed.send(&raw);
        sent += 1;
        // A good one behind each: the shard goes on.
        sent += feed.event(&order("A", &format!("behind-{sent}"), NOON, YUAN));
        watch.until_decided(sent, &[&node]);
        let name = cluster.topic(raw.topic.word());
        assert!(expected.insert((name, raw.partition, offset), (code, raw)).is_none());
    }
    // The same again: counted, and nothing else.
    sent += feed.event(&order("A", "first", NOON, YUAN));
    // Nobody opened it: booked without a rule, and a person looks a day later.
    sent += feed.event(&override_to("stranger", "s", 5));
    watch.until_decided(sent, &[&node]);
    let later = "2025-11-21T18:00:00Z";
    for account in ["A", "stranger"] {
        sent += feed.event(&order(account, "later", later, YUAN));
    }
    watch.until_decided(sent, &[&node]);
    let good = sent - expected.len() as u64;
    let found = letters(&cluster);
    assert_eq!(found.len(), expected.len(), "{:?}", found.iter().map(|(_, each)| &each.code).collect::<Vec<_>>());
    for (_, letter) in &found {
        let (code, raw) = &expected[&(letter.input.clone(), letter.partition, letter.offset)];
        assert_carries(letter, raw, code, (&letter.input, letter.offset));
    }
    let reviews = (0..SHARDS).flat_map(|shard| view::committed(&cluster, "reviews", shard));
    let mut reviews = reviews.map(|(_, value)| Review::decode(&value[..]).unwrap());
    assert!(reviews.any(|review| review.account_id == "stranger"), "an account that nobody opened is reviewed");
    println!("{} kinds of bad records, {good} good ones between them", expected.len());

    // By name an old event is taken, a strayed one goes home; what is still wrong is refused again.
    assert_eq!(list(&cluster, &[]).len(), expected.len());
    let replay = |code: &str| {
        let words = ["dead-letters", "replay", "--kafka", "--quiet", "--format", "json", "--code", code];
        cluster.try_headroom(&words)
    };
    for code in ["TOO_OLD_TO_DEDUP", "WRONG_PARTITION", "WRONG_CURRENCY"] {
        let (status, out, error) = replay(code);
        assert!(status && out.contains("\"sent\""), "{code}: {out}{error}");
        sent += 1;
    }
    watch.until_decided(sent, &[&node]);
    let after: Vec<String> = letters(&cluster).into_iter().map(|(_, each)| each.code).collect();
    assert_eq!(after.len(), expected.len() + 1, "{after:?}");
    assert_eq!(after.iter().filter(|code| *code == "WRONG_CURRENCY").count(), 2);
    // What is not whole cannot come again.
    let (status, out, _) = replay("UNPARSEABLE");
    assert!(!status && out.contains("not replayable"), "{out}");
    sent += 1;
    watch.until_decided(sent, &[&node]);
    node.stop();
    let data = DataDir::find(dir.path()).unwrap();
    let duplicates = (0..SHARDS).map(|shard| {
        let state = data.read(shard, &StoreOptions::default()).unwrap().state().unwrap();
        state.map_or(0, |state| state.totals.duplicates)
    });
    assert_eq!(duplicates.sum::<u64>(), 1);
    cluster.headroom(&["journal", "verify", "--kafka", "--quiet"]);
}

/// The one that panics or kills is set aside; once the cause is mended it comes through the topic again.
#[test]
fn an_event_that_panics_or_kills_is_set_aside_and_comes_again_after_the_fix() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let cluster = Cluster::create(&broker, SHARDS, &["kafka.wait_behind=1m"]);
    let (feed, watch, dir) = (Feed::connect(&cluster), Watch::start(&cluster), TempDir::new().unwrap());
    let mut sent: u64 = [
        opened("A"),
        opened("B"),
        order("A", "o1", NOON, YUAN),
        override_to("A", "panics", 2_000_000),
        order("A", "o2", NOON, YUAN),
        order("B", "o3", NOON, YUAN),
    ]
    .iter()
    .map(|each| feed.event(each))
    .sum();
    let start = |poison: Option<&str>| {
        let settings: Vec<&str> = cluster.settings.iter().map(String::as_str).collect();
        Node::launch(dir.path(), &settings, poison.map(|poison| ("HEADROOM_POISON", poison)))
    };
    let node = start(Some("event:panics"));
    watch.until_decided(sent, &[&node]);
    assert_eq!(node.serving().len(), SHARDS as usize);
    node.stop();
    let found = list(&cluster, &["--code", "POISONED"]);
    assert_eq!(found.len(), 1, "{found:?}");

    sent += feed.event(&override_to("B", "kills", 3_000_000)) + feed.event(&order("B", "o4", NOON, YUAN));
    let mut deaths = 0;
    let node = loop {
        let node = start(Some("event:kills=kill"));
        watch.until("it dies, or decides", &[&node], |watch| watch.decided() == sent || node.ended().is_some());
        let Some(status) = node.ended() else { break node };
        assert_eq!(killed_by(&status), Some(6), "{}", node.tail());
        deaths += 1;
        assert!(deaths < STARTS_MAX, "it kills again and again\n{}", node.tail());
    };
    println!("an event killed {deaths} times before it was set aside");
    assert!(deaths >= 3, "nobody is condemned for less");
    node.stop();
    assert_eq!(letters(&cluster).len(), 2);
    assert!(!changed_by(&cluster, "panics") && !changed_by(&cluster, "kills"));

    let node = start(None);
    cluster.headroom(&["dead-letters", "replay", "--kafka", "--quiet", "--code", "POISONED"]);
    watch.until_decided(sent + 2, &[&node]);
    node.stop();
    assert_eq!(letters(&cluster).len(), 2);
    assert!(changed_by(&cluster, "panics") && changed_by(&cluster, "kills"));
    view::ledger(&cluster);
    cluster.headroom(&["journal", "verify", "--kafka", "--quiet"]);
    // What a node on Kafka decided cannot be replayed into its folder.
    let dir = dir.path().to_str().unwrap();
    let (status, _, error) = embedded_replay(dir);
    assert!(!status && error.contains("HR0528"), "{error}");
}

fn embedded_replay(dir: &str) -> (bool, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_headroom"));
    let output = command.args(["dead-letters", "replay", "--all", "--data-dir", dir]).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

fn changed_by(cluster: &Cluster<'_>, event: &str) -> bool {
    let mut all = (0..SHARDS).flat_map(|shard| view::committed(cluster, "limit-changes", shard));
    all.any(|(_, value)| view::change(&value).trigger.is_some_and(|trigger| trigger.event_id == event))
}
