//! `x.table.yaml`: a rule whose actions differ by row.

use std::sync::Arc;

use headroom_policy::yaml::{Kind, Node};
use headroom_policy::{Diagnostic, Expect, Params, Program, Scope, Span};

use crate::vocabulary::Class;

use super::super::action::Action;
use super::super::action_file::{Around, actions, program};
use super::super::fields::{Fields, Findings, entries, near};
use super::super::load::sha256_hex;
use super::super::params::params;
use super::super::rule::{NoticeSpec, OnUnknown, Rule};
use super::super::rule_check::{self, Subject, Trigger};
use super::super::rule_file::{Head, Known, Source, head, notice, on_unknown, reason, stem, triggers};
use super::grid::{Grid, Layout, grid};
use super::score::scores;
use super::{Points, RowOutcome, Score, Table, TableRow, TableRows};

/// The keys of a table, in the order in which they are written.
pub const KEYS: &[&str] = &[
    "id",
    "number",
    "title",
    "why",
    "family",
    "on",
    "segments",
    "when",
    "params",
    "points",
    "hit",
    "columns",
    "rows",
    "otherwise",
    "reason",
    "notices",
    "on_unknown",
    "once",
    "owner",
    "since",
];

const ROW_KEYS: &[&str] = &["then", "reason"];

/// What a row may do. A block or its end is one decision with one cause, and needs a rule of its own.
const CLASSES: [Class; 6] = [Class::Increase, Class::Decrease, Class::Boost, Class::Cap, Class::Hold, Class::Review];

/// A table file on its way, with the CSV file of its rows if there is one.
#[derive(Clone, Copy)]
pub struct TableSource<'a> {
    /// The YAML file.
    pub file: Source<'a>,
    /// The rows of the CSV file, and its text.
    pub sheet: Option<(&'a Node, &'a str)>,
}

/// Reads a table and its scores; the rule is `None` if it cannot be used, for the reasons noted.
pub fn table(
    source: &TableSource<'_>,
    known: &Known<'_>,
    out: &mut Findings,
    of_sheet: &mut Findings,
    settings: &mut Findings,
) -> (Option<Rule>, Vec<Score>) {
    let Some(fields) = Fields::of(source.file.root, "a table", KEYS, out) else { return (None, Vec::new()) };
    let head = head(&fields, &source.file, out);
    let triggers = triggers(&fields, known, out);
    let params = params(fields.get("params"), source.file.overrides, out, settings);
    let read = Reading { source, fields, known, params: &params, triggers: &triggers };
    let scores = scores(stem(source.file.path), fields.get("points"), known, &read.around(), out);
    let rule = read.body(out, of_sheet);
    let rule = head.zip(rule).map(|(head, body)| read.rule(head, body, &scores));
    (rule, scores)
}

struct Reading<'a> {
    source: &'a TableSource<'a>,
    fields: Fields<'a>,
    known: &'a Known<'a>,
    params: &'a Params,
    triggers: &'a [Trigger],
}

/// What is read beside the head.
struct Body {
    when: Program,
    rows: TableRows<RowOutcome>,
    class: Class,
    on_unknown: OnUnknown,
    notices: Vec<(Class, NoticeSpec)>,
}

/// Tables are about no block.
const NO_SUBJECT: &Subject = &Subject { causes: Vec::new(), of_review: false, broken: false };

