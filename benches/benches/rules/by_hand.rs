//! The built-in rules written by hand, with their default parameters: what a programmer would write who knows that values
//! can be unknown. A rule that is not here is left out of the comparison.

use headroom_policy::{Schema, Slots};

/// A condition; `None` is unknown.
pub type Hand = fn(&Facts) -> Option<bool>;

/// Values of one snapshot, with a bit for each that is known.
pub struct Facts {
    values: [i64; NAMES.len()],
    known: u128,
}

impl Facts {
    /// The same values as in slots.
    pub fn of(slots: &Slots, schema: &Schema) -> Self {
        let mut facts = Self { values: [0; NAMES.len()], known: 0 };
        for (at, name) in NAMES.iter().enumerate() {
            let slot = schema.slot(name).unwrap_or_else(|| panic!("there is no `{name}`"));
            if let Some(value) = slots.get(slot) {
                facts.values[at] = value;
                facts.known |= 1 << at;
            }
        }
        facts
    }

    /// Reads all of it.
    pub fn touch(&self) {
        std::hint::black_box(self.values.iter().filter(|value| **value != 0).count());
    }

    #[inline(always)]
    fn get(&self, at: usize) -> Option<i64> {
        (self.known >> at & 1 == 1).then(|| self.values[at])
    }

    #[inline(always)]
    fn at_least(&self, at: usize, bound: i64) -> Option<bool> {
        self.get(at).map(|value| value >= bound)
    }

    #[inline(always)]
    fn at_most(&self, at: usize, bound: i64) -> Option<bool> {
        self.get(at).map(|value| value <= bound)
    }

    #[inline(always)]
    fn is(&self, at: usize, wanted: i64) -> Option<bool> {
        self.get(at).map(|value| value == wanted)
    }

    #[inline(always)]
    fn is_not(&self, at: usize, other: i64) -> Option<bool> {
        self.get(at).map(|value| value != other)
    }

    #[inline(always)]
    fn yes(&self, at: usize) -> Option<bool> {
        self.is_not(at, 0)
    }

    #[inline(always)]
    fn no(&self, at: usize) -> Option<bool> {
        self.is(at, 0)
    }

    #[inline(always)]
    fn below(&self, low: usize, high: usize) -> Option<bool> {
        Some(self.get(low)? < self.get(high)?)
    }

    #[inline(always)]
    fn no_more(&self, low: usize, high: usize) -> Option<bool> {
        Some(self.get(low)? <= self.get(high)?)
    }

    #[inline(always)]
    fn pct_at_least(&self, part: usize, whole: usize, bound: i64) -> Option<bool> {
        let (part, whole) = (self.get(part)?, self.get(whole)?);
        (whole > 0).then(|| i128::from(part) * 100 >= i128::from(bound) * i128::from(whole))
    }

    #[inline(always)]
    fn pct_at_most(&self, part: usize, whole: usize, bound: i64) -> Option<bool> {
        let (part, whole) = (self.get(part)?, self.get(whole)?);
        (whole > 0).then(|| i128::from(part) * 100 <= i128::from(bound) * i128::from(whole))
    }
}

/// All of these: false wins, then unknown.
macro_rules! all {
    ($($part:expr),+ $(,)?) => {{
        let mut open = false;
        $(match $part {
            Some(false) => return Some(false),
            Some(true) => {}
            None => open = true,
        })+
        if open { None } else { Some(true) }
    }};
}

/// One of these: true wins, then unknown.
macro_rules! any {
    ($($part:expr),+ $(,)?) => {{
        let mut open = false;
        $(match $part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => open = true,
        })+
        if open { None } else { Some(false) }
    }};
}

/// The index of `downturn` among the regimes.
const DOWNTURN: i64 = 2;

fn first_order(f: &Facts) -> Option<bool> {
    all!(f.is(COUNT_13M, 0), f.at_least(ORDER_AMOUNT, 50_000_000))
}

fn over(f: &Facts) -> Option<bool> {
    any!(f.yes(EXPIRED), f.yes(STEPPED_DOWN))
}

fn surge(f: &Facts) -> Option<bool> {
    let (part, whole) = (f.get(AMOUNT_24H)?, f.get(MAX_DAY)?.max(f.get(MAX_ORDER)?));
    (whole > 0).then(|| i128::from(part) * 100 >= i128::from(whole) * 500)
}

/// 70 % of the collateral.
fn lendable(f: &Facts) -> Option<i64> {
    Some(f.get(COLLATERAL)?.checked_mul(70)? / 100)
}

