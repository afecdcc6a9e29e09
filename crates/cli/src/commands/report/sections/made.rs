//! How the page was made: enough to make it again.

use super::Season;
use crate::commands::report::html::{self, Cell, table};
use crate::commands::report::number::count;

/// Files, ruleset, counts.
pub fn section(season: &Season<'_>) -> String {
    let report = season.report;
    let mut rows = Vec::new();
    let mut row = |name: &str, value: Cell| rows.push(vec![Cell::Text(name.to_owned()), value]);
    row("program", Cell::Text(format!("headroom {}", report.version)));
    report.inputs.iter().for_each(|input| row("events", Cell::Code(input.clone())));
    season.sources.iter().for_each(|source| row("page made of", Cell::Code(source.clone())));
    row("ruleset", Cell::Code(report.ruleset_hash.clone()));
    row("rules", Cell::Text(count(report.rules.len() as u64)));
    row("records taken by the run", Cell::Text(count(report.records)));
    row("of them seen before", Cell::Text(count(report.duplicates)));
    row("records taken before the run", Cell::Text(count(report.records_before)));
    row("clock at the end", Cell::Code(report.now.clone()));
    row("days", Cell::Text(format!("{}, in UTC", count(report.days.len() as u64))));
    let lead =
        "The same event files and the same ruleset give the same decisions, byte for byte; only the times differ.";
    html::section("made", "How this page was made", lead, &table("How this page was made", &["what", "value"], &rows))
}
