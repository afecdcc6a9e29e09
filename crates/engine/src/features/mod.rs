//! The catalogue: every name that a rule may read, with its type, range, meaning, what moves it, and how it is read.
//! Rules, docs, console and solver use this one list.

mod account;
mod block;
mod delinquency;
mod facts;
mod limit;
mod market;
mod order;
mod promotion;
mod repay;
mod view;

pub use facts::{BUILT_IN_FACTS, COMPARED_FACTS, FactDef, FactType};
pub use view::{EventFacts, Suspect, View};

use std::sync::Arc;

use headroom_policy::{Symbol, Type};

/// The type of a feature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeatureType {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Whole percent.
    Percent,
    /// Minor units of the account's currency.
    Money,
    /// One of these words.
    Enum(&'static [&'static str]),
}

/// One feature.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// Two segments, as rules write it.
    pub name: &'static str,
    /// Its type.
    pub ty: FeatureType,
    /// Its unit, for people: "minor units", "days", "hours", "%", "".
    pub unit: &'static str,
    /// The smallest value.
    pub min: i64,
    /// The largest value; of `*_hours` and `days_since_*` it also says "never happened".
    pub max: i64,
    /// What it means.
    pub meaning: &'static str,
    /// What moves it: O order, P payment or statement, S fact, A account, M broadcast, X own change, C control, D clock,
    /// E known only while that event is decided.
    pub moved_by: &'static str,
    /// Unknown on accounts with fewer days of history.
    pub min_history_days: i64,
    /// The value that is good news, if the feature reports a risk.
    pub good: Option<i64>,
    /// Reads it; `None` is unknown.
    pub read: fn(&View<'_>) -> Option<i64>,
}

/// Largest number of elapsed hours that is kept apart: "never" beyond.
pub const NEVER_HOURS: i64 = 9_999;
/// Largest number of elapsed days that is kept apart: "never" beyond.
pub const NEVER_DAYS: i64 = 9_999;
/// Largest amount that a feature may show, minor units.
pub const MONEY_MAX: i64 = i64::MAX / 2;

type Read = fn(&View<'_>) -> Option<i64>;

const fn feature(name: &'static str, ty: FeatureType, unit: &'static str, range: (i64, i64), read: Read) -> Feature {
    Feature {
        name,
        ty,
        unit,
        min: range.0,
        max: range.1,
        meaning: "",
        moved_by: "",
        min_history_days: 0,
        good: None,
        read,
    }
}

const fn flag(name: &'static str, read: Read) -> Feature {
    feature(name, FeatureType::Bool, "", (0, 1), read)
}

const fn money(name: &'static str, read: Read) -> Feature {
    feature(name, FeatureType::Money, "minor units", (0, MONEY_MAX), read)
}

const fn count(name: &'static str, max: i64, read: Read) -> Feature {
    feature(name, FeatureType::Int, "", (0, max), read)
}

const fn days(name: &'static str, read: Read) -> Feature {
    feature(name, FeatureType::Int, "days", (0, NEVER_DAYS), read)
}

const fn hours(name: &'static str, read: Read) -> Feature {
    feature(name, FeatureType::Int, "hours", (0, NEVER_HOURS), read)
}

const fn percent(name: &'static str, range: (i64, i64), read: Read) -> Feature {
    feature(name, FeatureType::Percent, "%", range, read)
}

const fn words(name: &'static str, words: &'static [&'static str], read: Read) -> Feature {
    feature(name, FeatureType::Enum(words), "", (0, 0), read)
}

impl Feature {
    const fn says(mut self, moved_by: &'static str, meaning: &'static str) -> Self {
        self.moved_by = moved_by;
        self.meaning = meaning;
        self
    }

    const fn signed(mut self) -> Self {
        self.min = -self.max;
        self
    }

    const fn history(mut self, days: i64) -> Self {
        self.min_history_days = days;
        self
    }

    const fn risk(mut self, good: i64) -> Self {
        self.good = Some(good);
        self
    }

    /// Its value, kept within its range; unknown without enough history.
    pub fn value(&self, view: &View<'_>) -> Option<i64> {
        if self.min_history_days > 0 && view.history_days() < self.min_history_days {
            return None;
        }
        let value = (self.read)(view)?;
        Some(match self.ty {
            FeatureType::Enum(_) | FeatureType::Bool => value,
            _ => value.clamp(self.min, self.max),
        })
    }

    /// Its symbol in the rule language's schema.
    pub fn symbol(&self) -> Symbol {
        let ty = match self.ty {
            FeatureType::Bool => Type::Bool,
            FeatureType::Int | FeatureType::Percent => Type::Int,
            FeatureType::Money => Type::Money,
            FeatureType::Enum(words) => Type::Enum(words.iter().map(|word| (*word).to_owned()).collect::<Arc<[_]>>()),
        };
        Symbol { name: self.name.to_owned(), ty, min: self.min, max: self.max }
    }
}

/// The catalogue's groups, in the order of `RULEBOOK.md` section 5.
pub const GROUPS: &[&[Feature]] = &[
    account::FEATURES,
    limit::FEATURES,
    block::FEATURES,
    order::FEATURES,
    repay::FEATURES,
    delinquency::FEATURES,
    promotion::FEATURES,
    facts::FEATURES,
    market::FEATURES,
];

/// Every built-in feature; its position is its slot.
pub fn catalogue() -> impl Iterator<Item = &'static Feature> {
    GROUPS.iter().flat_map(|group| group.iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_documented_and_named_once() {
        let mut names: Vec<_> = catalogue().map(|each| each.name).collect();
        for each in catalogue() {
            assert!(!each.meaning.is_empty() && !each.moved_by.is_empty(), "`{}` says nothing", each.name);
            assert!(each.name.contains('.'), "`{}` needs two segments", each.name);
            assert!(each.min <= each.max, "`{}` has an empty range", each.name);
        }
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
