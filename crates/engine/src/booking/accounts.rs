//! Events about the account itself.

use crate::event::AccountEvent;
use crate::ids::name_key;
use crate::refusal::{Refusal, RefusalCode};
use crate::stack::Cap;
use crate::time::{HOUR, Timestamp};
use crate::timer::{Timer, TimerKind};
use crate::trigger::TriggerKind;
use crate::vocabulary::{CapName, Status};

use super::orders::participation;
use super::{Booking, Direct};

impl Booking<'_, '_> {
    pub(super) fn account_event(&mut self, event: &AccountEvent) -> Result<(), Refusal> {
        match event {
            AccountEvent::Opened { .. } => self.opened(event)?,
            AccountEvent::LedgerSnapshot { .. } => self.ledger_snapshot(event)?,
            AccountEvent::ConsentChanged { standing } => {
                self.account.memory.consent = Some(*standing);
                self.fires(TriggerKind::ConsentChanged);
            }
            AccountEvent::OfferAnswered { offer_id, accepted } => self.offer_answered(offer_id, *accepted),
            AccountEvent::ManualBlock { scope, ceiling, until, by } => {
                let direct = Direct::Block { scope: *scope, ceiling: *ceiling, until: *until, by: by.clone() };
                self.booked.direct.push(direct);
            }
            AccountEvent::ManualUnblock { cause, by } => {
                self.booked.direct.push(Direct::Unblock { cause: *cause, by: by.clone() });
            }
            AccountEvent::ManualOverride { base, by } => {
                self.booked.direct.push(Direct::SetBase { base: *base, by: by.clone() });
            }
            AccountEvent::SegmentChanged(segment) => {
                self.account.segment = *segment;
                self.fires(TriggerKind::SegmentChanged);
            }
            AccountEvent::TierChanged(tier) => {
                self.account.tier = *tier;
                self.fires(TriggerKind::TierChanged);
            }
            AccountEvent::PromotionEnrolled { promotion_id, forecast_daily, currency } => {
                self.admit(*currency, &[])?;
                let key = name_key(promotion_id);
                let entry = participation(self.account, key);
                (entry.enrolled, entry.forecast) = (true, *forecast_daily);
                self.booked.facts.promotion = Some(key);
                self.fires(TriggerKind::PromotionEnrolled);
            }
            AccountEvent::PromotionWithdrawn { promotion_id } => {
                participation(self.account, name_key(promotion_id)).enrolled = false;
            }
            AccountEvent::HardshipChanged(hardship) if self.account.is_open() => {
                self.account.status = if *hardship { Status::Hardship } else { Status::Active };
            }
            AccountEvent::ReviewResolved { review_id, outcome } => {
                let reviews = &mut self.account.memory.reviews;
                let at = reviews.iter().position(|each| format!("{:032x}", each.id) == *review_id);
                self.booked.facts.review_cause = at.and_then(|at| reviews.remove(at).cause);
                self.booked.facts.review_outcome = Some(*outcome);
                self.fires(TriggerKind::ReviewResolved);
            }
            AccountEvent::AppealOpened => {
                self.booked.asks.push("appeal");
                self.fires(TriggerKind::AppealOpened);
            }
            AccountEvent::Closed { charged_off } => {
                self.account.status = if *charged_off { Status::ChargedOff } else { Status::Closed };
            }
            AccountEvent::HardshipChanged(_) | AccountEvent::Outcome => {}
        }
        Ok(())
    }

    fn opened(&mut self, event: &AccountEvent) -> Result<(), Refusal> {
        let AccountEvent::Opened { segment, tier, currency, base, opened_at, probation_cap } = event else {
            return Ok(());
        };
        if self.account.status != Status::Provisional {
            return Err(Refusal::new(RefusalCode::AlreadyOpened, "the account was opened before"));
        }
        if *base < 0 || probation_cap.is_some_and(|cap| cap < 0) {
            return Err(Refusal::new(RefusalCode::AmountOutOfRange, "`base` and `probation_cap` must not be negative"));
        }
        self.admit(*currency, &[*base])?;
        let today = self.context.ruleset.settings.zone.day(self.now);
        let account = &mut *self.account;
        (account.status, account.segment, account.tier) = (Status::Active, *segment, *tier);
        account.opened_at = opened_at.unwrap_or(self.at).min(self.at);
        account.stack.base = *base;
        account.growth.bases.push((today, *base));
        account.utilisation.day = today;
        if let Some(amount) = *probation_cap {
            account.stack.caps.push(Cap { name: CapName::Probation, amount, until: None });
        }
        account.timers.retain(|each| each.kind != TimerKind::Unopened);
        self.fires(TriggerKind::AccountOpened);
        Ok(())
    }

    /// Its stack is taken only if it has applied our last change, its balance only if nothing newer is booked.
    fn ledger_snapshot(&mut self, event: &AccountEvent) -> Result<(), Refusal> {
        let AccountEvent::LedgerSnapshot { as_of, last_applied_sequence, currency, balance, pending, base } = event
        else {
            return Ok(());
        };
        if *last_applied_sequence > self.account.sequence {
            let detail = format!(
                "the ledger names sequence {last_applied_sequence}, the last one emitted is {}",
                self.account.sequence
            );
            return Err(Refusal::new(RefusalCode::SequenceAhead, detail));
        }
        if *pending < 0 || base.is_some_and(|base| base < 0) {
            return Err(Refusal::new(RefusalCode::AmountOutOfRange, "`pending` and `base` must not be negative"));
        }
        self.admit(*currency, &[*balance, *pending, base.unwrap_or(0)])?;
        if *last_applied_sequence < self.account.sequence {
            self.ledger_is_behind();
            return Ok(());
        }
        self.account.memory.ledger_behind_since = None;
        self.account.timers.retain(|each| each.kind != TimerKind::LedgerBehind);
        if let Some(base) = base.filter(|base| *base != self.account.stack.base) {
            self.account.stack.base = base;
            let today = self.context.ruleset.settings.zone.day(self.now);
            self.account.growth.bases.push((today, base));
        }
        if self.account.money.last_moved <= *as_of {
            self.take_balance(*as_of, *balance, *pending);
        } else {
            self.booked.asks.push("ledger_snapshot_outdated");
        }
        Ok(())
    }

    fn ledger_is_behind(&mut self) {
        if self.account.memory.ledger_behind_since.is_none() {
            self.account.memory.ledger_behind_since = Some(self.now);
            self.account.timers.push(Timer { due: self.now.plus(HOUR), kind: TimerKind::LedgerBehind, rule: 0 });
            self.account.timers.sort_unstable();
        }
    }

    fn take_balance(&mut self, as_of: Timestamp, balance: i64, pending: i64) {
        let day = self.context.ruleset.settings.zone.day(as_of.min(self.now));
        let money = &mut self.account.money;
        money.balance = balance;
        money.pending = if pending > 0 { vec![(day, pending)] } else { Vec::new() };
        money.as_of = as_of;
    }

    fn offer_answered(&mut self, offer_id: &str, accepted: bool) {
        let (offers, now) = (&mut self.account.memory.offers, self.now);
        let Some(at) = offers.iter().position(|each| format!("{:032x}", each.id) == offer_id) else { return };
        let offer = offers.remove(at);
        if accepted && now < offer.expires {
            self.booked.accepted = Some((offer.rule, offer.amount));
            self.fires(TriggerKind::OfferAnswered);
        }
    }
}
