//! From a rule whose condition holds to proposals with resolved amounts.

use headroom_policy::Value;

use crate::features::View;
use crate::ruleset::{Action, Amount, HoldSpec, OnUnknown, Once, Rule, RuleVerdict, TimeBase, TimeExpr};
use crate::stack::{HoldUntil, UndoField};
use crate::time::Timestamp;
use crate::vocabulary::{Cause, HoldOf, Priority, Scope};

use super::decide::{Asked, Tally};
use super::evaluate::{Snapshot, causes};
use super::proposal::{Act, Collected, Proposal, UndoOf};

/// What one pass asks, and of whom.
pub(super) struct Pass<'a> {
    pub view: View<'a>,
    pub snapshot: Snapshot,
    /// Scheduled decreases are carried out now, not announced.
    pub carries_out: bool,
    /// The customer answers the rule's offer: that it was made once is no reason against it.
    pub answers: bool,
}

/// What `once` has to remember after a rule was asked.
pub(super) enum Memo {
    Nothing,
    Remember(u32),
    IfItFires(u32),
    Forget(u32),
}

impl<'a> Pass<'a> {
    pub fn new(view: View<'a>) -> Self {
        let snapshot = Snapshot::new(view.context.ruleset);
        Self { view, snapshot, carries_out: false, answers: false }
    }

    /// Asks one rule, for each of its causes, and collects what it proposes.
    pub fn ask(
        &mut self,
        position: usize,
        collected: &mut Collected,
        tally: &mut Tally,
        mut asked: Option<&mut Vec<Asked>>,
    ) -> Memo {
        let rule: &'a Rule = &self.view.context.ruleset.rules[position];
        let mut memo = Memo::Nothing;
        if !rule.is_for(self.view.account.segment) {
            return memo;
        }
        // What is carried out was counted when it was announced, what is answered when it was offered.
        let counted = self.answers || self.carries_out;
        let known = rule.once != Once::No && self.view.account.memory.once.contains(&rule.number) && !counted;
        if known && rule.once == Once::Account {
            return memo;
        }
        self.view.causes = &rule.causes;
        for cause in causes(rule, &self.view) {
            self.view.cause = cause;
            self.snapshot.prepare(rule, &self.view);
            let verdict = self.snapshot.verdict(rule, &self.view);
            if let Some(asked) = &mut asked {
                asked.push(self.snapshot.asked(rule, cause, &self.view));
            }
            match verdict.value {
                Value::Known(0) if known => memo = Memo::Forget(rule.number),
                Value::Known(0) => {}
                Value::Known(_) if known => {}
                Value::Known(_) => {
                    self.propose(position, rule, &verdict, cause, collected);
                    // Once in a life is used up by what came of it, not by a try that a guard stopped.
                    memo = match rule.once {
                        Once::No => memo,
                        Once::Entry => Memo::Remember(rule.number),
                        Once::Account => Memo::IfItFires(rule.number),
                    };
                }
                Value::Unknown(_) | Value::Error(_) => {
                    tally.not_evaluated.push(rule.number);
                    self.unknown(position, rule, &verdict, cause, collected);
                }
            }
        }
        self.view.cause = None;
        memo
    }

    fn unknown(
        &mut self,
        position: usize,
        rule: &Rule,
        verdict: &RuleVerdict<'_>,
        cause: Option<Cause>,
        collected: &mut Collected,
    ) {
        let acts = match rule.on_unknown {
            OnUnknown::Skip => return,
            OnUnknown::Hold => {
                vec![Act::Hold { of: HoldOf::Increase, until: None }, Act::Hold { of: HoldOf::Boost, until: None }]
            }
            OnUnknown::Review => vec![Act::Review {
                kind: format!("unknown_{}", rule.id),
                blocking: false,
                priority: Priority::Normal,
                proposal: None,
            }],
        };
        let why = self.why(rule, verdict, collected);
        let reasons = vec![rule.reason.clone()];
        collected.proposals.extend(acts.into_iter().map(|act| proposal(position, act, cause, why, &reasons)));
    }

    fn why(&self, rule: &Rule, verdict: &RuleVerdict<'_>, collected: &mut Collected) -> usize {
        collected.traces.push(self.snapshot.explain(rule, verdict.condition, &self.view));
        collected.traces.len() - 1
    }

