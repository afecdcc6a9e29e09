//! Accounts whose effective limit a block took to 0, and those that came back.

use super::Season;
use crate::commands::report::chart::{Line, Stack, Words, days, diverging, lines};
use crate::commands::report::html::{self, Cell, details, figure, heading, table};
use crate::commands::report::number::count;

/// Blocked and restored day by day; blocked at the end of days.
pub fn section(season: &Season<'_>) -> String {
    let sum = |values: Vec<u64>| count(values.iter().sum::<u64>());
    let lead = format!(
        "{} times an account was blocked, {} times one was restored; {} are blocked at the end. A freeze that the same \
         event restores counts on both sides.",
        sum(season.by_day(|day| day.blocked)),
        sum(season.by_day(|day| day.restored)),
        count(season.report.blocked)
    );
    html::section("blocked", "Blocked and restored accounts", &lead, &charts(season))
}

fn charts(season: &Season<'_>) -> String {
    let ticks = days(&season.dates());
    let blocked = Stack { name: "blocked", class: "s1", values: season.by_day(|day| day.blocked) };
    let restored = Stack { name: "restored", class: "s3", values: season.by_day(|day| day.restored) };
    let words = Words {
        id: "chart-blocked",
        title: "Accounts blocked and restored by day",
        description: "Upwards: how many accounts lost their whole limit to a block. Downwards: how many got it back, in part or in whole.",
        unit: "accounts per day",
    };
    let moves = diverging(&words, &season.day_names(), &ticks, &blocked, &restored);
    let at_end = season.by_day(|day| day.blocked_at_end);
    let said: Vec<String> =
        season.day_names().iter().zip(&at_end).map(|(day, n)| format!("{day}\n{} blocked", count(*n))).collect();
    let line = Line { name: "blocked", class: "s1", values: at_end.iter().map(|n| *n as f64).collect(), filled: true };
    let words = Words {
        id: "chart-blocked-at-end",
        title: "Accounts blocked at the end of each day",
        description: "How many accounts had an effective limit of 0 by a block when the day ended.",
        unit: "accounts",
    };
    let held = lines(&words, &ticks, &[line], &said, (180.0, 1.0));
    let legend = [("s1", "blocked: a block takes the effective limit to 0"), ("s3", "restored: it is above 0 again")];
    figure(&legend, &moves) + &heading("Blocked at the end of the day") + &figure(&[], &held) + &numbers(season)
}

fn numbers(season: &Season<'_>) -> String {
    let row = |day: &headroom_node::ReportDay| {
        let counts = [day.blocked, day.restored, day.blocked_at_end].map(|each| Cell::Number(count(each)));
        std::iter::once(Cell::Text(day.date.clone())).chain(counts).collect()
    };
    let rows: Vec<Vec<Cell>> = season.report.days.iter().map(row).collect();
    let headings = ["day", "blocked", "restored", "blocked at the end"];
    details("Numbers by day", &table("Blocked and restored accounts by day", &headings, &rows))
}
