//! `headroom run`: event files through one durable shard. One thread reads, decodes and merges; the lane steps and
//! commits; a bounded queue lies between them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use headroom_engine::{Record, Ruleset, Timestamp, Totals};
use headroom_sources::{EventReader, SourceError};
use headroom_store::{Store, StoreOptions};
use sha2::{Digest, Sha256};

use crate::error::RunError;
use crate::lane::{Lane, LaneOptions, LaneTimes};
use crate::merge::Merge;
use crate::out::Out;
use crate::report::{Collector, RunReport, day_of};

/// Batches between the reading thread and the lane: two being filled or waiting keep both busy.
const BATCHES_WAITING: usize = 2;

/// What to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The ruleset's files: path and content.
    pub rules: Vec<(String, String)>,
    /// Event files.
    pub events: Vec<PathBuf>,
    /// The store's directory.
    pub data_dir: PathBuf,
    /// Where outputs go beside the store.
    pub out: PathBuf,
    /// Records per batch.
    pub batch_records: usize,
    /// Where the clock is moved at the end; timers due by then fire.
    pub until: Option<Timestamp>,
    /// The store's options.
    pub store: StoreOptions,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct RunProgress {
    /// Bytes of inputs read.
    pub bytes_read: u64,
    /// Bytes of inputs.
    pub bytes_total: u64,
    /// Records stepped in this run.
    pub records: u64,
}

/// What a data directory holds after a run.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// Counts since the directory was made.
    pub totals: Totals,
    /// Records that this run took.
    pub new_records: u64,
    /// Accounts.
    pub accounts: u64,
    /// SHA-256 over sorted keys and values of accounts, timers and seen keys, hex.
    pub state_digest: String,
    /// SHA-256 over the output file, hex.
    pub outputs_digest: String,
    /// Mean bytes of an account's stored value.
    pub bytes_per_account: u64,
    /// Bytes of the store's files.
    pub file_bytes: u64,
    /// The ruleset in force.
    pub ruleset: Arc<Ruleset>,
    /// The shard's clock.
    pub now: Timestamp,
    /// Where the lane's time went in this run.
    pub times: LaneTimes,
}

/// Runs event files through the shard of a data directory. What it has consumed before is passed over, so a second run
/// over the same files changes nothing.
pub fn run(options: &RunOptions, progress: &mut dyn FnMut(RunProgress)) -> Result<RunSummary, RunError> {
    let open = |_: &Store| Ok(None);
    Ok(run_with(options, &open, progress)?.0)
}

/// As [`run`], and tells day by day what was decided. Batches end with a day then, which changes no decision.
pub fn run_reported(
    options: &RunOptions,
    progress: &mut dyn FnMut(RunProgress),
) -> Result<(RunSummary, RunReport), RunError> {
    let open = |store: &Store| Ok(Some(Collector::open(store.reader())?));
    let (summary, report) = run_with(options, &open, progress)?;
    Ok((summary, report.unwrap_or_default()))
}

fn run_with(
    options: &RunOptions,
    collector: &dyn Fn(&Store) -> Result<Option<Collector>, RunError>,
    progress: &mut dyn FnMut(RunProgress),
) -> Result<(RunSummary, Option<RunReport>), RunError> {
    Ruleset::load(&options.rules).map_err(RunError::Ruleset)?;
    // A file that is not there should leave no data directory behind.
    for path in &options.events {
        EventReader::open(path)?;
    }
    let store = Store::open(&options.data_dir, options.store.clone())?;
    let positions = store.reader().positions()?;
    let merge =
        Merge::open(&options.events, |hash, copy| positions.get(&(Arc::from(hash), copy)).copied().unwrap_or(0))?;
    let out = Out::open(&options.out, store.reader())?;
    // The files seed the ruleset (PROTOCOL P24): another content than the stored one comes into force before the first
    // record of this run.
    let mut course = Course { collector: collector(&store)?, started: Instant::now(), day: i32::MIN };
    let mut lane = Lane::open(store, &options.rules, true, Some(out), LaneOptions::default())?;
    lane.begin(options.batch_records)?;
    let new_records = feed(&mut lane, merge, options.batch_records.max(1), &mut course, progress)?;
    if let Some(until) = options.until {
        course.advance(&mut lane, until)?;
    }
    lane.end()?;
    let inputs = options.events.iter().map(|path| path.display().to_string()).collect();
    let report = course.finish(inputs, &mut lane)?;
    Ok((summarise(lane, &options.out, new_records)?, report))
}

/// What is told of a run while it goes on.
struct Course {
    collector: Option<Collector>,
    started: Instant,
    /// The last day that a record belonged to.
    day: i32,
}

