//! Consent: where it is needed an increase is offered, and granted when the customer agrees.

use std::sync::Arc;

use crate::account::OpenOffer;
use crate::ids::output_id;
use crate::output::{Offer, Output, Trace};
use crate::vocabulary::Class;

use super::decide::Decision;
use super::emit::TAG_OFFER;
use super::proposal::{Act, Proposal};

/// Offers that wait at a time.
const OFFERS_MAX: usize = 8;

impl Decision<'_> {
    /// Passes a change that needs no consent; offers the others.
    pub fn consent(&mut self, proposal: Proposal, traces: &[Trace]) -> Option<Proposal> {
        let class = proposal.act.class();
        let upward = matches!(proposal.act, Act::Increase { .. } | Act::Boost { .. });
        let standing = self.account.memory.consent == Some(true);
        if !upward || standing || self.account.segment.is_merchant() || self.agreed {
            return Some(proposal);
        }
        self.tally.guards.push("consent");
        let amount = match proposal.act {
            Act::Increase { to } => to.saturating_sub(self.account.stack.base),
            Act::Boost { amount, .. } => amount,
            _ => 0,
        };
        self.make_offer(&proposal, class, amount, traces);
        None
    }

    /// One open offer per rule.
    fn make_offer(&mut self, proposal: &Proposal, class: Class, amount: i64, traces: &[Trace]) {
        let rule = self.rule_ref(proposal.rule);
        let now = self.now;
        let offers = &mut self.account.memory.offers;
        offers.retain(|each| now < each.expires);
        if offers.iter().any(|each| each.rule == rule.number) || offers.len() == OFFERS_MAX {
            return;
        }
        let expires = now.plus(self.context.ruleset.settings.offer_stands);
        let number = self.account.sequence.wrapping_mul(31).wrapping_add(u64::from(rule.number));
        let id = output_id(TAG_OFFER, &self.account.id, number, self.cause_key());
        self.account.memory.offers.push(OpenOffer { id, rule: rule.number, class, amount, expires });
        self.tally.fired.push(rule.number);
        let offer = Offer {
            id,
            account: Arc::clone(&self.account.id),
            currency: self.account.currency,
            class,
            amount,
            created_at: now,
            expires_at: expires,
            reasons: proposal.reasons.clone(),
            rule,
            ruleset_hash: Arc::clone(&self.context.ruleset.hash),
            trigger: self.trigger_ref(),
            trace: Some(traces[proposal.why].clone()),
        };
        self.offers.push(Output::Offer(Box::new(offer)));
    }

    /// The customer agreed: the rule is asked again, and gives the smaller of the offer and what it gives now.
    pub fn answer_offer(&mut self, rule: u32, offered: i64) {
        let Some(position) = self.context.ruleset.rule(rule) else { return };
        if !self.account.is_open() {
            return;
        }
        self.agreed = true;
        let mut collected = self.ask(&[position], false, false);
        let base = self.account.stack.base;
        for each in &mut collected.proposals {
            match &mut each.act {
                Act::Increase { to } => *to = (*to).min(base.saturating_add(offered)),
                Act::Boost { amount, .. } => *amount = (*amount).min(offered),
                _ => {}
            }
        }
        self.settle(collected);
        self.agreed = false;
    }

    /// A guard wants a person to decide.
    pub fn review_instead(&mut self, proposal: &Proposal, amount: i64, guard: &str, traces: &[Trace]) {
        let mut review = self.rule_review(proposal, guard, None, traces);
        review.proposal = Some(amount);
        self.emit_review(review);
    }
}
