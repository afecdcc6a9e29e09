//! What makes rules fire.

macro_rules! triggers {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// What makes rules fire. Facts are named beside it (`fact NAME`).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum TriggerKind { $($(#[$doc])* $variant),+ }

        impl TriggerKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As rules write it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The reverse of [`Self::word`].
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.word() == word)
            }
        }
    };
}

triggers! {
    /// The account was opened.
    AccountOpened = "account_opened",
    /// An order was placed.
    OrderPlaced = "order_placed",
    /// An order was paid.
    OrderPaid = "order_paid",
    /// An order was refused for want of limit.
    OrderDeclined = "order_declined",
    /// An order was cancelled.
    OrderCancelled = "order_cancelled",
    /// An order was refunded.
    OrderRefunded = "order_refunded",
    /// Money came in.
    PaymentPosted = "payment_posted",
    /// Money became final.
    PaymentCleared = "payment_cleared",
    /// Money bounced.
    PaymentReturned = "payment_returned",
    /// A promise was broken.
    PromiseBroken = "promise_broken",
    /// A cycle closed.
    StatementClosed = "statement_closed",
    /// Days past due moved.
    DpdChanged = "dpd_changed",
    /// Direct debit was agreed or ended.
    AutopayChanged = "autopay_changed",
    /// New tier.
    TierChanged = "tier_changed",
    /// New segment.
    SegmentChanged = "segment_changed",
    /// Consent was given or withdrawn.
    ConsentChanged = "consent_changed",
    /// A person looked.
    ReviewResolved = "review_resolved",
    /// The customer objects.
    AppealOpened = "appeal_opened",
    /// The customer answered an offer; fires only the rule that made it.
    OfferAnswered = "offer_answered",
    /// A promotion became known.
    PromotionAnnounced = "promotion_announced",
    /// It began.
    PromotionStarted = "promotion_started",
    /// It goes on for longer.
    PromotionExtended = "promotion_extended",
    /// It is over.
    PromotionEnded = "promotion_ended",
    /// The account takes part.
    PromotionEnrolled = "promotion_enrolled",
    /// A promotion starts within 72 hours.
    PromotionNear = "promotion_near",
    /// A holiday begins within 72 hours.
    HolidayNear = "holiday_near",
    /// The market changed.
    MarketChanged = "market_changed",
    /// A fault was mended.
    FaultCleared = "fault_cleared",
    /// A rollout was taken back.
    RolloutRolledBack = "rollout_rolled_back",
    /// A new business day, for accounts that need it.
    Daily = "daily",
    /// Once a month for every open account, each on its own day and minute.
    Monthly = "monthly",
    /// A boost ran out.
    BoostExpired = "boost_expired",
    /// A restore is tried again; fires only the rule that asked for it.
    Recheck = "recheck",
    /// A block came or tightened in pass 1 (internal).
    AccountFrozen = "account_frozen",
    /// Base or a boost changed in pass 1 (internal).
    LimitChanged = "limit_changed",
    /// An increase or boost is about to be applied (internal).
    BeforeIncrease = "before_increase",
}

impl TriggerKind {
    /// Its position in tables by trigger.
    pub fn index(self) -> usize {
        usize::from(self as u8)
    }
}

/// A rule's `on` entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum On {
    /// One of the closed list.
    Kind(TriggerKind),
    /// A fact by key.
    Fact(u32),
}
