//! Which rows of decision tables were chosen, and what their cells were.

use std::ptr;

use headroom_engine::{Asked, Choice, Points, RowOutcome, RowWorth, Rule, Ruleset, TableRow, TableRows};
use headroom_policy::{Currency, Slots, Trace};

use crate::coverage::{ConditionCoverage, note};

/// A row of a decision table, how often it was chosen and what its cells were. It is counted where the table's own
/// condition held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowCoverage {
    /// Where it stands in its table: `rows[2]`, `points.payment.rows[0]`, `otherwise`; the first is 0.
    pub place: String,
    /// What it asks, column by column: `late 0, streak >= 12`; nothing of `otherwise`.
    pub cells: String,
    /// How often it was the row that counts.
    pub chosen: u64,
    /// The conditions of its cells in the order of the columns, as the rule language says them.
    pub conditions: Vec<ConditionCoverage>,
}

impl RowCoverage {
    /// The rows of a rule's table, those of its score's parts first; none, if it is no table.
    pub(crate) fn all(rule: &Rule, ruleset: &Ruleset) -> Vec<Self> {
        // Nothing is known: that shows every condition, whatever its value.
        let rows = seen(rule, ruleset, &Slots::new(ruleset.schema.len()), Currency(*b"XXX"));
        let row = |row: Seen| {
            let conditions = ConditionCoverage::all(&row.trace, row.of_table);
            Self { place: row.place, cells: row.cells, chosen: 0, conditions }
        };
        rows.into_iter().map(row).collect()
    }

    /// Counts one asking of the table. `rows`: what [`Self::all`] gave of the same rule.
    pub(crate) fn note(rows: &mut [Self], asked: &Asked, rule: &Rule, ruleset: &Ruleset) {
        let Asked { slots, currency, .. } = asked;
        if rows.is_empty() || !rule.when.evaluate(slots, *currency).is_true() {
            return;
        }
        for (row, seen) in rows.iter_mut().zip(seen(rule, ruleset, slots, *currency)) {
            row.chosen += u64::from(seen.chosen);
            note(&mut row.conditions, &seen.trace, seen.of_table);
        }
    }
}

/// A row that counts for an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CountedRow {
    /// Where it stands, as in [`RowCoverage::place`].
    pub place: String,
    /// What it asks, as in [`RowCoverage::cells`].
    pub cells: String,
    /// What it gives: `12 points (SCORE_PAID_LATE)`, `increase: {percent: 10}`, `none`.
    pub gives: String,
}

/// The rows that count where features have these values, one for each part of a score that is certain, the table's own last.
pub(crate) fn counting(rule: &Rule, ruleset: &Ruleset, slots: &Slots, currency: Currency) -> Vec<CountedRow> {
    let chosen = seen(rule, ruleset, slots, currency).into_iter().filter(|row| row.chosen);
    chosen.map(|row| CountedRow { place: row.place, cells: row.cells, gives: row.gives }).collect()
}

/// A row over one account.
struct Seen {
    place: String,
    cells: String,
    gives: String,
    chosen: bool,
    trace: Trace,
    /// How many of its first conditions are the table's own.
    of_table: usize,
}

fn seen(rule: &Rule, ruleset: &Ruleset, slots: &Slots, currency: Currency) -> Vec<Seen> {
    let Some(table) = &rule.table else { return Vec::new() };
    let mut found = Vec::new();
    for score in ruleset.scores.iter().filter(|each| table.parts.contains(&each.slot)) {
        if let Points::Part(rows) = &score.points {
            let name = &ruleset.schema.symbol(score.slot).name;
            let part = name.split_once('.').map_or("", |(_, part)| part);
            found.extend(rows_seen(rows, &format!("points.{part}."), None, worth, (slots, currency)));
        }
    }
    let own = rule.when.trace(slots, currency);
    found.extend(rows_seen(&table.rows, "", Some(&own), outcome, (slots, currency)));
    found
}

fn worth(gives: &RowWorth) -> String {
    with_reason(&format!("{} points", gives.points), gives.reason.as_deref())
}

fn outcome(gives: &RowOutcome) -> String {
    with_reason(&gives.then_text, gives.reason.as_deref())
}

fn with_reason(text: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| text.to_owned(), |reason| format!("{text} ({reason})"))
}

fn rows_seen<T>(
    table: &TableRows<T>,
    before: &str,
    own: Option<&Trace>,
    gives: fn(&T) -> String,
    (slots, currency): (&Slots, Currency),
) -> Vec<Seen> {
    let chosen = match table.choose(|when| when.evaluate(slots, currency)) {
        Choice::Row(row) => Some(ptr::from_ref(row)),
        Choice::Unknown(..) | Choice::Nothing => None,
    };
    let row = |(at, row): (usize, &TableRow<T>)| {
        let place = if row.otherwise { format!("{before}otherwise") } else { format!("{before}rows[{at}]") };
        let trace = row.when.trace(slots, currency);
        // `otherwise` has no cells.
        let of_table = match own {
            _ if row.otherwise => trace.conditions().count(),
            Some(own) => shared(own, &trace),
            None => 0,
        };
        let (cells, gives, chosen) = (cells(table, row), gives(&row.gives), chosen == Some(ptr::from_ref(row)));
        Seen { place, cells, gives, chosen, trace, of_table }
    };
    table.rows.iter().enumerate().map(row).collect()
}

/// What a row asks; columns of which it takes any value are left out.
fn cells<T>(table: &TableRows<T>, row: &TableRow<T>) -> String {
    let asked = table.columns.iter().zip(&row.cells).filter(|(_, cell)| *cell != "-");
    asked.map(|(column, cell)| format!("{} {cell}", column.name)).collect::<Vec<_>>().join(", ")
}

/// How many conditions a row begins with because its table does: all of the table's, or none if it has none of its own.
fn shared(own: &Trace, row: &Trace) -> usize {
    let texts = |trace: &Trace| trace.conditions().map(|each| each.text.to_owned()).collect::<Vec<_>>();
    let own = texts(own);
    if texts(row).starts_with(&own) { own.len() } else { 0 }
}