fn over_cap(f: &Facts) -> Option<bool> {
    let (base, segment) = (f.get(BASE), f.get(SEGMENT)?);
    let cap = if segment <= 2 { 20_000_000 } else { 5_000_000_000 };
    base.map(|base| base > cap)
}

/// The rule of an id.
pub fn rule(id: &str) -> Option<Hand> {
    Some(match id {
        "dpd_4_30" => |f| all!(f.at_least(DPD, 4), f.at_most(DPD, 30)),
        "dpd_61_90" => |f| all!(f.at_least(DPD, 61), f.at_most(DPD, 90)),
        "large_order_velocity" => |f| any!(f.at_least(LARGE_24H, 3), first_order(f)),
        "list_hit" => |f| f.yes(LIST_HIT),
        "order_volatility" => |f| all!(f.at_least(AMOUNT_24H, 50_000_000), surge(f)),
        "probation_end" => |f| all!(f.at_least(AGE_DAYS, 90), f.at_least(ON_TIME, 2), f.is(MAX_12M, 0)),
        "tenure_utilisation" => |f| {
            all!(
                f.at_least(AGE_DAYS, 180),
                f.at_least(AVG_3M, 40),
                f.at_most(AVG_3M, 85),
                f.at_least(ON_TIME, 6),
                f.at_most(LENDERS, 2),
                f.is_not(REGIME, DOWNTURN)
            )
        },
        "thin_file_starter" => |f| {
            all!(
                Some(f.get(SCORE).is_none()),
                f.at_least(MONTHS, 6),
                f.is(LATE, 0),
                f.pct_at_most(CANCELLED, AMOUNT_30D, 30)
            )
        },
        "tier_upgrade" => |f| all!(f.below(BASE, TIER_CAP), f.at_least(ON_TIME, 6), f.at_least(SCORE, 650)),
        "boost_end" => |f| all!(over(f), f.no_more(USED, BASE)),
        "boost_stepdown" => |f| f.below(BASE, USED),
        "declined_for_limit_boost" => |f| {
            all!(
                f.yes(ACTIVE),
                f.at_least(DECLINED, 2),
                f.pct_at_most(ORDER_AMOUNT, MAX_ORDER, 150),
                f.at_least(ON_TIME, 3),
                f.at_most(INQUIRIES, 1)
            )
        },
        "early_repayment_headroom" => |f| all!(f.yes(STEPPED_DOWN), f.at_least(BEFORE_DUE, 3), f.is(UNCLEARED, 0)),
        "enrolled_merchant_boost" => |f| {
            all!(
                f.yes(ENROLLED),
                f.at_most(STARTS_IN, 72),
                f.pct_at_least(FORECAST, MAX_DAY, 150),
                f.pct_at_most(REFUNDED, PAID_30D, 15),
                f.is(VIOLATIONS, 0)
            )
        },
        "large_order_topup" => |f| {
            all!(
                f.yes(ACTIVE),
                f.get(TIER).map(|tier| matches!(tier, 2 | 3)),
                f.pct_at_most(SHORTFALL, BASE, 50),
                f.is(MAX_12M, 0)
            )
        },
        "prepromo_good_payer" => |f| {
            all!(
                f.at_most(STARTS_IN, 72),
                f.at_least(ON_TIME, 6),
                f.pct_at_least(USED, BASE, 30),
                f.pct_at_most(USED, BASE, 90),
                f.at_most(LENDERS, 2)
            )
        },
        "promo_compensation" => |f| {
            all!(
                f.yes(ACTIVE),
                f.yes(ENROLLED),
                f.yes(BLOCK_ACTIVE),
                f.no(BLOCK_OTHER),
                f.is(DPD, 0),
                f.is(SIGNALS, 0),
                f.pct_at_most(AMOUNT_24H, FORECAST, 150)
            )
        },
        "promotion_extended" => |f| f.yes(BOOST_ACTIVE),
        "unused_boost_withdrawn" => |f| all!(f.yes(BOOST_ACTIVE), f.at_least(BOOST_HOURS, 24), f.is(USED_PEAK, 0)),
        "recovered_after_late" => |f| all!(f.is(LATE, 1), f.at_least(ON_TIME, 3), f.at_most(MAX_12M, 60), f.is(DPD, 0)),
        "unfreeze_after_quiet" => {
            |f| all!(f.yes(BLOCK_ACTIVE), f.at_least(QUIET_DAYS, 7), f.no(BLOCK_OTHER), f.is(DPD, 0), f.no(REVIEW_OPEN))
        }
        "autopay_enrolled" => |f| all!(f.yes(AUTOPAY), f.at_least(ON_TIME, 3), f.is(RETURNED, 0)),
        "broken_promise" => |f| all!(f.at_least(BROKEN, 1), f.at_least(DPD, 1)),
        "early_and_full_repayment" => |f| {
            all!(
                f.at_least(EARLY, 3),
                f.at_least(FULL, 3),
                f.pct_at_least(PAID, STATEMENT, 90),
                f.is(LATE, 0),
                f.at_least(AVG_3M, 20),
                f.at_most(AVG_3M, 70)
            )
        },
        "on_time_streak" => |f| all!(f.at_least(ON_TIME, 3), f.at_least(SINCE_INCREASE, 90), f.at_least(AVG_3M, 20)),
        "returned_payment" => |f| f.at_least(RETURNED, 1),
        "downturn_trim" => {
            |f| all!(f.is(REGIME, DOWNTURN), f.at_most(SCORE, 499), f.at_most(AVG_3M, 30), f.at_least(LENDERS, 2))
        }
        "holiday_preboost" => |f| all!(f.at_least(ON_TIME, 6), f.is_not(REGIME, DOWNTURN)),
        "returning_seasonal_buyer" => |f| {
            all!(
                f.yes(LAST_CLEAN),
                f.pct_at_least(LAST_AMOUNT, BASE, 50),
                f.at_most(IDLE_DAYS, 90),
                f.at_most(MAX_12M, 3)
            )
        },
        "dormant_decrease" => |f| all!(f.at_least(IDLE_DAYS, 365), f.is(USED, 0)),
        "over_limit_relief" => {
            |f| all!(f.no(ACTIVE), f.at_least(DECLINED, 3), f.pct_at_most(SHORTFALL, BASE, 10), f.at_least(ON_TIME, 6))
        }
        "sustained_high_use" => |f| {
            all!(
                f.at_least(ABOVE_80, 20),
                f.pct_at_least(PAID, STATEMENT, 50),
                f.at_least(ON_TIME, 6),
                f.at_most(LENDERS, 2),
                f.at_most(INQUIRIES, 1),
                f.is_not(REGIME, DOWNTURN)
            )
        },
        "collateral_down" => {
            |f| all!(lendable(f).zip(f.get(BASE)).map(|(value, base)| value < base), f.at_most(COLLATERAL_CHANGE, -5))
        }
        "collateral_stale" => |f| f.at_least(COLLATERAL_AGE, 36),
        "collateral_up" => |f| {
            all!(
                f.at_most(COLLATERAL_AGE, 35),
                f.at_least(COLLATERAL_CHANGE, 5),
                f.at_most(COLLATERAL_CHANGE, 20),
                lendable(f).zip(f.get(BASE)).map(|(value, base)| value > base)
            )
        },
        "dpd_1_3" => |f| all!(f.at_least(DPD, 1), f.at_most(DPD, 3)),
        "dpd_31_60" => |f| all!(f.at_least(DPD, 31), f.at_most(DPD, 60)),
        "dpd_over_90" => |f| f.at_least(DPD, 91),
        "anomalous_login" => |f| f.at_most(LOGIN, 24),
        "device_and_place" => |f| all!(f.at_most(DEVICE, 24), f.at_most(PLACE, 24), f.no(VERIFIED)),
        "profile_change_review" => |f| f.at_most(PROFILE, 72),
        "inquiry_burst" => |f| f.at_least(INQUIRIES, 5),
        "many_lenders" => |f| f.at_least(LENDERS, 4),
        "other_lines_deducted" => |f| Some(f.get(OTHER_LINES).is_some()),
        "restore_after_fault" => |f| all!(f.yes(UNDO), f.at_most(DPD, 3)),
        "restore_after_review" => |f| all!(f.is(OUTCOME, 0), f.at_most(DPD, 30)),
        "customer_and_product_cap" => |f| any!(Some(f.get(SHARE).is_some()), over_cap(f)),
        "portfolio_share" => |f| f.at_most(INCREASE_LEFT, 0),
        "minimum_payer" => |f| all!(f.at_least(MIN_ONLY, 6), f.at_least(AVG_3M, 80)),
        _ => return None,
    })
}

