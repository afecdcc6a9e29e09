//! The rows of a table, read and checked: each against its columns, all against each other.

use headroom_policy::yaml::{Key, Node};
use headroom_policy::{Currency, Diagnostic, Params, Program, Span};

use super::super::action_file::Around;
use super::super::fields::{Fields, Findings, entries, is_snake, word};
use super::cells::{Cell, Reading, condition};
use super::cover::{Box, shared, uncovered};
use super::{Column, Hit};

/// More would be a program, not a table.
const COLUMNS_MAX: usize = 16;
const ROWS_MAX: usize = 1_000;

/// Where the parts of a table stand.
#[derive(Clone, Copy)]
pub struct Layout<'a> {
    /// `hit`, if it is given.
    pub hit: Option<&'a Node>,
    /// The map of columns.
    pub columns: &'a Node,
    /// The list of rows.
    pub rows: &'a Node,
    /// `otherwise` stands in the file.
    pub otherwise: Option<Span>,
    /// What all rows need beside their cells.
    pub guard: Option<&'a Program>,
    /// Keys of a row that are no columns.
    pub keys: &'a [&'a str],
}

/// A table's rows.
pub struct Grid<'a> {
    pub hit: Hit,
    pub columns: Vec<Column>,
    pub lines: Vec<Line<'a>>,
    /// The condition under which `otherwise` is looked at.
    pub rest: Option<Program>,
}

/// One row.
pub struct Line<'a> {
    pub fields: Fields<'a>,
    pub span: Span,
    pub cells: Vec<String>,
    pub when: Program,
}

struct Draft<'a> {
    fields: Fields<'a>,
    span: Span,
    cells: Vec<Cell>,
}

/// Reads the rows; what is wrong with columns is noted in `out`, what is wrong with rows in `of_rows`.
pub fn grid<'a>(
    layout: &Layout<'a>,
    around: &Around<'_>,
    out: &mut Findings,
    of_rows: &mut Findings,
) -> Option<Grid<'a>> {
    let hit = match layout.hit {
        Some(node) => out.take(word(node, "hit policy", &[Hit::Unique, Hit::First], Hit::word))?,
        None => Hit::Unique,
    };
    let mut columns = columns(layout, around, out)?;
    let mut drafts = drafts(layout, &columns, around.names.params, of_rows)?;
    for (at, column) in columns.iter_mut().enumerate() {
        column.unknowns = drafts.iter().any(|draft| draft.cells[at].asks_unknown());
    }
    for draft in &mut drafts {
        draft.cells.iter_mut().zip(&columns).for_each(|(cell, column)| cell.write(column));
    }
    let rest = match layout.otherwise {
        Some(span) => Some(when(layout.guard, &[], span, around, out)?),
        None => None,
    };
    cover(hit, &columns, &drafts, layout, around.names.params, of_rows);
    let lines = drafts.into_iter().map(|draft| draft.line(layout.guard, around, of_rows));
    let lines: Option<Vec<Line<'a>>> = lines.collect();
    let columns = columns.into_iter().map(|each| Column { name: each.name, text: each.text }).collect();
    Some(Grid { hit, columns, lines: lines?, rest })
}

impl Hit {
    /// As tables write it.
    pub fn word(self) -> &'static str {
        match self {
            Hit::Unique => "unique",
            Hit::First => "first",
        }
    }
}

fn columns(layout: &Layout<'_>, around: &Around<'_>, out: &mut Findings) -> Option<Vec<Reading>> {
    let given = out.take(entries(layout.columns, "the columns"))?;
    if given.is_empty() || given.len() > COLUMNS_MAX {
        let message = format!("a table has 1 to {COLUMNS_MAX} columns, this one {}", given.len());
        out.add(Diagnostic::error("HR0244", message, layout.columns.span));
        return None;
    }
    let found: Vec<Option<Reading>> = given
        .iter()
        .map(|(key, node)| {
            named(key, layout.keys, out);
            Reading::of(&key.text, node, around, out)
        })
        .collect();
    let found: Vec<Reading> = found.into_iter().collect::<Option<_>>()?;
    for (at, column) in found.iter().enumerate() {
        if found[..at].iter().any(|earlier| earlier.text == column.text) {
            let message = format!("`{}` is a column already", column.text);
            out.add(Diagnostic::error("HR0213", message, given[at].0.span));
        }
    }
    Some(found)
}

