//! `promotion.*` and `holiday.*`.

use crate::account::Participation;
use crate::time::{DAY, HOUR};

use super::{Feature, NEVER_HOURS, View, count, flag, hours, money};

fn participation<'a>(view: &'a View<'_>, key: u64) -> Option<&'a Participation> {
    view.account.promotions.iter().find(|each| each.promotion == key)
}

/// Declared, but no more than 5 × the best promotion day, or without one 10 × the largest day of 35.
fn trusted_forecast(view: &View<'_>) -> Option<i64> {
    let promotion = view.promotion()?;
    let declared = participation(view, promotion.key).filter(|each| each.enrolled)?.forecast;
    let past = view.account.promotions.iter().filter(|each| each.promotion != promotion.key);
    let best = past.map(|each| each.best_day).max().unwrap_or(0);
    let bound = match best {
        1.. => best.saturating_mul(5),
        _ => view.account.windows().max_day().saturating_mul(10),
    };
    Some(declared.min(bound))
}

fn starts_in_hours(view: &View<'_>) -> Option<i64> {
    let coming = view.broadcasts().promotions.iter().filter(|each| each.start > view.now);
    let nearest = coming.map(|each| each.start).min()?;
    Some((nearest.since(view.now) + HOUR - 1) / HOUR)
}

/// The group.
pub const FEATURES: &[Feature] = &[
    flag("promotion.active", |view| Some(i64::from(view.promotion().is_some_and(|each| each.active(view.now)))))
        .says("M A D", "a promotion runs that it is enrolled in, or that targets its segment"),
    flag("promotion.enrolled", |view| {
        Some(i64::from(view.promotion().is_some_and(|each| view.enrolled(each.key))))
    })
    .says("M A", "it takes part in that promotion"),
    money("promotion.forecast_daily", trusted_forecast)
        .says("M A O", "trusted forecast of sales per day: declared, at most 5 × its best promotion day, or 10 × its largest day of 35"),
    hours("promotion.starts_in_hours", starts_in_hours).says("M D", "hours until the nearest announced promotion starts"),
    hours("promotion.hours_since_end", |view| Some(view.hours_since(view.ended_promotion().map(|each| each.end))))
        .says("M D", "hours since the last promotion ended"),
    money("promotion.last_amount", |view| {
        let ended = view.ended_promotion()?;
        Some(participation(view, ended.key).map_or(0, |each| each.amount))
    })
    .says("M O", "orders placed during the last promotion that ended"),
    flag("promotion.last_clean", |view| {
        let ended = view.ended_promotion()?;
        (view.now.since(ended.end) >= 90 * DAY)
            .then(|| i64::from(participation(view, ended.key).is_none_or(|each| each.worst_dpd <= 3)))
    })
    .says("M P D", "no more than 3 days past due in the 90 days after that promotion; unknown before"),
    count("holiday.starts_in_days", 9_999, |view| {
        let coming = view.broadcasts().holidays.iter().filter(|each| each.start > view.now);
        let nearest = coming.map(|each| each.start).min()?;
        Some((nearest.since(view.now) + DAY - 1) / DAY)
    })
    .says("M D", "days until the nearest holiday begins"),
];

const _: () = assert!(NEVER_HOURS > 24 * 365);
