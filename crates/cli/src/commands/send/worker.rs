//! One connection: a request after the other, each until every record of it has a verdict.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use headroom_sources::Encoding;

use crate::client::{Answer, Client, DELIMITED, LINES, Reply};

use super::batch::Batch;
use super::gauge::Gauge;

/// Requests that wait for a connection. More would only hide from the reader that the service is slow.
const QUEUE_MAX: usize = 4;
/// Latencies are kept in microseconds, up to an hour, with three digits.
const LATENCY_US_MAX: u64 = 3_600_000_000;
const LATENCY_DIGITS: u8 = 3;
/// The pause after a broken connection doubles between these.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What all connections have in common.
#[derive(Clone)]
pub struct Plan {
    pub server: String,
    pub encoding: Encoding,
    pub query: String,
    /// A request that is not taken for so long is given up.
    pub retry_for: Duration,
}

/// A running connection.
pub struct Worker<'scope> {
    /// Takes requests.
    pub queue: SyncSender<Batch>,
    /// Gives its latencies once the queue is closed.
    pub thread: ScopedJoinHandle<'scope, Result<Histogram<u64>>>,
}

/// Starts the connections.
///
/// # Errors
/// The address is none.
pub fn start<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    connections: usize,
    plan: &Plan,
    gauge: &'env Gauge,
) -> Result<Vec<Worker<'scope>>> {
    let clients = (0..connections).map(|_| Client::new(&plan.server)).collect::<Result<Vec<_>>>()?;
    let workers = clients.into_iter().map(|client| {
        let (queue, batches) = sync_channel(QUEUE_MAX);
        let plan = plan.clone();
        let thread = scope.spawn(move || run(&client, &plan, &batches, gauge));
        Worker { queue, thread }
    });
    Ok(workers.collect())
}

/// No latencies yet.
pub fn latencies() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_US_MAX, LATENCY_DIGITS).expect("bounds that the histogram takes")
}

fn run(client: &Client, plan: &Plan, batches: &Receiver<Batch>, gauge: &Gauge) -> Result<Histogram<u64>> {
    let _noticed = NoticedPanic(gauge);
    let mut latencies = latencies();
    for batch in batches {
        let since = batch.due.unwrap_or_else(Instant::now);
        send(client, plan, &batch, gauge).inspect_err(|_| gauge.fails())?;
        latencies.saturating_record(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
        gauge.ends();
    }
    Ok(latencies)
}

/// Nobody waits for a connection that panicked.
struct NoticedPanic<'a>(&'a Gauge);

impl Drop for NoticedPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fails();
        }
    }
}

/// Sends until every record has its verdict. What is sent twice is taken once: the service knows events again.
fn send(client: &Client, plan: &Plan, batch: &Batch, gauge: &Gauge) -> Result<()> {
    let (mut start, mut pause) = (0, PAUSE_MIN);
    let mut progress = Instant::now();
    let content_type = match plan.encoding {
        Encoding::Json => LINES,
        Encoding::Protobuf => DELIMITED,
    };
    loop {
        let reply = client.post_events(&plan.query, content_type, batch.from(start))?;
        gauge.count(|told| told.requests += 1);
        let wait = match reply {
            Reply::Answered(answer) => {
                check(&answer, batch.len() - start)?;
                gauge.answered(&answer, batch, start);
                return Ok(());
            }
            Reply::Again { taken, after } => {
                gauge.answered(&taken, batch, start);
                gauge.count(|told| told.waits += 1);
                let done = usize::try_from(taken.accepted + taken.rejected)?;
                start = (start + done).min(batch.len());
                // A service that asks for patience is alive.
                progress = Instant::now();
                after
            }
            Reply::Unknown(why) if progress.elapsed() >= plan.retry_for => {
                bail!("`{}` takes nothing any more: {why}", plan.server)
            }
            Reply::Unknown(_) => {
                gauge.count(|told| told.twice += (batch.len() - start) as u64);
                pause = (pause * 2).min(PAUSE_MAX);
                pause
            }
        };
        if start == batch.len() {
            return Ok(());
        }
        gauge.count(|told| told.retries += 1);
        thread::sleep(wait);
    }
}

/// An answer that leaves a record without a verdict would lose it.
fn check(answer: &Answer, records: usize) -> Result<()> {
    let verdicts = answer.accepted + answer.rejected;
    if verdicts != records as u64 {
        bail!("the service gave {verdicts} verdicts to {records} records");
    }
    Ok(())
}