fn named(key: &Key, keys: &[&str], out: &mut Findings) {
    if !is_snake(&key.text) || keys.contains(&key.text.as_str()) {
        let message = format!("`{}` cannot be the name of a column", key.text);
        let finding = Diagnostic::error("HR0205", message, key.span);
        out.add(finding.help(format!("lower-case letters, digits and underscores, but not `{}`", keys.join("`, `"))));
    }
}

fn drafts<'a>(layout: &Layout<'a>, columns: &[Reading], params: &Params, out: &mut Findings) -> Option<Vec<Draft<'a>>> {
    let Some(rows) = layout.rows.elements() else {
        let message = format!("a list of rows is needed here, found {}", layout.rows.what());
        out.add(Diagnostic::error("HR0203", message, layout.rows.span));
        return None;
    };
    if rows.is_empty() || rows.len() > ROWS_MAX {
        let message = format!("a table has 1 to {ROWS_MAX} rows, this one {}", rows.len());
        out.add(Diagnostic::error("HR0244", message, layout.rows.span));
        return None;
    }
    let known: Vec<&str> = columns.iter().map(|each| each.name.as_str()).chain(layout.keys.iter().copied()).collect();
    let drafts: Vec<Option<Draft<'a>>> = rows
        .iter()
        .map(|node| {
            let fields = Fields::of(node, "a row", &known, out)?;
            let cell = |column: &Reading, out: &mut Findings| match fields.get(&column.name) {
                Some(node) => column.cell(node, params, out),
                None => Some(Cell::any()),
            };
            let cells: Vec<Option<Cell>> = columns.iter().map(|column| cell(column, out)).collect();
            Some(Draft { fields, span: node.span, cells: cells.into_iter().collect::<Option<_>>()? })
        })
        .collect();
    drafts.into_iter().collect()
}

impl<'a> Draft<'a> {
    fn line(self, guard: Option<&Program>, around: &Around<'_>, out: &mut Findings) -> Option<Line<'a>> {
        let when = when(guard, &self.cells, self.span, around, out)?;
        let cells = self.cells.into_iter().map(|cell| cell.written).collect();
        Some(Line { fields: self.fields, span: self.span, cells, when })
    }

    fn space(&self, columns: &[Reading], params: &Params, currency: Option<Currency>) -> Option<Box> {
        self.cells.iter().zip(columns).map(|(cell, column)| cell.set(column, params, currency)).collect()
    }
}

/// The whole condition of a row.
fn when(
    guard: Option<&Program>,
    cells: &[Cell],
    span: Span,
    around: &Around<'_>,
    out: &mut Findings,
) -> Option<Program> {
    let guard = guard.map(|guard| match guard.root().kind {
        headroom_policy::Kind::Or(_) | headroom_policy::Kind::Choose(_) => format!("({})", guard.text().trim()),
        _ => guard.text().trim().to_owned(),
    });
    let cells = cells.iter().map(|cell| cell.condition.as_str()).filter(|text| !text.is_empty());
    let parts: Vec<&str> = guard.as_deref().into_iter().chain(cells).collect();
    condition(&parts, span, around, out)
}

/// Gaps, overlaps and rows that nothing reaches, in every currency that the cells' amounts are given in.
fn cover(
    hit: Hit,
    columns: &[Reading],
    drafts: &[Draft<'_>],
    layout: &Layout<'_>,
    params: &Params,
    out: &mut Findings,
) {
    let cells = drafts.iter().flat_map(|draft| &draft.cells);
    let mut currencies: Vec<Currency> = cells.flat_map(|cell| cell.currencies(params)).collect();
    currencies.sort_unstable();
    currencies.dedup();
    let all: Vec<Option<Currency>> =
        if currencies.is_empty() { vec![None] } else { currencies.into_iter().map(Some).collect() };
    for currency in all {
        let before = out.0.len();
        let spaces: Option<Vec<Box>> = drafts.iter().map(|draft| draft.space(columns, params, currency)).collect();
        // A row whose amount is not given in this currency is unknown there: nothing can be said.
        let Some(spaces) = spaces else { continue };
        let check = Check { columns, drafts, spaces, currency };
        check.rows(hit, out);
        if out.0.len() == before {
            check.gaps(layout, out);
        }
        if out.0.len() > before {
            return;
        }
    }
}

struct Check<'a> {
    columns: &'a [Reading],
    drafts: &'a [Draft<'a>],
    spaces: Vec<Box>,
    currency: Option<Currency>,
}

