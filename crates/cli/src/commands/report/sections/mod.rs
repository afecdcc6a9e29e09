//! The sections, one file each, in the order of the page.

mod blocked;
mod changes;
mod exposure;
mod letters;
mod made;
mod speed;

use std::collections::BTreeMap;

use headroom_node::{Exposure, ReportDay, RunReport};

use super::number::full_date;
use super::sent::Sent;

/// What each section is drawn by.
pub const SECTIONS: [fn(&Season<'_>) -> String; 7] = [
    changes::by_rule,
    changes::by_kind,
    blocked::section,
    exposure::section,
    speed::section,
    letters::section,
    made::section,
];

/// Everything that the page is made of.
pub struct Season<'a> {
    pub report: &'a RunReport,
    pub sent: Option<&'a Sent>,
    /// Names of the files that were read for the page.
    pub sources: &'a [String],
}

impl Season<'_> {
    /// The days as the calendar writes them.
    fn dates(&self) -> Vec<&str> {
        self.report.days.iter().map(|day| day.date.as_str()).collect()
    }

    /// The days as people write them.
    fn day_names(&self) -> Vec<String> {
        self.report.days.iter().map(|day| full_date(&day.date)).collect()
    }

    fn by_day(&self, of: impl Fn(&ReportDay) -> u64) -> Vec<u64> {
        self.report.days.iter().map(of).collect()
    }

    /// Sums over all days, the largest first.
    fn totals<'b>(&'b self, of: impl Fn(&'b ReportDay) -> &'b BTreeMap<String, u64>) -> Vec<(&'b str, u64)> {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, count) in self.report.days.iter().flat_map(of) {
            *sums.entry(key).or_default() += count;
        }
        let mut sums: Vec<(&str, u64)> = sums.into_iter().collect();
        sums.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        sums
    }

    /// The currency of most accounts on the last day, with its limits.
    pub fn main_currency(&self) -> Option<(&str, &Exposure)> {
        let last = &self.report.days.last()?.exposure;
        let named = last.iter().filter(|(currency, _)| !currency.is_empty());
        named.max_by_key(|(_, exposure)| exposure.accounts).map(|(currency, exposure)| (currency.as_str(), exposure))
    }

    /// Records of the run by its seconds.
    pub fn per_second(&self) -> u64 {
        let rate = u128::from(self.report.records) * 1_000_000 / u128::from(self.report.micros.max(1));
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

/// The words of rules and outputs for people: `block_changed` as `block changed`.
fn spaced(word: &str) -> String {
    word.replace('_', " ")
}
