//! What the engine remembers of one account. Everything a decision reads stands here or in the context.

use headroom_policy::Currency;

use crate::event::AccountId;
use crate::stack::{Limits, Stack};
use crate::time::{DAY, Timestamp};
use crate::timer::Timer;
use crate::vocabulary::{Cause, Class, Segment, Side, Status, Tier};
use crate::windows::Windows;

/// One account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// How far it has come.
    pub status: Status,
    /// Segment.
    pub segment: Segment,
    /// Tier.
    pub tier: Tier,
    /// Currency of all its money; the first event that carries one sets it.
    pub currency: Option<Currency>,
    /// When the relationship began.
    pub opened_at: Timestamp,
    /// When it last ordered, on either side.
    pub last_order_at: Option<Timestamp>,
    /// When its first event came.
    pub first_seen: Timestamp,
    /// Up to when windows, lapses and days are rolled: never goes back.
    pub clock: Timestamp,
    /// Sequence of the last limit change.
    pub sequence: u64,
    /// Sequence of the last broadcast that was applied.
    pub broadcast: u64,
    /// Sum of all amounts ever booked: bounds every sum of them, so no sum can overflow.
    pub volume: i64,
    /// The limit.
    pub stack: Stack,
    /// Money.
    pub money: Money,
    /// Statements and payments.
    pub repay: Repay,
    /// Days past due.
    pub delinquency: Delinquency,
    /// Orders by side.
    pub orders: [Windows; 2],
    /// Bit n: an order was declined for the limit n days before `clock`.
    pub declined_days: u64,
    /// Use of the limit at the end of days.
    pub utilisation: Utilisation,
    /// Dated marks (late, returned, broken, fraud signals).
    pub marks: Vec<Mark>,
    /// Facts by key.
    pub facts: Vec<Fact>,
    /// Promotions it takes or took part in.
    pub promotions: Vec<Participation>,
    /// Base after each change of the last twelve months, and once before.
    pub growth: Growth,
    /// Memory of decisions.
    pub memory: Memory,
    /// What falls due without an event; sorted.
    pub timers: Vec<Timer>,
}

/// Drawn, held and unfinal money.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Money {
    /// Drawn; below 0 in credit.
    pub balance: i64,
    /// Held for orders, by day.
    pub pending: Vec<(i32, i64)>,
    /// Payments that are not final.
    pub uncleared: Vec<Uncleared>,
    /// Time of the last event that moved money.
    pub last_moved: Timestamp,
    /// The ledger's snapshot that was taken last holds everything up to here: earlier events move windows, not money.
    pub as_of: Timestamp,
    /// How often a release was larger than what was held.
    pub drift: u32,
}

/// A payment that is not final.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uncleared {
    /// Hash of the payment id.
    pub payment: u64,
    /// How much.
    pub amount: i64,
    /// When it is final.
    pub clears_at: Timestamp,
}

/// Statements and payments.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Repay {
    /// The open cycle; while `statement_closed` is decided, the one that just ended.
    pub cycle: Option<Cycle>,
    /// Whether the last judged cycle fed the streaks: a returned payment takes it back.
    pub fed: Fed,
    /// Cycles in a row whose minimum was paid in time.
    pub on_time_streak: u32,
    /// … three days early.
    pub early_streak: u32,
    /// … whole statement in time.
    pub full_streak: u32,
    /// … no more than 110 % of the minimum.
    pub min_only_streak: u32,
    /// Direct debit; unknown until somebody says.
    pub autopay: Option<bool>,
    /// The last payments, newest last, at most eight.
    pub payments: Vec<Payment>,
    /// Key of the last statement: the cycles' count.
    pub cycles: u32,
}

/// Which streaks the last judged cycle fed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fed {
    /// On time.
    pub on_time: bool,
    /// Early.
    pub early: bool,
    /// Full.
    pub full: bool,
    /// By how much the minimum was over-paid: a return of more takes the month back.
    pub spare: i64,
}

/// From one statement to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cycle {
    /// What is owed; below 0 in credit.
    pub balance: i64,
    /// The minimum to pay.
    pub min_due: i64,
    /// By when.
    pub due_at: Option<Timestamp>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Paid since.
    pub paid: i64,
    /// When the minimum was reached.
    pub min_paid_at: Option<Timestamp>,
    /// When the whole was reached.
    pub full_paid_at: Option<Timestamp>,
}

