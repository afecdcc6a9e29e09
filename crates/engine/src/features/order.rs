//! `order.*` (the event being decided) and `orders.*` (windows of the side that counts for the segment).

use crate::time::month_of_day;
use crate::vocabulary::Purpose;
use crate::windows::{DayBucket, HOURS, SUM_DAYS};

use super::{Feature, MONEY_MAX, View, count, money, words};

fn since_days(view: &View<'_>, days: i32, what: impl Fn(&DayBucket) -> i64) -> i64 {
    view.account.windows().days_since(view.today().saturating_sub(days - 1), what)
}

fn placed_30d(view: &View<'_>) -> i64 {
    let windows = view.account.windows();
    since_days(view, SUM_DAYS, |each| each.placed).saturating_add(windows.amount_since_hour(i32::MIN))
}

/// The group.
pub const FEATURES: &[Feature] = &[
    money("order.amount", |view| view.event.order.map(|each| each.amount)).says("E", "the order's full amount"),
    money("order.credit_amount", |view| view.event.order.and_then(|each| each.hold))
        .says("E", "the credit that it asks for; unknown if it uses none"),
    money("order.shortfall", |view| {
        let asked = view.event.order.and_then(|each| each.hold)?;
        Some(asked.saturating_sub(view.event.spendable_before).max(0))
    })
    .says("E", "credit asked for beyond what could be spent"),
    words("order.purpose", &["purchase", "cash"], |view| {
        view.event.order.map(|each| i64::from(each.purpose == Purpose::Cash))
    })
    .says("E", "goods or cash"),
    money("orders.amount_1h", |view| Some(view.account.windows().amount_since_hour(view.now.hour())))
        .says("O D", "placed within the current hour"),
    money("orders.amount_24h", |view| {
        Some(view.account.windows().amount_since_hour(view.now.hour().saturating_sub(HOURS - 1)))
    })
    .says("O D", "placed within the current hour and 23 before, the order being decided included"),
    money("orders.amount_30d", |view| Some(placed_30d(view))).says("O D", "placed today and on 29 days before"),
    money("orders.paid_30d", |view| Some(since_days(view, SUM_DAYS, |each| each.paid))).says("O D", "paid in 30 days"),
    money("orders.refunded_30d", |view| Some(since_days(view, SUM_DAYS, |each| each.refunded)))
        .says("O D", "refunded in 30 days"),
    money("orders.cancelled_30d", |view| Some(since_days(view, SUM_DAYS, |each| each.cancelled)))
        .says("O D", "cancelled in 30 days"),
    count("orders.large_24h", 1_000_000, |view| {
        Some(view.account.windows().hours.iter().map(|each| i64::from(each.large)).sum())
    })
    .says("O D", "orders of at least the ruleset's `large_order` in 24 hours"),
    count("orders.count_24h", 1_000_000, |view| {
        Some(view.account.windows().hours.iter().map(|each| i64::from(each.count)).sum())
    })
    .says("O D", "orders in 24 hours"),
    count("orders.declined_days_35d", 35, |view| {
        Some(i64::from((view.account.declined_days & ((1 << 35) - 1)).count_ones()))
    })
    .says("O D", "days of 35 on which an order was declined for the limit"),
    money("orders.max_day_35d", |view| Some(view.account.windows().max_day()))
        .says("O D", "the largest day of 35, without what the 24-hour sums cover"),
    money("orders.max_order_13m", |view| Some(view.account.windows().max_order()))
        .says("O D", "the largest order of 13 months, without what the 24-hour sums cover"),
    count("orders.count_13m", MONEY_MAX, |view| Some(view.account.windows().count()))
        .says("O D", "orders of 13 months, without what the 24-hour sums cover"),
    count("orders.months_active_12m", 12, |view| {
        let first = month_of_day(view.today()).saturating_sub(11);
        let months = view.account.windows().months.iter();
        i64::try_from(months.filter(|each| each.month >= first && each.count > 0).count()).ok()
    })
    .says("O D", "months of twelve with an order, without what the 24-hour sums cover"),
];
