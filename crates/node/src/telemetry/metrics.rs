//! The table of all metrics. Labels take few values: shards, kinds, codes, routes; never accounts.

use metrics::Unit;

/// How a metric behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricKind {
    /// Only rises, until the process ends.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts by size, in buckets from 100 µs to 10 s.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// As Prometheus sees it.
    pub name: &'static str,
    /// How it behaves.
    pub kind: MetricKind,
    /// Of its values.
    pub unit: Unit,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

/// Upper bounds of buckets, in seconds.
pub(super) const BUCKETS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0];

pub(super) const APPENDED_RECORDS: &str = "headroom_appended_records_total";
pub(super) const APPENDED_BYTES: &str = "headroom_appended_bytes_total";
pub(super) const REJECTED_RECORDS: &str = "headroom_rejected_records_total";
pub(super) const APPENDS_BUSY: &str = "headroom_appends_busy_total";
pub(super) const APPEND_SECONDS: &str = "headroom_append_seconds";
pub(super) const ROUNDS: &str = "headroom_rounds_total";
pub(super) const DECIDED_RECORDS: &str = "headroom_decided_records_total";
pub(super) const OUTPUTS: &str = "headroom_outputs_total";
pub(super) const DEAD_LETTERS: &str = "headroom_dead_letters_total";
pub(super) const STEP_SECONDS: &str = "headroom_round_step_seconds";
pub(super) const COMMIT_SECONDS: &str = "headroom_round_commit_seconds";
pub(super) const DECISION_SECONDS: &str = "headroom_decision_seconds";
pub(super) const BACKLOG: &str = "headroom_backlog_records";
pub(super) const TICKS: &str = "headroom_ticks_total";
pub(super) const CLOCK_LAG: &str = "headroom_clock_lag_seconds";
pub(super) const SWEEP_ROWS: &str = "headroom_sweep_rows_total";
pub(super) const SWEEPS: &str = "headroom_sweeps_total";
pub(super) const POISONED: &str = "headroom_poisoned_records_total";
pub(super) const TIMERS_CANCELLED: &str = "headroom_timers_cancelled_total";
pub(super) const SEALED: &str = "headroom_shard_sealed";
pub(super) const ACCOUNTS: &str = "headroom_accounts_at_open";
pub(super) const OPEN_SECONDS: &str = "headroom_shard_open_seconds";
pub(super) const TRIMMED: &str = "headroom_trimmed_entries_total";
pub(super) const HTTP_REQUESTS: &str = "headroom_http_requests_total";
pub(super) const HTTP_SECONDS: &str = "headroom_http_request_seconds";
pub(super) const STREAMS: &str = "headroom_streams_open";
pub(super) const STREAMS_CLOSED: &str = "headroom_streams_closed_total";
pub(super) const RULESETS: &str = "headroom_rulesets_published_total";
pub(super) const SNAPSHOTS: &str = "headroom_snapshots_total";
pub(super) const SNAPSHOT_BYTES: &str = "headroom_snapshot_bytes_total";
pub(super) const SNAPSHOT_SECONDS: &str = "headroom_snapshot_seconds";
pub(super) const SNAPSHOT_AGE: &str = "headroom_snapshot_age_seconds";
pub(super) const OTLP_DROPPED: &str = "headroom_otlp_dropped_spans_total";
pub(super) const SHARDS_OWNED: &str = "headroom_shards_owned";
pub(super) const FENCED: &str = "headroom_fenced_total";
pub(super) const REPLAYED: &str = "headroom_journal_replay_records";
pub(super) const STANDBY: &str = "headroom_standby_records_total";
pub(super) const INPUT_LAG: &str = "headroom_input_lag_records";
pub(super) const INPUT_RETENTION: &str = "headroom_input_retention_distance_records";
pub(super) const TAKEOVERS: &str = "headroom_takeovers_total";
pub(super) const TAKEOVER_SECONDS: &str = "headroom_takeover_seconds";
pub(super) const TRANSACTIONS: &str = "headroom_transactions_total";
pub(super) const TRANSACTION_SECONDS: &str = "headroom_transaction_seconds";
pub(super) const EVENT_TO_CHANGE: &str = "headroom_event_to_change_seconds";
pub(super) const HELD: &str = "headroom_shard_write_refusals_total";
pub(super) const BROKER_CLOCK: &str = "headroom_broker_clock_difference_seconds";
pub(super) const STOPPING: &str = "headroom_stopping";

const SHARD: &[&str] = &["shard"];

