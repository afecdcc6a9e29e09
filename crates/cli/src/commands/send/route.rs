//! From records to requests: which connection, in which form, when.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use headroom_sources::{Encoding, RawRecord};
use headroom_wire::{
    event_from_json, event_from_protobuf, event_to_delimited, event_to_json, proto, proto::event::Body,
};

use super::Command;
use super::batch::{Batch, Origin};
use super::gauge::Gauge;
use super::worker::{Worker, latencies};

/// Shorter waits cost more than they are worth.
const SLEEP_MIN: Duration = Duration::from_micros(200);

/// Hands records to connections, those of one account always to the same.
pub struct Router<'scope, 'a> {
    workers: Vec<Worker<'scope>>,
    /// The request that each connection gets next.
    open: Vec<Batch>,
    gauge: &'a Gauge,
    encoding: Encoding,
    records_max: usize,
    pace: Option<Pace>,
}

/// An open loop: when each record is due, whatever became of those before.
struct Pace {
    start: Instant,
    per_second: u32,
    records: u64,
}

impl Pace {
    fn next_due(&mut self) -> Instant {
        self.records += 1;
        let nanos = u128::from(self.records) * 1_000_000_000 / u128::from(self.per_second);
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl<'scope, 'a> Router<'scope, 'a> {
    /// Over running connections.
    pub fn new(command: &Command, workers: Vec<Worker<'scope>>, gauge: &'a Gauge) -> Self {
        let pace = command.rate.map(|per_second| Pace { start: Instant::now(), per_second, records: 0 });
        Self {
            open: workers.iter().map(|_| Batch::default()).collect(),
            workers,
            gauge,
            encoding: command.encoding(),
            records_max: usize::try_from(command.records_per_request).unwrap_or(usize::MAX),
            pace,
        }
    }

    /// Takes the next record. What cannot be read goes to the service as it is, where it can: it says what is wrong.
    ///
    /// # Errors
    /// A connection gave up.
    pub fn take(&mut self, file: usize, record: &RawRecord<'_>) -> Result<()> {
        let origin = Origin { file, line: record.index };
        if let Some(cut) = &record.cut {
            self.gauge.reject(origin, "TOO_LARGE", &format!("a line of {} bytes", cut.length));
            return Ok(());
        }
        let event = match record.encoding {
            Encoding::Json => event_from_json(record.bytes),
            Encoding::Protobuf => event_from_protobuf(record.bytes),
        };
        match (event, encode(record, self.encoding)) {
            (Ok(event), Ok(bytes)) if is_broadcast(&event) => self.broadcast(origin, &bytes),
            (Ok(event), Ok(bytes)) => self.add(self.connection(&event.account_id), origin, &bytes),
            (Err(_), Ok(bytes)) => self.add(0, origin, &bytes),
            (_, Err(detail)) => {
                self.gauge.reject(origin, "UNPARSEABLE", &detail);
                Ok(())
            }
        }
    }

    fn connection(&self, account: &str) -> usize {
        // Without keys, so that every run routes alike.
        let mut hash = DefaultHasher::new();
        account.hash(&mut hash);
        let count = self.workers.len() as u64;
        usize::try_from(hash.finish() % count).expect("below a count")
    }

    /// It concerns all accounts: everything before it is answered first, and it before everything that follows.
    fn broadcast(&mut self, origin: Origin, bytes: &[u8]) -> Result<()> {
        self.drain()?;
        self.add(0, origin, bytes)?;
        self.drain()
    }

    fn drain(&mut self) -> Result<()> {
        self.flush()?;
        if !self.gauge.drained() {
            bail!("a connection gave up");
        }
        Ok(())
    }

    fn add(&mut self, connection: usize, origin: Origin, bytes: &[u8]) -> Result<()> {
        let due = self.pace.as_mut().map(Pace::next_due);
        let batch = &mut self.open[connection];
        batch.add(origin, bytes);
        batch.due = due;
        wait_until(due);
        if batch.is_full(self.records_max) { self.hand_over(connection) } else { Ok(()) }
    }

    /// Hands over what was collected.
    ///
    /// # Errors
    /// A connection gave up.
    pub fn flush(&mut self) -> Result<()> {
        (0..self.open.len()).try_for_each(|connection| self.hand_over(connection))
    }

    fn hand_over(&mut self, connection: usize) -> Result<()> {
        let batch = std::mem::take(&mut self.open[connection]);
        if batch.len() == 0 {
            return Ok(());
        }
        self.gauge.begins();
        if self.workers[connection].queue.send(batch).is_err() {
            bail!("a connection gave up");
        }
        Ok(())
    }

    /// Waits for all answers. Gives the latencies of all connections.
    ///
    /// # Errors
    /// Why a connection gave up.
    pub fn finish(self) -> Result<Histogram<u64>> {
        let threads: Vec<_> = self.workers.into_iter().map(|worker| worker.thread).collect();
        let mut all = latencies();
        for thread in threads {
            let latencies = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            all.add(latencies)?;
        }
        Ok(all)
    }
}

fn is_broadcast(event: &proto::Event) -> bool {
    matches!(event.body, Some(Body::Promotion(_) | Body::Market(_) | Body::Control(_)))
}

/// As the service reads it in a row of others: with its line end or length. Errors: it has no such form.
fn encode(record: &RawRecord<'_>, encoding: Encoding) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(record.bytes.len() + 5);
    match (record.encoding, encoding) {
        (Encoding::Json, Encoding::Json) => bytes.extend_from_slice(record.bytes),
        (Encoding::Json, Encoding::Protobuf) => {
            let event = event_from_json(record.bytes).map_err(|error| error.detail)?;
            event_to_delimited(&event, &mut bytes);
        }
        (Encoding::Protobuf, Encoding::Json) => {
            let event = event_from_protobuf(record.bytes).map_err(|error| error.detail)?;
            event_to_json(&event, &mut bytes).map_err(|error| error.detail)?;
        }
        (Encoding::Protobuf, Encoding::Protobuf) => {
            length(record.bytes.len(), &mut bytes);
            bytes.extend_from_slice(record.bytes);
        }
    }
    if encoding == Encoding::Json {
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// A varint.
fn length(mut left: usize, bytes: &mut Vec<u8>) {
    while left >= 0x80 {
        bytes.push(u8::try_from(left & 0x7f | 0x80).expect("seven bits and one"));
        left >>= 7;
    }
    bytes.push(u8::try_from(left).expect("seven bits"));
}

fn wait_until(due: Option<Instant>) {
    let left = due.map_or(Duration::ZERO, |due| due.saturating_duration_since(Instant::now()));
    if left > SLEEP_MIN {
        thread::sleep(left);
    }
}
