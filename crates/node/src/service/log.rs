//! The embedded log's thread of a shard: groups what requests bring, writes it in one synced piece, and only then says
//! that it was taken (PROTOCOL P27).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use bytes::Bytes;
use headroom_engine::{Position, Record, Timestamp};
use headroom_store::{LogRecord, LogWriter, StoreError, fault};
use headroom_wire::Decoded;
use tokio::sync::oneshot;

use super::admission::Permit;
use super::shard::{Pending, Shard};
use super::ticket::{Taken, Ticket};
use crate::config::LogTime;
use crate::decode::wall_clock;
use crate::telemetry;

/// The log as an input's name in positions.
pub const LOG_INPUT: &str = "log";

/// A decoded event on its way into the log.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub decoded: Decoded,
    pub encoding: &'static str,
    pub bytes: Bytes,
    pub replayed: bool,
}

/// The records of one request for one shard.
pub struct Append {
    pub records: Vec<Incoming>,
    pub permit: Permit,
    pub since: Instant,
    pub reply: oneshot::Sender<Taken>,
    /// Reply when the decisions are durable, not the records.
    pub wait_decided: bool,
}

/// Writes groups until nobody can send any more, or a write fails.
pub fn run(shard: &Shard, mut log: LogWriter, appends: &Receiver<Append>, time: LogTime, group_records: usize) {
    let mut clock = shard.report().now;
    while let Ok(first) = appends.recv() {
        fault::point("log.group_begun");
        let group = group(first, appends, group_records);
        fault::point("log.group_taken");
        if write(shard, &mut log, group, time, &mut clock).is_err() {
            break;
        }
    }
    shard.log_closed.store(true, Ordering::Release);
    shard.bell.ring();
}

/// What has come meanwhile goes into the same write.
fn group(first: Append, appends: &Receiver<Append>, group_records: usize) -> Vec<Append> {
    let mut records = first.records.len();
    let mut group = vec![first];
    while records < group_records
        && let Ok(next) = appends.try_recv()
    {
        records += next.records.len();
        group.push(next);
    }
    group
}

/// Writes a group and replies; seals the shard if that fails.
fn write(
    shard: &Shard,
    log: &mut LogWriter,
    group: Vec<Append>,
    time: LogTime,
    clock: &mut Timestamp,
) -> Result<(), StoreError> {
    if time == LogTime::Append {
        *clock = wall_clock().max(*clock);
    }
    let stamped = |each: &Incoming| match time {
        LogTime::Append => *clock,
        LogTime::Recorded => each.decoded.recorded_at,
    };
    let records: Vec<LogRecord> = group
        .iter()
        .flat_map(|append| &append.records)
        .map(|each| LogRecord {
            timestamp: stamped(each),
            encoding: each.encoding,
            replayed: each.replayed,
            bytes: Arc::from(&*each.bytes),
        })
        .collect();
    // Sealed before the group's replies are dropped: whoever hears nothing asks the shard why.
    let first = log.append(&records).inspect_err(|error| shard.seal_by(error))?;
    let bytes = records.iter().map(|each| each.bytes.len() as u64).sum();
    telemetry::records_appended(shard.number, records.len() as u64, bytes);
    fault::point("log.before_reply");
    let mut stored = (first..).zip(records);
    for append in group {
        let count = append.records.len();
        pass_on(shard, append, stored.by_ref().take(count));
    }
    fault::point("log.after_reply");
    Ok(())
}

/// Replies, and hands the records to the lane with the offsets they got.
fn pass_on(shard: &Shard, append: Append, stored: impl Iterator<Item = (u64, LogRecord)>) {
    let input: Arc<str> = Arc::from(LOG_INPUT);
    let mut stored = stored.peekable();
    let first = stored.peek().map_or(0, |(offset, _)| *offset);
    let Append { records, permit, since, reply, wait_decided } = append;
    telemetry::append_latency(since.elapsed());
    let ticket = if wait_decided {
        Ticket::replying(permit, since, first, records.len(), reply)
    } else {
        // Whoever asked may have gone.
        let _ = reply.send(Taken { first, outputs: Vec::new() });
        Ticket::new(permit, since)
    };
    let pending = records.into_iter().zip(stored).enumerate().map(|(index, (incoming, (offset, stored)))| {
        let position = Position { input: Arc::clone(&input), partition: shard.number, offset };
        let record = Record {
            position,
            timestamp: stored.timestamp,
            event: Ok(incoming.decoded.event),
            content: incoming.decoded.content,
            original: stored.bytes,
            encoding: stored.encoding,
            around: None,
            replayed: stored.replayed,
        };
        Pending { record, ticket: Arc::clone(&ticket), index }
    });
    shard.deliver(pending);
}

/// A record as it stands in the log.
pub fn read_back(shard: u32, offset: u64, stored: &LogRecord) -> Record {
    let decoded = match stored.encoding {
        "json" => headroom_wire::decode_json(&stored.bytes),
        _ => headroom_wire::decode_protobuf(&stored.bytes),
    };
    let content = decoded.as_ref().map_or(0, |decoded| decoded.content);
    Record {
        position: Position { input: Arc::from(LOG_INPUT), partition: shard, offset },
        timestamp: stored.timestamp,
        event: decoded.map(|decoded| decoded.event),
        content,
        original: Arc::clone(&stored.bytes),
        encoding: stored.encoding,
        around: None,
        replayed: stored.replayed,
    }
}
