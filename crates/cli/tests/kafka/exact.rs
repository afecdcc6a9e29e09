//! What "exactly once" means, checked from outside: one set of topics against another that nothing happened to.

use std::collections::BTreeMap;
use std::path::Path;

use headroom_wire::Journal;

use crate::cluster::Cluster;
use crate::follower::Follower;
use crate::node::Node;
use crate::view;

/// Each account's sequence once and without a gap, and each input taken once and in order, by chained journals; gives
/// the number of changes and of journal records.
#[track_caller]
pub fn is_consistent(cluster: &Cluster<'_>) -> (u64, usize) {
    let ledger = view::ledger(cluster);
    let journals: Vec<Vec<Journal>> = (0..cluster.partitions).map(|shard| view::journal(cluster, shard)).collect();
    for (shard, journal) in journals.iter().enumerate() {
        let mut positions: BTreeMap<(&str, u32), u64> = BTreeMap::new();
        for input in journal.iter().flat_map(|record| &record.inputs) {
            let next = positions.entry((&input.input, input.partition)).or_insert(input.from);
            assert_eq!(*next, input.from, "shard {shard}, {} [{}]", input.input, input.partition);
            *next = input.to;
        }
    }
    (ledger.values().map(|(last, _)| last).sum(), journals.iter().map(Vec::len).sum())
}

/// Runs nodes over a data directory until everything that is there is decided, and no sweep is under way any more.
#[track_caller]
pub fn decide_all(follower: &Follower, dir: &Path, start: &dyn Fn(&Path) -> Node) {
    let ends = follower.ends();
    let mut sweeping = Vec::new();
    loop {
        let node = start(dir);
        let swept = |shard: &u32| node.metric("headroom_sweeps_total", &format!("shard=\"{shard}\"")) > 0.0;
        // Before it answers, a signal ends it without ceremony.
        node.until("answers", |node| node.get("/readyz").is_ok());
        node.until("has decided everything", |_| follower.has_reached(&ends) && sweeping.iter().all(swept));
        node.stop();
        // It may have been in the middle of one.
        sweeping = view::sweeping(dir);
        if sweeping.is_empty() {
            return;
        }
    }
}

/// The same outputs in the same order on every partition of every topic.
#[track_caller]
pub fn is_same(cluster: &Cluster<'_>, undisturbed: &Cluster<'_>) {
    assert_eq!(view::ledger(cluster), view::ledger(undisturbed));
    let (found, expected) = (view::outputs(cluster), view::outputs(undisturbed));
    assert_eq!(found.len(), expected.len());
    for ((at, found), expected) in found.iter().zip(expected.values()) {
        let differs = found.iter().zip(expected).position(|(one, other)| one != other);
        assert_eq!(differs, None, "{at:?}: the output at this place");
        assert_eq!(found.len(), expected.len(), "{at:?}");
    }
}

/// The same state in every shard.
#[track_caller]
pub fn is_same_state(dir: &Path, other: &Path) {
    assert_eq!(view::digests(dir), view::digests(other));
}
