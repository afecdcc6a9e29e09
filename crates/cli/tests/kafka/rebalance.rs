//! Nodes that come and go under load: shards that stay do not wait for those that move (PROTOCOL P8, P11).

use std::time::{Duration, Instant};

use headroom_kafka_broker::{Broker, Options};
use tempfile::TempDir;

use crate::cluster::{Cluster, Season};
use crate::feed::weights;
use crate::node::Node;
use crate::view;
use crate::watch::{Commits, Watch};

const SHARDS: u32 = 6;

/// Pauses of one change in the group, the longest of each kind.
#[derive(Default)]
struct Pauses {
    moved: Vec<(u32, Duration)>,
    kept: Vec<(u32, Duration)>,
}

/// What a reader saw of a change that began at an instant: gaps between commits, of shards with one writer and with two.
fn pauses(watch: &Watch, since: Instant) -> Pauses {
    let mut pauses = Pauses::default();
    for (shard, commits) in watch.commits() {
        let first = commits.partition_point(|(at, _)| *at < since).saturating_sub(1);
        let commits: &Commits = &commits[first..].to_vec();
        let gaps = commits.windows(2).map(|pair| (pair[1].0 - pair[0].0, pair[0].1 != pair[1].1));
        let moved = gaps.clone().filter(|(_, moved)| *moved).map(|(gap, _)| gap).max();
        match moved {
            Some(gap) => pauses.moved.push((shard, gap)),
            None => pauses.kept.extend(gaps.map(|(gap, _)| gap).max().map(|gap| (shard, gap))),
        }
    }
    pauses
}

fn texts(pauses: &[(u32, Duration)]) -> String {
    let each = pauses.iter().map(|(shard, gap)| format!("{shard}: {} ms", gap.as_millis()));
    each.collect::<Vec<_>>().join(", ")
}

/// All shards are served, by just these nodes, and each of them has committed since.
fn settled(watch: &Watch, nodes: &[&Node]) {
    watch.until("the nodes share the shards", nodes, |_| {
        let serving: Vec<usize> = nodes.iter().map(|node| node.serving().len()).collect();
        serving.iter().sum::<usize>() == SHARDS as usize && serving.iter().all(|count| *count > 0)
    });
    let before = watch.commits();
    watch.until("each shard commits", nodes, |watch| {
        let now = watch.commits();
        (0..SHARDS).all(|shard| now.get(&shard).map(Vec::len) > before.get(&shard).map(Vec::len))
    });
}

#[test]
fn nodes_come_and_go_under_load_and_only_shards_that_move_pause() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let season = Season::generate(900, 60);
    // Small rounds make a load that lasts; what is behind must be waited for, or the order would depend on the pauses.
    let slow = ["kafka.round_records=4", "kafka.wait_behind=1m"];
    let cluster = Cluster::create(&broker, SHARDS, &slow);
    cluster.send(&[&season.file]);
    let total = weights(&season.file, SHARDS);
    let watch = Watch::start(&cluster);
    let dirs: [TempDir; 3] = std::array::from_fn(|_| TempDir::new().unwrap());
    let start = |number: usize| Node::start(&cluster, dirs[number].path(), &[], None);
    let first = start(0);
    settled(&watch, &[&first]);
    let tell = |what: &str, since: Instant| {
        let Pauses { moved, kept } = pauses(&watch, since);
        println!("{what}: moved {}; kept {}", texts(&moved), texts(&kept));
        assert!(watch.decided() < total, "the load ended too early to tell");
    };

    let since = Instant::now();
    let second = start(1);
    settled(&watch, &[&first, &second]);
    tell("a second node comes", since);

    let since = Instant::now();
    second.stop();
    settled(&watch, &[&first]);
    tell("it goes", since);

    let since = Instant::now();
    let second = start(1);
    settled(&watch, &[&first, &second]);
    tell("it comes back", since);

    let since = Instant::now();
    let third = start(2);
    settled(&watch, &[&first, &second, &third]);
    tell("a third node comes", since);

    let since = Instant::now();
    first.stop();
    settled(&watch, &[&second, &third]);
    tell("the first goes", since);

    second.stop();
    third.stop();
    let last = Node::start(&cluster, dirs[0].path(), &["kafka.round_records=5000"], None);
    watch.until_decided(total, &[&last]);
    last.stop();
    let moved = view::ledger(&cluster);
    let alone = undisturbed(&broker, &season);
    println!("{} events; {} accounts with changes, as without any of it", season.events, moved.len());
    assert!(moved.len() > 20);
    assert_eq!(moved, alone);
    cluster.headroom(&["journal", "verify", "--kafka", "--quiet"]);
}

fn undisturbed(broker: &Broker, season: &Season) -> std::collections::BTreeMap<String, (u64, String)> {
    let cluster = Cluster::create(broker, SHARDS, &["kafka.wait_behind=1m"]);
    cluster.send(&[&season.file]);
    let (watch, dir) = (Watch::start(&cluster), TempDir::new().unwrap());
    let node = Node::start(&cluster, dir.path(), &[], None);
    watch.until_decided(weights(&season.file, SHARDS), &[&node]);
    node.stop();
    view::ledger(&cluster)
}