impl Course {
    /// Steps a batch; with a collector day by day, so that what it sees at the end of a day is of that day.
    fn round(&mut self, lane: &mut Lane, records: &[Record]) -> Result<(), RunError> {
        let Some(collector) = &mut self.collector else { return lane.round(records, None, &mut |_| None) };
        let mut start = 0;
        for (at, record) in records.iter().enumerate() {
            let day = day_of(record.timestamp);
            // Late records stay with the day that the clock shows.
            if day > self.day {
                self.day = day;
                step_and_collect(lane, collector, &records[start..at], None)?;
                start = at;
            }
        }
        step_and_collect(lane, collector, &records[start..], None)?;
        collector.round(self.started.elapsed());
        Ok(())
    }

    fn advance(&mut self, lane: &mut Lane, until: Timestamp) -> Result<(), RunError> {
        let Some(collector) = &mut self.collector else { return lane.advance(until) };
        loop {
            let tick = until.max(lane.state().now);
            step_and_collect(lane, collector, &[], Some(tick))?;
            if lane.state().sweep.is_none() {
                return Ok(());
            }
        }
    }

    fn finish(self, inputs: Vec<String>, lane: &mut Lane) -> Result<Option<RunReport>, RunError> {
        let Some(collector) = self.collector else { return Ok(None) };
        lane.settle()?;
        Ok(Some(collector.finish(inputs, lane.ruleset(), lane.state(), self.started.elapsed())))
    }
}

fn step_and_collect(
    lane: &mut Lane,
    collector: &mut Collector,
    records: &[Record],
    tick: Option<Timestamp>,
) -> Result<(), RunError> {
    if records.is_empty() && tick.is_none() {
        return Ok(());
    }
    lane.round(records, tick, &mut |piece| {
        collector.commit(piece.commit, piece.records.len());
        None
    })
}

struct Fill {
    records: Vec<Record>,
    bytes_read: u64,
}

fn feed(
    lane: &mut Lane,
    merge: Merge,
    batch_records: usize,
    course: &mut Course,
    progress: &mut dyn FnMut(RunProgress),
) -> Result<u64, RunError> {
    let bytes_total = merge.bytes_total();
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BATCHES_WAITING);
        let reading = scope.spawn(move || read(merge, batch_records, &sender));
        let stepped = step_all(lane, &receiver, bytes_total, course, progress);
        // A lane that failed stops reading: the queue is closed before the thread is awaited.
        drop(receiver);
        let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let records = stepped?;
        read?;
        Ok(records)
    })
}

fn read(mut merge: Merge, batch_records: usize, sender: &SyncSender<Fill>) -> Result<(), SourceError> {
    let mut records = Vec::with_capacity(batch_records);
    while let Some(record) = merge.next_record()? {
        records.push(record);
        if records.len() == batch_records {
            let fill = Fill { records: std::mem::take(&mut records), bytes_read: merge.bytes_read() };
            if sender.send(fill).is_err() {
                return Ok(());
            }
            records.reserve(batch_records);
        }
    }
    // The lane is gone only if it failed; its error is the one to report.
    let _ = sender.send(Fill { records, bytes_read: merge.bytes_read() });
    Ok(())
}

fn step_all(
    lane: &mut Lane,
    receiver: &Receiver<Fill>,
    bytes_total: u64,
    course: &mut Course,
    progress: &mut dyn FnMut(RunProgress),
) -> Result<u64, RunError> {
    let mut records = 0;
    loop {
        let started = Instant::now();
        let Ok(fill) = receiver.recv() else { break };
        lane.waited(started.elapsed());
        records += fill.records.len() as u64;
        course.round(lane, &fill.records)?;
        progress(RunProgress { bytes_read: fill.bytes_read, bytes_total, records });
    }
    Ok(records)
}

fn summarise(mut lane: Lane, out: &Path, new_records: u64) -> Result<RunSummary, RunError> {
    lane.settle()?;
    let reader = lane.store().reader().clone();
    let sizes = reader.sizes()?;
    let state = lane.state();
    Ok(RunSummary {
        totals: state.totals.clone(),
        new_records,
        accounts: state.accounts,
        state_digest: hex(&reader.digest()?),
        outputs_digest: file_digest(out)?,
        bytes_per_account: sizes.bytes_per_account(),
        file_bytes: sizes.file_bytes,
        ruleset: Arc::clone(lane.ruleset()),
        now: state.now,
        times: lane.times(),
    })
}

fn file_digest(path: &Path) -> Result<String, RunError> {
    let wrong = |source| RunError::Out { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(wrong)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(wrong)?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
