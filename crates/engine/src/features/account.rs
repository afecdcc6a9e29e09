//! `account.*`, `consent.*`, `review.*`.

use super::{Feature, days, flag, words};

/// The group.
pub const FEATURES: &[Feature] = &[
    words(
        "account.segment",
        &["consumer_new", "consumer", "consumer_prime", "merchant_new", "merchant_standard", "merchant_key"],
        |view| Some(i64::from(view.account.segment.index())),
    )
    .says("A", "what kind of customer it is"),
    words("account.tier", &["none", "silver", "gold", "platinum"], |view| Some(i64::from(view.account.tier.index())))
        .says("A", "loyalty tier"),
    words("account.status", &["provisional", "active", "hardship", "closed", "charged_off"], |view| {
        Some(i64::from(view.account.status.index()))
    })
    .says("A", "how far it has come in its life"),
    days("account.age_days", |view| Some(view.days_since(Some(view.account.opened_at))))
        .says("A D", "days since the relationship began"),
    days("account.idle_days", |view| {
        Some(view.days_since(Some(view.account.last_order_at.unwrap_or(view.account.opened_at))))
    })
    .says("O D", "days since its last order; without one, since opening"),
    days("account.history_days", |view| Some(view.history_days())).says("A O P D", "days for which events were seen"),
    flag("consent.standing", |view| view.account.memory.consent.map(i64::from))
        .says("A", "standing consent to increases"),
    flag("review.open", |view| Some(i64::from(view.account.memory.reviews.iter().any(|each| each.blocking))))
        .says("X A", "a blocking review is open"),
    words("review.outcome", &["cleared", "confirmed", "expired"], |view| {
        view.event.review_outcome.map(|each| i64::from(each.index()))
    })
    .says("E", "how the review that is being resolved ended"),
];
