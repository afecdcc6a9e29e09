//! The examples as their users would run them: a Python producer, two nodes, a Python ledger that tells what it has.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use headroom_kafka_broker::{Broker, Options};
use serde_json::Value;
use tempfile::TempDir;

use crate::cluster::{Cluster, Season};
use crate::node::Node;
use crate::view;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// The interpreter that `examples/setup.sh` makes; `None` where that is impossible, which is an error with `CI=true`.
fn python() -> Option<String> {
    let made = Command::new(examples().join("setup.sh")).output().unwrap();
    if made.status.success() {
        return Some(String::from_utf8(made.stdout).unwrap().trim_end().to_owned());
    }
    let why = String::from_utf8_lossy(&made.stderr);
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "no python for the examples:\n{why}");
    println!("skipped: no python for the examples:\n{why}");
    None
}

/// Runs an example on a cluster.
#[track_caller]
fn run(python: &str, cluster: &Cluster<'_>, script: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(python);
    command.arg(examples().join(script)).args(["--brokers", &cluster.broker.bootstrap()]);
    let done = command.args(["--topic-prefix", &cluster.prefix]).args(arguments).output().unwrap();
    assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    done
}

/// What the nodes have decided, together.
fn decided(nodes: &[Node; 2]) -> f64 {
    nodes.iter().map(|node| node.metric("headroom_decided_records_total", "")).sum()
}

#[test]
fn a_python_producer_and_a_python_ledger_work_with_two_nodes() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let Some(python) = python() else { return };
    let season = Season::generate(200, 40);
    let cluster = Cluster::create(&broker, 4, &[]);
    // All of it lies there when the nodes come: weeks that go by in a second would be out of order while they are sent.
    run(&python, &cluster, "producer/producer.py", &[season.file.to_str().unwrap()]);
    let dir = TempDir::new().unwrap();
    let nodes = ["a", "b"].map(|name| Node::start(&cluster, &dir.path().join(name), &[], None));
    nodes[0].until("shares the shards with the other", |node| {
        let (ours, theirs) = (node.serving().len(), nodes[1].serving().len());
        ours > 0 && theirs > 0 && ours + theirs == 4
    });
    nodes[0].until("decides everything, with the other", |_| decided(&nodes) >= season.events as f64);

    let database = dir.path().join("ledger.sqlite");
    let of_ledger = ["--database", database.to_str().unwrap()];
    let until_idle = [&of_ledger[..], &["--until-idle", "2", "--snapshot-every", "1"]].concat();
    let before = decided(&nodes);
    let told = run(&python, &cluster, "ledger/ledger.py", &until_idle);
    let told = String::from_utf8(told.stderr).unwrap();
    let snapshots: f64 = told.trim_end().rsplit(", ").next().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(snapshots > 0.0, "{told}");
    nodes[0].until("takes the snapshots, with the other", |_| decided(&nodes) >= before + snapshots);
    // Decisions about snapshots may change limits, which a ledger hears too.
    run(
        &python,
        &cluster,
        "ledger/ledger.py",
        &[&of_ledger[..], &["--until-idle", "2", "--snapshot-every", "0"]].concat(),
    );
    for node in &nodes {
        assert_eq!(node.metric("headroom_dead_letters_total", ""), 0.0, "{}", node.tail());
        node.stop();
    }

    let dump = run(&python, &cluster, "ledger/ledger.py", &[&of_ledger[..], &["--dump"]].concat());
    let sequences = dumped(&String::from_utf8(dump.stdout).unwrap());
    let ledger = view::ledger(&cluster);
    let ours: Vec<(String, u64)> = ledger.into_iter().map(|(account, (last, _))| (account, last)).collect();
    println!("{} events, {} accounts with changes; {}", season.events, ours.len(), told.trim_end());
    assert!(ours.len() > 10);
    assert_eq!(sequences, ours);
}

/// Accounts with changes, and the last sequence of each.
fn dumped(lines: &str) -> Vec<(String, u64)> {
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        (row["account"].as_str().unwrap().to_owned(), row["sequence"].as_u64().unwrap())
    };
    lines.lines().map(row).filter(|(_, sequence)| *sequence > 0).collect()
}
