//! Carrying winners out, one field after the other. After the guards every change must succeed.

use crate::booking::Direct;
use crate::output::Trace;
use crate::stack::{Block, Hold, HoldUntil, UNDO_MAX, Undo, UndoField};
use crate::timer::{Timer, TimerKind};
use crate::trigger::{On, TriggerKind};
use crate::vocabulary::{Cause, ChangeKind, Class};

use super::decide::Decision;
use super::emit::Change;
use super::proposal::{Act, Proposal};

impl Decision<'_> {
    /// Whether an act would change anything: what would not is no proposal.
    pub fn would_change(&self, proposal: &Proposal) -> bool {
        let stack = &self.account.stack;
        match &proposal.act {
            Act::Increase { to } => *to > stack.base,
            Act::Decrease { to } => *to < stack.base,
            Act::Schedule { .. } => !self.has_timer(TimerKind::Scheduled, self.number(proposal)),
            Act::Boost { amount, from, until, promotion } => {
                self.may_boost(self.number(proposal), *promotion) && !self.is_covered(*amount, *from, *until)
            }
            Act::ExtendBoost { until, promotion } => self.extendable(*until, *promotion).next().is_some(),
            Act::StepBoost { .. } => stack.boosts.iter().any(|each| each.expired && each.steps.is_none()),
            Act::EndBoost => stack.boosts.iter().any(|each| self.may_end(each)),
            Act::RegrantBoost => stack.boosts.iter().any(|each| each.steps.is_some() && each.amount < each.granted),
            Act::Freeze { .. } => self.frozen(&proposal.act, self.number(proposal)).is_some(),
            Act::Unfreeze { cause } => stack.block(*cause).is_some(),
            Act::Restore { cause, percent, waive_until } => self.would_restore(*cause, *percent, *waive_until),
            Act::Undo { .. } => self.undoable(&proposal.act).next().is_some(),
            Act::Cap { name, to, until } => {
                let standing = stack.caps.iter().find(|each| each.name == *name);
                standing.is_none_or(|each| each.amount != *to || each.until < *until)
            }
            Act::Uncap { name } => stack.caps.iter().any(|each| each.name == *name),
            Act::Hold { of, until: Some(until) } => {
                let same = |each: &&Hold| each.of == *of && each.rule == self.number(proposal);
                stack.holds.iter().find(same).is_none_or(|each| longer(&each.until, until))
            }
            Act::Hold { until: None, .. } | Act::Review { .. } | Act::Notify { .. } => true,
        }
    }

    fn number(&self, proposal: &Proposal) -> u32 {
        self.context.ruleset.rules[proposal.rule].number
    }

    pub fn has_timer(&self, kind: TimerKind, rule: u32) -> bool {
        self.account.timers.iter().any(|each| each.kind == kind && each.rule == rule)
    }

    /// Applies the winners; says which internal triggers follow.
    pub fn apply_all(&mut self, winners: Vec<Proposal>, traces: &[Trace]) -> Vec<On> {
        let (mut frozen, mut changed) = (false, false);
        let mut applied: Vec<usize> = Vec::new();
        for winner in &winners {
            let informs = matches!(winner.act, Act::Review { .. } | Act::Notify { .. });
            let granted = self.account.stack.granted(self.now).0;
            let change = if informs { None } else { self.apply(winner, traces) };
            if matches!(winner.act, Act::Schedule { .. }) {
                applied.push(winner.rule);
            }
            if let Some(id) = change {
                applied.push(winner.rule);
                // A cap that leaves what is granted as it is, is nothing to tell the customer.
                if winner.act.class() != Class::Cap || granted != self.account.stack.granted(self.now).0 {
                    self.notice_of_rule(winner, Some(id));
                }
                self.decreased |= matches!(winner.act, Act::Decrease { .. });
                if let Act::Freeze { cause, .. } = winner.act {
                    self.frozen.push(cause);
                    frozen = true;
                }
                changed |=
                    matches!(winner.act.class(), Class::Increase | Class::Boost | Class::Decrease | Class::Restore);
            }
        }
        for winner in &winners {
            self.inform(winner, &applied, traces);
        }
        let mut on = Vec::new();
        if frozen {
            on.push(On::Kind(TriggerKind::AccountFrozen));
        }
        if changed {
            on.push(On::Kind(TriggerKind::LimitChanged));
        }
        on
    }

    /// Applies one winner; the id of its change, or `None` if it made none.
    fn apply(&mut self, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        match &proposal.act {
            Act::Increase { to } | Act::Decrease { to } => self.set_base(*to, proposal, traces),
            Act::Schedule { due } => {
                let rule = self.number(proposal);
                self.account.timers.push(Timer { due: *due, kind: TimerKind::Scheduled, rule });
                self.tally.fired.push(rule);
                if !self.context.ruleset.rules[proposal.rule].announces() {
                    self.notice_of_rule(proposal, None);
                }
                None
            }
            Act::Boost { .. } => self.grant_boost(proposal, traces),
            Act::ExtendBoost { until, promotion } => self.extend_boost(*until, *promotion, proposal, traces),
            Act::StepBoost { percent, every, steps } => self.step_boost((*percent, *every, *steps), proposal, traces),
            Act::EndBoost => self.end_boost(proposal, traces),
            Act::RegrantBoost => self.regrant_boost(proposal, traces),
            Act::Freeze { .. } => self.freeze(proposal, traces),
            Act::Unfreeze { cause } => self.unfreeze(*cause, proposal, traces),
            Act::Restore { .. } => self.restore(proposal, traces),
            Act::Undo { .. } => self.undo(proposal, traces),
            Act::Cap { .. } | Act::Uncap { .. } => self.set_cap(proposal, traces),
            Act::Hold { of, until: Some(until) } => {
                let hold = Hold { of: *of, until: *until, rule: self.number(proposal) };
                self.set_hold(hold, proposal, traces)
            }
            Act::Hold { until: None, .. } => {
                self.tally.fired.push(self.number(proposal));
                None
            }
            Act::Review { .. } | Act::Notify { .. } => None,
        }
    }

    fn today(&self) -> i32 {
        self.context.ruleset.settings.zone.day(self.now)
    }

    pub fn note_favourable(&mut self) {
        let today = self.today();
        self.account.growth.note_favourable(today);
    }

    /// An adverse change of base ends boosts; an increase shrinks them by the same amount.
    fn set_base(&mut self, to: i64, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let before = self.stack_view();
        let (base, rule, cause) = (self.account.stack.base, self.number(proposal), self.declared_cause(proposal));
        let delta = to.saturating_sub(base);
        self.move_base(to);
        let kind = if delta > 0 {
            self.account.growth.last_increase = Some(self.now);
            self.note_favourable();
            self.spend_budget(delta);
            ChangeKind::Increase
        } else {
            self.remember_undo(UndoField::Base, -delta, cause, rule);
            ChangeKind::Decrease
        };
        let mut change = Change::new(kind, before, self.now).by(proposal, traces);
        change.adverse = delta < 0;
        Some(self.emit(change))
    }

    fn move_base(&mut self, to: i64) {
        let (today, now) = (self.today(), self.now);
        let stack = &mut self.account.stack;
        let delta = to.saturating_sub(stack.base);
        if delta < 0 {
            stack.boosts.clear();
            self.account.growth.last_decrease = Some(now);
        } else {
            stack.boosts.iter_mut().for_each(|each| each.amount = each.amount.saturating_sub(delta).max(0));
            stack.boosts.retain(|each| each.amount > 0);
        }
        stack.base = to;
        self.account.growth.note(today, to);
    }

    pub fn spend_budget(&mut self, amount: i64) {
        self.budget_used = self.budget_used.saturating_add(amount);
    }

    /// The cause under which a change can be given back: the rule's first.
    pub fn declared_cause(&self, proposal: &Proposal) -> Option<Cause> {
        self.context.ruleset.rules[proposal.rule].causes.first().copied()
    }

    pub fn remember_undo(&mut self, field: UndoField, delta: i64, cause: Option<Cause>, rule: u32) {
        let undo = &mut self.account.stack.undo;
        if undo.len() == UNDO_MAX {
            undo.remove(0);
        }
        undo.push(Undo { sequence: self.account.sequence + 1, field, delta, cause, rule, at: self.now });
    }

    fn set_hold(&mut self, hold: Hold, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let before = self.stack_view();
        let holds = &mut self.account.stack.holds;
        holds.retain(|each| each.of != hold.of || each.rule != hold.rule);
        holds.push(hold);
        let mut change = Change::new(ChangeKind::HoldChanged, before, self.now).by(proposal, traces);
        change.expires_at = match hold.until {
            HoldUntil::Time(at) => Some(at),
            HoldUntil::Cured { .. } => None,
        };
        Some(self.emit(change))
    }

    fn set_cap(&mut self, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let before = self.stack_view();
        let adverse = self.is_adverse(&proposal.act);
        let caps = &mut self.account.stack.caps;
        let mut expires_at = None;
        match &proposal.act {
            Act::Cap { name, to, until } => {
                caps.retain(|each| each.name != *name);
                caps.push(crate::stack::Cap { name: *name, amount: *to, until: *until });
                caps.sort_by_key(|each| each.name);
                expires_at = *until;
            }
            Act::Uncap { name } => caps.retain(|each| each.name != *name),
            _ => return None,
        }
        let mut change = Change::new(ChangeKind::CapChanged, before, self.now).by(proposal, traces);
        (change.adverse, change.expires_at) = (adverse, expires_at);
        Some(self.emit(change))
    }

    /// What a person did: no arbitration, no guard.
    pub fn apply_direct(&mut self, direct: &Direct) {
        let before = self.stack_view();
        match direct {
            Direct::Block { scope, ceiling, until, by } => {
                let granted_before = before.limits.granted;
                let block = Block {
                    cause: Cause::Manual,
                    scope: *scope,
                    ceiling: Some((*ceiling).max(0)),
                    since: self.now,
                    until: *until,
                    granted_before,
                    rule: 0,
                    proposed: self.now,
                    by: by.clone(),
                };
                self.put_block(block, before, "MANUAL_BLOCK", None);
            }
            Direct::Unblock { cause, .. } => {
                if self.account.stack.block(*cause).is_some() {
                    self.drop_block(*cause, before, "MANUAL_UNBLOCK", None);
                }
            }
            Direct::SetBase { base, .. } => {
                let to = (*base).max(0);
                let delta = to.saturating_sub(self.account.stack.base);
                if delta != 0 {
                    self.move_base(to);
                    let kind = if delta > 0 { ChangeKind::Increase } else { ChangeKind::Decrease };
                    let mut change = Change::new(kind, before, self.now).because("MANUAL_OVERRIDE");
                    change.adverse = delta < 0;
                    self.emit(change);
                }
            }
        }
    }
}

/// Whether the second hold lasts longer than the first.
fn longer(standing: &HoldUntil, wanted: &HoldUntil) -> bool {
    match (standing, wanted) {
        (HoldUntil::Time(standing), HoldUntil::Time(wanted)) => wanted > standing,
        (HoldUntil::Cured { days_after: standing }, HoldUntil::Cured { days_after: wanted }) => wanted > standing,
        (HoldUntil::Time(_), HoldUntil::Cured { .. }) => true,
        (HoldUntil::Cured { .. }, HoldUntil::Time(_)) => false,
    }
}
