//! Turning applied changes into outputs.

use std::sync::Arc;

use crate::account::{Growth, OpenReview};
use crate::ids::{name_key, output_id};
use crate::output::{BlockChange, LimitChange, Output, Review, StackView, Trace};
use crate::time::Timestamp;
use crate::vocabulary::{Cause, ChangeKind, Priority};

use super::decide::Decision;
use super::proposal::Proposal;

/// Tags keep the ids of different outputs apart.
const TAG_CHANGE: u8 = 1;
pub(super) const TAG_OFFER: u8 = 2;
const TAG_REVIEW: u8 = 3;
pub(super) const TAG_NOTICE: u8 = 4;

/// What a change says beside before and after.
pub(super) struct Change<'a> {
    pub kind: ChangeKind,
    pub before: StackView,
    pub block: Option<BlockChange>,
    pub effective_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// The proposal behind it; `None` for people, time and expiry.
    pub by: Option<(&'a Proposal, &'a Trace)>,
    /// Reasons beside the rule's, or instead of it.
    pub reasons: Vec<String>,
    /// Its rule explains it, but is not the reason.
    pub without_rule_reason: bool,
    /// An adverse change, of which the customer must be told.
    pub adverse: bool,
}

impl<'a> Change<'a> {
    pub fn new(kind: ChangeKind, before: StackView, now: Timestamp) -> Self {
        Self {
            kind,
            before,
            block: None,
            effective_at: now,
            expires_at: None,
            by: None,
            reasons: Vec::new(),
            without_rule_reason: false,
            adverse: false,
        }
    }

    pub fn by(mut self, proposal: &'a Proposal, traces: &'a [Trace]) -> Self {
        self.by = Some((proposal, &traces[proposal.why]));
        self
    }

    pub fn because(mut self, reason: &str) -> Self {
        self.reasons.push(reason.to_owned());
        self
    }
}

impl Decision<'_> {
    /// Emits a change: takes the next sequence. Returns its id.
    pub fn emit(&mut self, change: Change<'_>) -> u128 {
        self.account.sequence += 1;
        let id = output_id(TAG_CHANGE, &self.account.id, self.account.sequence, self.cause_key());
        let mut reasons = Vec::new();
        if let Some((proposal, _)) = change.by {
            let rule = &self.context.ruleset.rules[proposal.rule];
            if !change.without_rule_reason {
                reasons.extend_from_slice(&proposal.reasons);
            }
            self.tally.fired.push(rule.number);
        }
        reasons.extend(change.reasons);
        let notice_within = self.context.ruleset.settings.notice_within;
        let output = LimitChange {
            id,
            account: Arc::clone(&self.account.id),
            sequence: self.account.sequence,
            kind: change.kind,
            currency: self.account.currency,
            before: change.before,
            after: self.stack_view(),
            block: change.block,
            effective_at: change.effective_at,
            expires_at: change.expires_at,
            reasons,
            rule: change.by.map(|(proposal, _)| self.rule_ref(proposal.rule)),
            ruleset_hash: Arc::clone(&self.context.ruleset.hash),
            overridden: self.overridden.clone(),
            guards_applied: change.by.map_or_else(Vec::new, |(proposal, _)| proposal.lowered_by.clone()),
            trigger: self.trigger_ref(),
            notice_due: change.adverse.then(|| self.now.plus(notice_within)),
            trace: change.by.map(|(_, trace)| trace.clone()),
        };
        self.changes.push(Output::LimitChange(Box::new(output)));
        id
    }

    /// Asks a person, unless a review of the same kind and cause is open.
    pub fn emit_review(&mut self, mut review: Review) {
        let open = &self.account.memory.reviews;
        if open.iter().any(|each| each.kind == review.kind && each.cause == review.cause) {
            return;
        }
        // Bounded: an account whose reviews nobody resolves keeps the newest.
        const REVIEWS_MAX: usize = 16;
        let key = name_key(&review.kind);
        let number = self.account.sequence.wrapping_mul(31).wrapping_add(key);
        review.id = output_id(TAG_REVIEW, &self.account.id, number, self.cause_key());
        if self.account.memory.reviews.len() == REVIEWS_MAX {
            self.account.memory.reviews.remove(0);
        }
        self.account.memory.reviews.push(OpenReview {
            id: review.id,
            kind: review.kind.clone(),
            cause: review.cause,
            blocking: review.blocking,
            at: self.now,
        });
        self.reviews.push(Output::Review(Box::new(review)));
    }

    /// A review that no rule proposed.
    pub fn blank_review(&self, kind: &str) -> Review {
        Review {
            id: 0,
            account: Arc::clone(&self.account.id),
            kind: kind.to_owned(),
            blocking: false,
            priority: Priority::Normal,
            rule_id: String::new(),
            reasons: Vec::new(),
            created_at: self.now,
            proposal: None,
            currency: self.account.currency,
            cause: None,
            detail: String::new(),
            trigger: self.trigger_ref(),
            trace: None,
        }
    }

    pub fn ask_review(&mut self, kind: &str, detail: &str) {
        let mut review = self.blank_review(kind);
        detail.clone_into(&mut review.detail);
        self.emit_review(review);
    }

    /// A review that a rule asked for.
    pub fn rule_review(&mut self, proposal: &Proposal, kind: &str, cause: Option<Cause>, traces: &[Trace]) -> Review {
        let rule = &self.context.ruleset.rules[proposal.rule];
        let mut review = self.blank_review(kind);
        review.rule_id = rule.id.to_string();
        review.reasons.clone_from(&proposal.reasons);
        review.cause = cause;
        review.trace = Some(traces[proposal.why].clone());
        review
    }
}

impl Growth {
    /// Remembers base after a change; keeps twelve months and the one before.
    pub(super) fn note(&mut self, today: i32, base: i64) {
        const BASES_MAX: usize = 24;
        match self.bases.last_mut().filter(|each| each.0 == today) {
            Some(last) => last.1 = base,
            None => self.bases.push((today, base)),
        }
        while self.bases.len() > BASES_MAX || self.bases.get(1).is_some_and(|second| second.0 <= today - 365) {
            self.bases.remove(0);
        }
    }

    /// Counts a favourable change.
    pub(super) fn note_favourable(&mut self, today: i32) {
        self.favourable = if self.favourable.0 == today { (today, self.favourable.1 + 1) } else { (today, 1) };
    }
}
