//! `journal verify --replay`: what the journal says was done is done again on an empty store; every output and the state
//! at the end must be the same (PROTOCOL P21, P23).

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;

use headroom_engine::{Cancelled, Record};
use headroom_store::{Durability, LogRecord, Reader, Store, StoreError, StoreOptions};
use headroom_wire::{Journal, output_to_protobuf, proto};

use super::data_dir::DataDir;
use super::log::{LOG_INPUT, read_back};
use crate::error::RunError;
use crate::lane::{Lane, LaneOptions, decode_journal, input_digest, parse_cancelled, poisoned};
use crate::merge::Merge;

/// Read at a time.
const CHUNK: usize = 1_000;
const CHUNK_BYTES: usize = 16 << 20;
/// Differences told; more are counted.
const TOLD_MAX: usize = 20;

/// How far a replay has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReplayProgress {
    /// Journal records done again, over all shards.
    pub journal_records: u64,
    /// Records decided again.
    pub records: u64,
    /// Outputs compared.
    pub outputs: u64,
}

/// Something that came out otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplayDifference {
    /// In which shard.
    pub shard: u32,
    /// At which journal record.
    pub seq: u64,
    /// Whose account, as far as there is one.
    pub account: String,
    /// What differs.
    pub what: String,
}

/// Does again what a data directory's journal says, in a store of its own under `scratch`. Inputs that came from files
/// are read from `events`: all the files of all runs. Gives the differences, of which the first are told.
///
/// # Errors
/// HR0523 if the journal does not go back to the first record; what stores and files say.
pub fn replay_journal(
    dir: &DataDir,
    events: &[PathBuf],
    scratch: &std::path::Path,
    progress: &mut dyn FnMut(ReplayProgress),
) -> Result<Vec<ReplayDifference>, RunError> {
    let mut at = ReplayProgress::default();
    let mut differences = Vec::new();
    if dir.is_of_topics() {
        return Err(RunError::Replay("it was decided from topics, whose records are not here".to_owned()));
    }
    for shard in 0..dir.shards() {
        let reader = dir.read(shard, &StoreOptions::default())?;
        let store = StoreOptions { durability: Durability::Process, ..StoreOptions::default() };
        let store = Store::open(&scratch.join(format!("shard-{shard:03}")), store)?;
        let mut replay = Replay::new(shard, reader, store, events)?;
        replay.run(&mut at, progress)?;
        differences.append(&mut replay.differences);
    }
    Ok(differences)
}

struct Replay {
    shard: u32,
    reader: Reader,
    lane: Lane,
    log: VecDeque<(u64, LogRecord)>,
    log_next: u64,
    files: Option<Merge>,
    stored: VecDeque<(u64, Vec<u8>)>,
    stored_next: u64,
    /// Timers that were cancelled in a commit of their own, before the record that follows.
    cancelled: BTreeSet<Cancelled>,
    differences: Vec<ReplayDifference>,
}

impl Replay {
    fn new(shard: u32, reader: Reader, store: Store, events: &[PathBuf]) -> Result<Self, RunError> {
        if reader.journal_start()? > 1 || reader.outputs_start()? > 0 {
            return Err(RunError::Replay("its first records are trimmed: there is nothing to begin from".to_owned()));
        }
        let Some((_, first)) = reader.journal_from(1, 1)?.into_iter().next() else {
            return Err(RunError::Replay("it is empty".to_owned()));
        };
        let files = files_of(&reader, &decode_journal(&first)?.ruleset_hash)?;
        let lane = Lane::open(store, &files, true, None, LaneOptions { shard, ..LaneOptions::default() })?;
        let files = if events.is_empty() { None } else { Some(Merge::open(events, |_, _| 0)?) };
        let (log, stored) = (VecDeque::new(), VecDeque::new());
        let (cancelled, differences) = (BTreeSet::new(), Vec::new());
        Ok(Self { shard, reader, lane, log, log_next: 0, files, stored, stored_next: 0, cancelled, differences })
    }

    fn run(&mut self, at: &mut ReplayProgress, progress: &mut dyn FnMut(ReplayProgress)) -> Result<(), RunError> {
        let mut next = 1;
        loop {
            let chunk = self.reader.journal_from(next, CHUNK)?;
            let Some((last, _)) = chunk.last() else { break };
            next = last + 1;
            for (_, bytes) in &chunk {
                let journal = decode_journal(bytes)?;
                at.records += self.again(&journal, &mut at.outputs)?;
                at.journal_records += 1;
                progress(*at);
                if self.differences.len() > TOLD_MAX {
                    return Ok(());
                }
            }
        }
        self.compare_end(next - 1)
    }

