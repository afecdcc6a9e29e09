//! Orders: seller orders move windows only; of buyer orders the publisher says what moves credit.

use crate::account::{Account, Participation};
use crate::event::{Order, OrderKind};
use crate::refusal::{Refusal, RefusalCode};
use crate::stack::money_in;
use crate::trigger::TriggerKind;
use crate::vocabulary::Side;

use super::Booking;

/// Promotions that an account remembers.
const PARTICIPATIONS_MAX: usize = 6;

impl<'e> Booking<'_, 'e> {
    pub(super) fn order(&mut self, order: &'e Order) -> Result<(), Refusal> {
        let credit = [order.hold, order.hold_released, order.captured, order.credit_refunded];
        let amounts = credit.map(|each| each.unwrap_or(0));
        if order.amount < 0 || amounts.iter().any(|each| *each < 0) {
            return Err(Refusal::new(RefusalCode::AmountOutOfRange, "an order's amounts must not be negative"));
        }
        self.admit(order.currency, &[order.amount, amounts[0], amounts[1], amounts[2], amounts[3]])?;
        self.booked.facts.spendable_before = self.account.limits(self.now).spendable;
        self.booked.facts.order = Some(order);
        self.order_windows(order);
        if order.side == Side::Buyer && self.moves_money() {
            self.order_money(order);
        }
        self.fires_order(order);
        Ok(())
    }

    /// Windows of either side are kept; rules on orders see the side that counts for the segment.
    fn fires_order(&mut self, order: &Order) {
        let counts = match order.side {
            Side::Seller => self.account.segment.is_merchant(),
            Side::Buyer => true,
        };
        let kind = match order.kind {
            OrderKind::Placed => TriggerKind::OrderPlaced,
            OrderKind::Paid => TriggerKind::OrderPaid,
            OrderKind::Cancelled => TriggerKind::OrderCancelled,
            OrderKind::Refunded => TriggerKind::OrderRefunded,
            OrderKind::Declined => TriggerKind::OrderDeclined,
            OrderKind::HoldExpired => return,
        };
        if counts {
            self.fires(kind);
        }
    }

    fn order_windows(&mut self, order: &Order) {
        let settings = &self.context.ruleset.settings;
        let (at, now, zone) = (self.at, self.now, &settings.zone);
        let day = zone.day(at);
        let windows = &mut self.account.orders[usize::from(order.side.index())];
        let summed = zone.day(now).saturating_sub(day) < crate::windows::SUM_DAYS;
        match order.kind {
            OrderKind::Placed => {
                let large =
                    money_in(&settings.large_order, Some(order.currency)).is_some_and(|from| order.amount >= from);
                windows.place(at, order.amount, large, now, zone);
                self.account.last_order_at = self.account.last_order_at.max(Some(at));
                self.promotion_amounts(order, day);
            }
            OrderKind::Paid if summed => windows.day(day).paid += order.amount,
            OrderKind::Cancelled if summed => windows.day(day).cancelled += order.amount,
            OrderKind::Refunded if summed => windows.day(day).refunded += order.amount,
            OrderKind::Declined => {
                let ago = u32::try_from(zone.day(now).saturating_sub(day)).unwrap_or(0);
                self.account.declined_days |= 1_u64.checked_shl(ago).unwrap_or(0) & crate::account::LAST_35_DAYS;
            }
            OrderKind::Paid | OrderKind::Cancelled | OrderKind::Refunded | OrderKind::HoldExpired => {}
        }
    }

    /// What was ordered during promotions: their best day bounds the next forecast.
    fn promotion_amounts(&mut self, order: &Order, day: i32) {
        if (order.side == Side::Seller) != self.account.segment.is_merchant() {
            return;
        }
        for promotion in &self.context.broadcasts.promotions {
            let concerns = promotion.targets(self.account.segment)
                || self.account.promotions.iter().any(|each| each.promotion == promotion.key);
            if promotion.active(self.at) && concerns {
                let entry = participation(self.account, promotion.key);
                entry.amount = entry.amount.saturating_add(order.amount);
                entry.today =
                    if entry.today.0 == day { (day, entry.today.1 + order.amount) } else { (day, order.amount) };
                entry.best_day = entry.best_day.max(entry.today.1);
            }
        }
    }

    fn order_money(&mut self, order: &Order) {
        let day = self.context.ruleset.settings.zone.day(self.now);
        match order.kind {
            OrderKind::Placed => self.hold(day, order.hold.unwrap_or(0)),
            OrderKind::Paid => {
                self.release(order.hold_released.unwrap_or(0));
                self.account.money.balance += order.captured.unwrap_or(0);
            }
            OrderKind::Cancelled | OrderKind::HoldExpired => self.release(order.hold_released.unwrap_or(0)),
            OrderKind::Refunded => self.account.money.balance -= order.credit_refunded.unwrap_or(0),
            OrderKind::Declined => return,
        }
        self.moved_money();
    }

    fn hold(&mut self, day: i32, amount: i64) {
        if amount == 0 {
            return;
        }
        let pending = &mut self.account.money.pending;
        match pending.last_mut().filter(|each| each.0 == day) {
            Some(today) => today.1 += amount,
            None => pending.push((day, amount)),
        }
    }

    /// Releases the oldest holds first; more than is held clamps to 0 and asks for a ledger snapshot.
    fn release(&mut self, amount: i64) {
        let mut left = amount;
        for (_, held) in &mut self.account.money.pending {
            let part = left.min(*held);
            *held -= part;
            left -= part;
        }
        self.account.money.pending.retain(|(_, held)| *held > 0);
        if left > 0 {
            self.account.money.drift = self.account.money.drift.saturating_add(1);
            self.booked.asks.push("pending_drift");
        }
    }
}

/// The account's entry for a promotion, made if missing; the oldest gives way.
pub(super) fn participation(account: &mut Account, key: u64) -> &mut Participation {
    let at = match account.promotions.iter().position(|each| each.promotion == key) {
        Some(at) => at,
        None => {
            if account.promotions.len() == PARTICIPATIONS_MAX {
                account.promotions.remove(0);
            }
            account.promotions.push(Participation { promotion: key, ..Participation::default() });
            account.promotions.len() - 1
        }
    };
    &mut account.promotions[at]
}
