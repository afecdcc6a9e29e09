//! A node that dies again and again, at every named place of a round and at any moment: nothing is lost, nothing comes
//! twice, and every account is what it would have been.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use headroom_kafka_broker::{Broker, Options};
use tempfile::TempDir;

use crate::cluster::{Cluster, Season};
use crate::exact;
use crate::follower::Follower;
use crate::node::{Node, killed_by};

/// Where it dies, and how often the place may be passed before.
const PLACES: [(&str, u64); 27] = [
    ("kafka.before_producers", 2),
    ("kafka.round_stepped", 40),
    ("kafka.before_begin", 40),
    ("kafka.begun", 40),
    ("kafka.outputs_sent", 40),
    ("kafka.part_sent", 100),
    ("kafka.journal_sent", 40),
    ("kafka.acknowledged", 40),
    ("kafka.offsets_sent", 40),
    ("kafka.committed", 40),
    ("kafka.before_release", 40),
    ("kafka.released_to_store", 40),
    ("stage.done", 100),
    ("release.before", 100),
    ("commit.begin", 100),
    ("commit.batch_built", 100),
    ("commit.before_write", 100),
    ("commit.after_write", 100),
    ("commit.before_done", 100),
    ("commit.after_done", 100),
    ("apply.before_write", 4),
    ("apply.after_write", 4),
    ("attempt.before_write", 4),
    ("attempt.after_write", 4),
    ("open.database_opened", 4),
    ("lane.stepped", 100),
    ("lane.handed_over", 100),
];
const LIVES: usize = 64;
/// Later parts of the season flow in while the node runs: what arrives when is then part of the input, and no second
/// run is the same.
const FLOWING: usize = 4;
const SHARDS: u32 = 4;
/// Small rounds, so that there are many; partitions that are behind are waited for, so that two runs merge alike.
const SETTINGS: [&str; 5] = [
    "kafka.round_records=100",
    "kafka.wait_behind=1m",
    "node.shards=4",
    "node.lanes=2",
    "kafka.transaction_timeout=5s",
];

#[derive(Default)]
struct Deaths {
    by_place: BTreeMap<String, u32>,
    /// From start to first new decision seen committed.
    restarts: Vec<Duration>,
    emptied: u32,
}

#[test]
fn a_node_that_dies_everywhere_decides_everything_once() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let season = Season::generate(5_000, 60);
    assert!(season.events >= 300_000);
    let mut parts = season.split(LIVES + FLOWING);
    let flowing = parts.split_off(LIVES);
    let settings: Vec<&str> = SETTINGS.iter().copied().chain(["node.instance=mortal"]).collect();
    let cluster = Cluster::create(&broker, SHARDS, &settings);
    let dir = TempDir::new().unwrap();
    let follower = Follower::start(&cluster);
    let mut deaths = Deaths::default();
    for (life, part) in parts.iter().enumerate() {
        deaths.live(&cluster, dir.path(), &follower, life, part);
    }
    exact::decide_all(&follower, dir.path(), &|dir| Node::start(&cluster, dir, &[], None));
    deaths.print(&follower);
    assert!(deaths.by_place.values().sum::<u32>() >= 60);

    let undisturbed = Cluster::create(&broker, SHARDS, &SETTINGS);
    let calm = TempDir::new().unwrap();
    undisturbed.send(&parts.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    let start = |dir: &Path| Node::start(&undisturbed, dir, &["kafka.round_records=1000"], None);
    exact::decide_all(&Follower::start(&undisturbed), calm.path(), &start);
    let (changes, records) = exact::is_consistent(&cluster);
    exact::is_same(&cluster, &undisturbed);
    exact::is_same_state(dir.path(), calm.path());
    println!("{changes} changes and {records} journal records, as without deaths");
    recovers_from_the_journal(&cluster, dir.path());

    let killed = flow(&cluster, dir.path(), &follower, &flowing);
    exact::is_consistent(&cluster);
    println!("{killed} more deaths while events flowed in");
    recovers_from_the_journal(&cluster, dir.path());
}