impl<'a> Reading<'a> {
    fn around(&self) -> Around<'a> {
        Around {
            names: Scope { schema: self.known.schema, params: self.params },
            features: self.known.features,
            subject: NO_SUBJECT,
            triggers: self.triggers,
            favourable: true,
        }
    }

    fn body(&self, out: &mut Findings, of_sheet: &mut Findings) -> Option<Body> {
        let when = match self.fields.get("when") {
            Some(node) => Some(program(node, &self.around(), Expect::Bool, out)?),
            None => None,
        };
        let rows = self.rows(when.as_ref(), out, of_sheet);
        let notices = self.notices(out);
        let on_unknown = self.fields.read_or("on_unknown", OnUnknown::Skip, out, on_unknown);
        let rows = rows?;
        let classes: Vec<Class> = rows.rows.iter().filter_map(|row| row.gives.class()).collect();
        let Some(class) = classes.first().copied() else {
            out.add(Diagnostic::error("HR0202", "no row of the table does anything", self.fields.place("rows")));
            return None;
        };
        self.stated(&classes, out);
        let when = match when {
            Some(when) => when,
            None => super::cells::condition(&[], Span::default(), &self.around(), out)?,
        };
        Some(Body { when, rows, class, on_unknown, notices })
    }

    fn rows(
        &self,
        guard: Option<&Program>,
        out: &mut Findings,
        of_sheet: &mut Findings,
    ) -> Option<TableRows<RowOutcome>> {
        let inline = self.fields.get("rows");
        let rows = match (inline, self.source.sheet) {
            (Some(_), Some(_)) => {
                let message = "the table has rows here and in its CSV file";
                out.add(Diagnostic::error("HR0245", message, self.fields.place("rows")).help("keep one of the two"));
                return None;
            }
            (Some(rows), None) => rows,
            (None, Some((rows, _))) => rows,
            (None, None) => self.fields.need("rows", out)?,
        };
        let layout = Layout {
            hit: self.fields.get("hit"),
            columns: self.fields.need("columns", out)?,
            rows,
            otherwise: self.fields.get("otherwise").map(|_| self.fields.place("otherwise")),
            guard,
            keys: ROW_KEYS,
        };
        let mut of_rows = Findings::default();
        let found = grid(&layout, &self.around(), out, &mut of_rows);
        let found = found.and_then(|found| self.outcomes(found, &mut of_rows));
        let place = if inline.is_some() { out } else { of_sheet };
        place.0.append(&mut of_rows.0);
        found
    }

    fn outcomes(&self, grid: Grid<'_>, out: &mut Findings) -> Option<TableRows<RowOutcome>> {
        let mut rows: Vec<Option<TableRow<RowOutcome>>> = grid
            .lines
            .into_iter()
            .map(|line| {
                let gives = self.outcome(&line.fields, out)?;
                Some(TableRow { cells: line.cells, when: line.when, otherwise: false, gives })
            })
            .collect();
        if let (Some(when), Some(node)) = (grid.rest, self.fields.get("otherwise")) {
            let fields = Fields::of(node, "`otherwise`", ROW_KEYS, out)?;
            let cells = vec!["-".to_owned(); grid.columns.len()];
            rows.push(self.outcome(&fields, out).map(|gives| TableRow { cells, when, otherwise: true, gives }));
        }
        let rows: Vec<TableRow<RowOutcome>> = rows.into_iter().collect::<Option<_>>()?;
        Some(TableRows { hit: grid.hit, columns: grid.columns, rows })
    }

    fn outcome(&self, fields: &Fields<'_>, out: &mut Findings) -> Option<RowOutcome> {
        let node = fields.need("then", out)?;
        let reason = match fields.get("reason") {
            Some(node) => Some(out.take(reason(node))?),
            None => None,
        };
        let then_text = flow(node, true);
        if node.text().is_some_and(|text| text.trim() == "none") {
            return Some(RowOutcome { actions: Vec::new(), reason, then_text });
        }
        let favourable = node.entries().and_then(|all| all.first()).is_some_and(|(key, _)| {
            matches!(key.text.as_str(), "increase" | "boost" | "extend_boost" | "regrant_boost")
        });
        let placed = actions(node, &Around { favourable, ..self.around() }, out)?;
        let first = placed.first().map(|first| (first.at, first.action.class(), first.action.word()));
        let (at, class, word) = first.unwrap_or((node.span, None, "nothing"));
        if !class.is_some_and(|class| CLASSES.contains(&class)) {
            let finding = Diagnostic::error("HR0214", format!("a row of a table cannot begin with `{word}`"), at);
            let words: Vec<&str> = CLASSES.iter().map(|class| class.word()).collect();
            out.add(finding.help(format!("`none`, or an action of class {}", words.join(", "))));
        }
        rule_check::secondary(&placed, out);
        Some(RowOutcome { actions: placed.into_iter().map(|each| each.action).collect(), reason, then_text })
    }

    fn notices(&self, out: &mut Findings) -> Vec<(Class, NoticeSpec)> {
        let given = self.fields.get("notices").and_then(|node| out.take(entries(node, "notices by class")));
        let mut found = Vec::new();
        for (key, node) in given.unwrap_or_default() {
            let Some(class) = CLASSES.iter().find(|class| class.word() == key.text) else {
                let finding = Diagnostic::error("HR0204", format!("`{}` is no class of a row", key.text), key.span);
                out.add(near(finding, &key.text, CLASSES.iter().map(|class| class.word())));
                continue;
            };
            found.extend(notice(node, out).map(|notice| (*class, notice)));
        }
        found
    }

    fn stated(&self, classes: &[Class], out: &mut Findings) {
        let must = classes.iter().find(|class| matches!(class, Class::Decrease | Class::Cap));
        if let (Some(class), None) = (must, self.fields.get("on_unknown")) {
            let message = format!("a table with rows of class `{}` needs `on_unknown`", class.word());
            let finding = Diagnostic::error("HR0218", message, self.fields.place("rows"));
            out.add(finding.help("`skip`, `hold` or `review`: what happens when no row is certain"));
        }
    }

    fn rule(&self, head: Head, body: Body, scores: &[Score]) -> Rule {
        let source = &self.source.file;
        let rows = &body.rows.rows;
        let amounts = rows.iter().flat_map(|row| &row.gives.actions).flat_map(Action::programs);
        let programs = rows.iter().map(|row| &row.when).chain([&body.when]).chain(amounts);
        let parts: Vec<usize> =
            scores.iter().filter(|each| matches!(each.points, Points::Part(_))).map(|each| each.slot).collect();
        let mut reads: Vec<usize> = programs.flat_map(|program| program.reads()).chain(&parts).copied().collect();
        reads.sort_unstable();
        reads.dedup();
        let content = [source.text, self.source.sheet.map_or("", |(_, text)| text)].concat();
        Rule {
            id: Arc::from(stem(source.path)),
            number: head.number,
            title_en: head.titles.0,
            title_zh: head.titles.1,
            why: head.why,
            family: head.family,
            class: body.class,
            causes: Vec::new(),
            cause_of_review: false,
            on: self.triggers.iter().map(|each| each.on).collect(),
            on_words: self.triggers.iter().map(|each| each.word.clone()).collect(),
            segments: head.segments,
            retired: false,
            when: body.when,
            unless: None,
            params: self.params.clone(),
            actions: Vec::new(),
            table: Some(Table { rows: body.rows, parts, notices: body.notices }),
            reason: head.reason,
            notice: None,
            on_unknown: body.on_unknown,
            once: head.once,
            reads,
            reads_block: false,
            owner: head.owner,
            hash: Arc::from(sha256_hex(content.as_bytes())),
            path: source.path.to_owned(),
            then_text: "by row".to_owned(),
        }
    }
}

/// A node on one line; the braces of the outermost map are left out.
fn flow(node: &Node, outermost: bool) -> String {
    match &node.kind {
        Kind::Null => "~".to_owned(),
        Kind::Scalar { text, .. } => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Kind::Seq(elements) => {
            format!("[{}]", elements.iter().map(|each| flow(each, false)).collect::<Vec<_>>().join(", "))
        }
        Kind::Map(entries) => {
            let parts: Vec<String> =
                entries.iter().map(|(key, node)| format!("{}: {}", key.text, flow(node, false))).collect();
            if outermost { parts.join(", ") } else { format!("{{{}}}", parts.join(", ")) }
        }
    }
}
