//! A lane: one thread that serves some shards, round after round.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headroom_engine::{Record, Timestamp};
use headroom_store::{StoreError, Trim, fault};
use headroom_wire::proto;

use super::bell::Bell;
use super::lane_loop::{Log, Ticker};
use super::log::read_back;
use super::round::Round;
use super::shard::{Pending, Shard, ShardStatus};
use super::ticket::Ticket;
use crate::config::LogTime;
use crate::decode::wall_clock;
use crate::error::RunError;
use crate::lane::{Done, Lane, Piece, decode_journal};
use crate::telemetry;

/// A lane without shards looks around so often.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Clocks differ by so many milliseconds (PROTOCOL P3).
const CLOCK_LAG_MAX: i64 = 5_000;
/// Bytes of the log read at a time after a restart.
const READ_BACK_BYTES: usize = 16 << 20;
/// Journal records looked at for each trim.
const TRIM_RECORDS: usize = 1_000;

/// How a lane works.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Records of one round, at most.
    pub batch_records: usize,
    /// How often an idle shard looks whether timers are due.
    pub tick: Duration,
    /// Whose time records carry; only with the server's does the clock tick.
    pub time: LogTime,
    /// Journal, log and outputs older than this by the shard's clock are trimmed; milliseconds.
    pub keep: i64,
    /// How often.
    pub trim_every: Duration,
}

/// A shard with what only its lane touches.
pub struct Served {
    shard: Arc<Shard>,
    lane: Lane,
    pace: Pace,
    ticker: Ticker,
    trimmed_at: Instant,
    /// A trim that was begun.
    trimming: Option<Trim>,
    clock_is_behind: bool,
}

/// The embedded logs of a lane's shards: a write to the store makes a round count.
pub struct EmbeddedLog {
    served: Vec<Served>,
    bell: Arc<Bell>,
    stopping: Arc<AtomicBool>,
    pause: Duration,
}

impl EmbeddedLog {
    /// What its shards' logs hold already is decided before it returns.
    pub fn open(mut served: Vec<Served>, bell: Arc<Bell>, stopping: Arc<AtomicBool>) -> Self {
        let pause = served.iter().map(|each| each.pace.tick).min().unwrap_or(PAUSE_MAX);
        for each in &mut served {
            each.guarded(Served::catch_up);
        }
        Self { served, bell, stopping, pause }
    }
}

impl Log for EmbeddedLog {
    /// Until the service stops and everything is decided.
    fn attend(&mut self) -> bool {
        !(self.stopping.load(Ordering::Acquire) && self.served.iter().all(Served::is_over))
    }

    fn round(&mut self) -> bool {
        let mut worked = false;
        for each in &mut self.served {
            worked |= each.guarded(Served::turn);
        }
        worked
    }

    fn wait(&mut self, worked: bool) {
        if !worked {
            self.bell.wait(self.pause);
        }
    }

    fn finish(&mut self) {
        for each in &mut self.served {
            each.guarded(Served::finish);
        }
    }
}

impl Served {
    pub fn new(shard: Arc<Shard>, lane: Lane, pace: Pace) -> Self {
        let now = Instant::now();
        Self { shard, lane, pace, ticker: Ticker::default(), trimmed_at: now, trimming: None, clock_is_behind: false }
    }

    /// Does a piece of work unless the shard is sealed, and seals it if that fails. Says whether anything was done.
    fn guarded(&mut self, work: impl FnOnce(&mut Self) -> Result<bool, RunError>) -> bool {
        if matches!(self.shard.status(), ShardStatus::Sealed { .. }) {
            return false;
        }
        let _span = telemetry::round_span(self.shard.number, self.lane.journal_end()).entered();
        work(self).unwrap_or_else(|error| {
            seal(&self.shard, &error);
            true
        })
    }

    fn is_over(&self) -> bool {
        self.shard.is_drained() || matches!(self.shard.status(), ShardStatus::Sealed { .. })
    }

