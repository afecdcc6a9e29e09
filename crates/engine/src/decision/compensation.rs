//! Compensation over time (RULEBOOK section 3): waivers, re-checks, deadlines.

use headroom_policy::Value;

use crate::account::Compensation;
use crate::features::View;
use crate::ruleset::Action;
use crate::timer::{Timer, TimerKind};
use crate::vocabulary::{Cause, Priority};

use super::decide::Decision;
use super::evaluate::Snapshot;
use super::proposal::{Act, Collected, Proposal};

/// A stopped restore is tried again after a day.
const DEFERRED: i64 = crate::time::DAY;
/// So many freezes may be restored within one promotion; the next goes to a person.
const FLIPS_MAX: u32 = 2;

impl Decision<'_> {
    /// Overrides freezes whose waiver still holds: the waiving rule's other conditions are true at this event. Else the
    /// waiver ends and the freeze applies.
    pub fn waive(&mut self, proposals: &mut Vec<Proposal>) {
        let mut at = 0;
        while at < proposals.len() {
            let waiver = match proposals[at].act {
                Act::Freeze { cause, .. } => self.account.stack.waiver(cause, self.now).copied(),
                _ => None,
            };
            match waiver {
                Some(waiver) if self.still_explains(waiver.rule, waiver.cause) => {
                    let lost = proposals.remove(at);
                    let by = format!("waiver:{}", self.context.ruleset.names.name(waiver.rule));
                    self.lost(lost.rule, lost.act.class(), by);
                }
                Some(waiver) => {
                    self.account.stack.waivers.retain(|each| *each != waiver);
                    at += 1;
                }
                None => at += 1,
            }
        }
    }

    /// Whether a restoring rule's condition holds as if its block stood.
    fn still_explains(&self, rule: u32, cause: Cause) -> bool {
        let Some(position) = self.context.ruleset.rule(rule) else { return false };
        let rule = &self.context.ruleset.rules[position];
        let mut view = View::new(self.context, &self.account, self.now, self.facts);
        (view.cause, view.causes) = (Some(cause), &rule.causes);
        let mut snapshot = Snapshot::new(self.context.ruleset);
        snapshot.prepare(rule, &view);
        if let Some(slot) = self.context.ruleset.schema.slot("block.active") {
            snapshot.force(slot, 1);
        }
        snapshot.ask(&rule.when, &view).is_true()
    }

    /// Rules that run against a deadline are asked at every event.
    pub fn compensating(&self) -> Vec<usize> {
        let rules = self.account.memory.compensations.iter().filter_map(|each| self.context.ruleset.rule(each.rule));
        let mut positions: Vec<usize> = rules.collect();
        let fired = self.positions(&self.on);
        positions.retain(|each| !fired.contains(each));
        positions
    }

    /// Starts the clock of blocks that a restore should answer: enrolled accounts during an active promotion.
    pub fn start_compensations(&mut self) {
        if self.account.stack.blocks.is_empty() {
            return;
        }
        let view = View::new(self.context, &self.account, self.now, self.facts);
        let explained = view.promotion().is_some_and(|each| each.active(self.now) && view.enrolled(each.key));
        if !explained {
            return;
        }
        for rule in &self.context.ruleset.rules {
            let Some(Action::Restore { within, recheck, .. }) = rule.actions.first() else { continue };
            if *within > 0 && rule.is_for(self.account.segment) {
                for cause in &rule.causes {
                    self.start_compensation(rule.number, *cause, *within, *recheck);
                }
            }
        }
    }

    fn start_compensation(&mut self, rule: u32, cause: Cause, within: i64, every: i64) {
        let known = self.account.memory.compensations.iter().any(|each| each.cause == cause);
        let restored = self.account.stack.waiver(cause, self.now).is_some();
        let Some(block) = self.account.stack.block(cause).filter(|_| !known && !restored) else { return };
        let deadline = block.since.plus(within);
        if block.since != self.now || deadline <= self.now {
            return;
        }
        self.account.memory.compensations.push(Compensation { rule, cause, deadline, every });
        let due = if every > 0 { self.now.plus(every).min(deadline) } else { deadline };
        self.account.timers.push(Timer { due, kind: TimerKind::Recheck, rule });
    }

    /// A re-check is due; at the deadline a person hears what failed.
    pub fn recheck(&mut self, rule: u32) {
        let Some(position) = self.context.ruleset.rule(rule) else {
            self.account.memory.compensations.retain(|each| each.rule != rule);
            return;
        };
        self.passes(vec![position], false);
        let pending = self.account.memory.compensations.iter().find(|each| each.rule == rule).copied();
        let Some(pending) = pending else { return };
        if self.now < pending.deadline {
            let due = self.now.plus(pending.every).min(pending.deadline);
            self.account.timers.push(Timer { due, kind: TimerKind::Recheck, rule });
        } else {
            self.missed(position, pending);
        }
    }

    fn missed(&mut self, position: usize, pending: Compensation) {
        self.account.memory.compensations.retain(|each| *each != pending);
        self.account.memory.missed = self.account.memory.missed.saturating_add(1);
        self.tally.compensations_missed += 1;
        let rule = &self.context.ruleset.rules[position];
        let mut view = View::new(self.context, &self.account, self.now, self.facts);
        (view.cause, view.causes) = (Some(pending.cause), &rule.causes);
        let mut snapshot = Snapshot::new(self.context.ruleset);
        snapshot.prepare(rule, &view);
        let trace = snapshot.explain(rule, &rule.when, &view);
        let parts = rule.when.conjuncts();
        let failed = parts.iter().find(|part| !snapshot.ask(part, &view).is_true());
        let mut review = self.blank_review("compensation_missed");
        review.detail = failed.map_or_else(String::new, |part| part.text().to_owned());
        (review.priority, review.cause) = (Priority::High, Some(pending.cause));
        review.rule_id = rule.id.to_string();
        review.reasons = vec![rule.reason.clone()];
        review.trace = Some(trace);
        self.emit_review(review);
    }

    /// Counts a restore of the promotion that explains it; true if it would be one too many.
    pub fn is_third_flip(&mut self) -> bool {
        let view = View::new(self.context, &self.account, self.now, self.facts);
        let Some(key) = view.promotion().filter(|each| each.active(self.now)).map(|each| each.key) else {
            return false;
        };
        let Some(entry) = self.account.promotions.iter_mut().find(|each| each.promotion == key) else { return false };
        if entry.flips >= FLIPS_MAX {
            return true;
        }
        entry.flips += 1;
        false
    }

    /// A restore was stopped: it is tried again in a day.
    pub fn defer(&mut self, position: usize) {
        let rule = self.context.ruleset.rules[position].number;
        if !self.has_timer(TimerKind::Deferred, rule) {
            self.account.timers.push(Timer { due: self.now.plus(DEFERRED), kind: TimerKind::Deferred, rule });
        }
    }

    /// The waiver ends: the freezing rule is asked again. False lifts the block, true makes it whole, unknown keeps it;
    /// the last two ask a person.
    pub fn waiver_ended(&mut self, rule: u32) {
        let now = self.now;
        let ended = self.account.stack.waivers.iter().find(|each| each.rule == rule && each.until <= now).copied();
        let Some(waiver) = ended else { return };
        self.account.stack.waivers.retain(|each| *each != waiver);
        let Some(block) = self.account.stack.block(waiver.cause).cloned() else { return };
        let asked = self.ask_freezing_rule(block.rule, block.cause);
        let restorer = self.context.ruleset.rule(waiver.rule);
        match asked {
            Some((Value::Known(0), collected, proposal)) => {
                let before = self.stack_view();
                let id = self.drop_block(block.cause, before, "WAIVER_ENDED", Some((&proposal, &collected.traces)));
                if let Some(position) = restorer {
                    let told = Proposal { rule: position, act: Act::Unfreeze { cause: block.cause }, ..proposal };
                    self.notice_of_rule(&told, Some(id));
                }
            }
            Some((Value::Known(_), collected, proposal)) => {
                let before = self.stack_view();
                let mut tightened = block.clone();
                tightened.ceiling = Some(0);
                self.put_block(tightened, before, "WAIVER_ENDED", Some((&proposal, &collected.traces)));
                self.ask_review("waiver_ended", "the freezing rule still holds");
            }
            Some((Value::Unknown(_) | Value::Error(_), ..)) | None => {
                self.ask_review("waiver_ended", "the freezing rule could not be evaluated");
            }
        }
    }

    /// The freezing rule's verdict, with the trace that explains it: of "no" the negated condition.
    fn ask_freezing_rule(&self, number: u32, cause: Cause) -> Option<(Value, Collected, Proposal)> {
        let position = self.context.ruleset.rule(number)?;
        let rule = &self.context.ruleset.rules[position];
        let mut view = View::new(self.context, &self.account, self.now, self.facts);
        (view.cause, view.causes) = (Some(cause), &rule.causes);
        let mut snapshot = Snapshot::new(self.context.ruleset);
        snapshot.prepare(rule, &view);
        let value = snapshot.ask(&rule.when, &view);
        let condition = match (value, &rule.unless) {
            (Value::Known(0), Some(unless)) => unless,
            _ => &rule.when,
        };
        let traces = vec![snapshot.explain(rule, condition, &view)];
        let act = Act::Unfreeze { cause };
        let proposal = Proposal {
            rule: position,
            act,
            cause: Some(cause),
            why: 0,
            reasons: vec![rule.reason.clone()],
            lowered_by: Vec::new(),
        };
        Some((value, Collected { traces, ..Collected::default() }, proposal))
    }
}
