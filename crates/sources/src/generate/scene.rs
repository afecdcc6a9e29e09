//! One account on one day.

use super::calendar::Today;
use super::draft::What;
use super::ledger::Ledger;
use super::profile::{Profile, Salt};
use super::random::Dice;
use super::timeline::Timeline;
use super::{life, merchant, purchase, repayment, signal};

/// What the day's plans of an account are made from, and where they go.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) today: Today<'a>,
    pub(super) profile: Profile,
    /// As of last midnight.
    pub(super) ledger: &'a Ledger,
    pub(super) dice: Dice,
    timeline: &'a mut Timeline,
}

impl<'a> Scene<'a> {
    pub(super) fn new(today: Today<'a>, account: u32, ledger: &'a Ledger, timeline: &'a mut Timeline) -> Self {
        let seed = today.season.seed;
        let dice = Dice::of(seed, account, Salt::Day as u64 | u64::from(today.day) << 32);
        Scene { today, profile: Profile::of(seed, account), ledger, dice, timeline }
    }

    /// Plans everything that begins today.
    pub(super) fn play(&mut self) {
        if self.profile.is_merchant() {
            merchant::play(self);
        }
        purchase::play(self);
        repayment::play(self);
        signal::play(self);
        life::play(self);
    }

    pub(super) fn add(&mut self, at: i64, what: What) -> u64 {
        self.timeline.add(self.profile.account, at, what)
    }

    /// Adds it at some time between two hours of today; returns its number and its time.
    pub(super) fn add_between(&mut self, from_hour: i64, to_hour: i64, what: What) -> (u64, i64) {
        let at = self.moment(from_hour, to_hour);
        (self.add(at, what), at)
    }

    pub(super) fn moment(&mut self, from_hour: i64, to_hour: i64) -> i64 {
        self.today.moment(&mut self.dice, from_hour, to_hour)
    }

    /// `percent` from `low` to `high` of `amount`.
    pub(super) fn about(&mut self, amount: i64, low: i64, high: i64) -> i64 {
        amount * self.dice.between(low, high) / 100
    }
}
