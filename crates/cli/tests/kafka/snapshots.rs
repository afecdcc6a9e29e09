//! Snapshots of a node's shards: sent in the background, the journal trimmed below them, restored on another node.

use headroom_kafka_broker::{Broker, Options};
use tempfile::TempDir;

use crate::cluster::{Cluster, Season};
use crate::node::Node;
use crate::view;

/// Two snapshots of every shard are taken while a season comes in two parts; then a node that has nothing takes over
/// from snapshot and journal alone, and goes on where the trimmed journal no longer reaches back to anybody.
#[test]
fn a_node_without_anything_takes_over_from_a_snapshot_and_a_trimmed_journal() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let place = TempDir::new().unwrap();
    let url = format!("snapshots.url=file://{}", place.path().display());
    let settings = [url.as_str(), "snapshots.every=10s", "snapshots.keep=1", "kafka.round_records=200"];
    let cluster = Cluster::create(&broker, 2, &settings);
    let season = Season::generate(300, 20);
    let parts = season.split(2);
    let dir = TempDir::new().unwrap();
    let node = Node::start(&cluster, dir.path(), &[], None);
    node.until_serving(2);
    for (number, part) in parts.iter().enumerate() {
        cluster.send(&[part]);
        let wanted = season.events * (number as u64 + 1) / 2;
        node.until("decides what came", |node| node.metric("headroom_decided_records_total", "") >= wanted as f64);
        let before = node.metric("headroom_snapshots_total", "");
        node.until("takes snapshots of both", |node| node.metric("headroom_snapshots_total", "") >= before + 2.0);
    }
    node.until("trims both journals", |node| {
        (0..2).all(|shard| {
            node.metric("headroom_trimmed_entries_total", &format!("shard=\"{shard}\",table=\"kafka_journal\"")) > 0.0
        })
    });
    let sent = |kind: &str| node.metric("headroom_snapshot_bytes_total", &format!("kind=\"{kind}\""));
    println!("snapshots: {} bytes sent, {} bytes found there already", sent("sent"), sent("kept"));
    node.stop();
    let digests = view::digests(dir.path());
    let listed = cluster.headroom(&["snapshot", "verify", "--format", "json"]);
    assert!(listed.contains("\"journal_seq\""), "{listed}");

    let other = TempDir::new().unwrap();
    let node = Node::start(&cluster, other.path(), &["snapshots.every=1d"], None);
    node.until_serving(2);
    assert!(node.said("the newest snapshot was restored"), "{}", node.tail());
    node.stop();
    assert_eq!(view::digests(other.path()), digests);

    let alone = TempDir::new().unwrap();
    let without = ["snapshots.url="];
    let node = Node::start(&cluster, alone.path(), &without, None);
    let status = node.wait();
    assert!(!status.success() && node.said("HR0615"), "{}", node.tail());
}

/// Two nodes follow each other's shards; when one dies the other has little left to apply.
#[test]
fn a_standby_has_little_left_to_apply() {
    let Some(broker) = Broker::for_test(Options::default().with("group.min.session.timeout.ms", "1000")) else {
        return;
    };
    let settings = ["kafka.standby=true", "kafka.session_timeout=2s", "kafka.round_records=50"];
    let cluster = Cluster::create(&broker, 4, &settings);
    let season = Season::generate(300, 20);
    let dirs = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let [one, other] = dirs.each_ref().map(|dir| Node::start(&cluster, dir.path(), &[], None));
    for node in [&one, &other] {
        node.until("has its half", |node| node.serving().len() == 2);
    }
    cluster.send(&[&season.file]);
    let decided = |node: &Node| node.metric("headroom_decided_records_total", "");
    one.until("decides everything with the other", |one| decided(one) + decided(&other) >= season.events as f64);
    let rounds = view::journal(&cluster, one.serving()[0]).len() as f64;
    other.until("follows", |other| other.metric("headroom_standby_records_total", "") >= rounds);
    one.kill();
    other.until_serving(4);
    let applied = other.metric("headroom_journal_replay_records", "");
    println!("a journal of {rounds} records was followed; the take-over applied {applied}");
    assert!(applied < rounds, "{applied} of {rounds}");
    other.stop();
    let fresh = TempDir::new().unwrap();
    let node = Node::start(&cluster, fresh.path(), &[], None);
    node.until_serving(4);
    node.stop();
    assert_eq!(view::digests(fresh.path()), view::digests(dirs[1].path()));
}