/// All metrics, in reading order.
pub const METRICS: &[Metric] = &[
    counter(APPENDED_RECORDS, SHARD, "Records accepted into the log."),
    Metric { unit: Unit::Bytes, ..counter(APPENDED_BYTES, SHARD, "Bytes of records accepted into the log.") },
    counter(REJECTED_RECORDS, &["code"], "Records refused before the log, by code."),
    counter(APPENDS_BUSY, SHARD, "Appends refused with 429 because the queue was full (HR0512)."),
    histogram(APPEND_SECONDS, &[], "From the arrival of an append to its acknowledgement."),
    histogram(DECISION_SECONDS, &[], "From the acknowledgement of a record to its durable decision."),
    counter(ROUNDS, SHARD, "Rounds committed."),
    counter(DECIDED_RECORDS, SHARD, "Records decided."),
    counter(OUTPUTS, &["shard", "kind"], "Outputs committed, by kind."),
    counter(DEAD_LETTERS, &["shard", "code"], "Records that became dead letters, by code (docs/reasons)."),
    histogram(STEP_SECONDS, SHARD, "Time to decide a round."),
    histogram(COMMIT_SECONDS, SHARD, "Time to make a round durable."),
    gauge(BACKLOG, SHARD, "Accepted records that wait to be decided, after the newest round."),
    counter(TICKS, SHARD, "Journaled moves of an idle shard's clock."),
    Metric {
        unit: Unit::Seconds,
        ..gauge(CLOCK_LAG, SHARD, "How far the machine's clock stands behind the shard's, when last seen behind.")
    },
    counter(SWEEP_ROWS, SHARD, "Accounts looked at by sweeps."),
    counter(SWEEPS, SHARD, "Sweeps finished."),
    counter(POISONED, SHARD, "Records set aside because deciding them failed."),
    counter(TIMERS_CANCELLED, SHARD, "Timers given up because firing them failed."),
    gauge(SEALED, SHARD, "1 while the shard is sealed: it takes no records until the service starts anew."),
    gauge(ACCOUNTS, SHARD, "Accounts of the shard when it was opened."),
    histogram(OPEN_SECONDS, SHARD, "Time to open the shard and decide what was waiting."),
    counter(TRIMMED, &["shard", "table"], "Entries trimmed after `retention.keep`, by table."),
    counter(HTTP_REQUESTS, &["route", "method", "class"], "Requests answered, by route, method and class of status."),
    histogram(HTTP_SECONDS, &["route", "method"], "Time to answer a request."),
    gauge(STREAMS, &["kind"], "Streams open now, by kind."),
    counter(STREAMS_CLOSED, &["kind", "why"], "Streams closed, by kind and reason."),
    counter(RULESETS, SHARD, "Rulesets that came into force."),
    counter(
        SNAPSHOTS,
        &["shard", "outcome"],
        "Snapshots: `taken`, `failed`, or `damaged` when one was to be restored.",
    ),
    Metric {
        unit: Unit::Bytes,
        ..counter(SNAPSHOT_BYTES, &["shard", "kind"], "Bytes of snapshots: `sent`, or `kept` because they were there.")
    },
    histogram(SNAPSHOT_SECONDS, SHARD, "Time to send a snapshot."),
    Metric { unit: Unit::Seconds, ..gauge(SNAPSHOT_AGE, SHARD, "Since the shard's last snapshot, as last looked at.") },
    counter(
        OTLP_DROPPED,
        &["why"],
        "Spans that no collector got: `queue_full` while it was slow, `not_sent` while it was away.",
    ),
    gauge(SHARDS_OWNED, &[], "With Kafka: shards that the group has given to this node."),
    gauge(
        INPUT_LAG,
        &["topic", "partition"],
        "With Kafka: records between a shard's position and the end of an input.",
    ),
    gauge(
        INPUT_RETENTION,
        &["topic", "partition"],
        "With Kafka: records between a shard's position and the oldest that the input keeps; at 0 the next is lost.",
    ),
    gauge(REPLAYED, SHARD, "With Kafka: journal records applied when the shard was taken over."),
    counter(STANDBY, SHARD, "With Kafka: journal records applied to a shard that another node serves."),
    counter(TAKEOVERS, &[], "With Kafka: shards taken over."),
    histogram(TAKEOVER_SECONDS, &[], "With Kafka: from the group's assignment until a shard is ready."),
    counter(FENCED, &[], "With Kafka: writers fenced because they held a partition of a shard."),
    counter(
        TRANSACTIONS,
        &["lane", "outcome"],
        "With Kafka: transactions; `aborted` ones are tried again, after `lost` ones the shards are taken over again.",
    ),
    histogram(TRANSACTION_SECONDS, &["lane"], "With Kafka: time to carry out a transaction."),
    histogram(EVENT_TO_CHANGE, &[], "With Kafka: from a record's arrival at the node to the commit of its decision."),
    counter(HELD, SHARD, "With Kafka: times that a partition of the shard refused a write."),
    Metric {
        unit: Unit::Seconds,
        ..gauge(BROKER_CLOCK, &[], "With Kafka: how far the machine's clock differs from the brokers', when too far.")
    },
    gauge(STOPPING, &[], "1 from the beginning of the stop."),
];

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Counter, unit: Unit::Count, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Gauge, unit: Unit::Count, labels, help }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: MetricKind::Histogram, unit: Unit::Seconds, labels, help }
}