impl Deaths {
    /// One life: it dies at its place, at any moment, or, if it lives that long, when nothing is left to decide.
    fn live(&mut self, cluster: &Cluster<'_>, dir: &Path, follower: &Follower, life: usize, part: &Path) {
        cluster.send(&[part]);
        let ends = follower.ends();
        // Places in turn, with other counts each time; every tenth life ends at a random moment.
        let (place, most) = PLACES[life % PLACES.len()];
        let dice = scramble(life as u64);
        let at_random = life % 10 == 9;
        let fail_at = format!("{place}:{}", 1 + dice % most);
        let node = Node::start(cluster, dir, &[], (!at_random).then_some(&*fail_at));
        let moment = node.started + Duration::from_millis(50 + dice % 1_500);
        let mut how = place;
        node.wait_until("dies or has decided all", || {
            if at_random && Instant::now() >= moment {
                how = "at a random moment";
                return true;
            }
            if follower.has_reached(&ends) {
                how = "all decided";
                return true;
            }
            node.ended().is_some()
        });
        node.kill();
        let status = node.wait();
        assert_eq!(killed_by(&status), Some(9), "{}", node.tail());
        *self.by_place.entry(how.to_owned()).or_default() += 1;
        let first = follower.first_after(node.started);
        self.restarts.extend(first.map(|first| first - node.started));
        if life % 12 == 11 {
            fs::remove_dir_all(dir).unwrap();
            self.emptied += 1;
        }
    }

    fn print(&mut self, follower: &Follower) {
        println!(
            "{} records of keyed inputs decided over {} deaths:",
            follower.decided(),
            self.by_place.values().sum::<u32>()
        );
        for (place, deaths) in &self.by_place {
            println!("  {deaths:3} {place}");
        }
        println!("  {} of them followed by a start over an empty directory", self.emptied);
        self.restarts.sort();
        let (count, all) = (self.restarts.len(), &self.restarts);
        println!(
            "start to first new commit, {count} times: min {:?}, median {:?}, max {:?}",
            all[0],
            all[count / 2],
            all[count - 1]
        );
    }
}

/// Events arrive all the time; the node is killed at random moments.
fn flow(cluster: &Cluster<'_>, dir: &Path, follower: &Follower, parts: &[PathBuf]) -> u32 {
    let mut killed = 0;
    thread::scope(|scope| {
        let sending = scope.spawn(|| parts.iter().for_each(|part| cluster.send(&[part])));
        while !sending.is_finished() {
            let node = Node::start(cluster, dir, &[], None);
            let moment = Duration::from_millis(300 + scramble(u64::from(killed)) % 1_200);
            node.wait_until("has lived long enough", || node.started.elapsed() >= moment);
            node.kill();
            killed += 1;
        }
    });
    exact::decide_all(follower, dir, &|dir| Node::start(cluster, dir, &[], None));
    killed
}

/// A node without any data gets the same state from the journal alone.
fn recovers_from_the_journal(cluster: &Cluster<'_>, dir: &Path) {
    let fresh = TempDir::new().unwrap();
    let node = Node::start(cluster, fresh.path(), &[], None);
    node.until_serving(SHARDS as usize);
    println!("recovered from the journal alone in {:?}", node.started.elapsed());
    node.stop();
    exact::is_same_state(dir, fresh.path());
}

fn decided(node: &Node, follower: &Follower) {
    let ends = follower.ends();
    node.until("has decided everything", |_| follower.has_reached(&ends));
}

/// Always the same, and all over the place.
pub fn scramble(number: u64) -> u64 {
    number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33
}

/// Printed, not checked: a machine that does other things as well says nothing.
#[test]
#[ignore = "a measurement of some minutes: cargo test --release -p headroom --test kafka -- --ignored --nocapture million"]
fn restart_with_a_million_accounts() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let season = Season::generate(1_000_000, 1);
    let parts = season.split(40);
    let (first, later) = parts.split_at(30);
    let cluster = Cluster::create(&broker, SHARDS, &["node.instance=large", "store.write_buffers=256MiB"]);
    let (dir, follower) = (TempDir::new().unwrap(), Follower::start(&cluster));
    cluster.send(&first.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    let mut node = Node::start(&cluster, dir.path(), &[], None);
    decided(&node, &follower);
    println!("{} accounts, {:?}", node.metric("headroom_accounts", ""), node.started.elapsed());
    for part in later {
        node.kill();
        cluster.send(&[part]);
        node = Node::start(&cluster, dir.path(), &[], None);
        node.until("decides", |node| follower.first_after(node.started).is_some());
        let took = follower.first_after(node.started).unwrap() - node.started;
        println!(
            "start to first new commit: {took:?}; {} journal records applied",
            node.metric("headroom_journal_replay_records", "")
        );
        decided(&node, &follower);
    }
    println!("{}", node.tail());
}
