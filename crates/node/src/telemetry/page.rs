//! `docs/METRICS.md`, made of the table of metrics.

use std::fmt::Write;

use metrics::Unit;

use super::metrics::{BUCKETS, METRICS, Metric, MetricKind};

const HEAD: &str = "\
# Metrics

<!-- Made from crates/node/src/telemetry/metrics.rs: `UPDATE_EXPECT=1 cargo test --release -p headroom-node --test generated` writes it anew. -->

`/metrics` tells these in Prometheus' text form. They count from the start of the process.
Labels take few values: numbers of shards, kinds of outputs, codes, templates of routes, methods, classes of status (`2xx`). Accounts are never among them.
";

/// The page: one table, and the bounds of the buckets.
pub fn metrics_page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n| metric | kind | unit | labels | what it tells |\n|---|---|---|---|---|\n");
    for Metric { name, kind, unit, labels, help } in METRICS {
        let (kind, unit) = (kind_word(*kind), unit_word(unit));
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        writeln!(page, "| `{name}` | {kind} | {unit} | {labels} | {help} |").expect("into a string");
    }
    let bounds = BUCKETS.map(|bound| bound.to_string()).join(", ");
    write!(page, "\nHistograms have buckets up to {bounds} seconds.\n").expect("into a string");
    page
}

fn kind_word(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
    }
}

fn unit_word(unit: &Unit) -> &'static str {
    match unit {
        Unit::Seconds => "seconds",
        Unit::Bytes => "bytes",
        _ => "count",
    }
}
