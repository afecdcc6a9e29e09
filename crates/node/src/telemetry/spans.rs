//! Spans that log lines stand in: process → lane → round.

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of a round's span: of these a share is sent to a collector.
pub(super) const ROUND: &str = "round";

/// Of a process, from its start to its end.
pub fn process_span(instance: &str, incarnation: u64) -> Span {
    info_span!(parent: None, "process", instance, incarnation)
}

/// Of a lane's thread, for as long as it runs.
pub fn lane_span(process: &Span, lane: usize) -> Span {
    info_span!(parent: process, "lane", lane)
}

/// Of one round of a shard, from its first record to its commit. For a collector it is a trace of its own, with a link
/// to the lane: a trace that is as long as the process could be neither sampled nor shown.
pub fn round_span(shard: u32, seq: u64) -> Span {
    let round = info_span!("round", shard, seq);
    // It fails where nothing is sent to a collector; then there is nothing to part.
    if round.set_parent(Context::new()).is_ok() {
        round.add_link(Span::current().context().span().span_context().clone());
    }
    round
}
