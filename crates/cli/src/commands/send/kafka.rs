//! `headroom send --kafka`: event files to topics, merged by time, each record once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use headroom_engine::Record;
use headroom_node::kafka::{Outgoing, SendCounts, Sender, event_to_send};
use headroom_node::view::Item;
use headroom_node::{KafkaConfig, KafkaProfile, Merge};
use headroom_wire::{event_from_json, event_from_protobuf};

use crate::failure::Status;
use crate::output::Output;
use crate::{kafka, progress};

/// So many records that cannot be sent are told one by one; all are counted.
const TOLD_MAX: usize = 20;

/// What cannot be sent.
#[derive(Default)]
struct Unsent {
    by_code: BTreeMap<String, u64>,
    first: Vec<Item>,
}

/// Does it. Findings: records that no topic takes.
pub fn run(files: &[PathBuf], config: &KafkaConfig, rate: Option<u32>, output: &Output) -> Result<Status> {
    let mut merge = Merge::open(files, |_, _| 0)?;
    let sender = kafka::sender(config)?;
    let bar = progress::bytes(merge.bytes_total(), output);
    let started = Instant::now();
    let mut unsent = Unsent::default();
    let mut records = 0_u64;
    while let Some(record) = merge.next_record()? {
        wait_until_due(started, records, rate);
        send(&sender, config, &record, &mut unsent)?;
        records += 1;
        if records.is_multiple_of(1_000) {
            bar.set_position(merge.bytes_read());
            bar.set_message(format!("{} delivered", sender.counts().delivered));
        }
    }
    let counts = sender.finish().map_err(kafka::coded);
    bar.finish_and_clear();
    let good = unsent.by_code.is_empty();
    output.print(&item(records, counts?, started.elapsed(), unsent))?;
    Ok(if good { Status::Done } else { Status::Findings })
}

fn send(sender: &Sender, config: &KafkaConfig, record: &Record, unsent: &mut Unsent) -> Result<()> {
    match outgoing(config, record) {
        Ok(outgoing) => sender.send(&outgoing, own_time(config, record)).map_err(kafka::coded),
        Err((code, detail)) => {
            unsent.take(record, code, detail);
            Ok(())
        }
    }
}

/// What an event says wrong is for the nodes to tell; what is no event has no topic.
fn outgoing(config: &KafkaConfig, record: &Record) -> Result<Outgoing, (&'static str, String)> {
    let event = match record.encoding {
        "json" => event_from_json(&record.original),
        _ => event_from_protobuf(&record.original),
    };
    let event = event.map_err(|error| (error.code.code(), error.detail))?;
    event_to_send(&event, config).map_err(|error| ("NO_BODY", error.detail))
}

/// In production the broker stamps.
fn own_time(config: &KafkaConfig, record: &Record) -> Option<i64> {
    (config.profile == KafkaProfile::Development).then_some(record.timestamp.0)
}

fn wait_until_due(started: Instant, records: u64, rate: Option<u32>) {
    let Some(rate) = rate else { return };
    let due = started + Duration::from_nanos(records.saturating_mul(1_000_000_000) / u64::from(rate));
    thread::sleep(due.saturating_duration_since(Instant::now()));
}

impl Unsent {
    fn take(&mut self, record: &Record, code: &str, detail: String) {
        *self.by_code.entry(code.to_owned()).or_default() += 1;
        if self.first.len() < TOLD_MAX {
            self.first.push(Item::fields([
                ("file_hash", (&*record.position.input).into()),
                ("record", record.position.offset.into()),
                ("code", code.into()),
                ("detail", detail.into()),
            ]));
        }
    }
}

fn item(records: u64, counts: SendCounts, elapsed: Duration, unsent: Unsent) -> Item {
    let millis = elapsed.as_millis().max(1);
    let rate = u64::try_from(u128::from(counts.delivered) * 1_000 / millis).unwrap_or(u64::MAX);
    Item::fields([
        ("records", records.into()),
        ("delivered", counts.delivered.into()),
        ("millis", u64::try_from(millis).unwrap_or(u64::MAX).into()),
        ("delivered_per_s", rate.into()),
        ("not_sent", Item::counts(unsent.by_code)),
        ("first_not_sent", Item::List(unsent.first)),
    ])
}
