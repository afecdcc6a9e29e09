//! What panics or kills the process is found, set aside, and journaled; the shard goes on (PROTOCOL P19).
//!
//! A panic inside a step is caught, and the step is taken again in pieces of one: the timer, record or swept account
//! that still panics is cancelled. A death leaves no chance to look: so the store remembers where a process started, and
//! after two deaths at one place each piece is marked while it is decided. What three deaths in a row happened over is
//! the culprit.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use headroom_engine::{AccountId, Cancelled, Commit, Record, Refusal, RefusalCode, Timer, Timestamp};
use headroom_store::{Reader, StoreError};
use serde::{Deserialize, Serialize};

use super::{Commits, Lane, Pieces, Tell};
use crate::error::RunError;

/// Deaths at one place after which pieces are marked.
const DEATHS: u32 = 2;
/// Deaths in a row while one piece was marked after which it is set aside. More than two: a process holds many shards,
/// and what kills it in one may find another that happens to be deciding.
const DEATHS_OF_ONE: u32 = 3;

/// Runs what may panic; `None`: it did, and the panic hook has told.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    // What the closure held is dropped; the lane's own state is moved on by commits alone.
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// What the store remembers of starts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Mark {
    /// Journal records at the start.
    seq: u64,
    /// Starts at this place that did not end well.
    deaths: u32,
    /// What is being decided: as the journal names it, or `record INPUT PARTITION OFFSET`.
    trying: Option<String>,
    /// How often processes died in a row over pieces tried here. What is condemned stays so until the place is passed:
    /// where a sweep kills, the record before it is suspected first.
    died: BTreeMap<String, u32>,
}

/// How careful the next records are to be.
#[derive(Debug, Default)]
pub struct Care {
    mark: Mark,
    /// Records whose trying is marked before it; while there are some, so is that of ticks.
    records_left: usize,
}

impl Mark {
    /// The next start at the same place.
    fn died_again(mut self) -> Self {
        match self.trying.take() {
            Some(what) => {
                // Nothing is condemned for deaths that do not follow one another.
                self.died.retain(|other, deaths| *other == what || *deaths >= DEATHS_OF_ONE);
                *self.died.entry(what).or_default() += 1;
            }
            None => self.died.clear(),
        }
        Self { deaths: self.deaths + 1, ..self }
    }
}

impl Care {
    /// What the last starts left.
    pub fn read(reader: &Reader) -> Result<Self, StoreError> {
        let mark = reader.attempt()?.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Ok(Self { mark, records_left: 0 })
    }

    pub fn is_needed(&self) -> bool {
        self.records_left > 0
    }
}

impl Lane {
    /// Remembers that a process starts here. After deaths at this very place the next `records` are tried one by one.
    ///
    /// # Errors
    /// What the store says.
    pub fn begin(&mut self, records: usize) -> Result<(), StoreError> {
        let seq = self.place();
        let before = std::mem::take(&mut self.care.mark);
        let here = self.is_here(&before);
        self.care.mark = if here { Mark { seq, ..before.died_again() } } else { Mark { seq, ..Mark::default() } };
        if self.care.mark.deaths >= DEATHS {
            tracing::warn!(
                deaths = self.care.mark.deaths,
                "starting where processes died before: one record at a time"
            );
            self.care.records_left = records;
        }
        self.write_mark()
    }

    /// Forgets the start: the process ends well.
    ///
    /// # Errors
    /// What the store says.
    pub fn end(&mut self) -> Result<(), StoreError> {
        self.care.mark = Mark { seq: u64::MAX, ..Mark::default() };
        self.write_mark()
    }

    /// Processes died here: records are to come one at a time, each committed before the next.
    pub fn is_careful(&self) -> bool {
        self.care.is_needed()
    }

    /// The next record of the journal that a start would find.
    fn place(&self) -> u64 {
        self.head.chain.next() - self.staged() as u64
    }

    /// Where commits are transactions every start writes that it took the shard over (PROTOCOL P11): a process that
    /// came no further than this has not passed the place.
    fn is_here(&self, mark: &Mark) -> bool {
        let taken_over = u64::from(self.commits == Commits::Staged);
        let place = self.place();
        mark.seq <= place && place - mark.seq <= taken_over
    }

