//! The sweep's part of a step: rows are counted alike in any batches, and touched if they are concerned.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use crate::decision::cancel;
use crate::event::AccountId;
use crate::shard::Cancelled;
use crate::sweep::{Rows, SWEEP_ROWS_PER_RECORD, Sweep, calls_for_sweep, concerned};

use super::Work;

/// What lies ahead of a pass: stored rows that the caller gave, and accounts that this batch made.
#[derive(Default)]
pub(super) struct Ahead {
    rows: Rows,
    /// Rows of `rows` that are passed.
    passed: usize,
    /// Accounts that are not stored yet.
    pub created: BTreeSet<AccountId>,
}

enum Next {
    Row(AccountId),
    /// There is no further account.
    End,
    /// Rows beyond those given may come first.
    Unknown,
}

impl Ahead {
    pub fn new(rows: Rows) -> Self {
        Self { rows, passed: 0, created: BTreeSet::new() }
    }

    /// The rows given are of no use to what comes: it starts elsewhere, or concerns other accounts.
    pub fn drop_rows(&mut self) {
        (self.rows, self.passed) = (Rows::default(), 0);
    }

    fn next(&self, after: Option<&AccountId>) -> Next {
        let created = self.created_after(after).next();
        match (self.rows.ids.get(self.passed), created) {
            (None, _) if !self.rows.end => Next::Unknown,
            (None, None) => Next::End,
            (Some(stored), Some(created)) => Next::Row(Arc::clone(stored.min(created))),
            (Some(only), None) | (None, Some(only)) => Next::Row(Arc::clone(only)),
        }
    }

    fn pass(&mut self, id: &AccountId) {
        self.passed += usize::from(self.rows.ids.get(self.passed) == Some(id));
    }

    /// Whether so many rows can be passed, or all that there are.
    fn reaches(&self, count: usize, after: Option<&AccountId>) -> bool {
        let stored = self.rows.ids.len() - self.passed;
        if self.rows.end || stored >= count {
            return true;
        }
        let Some(last) = self.rows.ids.last().filter(|_| stored > 0) else { return false };
        stored + self.created_after(after).take_while(|each| *each < last).count() >= count
    }

    fn created_after(&self, after: Option<&AccountId>) -> impl Iterator<Item = &AccountId> {
        let from = after.map_or(Bound::Unbounded, |id| Bound::Excluded(Arc::clone(id)));
        self.created.range((from, Bound::Unbounded))
    }
}

impl Work {
    /// A pass runs whose next rows the caller has not given: nothing more can be taken.
    pub(super) fn lacks_rows(&self) -> bool {
        let running = self.state.sweep.as_ref();
        running.is_some_and(|sweep| !self.ahead.reaches(SWEEP_ROWS_PER_RECORD, sweep.after.as_ref()))
    }

    /// Begins a pass if none runs and broadcasts behind a sequence call for one.
    pub(super) fn begin_sweep(&mut self, known: u64) {
        let broadcasts = &self.state.broadcasts;
        if self.state.sweep.is_none() && calls_for_sweep(&self.ruleset, broadcasts, known) {
            self.state.sweep = Some(Sweep { target: broadcasts.sequence(), after: None });
            self.ahead.drop_rows();
        }
    }

    /// Passes so many rows, as far as they are given. The pass ends where it finds no further row: after the last one
    /// only if it looks for another, so that it does not matter when the caller learns that the table ends.
    pub(super) fn sweep(&mut self, rows: usize) {
        for _ in 0..rows {
            let Some(sweep) = &mut self.state.sweep else { return };
            match self.ahead.next(sweep.after.as_ref()) {
                Next::Row(id) => {
                    self.ahead.pass(&id);
                    sweep.after = Some(Arc::clone(&id));
                    let target = sweep.target;
                    self.commit.swept += 1;
                    self.sweep_row(&id, target);
                }
                Next::End => {
                    let target = sweep.target;
                    self.state.sweep = None;
                    self.begin_sweep(target);
                    return;
                }
                Next::Unknown => return,
            }
        }
    }

    fn sweep_row(&mut self, id: &AccountId, target: u64) {
        let account = self.accounts.get(id).and_then(|each| each.account.as_ref());
        if !account.is_some_and(|each| concerned(&self.ruleset, &self.state.broadcasts, each, target)) {
            return;
        }
        let now = self.state.now;
        let cancelled = Cancelled::Sweep(Arc::clone(id));
        if self.cancelled.contains(&cancelled) {
            self.turn(id, |context, account| cancel::sweep(context, account, target, now));
            self.commit.cancelled.push(cancelled);
        } else {
            self.catch_up(id);
        }
    }
}
