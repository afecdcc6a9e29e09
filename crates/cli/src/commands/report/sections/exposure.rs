//! Limits and what is drawn of them, over the season.

use headroom_node::{Exposure, ReportDay};

use super::Season;
use crate::commands::report::chart::{Line, Words, days, lines};
use crate::commands::report::html::{self, Cell, details, figure, heading, table};
use crate::commands::report::number::{count, major, money, percent, short};

/// Currencies with a chart of their own; the others are in the table.
const CHARTS_MAX: usize = 4;

/// Base, granted, effective and used, currency by currency.
pub fn section(season: &Season<'_>) -> String {
    let currencies = currencies(season);
    let mut body = String::new();
    for (at, currency) in currencies.iter().filter(|each| !each.is_empty()).take(CHARTS_MAX).enumerate() {
        if currencies.len() > 1 {
            body.push_str(&heading(currency));
        }
        body.push_str(&chart(season, currency, at));
    }
    body.push_str(&at_the_end(season, &currencies));
    body.push_str(&currencies.iter().map(|currency| numbers(season, currency)).collect::<String>());
    let lead = "Base is permanent; granted adds boosts and caps; effective is what blocks leave of it; used is drawn or held. Sums over all accounts at the end of each day.";
    html::section("exposure", "Limits and exposure", lead, &body)
}

/// Those of most accounts first.
fn currencies<'a>(season: &'a Season<'_>) -> Vec<&'a str> {
    let Some(last) = season.report.days.last() else { return Vec::new() };
    let mut found: Vec<(&str, u64)> = last.exposure.iter().map(|(each, sums)| (each.as_str(), sums.accounts)).collect();
    found.sort_by_key(|(_, accounts)| std::cmp::Reverse(*accounts));
    found.into_iter().map(|(currency, _)| currency).collect()
}

fn on(day: &ReportDay, currency: &str) -> Exposure {
    day.exposure.get(currency).copied().unwrap_or_default()
}

fn chart(season: &Season<'_>, currency: &str, at: usize) -> String {
    let days_of = &season.report.days;
    let line = |name, class, filled, of: fn(&Exposure) -> i64| Line {
        name,
        class,
        values: days_of.iter().map(|day| major(of(&on(day, currency)), currency).max(0.0)).collect(),
        filled,
    };
    let drawn = [
        line("granted", "s4", false, |each| each.granted),
        line("base", "s6 dashed", false, |each| each.base),
        line("effective", "s2", false, |each| each.effective),
        line("used", "s1", true, |each| each.used),
    ];
    let said: Vec<String> =
        season.day_names().iter().zip(days_of).map(|(name, day)| said(name, &on(day, currency), currency)).collect();
    let id = format!("chart-exposure-{at}");
    let words = Words {
        id: &id,
        title: &format!("Limits and exposure in {currency}"),
        description: "Four lines over the days: base, granted, effective and used. The table below has the numbers.",
        unit: currency,
    };
    let legend = [("s4", "granted"), ("s6", "base"), ("s2", "effective"), ("s1", "used")];
    figure(&legend, &lines(&words, &days(&season.dates()), &drawn, &said, (300.0, 1e-3)))
}

fn said(day: &str, sums: &Exposure, currency: &str) -> String {
    let word = |name: &str, amount| format!("\n{name} {} {currency}", short(major(amount, currency)));
    let words = [("granted", sums.granted), ("base", sums.base), ("effective", sums.effective), ("used", sums.used)];
    day.to_owned() + &words.map(|(name, amount)| word(name, amount)).concat()
}

fn at_the_end(season: &Season<'_>, currencies: &[&str]) -> String {
    let Some(last) = season.report.days.last() else {
        return table(
            "At the end",
            &["currency", "accounts"],
            &[vec![Cell::Text("none".to_owned()), Cell::Number("0".to_owned())]],
        );
    };
    let row = |currency: &&str| {
        let sums = on(last, currency);
        let name = if currency.is_empty() { "not known yet" } else { currency };
        let mut cells = vec![Cell::Text(name.to_owned()), Cell::Number(count(sums.accounts))];
        cells.extend(amounts(&sums, currency));
        cells
    };
    let rows: Vec<Vec<Cell>> = currencies.iter().map(row).collect();
    table("At the end", &["currency", "accounts", "base", "granted", "effective", "used", "used of effective"], &rows)
}

fn amounts(sums: &Exposure, currency: &str) -> [Cell; 5] {
    let share = percent(sums.used, sums.effective);
    let [base, granted, effective, used] =
        [sums.base, sums.granted, sums.effective, sums.used].map(|each| Cell::Number(money(each, currency)));
    [base, granted, effective, used, Cell::Number(share)]
}

fn numbers(season: &Season<'_>, currency: &str) -> String {
    if currency.is_empty() {
        return String::new();
    }
    let row = |day: &ReportDay| {
        let sums = on(day, currency);
        std::iter::once(Cell::Text(day.date.clone())).chain(amounts(&sums, currency)).collect()
    };
    let rows: Vec<Vec<Cell>> = season.report.days.iter().map(row).collect();
    let headings = ["day", "base", "granted", "effective", "used", "used of effective"];
    let caption = format!("Limits and exposure by day, {currency}");
    details(&format!("Numbers by day, {currency}"), &table(&caption, &headings, &rows))
}
