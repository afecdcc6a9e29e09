//! Statements, payments, overdue reports, promises.

use headroom_policy::Currency;

use crate::account::{Cycle, Due, Fed, Mark, MarkKind, Payment, Reported, Uncleared};
use crate::event::{Event, Repayment};
use crate::ids::name_key;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::{DAY, Timestamp};
use crate::trigger::TriggerKind;
use crate::vocabulary::Precision;

use super::Booking;

/// Payments that may still be returned.
const PAYMENTS_MAX: usize = 8;
/// A minimum that is paid so long before its date is early.
const EARLY: i64 = 3 * DAY;

impl Booking<'_, '_> {
    pub(super) fn repayment(&mut self, currency: Currency, kind: &Repayment, event: &Event) -> Result<(), Refusal> {
        self.admit(currency, &amounts(kind)?)?;
        match kind {
            Repayment::StatementIssued { balance, min_due, due_at, .. } => self.statement(*balance, *min_due, *due_at),
            Repayment::PaymentPosted { payment_id, amount, clears_at } => self.posted(payment_id, *amount, *clears_at),
            Repayment::PaymentCleared { payment_id } => self.cleared(payment_id),
            Repayment::PaymentReturned { payment_id, amount } => self.returned(payment_id, *amount),
            Repayment::OverdueReported { dpd } => self.overdue(*dpd, event.precision),
            Repayment::PromiseMade => {}
            Repayment::PromiseBroken => {
                self.mark(MarkKind::Broken);
                self.fires(TriggerKind::PromiseBroken);
            }
            Repayment::AutopayChanged { autopay } => {
                self.account.repay.autopay = Some(*autopay);
                self.fires(TriggerKind::AutopayChanged);
            }
        }
        Ok(())
    }

    pub(super) fn mark(&mut self, kind: MarkKind) {
        const MARKS_MAX: usize = 64;
        if self.account.marks.len() == MARKS_MAX {
            self.account.marks.remove(0);
        }
        let day = self.context.ruleset.settings.zone.day(self.at);
        self.account.marks.push(Mark { kind, day });
    }

    /// Judges the cycle that ends; the new one is rotated in after the decision.
    fn statement(&mut self, balance: i64, min_due: i64, due_at: Option<Timestamp>) {
        if let Some(cycle) = self.account.repay.cycle {
            self.judge(&cycle);
        }
        if self.account.delinquency.reported.is_some_and(|each| each.cycle < self.account.repay.cycles) {
            self.account.delinquency.reported = None;
        }
        self.booked.next_cycle = Some(Cycle {
            balance,
            min_due,
            due_at,
            issued_at: self.at,
            paid: 0,
            min_paid_at: None,
            full_paid_at: None,
        });
        if let Some(due_at) = due_at.filter(|_| min_due > 0) {
            self.account.add_due(Due { due_at, amount: min_due, paid: 0 });
        }
        self.fires(TriggerKind::StatementClosed);
    }

    /// Zero statements, those without a due date and those not yet due neither feed nor break streaks.
    fn judge(&mut self, cycle: &Cycle) {
        let Some(due_at) = cycle.due_at.filter(|_| cycle.balance > 0 && cycle.min_due > 0) else { return };
        let on_time = cycle.min_paid_at.is_some_and(|paid| paid <= due_at);
        if !on_time && self.now <= due_at {
            return;
        }
        let early = on_time && cycle.min_paid_at.is_some_and(|paid| due_at.since(paid) >= EARLY);
        let full = on_time && cycle.full_paid_at.is_some_and(|paid| paid <= due_at);
        let min_only = on_time && i128::from(cycle.paid) * 100 <= i128::from(cycle.min_due) * 110;
        let repay = &mut self.account.repay;
        let count = |streak: u32, fed: bool| if fed { streak.saturating_add(1) } else { 0 };
        repay.on_time_streak = count(repay.on_time_streak, on_time);
        repay.early_streak = count(repay.early_streak, early);
        repay.full_streak = count(repay.full_streak, full);
        repay.min_only_streak = count(repay.min_only_streak, min_only);
        repay.fed = Fed { on_time, early, full, spare: cycle.paid.saturating_sub(cycle.min_due) };
        if !on_time {
            self.mark(MarkKind::Late);
        }
    }

    fn posted(&mut self, payment_id: &str, amount: i64, clears_at: Option<Timestamp>) {
        let (key, at, now) = (name_key(payment_id), self.at, self.now);
        if self.moves_money() {
            self.account.money.balance -= amount;
        }
        if let Some(clears_at) = clears_at.filter(|each| now < *each) {
            self.account.money.uncleared.push(Uncleared { payment: key, amount, clears_at });
        }
        let repay = &mut self.account.repay;
        if repay.payments.len() == PAYMENTS_MAX {
            repay.payments.remove(0);
        }
        repay.payments.push(Payment { payment: key, amount, cycle: repay.cycles });
        if let Some(cycle) = &mut repay.cycle {
            cycle.paid += amount;
            note_paid(cycle, at);
        }
        self.note_days_before_due();
        self.account.pay_dues(amount);
        self.end_report_if_cured();
        self.moved_money();
        self.fires(TriggerKind::PaymentPosted);
    }