/// A payment, remembered because it may be returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payment {
    /// Hash of the payment id.
    pub payment: u64,
    /// How much.
    pub amount: i64,
    /// The cycle's count when it came.
    pub cycle: u32,
}

/// Days past due.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delinquency {
    /// Minimum dues, oldest first, at most fourteen; paid ones are kept while a return may reopen them.
    pub dues: Vec<Due>,
    /// What another system reported.
    pub reported: Option<Reported>,
    /// The value that rules saw last.
    pub seen: i32,
    /// Months and the largest value in each, at most thirteen.
    pub months: Vec<(i32, i32)>,
    /// When dpd last became 0 (for holds "until cured + days").
    pub cured_at: Option<Timestamp>,
}

/// One minimum due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// By when.
    pub due_at: Timestamp,
    /// How much.
    pub amount: i64,
    /// Paid of it.
    pub paid: i64,
}

/// A reported dpd.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reported {
    /// Days at the day of the report.
    pub dpd: i32,
    /// The day of the report.
    pub day: i32,
    /// It advances daily (precision of a day or better).
    pub advances: bool,
    /// The cycle's count at the report.
    pub cycle: u32,
}

/// Use of the limit at the end of days.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Utilisation {
    /// Month, sum of daily use in percent, days: the current month and two before.
    pub months: Vec<(i32, i64, i32)>,
    /// Bit n: use was above 80 % at the end of the day n days before the last closed one.
    pub above_80: u64,
    /// The day up to which ends of days are counted (exclusive).
    pub day: i32,
}

/// What a mark says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum MarkKind {
    /// A cycle was paid late.
    Late = 0,
    /// A payment was returned.
    Returned = 1,
    /// A promise was broken.
    Broken = 2,
    /// A fraud signal turned true.
    Fraud = 3,
}

/// A dated mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// What.
    pub kind: MarkKind,
    /// On which day.
    pub day: i32,
}

/// A fact about the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fact {
    /// Key of its name.
    pub key: u32,
    /// Its value; of an enumeration the variant's position.
    pub value: i64,
    /// When it was true.
    pub at: Timestamp,
    /// After this it is unknown.
    pub until: Option<Timestamp>,
    /// Of a flag: when it last was true.
    pub last_true: Option<Timestamp>,
    /// An earlier value, for changes over 30 days; kept of facts of which a feature tells the change.
    pub earlier: Option<(i64, Timestamp)>,
}

/// Taking part in a promotion.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Participation {
    /// Key of the promotion.
    pub promotion: u64,
    /// Enrolled now.
    pub enrolled: bool,
    /// Declared forecast per day.
    pub forecast: i64,
    /// Orders placed while it was active.
    pub amount: i64,
    /// The largest day among them.
    pub best_day: i64,
    /// The day that is being summed, and its sum.
    pub today: (i32, i64),
    /// The largest dpd from its start to 90 days after its end.
    pub worst_dpd: i32,
    /// Freezes that were restored during it.
    pub flips: u32,
}

/// How base developed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Growth {
    /// Day and base after the change; oldest first.
    pub bases: Vec<(i32, i64)>,
    /// Last increase of base.
    pub last_increase: Option<Timestamp>,
    /// Last boost.
    pub last_boost: Option<Timestamp>,
    /// Last decrease of base.
    pub last_decrease: Option<Timestamp>,
    /// Day and number of favourable changes on it.
    pub favourable: (i32, u32),
}

/// Memory of decisions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    /// Rules that fired and may not again (`once`), or not until their condition was false.
    pub once: Vec<u32>,
    /// Reviews that are open.
    pub reviews: Vec<OpenReview>,
    /// Offers that wait.
    pub offers: Vec<OpenOffer>,
    /// Restores that run against a deadline.
    pub compensations: Vec<Compensation>,
    /// Standing consent; unknown until somebody says.
    pub consent: Option<bool>,
    /// Compensations that missed their deadline.
    pub missed: u32,
    /// Decisions whose consequences would have wanted a third pass.
    pub cascade_cut: u32,
    /// Since when the ledger's snapshots name an older sequence than ours.
    pub ledger_behind_since: Option<Timestamp>,
}

