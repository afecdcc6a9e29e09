//! Internal events: one function each, which makes the log line and the metrics. Called per batch, never per record,
//! and never with an account's id. Log lines say what, where, with which code, and what to do.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use tracing::{debug, error, info, warn};

use super::metrics as m;
use crate::snapshot::Uploaded;

/// Labels of routes that no handler has, and of methods that HTTP does not define: clients choose those freely.
const OTHER: &str = "other";
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// What came of a round.
#[derive(Clone, Copy, Debug)]
pub struct RoundCommitted<'a> {
    /// Which shard.
    pub shard: u32,
    /// Records decided.
    pub records: u64,
    /// Outputs by kind, like `("block_changed", 3)`.
    pub outputs: &'a [(&'static str, u64)],
    /// Time to decide.
    pub step: Duration,
    /// Time to make it durable.
    pub commit: Duration,
    /// Accepted records that still wait.
    pub backlog: u64,
}

/// A shard's log accepted records.
pub fn records_appended(shard: u32, records: u64, bytes: u64) {
    debug!(shard, records, bytes, "records appended");
    counter!(m::APPENDED_RECORDS, "shard" => shard.to_string()).increment(records);
    counter!(m::APPENDED_BYTES, "shard" => shard.to_string()).increment(bytes);
}

/// Records were refused before the log.
pub fn record_rejected(code: &'static str, records: u64) {
    debug!(code, records, "records rejected");
    counter!(m::REJECTED_RECORDS, "code" => code).increment(records);
}

/// An append was refused because the queue is full.
pub fn append_busy(shard: u32) {
    debug!(shard, code = "HR0512", "append refused: the queue is full");
    counter!(m::APPENDS_BUSY, "shard" => shard.to_string()).increment(1);
}

/// From the arrival of an append to its acknowledgement.
pub fn append_latency(time: Duration) {
    histogram!(m::APPEND_SECONDS).record(time);
}

/// From the acknowledgement of `records` records to their durable decision: once a round, with the oldest's time.
pub fn decision_latency(time: Duration, records: u64) {
    let records = usize::try_from(records).unwrap_or(usize::MAX);
    histogram!(m::DECISION_SECONDS).record_many(time, records);
}

/// A round is durable.
pub fn round_committed(round: RoundCommitted<'_>) {
    let RoundCommitted { shard, records, outputs, step, commit, backlog } = round;
    debug!(shard, records, backlog, step_us = micros(step), commit_us = micros(commit), "round committed");
    let shard = shard.to_string();
    counter!(m::ROUNDS, "shard" => shard.clone()).increment(1);
    counter!(m::DECIDED_RECORDS, "shard" => shard.clone()).increment(records);
    for (kind, count) in outputs {
        counter!(m::OUTPUTS, "shard" => shard.clone(), "kind" => *kind).increment(*count);
    }
    histogram!(m::STEP_SECONDS, "shard" => shard.clone()).record(step);
    histogram!(m::COMMIT_SECONDS, "shard" => shard.clone()).record(commit);
    gauge!(m::BACKLOG, "shard" => shard).set(backlog as f64);
}

/// Records of a round became dead letters.
pub fn dead_letters(shard: u32, code: &'static str, records: u64) {
    debug!(shard, code, records, "dead letters: `headroom explain` knows the code");
    counter!(m::DEAD_LETTERS, "shard" => shard.to_string(), "code" => code).increment(records);
}

/// An idle shard's clock moved.
pub fn tick(shard: u32) {
    tracing::trace!(shard, "tick");
    counter!(m::TICKS, "shard" => shard.to_string()).increment(1);
}

/// The machine's clock stands behind the shard's. Called when it is seen, and with zero when it has caught up.
pub fn clock_behind(shard: u32, lag: Duration) {
    if lag.is_zero() {
        info!(shard, "the machine's clock has caught up with the shard's");
    } else {
        let lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        warn!(
            shard,
            lag_ms,
            "the machine's clock is behind the shard's: no timer fires until it has caught up; check its time service"
        );
    }
    gauge!(m::CLOCK_LAG, "shard" => shard.to_string()).set(lag);
}

/// A sweep looked at more accounts.
pub fn sweep_progress(shard: u32, rows: u64) {
    debug!(shard, rows, "sweep goes on");
    counter!(m::SWEEP_ROWS, "shard" => shard.to_string()).increment(rows);
}

/// A sweep is through.
pub fn sweep_finished(shard: u32) {
    info!(shard, "sweep finished");
    counter!(m::SWEEPS, "shard" => shard.to_string()).increment(1);
}

/// Deciding a record failed; it was set aside, and the shard goes on.
pub fn record_poisoned(shard: u32, position: u64) {
    error!(
        shard,
        position,
        "a record was set aside because deciding it failed: a defect, please report it with the record at this position"
    );
    counter!(m::POISONED, "shard" => shard.to_string()).increment(1);
}

/// Firing a timer failed; it was given up, and the shard goes on.
pub fn timer_cancelled(shard: u32, detail: &str) {
    error!(shard, detail, "a timer was given up because firing it failed: a defect, please report it");
    counter!(m::TIMERS_CANCELLED, "shard" => shard.to_string()).increment(1);
}

/// A shard stopped taking records.
pub fn shard_sealed(shard: u32, code: &'static str, detail: &str) {
    error!(
        shard,
        code, detail, "shard sealed: it takes no records until the service starts anew; see `headroom explain {code}`"
    );
    gauge!(m::SEALED, "shard" => shard.to_string()).set(1.0);
}

