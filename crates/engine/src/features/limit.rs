//! `limit.*`, `boost.*`, `balance.*`, `util.*`.

use crate::stack::{Boost, money_in};
use crate::windows::DAYS;

use super::{Feature, NEVER_DAYS, View, count, days, flag, hours, money, percent};

fn boosts<'a>(view: &'a View<'_>) -> impl Iterator<Item = &'a Boost> {
    view.account.stack.boosts.iter()
}

fn any(view: &View<'_>, what: impl Fn(&Boost) -> bool) -> Option<i64> {
    Some(i64::from(boosts(view).any(what)))
}

/// Of the boosts that count now: the longest time for which a promotion that one was granted for is over.
fn hours_since_promotion_end(view: &View<'_>) -> Option<i64> {
    let counting = boosts(view).filter(|each| each.active(view.now));
    let over = counting.filter_map(|each| view.broadcasts().promotion(each.promotion));
    over.filter(|each| each.end <= view.now).map(|each| view.hours_since(Some(each.end))).max().or(Some(0))
}

fn increased_12m(view: &View<'_>) -> Option<i64> {
    let first = view.today().saturating_sub(365);
    let mut total = 0_i64;
    for pair in view.account.growth.bases.windows(2) {
        if pair[1].0 > first {
            total = total.saturating_add(pair[1].1.saturating_sub(pair[0].1).max(0));
        }
    }
    Some(total)
}

fn average(view: &View<'_>) -> Option<i64> {
    let first = view.settings().zone.month(view.now) - 2;
    let months = view.account.utilisation.months.iter().filter(|each| each.0 >= first);
    let (sum, days) = months.fold((0_i64, 0_i64), |(sum, days), each| (sum + each.1, days + i64::from(each.2)));
    (days > 0).then(|| sum / days)
}

/// The group.
pub const FEATURES: &[Feature] = &[
    money("limit.base", |view| Some(view.account.stack.base)).says("X A", "permanent limit"),
    money("limit.granted", |view| Some(view.limits().granted)).says("X A D", "permanent limit and boost, under caps"),
    money("limit.increased_12m", increased_12m).says("X D", "sum of all increases of base in 365 days"),
    days("limit.days_since_increase", |view| Some(view.days_since(view.account.growth.last_increase)))
        .says("X D", "days since base last went up"),
    days("limit.days_since_decrease", |view| Some(view.days_since(view.account.growth.last_decrease)))
        .says("X D", "days since base last went down"),
    money("limit.tier_cap", |view| {
        let table = view.settings().tier_caps.iter().find(|(tier, _)| *tier == view.account.tier)?;
        money_in(&table.1, view.account.currency)
    })
    .says("A C", "the largest permanent limit of its tier (a setting of the ruleset)"),
    money("limit.customer_share", |view| view.fact("limit.customer_share"))
        .says("S", "what the ledger allocates to this account of its customer's total"),
    flag("boost.active", |view| any(view, |each| each.active(view.now))).says("X D", "a boost counts now"),
    flag("boost.expired", |view| any(view, |each| each.until <= view.now))
        .says("D", "a boost ran out and was not ended yet"),
    flag("boost.stepped_down", |view| any(view, |each| each.steps.is_some()))
        .says("X D", "a boost is shrinking by steps"),
    money("boost.used_peak", |view| boosts(view).map(|each| each.used_peak).max())
        .says("O", "the most that was drawn above base while the boost lasted; unknown without one"),
    hours("boost.hours_since_promotion_end", hours_since_promotion_end).says(
        "M D",
        "hours since the end of the promotion that a boost which counts now was granted for; 0 before, and without one",
    ),
    money("balance.used", |view| Some(view.limits().used)).says("O P A D", "drawn and held credit"),
    money("balance.pending", |view| Some(view.account.pending())).says("O A D", "held credit"),
    money("balance.uncleared", |view| Some(view.account.uncleared(view.now)))
        .says("P D", "payments that are not final"),
    percent("util.avg_3m", (0, 1_000), average)
        .history(90)
        .says("O P X D", "mean of used / granted at the end of days, this month and two before"),
    count("util.days_above_80_35d", DAYS as i64, |view| {
        Some(i64::from((view.account.utilisation.above_80 & ((1 << DAYS) - 1)).count_ones()))
    })
    .says("O P X D", "days of the last 35 that ended with more than 80 % used"),
];

const _: () = assert!(NEVER_DAYS > 365);
