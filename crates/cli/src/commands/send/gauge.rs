//! What all connections count together, and how many requests are under way.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::client::Answer;

use super::batch::{Batch, Origin};

/// So many refused records are told one by one; all are counted.
const TOLD_MAX: usize = 20;

/// Shared by the reader and all connections.
#[derive(Default)]
pub struct Gauge {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    told: Told,
    under_way: usize,
    failed: bool,
}

/// What was counted.
#[derive(Clone, Default)]
pub struct Told {
    /// Records that were taken.
    pub accepted: u64,
    /// Refused records by code.
    pub rejected: BTreeMap<String, u64>,
    /// The first of them.
    pub first: Vec<Rejected>,
    /// Records that were sent again because nobody knew whether they had been taken.
    pub twice: u64,
    /// Requests that were answered or broke.
    pub requests: u64,
    /// Those that repeated records.
    pub retries: u64,
    /// Answers that asked for a pause.
    pub waits: u64,
}

/// A record that was refused.
#[derive(Clone)]
pub struct Rejected {
    pub file: usize,
    pub line: u64,
    pub code: String,
    pub detail: String,
}

impl Gauge {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Counters are whole after every statement: a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts by hand.
    pub fn count(&self, count: impl FnOnce(&mut Told)) {
        count(&mut self.lock().told);
    }

    /// Counts an answer to the records of a batch from `start` on.
    pub fn answered(&self, answer: &Answer, batch: &Batch, start: usize) {
        let mut state = self.lock();
        state.told.accepted += answer.accepted;
        for each in answer.records.iter().filter(|each| each.status == "rejected") {
            let origin = each.index.and_then(|index| batch.origin(start + index));
            state.told.reject(origin, &each.code, &each.detail);
        }
    }

    /// Counts a record that is refused without asking the service.
    pub fn reject(&self, origin: Origin, code: &str, detail: &str) {
        self.lock().told.reject(Some(origin), code, detail);
    }

    /// Records that were taken so far.
    pub fn accepted(&self) -> u64 {
        self.lock().told.accepted
    }

    /// Everything so far.
    pub fn told(&self) -> Told {
        self.lock().told.clone()
    }

    /// A request is handed over.
    pub fn begins(&self) {
        self.lock().under_way += 1;
    }

    /// A request is answered for good.
    pub fn ends(&self) {
        self.lock().under_way -= 1;
        self.changed.notify_all();
    }

    /// A connection gives up: nobody waits for it.
    pub fn fails(&self) {
        self.lock().failed = true;
        self.changed.notify_all();
    }

    /// Waits until all requests are answered. False: a connection gave up.
    pub fn drained(&self) -> bool {
        let waits = |state: &mut State| state.under_way > 0 && !state.failed;
        let state = self.changed.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        !state.failed
    }
}

impl Told {
    fn reject(&mut self, origin: Option<Origin>, code: &str, detail: &str) {
        *self.rejected.entry(code.to_owned()).or_default() += 1;
        if let Some(Origin { file, line }) = origin
            && self.first.len() < TOLD_MAX
        {
            self.first.push(Rejected { file, line, code: code.to_owned(), detail: detail.to_owned() });
        }
    }
}
