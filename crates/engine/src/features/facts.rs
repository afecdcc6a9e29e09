//! Facts that signals report: `fraud.*`, `lending.*`, `model.*`, `merchant.*`, `collateral.*`.

use crate::account::MarkKind;
use crate::ids::fact_key;
use crate::time::Timestamp;

use super::{Feature, FeatureType, MONEY_MAX, View, count, days, feature, flag, hours, money, percent};

/// The type of a fact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FactType {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Minor units of the account's currency.
    Money,
    /// One of these words.
    Enum(Vec<String>),
}

/// A fact that signals may report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FactDef {
    /// As signals and rules write it.
    pub name: String,
    /// Its type.
    pub ty: FactType,
    /// Smallest value.
    pub min: i64,
    /// Largest value.
    pub max: i64,
    /// Each report of `true` is an occurrence of its own, not a state.
    pub occurrence: bool,
    /// Who may report it; empty: anybody.
    pub sources: Vec<String>,
    /// The value of accounts of which nothing was reported; `None`: unknown.
    pub default: Option<i64>,
    /// What it means.
    pub meaning: String,
}

/// A fact of the catalogue: name, type, smallest, largest, whether it is an occurrence.
pub const BUILT_IN_FACTS: &[(&str, FeatureType, i64, i64, bool)] = &[
    ("fraud.list_hit", FeatureType::Bool, 0, 1, false),
    ("fraud.device_changed", FeatureType::Bool, 0, 1, true),
    ("fraud.place_changed", FeatureType::Bool, 0, 1, true),
    ("fraud.profile_changed", FeatureType::Bool, 0, 1, true),
    ("fraud.login_anomaly", FeatureType::Bool, 0, 1, true),
    ("fraud.verified", FeatureType::Bool, 0, 1, true),
    ("lending.lenders_30d", FeatureType::Int, 0, 1_000, false),
    ("lending.inquiries_7d", FeatureType::Int, 0, 1_000, false),
    ("lending.other_lines", FeatureType::Money, 0, MONEY_MAX, false),
    ("model.score", FeatureType::Int, 0, 1_000, false),
    ("merchant.violations_90d", FeatureType::Int, 0, 10_000, false),
    ("merchant.rating", FeatureType::Int, 0, 100, false),
    ("merchant.repurchase_pct", FeatureType::Int, 0, 100, false),
    ("collateral.value", FeatureType::Money, 0, MONEY_MAX, false),
    ("limit.customer_share", FeatureType::Money, 0, MONEY_MAX, false),
];

/// Facts of which a feature tells the change over 30 days: of these an earlier value is kept.
pub const COMPARED_FACTS: [&str; 2] = ["model.score", "collateral.value"];

/// What was reported is known; while a risk feed is silent, what was not reported since its last word is unknown.
fn unless_silent(view: &View<'_>, reported: Option<Timestamp>, value: i64) -> Option<i64> {
    view.silent_since().is_none_or(|since| reported.is_some_and(|at| at >= since)).then_some(value)
}

fn hours_since(view: &View<'_>, name: &str) -> Option<i64> {
    let last = view.last_true(name);
    unless_silent(view, last, view.hours_since(last))
}

fn signals_7d(view: &View<'_>) -> Option<i64> {
    let count = view.account.marks_since(MarkKind::Fraud, view.today().saturating_sub(6));
    (count > 0 || view.silent_since().is_none()).then_some(count)
}

/// To the instant: hours would not tell which came first within one.
fn verified_since(view: &View<'_>) -> Option<i64> {
    let changed = view.last_true("fraud.device_changed").max(view.last_true("fraud.place_changed"));
    let verified = view.last_true("fraud.verified");
    let holds = changed.is_none_or(|changed| verified.is_some_and(|verified| verified >= changed));
    unless_silent(view, changed.max(verified), i64::from(holds))
}

fn delta(view: &View<'_>, name: &str) -> Option<(i64, i64)> {
    assert!(COMPARED_FACTS.contains(&name), "no earlier `{name}` is kept");
    let fact = view.account.fact(fact_key(name), view.now)?;
    fact.earlier.map(|(value, _)| (value, fact.value))
}

/// The group.
pub const FEATURES: &[Feature] = &[
    flag("fraud.list_hit", |view| view.fact("fraud.list_hit")).risk(0).says("S", "it stands on a list"),
    count("fraud.signals_7d", 1_000, signals_7d).risk(0).says(
        "S D",
        "list hits and anomalous logins that turned true in 7 days; without any, unknown while a risk feed is silent",
    ),
    hours("fraud.device_changed_hours", |view| hours_since(view, "fraud.device_changed"))
        .risk(super::NEVER_HOURS)
        .says("S D", "hours since the device changed"),
    hours("fraud.place_changed_hours", |view| hours_since(view, "fraud.place_changed"))
        .risk(super::NEVER_HOURS)
        .says("S D", "hours since the place changed"),
    hours("fraud.profile_changed_hours", |view| hours_since(view, "fraud.profile_changed"))
        .risk(super::NEVER_HOURS)
        .says("S D", "hours since phone, address or bank changed"),
    hours("fraud.login_anomaly_hours", |view| hours_since(view, "fraud.login_anomaly"))
        .risk(super::NEVER_HOURS)
        .says("S D", "hours since an anomalous login"),
    hours("fraud.verified_hours", |view| hours_since(view, "fraud.verified"))
        .says("S D", "hours since the customer was verified"),
    flag("fraud.verified_since", verified_since)
        .says("S", "the customer was verified after device and place last changed; true if they never did"),
    count("lending.lenders_30d", 1_000, |view| view.fact("lending.lenders_30d"))
        .risk(0)
        .says("S", "other lenders in 30 days"),
    count("lending.inquiries_7d", 1_000, |view| view.fact("lending.inquiries_7d"))
        .risk(0)
        .says("S", "inquiries by others in 7 days"),
    money("lending.other_lines", |view| view.fact("lending.other_lines"))
        .risk(0)
        .says("S", "credit lines held elsewhere"),
    count("model.score", 1_000, |view| view.fact("model.score")).says("S", "behaviour score, higher is better"),
    feature("model.score_delta_30d", FeatureType::Int, "", (-1_000, 1_000), |view| {
        delta(view, "model.score").map(|(earlier, now)| now - earlier)
    })
    .says("S", "score less the one that was reported 30 days or more before it"),
    count("merchant.violations_90d", 10_000, |view| view.fact("merchant.violations_90d"))
        .risk(0)
        .says("S", "violations of platform rules in 90 days"),
    count("merchant.rating", 100, |view| view.fact("merchant.rating")).says("S", "rating by buyers, 0 to 100"),
    percent("merchant.repurchase_pct", (0, 100), |view| view.fact("merchant.repurchase_pct"))
        .says("S", "buyers who come back"),
    money("collateral.value", |view| view.fact("collateral.value")).says("S", "value of what is pledged"),
    days("collateral.age_days", |view| {
        view.account.fact(fact_key("collateral.value"), view.now).map(|each| view.days_since(Some(each.at)))
    })
    .says("S D", "days since that value was reported; unknown without one"),
    percent("collateral.change_30d", (-100, 10_000), |view| {
        let (earlier, now) = delta(view, "collateral.value")?;
        let change = (i128::from(now) - i128::from(earlier)) * 100;
        (earlier > 0).then(|| i64::try_from(change / i128::from(earlier)).unwrap_or(i64::MAX))
    })
    .says("S D", "change of that value against the one reported 30 days or more before it"),
];
