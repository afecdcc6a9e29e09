//! What features are read from: one account at one moment of one decision.

use std::cell::OnceCell;

use crate::account::Account;
use crate::broadcast::{Broadcasts, Promotion};
use crate::context::Context;
use crate::event::Order;
use crate::ids::fact_key;
use crate::ruleset::Settings;
use crate::stack::{Limits, Undo};
use crate::time::{DAY, HOUR, Timestamp};
use crate::vocabulary::{Cause, ReviewOutcome};

use super::{NEVER_DAYS, NEVER_HOURS};

/// What only the event being decided knows.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventFacts<'a> {
    /// The order.
    pub order: Option<&'a Order>,
    /// What could be spent when a declined or placed order asked, before it was booked; minor units.
    pub spendable_before: i64,
    /// Of a payment: days before the due date (negative: after), if there is one.
    pub payment_days_before_due: Option<i64>,
    /// How the review that is being resolved ended.
    pub review_outcome: Option<ReviewOutcome>,
    /// The block that the resolved review names.
    pub review_cause: Option<Cause>,
    /// The promotion that the trigger is about.
    pub promotion: Option<u64>,
    /// The trigger is the announcement of that promotion, or the 72 hours before it.
    pub before_promotion: bool,
    /// The changes that a mended fault, or a rollout that was taken back, made suspect.
    pub suspect: Option<Suspect>,
}

/// Changes that should not have been: within a time, and perhaps of one rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Suspect {
    /// First instant.
    pub since: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// Number of the rule; 0: whichever rule made them.
    pub rule: u32,
}

impl Suspect {
    /// Whether a change is among them.
    pub fn covers(&self, change: &Undo) -> bool {
        self.since <= change.at && change.at < self.until && (self.rule == 0 || self.rule == change.rule)
    }
}

/// One account at one moment of one decision.
#[derive(Debug)]
pub struct View<'a> {
    /// Ruleset and broadcasts.
    pub context: &'a Context<'a>,
    /// The account, rolled to `now`, the event booked.
    pub account: &'a Account,
    /// The moment.
    pub now: Timestamp,
    /// What only the event knows.
    pub event: EventFacts<'a>,
    /// The causes that the rule being evaluated is about: one at a time.
    pub cause: Option<Cause>,
    /// All causes that the rule lists.
    pub causes: &'a [Cause],
    limits: OnceCell<Limits>,
}

impl<'a> View<'a> {
    /// A view without a rule's cause.
    pub fn new(context: &'a Context<'a>, account: &'a Account, now: Timestamp, event: EventFacts<'a>) -> Self {
        Self { context, account, now, event, cause: None, causes: &[], limits: OnceCell::new() }
    }

    /// The ruleset's settings.
    pub fn settings(&self) -> &Settings {
        &self.context.ruleset.settings
    }

    /// Promotions, market, control.
    pub fn broadcasts(&self) -> &Broadcasts {
        self.context.broadcasts
    }

    /// Today on the business calendar.
    pub fn today(&self) -> i32 {
        self.settings().zone.day(self.now)
    }

    /// The limit's numbers, computed once.
    pub fn limits(&self) -> &Limits {
        self.limits.get_or_init(|| self.account.limits(self.now))
    }

    /// Whole days since an instant, at most "never".
    pub fn days_since(&self, at: Option<Timestamp>) -> i64 {
        at.map_or(NEVER_DAYS, |at| (self.now.since(at).max(0) / DAY).min(NEVER_DAYS))
    }

    /// Whole hours since an instant, at most "never".
    pub fn hours_since(&self, at: Option<Timestamp>) -> i64 {
        at.map_or(NEVER_HOURS, |at| (self.now.since(at).max(0) / HOUR).min(NEVER_HOURS))
    }

    /// Days for which events were seen.
    pub fn history_days(&self) -> i64 {
        self.days_since(Some(self.account.first_seen))
    }

    /// The value of a fact that has not run out.
    pub fn fact(&self, name: &str) -> Option<i64> {
        self.account.fact(fact_key(name), self.now).map(|each| each.value)
    }

    /// When a flag was last true.
    pub fn last_true(&self, name: &str) -> Option<Timestamp> {
        self.account.fact(fact_key(name), self.now).and_then(|each| each.last_true)
    }

    /// The last word of a risk feed that is past its heartbeat, of several the latest: the silence after it says nothing,
    /// what was reported since does. `None`: no feed is silent.
    pub fn silent_since(&self) -> Option<Timestamp> {
        let last = |source: &String| self.context.feeds.get(source).copied().unwrap_or(Timestamp(i64::MIN));
        let feeds = self.settings().feeds.iter().map(|(source, heartbeat)| (last(source), *heartbeat));
        feeds.filter(|(last, heartbeat)| self.now.0.saturating_sub(last.0) > *heartbeat).map(|(last, _)| last).max()
    }

    /// Whether the account is enrolled in a promotion.
    pub fn enrolled(&self, key: u64) -> bool {
        self.account.promotions.iter().any(|each| each.promotion == key && each.enrolled)
    }

    /// The promotion that `promotion.*` speaks of: the enrolled active one that ends last, else an active one that
    /// targets the segment, else the one the trigger is about, else the nearest announced one (enrolled ones first).
    pub fn promotion(&self) -> Option<&'a Promotion> {
        let all = &self.context.broadcasts.promotions;
        let active = all.iter().filter(|each| each.active(self.now));
        let chosen = active
            .filter(|each| self.enrolled(each.key) || each.targets(self.account.segment))
            .max_by_key(|each| (self.enrolled(each.key), each.end, each.key));
        chosen.or_else(|| self.announced())
    }

    fn announced(&self) -> Option<&'a Promotion> {
        let coming = self.context.broadcasts.promotions.iter().filter(|each| each.start > self.now);
        let about = |each: &Promotion| self.event.promotion == Some(each.key);
        coming
            .filter(|each| self.enrolled(each.key) || each.targets(self.account.segment))
            .min_by_key(|each| (!about(each), !self.enrolled(each.key), each.start, each.key))
    }

    /// The promotion that ended last among those that concerned the account.
    pub fn ended_promotion(&self) -> Option<&'a Promotion> {
        let over = self.context.broadcasts.promotions.iter().filter(|each| each.end <= self.now);
        over.filter(|each| self.took_part(each.key) || each.targets(self.account.segment))
            .max_by_key(|each| (each.end, each.key))
    }

    fn took_part(&self, key: u64) -> bool {
        self.account.promotions.iter().any(|each| each.promotion == key)
    }
}