    /// Decides what the log holds behind the shard's position: the process ended before it could.
    fn catch_up(&mut self) -> Result<bool, RunError> {
        let started = Instant::now();
        self.lane.begin(self.pace.batch_records)?;
        let mut offset = self.lane.log_position()?;
        let first = offset;
        loop {
            let stored = self.lane.store().reader().log_from(offset, self.pace.batch_records, READ_BACK_BYTES)?;
            let Some((last, _)) = stored.last() else { break };
            offset = last + 1;
            let number = self.shard.number;
            let records: Vec<Record> = stored.iter().map(|(at, each)| read_back(number, *at, each)).collect();
            let shard = Arc::clone(&self.shard);
            self.lane.round(&records, None, &mut |piece| Some(announce(&shard, &piece, Vec::new(), Instant::now())))?;
        }
        self.lane.settle()?;
        self.publish_state();
        let report = self.shard.report();
        telemetry::shard_opened(self.shard.number, report.accounts, started.elapsed(), offset - first);
        fault::point("lane.caught_up");
        self.shard.serving();
        Ok(true)
    }

    /// One round: what waits, else a look at the clock and at what is old.
    fn turn(&mut self) -> Result<bool, RunError> {
        let pending = self.shard.take(self.pace.batch_records);
        if !pending.is_empty() {
            self.decide(pending)?;
            return Ok(true);
        }
        if self.trimmed_at.elapsed() >= self.pace.trim_every {
            return self.trim();
        }
        self.tick()
    }

    fn decide(&mut self, pending: Vec<Pending>) -> Result<(), RunError> {
        fault::point("lane.taken");
        let started = Instant::now();
        let mut records = Vec::with_capacity(pending.len());
        let mut tickets = Vec::with_capacity(pending.len());
        for Pending { record, ticket, index } in pending {
            records.push(record);
            tickets.push((ticket, index));
        }
        let mut tickets = tickets.into_iter();
        let shard = Arc::clone(&self.shard);
        let round = self.lane.round(&records, None, &mut |piece| {
            let decided = tickets.by_ref().take(piece.records.len());
            let told = decided.enumerate().map(|(at, (ticket, index))| {
                let outputs = if ticket.wants_outputs() { caused(&piece, at) } else { Vec::new() };
                (ticket, index, outputs)
            });
            Some(announce(&shard, &piece, told.collect(), started))
        });
        // Before the tickets are dropped: whoever waits for one that ends asks the shard why.
        round.inspect_err(|error| seal(&shard, error))?;
        self.publish_state();
        fault::point("lane.round_done");
        Ok(())
    }

    /// Moves the clock of a shard that has nothing to do, and what sweeps it has.
    fn tick(&mut self) -> Result<bool, RunError> {
        if !self.shard.is_idle() {
            return Ok(false);
        }
        let Some(tick) = self.wanted_tick()? else { return Ok(false) };
        fault::point("tick.before");
        let shard = Arc::clone(&self.shard);
        let started = Instant::now();
        self.lane.round(&[], Some(tick), &mut |piece| Some(announce(&shard, &piece, Vec::new(), started)))?;
        fault::point("tick.stepped");
        self.lane.settle()?;
        fault::point("tick.after");
        self.publish_state();
        self.ticker.ticked();
        telemetry::tick(self.shard.number);
        Ok(self.lane.state().sweep.is_some())
    }

    fn wanted_tick(&mut self) -> Result<Option<Timestamp>, RunError> {
        let wall = (self.pace.time == LogTime::Append).then(wall_clock);
        if let Some(wall) = wall {
            self.watch_clock(wall, self.lane.state().now);
        }
        Ok(self.ticker.wanted(&mut self.lane, self.pace.tick, wall)?)
    }

