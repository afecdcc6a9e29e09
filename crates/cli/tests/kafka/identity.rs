//! Two processes with one identity: one of them stops and says so, the other goes on.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::cluster::{Cluster, Season};
use crate::follower::Follower;
use crate::node::Node;
use crate::zombie::{broker, is_as_undisturbed};

const SETTINGS: [&str; 4] =
    ["kafka.round_records=20", "kafka.wait_behind=1m", "kafka.session_timeout=2s", "kafka.heartbeat=500ms"];

/// Exactly one has ended by itself, with its code; gives which.
#[track_caller]
fn one_stops(nodes: [&Node; 2]) -> usize {
    let ended = |node: &&Node| node.ended().is_some();
    nodes[0].wait_until("or its twin ends", || nodes.iter().any(ended));
    let gone = nodes.iter().position(ended).unwrap();
    let (stopped, other) = (nodes[gone], nodes[1 - gone]);
    assert!(!stopped.wait().success() && stopped.said("HR0657"), "{}", stopped.tail());
    other.until("serves alone", |other| other.serving().len() == 2);
    gone
}

fn decided(node: &Node, follower: &Follower) {
    let ends = follower.ends();
    node.until("has decided everything", |_| follower.has_reached(&ends));
}

/// The same name set for two data directories.
#[test]
fn of_two_processes_with_one_name_one_stops() {
    let Some(broker) = broker() else { return };
    let season = Season::generate(500, 40);
    let cluster = Cluster::create(&broker, 2, &SETTINGS);
    let (follower, dirs) = (Follower::start(&cluster), [TempDir::new().unwrap(), TempDir::new().unwrap()]);
    cluster.send(&[&season.file]);
    let start = |dir: &TempDir, fail_at| Node::start(&cluster, dir.path(), &["node.instance=twin"], fail_at);
    let one = start(&dirs[0], None);
    one.until("decides", |_| follower.decided() > 0);
    let other = start(&dirs[1], None);
    let gone = one_stops([&one, &other]);
    println!("one name: the {} stops", ["earlier", "later"][gone]);
    let left = if gone == 0 { &other } else { &one };
    decided(left, &follower);
    left.stop();
    is_as_undisturbed(&cluster, std::slice::from_ref(&season.file), &[dirs[0].path(), dirs[1].path()]);
}

/// A data directory and its copy; the first is stopped in the middle of a transaction while the other starts.
#[test]
fn of_a_data_directory_and_its_copy_one_stops() {
    let Some(broker) = broker() else { return };
    let season = Season::generate(500, 40);
    let parts = season.split(2);
    let cluster = Cluster::create(&broker, 2, &SETTINGS);
    let (follower, dirs) = (Follower::start(&cluster), [TempDir::new().unwrap(), TempDir::new().unwrap()]);
    cluster.send(&[&parts[0]]);
    let first = Node::start(&cluster, dirs[0].path(), &[], None);
    decided(&first, &follower);
    first.stop();
    copy(dirs[0].path(), dirs[1].path());
    cluster.send(&[&parts[1]]);
    let one = Node::start(&cluster, dirs[0].path(), &[], Some("kafka.acknowledged:12=stop"));
    one.until("stops", Node::is_stopped);
    let other = Node::start(&cluster, dirs[1].path(), &[], None);
    other.until("serves", |other| other.serving().len() == 2);
    one.signal("CONT");
    let gone = one_stops([&one, &other]);
    assert_eq!(gone, 0, "the one that started first stops");
    decided(&other, &follower);
    other.stop();
    is_as_undisturbed(&cluster, &parts, &[dirs[0].path(), dirs[1].path()]);
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(status.success());
}