    fn propose(
        &mut self,
        position: usize,
        rule: &Rule,
        verdict: &RuleVerdict<'_>,
        cause: Option<Cause>,
        collected: &mut Collected,
    ) {
        let mut acts = Vec::new();
        let told = |action: &Action| self.carries_out && rule.announces() && matches!(action, Action::Notify { .. });
        for action in verdict.actions(rule).iter().filter(|each| !told(each)) {
            self.resolve(action, cause, &mut acts);
        }
        if acts.is_empty() {
            return;
        }
        let why = self.why(rule, verdict, collected);
        let reasons = self.snapshot.reasons(rule, verdict.row, &self.view);
        collected.proposals.extend(acts.into_iter().map(|act| proposal(position, act, cause, why, &reasons)));
    }

    /// Resolves one action; an unknown amount or time means no action.
    fn resolve(&self, action: &Action, cause: Option<Cause>, acts: &mut Vec<Act>) {
        let act = match action {
            Action::Increase(amount) => self.target(amount).map(|to| Act::Increase { to }),
            Action::Decrease { amount, floor, after } => self.decrease(amount, floor.as_ref(), *after),
            Action::Boost { amount, from, until } => self.boost(amount, *from, *until),
            Action::ExtendBoost { until } => {
                self.time(*until).map(|until| Act::ExtendBoost { until, promotion: self.promotion_key() })
            }
            Action::StepBoost { percent, every, steps } => {
                self.number(percent).map(|percent| Act::StepBoost { percent, every: *every, steps: *steps })
            }
            Action::EndBoost => Some(Act::EndBoost),
            Action::RegrantBoost => Some(Act::RegrantBoost),
            Action::Freeze { scope, cause, ceiling, until } => self.freeze(*scope, *cause, ceiling.as_ref(), *until),
            Action::Unfreeze => cause.map(|cause| Act::Unfreeze { cause }),
            Action::Restore { percent, waive_until, .. } => self.restore(cause, percent, *waive_until),
            Action::Undo { percent, of_fault, field } => self.undo(percent, *of_fault, *field, cause),
            Action::Cap { name, to, lasts } => self.number(to).map(|to| Act::Cap {
                name: *name,
                to: to.max(0),
                until: (*lasts > 0).then(|| self.view.now.plus(*lasts)),
            }),
            Action::Uncap { name } => Some(Act::Uncap { name: *name }),
            Action::Hold { of, lasts } => return self.hold(of, *lasts, acts),
            Action::Review { kind, blocking, priority, proposal } => Some(Act::Review {
                kind: kind.clone(),
                blocking: *blocking,
                priority: *priority,
                proposal: proposal.as_ref().and_then(|each| self.number(each)),
            }),
            Action::Notify { template, due, can_do } => {
                Some(Act::Notify { template: template.clone(), due: *due, can_do: can_do.clone() })
            }
        };
        acts.extend(act);
    }

    fn number(&self, program: &headroom_policy::Program) -> Option<i64> {
        self.snapshot.ask(program, &self.view).known()
    }

    /// The base that an amount leads to.
    fn target(&self, amount: &Amount) -> Option<i64> {
        let base = self.view.account.stack.base;
        match amount {
            Amount::Percent(program) => base.checked_add(percent_of(base, self.number(program)?)?),
            Amount::By(program) => base.checked_add(self.number(program)?),
            Amount::To(program) => self.number(program),
        }
        .map(|to| to.max(0))
    }

    fn decrease(&self, amount: &Amount, floor: Option<&headroom_policy::Program>, after: i64) -> Option<Act> {
        if after > 0 && !self.carries_out {
            return Some(Act::Schedule { due: self.view.now.plus(after) });
        }
        let base = self.view.account.stack.base;
        let to = match amount {
            Amount::Percent(program) => base.checked_sub(percent_of(base, self.number(program)?)?)?,
            Amount::By(program) => base.checked_sub(self.number(program)?)?,
            Amount::To(program) => self.number(program)?,
        };
        let floor = match floor {
            Some(program) => self.number(program)?,
            None => 0,
        };
        Some(Act::Decrease { to: to.max(floor).max(0) })
    }

