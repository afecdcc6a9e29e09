//! The same input gives the same bytes: embedded and through topics, live and after hours of standing still.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use headroom_kafka_broker::{Broker, Options};
use headroom_node::DataDir;
use headroom_store::StoreOptions;
use headroom_wire::output_from_protobuf;
use headroom_wire::proto::output::Body;
use headroom_wire::proto::{LimitChange, Notice, Offer, Review, Trigger};
use prost::Message as _;
use tempfile::TempDir;

use crate::cluster::{Cluster, Season};
use crate::feed::{Feed, weight, weights};
use crate::node::Node;
use crate::view;
use crate::watch::Watch;

const SHARDS: u32 = 4;

/// The outputs of each account, by topic, in order.
type Decisions = BTreeMap<(String, &'static str), Vec<Vec<u8>>>;

/// Where a record stood is no decision.
fn without_position(trigger: &mut Option<Trigger>) {
    if let Some(trigger) = trigger {
        (trigger.input, trigger.partition, trigger.offset) = (String::new(), 0, 0);
    }
}

fn add(decisions: &mut Decisions, body: Body) {
    let (account, topic, bytes) = match body {
        Body::LimitChange(mut each) => {
            without_position(&mut each.trigger);
            (each.account_id.clone(), "limit-changes", each.encode_to_vec())
        }
        Body::Offer(mut each) => {
            without_position(&mut each.trigger);
            (each.account_id.clone(), "offers", each.encode_to_vec())
        }
        Body::Review(mut each) => {
            without_position(&mut each.trigger);
            (each.account_id.clone(), "reviews", each.encode_to_vec())
        }
        Body::Notice(each) => (each.account_id.clone(), "notices", each.encode_to_vec()),
        Body::DeadLetter(each) => (each.account_id, "dead-letters", each.code.into_bytes()),
    };
    decisions.entry((account, topic)).or_default().push(bytes);
}

fn embedded(dir: &Path) -> Decisions {
    let data = DataDir::find(dir).unwrap();
    let mut decisions = Decisions::new();
    for shard in 0..data.shards() {
        let reader = data.read(shard, &StoreOptions::default()).unwrap();
        for (_, bytes) in reader.outputs_from(0, usize::MAX).unwrap() {
            add(&mut decisions, output_from_protobuf(&bytes).unwrap().body.unwrap());
        }
    }
    decisions
}

fn in_topics(cluster: &Cluster<'_>) -> Decisions {
    let mut decisions = Decisions::new();
    for shard in 0..cluster.partitions {
        let mut read = |topic: &str, body: fn(&[u8]) -> Body| {
            view::committed(cluster, topic, shard).iter().for_each(|(_, value)| add(&mut decisions, body(value)));
        };
        read("limit-changes", |value| Body::LimitChange(LimitChange::decode(value).unwrap()));
        read("offers", |value| Body::Offer(Offer::decode(value).unwrap()));
        read("notices", |value| Body::Notice(Notice::decode(value).unwrap()));
        read("reviews", |value| Body::Review(Review::decode(value).unwrap()));
        read("dead-letters", |value| Body::DeadLetter(headroom_wire::proto::DeadLetter::decode(value).unwrap()));
    }
    decisions
}

/// The first difference is enough to read.
#[track_caller]
fn assert_same(one: &Decisions, other: &Decisions) {
    let texts = |of: &Decisions, key: &(String, &'static str)| {
        of.get(key).map(|outputs| outputs.iter().map(|each| show(key.1, each)).collect::<Vec<_>>())
    };
    for key in one.keys().chain(other.keys()) {
        let both = one.contains_key(key) && other.contains_key(key);
        assert!(both, "only one has outputs of {key:?}: {:?} {:?}", texts(one, key), texts(other, key));
    }
    for (key, outputs) in one {
        let others = &other[key];
        for (at, (output, other)) in outputs.iter().zip(others).enumerate() {
            assert!(output == other, "output {at} of {key:?}:\n{}\n{}", show(key.1, output), show(key.1, other));
        }
        assert_eq!(outputs.len(), others.len(), "{key:?}");
    }
}

fn show(topic: &str, bytes: &[u8]) -> String {
    match topic {
        "limit-changes" => format!("{:?}", LimitChange::decode(bytes).unwrap()),
        "notices" => format!("{:?}", Notice::decode(bytes).unwrap()),
        "reviews" => format!("{:?}", Review::decode(bytes).unwrap()),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn send_to_service(node: &Node, file: &Path) {
    node.until("listens", |node| node.url().is_some());
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroom"));
    // Over one connection the records come in the file's order.
    command
        .args(["send", "--quiet", "--wait", "decided", "--connections", "1", "--server", &node.url().unwrap()])
        .arg(file);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn embedded_and_kafka_decide_the_same_byte_for_byte() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let season = Season::generate(300, 40);
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let settings = ["node.shards=4", "log.time=recorded", "store.block_cache=16MiB"];
    let service = Node::launch(here.path(), &settings, None);
    send_to_service(&service, &season.file);
    service.stop();

    let cluster = Cluster::create(&broker, SHARDS, &["kafka.wait_behind=1m"]);
    cluster.send(&[&season.file]);
    let watch = Watch::start(&cluster);
    let node = Node::start(&cluster, there.path(), &[], None);
    watch.until_decided(weights(&season.file, SHARDS), &[&node]);
    node.stop();

    let (one, other) = (embedded(here.path()), in_topics(&cluster));
    let outputs: usize = one.values().map(Vec::len).sum();
    println!("{} events, {outputs} outputs of {} accounts and topics compared", season.events, one.len());
    assert!(outputs > 50, "a season decides something");
    assert_same(&one, &other);
    assert_eq!(view::digests(here.path()), view::digests(there.path()));
    let verified = cluster.headroom(&["journal", "verify", "--kafka", "--quiet", "--format", "json"]);
    let verified: serde_json::Value = serde_json::from_str(&verified).unwrap();
    let sum = |name: &str| verified["shards"].as_array().unwrap().iter().map(|each| each[name].as_u64().unwrap()).sum();
    let (told, compared): (u64, u64) = (sum("outputs"), sum("outputs_in_topics"));
    assert_eq!((told, compared), (outputs as u64, outputs as u64));
}

/// The six hours around the start of the promotion: who heard each record as it came, and who heard them all at once.
#[test]
fn who_was_down_for_six_hours_decides_what_the_others_decided() {
    const FROM: &str = "2025-11-10T09:00:00";
    const TO: &str = "2025-11-10T15:00:00";
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let season = Season::generate(200, 30);
    let text = std::fs::read_to_string(&season.file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let behind = |moment: &str| lines.partition_point(|line| time(line).as_str() < moment);
    let (from, to) = (behind(FROM), behind(TO));
    let part = |name: &str, lines: &[&str]| {
        let file = season.file.with_file_name(name);
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        file
    };
    let files = [part("1.ndjson", &lines[..from]), part("2.ndjson", &lines[from..to]), part("3.ndjson", &lines[to..])];
    let sums = files.each_ref().map(|file| weights(file, SHARDS));

    // Always there: each record comes when all before it are decided.
    let (awake, asleep) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = Cluster::create(&broker, SHARDS, &["kafka.wait_behind=1m"]);
    first.send(&[&files[0]]);
    let watch = Watch::start(&first);
    let node = Node::start(&first, awake.path(), &[], None);
    watch.until_decided(sums[0], &[&node]);
    let feed = Feed::connect(&first);
    let mut decided = sums[0];
    for line in &lines[from..to] {
        feed.event(line);
        decided += weight(line, SHARDS);
        watch.until_decided(decided, &[&node]);
    }
    node.stop();
    first.send(&[&files[2]]);
    let node = Node::start(&first, awake.path(), &[], None);
    watch.until_decided(sums.iter().sum(), &[&node]);
    node.stop();

    let second = Cluster::create(&broker, SHARDS, &["kafka.wait_behind=1m"]);
    second.send(&[&files[0]]);
    let watch = Watch::start(&second);
    let node = Node::start(&second, asleep.path(), &[], None);
    watch.until_decided(sums[0], &[&node]);
    node.stop();
    second.send(&[&files[1], &files[2]]);
    let node = Node::start(&second, asleep.path(), &[], None);
    watch.until_decided(sums.iter().sum(), &[&node]);
    node.stop();

    let (one, other) = (in_topics(&first), in_topics(&second));
    let outputs: usize = one.values().map(Vec::len).sum();
    println!("{} of {} events came in six hours; {outputs} outputs compared", to - from, lines.len());
    assert!(to - from > 50 && outputs > 20);
    assert_same(&one, &other);
    assert_eq!(view::digests(awake.path()), view::digests(asleep.path()));
}

/// The record's time as text: of events, it sorts as they do.
fn time(line: &str) -> String {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    let time = event.get("recorded_at").or_else(|| event.get("occurred_at")).unwrap();
    time.as_str().unwrap().to_owned()
}
