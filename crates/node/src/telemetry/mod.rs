//! What the process tells about itself: every event that matters makes its log line and its metrics in one call.

mod events;
mod init;
mod kafka;
mod metrics;
mod otlp;
mod page;
mod spans;
#[cfg(test)]
mod tests;

pub use events::{
    RoundCommitted, append_busy, append_latency, clock_behind, dead_letters, decision_latency, http_request,
    otlp_dropped, otlp_reachable, record_poisoned, record_rejected, records_appended, round_committed,
    ruleset_published, shard_opened, shard_sealed, shutdown_finished, shutdown_started, snapshot_age, snapshot_damaged,
    snapshot_failed, snapshot_taken, stream_closed, stream_opened, sweep_finished, sweep_progress, tick,
    timer_cancelled, trimmed,
};
pub use init::{Telemetry, TelemetryError, init};
pub use kafka::{
    broker_clock, event_to_change, input_distance, producers_lost, shard_brought_up, shard_held, shard_restored,
    shard_served, shard_stalled, shard_taken_over, shards_assigned, shards_revoked, standby_followed,
    transaction_aborted, transaction_committed, writer_fenced,
};
pub use metrics::{METRICS, Metric, MetricKind};
pub use page::metrics_page;
pub use spans::{lane_span, process_span, round_span};
