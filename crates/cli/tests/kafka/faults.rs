//! Brokers and topics that fail: the result is exact, or a shard is sealed with a code while the others go on (PROTOCOL
//! P9, P17, P18, P25).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use headroom_kafka_broker::{Broker, Options};
use headroom_node::kafka::Topic;
use tempfile::TempDir;

use crate::cluster::{Cluster, Season};
use crate::feed::{Feed, by_shard, weights};
use crate::node::Node;
use crate::view;
use crate::watch::Watch;

const SHARDS: u32 = 4;
/// Small rounds make a load that lasts; what is behind is waited for, however long a broker is away.
const SLOW: &[&str] = &["kafka.round_records=8", "kafka.wait_behind=1m"];
const AWAY: Duration = Duration::from_secs(20);

type Ledger = BTreeMap<String, (u64, String)>;

fn undisturbed(broker: &Broker, season: &Season) -> Ledger {
    let cluster = Cluster::create(broker, SHARDS, &["kafka.wait_behind=1m"]);
    cluster.send(&[&season.file]);
    let (watch, dir) = (Watch::start(&cluster), TempDir::new().unwrap());
    let node = Node::start(&cluster, dir.path(), &[], None);
    watch.until_decided(weights(&season.file, SHARDS), &[&node]);
    node.stop();
    view::ledger(&cluster)
}

/// The codes of sealed shards.
fn codes(node: &Node) -> BTreeMap<u32, String> {
    node.shards().into_iter().filter_map(|each| Some((each.shard, each.code?))).collect()
}

#[test]
fn a_broker_that_stops_for_a_while_or_is_killed_loses_nothing() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let season = Season::generate(300, 40);
    let expected = undisturbed(&broker, &season);
    let cluster = Cluster::create(&broker, SHARDS, SLOW);
    cluster.send(&[&season.file]);
    let total = weights(&season.file, SHARDS);
    let (watch, dir) = (Watch::start(&cluster), TempDir::new().unwrap());
    let node = Node::start(&cluster, dir.path(), &[], None);
    watch.until_decided(total / 10, &[&node]);

    broker.stop().unwrap();
    let away = Instant::now();
    node.until("is not ready without a broker, for as long as there is none", |node| {
        assert!(node.ended().is_none(), "{}", node.tail());
        away.elapsed() >= AWAY
    });
    let before = watch.decided();
    broker.restart().unwrap();
    let back = Instant::now();
    watch.until("it goes on", &[&node], |watch| watch.decided() > before);
    println!("stopped for 20 s: the first commit came {} ms after the broker served", back.elapsed().as_millis());
    watch.until_decided(total / 3, &[&node]);
    assert!(watch.decided() < total, "the load ended too early to tell");

    broker.kill();
    let before = watch.decided();
    broker.restart().unwrap();
    let back = Instant::now();
    watch.until("it goes on", &[&node], |watch| watch.decided() > before);
    println!("killed: the first commit came {} ms after the broker served", back.elapsed().as_millis());
    watch.until_decided(total, &[&node]);
    node.stop();
    assert_eq!(view::ledger(&cluster), expected);
    for shard in 0..SHARDS {
        view::journal(&cluster, shard);
    }
    cluster.headroom(&["journal", "verify", "--kafka", "--quiet"]);
}

/// Moves partitions while no broker runs: one to the second disk, all others to the first.
fn put_aside(first: &Path, second: &Path, alone: &str) {
    for (from, to, is_meant) in [(first, second, true), (second, first, false)] {
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let is_partition = name.rsplit_once('-').is_some_and(|(_, number)| number.parse::<u32>().is_ok());
            if is_partition && (name == alone) == is_meant {
                fs::rename(from.join(&name), to.join(&name)).unwrap();
            }
        }
    }
}

/// A disk does not come back with its broker: one journal partition takes nothing.
#[test]
fn a_journal_partition_without_a_disk_holds_up_its_own_shard_only() {
    const ILL: u32 = 1;
    let disks = TempDir::new().unwrap();
    let (first, second) = (disks.path().join("first"), disks.path().join("second"));
    let both = format!("{},{}", first.display(), second.display());
    let Some(broker) = Broker::for_test(Options::default().with("log.dirs", &both)) else { return };
    let season = Season::generate(300, 40);
    let expected = undisturbed(&broker, &season);
    let cluster = Cluster::create(&broker, SHARDS, SLOW);
    cluster.send(&[&season.file]);
    broker.stop().unwrap();
    put_aside(&first, &second, &format!("{}-{ILL}", cluster.topic("journal")));
    broker.restart().unwrap();
    let counts = by_shard(&season.file, SHARDS);
    let total: u64 = counts.iter().sum();
    let (watch, dir) = (Watch::start(&cluster), TempDir::new().unwrap());
    let node = Node::start(&cluster, dir.path(), &[], None);
    watch.until_decided(total / 10, &[&node]);

    broker.stop().unwrap();
    let away = second.with_extension("away");
    fs::rename(&second, &away).unwrap();
    fs::write(&second, "no folder").unwrap();
    broker.restart().unwrap();
    let back = Instant::now();
    let others = (0..SHARDS).filter(|shard| *shard != ILL);
    watch.until("the other shards decide everything", &[&node], |watch| {
        assert!(node.ended().is_none(), "{}", node.tail());
        others.clone().all(|shard| watch.decided_in(shard) == counts[shard as usize])
    });
    println!("without the disk the other shards were through after {} ms", back.elapsed().as_millis());
    assert!(watch.decided_in(ILL) < counts[ILL as usize], "the load ended too early to tell");
    assert_eq!(codes(&node), BTreeMap::new(), "nothing is sealed: the disk may come back");

    broker.stop().unwrap();
    fs::remove_file(&second).unwrap();
    fs::rename(&away, &second).unwrap();
    broker.restart().unwrap();
    watch.until_decided(total, &[&node]);
    node.stop();
    assert_eq!(view::ledger(&cluster), expected);
    cluster.headroom(&["journal", "verify", "--kafka", "--quiet"]);
}

