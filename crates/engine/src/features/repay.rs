//! `payment.*` and `repay.*`. While `statement_closed` is decided, `repay.*` describes the cycle that just ended.

use crate::account::MarkKind;
use crate::time::month_of_day;

use super::{Feature, FeatureType, View, count, feature, flag, money};

/// Marks of a kind within days (the current one included).
fn marks_in_days(view: &View<'_>, kind: MarkKind, days: i32) -> i64 {
    view.account.marks_since(kind, view.today().saturating_sub(days - 1))
}

fn late_12m(view: &View<'_>) -> Option<i64> {
    let first = month_of_day(view.today()).saturating_sub(11);
    let late = view.account.marks.iter().filter(|each| each.kind == MarkKind::Late && month_of_day(each.day) >= first);
    i64::try_from(late.count()).ok()
}

/// The group.
pub const FEATURES: &[Feature] = &[
    feature("payment.days_before_due", FeatureType::Int, "days", (-9_999, 9_999), |view| {
        view.event.payment_days_before_due
    })
    .says("E", "days from the payment, or its clearing, to the due date; negative after it; unknown without one"),
    money("repay.statement_balance", |view| view.account.repay.cycle.map(|each| each.balance))
        .signed()
        .says("P", "what the statement says is owed; negative in credit"),
    money("repay.paid", |view| view.account.repay.cycle.map(|each| each.paid)).says("P", "paid since the statement"),
    money("repay.min_due", |view| view.account.repay.cycle.map(|each| each.min_due))
        .says("P", "the statement's minimum"),
    count("repay.on_time_streak", 1_200, |view| Some(i64::from(view.account.repay.on_time_streak)))
        .says("P", "cycles in a row whose minimum was paid in time"),
    count("repay.early_streak", 1_200, |view| Some(i64::from(view.account.repay.early_streak)))
        .says("P", "… at least three days early"),
    count("repay.full_streak", 1_200, |view| Some(i64::from(view.account.repay.full_streak)))
        .says("P", "… with the whole statement paid in time"),
    count("repay.min_only_streak", 1_200, |view| Some(i64::from(view.account.repay.min_only_streak)))
        .says("P", "… with no more than 110 % of the minimum paid"),
    count("repay.late_12m", 1_200, late_12m).says("P D", "cycles paid late in 12 months"),
    count("repay.returned_30d", 1_000, |view| Some(marks_in_days(view, MarkKind::Returned, 30)))
        .says("P D", "payments returned in 30 days"),
    count("repay.broken_90d", 1_000, |view| Some(marks_in_days(view, MarkKind::Broken, 90)))
        .says("P D", "promises broken in 90 days"),
    flag("repay.autopay", |view| view.account.repay.autopay.map(i64::from)).says("P", "direct debit is agreed"),
];
