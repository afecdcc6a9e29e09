//! What falls due without an event.

use crate::time::Timestamp;

/// What a timer is for. Its number orders timers of one instant and account, and is stored: never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum TimerKind {
    /// A boost, block, cap or hold runs out.
    Expiry = 1,
    /// A boost shrinks by a step.
    BoostStep = 2,
    /// A new business day for an account that needs a daily look.
    Daily = 3,
    /// A restore is tried again against its deadline.
    Recheck = 4,
    /// A waiver ends.
    WaiverEnd = 5,
    /// A stopped restore is tried again.
    Deferred = 6,
    /// A decrease that was announced is carried out, if its condition still holds.
    Scheduled = 7,
    /// Nobody has opened the account.
    Unopened = 8,
    /// The ledger stays behind.
    LedgerBehind = 9,
    /// Once a month, for every open account.
    Monthly = 10,
}

impl TimerKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Expiry,
        Self::BoostStep,
        Self::Daily,
        Self::Recheck,
        Self::WaiverEnd,
        Self::Deferred,
        Self::Scheduled,
        Self::Unopened,
        Self::LedgerBehind,
        Self::Monthly,
    ];

    /// As triggers name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expiry => "expiry",
            Self::BoostStep => "boost_step",
            Self::Daily => "daily",
            Self::Recheck => "recheck",
            Self::WaiverEnd => "waiver_end",
            Self::Deferred => "deferred",
            Self::Scheduled => "scheduled",
            Self::Unopened => "unopened",
            Self::LedgerBehind => "ledger_behind",
            Self::Monthly => "monthly",
        }
    }

    /// The stored number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The reverse of [`Self::number`].
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|each| each.number() == number)
    }
}

/// One timer of an account; fires in (due, account, kind, rule) order, each with `now` = its due time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timer {
    /// When.
    pub due: Timestamp,
    /// For what.
    pub kind: TimerKind,
    /// For which rule; 0: none.
    pub rule: u32,
}
