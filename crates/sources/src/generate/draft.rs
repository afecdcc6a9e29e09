//! An event before it has its final form: small, so that a day of them fits into memory.

use headroom_wire::proto::{Segment, Tier};

use super::calendar::HOUR;

/// Stands in the place of an account in broadcasts.
pub(super) const EVERYBODY: u32 = u32::MAX;

/// One event to be.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// When it becomes known, Unix seconds: the order of the file.
    pub(super) recorded: i64,
    /// How much earlier it happened, seconds.
    pub(super) late: u32,
    pub(super) account: u32,
    /// Of the event; a duplicate has that of its original.
    pub(super) id: u64,
    /// The same event again: nothing more is booked.
    pub(super) again: bool,
    pub(super) what: What,
}

impl Draft {
    /// The order of a season: by record time, then by kind rank, then an arbitrary one that never changes.
    pub(super) fn key(&self) -> (i64, u8, u32, u64, bool) {
        (self.recorded, self.what.rank(), self.account, self.id, self.again)
    }

    pub(super) fn occurred(&self) -> i64 {
        self.recorded - i64::from(self.late)
    }
}

/// What happens. Money in fen; orders and payments are named by the number of the event that began them; an order on
/// credit takes all its amount from it.
#[derive(Clone, Debug)]
pub(super) enum What {
    Opened { base: i64, opened_at: i64, probation: bool },
    Consent { standing: bool },
    TierChanged(Tier),
    SegmentChanged(Segment),
    Enrolled { promotion: u64, forecast: i64 },
    Withdrawn { promotion: u64 },
    Hardship(bool),
    ManualBlock { full: bool },
    ManualUnblock,
    Snapshot,
    Appeal,
    Closed { charged_off: bool },

    Sold { amount: i64 },
    SalePaid { order: u64, amount: i64 },
    SaleRefunded { order: u64, amount: i64 },
    Bought { amount: i64, credit: bool, cash: bool },
    BuyPaid { order: u64, amount: i64 },
    BuyCancelled { order: u64, amount: i64, credit: bool },
    BuyRefunded { order: u64, amount: i64 },
    HoldExpired { order: u64, amount: i64 },
    Declined { amount: i64 },

    Statement,
    PaymentPosted { amount: i64, clears_after: i64 },
    PaymentCleared { payment: u64, amount: i64 },
    PaymentReturned { payment: u64, amount: i64 },
    Overdue { dpd: u32 },
    PromiseMade { amount: i64, due_at: i64 },
    PromiseBroken { promise: u64 },
    Autopay(bool),

    Signal { fact: Fact, value: i64 },

    PromotionAnnounced(u64),
    PromotionStarted(u64),
    PromotionExtended(u64),
    PromotionEnded(u64),
    Regime { downturn: bool },
    Holidays,
    Budget { increase_left: i64 },
    FaultDeclared { since: i64 },
    FaultCleared { since: i64, until: i64 },
}

impl What {
    /// Kind rank within one instant, as the engine has it.
    pub(super) fn rank(&self) -> u8 {
        match self {
            What::Opened { .. } => 0,
            What::PromotionAnnounced(_)
            | What::PromotionStarted(_)
            | What::PromotionExtended(_)
            | What::PromotionEnded(_)
            | What::Regime { .. }
            | What::Holidays
            | What::Budget { .. }
            | What::FaultDeclared { .. }
            | What::FaultCleared { .. } => 1,
            What::Consent { .. }
            | What::TierChanged(_)
            | What::SegmentChanged(_)
            | What::Enrolled { .. }
            | What::Withdrawn { .. }
            | What::Hardship(_)
            | What::ManualBlock { .. }
            | What::ManualUnblock
            | What::Snapshot
            | What::Appeal
            | What::Closed { .. } => 2,
            What::PaymentPosted { .. }
            | What::PaymentCleared { .. }
            | What::PaymentReturned { .. }
            | What::PromiseMade { .. }
            | What::PromiseBroken { .. }
            | What::Autopay(_) => 3,
            What::Signal { .. } => 4,
            What::BuyCancelled { .. }
            | What::BuyRefunded { .. }
            | What::SaleRefunded { .. }
            | What::HoldExpired { .. } => 5,
            What::Sold { .. } | What::Bought { .. } | What::Declined { .. } => 6,
            What::SalePaid { .. } | What::BuyPaid { .. } => 7,
            What::Overdue { .. } => 8,
            What::Statement => 9,
        }
    }

