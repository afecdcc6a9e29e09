//! Spans that log lines stand in: process → lane → round.

use tracing::{Span, info_span};

/// Of a process, from its start to its end.
pub fn process_span(instance: &str, incarnation: u64) -> Span {
    info_span!(parent: None, "process", instance, incarnation)
}

/// Of a lane's thread, for as long as it runs.
pub fn lane_span(process: &Span, lane: usize) -> Span {
    info_span!(parent: process, "lane", lane)
}

/// Of one round of a shard, from its first record to its commit.
pub fn round_span(shard: u32, seq: u64) -> Span {
    info_span!("round", shard, seq)
}