    /// Tells when the machine's clock has fallen behind the shard's by more than clocks differ, and when it is back.
    fn watch_clock(&mut self, wall: Timestamp, now: Timestamp) {
        let lag = now.since(wall);
        let is_behind = lag > CLOCK_LAG_MAX;
        if is_behind != self.clock_is_behind {
            self.clock_is_behind = is_behind;
            let lag = if is_behind { u64::try_from(lag).unwrap_or(0) } else { 0 };
            telemetry::clock_behind(self.shard.number, Duration::from_millis(lag));
        }
    }

    /// Removes a bounded part of what is older than the retention. True: there may be more.
    fn trim(&mut self) -> Result<bool, RunError> {
        let Some(below) = self.trimming.take().map_or_else(|| self.trim_point(), |below| Ok(Some(below)))? else {
            self.trimmed_at = Instant::now();
            return Ok(false);
        };
        let start = self.lane.store().reader().journal_start()?;
        if !self.lane.store_mut().trim(below)?.done {
            self.trimming = Some(below);
        }
        telemetry::trimmed(
            self.shard.number,
            "journal",
            below.journal_below.saturating_sub(start),
            below.journal_below,
        );
        Ok(true)
    }

    /// The newest of the oldest journal records that the retention no longer covers.
    fn trim_point(&mut self) -> Result<Option<Trim>, StoreError> {
        let oldest = self.lane.state().now.plus(-self.pace.keep);
        let reader = self.lane.store().reader();
        let start = reader.journal_start()?;
        let mut point = None;
        let mut log_below = reader.log_start()?;
        for (seq, bytes) in reader.journal_from(start, TRIM_RECORDS)? {
            let journal = decode_journal(&bytes)?;
            if journal.now >= oldest || seq + 1 >= self.lane.journal_end() {
                break;
            }
            let of_log = journal.inputs.iter().filter(|each| each.input == super::LOG_INPUT).map(|each| each.to);
            log_below = of_log.max().unwrap_or(log_below).max(log_below);
            let outputs_below = journal.outputs.first + journal.outputs.count;
            point = Some(Trim { journal_below: seq + 1, outputs_below, log_below });
        }
        Ok(point)
    }

    fn publish_state(&self) {
        let state = self.lane.state();
        self.shard.moved(state.now, state.accounts, self.lane.ruleset());
    }

    /// Everything durable and in files, so that the next start has nothing to do.
    fn finish(&mut self) -> Result<bool, RunError> {
        fault::point("stop.drained");
        self.lane.settle()?;
        self.lane.end()?;
        fault::point("stop.marked");
        self.lane.store_mut().flush()?;
        fault::point("stop.flushed");
        Ok(true)
    }
}

fn seal(shard: &Shard, error: &RunError) {
    shard.seal(error.code().unwrap_or("HR0306"), &error.to_string());
}

/// What one record of a piece caused.
fn caused(piece: &Piece<'_>, record: usize) -> Vec<proto::Output> {
    piece.commit.spans.get(record).map_or_else(Vec::new, |span| piece.outputs[span.clone()].to_vec())
}

/// Tells readers and requests once the piece is durable.
pub fn announce(
    shard: &Arc<Shard>,
    piece: &Piece<'_>,
    told: Vec<(Arc<Ticket>, usize, Vec<proto::Output>)>,
    started: Instant,
) -> Done {
    let (shard, end) = (Arc::clone(shard), piece.outputs_end);
    let round = Round::of(shard.number, piece, started);
    Box::new(move |written| {
        if let Err(error) = written {
            // Whoever waits hears of it by the end of its ticket.
            shard.seal_by(&error);
            return;
        }
        fault::point("announce.before");
        shard.committed.send_replace(end);
        // The records of a request follow each other.
        for of_one in told.chunk_by(|one, other| Arc::ptr_eq(&one.0, &other.0)) {
            telemetry::decision_latency(of_one[0].0.since().elapsed(), of_one.len() as u64);
        }
        for (ticket, index, outputs) in told {
            ticket.decided(index, outputs);
        }
        round.committed(shard.admission.waiting() as u64);
        fault::point("announce.after");
    })
}
