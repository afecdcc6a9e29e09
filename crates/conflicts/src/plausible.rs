//! What an ordinary account looks like: the solver is asked to stay near it, so that a witness reads like a customer.

use headroom_policy::Type;

use crate::world::{Var, World};

/// Typical values by feature; of what is not listed zero, or the smallest it can be. Money in minor units.
const TYPICAL: &[(&str, i64)] = &[
    ("account.segment", 1),
    ("account.tier", 1),
    ("account.status", 1),
    ("account.age_days", 800),
    ("account.idle_days", 3),
    ("account.history_days", 720),
    ("consent.standing", 1),
    ("limit.base", 5_000_000),
    ("limit.granted", 5_000_000),
    ("limit.days_since_increase", 200),
    ("limit.days_since_decrease", 9_999),
    ("limit.tier_cap", 30_000_000),
    ("limit.customer_share", 20_000_000),
    ("balance.used", 2_000_000),
    ("util.avg_3m", 40),
    ("block.age_hours", 24),
    ("order.amount", 100_000),
    ("order.credit_amount", 100_000),
    ("orders.amount_24h", 100_000),
    ("orders.amount_30d", 1_000_000),
    ("orders.paid_30d", 900_000),
    ("orders.max_day_35d", 300_000),
    ("orders.max_order_13m", 300_000),
    ("orders.count_24h", 1),
    ("orders.count_13m", 60),
    ("orders.months_active_12m", 10),
    ("payment.days_before_due", 2),
    ("repay.statement_balance", 1_500_000),
    ("repay.paid", 1_500_000),
    ("repay.min_due", 150_000),
    ("repay.on_time_streak", 12),
    ("promotion.forecast_daily", 1_000_000),
    ("promotion.starts_in_hours", 48),
    ("promotion.hours_since_end", 2_000),
    ("promotion.last_amount", 500_000),
    ("promotion.last_clean", 1),
    ("holiday.starts_in_days", 20),
    ("fraud.device_changed_hours", 9_999),
    ("fraud.place_changed_hours", 9_999),
    ("fraud.profile_changed_hours", 9_999),
    ("fraud.login_anomaly_hours", 9_999),
    ("fraud.verified_hours", 9_999),
    ("lending.lenders_30d", 1),
    ("model.score", 650),
    ("merchant.rating", 90),
    ("collateral.value", 10_000_000),
    ("collateral.age_days", 10),
    ("portfolio.increase_left", 100_000_000),
];

/// An amount that an account of the catalogue seldom exceeds, minor units.
const MONEY_LIKELY: i64 = 1_000_000_000;

/// The typical value of an unknown, within its range.
pub(crate) fn typical(var: Var, world: &World<'_>) -> i64 {
    match var {
        Var::Currency | Var::Block(..) => 0,
        Var::Feature(slot, ..) => {
            let (low, high) = world.range(slot);
            let listed = TYPICAL.iter().find(|(name, _)| *name == world.name(slot));
            listed.map_or(0, |(_, value)| *value).clamp(low, high)
        }
    }
}

/// Between which values an unknown seldom is not.
pub(crate) fn likely(var: Var, world: &World<'_>) -> (i64, i64) {
    let Var::Feature(slot, ..) = var else { return (0, i64::MAX) };
    let ((low, high), most) = (
        world.range(slot),
        match world.ruleset.schema.symbol(slot).ty {
            Type::Money => MONEY_LIKELY,
            _ => (typical(var, world).saturating_mul(4)).max(100),
        },
    );
    (low.max(-most), high.min(most))
}