/// A review that is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenReview {
    /// The id, as published.
    pub id: u128,
    /// Its kind.
    pub kind: String,
    /// The block it names.
    pub cause: Option<Cause>,
    /// It vetoes favourable changes.
    pub blocking: bool,
    /// Since when.
    pub at: Timestamp,
}

/// An offer that waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenOffer {
    /// The id, as published.
    pub id: u128,
    /// Number of the rule.
    pub rule: u32,
    /// What it would change.
    pub class: Class,
    /// By how much.
    pub amount: i64,
    /// Until when.
    pub expires: Timestamp,
}

/// A restore that runs against a deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compensation {
    /// Number of the restoring rule.
    pub rule: u32,
    /// Of which block.
    pub cause: Cause,
    /// The deadline.
    pub deadline: Timestamp,
    /// Milliseconds between re-checks.
    pub every: i64,
}

/// The bits of the last 35 days, as far as features look back at days one by one.
pub const LAST_35_DAYS: u64 = (1 << 35) - 1;
/// A hold of credit lapses after so many days.
pub const PENDING_DAYS: i32 = 7;

impl Account {
    /// An account that nobody has opened yet.
    pub fn provisional(id: AccountId, now: Timestamp, broadcast: u64) -> Self {
        Self {
            id,
            status: Status::Provisional,
            segment: Segment::ConsumerNew,
            tier: Tier::None,
            currency: None,
            opened_at: now,
            last_order_at: None,
            first_seen: now,
            clock: now,
            sequence: 0,
            broadcast,
            volume: 0,
            stack: Stack::default(),
            money: Money::default(),
            repay: Repay::default(),
            delinquency: Delinquency::default(),
            orders: [Windows::default(), Windows::default()],
            declined_days: 0,
            utilisation: Utilisation::default(),
            marks: Vec::new(),
            facts: Vec::new(),
            promotions: Vec::new(),
            growth: Growth::default(),
            memory: Memory::default(),
            timers: Vec::new(),
        }
    }

    /// Held credit, minor units.
    pub fn pending(&self) -> i64 {
        self.money.pending.iter().map(|(_, amount)| amount).sum()
    }

    /// Drawn and held credit, minor units.
    pub fn used(&self) -> i64 {
        self.money.balance.max(0).saturating_add(self.pending())
    }

    /// Unfinal money, whether or not it counts against spendable.
    pub fn uncleared(&self, now: Timestamp) -> i64 {
        self.money.uncleared.iter().filter(|each| now < each.clears_at).map(|each| each.amount).sum()
    }

    /// The limit's derived numbers. Unfinal money counts on accounts younger than 180 days or with a return in 12 months.
    pub fn limits(&self, now: Timestamp) -> Limits {
        let year_ago = i32::try_from(now.0.div_euclid(DAY)).unwrap_or(i32::MAX).saturating_sub(365);
        let distrusted = now.since(self.opened_at) < 180 * DAY || self.marks_since(MarkKind::Returned, year_ago) > 0;
        let uncleared = if distrusted { self.uncleared(now) } else { 0 };
        self.stack.limits(self.money.balance, self.pending(), uncleared, now)
    }

    /// The windows that `orders.*` read: seller orders of merchants, buyer orders of consumers.
    pub fn windows(&self) -> &Windows {
        let side = if self.segment.is_merchant() { Side::Seller } else { Side::Buyer };
        &self.orders[usize::from(side.index())]
    }

    /// Open to changes of its limit.
    pub fn is_open(&self) -> bool {
        matches!(self.status, Status::Active | Status::Hardship)
    }

    /// A fact by key that has not run out.
    pub fn fact(&self, key: u32, now: Timestamp) -> Option<&Fact> {
        self.facts.iter().find(|each| each.key == key).filter(|each| each.until.is_none_or(|until| now < until))
    }

    /// Marks of a kind from a day on.
    pub fn marks_since(&self, kind: MarkKind, day: i32) -> i64 {
        let count = self.marks.iter().filter(|each| each.kind == kind && each.day >= day).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }
}
