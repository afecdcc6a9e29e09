//! What a node writes for what it reads: the passthrough writes as much.

use headroom_node::kafka::Topic;
use serde::{Deserialize, Serialize};

use crate::cluster::Cluster;
use crate::reader;

/// Means over a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Shape {
    /// Events for one output.
    pub events_per_output: f64,
    /// Bytes of an output's value.
    pub output_bytes: usize,
    /// Bytes of journal for one event.
    pub journal_bytes_per_event: f64,
    /// Bytes that each journal record has besides.
    pub journal_bytes_fixed: f64,
}

impl Shape {
    /// Of the topics behind a node.
    pub fn of(cluster: &Cluster, events: f64) -> Self {
        let (mut outputs, mut bytes) = (0.0, 0.0);
        for topic in Topic::OUTPUTS {
            let found = reader::totals(&cluster.config, topic);
            println!("    {}: {} records, {} bytes", topic.word(), found.records, found.bytes);
            outputs += found.records;
            bytes += found.bytes;
        }
        for (code, count) in reader::dead_letter_codes(&cluster.config) {
            println!("        {code}: {count}");
        }
        let journal = reader::totals(&cluster.config, Topic::Journal);
        println!(
            "the node wrote, for {events} events: {outputs} outputs of {:.0} bytes; {} journal records, {:.1} bytes an event",
            bytes / outputs,
            journal.records,
            journal.bytes / events
        );
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size of some hundred bytes")]
        let output_bytes = (bytes / outputs) as usize;
        let journal_bytes_per_event = journal.bytes / events;
        Self { events_per_output: events / outputs, output_bytes, journal_bytes_per_event, journal_bytes_fixed: 0.0 }
    }
}