    fn boost(&self, amount: &Amount, from: TimeExpr, until: TimeExpr) -> Option<Act> {
        let amount = self.target(amount)?.checked_sub(self.view.account.stack.base)?;
        // Whether another promotion is announced or runs is no business of a boost that does not end with it.
        let bound = matches!(until.base, TimeBase::PromotionStart | TimeBase::PromotionEnd);
        let from = if bound { from } else { TimeExpr { base: unbound(from.base), ..from } };
        let from = self.time(from)?.max(self.view.now);
        let until = self.time(until)?;
        let promotion = if bound { self.promotion_key() } else { 0 };
        (amount > 0 && until > from).then_some(Act::Boost { amount, from, until, promotion })
    }

    fn freeze(
        &self,
        scope: Scope,
        cause: Cause,
        ceiling: Option<&headroom_policy::Program>,
        until: Option<TimeExpr>,
    ) -> Option<Act> {
        let ceiling = match (ceiling, scope) {
            (Some(program), _) => Some(self.number(program)?.max(0)),
            (None, Scope::Watch) => None,
            (None, _) => Some(0),
        };
        let until = match until {
            Some(until) => Some(self.time(until)?),
            None => None,
        };
        Some(Act::Freeze { cause, scope, ceiling, until })
    }

    fn restore(
        &self,
        cause: Option<Cause>,
        percent: &headroom_policy::Program,
        waive_until: Option<TimeExpr>,
    ) -> Option<Act> {
        let percent = self.number(percent)?.clamp(0, 100);
        Some(Act::Restore { cause: cause?, percent, waive_until: waive_until.and_then(|until| self.time(until)) })
    }

    /// Of a cause, or of the fault that the trigger names: without either there is nothing to give back.
    fn undo(
        &self,
        percent: &headroom_policy::Program,
        of_fault: bool,
        field: Option<UndoField>,
        cause: Option<Cause>,
    ) -> Option<Act> {
        let of = match of_fault {
            true => UndoOf::Suspect(self.view.event.suspect?),
            false => UndoOf::Cause(cause?),
        };
        Some(Act::Undo { percent: self.number(percent)?, of, field })
    }

    fn hold(&self, of: &[HoldOf], lasts: HoldSpec, acts: &mut Vec<Act>) {
        let until = match lasts {
            HoldSpec::Until(time) => match self.time(time) {
                Some(time) => Some(HoldUntil::Time(time)),
                None => return,
            },
            HoldSpec::Cured(days_after) => Some(HoldUntil::Cured { days_after }),
            HoldSpec::ThisDecision => None,
        };
        let all = if of.is_empty() { HoldOf::ALL } else { of };
        acts.extend(all.iter().map(|of| Act::Hold { of: *of, until }));
    }

    fn promotion_key(&self) -> u64 {
        self.view.promotion().map_or(0, |each| each.key)
    }

    fn time(&self, expr: TimeExpr) -> Option<Timestamp> {
        let base = match expr.base {
            TimeBase::Now => self.view.now,
            TimeBase::Beginning if self.view.event.before_promotion => self.view.promotion()?.start,
            TimeBase::Beginning => self.view.now,
            TimeBase::PromotionStart => self.view.promotion()?.start,
            TimeBase::PromotionEnd => self.view.promotion()?.end,
            TimeBase::HolidayEnd => {
                let holidays = self.view.broadcasts().holidays.iter().filter(|each| each.end > self.view.now);
                holidays.map(|each| (each.start, each.end)).min()?.1
            }
        };
        Some(base.plus(expr.plus))
    }
}

/// Where a boost begins that no promotion bounds and that does not say otherwise.
fn unbound(base: TimeBase) -> TimeBase {
    if base == TimeBase::Beginning { TimeBase::Now } else { base }
}

/// Percent of an amount, rounded towards zero.
pub(super) fn percent_of(amount: i64, percent: i64) -> Option<i64> {
    i64::try_from(i128::from(amount) * i128::from(percent) / 100).ok()
}

fn proposal(rule: usize, act: Act, cause: Option<Cause>, why: usize, reasons: &[String]) -> Proposal {
    Proposal { rule, act, cause, why, reasons: reasons.to_vec(), lowered_by: Vec::new() }
}
