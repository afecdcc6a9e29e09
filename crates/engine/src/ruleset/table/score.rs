//! Scores: points by part, each part a small table, and their sum. Each is a feature: `TABLE.PART` and `TABLE.score`.

use headroom_policy::yaml::{Key, Node};
use headroom_policy::{Diagnostic, Span, Symbol, Type};

use super::super::action_file::Around;
use super::super::fields::{Fields, Findings, entries, is_snake, whole};
use super::super::rule_file::{Known, reason};
use super::grid::{Grid, Layout, Line, grid};
use super::{Points, RowWorth, Score, TableRow, TableRows};

const KEYS: &[&str] = &["points", "reason"];
const PART: &[&str] = &["hit", "columns", "rows", "otherwise"];
/// The largest number of points of one row, either way.
const POINTS_MAX: i64 = 1_000_000;
/// What the sum is called.
const SUM: &str = "score";

/// The features that a table's `points` make, parts first and their sum last, as far as the file can be read.
pub fn declared(stem: &str, root: &Node) -> Vec<Symbol> {
    let parts = root.get("points").and_then(Node::entries).unwrap_or_default();
    let parts: Vec<Symbol> = parts.iter().map(|(key, node)| part_symbol(stem, key, node)).collect();
    let sum = |end: fn(&Symbol) -> i64| parts.iter().map(end).fold(0, i64::saturating_add);
    let all = symbol(format!("{stem}.{SUM}"), sum(|each| each.min), sum(|each| each.max));
    if parts.is_empty() { parts } else { parts.into_iter().chain([all]).collect() }
}

fn part_symbol(stem: &str, key: &Key, node: &Node) -> Symbol {
    let rows = node.get("rows").and_then(Node::elements).unwrap_or_default().iter().chain(node.get("otherwise"));
    let points: Vec<i64> = rows.filter_map(|row| row.get("points")).filter_map(|node| points(node).ok()).collect();
    let end = |found: Option<&i64>| found.copied().unwrap_or_default();
    symbol(format!("{stem}.{}", key.text), end(points.iter().min()), end(points.iter().max()))
}

fn symbol(name: String, min: i64, max: i64) -> Symbol {
    Symbol { name, ty: Type::Int, min, max }
}

fn points(node: &Node) -> Result<i64, Diagnostic> {
    whole(node, -POINTS_MAX, POINTS_MAX)
}

/// The scores of a table, parts first and their sum last; empty without `points`, or if something is wrong with them.
pub fn scores(
    stem: &str,
    node: Option<&Node>,
    known: &Known<'_>,
    around: &Around<'_>,
    out: &mut Findings,
) -> Vec<Score> {
    let parts = node.and_then(|node| out.take(entries(node, "the points"))).unwrap_or_default();
    let found: Vec<Option<Score>> = parts.iter().map(|(key, node)| part(stem, key, node, known, around, out)).collect();
    let Some(mut scores) = found.into_iter().collect::<Option<Vec<Score>>>() else { return Vec::new() };
    let slots: Vec<usize> = scores.iter().map(|each| each.slot).collect();
    let mut reads: Vec<usize> = scores.iter().flat_map(|each| &each.reads).chain(&slots).copied().collect();
    reads.sort_unstable();
    reads.dedup();
    if let Some(slot) = known.schema.slot(&format!("{stem}.{SUM}")).filter(|_| !slots.is_empty()) {
        scores.push(Score { table: stem.to_owned(), slot, points: Points::Sum(slots), reads });
    }
    scores
}

fn part(
    stem: &str,
    key: &Key,
    node: &Node,
    known: &Known<'_>,
    around: &Around<'_>,
    out: &mut Findings,
) -> Option<Score> {
    if !is_snake(&key.text) || key.text == SUM {
        let message = format!("`{}` cannot be the name of a part", key.text);
        let finding = Diagnostic::error("HR0205", message, key.span);
        out.add(finding.help("lower-case letters, digits and underscores; `score` is the sum of all parts"));
        return None;
    }
    let fields = Fields::of(node, "a part of a score", PART, out)?;
    let layout = Layout {
        hit: fields.get("hit"),
        columns: fields.need("columns", out)?,
        rows: fields.need("rows", out)?,
        otherwise: fields.get("otherwise").map(|_| fields.place("otherwise")),
        guard: None,
        keys: KEYS,
    };
    let mut of_rows = Findings::default();
    let grid = grid(&layout, around, out, &mut of_rows);
    out.0.append(&mut of_rows.0);
    let slot = known.schema.slot(&format!("{stem}.{}", key.text))?;
    let rows = rows(grid?, fields.get("otherwise"), out)?;
    let mut reads: Vec<usize> = rows.rows.iter().flat_map(|row| row.when.reads()).copied().collect();
    reads.sort_unstable();
    reads.dedup();
    if let Some(score) = reads.iter().find(|slot| known.is_score(**slot)) {
        let message = format!("a part of a score cannot read the score `{}`", known.schema.symbol(*score).name);
        out.add(Diagnostic::error("HR0246", message, layout.columns.span).help("read what that score is made of"));
    }
    Some(Score { table: stem.to_owned(), slot, points: Points::Part(rows), reads })
}

fn rows(grid: Grid<'_>, otherwise: Option<&Node>, out: &mut Findings) -> Option<TableRows<RowWorth>> {
    let mut spans: Vec<Span> = grid.lines.iter().map(|line| line.span).collect();
    let mut rows: Vec<Option<TableRow<RowWorth>>> = grid.lines.into_iter().map(|line| row(line, out)).collect();
    if let (Some(when), Some(node)) = (grid.rest, otherwise) {
        let fields = Fields::of(node, "`otherwise`", KEYS, out)?;
        let cells = vec!["-".to_owned(); grid.columns.len()];
        spans.push(node.span);
        let gives = worth(&fields, out);
        rows.push(gives.map(|gives| TableRow { cells, when, otherwise: true, gives }));
    }
    let rows: Vec<TableRow<RowWorth>> = rows.into_iter().collect::<Option<_>>()?;
    explained(&rows, &spans, out);
    Some(TableRows { hit: grid.hit, columns: grid.columns, rows })
}

/// A row that costs points says what the customer is told about it.
fn explained(rows: &[TableRow<RowWorth>], spans: &[Span], out: &mut Findings) {
    let best = rows.iter().map(|row| row.gives.points).max();
    for (row, span) in rows.iter().zip(spans) {
        if Some(row.gives.points) != best && row.gives.reason.is_none() {
            let message = "a row that gives fewer points than the best needs `reason`";
            out.add(Diagnostic::error("HR0202", message, *span));
        }
    }
}

fn row(line: Line<'_>, out: &mut Findings) -> Option<TableRow<RowWorth>> {
    let gives = worth(&line.fields, out)?;
    Some(TableRow { cells: line.cells, when: line.when, otherwise: false, gives })
}

fn worth(fields: &Fields<'_>, out: &mut Findings) -> Option<RowWorth> {
    let reason = match fields.get("reason") {
        Some(node) => Some(out.take(reason(node))?),
        None => None,
    };
    Some(RowWorth { points: fields.read("points", out, points)?, reason })
}
