//! Who an account is. Computed from seed and number whenever it is needed, so that it costs no memory.

use headroom_wire::proto::{Segment, Tier};

use super::calendar::Promotion;
use super::random::{Dice, choice};

/// Minor units of a yuan.
pub(super) const YUAN: i64 = 100;

/// What a choice that is made once for an account is about. The numbers only keep the choices apart.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Salt {
    Kind = 1,
    Profile,
    Opening,
    Cycle,
    Collateral,
    Enrolment,
    Tier,
    Graduation,
    Hardship,
    ManualBlock,
    Snapshot,
    Closing,
    Appeal,
    Autopay,
    Day,
    Part,
}

/// How an account pays its statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// In full, days before it is due.
    Early,
    /// In full, when it is due.
    Full,
    /// Uses up what it may draw; of each statement a small part days before it is due and more than half when it is.
    Stretched,
    /// The minimum, when it is due.
    Minimum,
    /// In most months one to three days late.
    Forgetful,
    /// In most months one to four weeks late.
    Late,
    /// Five to eight weeks late.
    VeryLate,
    /// Nine to twelve weeks late.
    Defaulting,
    /// Not at all.
    Never,
}

/// Who an account is. Money in fen.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) seed: u64,
    pub(super) account: u32,
    pub(super) segment: Segment,
    pub(super) tier: Tier,
    pub(super) base: i64,
    pub(super) habit: Habit,
    /// Day of the month, 1 to 28.
    pub(super) statement_day: i64,
    /// Day of the month, 1 to 28.
    pub(super) signal_day: i64,
    /// Purchases in a month.
    pub(super) purchases: i64,
    /// What they cost together, percent of base.
    pub(super) appetite: i64,
    /// Of a merchant: sales of an ordinary day.
    pub(super) sales: i64,
    /// Does nothing at all.
    pub(super) idle: bool,
    /// Its servicer reports days past due every day.
    pub(super) reported: bool,
    /// Shops far above its habits in promotions.
    pub(super) spree: bool,
    /// A scoring model knows it.
    pub(super) scored: bool,
}

impl Profile {
    pub(super) fn of(seed: u64, account: u32) -> Self {
        let mut dice = Dice::of(seed, account, Salt::Profile as u64);
        let segment = segment_of(seed, account);
        let base = base_of(segment, &mut dice);
        let habit = habit_of(&mut dice);
        let merchant = is_merchant(segment);
        Profile {
            seed,
            account,
            segment,
            tier: tier_of(segment, &mut dice),
            base,
            habit,
            statement_day: if dice.permille(700) { dice.between(1, 15) } else { dice.between(16, 28) },
            signal_day: dice.between(1, 28),
            purchases: if habit == Habit::Stretched { dice.between(24, 30) } else { dice.between(2, 6) },
            appetite: match habit {
                Habit::Minimum => dice.between(12, 35),
                Habit::Stretched => dice.between(240, 300),
                _ => dice.between(15, 85),
            },
            sales: if merchant { base / 1_000 * sales_permille(segment, &mut dice) } else { 0 },
            idle: dice.permille(30),
            reported: dice.permille(300),
            spree: dice.permille(200),
            scored: segment != Segment::ConsumerNew || dice.permille(650),
        }
    }

    pub(super) fn is_merchant(&self) -> bool {
        is_merchant(self.segment)
    }

    /// The day of the season on which something happens that happens at most once to an account, on average to one of
    /// `span` accounts a day.
    pub(super) fn once(&self, salt: Salt, span: u64) -> u64 {
        choice(self.seed, self.account, salt as u64) % span
    }

    /// The part of a merchant in a promotion, if it has one.
    pub(super) fn part_in(&self, promotion: &Promotion) -> Option<Part> {
        if !self.is_merchant() || self.idle {
            return None;
        }
        let mut dice = Dice::of(self.seed, self.account, Salt::Enrolment as u64 | promotion.number << 32);
        Some(Part::of(promotion, self.sales, &mut dice))
    }
}

