//! The page as a whole: its head, what comes first, the sections one after the other.

use std::collections::BTreeSet;

use headroom_node::{ReportDay, RunReport};

use super::html::escape;
use super::number::{count, duration, full_date, major, percent, short};
use super::sections::{SECTIONS, Season};
use super::sent::Sent;

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub fn page(report: &RunReport, sent: Option<&Sent>, sources: &[String]) -> String {
    let season = Season { report, sent, sources };
    let body: String = SECTIONS.iter().map(|section| section(&season)).collect();
    let (title, period) = ("Headroom: what the rules did", escape(&period(report)));
    // Nothing is ever fetched, and browsers are told so.
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n\
         <link rel=\"icon\" href=\"data:,\"/>\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<p class=\"brand\">Headroom</p>\n<h1>What the rules did</h1>\n<p class=\"period\">{period}</p>\n{}</header>\n\
         <main>\n{}{body}</main>\n</body>\n</html>\n",
        notice(report),
        tiles(&season),
    )
}

fn period(report: &RunReport) -> String {
    let ends = report.days.first().zip(report.days.last());
    let days = ends.map_or_else(
        || "No day".to_owned(),
        |(first, last)| {
            let (first, last) = (full_date(&first.date), full_date(&last.date));
            if first == last { first } else { format!("{first} to {last}") }
        },
    );
    format!("{days} · {} accounts · {} records", count(report.accounts), count(report.records))
}

/// Says so where the page is not about everything that the data directory holds.
fn notice(report: &RunReport) -> String {
    if report.records_before == 0 {
        return String::new();
    }
    let (new, before) = (count(report.records), count(report.records_before));
    format!(
        "<p class=\"notice\">Only what was new: {new} records. The {before} that the data directory had taken before \
         this run are not counted here; the accounts and limits are those of all.</p>\n"
    )
}

fn tiles(season: &Season<'_>) -> String {
    let report = season.report;
    let sum = |of: fn(&ReportDay) -> u64| count(report.days.iter().map(of).sum::<u64>());
    let mut tiles = vec![
        tile(
            "Limit changes",
            &sum(|day| day.changes_by_kind.values().sum()),
            &format!("by {} rules", rules_that_fired(report)),
        ),
        tile("Blocked at the end", &count(report.blocked), &format!("of {} accounts", count(report.accounts))),
        tile("Restored", &sum(|day| day.restored), &format!("of {} times blocked", sum(|day| day.blocked))),
    ];
    if let Some((currency, last)) = season.main_currency() {
        let money = |minor| short(major(minor, currency));
        let (effective, granted, used) = (money(last.effective), money(last.granted), money(last.used));
        tiles.push(tile(&format!("Effective limits, {currency}"), &effective, &format!("of {granted} granted")));
        tiles.push(tile("In use", &percent(last.used, last.effective), &format!("{used} {currency} drawn or held")));
    }
    tiles.push(tile("Records per second", &count(season.per_second()), "read, decided, synced to disk"));
    if let Some(sent) = season.sent {
        tiles.push(tile("Answered within", &duration(sent.request_latency_us.p99), "99 % of requests over HTTP"));
    }
    let letters = sum(|day| day.dead_letters.values().sum());
    tiles.push(tile("Dead letters", &letters, &format!("of {} records", count(report.records))));
    format!("<div class=\"tiles\">\n{}</div>\n", tiles.concat())
}

fn rules_that_fired(report: &RunReport) -> usize {
    let ids: BTreeSet<&String> = report.days.iter().flat_map(|day| day.changes_by_rule.keys()).collect();
    ids.iter().filter(|id| !id.is_empty()).count()
}

fn tile(name: &str, value: &str, more: &str) -> String {
    let (name, value, more) = (escape(name), escape(value), escape(more));
    format!(
        "<div class=\"tile\"><p class=\"what\">{name}</p><p class=\"value\">{value}</p><p class=\"more\">{more}</p></div>\n"
    )
}
