//! What `headroom send --format json` prints.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The parts of it that the page shows.
#[derive(Deserialize)]
pub struct Sent {
    pub records: u64,
    pub accepted: u64,
    pub requests: u64,
    pub retries: u64,
    pub millis: u64,
    pub accepted_per_s: u64,
    pub rejected: BTreeMap<String, u64>,
    pub request_latency_us: Latency,
}

/// Percentiles, microseconds.
#[derive(Deserialize)]
pub struct Latency {
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p99_9: u64,
    pub max: u64,
}

impl Latency {
    /// Each with its name.
    pub fn named(&self) -> [(&'static str, u64); 5] {
        [("p50", self.p50), ("p90", self.p90), ("p99", self.p99), ("p99.9", self.p99_9), ("max", self.max)]
    }
}
