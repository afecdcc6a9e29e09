//! Decision tables: rows of cells over columns, compiled to the conditions that rules have.
//!
//! A table is a rule whose actions differ by row. What it may also have is a score: points by part, each part a table
//! of its own, and their sum; every one of them is a feature that any rule can read.

mod cells;
mod cover;
mod csv;
mod grid;
mod read;
mod score;

pub use csv::rows as csv_rows;
pub use read::{KEYS, TableSource, table};
pub use score::declared;

use headroom_policy::{Currency, Program, Slots, Value};

use crate::vocabulary::Class;

use super::action::Action;
use super::rule::NoticeSpec;

/// Which row counts where several match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hit {
    /// No two rows match one input; the loader proves it.
    Unique,
    /// The first row that matches.
    First,
}

/// A column: its name in the rows and what it reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its expression.
    pub text: String,
}

/// One row and what it gives.
#[derive(Clone, Debug)]
pub struct TableRow<T> {
    /// Its cells as written, one per column; `-` is any value.
    pub cells: Vec<String>,
    /// When it matches: the table's own condition and all of its cells.
    pub when: Program,
    /// It is what holds where no other row matches.
    pub otherwise: bool,
    /// What it gives.
    pub gives: T,
}

/// TableRows over columns. `otherwise`, if there is one, comes last.
#[derive(Clone, Debug)]
pub struct TableRows<T> {
    /// Which row counts.
    pub hit: Hit,
    /// What the cells are about.
    pub columns: Vec<Column>,
    /// The rows in the order of the file.
    pub rows: Vec<TableRow<T>>,
}

/// What a table comes to.
#[derive(Clone, Copy, Debug)]
pub enum Choice<'a, T> {
    /// This row.
    Row(&'a TableRow<T>),
    /// It depends on something that is not known; the row that says so, and what it lacks.
    Unknown(&'a TableRow<T>, Value),
    /// No row.
    Nothing,
}

impl<T> TableRows<T> {
    /// The row that counts. An unknown earlier row leaves `first` open; of `unique` rows a match is a match.
    pub fn choose(&self, ask: impl Fn(&Program) -> Value) -> Choice<'_, T> {
        let mut open = None;
        for row in &self.rows {
            if let Some((row, value)) = open.filter(|_| row.otherwise || self.hit == Hit::First) {
                return Choice::Unknown(row, value);
            }
            match ask(&row.when) {
                Value::Known(0) => {}
                Value::Known(_) => return Choice::Row(row),
                value => open = open.or(Some((row, value))),
            }
        }
        open.map_or(Choice::Nothing, |(row, value)| Choice::Unknown(row, value))
    }
}

/// What a row of a decision table does; no actions: nothing.
#[derive(Clone, Debug)]
pub struct RowOutcome {
    /// The first decides its class.
    pub actions: Vec<Action>,
    /// The code for the ledger and the customer, where it is not the table's own.
    pub reason: Option<String>,
    /// As its file writes it, for people.
    pub then_text: String,
}

impl RowOutcome {
    /// What it does; `None`: nothing.
    pub fn class(&self) -> Option<Class> {
        self.actions.first().and_then(Action::class)
    }
}

/// The rows of a rule that is a table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its rows.
    pub rows: TableRows<RowOutcome>,
    /// The slots of its score's parts, in the order of the file; their worst rows are its reasons.
    pub parts: Vec<usize>,
    /// What the customer is told, by what the row does.
    pub notices: Vec<(Class, NoticeSpec)>,
}

/// A feature that a table computes: the points of one part, or their sum.
#[derive(Clone, Debug)]
pub struct Score {
    /// The table that gives it.
    pub table: String,
    /// Its slot.
    pub slot: usize,
    /// What it is made of.
    pub points: Points,
    /// The slots that have to be read before it, ascending; its parts among them.
    pub reads: Vec<usize>,
}

/// What a score is made of.
#[derive(Clone, Debug)]
pub enum Points {
    /// The points of the row that matches.
    Part(TableRows<RowWorth>),
    /// The sum of other scores.
    Sum(Vec<usize>),
}

/// What a row of a score gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowWorth {
    /// Points.
    pub points: i64,
    /// What is said if these points are among the worst.
    pub reason: Option<String>,
}

impl Score {
    /// Its value over slots that hold everything that it reads; `None` if something is not known.
    pub fn value(&self, slots: &Slots, currency: Currency) -> Option<i64> {
        match &self.points {
            Points::Sum(parts) => parts.iter().try_fold(0_i64, |sum, part| sum.checked_add(slots.get(*part)?)),
            Points::Part(rows) => match rows.choose(|when| when.evaluate(slots, currency)) {
                Choice::Row(row) => Some(row.gives.points),
                Choice::Unknown(..) | Choice::Nothing => None,
            },
        }
    }

    /// How many points the matching row gives less than the best row, and what it says about that.
    pub fn lost(&self, slots: &Slots, currency: Currency) -> Option<(i64, &str)> {
        let Points::Part(rows) = &self.points else { return None };
        let best = rows.rows.iter().map(|row| row.gives.points).max()?;
        let Choice::Row(row) = rows.choose(|when| when.evaluate(slots, currency)) else { return None };
        Some((best - row.gives.points, row.gives.reason.as_deref()?)).filter(|(lost, _)| *lost > 0)
    }
}
