//! Closed lists of words that rules, events and outputs share. Their order is their number in stored forms: words are
//! added at the end and never removed.

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// Every word, in stored order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word as rules and scenarios write it.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The reverse of [`Self::word`].
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.word() == word)
            }

            /// The position in [`Self::ALL`].
            pub fn index(self) -> u8 {
                self as u8
            }

            /// The reverse of [`Self::index`].
            pub fn from_index(index: u8) -> Option<Self> {
                Self::ALL.get(usize::from(index)).copied()
            }
        }
    };
}

words! {
    /// What kind of customer an account belongs to.
    Segment {
        /// A consumer without history.
        ConsumerNew = "consumer_new",
        /// A consumer.
        Consumer = "consumer",
        /// A consumer of long good standing.
        ConsumerPrime = "consumer_prime",
        /// A merchant without history.
        MerchantNew = "merchant_new",
        /// A merchant.
        MerchantStandard = "merchant_standard",
        /// A merchant that the platform looks after in person.
        MerchantKey = "merchant_key",
    }
}

impl Segment {
    /// Merchants sell: their order features count seller orders.
    pub fn is_merchant(self) -> bool {
        matches!(self, Self::MerchantNew | Self::MerchantStandard | Self::MerchantKey)
    }
}

words! {
    /// Loyalty tier.
    Tier {
        /// No tier.
        None = "none",
        /// Silver.
        Silver = "silver",
        /// Gold.
        Gold = "gold",
        /// Platinum.
        Platinum = "platinum",
    }
}

words! {
    /// How far an account has come in its life.
    Status {
        /// Seen in events, not opened yet: booked, no rule fires.
        Provisional = "provisional",
        /// Open.
        Active = "active",
        /// Open, under a hardship arrangement.
        Hardship = "hardship",
        /// Closed.
        Closed = "closed",
        /// Closed with a loss.
        ChargedOff = "charged_off",
    }
}

words! {
    /// What a block, a waiver or an undo entry is about.
    Cause {
        /// Order amounts out of the ordinary.
        Volatility = "volatility",
        /// Fraud.
        Fraud = "fraud",
        /// Identity to be verified.
        Verification = "verification",
        /// Overdue payment.
        Delinquency = "delinquency",
        /// Debts elsewhere.
        Lending = "lending",
        /// Collateral lost value.
        Collateral = "collateral",
        /// A fault of ours.
        Fault = "fault",
        /// A person's decision.
        Manual = "manual",
    }
}

words! {
    /// What a block bounds: cash ⊂ spend ⊂ all; watch stands apart. Ordered by strictness.
    Scope {
        /// Bounds `spendable` by its ceiling, nothing else.
        Watch = "watch",
        /// Bounds cash drawing.
        Cash = "cash",
        /// Bounds all spending.
        Spend = "spend",
        /// Bounds all spending and vetoes favourable changes.
        All = "all",
    }
}

words! {
    /// A ceiling with a name.
    CapName {
        /// The customer's share over all accounts.
        Customer = "customer",
        /// The product's maximum.
        Product = "product",
        /// The tier's maximum.
        Tier = "tier",
        /// The first months.
        Probation = "probation",
        /// Lines held elsewhere.
        OtherLines = "other_lines",
    }
}

words! {
    /// Which favourable changes a hold stops.
    HoldOf {
        /// Increases of base.
        Increase = "increase",
        /// Boosts.
        Boost = "boost",
    }
}

words! {
    /// Regime of the market.
    Regime {
        /// Nothing special.
        Normal = "normal",
        /// Growth.
        Boom = "boom",
        /// Contraction.
        Downturn = "downturn",
    }
}

words! {
    /// How a review ended.
    ReviewOutcome {
        /// The suspicion did not hold.
        Cleared = "cleared",
        /// It did.
        Confirmed = "confirmed",
        /// Nobody looked in time.
        Expired = "expired",
    }
}

words! {
    /// Where the content of an event comes from.
    Provenance {
        /// Recorded by the publisher.
        Fact = "fact",
        /// Computed from facts.
        Derived = "derived",
        /// Supplied by a policy.
        Synthetic = "synthetic",
    }
}

words! {
    /// How exact the time of an event is.
    Precision {
        /// A second or better.
        Second = "second",
        /// A day; the event stands at its end.
        Day = "day",
        /// A month; the event stands at its end.
        Month = "month",
    }
}

words! {
    /// Which side of an order the account is on.
    Side {
        /// It buys.
        Buyer = "buyer",
        /// It sells.
        Seller = "seller",
    }
}

words! {
    /// What an order is for.
    Purpose {
        /// Goods and services.
        Purchase = "purchase",
        /// Cash.
        Cash = "cash",
    }
}

words! {
    /// What a change does; the strongest first is arbitration's business, not this order's.
    Class {
        /// Raises base.
        Increase = "increase",
        /// Lowers base, or ends or steps a boost.
        Decrease = "decrease",
        /// Grants for a time.
        Boost = "boost",
        /// Lifts or loosens a block, undoes, uncaps.
        Restore = "restore",
        /// Blocks.
        Freeze = "freeze",
        /// Caps.
        Cap = "cap",
        /// Stops favourable changes for a time.
        Hold = "hold",
        /// Asks a person.
        Review = "review",
    }
}

words! {
    /// The kind of a limit change.
    ChangeKind {
        /// Base went up.
        Increase = "increase",
        /// Base went down.
        Decrease = "decrease",
        /// A boost was granted or prolonged.
        Boost = "boost",
        /// A boost ended or shrank.
        BoostEnded = "boost_ended",
        /// A block came, went, or moved its ceiling.
        BlockChanged = "block_changed",
        /// A cap came, went, or moved.
        CapChanged = "cap_changed",
        /// A hold came or went.
        HoldChanged = "hold_changed",
        /// Earlier changes were undone.
        Undone = "undone",
    }
}

words! {
    /// How urgent a review is.
    Priority {
        /// When there is time.
        Low = "low",
        /// In turn.
        Normal = "normal",
        /// First.
        High = "high",
    }
}

words! {
    /// Whose business a rule is.
    Family {
        /// Promotions.
        Promotion = "promotion",
        /// Seasons.
        Season = "season",
        /// Repayment behaviour.
        Repayment = "repayment",
        /// Growth.
        Growth = "growth",
        /// Utilisation.
        Utilisation = "utilisation",
        /// Delinquency.
        Delinquency = "delinquency",
        /// Debts elsewhere.
        Lending = "lending",
        /// Fraud.
        Fraud = "fraud",
        /// Recovery of limits.
        Recovery = "recovery",
        /// Collateral.
        Collateral = "collateral",
        /// Law and portfolio.
        Regulatory = "regulatory",
    }
}