const NAMES: [&str; 72] = [
    "delinquency.dpd",
    "orders.large_24h",
    "orders.count_13m",
    "order.amount",
    "fraud.list_hit",
    "orders.amount_24h",
    "orders.max_day_35d",
    "orders.max_order_13m",
    "account.age_days",
    "repay.on_time_streak",
    "delinquency.max_12m",
    "util.avg_3m",
    "lending.lenders_30d",
    "market.regime",
    "model.score",
    "orders.months_active_12m",
    "repay.late_12m",
    "orders.cancelled_30d",
    "orders.amount_30d",
    "limit.base",
    "limit.tier_cap",
    "balance.used",
    "boost.expired",
    "boost.stepped_down",
    "promotion.active",
    "orders.declined_days_35d",
    "lending.inquiries_7d",
    "payment.days_before_due",
    "balance.uncleared",
    "promotion.enrolled",
    "promotion.starts_in_hours",
    "promotion.forecast_daily",
    "orders.refunded_30d",
    "orders.paid_30d",
    "merchant.violations_90d",
    "account.tier",
    "order.shortfall",
    "block.active",
    "block.other",
    "fraud.signals_7d",
    "boost.active",
    "boost.hours_since_promotion_end",
    "boost.used_peak",
    "block.quiet_days",
    "review.open",
    "repay.autopay",
    "repay.returned_30d",
    "repay.broken_90d",
    "repay.early_streak",
    "repay.full_streak",
    "repay.paid",
    "repay.statement_balance",
    "limit.days_since_increase",
    "promotion.last_clean",
    "promotion.last_amount",
    "account.idle_days",
    "util.days_above_80_35d",
    "collateral.value",
    "collateral.change_30d",
    "collateral.age_days",
    "fraud.login_anomaly_hours",
    "fraud.device_changed_hours",
    "fraud.place_changed_hours",
    "fraud.verified_since",
    "fraud.profile_changed_hours",
    "lending.other_lines",
    "undo.active",
    "review.outcome",
    "limit.customer_share",
    "account.segment",
    "portfolio.increase_left",
    "repay.min_only_streak",
];

