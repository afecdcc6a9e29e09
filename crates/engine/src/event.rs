//! What comes in, after the wire has checked its form. Money is minor units; amounts lie within ±[`AMOUNT_MAX`].

use std::sync::Arc;

use headroom_policy::Currency;

use crate::time::Timestamp;
use crate::vocabulary::{Cause, Precision, Provenance, Purpose, Regime, ReviewOutcome, Scope, Segment, Side, Tier};

/// An account's id as its publisher writes it: 1 to 128 bytes without control characters.
pub type AccountId = Arc<str>;

/// The largest amount of money that one event may carry, in minor units.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000_000;

/// One event. `account` is empty for broadcasts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Unique together with the body's kind and the source.
    pub id: String,
    /// The publishing system.
    pub source: String,
    /// Whose event it is.
    pub account: AccountId,
    /// When it happened, as sent.
    pub occurred_at: Timestamp,
    /// Where its content comes from.
    pub provenance: Provenance,
    /// How exact its time is.
    pub precision: Precision,
    /// What happened.
    pub body: Body,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// An order moved.
    Order(Order),
    /// A statement or a payment.
    Repayment {
        /// Of every amount in it.
        currency: Currency,
        /// What happened.
        kind: Repayment,
    },
    /// A typed fact.
    Signal(Signal),
    /// The account itself.
    Account(AccountEvent),
    /// A promotion (broadcast).
    Promotion(PromotionEvent),
    /// The market (broadcast).
    Market(MarketEvent),
    /// Control (broadcast).
    Control(ControlEvent),
}

/// How an order moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderKind {
    /// Placed.
    Placed,
    /// Paid.
    Paid,
    /// Cancelled.
    Cancelled,
    /// Refunded.
    Refunded,
    /// Its hold of credit lapsed.
    HoldExpired,
    /// Refused because `spendable` was too small.
    Declined,
}

/// An order's movement; what it holds, releases, draws or gives back of credit. `None` moves no credit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// How it moved.
    pub kind: OrderKind,
    /// The order.
    pub order_id: String,
    /// Which side the account is on.
    pub side: Side,
    /// What it is for.
    pub purpose: Purpose,
    /// Of every amount in it.
    pub currency: Currency,
    /// The full amount.
    pub amount: i64,
    /// Placed: credit to hold. Declined: credit asked for.
    pub hold: Option<i64>,
    /// Credit no longer held.
    pub hold_released: Option<i64>,
    /// Credit drawn.
    pub captured: Option<i64>,
    /// Credit given back.
    pub credit_refunded: Option<i64>,
}

/// Statements, payments, overdue reports, promises.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Repayment {
    /// A cycle closed.
    StatementIssued {
        /// The statement.
        statement_id: String,
        /// What is owed; negative in credit.
        balance: i64,
        /// The minimum to pay.
        min_due: i64,
        /// By when; `None`: nothing is derived from it.
        due_at: Option<Timestamp>,
    },
    /// Money came in.
    PaymentPosted {
        /// The payment.
        payment_id: String,
        /// How much.
        amount: i64,
        /// When it is final; `None`: at once.
        clears_at: Option<Timestamp>,
    },
    /// A payment became final.
    PaymentCleared {
        /// The payment.
        payment_id: String,
    },
    /// A payment bounced.
    PaymentReturned {
        /// The payment.
        payment_id: String,
        /// How much.
        amount: i64,
    },
    /// Another system counts the days past due.
    OverdueReported {
        /// Days; 0 is a cure.
        dpd: i32,
    },
    /// The customer promised to pay.
    PromiseMade,
    /// And did not.
    PromiseBroken,
    /// Direct debit was agreed or ended.
    AutopayChanged {
        /// Agreed.
        autopay: bool,
    },
}

/// The value of a fact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FactValue {
    /// A number.
    Int(i64),
    /// A flag.
    Bool(bool),
    /// A word of an enumeration.
    Text(String),
    /// Money in the given currency.
    Money(i64, Currency),
}

/// A typed fact about the account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signal {
    /// The feature or declared fact.
    pub name: String,
    /// What it says.
    pub value: FactValue,
    /// After this it is unknown again.
    pub valid_until: Option<Timestamp>,
}