impl Check<'_> {
    fn rows(&self, hit: Hit, out: &mut Findings) {
        for (at, space) in self.spaces.iter().enumerate() {
            let row = self.drafts[at].span;
            if let Some(column) = space.iter().position(|set| set.least().is_none()) {
                let message = format!("row {} never matches: no `{}` fits its cell", at + 1, self.columns[column].text);
                out.add(Diagnostic::error("HR0242", message, row).help("look at the range of the feature"));
                continue;
            }
            match hit {
                Hit::Unique => self.overlap(at, row, out),
                Hit::First => self.hidden(at, row, out),
            }
        }
    }

    fn overlap(&self, at: usize, row: Span, out: &mut Findings) {
        let both = (0..at).find_map(|earlier| Some((earlier, shared(&self.spaces[earlier], &self.spaces[at])?)));
        let Some((earlier, point)) = both else { return };
        let message = format!("rows {} and {} both match {}", earlier + 1, at + 1, self.show(&point));
        out.add(
            Diagnostic::error("HR0240", message, row).help("part them, or say `hit: first` if the upper one is to win"),
        );
    }

    fn hidden(&self, at: usize, row: Span, out: &mut Findings) {
        let earlier: Vec<&Box> = self.spaces[..at].iter().collect();
        match uncovered(&self.spaces[at], &earlier) {
            Ok(Some(_)) => {}
            Ok(None) => {
                let message = format!("row {} is never reached: the rows above match all that it matches", at + 1);
                out.add(Diagnostic::error("HR0242", message, row).help("take it out, or move it up"));
            }
            Err(_) => out.add(too_large(row)),
        }
    }

    fn gaps(&self, layout: &Layout<'_>, out: &mut Findings) {
        let domain: Box = self.columns.iter().map(Reading::domain).collect();
        match (uncovered(&domain, &self.spaces.iter().collect::<Vec<_>>()), layout.otherwise) {
            (Err(_), _) => out.add(too_large(layout.rows.span)),
            (Ok(Some(point)), None) => {
                let message = format!("no row matches {}", self.show(&point));
                let last = self.drafts.last().map_or(layout.rows.span, |draft| draft.span);
                let finding = Diagnostic::error("HR0241", message, last);
                out.add(finding.help("add a row, or `otherwise` for all that no row matches"));
            }
            (Ok(None), Some(span)) => {
                let finding =
                    Diagnostic::error("HR0242", "`otherwise` is never reached: the rows match everything", span);
                out.add(finding.help("take it out"));
            }
            (Ok(Some(_)), Some(_)) | (Ok(None), None) => {}
        }
    }

    fn show(&self, point: &[i128]) -> String {
        let parts: Vec<String> =
            self.columns.iter().zip(point).map(|(column, at)| column.show(*at, self.currency)).collect();
        let currency = self.currency.map(|currency| format!(" ({currency})")).unwrap_or_default();
        format!("`{}`{currency}", parts.join(", "))
    }
}

fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error("HR0244", "the table is too large to be checked for gaps", span)
        .help("fewer columns in one table: let one table give points that another reads")
}