    fn write_mark(&mut self) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(&self.care.mark).expect("numbers and a text have a JSON form");
        self.store.set_attempt(&bytes)
    }

    /// Says before it is decided what is decided, where processes died before. True: they died of it.
    fn is_culprit(&mut self, what: &str) -> Result<bool, StoreError> {
        if !self.is_here(&self.care.mark) {
            self.care.mark = Mark { seq: self.place(), deaths: DEATHS, ..Mark::default() };
        }
        if self.care.mark.died.get(what).is_some_and(|deaths| *deaths >= DEATHS_OF_ONE) {
            return Ok(true);
        }
        if self.care.records_left > 0 {
            self.care.mark.trying = Some(what.to_owned());
            self.write_mark()?;
        }
        Ok(false)
    }

    /// It is decided, and nobody died.
    fn survived(&mut self) -> Result<(), StoreError> {
        if self.care.mark.trying.take().is_some() {
            self.write_mark()?;
        }
        Ok(())
    }

    /// Piece by piece: timers one at a time, then one record.
    pub(super) fn carefully(
        &mut self,
        records: &[Record],
        tick: Option<Timestamp>,
        tell: Tell<'_>,
    ) -> Result<(), RunError> {
        for record in records {
            self.fire_singly(record.timestamp.max(self.head.state.now), tell)?;
            self.take_singly(record, tell)?;
            self.care.records_left = self.care.records_left.saturating_sub(1);
        }
        if let Some(tick) = tick {
            self.fire_singly(tick.max(self.head.state.now), tell)?;
            self.sweep_carefully(&[], Some(tick), tell)?;
            // A tick comes when all records are decided: with it the place is passed, unless rows are left.
            if self.head.state.sweep.is_none() {
                self.care.records_left = 0;
            }
        }
        Ok(())
    }

    fn fire_singly(&mut self, until: Timestamp, tell: Tell<'_>) -> Result<(), RunError> {
        while let Some((account, timer)) = self.store.due_timers(until, None, 1)?.pop() {
            let commit = self.fire_one(&account, timer)?;
            self.commit(commit, &[], tell)?;
        }
        Ok(())
    }

    fn fire_one(&mut self, account: &AccountId, timer: Timer) -> Result<Commit, RunError> {
        let cancel = Cancelled::Timer(account.clone(), timer);
        let name = super::journal::cancelled(&cancel);
        if !self.is_culprit(&name)? {
            let fired = self.timers(vec![(account.clone(), timer)], &BTreeSet::new())?;
            self.survived()?;
            if let Some(commit) = fired {
                return Ok(commit);
            }
        }
        tracing::error!(timer = name, "firing a timer fails: it is cancelled, and a review asks for a person");
        let cancelled = self.timers(vec![(account.clone(), timer)], &BTreeSet::from([cancel]))?;
        cancelled.ok_or(RunError::Poisoned)
    }

    fn take_singly(&mut self, record: &Record, tell: Tell<'_>) -> Result<(), RunError> {
        let at = &record.position;
        let name = format!("record {} {} {}", at.input, at.partition, at.offset);
        let one = std::slice::from_ref(record);
        while !self.is_culprit(&name)? {
            let stepped = self.step(one, None, &BTreeSet::new())?;
            self.survived()?;
            let Some(commit) = stepped else { break };
            let taken = commit.taken;
            self.commit(commit, &one[..taken], tell)?;
            if taken > 0 {
                return Ok(());
            }
        }
        let poisoned = [poisoned(record)];
        // Without the record's event only what is swept before it is left to blame.
        if self.panicking_rows(&poisoned, None)?.is_empty() {
            tracing::error!(record = name, "deciding on a record fails: it becomes a dead letter POISONED");
            return self.all(&poisoned, tell);
        }
        self.sweep_carefully(one, None, tell)
    }

    /// A record or a tick, without the accounts whose sweeping panics.
    fn sweep_carefully(&mut self, records: &[Record], tick: Option<Timestamp>, tell: Tell<'_>) -> Result<(), RunError> {
        let cancelled = self.panicking_rows(records, tick)?;
        for each in &cancelled {
            tracing::error!(what = super::journal::cancelled(each), "a sweep panicked: the account is left out");
        }
        match self.pieces(records, tick, &cancelled, tell)? {
            Pieces::All => Ok(()),
            Pieces::Panicked { .. } => match records {
                [record] => {
                    let poisoned = [poisoned(record)];
                    let done = self.pieces(&poisoned, tick, &cancelled, tell)?;
                    if let Pieces::All = done { Ok(()) } else { Err(RunError::Poisoned) }
                }
                _ => Err(RunError::Poisoned),
            },
        }
    }

    /// The accounts of the next rows that panic when they alone are swept.
    fn panicking_rows(&mut self, records: &[Record], tick: Option<Timestamp>) -> Result<BTreeSet<Cancelled>, RunError> {
        if self.stands("all rows", records, tick, &BTreeSet::new())? {
            return Ok(BTreeSet::new());
        }
        let (_, swept) = self.rows(records.len(), tick)?;
        let all: BTreeSet<Cancelled> = swept.iter().cloned().map(Cancelled::Sweep).collect();
        let mut panicking = BTreeSet::new();
        for each in &all {
            let others = all.iter().filter(|other| *other != each).cloned().collect();
            if !self.stands(&super::journal::cancelled(each), records, tick, &others)? {
                panicking.insert(each.clone());
            }
        }
        // If it panics without any row it is not the rows.
        let blameless = !self.stands("no rows", records, tick, &all)?;
        Ok(if blameless { BTreeSet::new() } else { panicking })
    }

    /// Whether a step that is not kept neither panics nor has killed processes.
    fn stands(
        &mut self,
        what: &str,
        records: &[Record],
        tick: Option<Timestamp>,
        cancelled: &BTreeSet<Cancelled>,
    ) -> Result<bool, RunError> {
        if self.is_culprit(what)? {
            return Ok(false);
        }
        let stood = self.step(records, tick, cancelled)?.is_some();
        self.survived()?;
        Ok(stood)
    }

    fn all(&mut self, records: &[Record], tell: Tell<'_>) -> Result<(), RunError> {
        match self.pieces(records, None, &BTreeSet::new(), tell)? {
            Pieces::All => Ok(()),
            Pieces::Panicked { .. } => Err(RunError::Poisoned),
        }
    }
}

/// The record as a dead letter. The event is set aside whole, so its account is named in the detail.
pub fn poisoned(record: &Record) -> Record {
    let of = record.event.as_ref().map_or_else(|_| String::new(), |event| format!(" of account `{}`", event.account));
    let detail = format!("deciding on this event{of} panicked: it was set aside, and the shard went on");
    Record { event: Err(Refusal::new(RefusalCode::Poisoned, detail)), ..record.clone() }
}
