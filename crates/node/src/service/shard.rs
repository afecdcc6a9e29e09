//! One shard as the rest of the process sees it: what waits for it, where it stands.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headroom_engine::{Record, Ruleset, Timestamp};
use headroom_store::{Reader, StoreError};
use tokio::sync::watch;

use super::admission::Admission;
use super::bell::Bell;
use super::ticket::Ticket;
use crate::telemetry;

/// What a shard does right now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShardStatus {
    /// Decides what was in its log when it was opened.
    Opening,
    /// Takes events.
    Serving,
    /// Another node of the group has it, or none yet.
    Away,
    /// Stopped by an error; its data is as the last commit left it.
    Sealed {
        /// The error's code.
        code: &'static str,
        /// What went wrong.
        detail: String,
    },
}

/// Where a shard stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShardReport {
    /// Its number.
    pub shard: u32,
    /// What it does.
    pub status: ShardStatus,
    /// Its clock after the last commit.
    pub now: Timestamp,
    /// Records taken and not yet decided.
    pub backlog_records: u64,
    /// Accounts after the last commit.
    pub accounts: u64,
}

/// A record that waits for its decision.
#[derive(Debug)]
pub struct Pending {
    pub record: Record,
    pub ticket: Arc<Ticket>,
    /// Which of its group.
    pub index: usize,
}

struct State {
    status: ShardStatus,
    now: Timestamp,
    accounts: u64,
    /// None where nothing of the shard was ever here.
    open: Option<Open>,
}

/// What is there once a store is open.
#[derive(Clone)]
struct Open {
    reader: Reader,
    ruleset: Arc<Ruleset>,
}

/// What threads share of one shard.
pub struct Shard {
    pub number: u32,
    pub admission: Arc<Admission>,
    /// The lane that serves it.
    pub bell: Arc<Bell>,
    /// End of the durable outputs.
    pub committed: watch::Sender<u64>,
    /// The log's thread has ended: nothing more comes.
    pub log_closed: AtomicBool,
    /// Bounded by the admission.
    inbox: Mutex<VecDeque<Pending>>,
    state: Mutex<State>,
}

impl Shard {
    pub fn new(
        number: u32,
        reader: Reader,
        admission: Arc<Admission>,
        bell: Arc<Bell>,
        ruleset: Arc<Ruleset>,
        outputs_end: u64,
    ) -> Self {
        let shard = Self::away_from_here(number, admission, bell);
        shard.opening();
        shard.opened(reader, ruleset, outputs_end);
        shard
    }

    /// A shard of which nothing is here yet.
    pub fn away_from_here(number: u32, admission: Arc<Admission>, bell: Arc<Bell>) -> Self {
        let state = State { status: ShardStatus::Away, now: Timestamp::default(), accounts: 0, open: None };
        Self {
            number,
            admission,
            bell,
            committed: watch::Sender::new(0),
            log_closed: AtomicBool::new(false),
            inbox: Mutex::default(),
            state: Mutex::new(state),
        }
    }

    /// It is being opened here.
    pub fn opening(&self) {
        lock(&self.state).status = ShardStatus::Opening;
    }

    /// Its store is open: it can be read.
    pub fn opened(&self, reader: Reader, ruleset: Arc<Ruleset>, outputs_end: u64) {
        lock(&self.state).open = Some(Open { reader, ruleset });
        self.committed.send_replace(outputs_end);
    }

    /// Another node has it from here on. What waits for its store is gone with the next opening.
    pub fn away(&self) {
        let mut state = lock(&self.state);
        (state.status, state.open) = (ShardStatus::Away, None);
    }

    /// What is committed, while the shard is here.
    pub fn reader(&self) -> Option<Reader> {
        lock(&self.state).open.as_ref().map(|open| open.reader.clone())
    }

    /// Hands records to the lane.
    pub fn deliver(&self, pending: impl IntoIterator<Item = Pending>) {
        lock(&self.inbox).extend(pending);
        self.bell.ring();
    }

    /// What waits, in order, at most so much.
    pub fn take(&self, at_most: usize) -> Vec<Pending> {
        let mut inbox = lock(&self.inbox);
        let count = inbox.len().min(at_most);
        inbox.drain(..count).collect()
    }

    /// Nothing waits, here or in front of the log.
    pub fn is_idle(&self) -> bool {
        self.admission.waiting() == 0
    }

    /// Nothing waits and nothing more comes.
    pub fn is_drained(&self) -> bool {
        self.log_closed.load(Ordering::Acquire) && lock(&self.inbox).is_empty()
    }

    pub fn status(&self) -> ShardStatus {
        lock(&self.state).status.clone()
    }

    pub fn serving(&self) {
        let mut state = lock(&self.state);
        if state.status == ShardStatus::Opening {
            state.status = ShardStatus::Serving;
        }
    }

    /// Stops for good: only the first cause counts. What waits is told so by its tickets' end.
    pub fn seal(&self, code: &'static str, detail: &str) {
        let mut state = lock(&self.state);
        if !matches!(state.status, ShardStatus::Sealed { .. }) {
            telemetry::shard_sealed(self.number, code, detail);
            state.status = ShardStatus::Sealed { code, detail: detail.to_owned() };
        }
        drop(state);
        lock(&self.inbox).clear();
    }

    pub fn seal_by(&self, error: &StoreError) {
        self.seal(error.code(), &error.to_string());
    }

    /// After a commit.
    pub fn moved(&self, now: Timestamp, accounts: u64, ruleset: &Arc<Ruleset>) {
        let mut state = lock(&self.state);
        (state.now, state.accounts) = (now, accounts);
        if let Some(open) = &mut state.open
            && !Arc::ptr_eq(&open.ruleset, ruleset)
        {
            open.ruleset = Arc::clone(ruleset);
        }
    }

    /// The ruleset in force, while the shard is here.
    pub fn ruleset(&self) -> Option<Arc<Ruleset>> {
        lock(&self.state).open.as_ref().map(|open| Arc::clone(&open.ruleset))
    }

    pub fn report(&self) -> ShardReport {
        let state = lock(&self.state);
        ShardReport {
            shard: self.number,
            status: state.status.clone(),
            now: state.now,
            backlog_records: self.admission.waiting() as u64,
            accounts: state.accounts,
        }
    }
}

/// Each holder leaves what it guards whole, also where it panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
