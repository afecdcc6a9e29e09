//! Limit changes: which rules made them, and what they did.

use super::{Season, spaced};
use crate::commands::report::chart::{Stack, Words, bar, days, spark, stacked};
use crate::commands::report::html::{Cell, details, figure, heading, section, table};
use crate::commands::report::number::count;

/// Rules with a colour of their own; the others share one.
const SHOWN: usize = 5;
const COLOURS: [&str; SHOWN] = ["s1", "s2", "s3", "s4", "s5"];
const NOBODY: &str = "No rule: it ran out, or a person did it";

/// By rule: day by day, and in all.
pub fn by_rule(season: &Season<'_>) -> String {
    let totals = season.totals(|day| &day.changes_by_rule);
    let all: u64 = totals.iter().map(|(_, count)| count).sum();
    let lead = format!(
        "{} limit changes. Each was published once, with its rule, its reasons and the values that the rule had read.",
        count(all)
    );
    let body = chart(season, &totals) + &rules(season, &totals) + &numbers(season, &totals);
    section("by-rule", "Limit changes by rule", &lead, &body)
}

/// By what they did.
pub fn by_kind(season: &Season<'_>) -> String {
    let (kinds, classes) = (season.totals(|day| &day.changes_by_kind), season.totals(|day| &day.changes_by_class));
    let all = |of: fn(&headroom_node::ReportDay) -> u64| season.by_day(of).iter().sum::<u64>();
    let beside = [
        ("notices to customers", all(|day| day.notices)),
        ("reviews by people", all(|day| day.reviews)),
        ("offers that wait for consent", all(|day| day.offers)),
    ];
    let body = format!(
        "<div class=\"columns\"><div>\n{}</div>\n<div>\n{}</div>\n<div>\n{}</div></div>\n",
        bars("What changes did", "class", &classes),
        bars("What moved in the limit", "kind", &kinds),
        bars("What came with them", "output", &beside),
    );
    section(
        "by-kind",
        "Limit changes by class and kind",
        "A class says whether a change gives or takes; a kind says which part of the limit moved.",
        &body,
    )
}

/// The title of a rule in force; its id where the ruleset has it no more.
fn title<'a>(season: &'a Season<'_>, id: &'a str) -> &'a str {
    let known = season.report.rules.iter().find(|rule| rule.id == id);
    known.map_or(if id.is_empty() { NOBODY } else { id }, |rule| rule.title.as_str())
}

fn of_rule(season: &Season<'_>, id: &str) -> Vec<u64> {
    season.by_day(|day| day.changes_by_rule.get(id).copied().unwrap_or(0))
}

fn chart(season: &Season<'_>, totals: &[(&str, u64)]) -> String {
    let (shown, others) = totals.split_at(totals.len().min(SHOWN));
    let mut stacks: Vec<Stack<'_>> = shown
        .iter()
        .zip(COLOURS)
        .map(|((id, _), class)| Stack { name: title(season, id), class, values: of_rule(season, id) })
        .collect();
    let name = format!("{} other rules", others.len());
    if !others.is_empty() {
        let of =
            |day: &headroom_node::ReportDay| others.iter().filter_map(|(id, _)| day.changes_by_rule.get(*id)).sum();
        stacks.push(Stack { name: &name, class: "s6", values: season.by_day(of) });
    }
    let words = Words {
        id: "chart-by-rule",
        title: "Limit changes by rule and day",
        description: "One bar for each day; its parts are the rules that made the changes. The table below has the numbers.",
        unit: "changes per day",
    };
    let legend: Vec<(&str, &str)> = stacks.iter().map(|stack| (stack.class, stack.name)).collect();
    figure(&legend, &stacked(&words, &season.day_names(), &days(&season.dates()), &stacks))
}

/// Every rule in force, also those that never fired: that is worth knowing too.
fn rules(season: &Season<'_>, totals: &[(&str, u64)]) -> String {
    let quiet = season.report.rules.iter().map(|rule| rule.id.as_str());
    let quiet = quiet.filter(|id| totals.iter().all(|(known, _)| known != id)).map(|id| (id, 0));
    let rows: Vec<Vec<Cell>> = totals.iter().copied().chain(quiet).map(|(id, total)| rule(season, id, total)).collect();
    table("All rules in force, over the whole time", &["rule", "id", "class", "day by day", "changes"], &rows)
}

fn rule(season: &Season<'_>, id: &str, total: u64) -> Vec<Cell> {
    let class = season.report.rules.iter().find(|rule| rule.id == id).map_or("–", |rule| rule.class.as_str());
    let words = format!("{}: changes by day", title(season, id));
    let id_cell = if id.is_empty() { Cell::Text("–".to_owned()) } else { Cell::Code(id.to_owned()) };
    vec![
        Cell::Text(title(season, id).to_owned()),
        id_cell,
        Cell::Text(class.to_owned()),
        Cell::Drawing(spark(&of_rule(season, id), &words)),
        Cell::Number(count(total)),
    ]
}

fn numbers(season: &Season<'_>, totals: &[(&str, u64)]) -> String {
    let name = |id: &str| if id.is_empty() { "no rule".to_owned() } else { id.to_owned() };
    let names: Vec<String> = totals.iter().map(|(id, _)| name(id)).collect();
    let headings: Vec<&str> = std::iter::once("day").chain(names.iter().map(String::as_str)).collect();
    let row = |day: &headroom_node::ReportDay| {
        let counts = totals.iter().map(|(id, _)| day.changes_by_rule.get(*id).copied().unwrap_or(0));
        let cells = counts.map(|each| Cell::Number(count(each)));
        std::iter::once(Cell::Text(day.date.clone())).chain(cells).collect()
    };
    let rows: Vec<Vec<Cell>> = season.report.days.iter().map(row).collect();
    details("Numbers by day", &table("Limit changes by day and rule", &headings, &rows))
}

fn bars(title: &str, what: &str, totals: &[(&str, u64)]) -> String {
    let most = totals.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let row = |(word, total): &(&str, u64)| {
        vec![Cell::Text(spaced(word)), Cell::Drawing(bar(*total, most)), Cell::Number(count(*total))]
    };
    let mut rows: Vec<Vec<Cell>> = totals.iter().map(row).collect();
    if rows.is_empty() {
        rows.push(row(&("none", 0)));
    }
    heading(title) + &table(title, &[what, "", "number"], &rows)
}