/// The account itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountEvent {
    /// It was opened.
    Opened {
        /// Segment.
        segment: Segment,
        /// Tier.
        tier: Tier,
        /// Currency of all its money.
        currency: Currency,
        /// The first permanent limit.
        base: i64,
        /// When the relationship began, if before this event.
        opened_at: Option<Timestamp>,
        /// A cap for the first months.
        probation_cap: Option<i64>,
    },
    /// What the ledger holds.
    LedgerSnapshot {
        /// As of when.
        as_of: Timestamp,
        /// The last change it applied.
        last_applied_sequence: u64,
        /// Currency.
        currency: Currency,
        /// Drawn credit; negative in credit.
        balance: i64,
        /// Held credit.
        pending: i64,
        /// The permanent limit, if the ledger states it.
        base: Option<i64>,
    },
    /// Standing consent to increases.
    ConsentChanged {
        /// Given.
        standing: bool,
    },
    /// The customer answered an offer.
    OfferAnswered {
        /// Which.
        offer_id: String,
        /// Yes.
        accepted: bool,
    },
    /// A person blocks.
    ManualBlock {
        /// What.
        scope: Scope,
        /// Down to.
        ceiling: i64,
        /// Until.
        until: Option<Timestamp>,
        /// Who.
        by: String,
    },
    /// A person lifts a block.
    ManualUnblock {
        /// Which; normally the manual one.
        cause: Cause,
        /// Who.
        by: String,
    },
    /// A person sets the permanent limit.
    ManualOverride {
        /// To.
        base: i64,
        /// Who.
        by: String,
    },
    /// New segment.
    SegmentChanged(Segment),
    /// New tier.
    TierChanged(Tier),
    /// It takes part in a promotion.
    PromotionEnrolled {
        /// Which.
        promotion_id: String,
        /// Sales a day that it expects.
        forecast_daily: i64,
        /// Of the forecast.
        currency: Currency,
    },
    /// It no longer does.
    PromotionWithdrawn {
        /// Which.
        promotion_id: String,
    },
    /// Hardship arrangement began or ended.
    HardshipChanged(bool),
    /// A person looked.
    ReviewResolved {
        /// At which review.
        review_id: String,
        /// With which result.
        outcome: ReviewOutcome,
    },
    /// The customer objects.
    AppealOpened,
    /// The end.
    Closed {
        /// With a loss.
        charged_off: bool,
    },
    /// A label; never reaches a decision.
    Outcome,
}

/// How a promotion moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PromotionKind {
    /// Made known.
    Announced,
    /// Begun.
    Started,
    /// Prolonged.
    Extended,
    /// Over.
    Ended,
}

/// A promotion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PromotionEvent {
    /// How it moved.
    pub kind: PromotionKind,
    /// Which.
    pub promotion_id: String,
    /// First instant; `None`: as known.
    pub start: Option<Timestamp>,
    /// First instant after it; `None`: as known.
    pub end: Option<Timestamp>,
    /// Whom it targets; empty: all.
    pub segments: Vec<Segment>,
}

/// A holiday.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holiday {
    /// Its name.
    pub name: String,
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

/// The market.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MarketEvent {
    /// New regime.
    RegimeChanged(Regime),
    /// The calendar as a whole.
    HolidayCalendar(Vec<Holiday>),
    /// What may still be granted upward.
    PortfolioBudget {
        /// Currency.
        currency: Currency,
        /// Left.
        increase_left: i64,
    },
}

/// Control.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ControlEvent {
    /// A whole ruleset: path and content of every file.
    RulesetPublished {
        /// As the publisher computed it.
        content_hash: String,
        /// The files.
        files: Vec<(String, String)>,
    },
    /// Changes since then are suspect.
    FaultDeclared {
        /// Which fault.
        fault_id: String,
        /// Since when.
        since: Timestamp,
    },
    /// The fault is mended.
    FaultCleared {
        /// Which fault.
        fault_id: String,
        /// Since when it was.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// A rollout was taken back.
    RolloutRolledBack {
        /// Which.
        rollout_id: String,
        /// Since when it was out; `None`: none of its changes is suspect.
        since: Option<Timestamp>,
        /// Until when; `None`: until this record.
        until: Option<Timestamp>,
        /// Number of the rule that it was about; 0: all.
        rule: u32,
    },
}

impl Body {
    /// The number of the body's kind, part of the dedup key; stored, never reused.
    pub fn kind_number(&self) -> u8 {
        match self {
            Self::Order(_) => 1,
            Self::Repayment { .. } => 2,
            Self::Signal(_) => 3,
            Self::Account(_) => 4,
            Self::Promotion(_) => 5,
            Self::Market(_) => 6,
            Self::Control(_) => 7,
        }
    }

    /// Broadcasts concern every account.
    pub fn is_broadcast(&self) -> bool {
        matches!(self, Self::Promotion(_) | Self::Market(_) | Self::Control(_))
    }

    /// The order of records that carry the same instant (kind rank, `PROTOCOL.md` P1): lower first.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Account(AccountEvent::Opened { .. }) => 0,
            Self::Promotion(_) | Self::Market(_) | Self::Control(_) => 1,
            Self::Account(_) => 2,
            Self::Repayment { kind: Repayment::OverdueReported { .. }, .. } => 8,
            Self::Repayment { kind: Repayment::StatementIssued { .. }, .. } => 9,
            Self::Repayment { .. } => 3,
            Self::Signal(_) => 4,
            Self::Order(order) => match order.kind {
                OrderKind::Cancelled | OrderKind::Refunded | OrderKind::HoldExpired => 5,
                OrderKind::Placed | OrderKind::Declined => 6,
                OrderKind::Paid => 7,
            },
        }
    }
}
