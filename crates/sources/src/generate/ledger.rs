//! What an account owes, booked as its events are emitted, so that statements and payments agree with the orders.

use super::draft::What;

/// A season has fewer days than this; it stands for "no such day".
pub(super) const NO_DAY: u32 = u32::MAX;
/// From statement to due date.
pub(super) const DAYS_TO_PAY: u32 = 20;
/// The smallest minimum due, fen.
const MIN_DUE: i64 = 10_000;

/// The books of one account, kept small because there is one for every account. Money in fen, days of the season.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// Drawn and not paid back; below 0 the customer is in credit.
    pub(super) balance: i64,
    /// Held by orders.
    pub(super) pending: i64,
    /// Of the last statement.
    pub(super) statement: i64,
    /// Paid since then.
    pub(super) paid: i64,
    /// Minimum dues that are still unpaid.
    pub(super) owed: i64,
    /// When the oldest of them was due.
    pub(super) owed_since: u32,
    /// When the last statement is due.
    pub(super) due_day: u32,
    pub(super) closed: bool,
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger {
            balance: 0,
            pending: 0,
            statement: 0,
            paid: 0,
            owed: 0,
            owed_since: NO_DAY,
            due_day: NO_DAY,
            closed: false,
        }
    }
}

impl Ledger {
    /// Books what has just happened, on `day`.
    pub(super) fn book(&mut self, what: &What, day: u32) {
        match *what {
            What::Bought { amount, credit: true, .. } => self.pending += amount,
            What::BuyPaid { amount, .. } => {
                self.release(amount);
                self.balance += amount;
            }
            What::BuyCancelled { amount, credit: true, .. } | What::HoldExpired { amount, .. } => self.release(amount),
            What::BuyRefunded { amount, .. } => self.balance -= amount,
            What::Statement => self.close_cycle(day),
            What::PaymentPosted { amount, .. } => self.pay(amount),
            What::PaymentReturned { amount, .. } => self.take_back(amount),
            What::Closed { .. } => self.closed = true,
            _ => {}
        }
    }

    pub(super) fn used(&self) -> i64 {
        self.balance.max(0) + self.pending
    }

    /// Of a statement made now.
    pub(super) fn min_due(&self) -> i64 {
        let balance = self.balance.max(0);
        (balance / 10).max(MIN_DUE).min(balance)
    }

    /// Days past due on `day`.
    pub(super) fn dpd(&self, day: u32) -> u32 {
        if self.owed > 0 { day.saturating_sub(self.owed_since) } else { 0 }
    }

    fn release(&mut self, hold: i64) {
        self.pending = (self.pending - hold).max(0);
    }

    fn close_cycle(&mut self, day: u32) {
        self.statement = self.balance;
        self.paid = 0;
        self.due_day = day + DAYS_TO_PAY;
        if self.owed == 0 {
            self.owed_since = self.due_day;
        }
        self.owed += self.min_due();
    }

    fn pay(&mut self, amount: i64) {
        self.balance -= amount;
        self.paid += amount;
        self.owed = (self.owed - amount).max(0);
    }

    /// The original due date is back.
    fn take_back(&mut self, amount: i64) {
        self.balance += amount;
        self.paid -= amount;
        if self.owed == 0 {
            self.owed_since = self.due_day;
        }
        self.owed += amount.min(self.min_due());
    }
}

#[cfg(test)]
mod tests {
    use super::{DAYS_TO_PAY, Ledger, What};

    fn drawn(amount: i64) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.book(&What::Bought { amount, credit: true, cash: false }, 0);
        assert_eq!((ledger.pending, ledger.balance), (amount, 0));
        ledger.book(&What::BuyPaid { order: 1, amount }, 1);
        ledger
    }

    #[test]
    fn an_order_is_held_then_drawn_then_billed_then_paid() {
        let mut ledger = drawn(500_000);
        assert_eq!((ledger.pending, ledger.used()), (0, 500_000));
        ledger.book(&What::Statement, 10);
        assert_eq!((ledger.owed, ledger.due_day), (50_000, 10 + DAYS_TO_PAY));
        assert_eq!(ledger.dpd(35), 5);
        ledger.book(&What::PaymentPosted { amount: 50_000, clears_after: 0 }, 35);
        assert_eq!((ledger.dpd(36), ledger.balance), (0, 450_000));
    }

    #[test]
    fn a_returned_payment_brings_the_due_date_back() {
        let mut ledger = drawn(500_000);
        ledger.book(&What::Statement, 10);
        ledger.book(&What::PaymentPosted { amount: 500_000, clears_after: 0 }, 29);
        ledger.book(&What::PaymentReturned { payment: 1, amount: 500_000 }, 31);
        assert_eq!((ledger.balance, ledger.dpd(32)), (500_000, 2));
    }

    #[test]
    fn a_small_balance_is_due_whole() {
        assert_eq!(drawn(7_000).min_due(), 7_000);
        assert_eq!(drawn(70_000).min_due(), 10_000);
    }

    #[test]
    fn books_stay_small() {
        assert!(size_of::<Ledger>() <= 64, "ten million of them are kept in memory");
    }
}
