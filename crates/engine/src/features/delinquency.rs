//! `delinquency.*`.

use super::{Feature, View, count, words};
use crate::time::month_of_day;

fn max_12m(view: &View<'_>) -> Option<i64> {
    let first = month_of_day(view.today()).saturating_sub(11);
    let months = view.account.delinquency.months.iter().filter(|each| each.0 >= first);
    Some(i64::from(months.map(|each| each.1).max().unwrap_or(0)))
}

/// The group.
pub const FEATURES: &[Feature] = &[
    count("delinquency.dpd", 9_999, |view| Some(i64::from(view.account.dpd(view.today(), &view.settings().zone))))
        .says("P D", "days since the oldest unpaid minimum due, or as reported, whichever is larger"),
    words("delinquency.bucket", &["C", "M1", "M2", "M3", "M3_plus"], |view| {
        let dpd = view.account.dpd(view.today(), &view.settings().zone);
        Some(match dpd {
            ..=0 => 0,
            1..=30 => 1,
            31..=60 => 2,
            61..=90 => 3,
            _ => 4,
        })
    })
    .says("P D", "days past due by thirty: C, M1, M2, M3, M3_plus"),
    count("delinquency.max_12m", 9_999, max_12m).says("P D", "largest days past due in 12 months"),
];
