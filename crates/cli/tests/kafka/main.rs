//! Nodes on a real broker: exactly once, through crashes, zombies, rebalances and a broker that goes away.
//! Needs Kafka's jars (`scripts/kafka-jars.sh`); with `CI=true` a missing broker is a failure.

mod agree;
mod bad_input;
mod cluster;
mod crash;
mod exact;
mod examples;
mod faults;
mod feed;
mod follower;
mod identity;
mod node;
mod rebalance;
mod snapshots;
mod view;
mod watch;
mod zombie;

use headroom_kafka_broker::{Broker, Options};
use tempfile::TempDir;

use cluster::{Cluster, Season};
use follower::Follower;
use node::Node;

#[test]
fn a_season_through_topics_is_decided() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let season = Season::generate(200, 30);
    // A loaded machine fetches late; what is decided without it is marked, and another order.
    let cluster = Cluster::create(&broker, 4, &["kafka.wait_behind=1m"]);
    cluster.send(&[&season.file]);
    let dir = TempDir::new().unwrap();
    exact::decide_all(&Follower::start(&cluster), dir.path(), &|dir| Node::start(&cluster, dir, &[], None));
    let ledger = view::ledger(&cluster);
    println!(
        "{} events, {} accounts with changes, {} journal records of shard 0",
        season.events,
        ledger.len(),
        view::journal(&cluster, 0).len()
    );
    assert!(ledger.len() > 10);
}