/// A shard takes records.
pub fn shard_opened(shard: u32, accounts: u64, time: Duration, replayed_records: u64) {
    info!(shard, accounts, replayed_records, seconds = time.as_secs_f64(), "shard opened");
    let shard = shard.to_string();
    gauge!(m::SEALED, "shard" => shard.clone()).set(0.0);
    gauge!(m::ACCOUNTS, "shard" => shard.clone()).set(accounts as f64);
    histogram!(m::OPEN_SECONDS, "shard" => shard).record(time);
}

/// Entries older than `retention.keep` are gone. `table` is `journal`, `log` or `outputs`; `below` is the oldest
/// position that is left.
pub fn trimmed(shard: u32, table: &'static str, entries: u64, below: u64) {
    info!(shard, table, entries, below, "trimmed");
    counter!(m::TRIMMED, "shard" => shard.to_string(), "table" => table).increment(entries);
}

/// A request was answered. `route` is the template (`/v1/accounts/{id}`), or nothing where no handler has the path.
pub fn http_request(route: Option<&str>, method: &str, status: u16, time: Duration) {
    let route = route.unwrap_or(OTHER).to_owned();
    let method = METHODS.into_iter().find(|known| *known == method).unwrap_or(OTHER);
    let class = status_class(status);
    debug!(route, method, status, us = micros(time), "request answered");
    counter!(m::HTTP_REQUESTS, "route" => route.clone(), "method" => method, "class" => class).increment(1);
    histogram!(m::HTTP_SECONDS, "route" => route, "method" => method).record(time);
}

/// A reader opened a stream.
pub fn stream_opened(kind: &'static str) {
    debug!(kind, "stream opened");
    gauge!(m::STREAMS, "kind" => kind).increment(1.0);
}

/// A stream ended; `why` is one of few words, like `reader_left`, `too_slow`, `stopping`.
pub fn stream_closed(kind: &'static str, why: &'static str) {
    debug!(kind, why, "stream closed");
    gauge!(m::STREAMS, "kind" => kind).decrement(1.0);
    counter!(m::STREAMS_CLOSED, "kind" => kind, "why" => why).increment(1);
}

/// A ruleset came into force on a shard.
pub fn ruleset_published(hash: &str, shard: u32) {
    info!(shard, hash, "ruleset in force");
    counter!(m::RULESETS, "shard" => shard.to_string()).increment(1);
}

/// A snapshot of a shard is complete.
pub fn snapshot_taken(shard: u32, snapshot: &Uploaded, time: Duration) {
    let Uploaded { journal_seq, files_sent, bytes_sent, files_kept, bytes_kept } = *snapshot;
    let seconds = time.as_secs_f64();
    info!(shard, journal_seq, files_sent, bytes_sent, files_kept, bytes_kept, seconds, "snapshot taken");
    let shard = shard.to_string();
    counter!(m::SNAPSHOTS, "shard" => shard.clone(), "outcome" => "taken").increment(1);
    counter!(m::SNAPSHOT_BYTES, "shard" => shard.clone(), "kind" => "sent").increment(bytes_sent);
    counter!(m::SNAPSHOT_BYTES, "shard" => shard.clone(), "kind" => "kept").increment(bytes_kept);
    histogram!(m::SNAPSHOT_SECONDS, "shard" => shard.clone()).record(time);
    gauge!(m::SNAPSHOT_AGE, "shard" => shard).set(0.0);
}

/// A snapshot was not taken; the next one is tried at its time.
pub fn snapshot_failed(shard: u32, code: &'static str, detail: &str) {
    error!(shard, code, detail, "no snapshot was taken: the shard goes on, its recovery gets longer");
    counter!(m::SNAPSHOTS, "shard" => shard.to_string(), "outcome" => "failed").increment(1);
}

/// A snapshot could not be restored because it is damaged; the next older one is tried.
pub fn snapshot_damaged(shard: u32, journal_seq: u64, code: &'static str, detail: &str) {
    error!(shard, journal_seq, code, detail, "a snapshot is damaged: trying the next older one");
    counter!(m::SNAPSHOTS, "shard" => shard.to_string(), "outcome" => "damaged").increment(1);
}

/// How old a shard's last snapshot is.
pub fn snapshot_age(shard: u32, age: Duration) {
    gauge!(m::SNAPSHOT_AGE, "shard" => shard.to_string()).set(age);
}

/// Spans will not reach the collector; `why` is `queue_full` or `not_sent`.
pub fn otlp_dropped(why: &'static str, spans: u64) {
    counter!(m::OTLP_DROPPED, "why" => why).increment(spans);
}

/// The collector of spans went away, or came back.
pub fn otlp_reachable(endpoint: &str, now: Result<&(), String>) {
    match now {
        Ok(()) => info!(endpoint, "the collector takes spans again"),
        Err(detail) => warn!(endpoint, detail, "the collector takes no spans: they are dropped until it does"),
    }
}

/// The service was told to stop.
pub fn shutdown_started() {
    info!("stopping: no new records; what was accepted is being decided");
    gauge!(m::STOPPING).set(1.0);
}

/// The service has stopped; what was accepted is decided or durable in the log.
pub fn shutdown_finished(time: Duration) {
    info!(seconds = time.as_secs_f64(), "stopped");
}

fn status_class(status: u16) -> &'static str {
    match status {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => OTHER,
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