/// It ends by itself, and says so; gives the line.
fn ends_with(node: &Node, words: &str) -> String {
    assert!(!node.wait().success(), "{}", node.tail());
    // The last of what it said may still be on its way.
    let until = Instant::now() + AWAY;
    loop {
        let line = node.log.lock().unwrap().iter().find(|line| line.contains(words)).cloned();
        if let Some(line) = line {
            return line;
        }
        assert!(Instant::now() < until, "it never said `{words}`\n{}", node.tail());
        thread::sleep(Duration::from_millis(5));
    }
}

/// What an administrator can do to topics: every shard that it concerns says so by a code, and decides nothing any more.
#[test]
fn topics_that_are_changed_under_a_node_stop_its_shards_with_codes() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let season = Season::generate(100, 20);
    let begin = |dir: &TempDir, slow: &[&str]| {
        let cluster = Cluster::create(&broker, SHARDS, slow);
        cluster.send(&[&season.file]);
        let watch = Watch::start(&cluster);
        let node = Node::start(&cluster, dir.path(), &[], None);
        (cluster, watch, node)
    };
    let sealed = |node: &Node, code: &str| {
        node.until("seals every shard", |node| codes(node).len() == SHARDS as usize);
        assert!(codes(node).values().all(|each| each == code), "{:?}", codes(node));
        let decided = node.metric("headroom_decided_records_total", "");
        assert_eq!(node.serving(), Vec::<u32>::new());
        decided
    };
    let total = weights(&season.file, SHARDS);

    let dir = TempDir::new().unwrap();
    let (cluster, watch, node) = begin(&dir, &[]);
    watch.until_decided(total, &[&node]);
    Feed::connect(&cluster).add_partitions(Topic::Orders, 5);
    let since = Instant::now();
    let decided = sealed(&node, "HR0604");
    println!("more partitions: sealed after {} ms", since.elapsed().as_millis());
    let feed = Feed::connect(&cluster);
    feed.event(fs::read_to_string(&season.file).unwrap().lines().last().unwrap());
    node.stop();
    assert_eq!(watch.decided(), total, "nothing is decided behind it");
    assert!(decided <= total as f64);
    let node = Node::start(&cluster, dir.path(), &[], None);
    ends_with(&node, "HR0604");

    let dir = TempDir::new().unwrap();
    let (cluster, watch, node) = begin(&dir, &[]);
    watch.until_decided(total, &[&node]);
    let known = view::ledger(&cluster);
    Feed::connect(&cluster).delete(Topic::Journal);
    sealed(&node, "HR0605");
    node.stop();
    // It comes again, with a genesis; it is not the one that the folder knows.
    let again = cluster.try_headroom(&["topics", "create"]);
    let node = Node::start(&cluster, dir.path(), &[], None);
    let code = ends_with(&node, "error[HR06");
    println!("a journal made anew is not taken for the old one: {code} ({})", again.0);
    assert_eq!(view::ledger(&cluster), known);
}

/// Records that are gone before they were read: the one shard says so, the others go on.
#[test]
fn what_is_deleted_too_early_seals_the_shard_that_needs_it() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let season = Season::generate(200, 20);
    let parts = season.split(2);
    let cluster = Cluster::create(&broker, SHARDS, &["kafka.wait_behind=1m"]);
    let (feed, watch, dir) = (Feed::connect(&cluster), Watch::start(&cluster), TempDir::new().unwrap());
    cluster.send(&[&parts[0]]);
    let first = by_shard(&parts[0], SHARDS);
    let node = Node::start(&cluster, dir.path(), &[], None);
    watch.until_decided(first.iter().sum(), &[&node]);
    node.stop();
    let digests = view::digests(dir.path());

    // Orders beyond retention.
    cluster.send(&[&parts[1]]);
    let (_, end) = feed.ends(Topic::Orders, 1);
    feed.delete_below(Topic::Orders, 1, end - 1);
    let both: Vec<u64> = first.iter().zip(by_shard(&parts[1], SHARDS)).map(|(one, other)| one + other).collect();
    let node = Node::start(&cluster, dir.path(), &[], None);
    watch.until("the others decide everything", &[&node], |watch| {
        [0, 2, 3].into_iter().all(|shard| watch.decided_in(shard) == both[shard as usize])
    });
    node.until("seals the shard", |node| codes(node).contains_key(&1));
    assert_eq!(codes(&node), BTreeMap::from([(1, "HR0656".to_owned())]));
    assert_eq!(watch.decided_in(1), first[1], "nothing is decided over the gap");
    node.stop();
    assert_eq!(view::digests(dir.path())[1], digests[1]);

    // The journal under a store that is at its end: nothing is missing.
    let (_, end) = feed.ends(Topic::Journal, 2);
    feed.delete_below(Topic::Journal, 2, end);
    let node = Node::start(&cluster, dir.path(), &[], None);
    node.until("serves the others", |node| node.serving() == [0, 2, 3]);
    node.stop();
    // Without the store it is.
    fs::remove_dir_all(dir.path().join("shard-002")).unwrap();
    let node = Node::start(&cluster, dir.path(), &[], None);
    node.until("seals it", |node| codes(node).contains_key(&2));
    println!("journal expired: {:?}", codes(&node));
    assert!(["HR0653", "HR0654", "HR0655"].contains(&codes(&node)[&2].as_str()), "{:?}", codes(&node));
    node.until("serves the others", |node| node.serving() == [0, 3]);
    node.stop();
    view::ledger(&cluster);
}
