//! Settings of a ruleset, each with its default. They are content: a change is a new ruleset.

use std::collections::BTreeMap;

use crate::stack::MoneyTable;
use crate::time::{DAY, HOUR, Zone};
use crate::vocabulary::Tier;

/// Settings of a ruleset (`ruleset.yaml`).
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// Business zone: days and months are counted in it.
    pub zone: Zone,
    /// From which amount on an order is large.
    pub large_order: MoneyTable,
    /// Largest permanent limit by tier.
    pub tier_caps: Vec<(Tier, MoneyTable)>,
    /// Risk feeds: the longest silence of a source, milliseconds, after which "no signal" is unknown.
    pub feeds: BTreeMap<String, i64>,
    /// Days within which duplicates are known.
    pub dedup_days: i32,
    /// How many accounts that nobody opened are kept.
    pub provisional_max: u64,
    /// Milliseconds until a notice must be out.
    pub notice_within: i64,
    /// Milliseconds for which an offer stands.
    pub offer_stands: i64,
    /// Guards.
    pub guards: Guards,
}

/// Values of the guards (RULEBOOK section 3).
#[derive(Clone, Debug)]
pub struct Guards {
    /// Milliseconds between increases.
    pub cool_down_increase: i64,
    /// Milliseconds between boosts.
    pub cool_down_boost: i64,
    /// Largest growth of base in twelve months, percent.
    pub yearly_growth_pct: i64,
    /// No increase or boost for so many days after a decrease.
    pub after_decrease_days: i64,
    /// No increase or boost after so many days without an order.
    pub dormant_days: i64,
    /// Largest `granted` of one account; none: no bound.
    pub exposure_max: MoneyTable,
    /// Largest step, percent of base.
    pub maximum_step_pct: i64,
    /// Smallest step, percent of base.
    pub minimum_step_pct: i64,
    /// Favourable changes a day.
    pub daily_count: u32,
    /// Increases and boosts of consumers need a known customer share.
    pub customer_share_required: bool,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            cool_down_increase: 30 * DAY,
            cool_down_boost: DAY,
            yearly_growth_pct: 50,
            after_decrease_days: 180,
            dormant_days: 180,
            exposure_max: Vec::new(),
            maximum_step_pct: 30,
            minimum_step_pct: 1,
            daily_count: 3,
            customer_share_required: true,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "unnamed".to_owned(),
            zone: Zone::utc(),
            large_order: Vec::new(),
            tier_caps: Vec::new(),
            feeds: BTreeMap::new(),
            dedup_days: 7,
            provisional_max: 100_000,
            notice_within: 24 * HOUR,
            offer_stands: 14 * DAY,
            guards: Guards::default(),
        }
    }
}
