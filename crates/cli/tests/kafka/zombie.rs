//! Nodes that stop in the middle of a round, are taken for dead, and go on; transactions that time out; commits of which
//! nobody knows what became of them.

use std::path::{Path, PathBuf};

use headroom_kafka_broker::{Broker, Options};
use tempfile::TempDir;

use crate::cluster::{Cluster, Season};
use crate::exact;
use crate::follower::Follower;
use crate::node::{Node, killed_by};
use crate::view;

/// Every step of a round, and how often it is passed before the node stops there.
const STEPS: [(&str, u32); 12] = [
    ("kafka.round_stepped", 14),
    ("kafka.before_begin", 15),
    ("kafka.begun", 16),
    ("kafka.outputs_sent", 13),
    ("kafka.part_sent", 31),
    ("kafka.journal_sent", 15),
    ("kafka.acknowledged", 12),
    ("kafka.offsets_sent", 17),
    ("kafka.committed", 14),
    ("kafka.before_release", 11),
    ("kafka.released_to_store", 18),
    // Its first transaction of all: no journal names it yet.
    ("kafka.outputs_sent", 1),
];
const SHARDS: u32 = 4;
const SETTINGS: [&str; 4] =
    ["kafka.round_records=20", "kafka.wait_behind=1m", "kafka.session_timeout=1500ms", "kafka.heartbeat=300ms"];
/// A node's name, so that a start with another data directory need not wait for its session to end.
const ONE: &str = "node.instance=zombie";
/// Lines of the log that tell what happened to a node which was taken for dead.
const SAYINGS: [(&str, &str); 4] = [
    ("lost its producers", "fenced"),
    ("a transaction was aborted", "aborted"),
    ("lost=true", "shards lost"),
    ("producers cannot be opened yet", "no producers"),
];

/// One that lets sessions and transactions be short.
pub fn broker() -> Option<Broker> {
    let options = Options::default().with("group.min.session.timeout.ms", "1000");
    Broker::for_test(options.with("transaction.abort.timed.out.transaction.cleanup.interval.ms", "250"))
}

struct Pair<'a> {
    cluster: &'a Cluster<'a>,
    follower: &'a Follower,
    dirs: [TempDir; 2],
}

impl Pair<'_> {
    fn start(&self, which: usize, fail_at: Option<&str>) -> Node {
        let name = format!("node.instance={}", ["zombie", "other"][which]);
        Node::start(self.cluster, self.dirs[which].path(), &[&name], fail_at)
    }

    /// The first node stops at a step, the other decides on, then the first goes on. What the first said.
    fn stops(&self, number: usize, fail_at: &str, part: &Path) -> Vec<&'static str> {
        self.cluster.send(&[part]);
        let ends = self.follower.ends();
        // The other one runs already, or is started when the first is not seen any more.
        let early = (number % 2 == 1).then(|| self.start(1, None));
        let node = self.start(0, Some(fail_at));
        node.until("stops", Node::is_stopped);
        let before = self.follower.decided();
        let other = early.unwrap_or_else(|| self.start(1, None));
        other.until("serves all", |other| other.serving().len() == SHARDS as usize);
        if number % 4 < 2 {
            other.until("has decided all", |_| self.follower.has_reached(&ends));
        } else {
            other.until("decides on", |_| self.follower.decided() > before || self.follower.has_reached(&ends));
        }
        node.signal("CONT");
        let has_come_back = |node: &Node| node.serving().len() + other.serving().len() == SHARDS as usize;
        let said = || SAYINGS.iter().filter(|(line, _)| node.said(line)).map(|(_, short)| *short).collect::<Vec<_>>();
        node.until("tells, and is back", |node| {
            !said().is_empty() && has_come_back(node) && !node.serving().is_empty()
        });
        node.until("has decided all with the other", |_| self.follower.has_reached(&ends));
        let said = said();
        // In peace and not, in turn.
        let end = if number.is_multiple_of(2) { Node::kill } else { Node::stop };
        end(&node);
        end(&other);
        said
    }
}

