use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::init::{describe, recorder};
use super::*;
use crate::config::{Config, TelemetryConfig};

const TIME: Duration = Duration::from_millis(3);

fn every_event() {
    records_appended(0, 2, 100);
    record_rejected("UNPARSEABLE", 1);
    append_busy(0);
    append_latency(TIME);
    decision_latency(TIME, 3);
    round_committed(RoundCommitted {
        shard: 1,
        records: 2,
        outputs: &[("block_changed", 2), ("notice", 1)],
        step: TIME,
        commit: TIME,
        backlog: 7,
    });
    dead_letters(1, "NO_KEY", 2);
    tick(0);
    clock_behind(0, TIME);
    sweep_progress(0, 10);
    shards_assigned(&[0, 1, 2]);
    shards_revoked(&[1], false, Duration::from_millis(3));
    writer_fenced(0, "dev.headroom.n.lane-0.a", "headroom.journal.v1");
    shard_brought_up(0, 5, Duration::from_millis(1), Duration::from_millis(2));
    shard_stalled(0, Duration::from_secs(11), "records");
    shard_restored(0, Some(7));
    standby_followed(0, 3);
    input_distance("headroom.orders.v1", 0, 7, 9);
    shard_taken_over(0, 12, Duration::from_millis(300));
    shard_served(0);
    transaction_committed(0, 10, Duration::from_millis(4));
    transaction_aborted(0, "x");
    producers_lost(0, "x");
    event_to_change(Duration::from_millis(8), 10);
    shard_held(0, Duration::from_millis(100));
    broker_clock(Duration::from_secs(6));
    broker_clock(Duration::ZERO);
    sweep_finished(0);
    record_poisoned(0, 5);
    timer_cancelled(0, "overflow");
    shard_sealed(0, "HR0206", "full");
    shard_opened(1, 9, TIME, 4);
    trimmed(0, "journal", 3, 8);
    http_request(Some("/v1/accounts/{id}"), "GET", 404, TIME);
    http_request(None, "BREW", 999, TIME);
    stream_opened("changes");
    stream_opened("changes");
    stream_closed("changes", "too_slow");
    ruleset_published("abc", 0);
    snapshot_taken(0, &crate::snapshot::Uploaded::default(), TIME);
    snapshot_failed(0, "HR0702", "away");
    snapshot_damaged(0, 7, "HR0704", "flipped");
    snapshot_age(0, TIME);
    otlp_dropped("not_sent", 3);
    otlp_reachable("http://c:4318", Ok(&()));
    otlp_reachable("http://c:4318", Err("refused".to_owned()));
    shutdown_started();
    shutdown_finished(TIME);
}

/// What the events leave behind, as Prometheus sees it.
fn rendered() -> String {
    let recorder = recorder().unwrap();
    ::metrics::with_local_recorder(&recorder, || {
        describe();
        every_event();
    });
    recorder.handle().render()
}

/// Names of metrics with the labels that they were seen with.
fn seen(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let end = line.find(['{', ' ']).unwrap();
        let name = ["_bucket", "_sum", "_count"].iter().find_map(|end_of| line[..end].strip_suffix(end_of));
        let labels = line[end..].split(['{', ',']).filter_map(|part| part.split_once("=\"")).map(|(label, _)| label);
        let labels = labels.filter(|label| *label != "le").map(str::to_owned);
        seen.entry(name.unwrap_or(&line[..end]).to_owned()).or_default().extend(labels);
    }
    seen
}

#[test]
fn events_make_the_metrics_of_the_table_and_no_others() {
    let labels = |metric: &Metric| metric.labels.iter().map(|label| (*label).to_owned()).collect();
    let table: BTreeMap<String, BTreeSet<String>> =
        METRICS.iter().map(|metric| (metric.name.to_owned(), labels(metric))).collect();
    assert_eq!(table.len(), METRICS.len(), "a name stands twice");
    assert_eq!(seen(&rendered()), table);
}

#[test]
fn every_metric_is_described_and_named_by_its_kind() {
    let text = rendered();
    for Metric { name, kind, help, .. } in METRICS {
        let word = format!("{kind:?}").to_lowercase();
        assert!(text.contains(&format!("# HELP {name} {help}\n")), "{name}: {text}");
        assert!(text.contains(&format!("# TYPE {name} {word}\n")), "{name}");
        assert_eq!(name.ends_with("_total"), *kind == MetricKind::Counter, "{name}");
        assert_eq!(name.ends_with("_seconds") && *kind != MetricKind::Gauge, *kind == MetricKind::Histogram, "{name}");
        assert!(name.starts_with("headroom_") && help.ends_with('.'), "{name}");
    }
}

#[test]
fn values_are_those_of_the_events() {
    let text = rendered();
    let expected = [
        "headroom_appended_bytes_total{shard=\"0\"} 100",
        "headroom_outputs_total{shard=\"1\",kind=\"block_changed\"} 2",
        "headroom_backlog_records{shard=\"1\"} 7",
        "headroom_decision_seconds_bucket{le=\"0.0025\"} 0",
        "headroom_decision_seconds_bucket{le=\"0.005\"} 3",
        "headroom_shard_sealed{shard=\"0\"} 1",
        "headroom_shard_sealed{shard=\"1\"} 0",
        "headroom_clock_lag_seconds{shard=\"0\"} 0.003",
        "headroom_http_requests_total{route=\"/v1/accounts/{id}\",method=\"GET\",class=\"4xx\"} 1",
        "headroom_http_requests_total{route=\"other\",method=\"other\",class=\"other\"} 1",
        "headroom_streams_open{kind=\"changes\"} 1",
        "headroom_streams_closed_total{kind=\"changes\",why=\"too_slow\"} 1",
    ];
    for line in expected {
        assert!(text.lines().any(|each| each == line), "no `{line}` in:\n{text}");
    }
}

#[test]
fn it_is_set_up_once_per_process() {
    let config = Config::default().telemetry;
    let bad = TelemetryConfig { log: "a=b=c".to_owned(), ..config.clone() };
    let first = init(&config).unwrap();
    let second = init(&TelemetryConfig { spans: false, ..bad }).unwrap();
    tick(77);
    for telemetry in [first, second] {
        assert!(telemetry.render().contains("headroom_ticks_total{shard=\"77\"} 1\n"));
    }
    let _lane = lane_span(&process_span("node-1", 1), 0).entered();
    let round = round_span(3, 9);
    assert_eq!(round.metadata().map(|metadata| metadata.name()), Some("round"));
}