    /// One journal record again; says how many records it took.
    fn again(&mut self, journal: &Journal, outputs: &mut u64) -> Result<u64, RunError> {
        if journal.ruleset_seeded {
            let files = files_of(&self.reader, &journal.ruleset_hash)?;
            self.lane.reseed(&files)?;
            return Ok(0);
        }
        let records = self.records(journal)?;
        self.cancelled.extend(journal.cancelled.iter().filter_map(|each| parse_cancelled(each)));
        if records.is_empty() && journal.tick.is_none() {
            // A chunk of timers: they fire before the record that follows, in whatever chunks.
            return Ok(0);
        }
        let cancelled = std::mem::take(&mut self.cancelled);
        if input_digest(&records) != journal.input_digest && journal.poisoned.is_empty() {
            self.differ(journal.seq, "", "the inputs are not those that were taken".to_owned());
        }
        let mut again = Vec::new();
        self.lane.again(&records, journal.tick, &cancelled, &mut |piece| {
            again.extend_from_slice(piece.outputs);
            None
        })?;
        *outputs += again.len() as u64;
        again.iter().try_for_each(|output| self.compare(journal.seq, output))?;
        Ok(records.len() as u64)
    }

    fn records(&mut self, journal: &Journal) -> Result<Vec<Record>, RunError> {
        let mut records = Vec::new();
        for input in &journal.inputs {
            for _ in 0..input.count {
                let record = if input.input == LOG_INPUT { self.next_of_log()? } else { self.next_of_files()? };
                records.push(record);
            }
        }
        for record in &mut records {
            if journal.poisoned.contains(&record.position) {
                *record = poisoned(record);
            }
        }
        Ok(records)
    }

    fn next_of_log(&mut self) -> Result<Record, RunError> {
        if self.log.is_empty() {
            self.log = self.reader.log_from(self.log_next, CHUNK, CHUNK_BYTES)?.into();
        }
        let Some((offset, stored)) = self.log.pop_front() else {
            return Err(RunError::Replay(format!("the log ends before offset {}", self.log_next)));
        };
        self.log_next = offset + 1;
        Ok(read_back(self.shard, offset, &stored))
    }

    fn next_of_files(&mut self) -> Result<Record, RunError> {
        let missing = || RunError::Replay("records came from event files: name all of them with --events".to_owned());
        let merge = self.files.as_mut().ok_or_else(missing)?;
        merge.next_record()?.ok_or_else(missing)
    }

    fn compare(&mut self, seq: u64, output: &proto::Output) -> Result<(), StoreError> {
        if self.stored.is_empty() {
            self.stored = self.reader.outputs_from(self.stored_next, CHUNK)?.into();
        }
        let stored = self.stored.pop_front();
        let Some((sequence, stored)) = stored else {
            self.differ(seq, account_of(output), "this time there are more outputs".to_owned());
            return Ok(());
        };
        self.stored_next = sequence + 1;
        if stored != output_to_protobuf(output) {
            self.differ(seq, account_of(output), describe(sequence, &stored, output));
        }
        Ok(())
    }

    fn compare_end(&mut self, seq: u64) -> Result<(), RunError> {
        self.lane.settle()?;
        if self.stored_next != self.reader.outputs_count()? {
            let more = self.reader.outputs_count()? - self.stored_next;
            self.differ(seq, "", format!("{more} outputs were stored that did not come again"));
        } else if self.differences.is_empty() && self.lane.store().reader().digest()? != self.reader.digest()? {
            self.differ(seq, "", "the state at the end is another one".to_owned());
        }
        Ok(())
    }

    fn differ(&mut self, seq: u64, account: &str, what: String) {
        self.differences.push(ReplayDifference { shard: self.shard, seq, account: account.to_owned(), what });
    }
}

fn files_of(reader: &Reader, hash: &str) -> Result<Vec<(String, String)>, RunError> {
    reader.ruleset(hash)?.ok_or_else(|| RunError::Replay(format!("ruleset `{hash}` is not stored")))
}

fn account_of(output: &proto::Output) -> &str {
    use proto::output::Body;
    match &output.body {
        Some(Body::LimitChange(each)) => &each.account_id,
        Some(Body::Offer(each)) => &each.account_id,
        Some(Body::Notice(each)) => &each.account_id,
        Some(Body::Review(each)) => &each.account_id,
        Some(Body::DeadLetter(each)) => &each.account_id,
        None => "",
    }
}

/// Kind, account and rule of both.
fn describe(sequence: u64, stored: &[u8], again: &proto::Output) -> String {
    let stored = headroom_wire::output_from_protobuf(stored).map(|each| name(&each));
    let stored = stored.unwrap_or_else(|error| format!("bytes that do not decode ({error})"));
    format!("output {sequence} was {stored}, and is now {}", name(again))
}

fn name(output: &proto::Output) -> String {
    use proto::output::Body;
    let (kind, rule) = match &output.body {
        Some(Body::LimitChange(each)) => (format!("change {} of", each.sequence), each.rule_id.as_str()),
        Some(Body::Offer(each)) => ("an offer to".to_owned(), each.rule_id.as_str()),
        Some(Body::Notice(each)) => ("a notice to".to_owned(), each.rule_id.as_str()),
        Some(Body::Review(each)) => (format!("a review {} of", each.kind), each.rule_id.as_str()),
        Some(Body::DeadLetter(each)) => (format!("a dead letter {} of", each.code), ""),
        None => ("nothing of".to_owned(), ""),
    };
    let rule = if rule.is_empty() { String::new() } else { format!(" by rule `{rule}`") };
    format!("{kind} `{}`{rule}", account_of(output))
}