    /// The name under which it is counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            What::Opened { .. } => "account_opened",
            What::Consent { .. } => "consent_changed",
            What::TierChanged(_) => "tier_changed",
            What::SegmentChanged(_) => "segment_changed",
            What::Enrolled { .. } => "promotion_enrolled",
            What::Withdrawn { .. } => "promotion_withdrawn",
            What::Hardship(_) => "hardship_changed",
            What::ManualBlock { .. } => "manual_block",
            What::ManualUnblock => "manual_unblock",
            What::Snapshot => "ledger_snapshot",
            What::Appeal => "appeal_opened",
            What::Closed { .. } => "account_closed",
            What::Sold { .. } | What::Bought { .. } => "order_placed",
            What::SalePaid { .. } | What::BuyPaid { .. } => "order_paid",
            What::SaleRefunded { .. } | What::BuyRefunded { .. } => "order_refunded",
            What::BuyCancelled { .. } => "order_cancelled",
            What::HoldExpired { .. } => "order_hold_expired",
            What::Declined { .. } => "order_declined",
            What::Statement => "statement_issued",
            What::PaymentPosted { .. } => "payment_posted",
            What::PaymentCleared { .. } => "payment_cleared",
            What::PaymentReturned { .. } => "payment_returned",
            What::Overdue { .. } => "overdue_reported",
            What::PromiseMade { .. } => "promise_made",
            What::PromiseBroken { .. } => "promise_broken",
            What::Autopay(_) => "autopay_changed",
            What::Signal { fact, .. } => fact.name(),
            What::PromotionAnnounced(_) => "promotion_announced",
            What::PromotionStarted(_) => "promotion_started",
            What::PromotionExtended(_) => "promotion_extended",
            What::PromotionEnded(_) => "promotion_ended",
            What::Regime { .. } => "regime_changed",
            What::Holidays => "holiday_calendar",
            What::Budget { .. } => "portfolio_budget",
            What::FaultDeclared { .. } => "fault_declared",
            What::FaultCleared { .. } => "fault_cleared",
        }
    }

    /// Whether it may come twice. What is read from the books when it is emitted could differ the second time.
    pub(super) fn may_come_twice(&self) -> bool {
        !matches!(self, What::Statement | What::Snapshot)
    }

    /// Whether it may become known late. What moves credit comes in order: its consequences are on their way.
    pub(super) fn may_be_late(&self) -> bool {
        matches!(self, What::Sold { .. } | What::Signal { .. } | What::Declined { .. } | What::SaleRefunded { .. })
    }
}

/// The facts that signals carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Lenders,
    Inquiries,
    OtherLines,
    ListHit,
    DeviceChanged,
    PlaceChanged,
    ProfileChanged,
    LoginAnomaly,
    Verified,
    CollateralValue,
    Score,
    Violations,
    Rating,
    Repurchase,
    CustomerShare,
}

/// The form of a fact's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Int,
    Bool,
    Money,
}

impl Fact {
    pub(super) fn name(self) -> &'static str {
        match self {
            Fact::Lenders => "lending.lenders_30d",
            Fact::Inquiries => "lending.inquiries_7d",
            Fact::OtherLines => "lending.other_lines",
            Fact::ListHit => "fraud.list_hit",
            Fact::DeviceChanged => "fraud.device_changed",
            Fact::PlaceChanged => "fraud.place_changed",
            Fact::ProfileChanged => "fraud.profile_changed",
            Fact::LoginAnomaly => "fraud.login_anomaly",
            Fact::Verified => "fraud.verified",
            Fact::CollateralValue => "collateral.value",
            Fact::Score => "model.score",
            Fact::Violations => "merchant.violations_90d",
            Fact::Rating => "merchant.rating",
            Fact::Repurchase => "merchant.repurchase_pct",
            Fact::CustomerShare => "limit.customer_share",
        }
    }

    pub(super) fn form(self) -> Form {
        match self {
            Fact::OtherLines | Fact::CollateralValue | Fact::CustomerShare => Form::Money,
            Fact::ListHit
            | Fact::DeviceChanged
            | Fact::PlaceChanged
            | Fact::ProfileChanged
            | Fact::LoginAnomaly
            | Fact::Verified => Form::Bool,
            _ => Form::Int,
        }
    }

    /// How long it holds, seconds; `None` until it is replaced.
    pub(super) fn holds_for(self) -> Option<i64> {
        match self {
            Fact::Inquiries => Some(14 * 24 * HOUR),
            Fact::OtherLines => Some(90 * 24 * HOUR),
            _ => None,
        }
    }
}
