//! Giving adverse changes back: under caps, and not past a later adverse change of another cause.

use crate::output::Trace;
use crate::stack::{Undo, UndoField};
use crate::vocabulary::{Cause, ChangeKind};

use super::decide::Decision;
use super::emit::Change;
use super::proposal::{Act, Proposal, UndoOf};
use super::propose::percent_of;

impl Decision<'_> {
    /// Entries that an undo would give back.
    pub fn undoable(&self, act: &Act) -> impl Iterator<Item = &Undo> {
        let asked = match act {
            Act::Undo { of, field, .. } => Some((*of, *field)),
            _ => None,
        };
        let entries = &self.account.stack.undo;
        entries.iter().filter(move |each| {
            let wanted = asked.is_some_and(|(of, field)| {
                let meant = match of {
                    UndoOf::Suspect(suspect) => suspect.covers(each),
                    UndoOf::Cause(cause) => each.cause == Some(cause),
                };
                meant && field.is_none_or(|field| each.field == field)
            });
            let passed = entries.iter().any(|later| later.at > each.at && later.cause != each.cause);
            wanted && !passed
        })
    }

    /// Whether an undo lifts the block of a cause.
    pub fn gives_back(&self, act: &Act, cause: Cause) -> bool {
        let undo = matches!(act, Act::Undo { .. });
        undo && self.undoable(act).any(|each| each.field == UndoField::Block && each.cause == Some(cause))
    }

    /// Gives back, and consumes the entries.
    pub fn undo(&mut self, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let Act::Undo { percent, .. } = proposal.act else { return None };
        let entries: Vec<Undo> = self.undoable(&proposal.act).copied().collect();
        let before = self.stack_view();
        for entry in &entries {
            self.give_back(entry, percent);
        }
        self.account.stack.undo.retain(|each| !entries.iter().any(|gone| gone.sequence == each.sequence));
        let change = Change::new(ChangeKind::Undone, before, self.now).by(proposal, traces);
        Some(self.emit(change))
    }

    fn give_back(&mut self, entry: &Undo, percent: i64) {
        let delta = percent_of(entry.delta, percent).unwrap_or(0);
        match (entry.field, entry.cause) {
            (UndoField::Base, _) => {
                let today = self.context.ruleset.settings.zone.day(self.now);
                let stack = &mut self.account.stack;
                let lowest_cap = stack.caps.iter().map(|each| each.amount).min().unwrap_or(i64::MAX);
                let to = stack.base.saturating_add(delta).min(lowest_cap.max(stack.base));
                stack.base = to;
                self.account.growth.note(today, to);
            }
            (UndoField::Block, Some(cause)) => {
                self.account.stack.blocks.retain(|each| each.cause != cause);
                self.account.stack.waivers.retain(|each| each.cause != cause);
            }
            (UndoField::Block | UndoField::Boost, _) => {}
        }
    }
}