    /// Days from the event to the due date of the open cycle; of a cleared payment from its clearing.
    fn note_days_before_due(&mut self) {
        let zone = &self.context.ruleset.settings.zone;
        let due = self.account.repay.cycle.and_then(|each| each.due_at);
        self.booked.facts.payment_days_before_due =
            due.map(|due| i64::from(zone.day(due)) - i64::from(zone.day(self.at)));
    }

    /// A full cure ends a report: the whole statement is paid, or every minimum that was due.
    fn end_report_if_cured(&mut self) {
        let whole = self.account.repay.cycle.is_some_and(|each| each.balance > 0 && each.paid >= each.balance);
        let mut due = self.account.delinquency.dues.iter().filter(|each| each.due_at <= self.now).peekable();
        let minimums = due.peek().is_some() && due.all(|each| each.paid >= each.amount);
        if whole || minimums {
            self.account.delinquency.reported = None;
        }
    }

    fn cleared(&mut self, payment_id: &str) {
        let key = name_key(payment_id);
        self.account.money.uncleared.retain(|each| each.payment != key);
        self.note_days_before_due();
        self.fires(TriggerKind::PaymentCleared);
    }

    fn returned(&mut self, payment_id: &str, amount: i64) {
        let key = name_key(payment_id);
        if self.moves_money() {
            self.account.money.balance += amount;
        }
        self.account.money.uncleared.retain(|each| each.payment != key);
        self.account.unpay_dues(amount);
        self.take_back(key, amount);
        self.mark(MarkKind::Returned);
        self.moved_money();
        self.fires(TriggerKind::PaymentReturned);
    }

    /// Takes a returned payment out of the open cycle, or the streak month of the last one that it fed.
    fn take_back(&mut self, key: u64, amount: i64) {
        let repay = &mut self.account.repay;
        let paid_in = repay.payments.iter().find(|each| each.payment == key).map_or(repay.cycles, |each| each.cycle);
        repay.payments.retain(|each| each.payment != key);
        if paid_in == repay.cycles {
            if let Some(cycle) = &mut repay.cycle {
                cycle.paid = cycle.paid.saturating_sub(amount).max(0);
                unnote_paid(cycle);
            }
        } else if paid_in + 1 == repay.cycles && amount > repay.fed.spare {
            let taken = |streak: u32, fed: bool| streak.saturating_sub(u32::from(fed));
            repay.on_time_streak = taken(repay.on_time_streak, repay.fed.on_time);
            repay.early_streak = taken(repay.early_streak, repay.fed.early);
            repay.full_streak = taken(repay.full_streak, repay.fed.full);
            repay.fed = Fed::default();
        }
    }

    /// An older report than the one that is known is late and says nothing new.
    fn overdue(&mut self, dpd: i32, precision: Precision) {
        let day = self.context.ruleset.settings.zone.day(self.at);
        if self.account.delinquency.reported.is_some_and(|each| day < each.day) {
            return;
        }
        let cycle = self.account.repay.cycles;
        let report = Reported { dpd, day, advances: precision != Precision::Month, cycle };
        self.account.delinquency.reported = (dpd > 0).then_some(report);
    }
}

fn amounts(kind: &Repayment) -> Result<Vec<i64>, Refusal> {
    let negative =
        |what: &str| Err(Refusal::new(RefusalCode::AmountOutOfRange, format!("{what} must not be negative")));
    match kind {
        Repayment::StatementIssued { min_due, .. } if *min_due < 0 => negative("`min_due`"),
        Repayment::PaymentPosted { amount, .. } | Repayment::PaymentReturned { amount, .. } if *amount < 0 => {
            negative("a payment's `amount`")
        }
        Repayment::OverdueReported { dpd } if *dpd < 0 || *dpd > 9_999 => {
            Err(Refusal::new(RefusalCode::AmountOutOfRange, "`dpd` must lie between 0 and 9999"))
        }
        Repayment::StatementIssued { balance, min_due, .. } => Ok(vec![*balance, *min_due]),
        Repayment::PaymentPosted { amount, .. } | Repayment::PaymentReturned { amount, .. } => Ok(vec![*amount]),
        _ => Ok(Vec::new()),
    }
}

fn note_paid(cycle: &mut Cycle, at: Timestamp) {
    if cycle.paid >= cycle.min_due {
        cycle.min_paid_at = cycle.min_paid_at.or(Some(at));
    }
    if cycle.paid >= cycle.balance {
        cycle.full_paid_at = cycle.full_paid_at.or(Some(at));
    }
}

fn unnote_paid(cycle: &mut Cycle) {
    if cycle.paid < cycle.min_due {
        cycle.min_paid_at = None;
    }
    if cycle.paid < cycle.balance {
        cycle.full_paid_at = None;
    }
}