/// What a merchant does in a promotion.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// When it enrols, Unix seconds; merchants that sell without a word do not.
    pub(super) enrols: Option<i64>,
    /// When it thinks better of it.
    pub(super) withdraws: Option<i64>,
    /// What it declares, per day.
    pub(super) forecast: i64,
    /// What it sells in the first three hours, in tenths of an ordinary day; 0 is a day like any other.
    pub(super) surge_tenths: i64,
}

impl Part {
    fn of(promotion: &Promotion, sales: i64, dice: &mut Dice) -> Part {
        let enrolled = dice.permille(550);
        // The rules look at the last 72 hours: most merchants are undecided until then.
        let first = if dice.permille(600) { promotion.start - 70 * 3_600 } else { promotion.announced };
        let enrols = dice.between(first.max(promotion.announced) + 60, promotion.start - 60);
        let surges = dice.permille(if enrolled { 700 } else { 40 });
        let surge_tenths = match (enrolled, surges) {
            (_, true) => dice.between(68, 95),
            (true, false) => dice.between(20, 40),
            (false, false) => 0,
        };
        // One in five declares far too little, which no rule may then take for an explanation.
        let declared_percent = if dice.permille(200) { dice.between(30, 48) } else { dice.between(110, 140) };
        let withdraws = dice.permille(30).then(|| promotion.start - 30);
        Part {
            enrols: enrolled.then_some(enrols),
            withdraws: withdraws.filter(|_| enrolled),
            forecast: sales * surge_tenths.max(10) * declared_percent / 1_000,
            surge_tenths,
        }
    }
}

pub(super) fn is_merchant(segment: Segment) -> bool {
    matches!(segment, Segment::MerchantNew | Segment::MerchantStandard | Segment::MerchantKey)
}

/// 20 % merchants, 80 % consumers.
pub(super) fn segment_of(seed: u64, account: u32) -> Segment {
    match choice(seed, account, Salt::Kind as u64) % 100 {
        0..6 => Segment::MerchantNew,
        6..16 => Segment::MerchantStandard,
        16..20 => Segment::MerchantKey,
        20..40 => Segment::ConsumerNew,
        40..80 => Segment::Consumer,
        _ => Segment::ConsumerPrime,
    }
}

/// Merchants 200 thousand to 5 million yuan, consumers one to 50 thousand, in round numbers.
fn base_of(segment: Segment, dice: &mut Dice) -> i64 {
    let thousands = match segment {
        Segment::MerchantNew => 50 * dice.between(4, 12),
        Segment::MerchantStandard => 100 * dice.between(4, 15),
        Segment::MerchantKey => 250 * dice.between(4, 20),
        Segment::ConsumerNew => dice.between(1, 5),
        Segment::ConsumerPrime => 5 * dice.between(3, 10),
        _ => dice.between(4, 20),
    };
    thousands * 1_000 * YUAN
}

/// Sales of a day in thousandths of base. Big merchants sell in so many orders that none of them is large.
fn sales_permille(segment: Segment, dice: &mut Dice) -> i64 {
    match segment {
        Segment::MerchantNew => dice.between(40, 80),
        Segment::MerchantStandard => dice.between(30, 70),
        _ => dice.between(20, 60),
    }
}

fn habit_of(dice: &mut Dice) -> Habit {
    match dice.between(0, 999) {
        0..180 => Habit::Early,
        180..620 => Habit::Full,
        620..670 => Habit::Stretched,
        670..870 => Habit::Minimum,
        870..890 => Habit::Forgetful,
        890..960 => Habit::Late,
        960..975 => Habit::VeryLate,
        975..990 => Habit::Defaulting,
        _ => Habit::Never,
    }
}

fn tier_of(segment: Segment, dice: &mut Dice) -> Tier {
    let best = match segment {
        Segment::ConsumerNew | Segment::MerchantNew => 1,
        Segment::ConsumerPrime | Segment::MerchantKey => 3,
        _ => 2,
    };
    match dice.between(0, best) {
        0 => Tier::None,
        1 => Tier::Silver,
        2 => Tier::Gold,
        _ => Tier::Platinum,
    }
}
