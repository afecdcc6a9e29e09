//! Boosts: the amount is fixed at grant, boosts are never summed, a fifth one is refused.

use crate::output::Trace;
use crate::stack::{BOOSTS_MAX, Boost, Steps};
use crate::time::Timestamp;
use crate::vocabulary::ChangeKind;

use super::decide::Decision;
use super::emit::Change;
use super::proposal::{Act, Proposal};
use super::propose::percent_of;

impl Decision<'_> {
    /// A boost of the same rule and promotion is not granted twice, and a fifth is refused.
    pub fn may_boost(&self, rule: u32, promotion: u64) -> bool {
        let boosts = &self.account.stack.boosts;
        boosts.len() < BOOSTS_MAX && !boosts.iter().any(|each| each.rule == rule && each.promotion == promotion)
    }

    /// Boosts are never summed: beside one that is as large and lasts as long another would change nothing.
    pub fn is_covered(&self, amount: i64, from: Timestamp, until: Timestamp) -> bool {
        let mut boosts = self.account.stack.boosts.iter().filter(|each| each.steps.is_none() && !each.expired);
        boosts.any(|each| each.amount >= amount && each.from <= from && each.until >= until)
    }

    /// A boost that ran out or is stepped down may be ended, and one that nobody drew upon while its promotion lasted.
    /// One that is not used yet stays: its promotion may be ahead, and without a promotion it lasts for its time.
    pub fn may_end(&self, boost: &Boost) -> bool {
        let promotion = self.context.broadcasts.promotion(boost.promotion);
        let over = promotion.is_some_and(|each| each.end <= self.now);
        boost.until <= self.now || boost.steps.is_some() || (boost.used_peak == 0 && over)
    }

    pub fn extendable(&self, until: Timestamp, promotion: u64) -> impl Iterator<Item = &Boost> {
        let boosts = self.account.stack.boosts.iter();
        boosts.filter(move |each| each.promotion == promotion && each.active(self.now) && each.until < until)
    }

    pub fn grant_boost(&mut self, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let Act::Boost { amount, from, until, promotion } = proposal.act else { return None };
        let before = self.stack_view();
        self.account.stack.boosts.push(Boost {
            amount,
            granted: amount,
            from,
            until,
            rule: self.context.ruleset.rules[proposal.rule].number,
            promotion,
            expired: false,
            used_peak: 0,
            steps: None,
        });
        self.account.growth.last_boost = Some(self.now);
        self.note_favourable();
        self.spend_budget(amount);
        let mut change = Change::new(ChangeKind::Boost, before, self.now).by(proposal, traces);
        (change.effective_at, change.expires_at) = (from, Some(until));
        Some(self.emit(change))
    }

    pub fn extend_boost(
        &mut self,
        until: Timestamp,
        promotion: u64,
        proposal: &Proposal,
        traces: &[Trace],
    ) -> Option<u128> {
        let before = self.stack_view();
        let now = self.now;
        let boosts = self.account.stack.boosts.iter_mut();
        for boost in boosts.filter(|each| each.promotion == promotion && each.active(now) && each.until < until) {
            boost.until = until;
        }
        let mut change = Change::new(ChangeKind::Boost, before, now).by(proposal, traces);
        change.expires_at = Some(until);
        Some(self.emit(change))
    }

    pub fn end_boost(&mut self, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let before = self.stack_view();
        let kept: Vec<Boost> = self.account.stack.boosts.iter().filter(|each| !self.may_end(each)).cloned().collect();
        self.account.stack.boosts = kept;
        Some(self.emit(Change::new(ChangeKind::BoostEnded, before, self.now).by(proposal, traces)))
    }

    /// A boost that ran out goes on, less a step now and one at each interval.
    pub fn step_boost(
        &mut self,
        (percent, every, steps): (i64, i64, u32),
        proposal: &Proposal,
        traces: &[Trace],
    ) -> Option<u128> {
        let before = self.stack_view();
        let now = self.now;
        let mut until = now;
        for boost in self.account.stack.boosts.iter_mut().filter(|each| each.expired && each.steps.is_none()) {
            boost.until = now.plus(every.saturating_mul(i64::from(steps)));
            boost.steps = Some(Steps { percent, every, next: now, left: steps });
            boost.expired = false;
            step(boost, now);
            until = boost.until;
        }
        self.account.stack.boosts.retain(|each| each.amount > 0);
        let mut change = Change::new(ChangeKind::BoostEnded, before, now).by(proposal, traces);
        change.expires_at = Some(until);
        Some(self.emit(change))
    }

    pub fn regrant_boost(&mut self, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let before = self.stack_view();
        for boost in self.account.stack.boosts.iter_mut().filter(|each| each.steps.is_some()) {
            boost.amount = boost.granted;
            boost.steps = None;
        }
        Some(self.emit(Change::new(ChangeKind::Boost, before, self.now).by(proposal, traces)))
    }

    /// Carries out the steps that are due.
    pub fn steps_due(&mut self) {
        let before = self.stack_view();
        let now = self.now;
        let mut stepped = false;
        for boost in &mut self.account.stack.boosts {
            if boost.steps.is_some_and(|steps| steps.next <= now) {
                step(boost, now);
                stepped = true;
            }
        }
        if stepped {
            self.account.stack.boosts.retain(|each| each.amount > 0);
            self.emit(Change::new(ChangeKind::BoostEnded, before, now).because("BOOST_STEPPED_DOWN"));
        }
    }
}

fn step(boost: &mut Boost, now: Timestamp) {
    let Some(steps) = &mut boost.steps else { return };
    let share = percent_of(boost.granted, steps.percent).unwrap_or(boost.granted);
    boost.amount = boost.amount.saturating_sub(share).max(0);
    steps.left = steps.left.saturating_sub(1);
    steps.next = now.plus(steps.every);
    if steps.left == 0 {
        boost.amount = 0;
    }
}
