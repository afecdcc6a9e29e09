//! What writing and reading an account agree on; the layout stands in `store.proto`.

use std::sync::LazyLock;

use headroom_engine::{DAY, HOUR, Timestamp, fact_key};

/// Parts of an account that may be missing, by their bit in `present`. The frequent ones come first: few bytes hold
/// them.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Part {
    Currency,
    MoneyLastMoved,
    LastOrder,
    Cycle,
    Fed,
    Streaks,
    BuyerDays,
    BuyerMonths,
    Payments,
    Dues,
    Utilisation,
    Facts,
    Bases,
    // 13 was the next monthly look, a timer now. A row that has it is of an older build and is refused.
    Timers = 14,
    Growth,
    Promotions,
    Sequence,
    BuyerHours,
    SellerHours,
    SellerDays,
    SellerMonths,
    Declined,
    Marks,
    DpdMonths,
    Cured,
    Pending,
    DpdSeen,
    Caps,
    Holds,
    Blocks,
    Undo,
    Reviews,
    Offers,
    Boosts,
    Waivers,
    Once,
    Compensations,
    Uncleared,
    Reported,
    Drift,
    Missed,
    CascadeCut,
    LedgerBehind,
    MoneyAsOf,
}

/// Bits of `present` that mean something.
pub const PARTS: u64 = ((1 << (Part::MoneyAsOf as u8 + 1)) - 1) & !(1 << 13);

/// The parts of one side's windows.
pub const WINDOWS: [[Part; 3]; 2] =
    [[Part::BuyerHours, Part::BuyerDays, Part::BuyerMonths], [Part::SellerHours, Part::SellerDays, Part::SellerMonths]];

/// Facts that are stored by their position here plus one, all others by their key. Only ever appended to.
pub const KNOWN_FACTS: [&str; 15] = [
    "fraud.list_hit",
    "fraud.device_changed",
    "fraud.place_changed",
    "fraud.profile_changed",
    "fraud.login_anomaly",
    "fraud.verified",
    "lending.lenders_30d",
    "lending.inquiries_7d",
    "lending.other_lines",
    "model.score",
    "merchant.violations_90d",
    "merchant.rating",
    "merchant.repurchase_pct",
    "collateral.value",
    "limit.customer_share",
];

/// Their keys.
pub static KNOWN_FACT_KEYS: LazyLock<[u32; 15]> = LazyLock::new(|| KNOWN_FACTS.map(fact_key));

/// The first of a table's running hours is told from here.
pub fn first_hour(clock: Timestamp) -> i32 {
    i32::try_from(clock.0.div_euclid(HOUR)).unwrap_or(0).saturating_sub(24)
}

/// The first of a table's running days is told from here.
pub fn first_day(clock: Timestamp) -> i32 {
    today(clock).saturating_sub(36)
}

/// The first of a table's running months is told from here: roughly thirteen months before the clock.
pub fn first_month(clock: Timestamp) -> i32 {
    const MONTHS_BEFORE_1970: i64 = 1_970 * 12;
    let months = i64::from(today(clock)) * 12 / 365 + MONTHS_BEFORE_1970 - 14;
    i32::try_from(months).unwrap_or(0)
}

/// The clock's day since 1970 (UTC); single days are told from here.
pub fn today(clock: Timestamp) -> i32 {
    i32::try_from(clock.0.div_euclid(DAY)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_fact_is_known_so_that_it_takes_one_byte() {
        let built_in: Vec<_> = headroom_engine::BUILT_IN_FACTS.iter().map(|each| each.0).collect();
        assert!(built_in.iter().all(|name| KNOWN_FACTS.contains(name)), "{built_in:?}");
    }
}