const DPD: usize = 0;
const LARGE_24H: usize = 1;
const COUNT_13M: usize = 2;
const ORDER_AMOUNT: usize = 3;
const LIST_HIT: usize = 4;
const AMOUNT_24H: usize = 5;
const MAX_DAY: usize = 6;
const MAX_ORDER: usize = 7;
const AGE_DAYS: usize = 8;
const ON_TIME: usize = 9;
const MAX_12M: usize = 10;
const AVG_3M: usize = 11;
const LENDERS: usize = 12;
const REGIME: usize = 13;
const SCORE: usize = 14;
const MONTHS: usize = 15;
const LATE: usize = 16;
const CANCELLED: usize = 17;
const AMOUNT_30D: usize = 18;
const BASE: usize = 19;
const TIER_CAP: usize = 20;
const USED: usize = 21;
const EXPIRED: usize = 22;
const STEPPED_DOWN: usize = 23;
const ACTIVE: usize = 24;
const DECLINED: usize = 25;
const INQUIRIES: usize = 26;
const BEFORE_DUE: usize = 27;
const UNCLEARED: usize = 28;
const ENROLLED: usize = 29;
const STARTS_IN: usize = 30;
const FORECAST: usize = 31;
const REFUNDED: usize = 32;
const PAID_30D: usize = 33;
const VIOLATIONS: usize = 34;
const TIER: usize = 35;
const SHORTFALL: usize = 36;
const BLOCK_ACTIVE: usize = 37;
const BLOCK_OTHER: usize = 38;
const SIGNALS: usize = 39;
const BOOST_ACTIVE: usize = 40;
const BOOST_HOURS: usize = 41;
const USED_PEAK: usize = 42;
const QUIET_DAYS: usize = 43;
const REVIEW_OPEN: usize = 44;
const AUTOPAY: usize = 45;
const RETURNED: usize = 46;
const BROKEN: usize = 47;
const EARLY: usize = 48;
const FULL: usize = 49;
const PAID: usize = 50;
const STATEMENT: usize = 51;
const SINCE_INCREASE: usize = 52;
const LAST_CLEAN: usize = 53;
const LAST_AMOUNT: usize = 54;
const IDLE_DAYS: usize = 55;
const ABOVE_80: usize = 56;
const COLLATERAL: usize = 57;
const COLLATERAL_CHANGE: usize = 58;
const COLLATERAL_AGE: usize = 59;
const LOGIN: usize = 60;
const DEVICE: usize = 61;
const PLACE: usize = 62;
const VERIFIED: usize = 63;
const PROFILE: usize = 64;
const OTHER_LINES: usize = 65;
const UNDO: usize = 66;
const OUTCOME: usize = 67;
const SHARE: usize = 68;
const SEGMENT: usize = 69;
const INCREASE_LEFT: usize = 70;
const MIN_ONLY: usize = 71;
