//! Why a record could not be taken. Each code has its page in `docs/reasons`.

/// A refused record: becomes a dead letter, and the shard goes on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}: {detail}", code.code())]
pub struct Refusal {
    /// The stable code.
    pub code: RefusalCode,
    /// What exactly was wrong, for the person who mends it.
    pub detail: String,
}

impl Refusal {
    /// A refusal with its detail.
    pub fn new(code: RefusalCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// The closed list of reasons.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RefusalCode {
    /// The bytes are no event.
    Unparseable,
    /// The record is larger than an event may be.
    TooLarge,
    /// There is no account id, or no event id.
    NoKey,
    /// An id is too long or carries control characters.
    BadId,
    /// The event has no body, or a body without content.
    NoBody,
    /// There is no time.
    NoTime,
    /// A word that this version does not know.
    UnknownWord,
    /// The currency is not the account's, or is no currency.
    WrongCurrency,
    /// An amount is negative where it may not be, or beyond 10^15 minor units.
    AmountOutOfRange,
    /// All amounts ever booked on the account would leave the range of money.
    MoneyOverflow,
    /// The event lies more than five minutes ahead of its record.
    TimeInFuture,
    /// The event is older than the horizon within which duplicates are known.
    TooOldToDedup,
    /// The event id was used before with other content.
    IdReused,
    /// A fact that neither the catalogue nor the ruleset declares.
    UnknownFact,
    /// A fact's value has the wrong type or lies outside its range.
    FactOutOfRange,
    /// A fact from a source that may not report it.
    FactSourceNotAllowed,
    /// A ledger snapshot that names a sequence we never emitted.
    SequenceAhead,
    /// An account that is opened a second time.
    AlreadyOpened,
    /// There are too many accounts that nobody opened.
    TooManyProvisional,
    /// A promotion whose end is not after its start.
    BadPromotion,
    /// A published ruleset that does not load, or whose hash is not that of its files.
    BadRuleset,
    /// The record's key belongs into another partition than the one it stands in.
    WrongPartition,
    /// The event stands in a topic that is not for events of its kind.
    WrongTopic,
    /// Deciding on it failed in a way that no record should be able to cause.
    Poisoned,
}

impl RefusalCode {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::Unparseable,
        Self::TooLarge,
        Self::NoKey,
        Self::BadId,
        Self::NoBody,
        Self::NoTime,
        Self::UnknownWord,
        Self::WrongCurrency,
        Self::AmountOutOfRange,
        Self::MoneyOverflow,
        Self::TimeInFuture,
        Self::TooOldToDedup,
        Self::IdReused,
        Self::UnknownFact,
        Self::FactOutOfRange,
        Self::FactSourceNotAllowed,
        Self::SequenceAhead,
        Self::AlreadyOpened,
        Self::TooManyProvisional,
        Self::BadPromotion,
        Self::BadRuleset,
        Self::WrongPartition,
        Self::WrongTopic,
        Self::Poisoned,
    ];

    /// The code as it stands in dead letters.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unparseable => "UNPARSEABLE",
            Self::TooLarge => "TOO_LARGE",
            Self::NoKey => "NO_KEY",
            Self::BadId => "BAD_ID",
            Self::NoBody => "NO_BODY",
            Self::NoTime => "NO_TIME",
            Self::UnknownWord => "UNKNOWN_WORD",
            Self::WrongCurrency => "WRONG_CURRENCY",
            Self::AmountOutOfRange => "AMOUNT_OUT_OF_RANGE",
            Self::MoneyOverflow => "MONEY_OVERFLOW",
            Self::TimeInFuture => "TIME_IN_FUTURE",
            Self::TooOldToDedup => "TOO_OLD_TO_DEDUP",
            Self::IdReused => "ID_REUSED",
            Self::UnknownFact => "UNKNOWN_FACT",
            Self::FactOutOfRange => "FACT_OUT_OF_RANGE",
            Self::FactSourceNotAllowed => "FACT_SOURCE_NOT_ALLOWED",
            Self::SequenceAhead => "SEQUENCE_AHEAD",
            Self::AlreadyOpened => "ALREADY_OPENED",
            Self::TooManyProvisional => "TOO_MANY_PROVISIONAL",
            Self::BadPromotion => "BAD_PROMOTION",
            Self::BadRuleset => "BAD_RULESET",
            Self::WrongPartition => "WRONG_PARTITION",
            Self::WrongTopic => "WRONG_TOPIC",
            Self::Poisoned => "POISONED",
        }
    }
}
