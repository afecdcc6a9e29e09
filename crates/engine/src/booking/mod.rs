//! How events move an account, before any rule is asked (RULEBOOK section 2). A refused event moves nothing.

mod accounts;
mod delinquency;
mod orders;
mod repayments;
mod roll;
mod signals;

pub use delinquency::note_dpd;
pub use roll::roll;

use headroom_policy::Currency;

use crate::account::{Account, Cycle};
use crate::context::Context;
use crate::event::{Body, Event};
use crate::features::EventFacts;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;
use crate::trigger::{On, TriggerKind};
use crate::vocabulary::{Cause, Scope};

/// What an event did, and what it asks rules for.
#[derive(Clone, Debug, Default)]
pub struct Booked<'e> {
    /// What fires rules, in order.
    pub on: Vec<On>,
    /// What only this event knows.
    pub facts: EventFacts<'e>,
    /// The offer that was accepted: the rule to ask again, and the amount that was offered.
    pub accepted: Option<(u32, i64)>,
    /// The cycle to rotate in after the decision.
    pub next_cycle: Option<Cycle>,
    /// Changes that a person made.
    pub direct: Vec<Direct>,
    /// Reviews that the booking itself asks for, by kind.
    pub asks: Vec<&'static str>,
}

/// A change that a person made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Direct {
    /// Block.
    Block {
        /// What.
        scope: Scope,
        /// Down to.
        ceiling: i64,
        /// Until.
        until: Option<Timestamp>,
        /// Who.
        by: String,
    },
    /// Lift a block.
    Unblock {
        /// Which.
        cause: Cause,
        /// Who.
        by: String,
    },
    /// Set base.
    SetBase {
        /// To.
        base: i64,
        /// Who.
        by: String,
    },
}

/// An event being booked.
struct Booking<'a, 'e> {
    context: &'a Context<'a>,
    account: &'a mut Account,
    now: Timestamp,
    /// The event's own time, not after `now`.
    at: Timestamp,
    booked: Booked<'e>,
}

/// Books an event on an account that is rolled to `now`. `Err` has changed nothing.
pub fn book<'e>(
    context: &Context<'_>,
    account: &mut Account,
    event: &'e Event,
    now: Timestamp,
) -> Result<Booked<'e>, Refusal> {
    let mut booking = Booking { context, account, now, at: event.occurred_at.min(now), booked: Booked::default() };
    match &event.body {
        Body::Order(order) => booking.order(order)?,
        Body::Repayment { currency, kind } => booking.repayment(*currency, kind, event)?,
        Body::Signal(signal) => booking.signal(signal, &event.source)?,
        Body::Account(kind) => booking.account_event(kind)?,
        Body::Promotion(_) | Body::Market(_) | Body::Control(_) => {}
    }
    Ok(booking.booked)
}

/// All amounts ever booked on one account stay below this, so that no sum or product of a sum by 100 that is formed
/// from them leaves its type.
const VOLUME_MAX: i64 = i64::MAX / 4;

impl Booking<'_, '_> {
    fn fires(&mut self, kind: TriggerKind) {
        self.booked.on.push(On::Kind(kind));
    }

    /// Checks currency and room for money before anything is changed.
    fn admit(&mut self, currency: Currency, amounts: &[i64]) -> Result<(), Refusal> {
        if let Some(own) = self.account.currency
            && own != currency
        {
            let detail = format!("the account's currency is {own}, the event's {currency}");
            return Err(Refusal::new(RefusalCode::WrongCurrency, detail));
        }
        let mut volume = self.account.volume;
        for amount in amounts {
            volume = volume.saturating_add(amount.saturating_abs());
        }
        if volume > VOLUME_MAX {
            let detail = "the sum of all amounts booked on the account would leave the range of money";
            return Err(Refusal::new(RefusalCode::MoneyOverflow, detail));
        }
        self.account.volume = volume;
        self.account.currency = Some(currency);
        Ok(())
    }

    /// Whether the event's money is not yet part of the ledger's snapshot.
    fn moves_money(&self) -> bool {
        self.at > self.account.money.as_of || self.account.money.as_of == Timestamp::default()
    }

    fn moved_money(&mut self) {
        self.account.money.last_moved = self.account.money.last_moved.max(self.at);
        let (used, base, now) = (self.account.used(), self.account.stack.base, self.now);
        for boost in self.account.stack.boosts.iter_mut().filter(|each| each.active(now)) {
            boost.used_peak = boost.used_peak.max(used.saturating_sub(base));
        }
    }
}