#[test]
fn a_node_that_was_taken_for_dead_does_no_harm() {
    let Some(broker) = broker() else { return };
    let season = Season::generate(1_000, 40);
    let parts = season.split(STEPS.len() + 1);
    let cluster = Cluster::create(&broker, SHARDS, &SETTINGS);
    let follower = Follower::start(&cluster);
    let pair =
        Pair { cluster: &cluster, follower: &follower, dirs: [TempDir::new().unwrap(), TempDir::new().unwrap()] };
    for (number, ((step, count), part)) in STEPS.iter().zip(&parts).enumerate() {
        let said = pair.stops(number, &format!("{step}:{count}=stop"), part);
        println!("{step}: {}", said.join(", "));
    }
    // Refused for its generation, it dies before it has taken the transaction back.
    cluster.send(&[&parts[STEPS.len()]]);
    let node = pair.start(0, Some("kafka.before_begin:9=stop,kafka.before_abort=kill"));
    node.until("stops", Node::is_stopped);
    let other = pair.start(1, None);
    other.until("serves all", |other| other.serving().len() == SHARDS as usize);
    node.signal("CONT");
    assert_eq!(killed_by(&node.wait()), Some(9), "{}", node.tail());
    decided(&other, &follower);
    other.stop();
    let node = pair.start(0, None);
    node.until("serves all", |node| node.serving().len() == SHARDS as usize);
    node.stop();
    let dirs: Vec<&Path> = pair.dirs.iter().map(TempDir::path).collect();
    is_as_undisturbed(&cluster, &parts, &dirs);
}

/// The broker takes back what the node did not finish in time.
#[test]
fn a_transaction_that_times_out_is_decided_again() {
    let Some(broker) = broker() else { return };
    let season = Season::generate(300, 30);
    let settings = ["kafka.round_records=20", "kafka.wait_behind=1m", "kafka.transaction_timeout=1s", ONE];
    let cluster = Cluster::create(&broker, 2, &settings);
    let (follower, dir) = (Follower::start(&cluster), TempDir::new().unwrap());
    cluster.send(&[&season.file]);
    let node = Node::start(&cluster, dir.path(), &[], Some("kafka.acknowledged:12=stop"));
    node.until("stops", Node::is_stopped);
    assert!((0..2).any(|shard| follower.is_held("journal", shard)));
    node.until("sees its transaction taken back", |_| !(0..2).any(|shard| follower.is_held("journal", shard)));
    node.signal("CONT");
    decided(&node, &follower);
    assert!(node.said("lost its producers") || node.said("a transaction was aborted"), "{}", node.tail());
    node.stop();
    is_as_undisturbed(&cluster, std::slice::from_ref(&season.file), &[dir.path()]);
}

/// The broker says nothing for longer than a commit may take: whether it was one is found in the journal.
#[test]
fn a_commit_without_an_answer_is_looked_up() {
    let Some(broker) = broker() else { return };
    let season = Season::generate(300, 30);
    // The commit is given up before the session is: a shard that is lost would not wait for its answer.
    let settings = ["kafka.round_records=20", "kafka.wait_behind=1m", "kafka.session_timeout=1m", ONE];
    let cluster = Cluster::create(&broker, 2, &settings);
    let (follower, dir) = (Follower::start(&cluster), TempDir::new().unwrap());
    cluster.send(&[&season.file]);
    let node = Node::start(&cluster, dir.path(), &[], Some("kafka.offsets_sent:12=stop"));
    node.until("stops", Node::is_stopped);
    broker.pause().unwrap();
    node.signal("CONT");
    node.until("gives the commit up", |node| node.said("lost its producers"));
    broker.resume().unwrap();
    decided(&node, &follower);
    node.stop();
    is_as_undisturbed(&cluster, std::slice::from_ref(&season.file), &[dir.path()]);
}

fn decided(node: &Node, follower: &Follower) {
    let ends = follower.ends();
    node.until("has decided everything", |_| follower.has_reached(&ends));
}

/// Outputs and states are those of a node to which nothing happened.
pub fn is_as_undisturbed(cluster: &Cluster<'_>, parts: &[PathBuf], dirs: &[&Path]) {
    let undisturbed = Cluster::create(cluster.broker, cluster.partitions, &["kafka.wait_behind=1m"]);
    undisturbed.send(&parts.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    let calm = TempDir::new().unwrap();
    exact::decide_all(&Follower::start(&undisturbed), calm.path(), &|dir| Node::start(&undisturbed, dir, &[], None));
    exact::decide_all(&Follower::start(cluster), dirs[0], &|dir| Node::start(cluster, dir, &[ONE], None));
    exact::is_consistent(cluster);
    exact::is_same(cluster, &undisturbed);
    let expected = view::digests(calm.path());
    let fresh = TempDir::new().unwrap();
    let node = Node::start(cluster, fresh.path(), &[ONE], None);
    node.until("serves all", |node| node.serving().len() == cluster.partitions as usize);
    node.stop();
    assert_eq!(view::digests(fresh.path()), expected, "from the journal alone");
    for dir in dirs {
        // What others decided last is not in its store yet.
        let node = Node::start(cluster, dir, &[ONE], None);
        node.until("serves all", |node| node.serving().len() == cluster.partitions as usize);
        node.stop();
        assert_eq!(view::digests(dir), expected);
    }
}
