//! `ruleset.yaml`: settings, and other values for parameters of rules.

use std::collections::BTreeMap;

use headroom_policy::yaml::{Key, Node};
use headroom_policy::{Currency, Diagnostic};

use crate::stack::MoneyTable;
use crate::time::Zone;
use crate::vocabulary::Tier;

use super::fields::{Fields, Findings, duration, entries, money_table, near, owned, text, whole, yes};
use super::settings::{Guards, Settings};

/// The keys of `ruleset.yaml`, in the order in which they are written.
pub const SETTINGS_KEYS: &[&str] = &[
    "name",
    "zone",
    "large_order",
    "tier_caps",
    "feeds",
    "dedup_days",
    "provisional_max",
    "notice_within",
    "offer_stands",
    "guards",
    "params",
];

/// The keys of its `guards`.
pub const GUARD_KEYS: &[&str] = &[
    "cool_down_increase",
    "cool_down_boost",
    "yearly_growth_pct",
    "after_decrease_days",
    "dormant_days",
    "exposure_max",
    "maximum_step_pct",
    "minimum_step_pct",
    "daily_count",
    "customer_share_required",
];

/// A year of duplicates would not fit an account's record.
const DEDUP_DAYS_MAX: i64 = 35;

/// Other values for the parameters of rules, by rule id.
pub type Overrides<'a> = Vec<(&'a Key, &'a Node)>;

/// The settings of a file; what is absent has its default.
pub fn settings<'a>(root: &'a Node, out: &mut Findings) -> (Settings, Overrides<'a>) {
    let defaults = Settings::default();
    let Some(fields) = Fields::of(root, "a ruleset", SETTINGS_KEYS, out) else { return (defaults, Vec::new()) };
    let settings = Settings {
        name: fields.read_or("name", defaults.name, out, owned),
        zone: fields.read_or("zone", defaults.zone, out, zone),
        large_order: table(&fields, "large_order", out),
        tier_caps: tier_caps(&fields, out),
        feeds: feeds(&fields, out),
        dedup_days: fields.read_or("dedup_days", defaults.dedup_days, out, |node| {
            whole(node, 1, DEDUP_DAYS_MAX).map(|days| i32::try_from(days).unwrap_or(i32::MAX))
        }),
        provisional_max: fields.read_or("provisional_max", defaults.provisional_max, out, |node| {
            whole(node, 0, 1_000_000_000).map(i64::unsigned_abs)
        }),
        notice_within: fields.read_or("notice_within", defaults.notice_within, out, duration),
        offer_stands: fields.read_or("offer_stands", defaults.offer_stands, out, duration),
        guards: guards(&fields, out),
    };
    (settings, overrides(&fields, out))
}

fn zone(node: &Node) -> Result<Zone, Diagnostic> {
    let name = text(node)?;
    Zone::named(name).ok_or_else(|| {
        let finding = Diagnostic::error("HR0204", format!("`{name}` is no time zone"), node.span);
        finding.help("write an IANA name, like `Asia/Shanghai`")
    })
}

fn table(fields: &Fields<'_>, key: &str, out: &mut Findings) -> MoneyTable {
    let mut table: Vec<(Currency, i64)> = fields.get(key).map(|node| money_table(node, out)).unwrap_or_default();
    table.sort_unstable();
    table
}

fn map<'a>(fields: &Fields<'a>, key: &str, what: &str, out: &mut Findings) -> &'a [(Key, Node)] {
    let found = fields.get(key).and_then(|node| out.take(entries(node, what)));
    found.unwrap_or_default()
}

fn tier_caps(fields: &Fields<'_>, out: &mut Findings) -> Vec<(Tier, MoneyTable)> {
    let mut caps = Vec::new();
    for (key, node) in map(fields, "tier_caps", "a table of amounts by tier", out) {
        let Some(tier) = Tier::parse(&key.text) else {
            let finding = Diagnostic::error("HR0204", format!("`{}` is no tier", key.text), key.span);
            out.add(near(finding, &key.text, Tier::ALL.iter().map(|each| each.word())));
            continue;
        };
        let mut table = money_table(node, out);
        table.sort_unstable();
        caps.push((tier, table));
    }
    caps
}

fn feeds(fields: &Fields<'_>, out: &mut Findings) -> BTreeMap<String, i64> {
    let entries = map(fields, "feeds", "a table of durations by source", out);
    entries.iter().filter_map(|(key, node)| Some((key.text.clone(), out.take(duration(node))?))).collect()
}

/// Heartbeats of risk feeds as the setting `feeds` has them: milliseconds by source.
///
/// # Errors
/// The first thing that is wrong.
pub fn read_feeds(node: &Node) -> Result<BTreeMap<String, i64>, Diagnostic> {
    let read = |(key, node): &(Key, Node)| Ok((key.text.clone(), duration(node)?));
    entries(node, "a table of durations by source")?.iter().map(read).collect()
}

fn guards(fields: &Fields<'_>, out: &mut Findings) -> Guards {
    let defaults = Guards::default();
    let found = fields.get("guards").and_then(|node| Fields::of(node, "the guards", GUARD_KEYS, out));
    let Some(fields) = found else { return defaults };
    let days = |node| whole(node, 0, 36_500);
    let percent = |node| whole(node, 0, 10_000);
    Guards {
        cool_down_increase: fields.read_or("cool_down_increase", defaults.cool_down_increase, out, duration),
        cool_down_boost: fields.read_or("cool_down_boost", defaults.cool_down_boost, out, duration),
        yearly_growth_pct: fields.read_or("yearly_growth_pct", defaults.yearly_growth_pct, out, percent),
        after_decrease_days: fields.read_or("after_decrease_days", defaults.after_decrease_days, out, days),
        dormant_days: fields.read_or("dormant_days", defaults.dormant_days, out, days),
        exposure_max: table(&fields, "exposure_max", out),
        maximum_step_pct: fields.read_or("maximum_step_pct", defaults.maximum_step_pct, out, percent),
        minimum_step_pct: fields.read_or("minimum_step_pct", defaults.minimum_step_pct, out, percent),
        daily_count: fields.read_or("daily_count", defaults.daily_count, out, |node| {
            whole(node, 0, 1_000).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
        }),
        customer_share_required: fields.read_or("customer_share_required", defaults.customer_share_required, out, yes),
    }
}

fn overrides<'a>(fields: &Fields<'a>, out: &mut Findings) -> Overrides<'a> {
    map(fields, "params", "a table of parameters by rule", out).iter().map(|(key, node)| (key, node)).collect()
}
