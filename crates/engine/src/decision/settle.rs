//! What becomes of a pass's proposals: vetoes, arbitration, guards, consent, application.

use crate::trigger::{On, TriggerKind};
use crate::vocabulary::{Cause, Class, HoldOf, Scope};

use super::arbitrate::{field_winners, holds_of_this_decision};
use super::decide::Decision;
use super::proposal::{Act, Collected, Proposal};

impl Decision<'_> {
    /// Carries proposals out; says which internal triggers follow.
    pub fn settle(&mut self, collected: Collected) -> Vec<On> {
        let Collected { mut proposals, traces, once } = collected;
        if proposals.is_empty() {
            return Vec::new();
        }
        let counted = self.tally.fired.len();
        self.note_freeze_proposals(&proposals);
        let kept: Vec<bool> = proposals.iter().map(|each| self.would_change(each)).collect();
        let mut kept = kept.into_iter();
        proposals.retain(|_| kept.next().unwrap_or(false));
        self.waive(&mut proposals);
        self.veto(&mut proposals);
        self.defer_restores(&mut proposals);
        let winners = field_winners(self, proposals);
        let winners = self.before_increase(winners);
        let winners = self.guard(winners, &traces);
        let on = self.apply_all(winners, &traces);
        for rule in once {
            if self.tally.fired[counted..].contains(&rule) {
                self.remember(rule);
            }
        }
        on
    }

    /// Drops what is vetoed by holds, adverse changes of this decision, blocks of scope all, and blocking reviews.
    fn veto(&mut self, proposals: &mut Vec<Proposal>) {
        let held = holds_of_this_decision(self, proposals);
        let adverse = proposals.iter().find(|each| self.is_adverse(&each.act)).map(|each| each.rule);
        let all: Vec<Cause> = self.blocks_of_scope_all(proposals);
        let review = self.blocking_review(proposals);
        let mut at = 0;
        while at < proposals.len() {
            match self.vetoed_by(&proposals[at].act, &held, adverse, &all, review.as_deref()) {
                Some(by) => {
                    let lost = proposals.remove(at);
                    self.lost(lost.rule, lost.act.class(), by);
                }
                None => at += 1,
            }
        }
    }

    fn vetoed_by(
        &self,
        act: &Act,
        held: &[(HoldOf, u32)],
        adverse: Option<usize>,
        all: &[Cause],
        review: Option<&str>,
    ) -> Option<String> {
        let class = act.class();
        if !matches!(class, Class::Increase | Class::Boost | Class::Restore) {
            return None;
        }
        let of = if class == Class::Increase { HoldOf::Increase } else { HoldOf::Boost };
        let upward = class != Class::Restore;
        if let Some((_, rule)) = held.iter().find(|(each, _)| upward && *each == of) {
            return Some(format!("hold:{}", self.context.ruleset.names.name(*rule)));
        }
        if let Some(rule) = adverse.filter(|_| upward) {
            return Some(self.context.ruleset.rules[rule].id.to_string());
        }
        if let Some(cause) = all.iter().find(|cause| act.loosens() != Some(**cause) && !self.gives_back(act, **cause)) {
            return Some(format!("block:{}", cause.word()));
        }
        review.map(|kind| format!("review:{kind}"))
    }

    fn blocks_of_scope_all(&self, proposals: &[Proposal]) -> Vec<Cause> {
        let standing = self.account.stack.blocks.iter();
        let mut causes: Vec<Cause> =
            standing.filter(|each| each.scope == Scope::All && each.lasts(self.now)).map(|each| each.cause).collect();
        causes.extend(proposals.iter().filter_map(|each| match each.act {
            Act::Freeze { cause, scope: Scope::All, .. } => Some(cause),
            _ => None,
        }));
        causes
    }

    fn blocking_review(&self, proposals: &[Proposal]) -> Option<String> {
        let open = self.account.memory.reviews.iter().find(|each| each.blocking).map(|each| each.kind.clone());
        open.or_else(|| {
            proposals.iter().find_map(|each| match &each.act {
                Act::Review { kind, blocking: true, .. } => Some(kind.clone()),
                _ => None,
            })
        })
    }

    /// A restore meets a decrease, or a freeze of another cause, in the same decision (either pass): it is tried again
    /// later.
    fn defer_restores(&mut self, proposals: &mut Vec<Proposal>) {
        let decreases = self.decreased || proposals.iter().any(|each| matches!(each.act, Act::Decrease { .. }));
        let proposed = proposals.iter().filter_map(|each| match each.act {
            Act::Freeze { cause, .. } => Some(cause),
            _ => None,
        });
        let frozen: Vec<Cause> = proposed.chain(self.frozen.iter().copied()).collect();
        let mut at = 0;
        while at < proposals.len() {
            let stopped =
                proposals[at].act.loosens().is_some_and(|cause| decreases || frozen.iter().any(|each| *each != cause));
            if stopped {
                let lost = proposals.remove(at);
                self.defer(lost.rule);
                self.lost(lost.rule, lost.act.class(), "deferred".to_owned());
            } else {
                at += 1;
            }
        }
    }

    /// Rules on `before_increase` may veto an increase or boost that won.
    fn before_increase(&mut self, winners: Vec<Proposal>) -> Vec<Proposal> {
        let upward = |each: &Proposal| matches!(each.act.class(), Class::Increase | Class::Boost);
        let positions = self.positions(&[On::Kind(TriggerKind::BeforeIncrease)]);
        if positions.is_empty() || !winners.iter().any(upward) {
            return winners;
        }
        let asked = self.ask(&positions, false, false);
        let held = holds_of_this_decision(self, &asked.proposals);
        let mut kept = Vec::new();
        for winner in winners {
            let of = if winner.act.class() == Class::Increase { HoldOf::Increase } else { HoldOf::Boost };
            let by = held.iter().find(|(each, _)| upward(&winner) && *each == of);
            match by {
                Some((_, rule)) => {
                    let by = format!("hold:{}", self.context.ruleset.names.name(*rule));
                    self.tally.fired.push(*rule);
                    self.lost(winner.rule, winner.act.class(), by);
                }
                None => kept.push(winner),
            }
        }
        kept
    }

    /// Adverse: base lowered, a freeze or a cap tightened. Ending or stepping a boost is not.
    pub fn is_adverse(&self, act: &Act) -> bool {
        match act {
            Act::Decrease { .. } | Act::Freeze { .. } => true,
            Act::Cap { name, to, .. } => {
                let standing = self.account.stack.caps.iter().find(|each| each.name == *name);
                standing.is_none_or(|each| *to < each.amount) && *to < self.account.limits(self.now).granted
            }
            _ => false,
        }
    }

    fn note_freeze_proposals(&mut self, proposals: &[Proposal]) {
        for each in proposals {
            if let Act::Freeze { cause, .. } = each.act
                && let Some(block) = self.account.stack.blocks.iter_mut().find(|block| block.cause == cause)
            {
                block.proposed = self.now;
            }
        }
    }
}
