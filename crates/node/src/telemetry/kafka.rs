//! Internal events of a node on Kafka.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use tracing::{debug, info, warn};

use super::metrics as m;

/// The group gave shards to this node.
pub fn shards_assigned(shards: &[u32]) {
    if !shards.is_empty() {
        info!(?shards, "shards assigned by the group");
    }
    gauge!(m::SHARDS_OWNED).increment(count(shards));
}

/// The group took shards away; `time` until they were let go of.
pub fn shards_revoked(shards: &[u32], lost: bool, time: Duration) {
    info!(?shards, lost, release_ms = millis(time), "shards revoked by the group");
    gauge!(m::SHARDS_OWNED).decrement(count(shards));
}

/// A writer that held a partition was fenced.
pub fn writer_fenced(shard: u32, transactional_id: &str, held: &str) {
    warn!(shard, transactional_id, held, "fencing the writer before: it holds a transaction open");
    counter!(m::FENCED).increment(1);
}

/// A shard with work has come no further for so long; `waits` says what for.
pub fn shard_stalled(shard: u32, time: Duration, waits: &str) {
    warn!(shard, stalled_ms = millis(time), waits, "a shard comes no further");
}

/// A shard's store was brought to the end of its journal: `free` until no transaction held it, `time` in all.
pub fn shard_brought_up(shard: u32, records: u64, free: Duration, time: Duration) {
    info!(shard, records, free_ms = millis(free), ms = millis(time), "the store follows its journal to the end");
    gauge!(m::REPLAYED, "shard" => shard.to_string()).set(records as f64);
}

/// A shard had no store here, or one that the journal no longer reaches back to: the newest snapshot took its place.
pub fn shard_restored(shard: u32, journal_seq: Option<u64>) {
    match journal_seq {
        Some(seq) => info!(shard, seq, "the newest snapshot was restored"),
        None => info!(shard, "there is no snapshot: the journal is followed from its beginning"),
    }
}

/// The standby applied journal records of a shard that another node serves.
pub fn standby_followed(shard: u32, records: u64) {
    debug!(shard, records, "standby");
    counter!(m::STANDBY, "shard" => shard.to_string()).increment(records);
}

/// Where a shard stands on an input: how far from the end, how far from what retention removes next.
pub fn input_distance(topic: &str, partition: u32, lag: u64, to_retention: u64) {
    debug!(topic, partition, lag, to_retention, "input position");
    let labels = [("topic", topic.to_owned()), ("partition", partition.to_string())];
    gauge!(m::INPUT_LAG, &labels).set(lag as f64);
    gauge!(m::INPUT_RETENTION, &labels).set(to_retention as f64);
}

/// A shard is ready, so long after the group gave it; its first round writes that it was taken over.
pub fn shard_taken_over(shard: u32, accounts: u64, time: Duration) {
    info!(shard, accounts, ms = millis(time), "shard taken over");
    counter!(m::TAKEOVERS).increment(1);
    histogram!(m::TAKEOVER_SECONDS).record(time);
    gauge!(m::ACCOUNTS, "shard" => shard.to_string()).set(accounts as f64);
}

/// The take-over record of a shard is committed: it is served from here on.
pub fn shard_served(shard: u32) {
    info!(shard, "shard served");
    gauge!(m::SEALED, "shard" => shard.to_string()).set(0);
}

/// A transaction was committed.
pub fn transaction_committed(lane: usize, records: u64, time: Duration) {
    debug!(lane, records, ms = millis(time), "transaction committed");
    outcome(lane, "committed");
    histogram!(m::TRANSACTION_SECONDS, "lane" => lane.to_string()).record(time);
}

/// A transaction was aborted; its records are stepped again.
pub fn transaction_aborted(lane: usize, error: &str) {
    debug!(lane, error, "transaction aborted");
    outcome(lane, "aborted");
}

/// A lane's producers are gone, or what became of a transaction is unknown.
pub fn producers_lost(lane: usize, error: &str) {
    debug!(lane, error, "producers lost");
    outcome(lane, "lost");
}

fn outcome(lane: usize, outcome: &'static str) {
    counter!(m::TRANSACTIONS, "lane" => lane.to_string(), "outcome" => outcome).increment(1);
}

/// From the arrival of the oldest of `records` records to the commit of their decisions.
pub fn event_to_change(time: Duration, records: u64) {
    histogram!(m::EVENT_TO_CHANGE).record_many(time, usize::try_from(records).unwrap_or(usize::MAX));
}

/// A shard's partitions did not take a write: it is left out for a while.
pub fn shard_held(shard: u32, pause: Duration) {
    warn!(shard, pause_ms = millis(pause), "a partition of this shard refuses writes: it is tried again by itself");
    counter!(m::HELD, "shard" => shard.to_string()).increment(1);
}

/// The machine's clock differs from the brokers' by more than clocks may (PROTOCOL P3); zero: no more.
pub fn broker_clock(difference: Duration) {
    if difference.is_zero() {
        info!("the machine's clock agrees with the brokers' again");
    } else {
        let ms = millis(difference);
        warn!(
            ms,
            "the machine's clock differs from the brokers': no timer fires until it agrees; check its time service"
        );
    }
    gauge!(m::BROKER_CLOCK).set(difference);
}

fn count(shards: &[u32]) -> f64 {
    f64::from(u32::try_from(shards.len()).unwrap_or(u32::MAX))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
