//! Cells: what a row asks of a column, as a condition of the rule language and as a set of points.
//!
//! Points are whole numbers. Of ints and money they are the values; of bools 0 and 1; of enums the indices; of
//! `pct(a, b)` an even point 2k is exactly k, an odd one 2k + 1 is everything between k and k + 1. `UNKNOWN` is no value.

use headroom_policy::yaml::{Kind as Shape, Node};
use headroom_policy::{
    Arithmetic, Constant, Currency, Diagnostic, Expect, Expr, Kind, Origin, Params, Program, Schema, Span, Type,
    compile,
};

use crate::stack::money_in;

use super::super::action_file::{Around, program};
use super::super::fields::{Findings, near, text, written_amount};
use super::super::rule_check::reading;
use super::cover::Set;

/// Stands for "not known" in columns that have a cell `unknown`.
const UNKNOWN: i128 = i128::MAX / 4;

/// A column, read.
#[derive(Debug)]
pub struct Reading {
    pub name: String,
    pub text: String,
    kind: ColumnKind,
    range: (i128, i128),
    /// A feature by itself, so that `has` can be asked of it.
    plain: bool,
    /// Some cell is `unknown`.
    pub unknowns: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum ColumnKind {
    Bool,
    Int,
    Money,
    Ratio,
    Words(std::sync::Arc<[String]>),
}

/// A cell, read: its condition (empty: none) and its points in every currency that matters.
#[derive(Debug)]
pub struct Cell {
    pub written: String,
    pub condition: String,
    bounds: Vec<Atom>,
}

/// One of the alternatives of a cell, its limits not resolved yet.
#[derive(Clone, Debug)]
enum Atom {
    Any,
    Unknown,
    Words(Vec<i128>, bool),
    Range { low: Option<Limit>, high: Option<Limit> },
}

/// One end of a range.
#[derive(Clone, Debug)]
struct Limit {
    value: Bound,
    open: bool,
}

#[derive(Clone, Debug)]
enum Bound {
    Number(i64),
    Param(String),
}

impl Reading {
    /// Reads a column's expression.
    pub fn of(name: &str, node: &Node, around: &Around<'_>, out: &mut Findings) -> Option<Self> {
        let written = out.take(text(node))?;
        if written.starts_with("pct(") {
            return Self::ratio(name, written, node, around, out);
        }
        let program = program(node, around, Expect::Any, out)?;
        let kind = match program.ty() {
            Type::Bool => ColumnKind::Bool,
            Type::Int => ColumnKind::Int,
            Type::Money => ColumnKind::Money,
            Type::Enum(words) => ColumnKind::Words(words.clone()),
            other => {
                out.add(misfit(format!("a column cannot be {other}"), node.span));
                return None;
            }
        };
        let range = match &kind {
            ColumnKind::Bool => (0, 1),
            ColumnKind::Words(words) => (0, i128::try_from(words.len()).ok()? - 1),
            _ => range(program.root(), around.names.schema),
        };
        let plain = matches!(program.root().kind, Kind::Slot(_));
        let wrapped = plain || matches!(program.root().kind, Kind::Min(_) | Kind::Max(_) | Kind::Default(..));
        let text = if wrapped { written.to_owned() } else { format!("({written})") };
        Some(Self { name: name.to_owned(), text, kind, range, plain, unknowns: false })
    }

    /// `pct(a, b)` is no value by itself; it is compiled within a comparison.
    fn ratio(name: &str, written: &str, node: &Node, around: &Around<'_>, out: &mut Findings) -> Option<Self> {
        let compared = compile(&format!("{written} >= 0"), node.source_map(), &around.names, Expect::Bool);
        let compiled = compared.map_err(|errors| out.0.extend(errors)).ok()?;
        reading(&compiled.program, node, around.subject, around.triggers, &around.names, out);
        let Kind::Pct(_, _, parts) = &compiled.program.root().kind else {
            out.add(misfit(format!("`{written}` is no column: `pct(a, b)` stands alone"), node.span));
            return None;
        };
        let low = if range(&parts[0], around.names.schema).0 < 0 { i128::from(i64::MIN) * 200 } else { 0 };
        let range = (low, i128::from(i64::MAX) * 200);
        Some(Self {
            name: name.to_owned(),
            text: written.to_owned(),
            kind: ColumnKind::Ratio,
            range,
            plain: false,
            unknowns: false,
        })
    }

    /// Every point that the column can have.
    pub fn domain(&self) -> Set {
        let unknown = self.unknowns.then_some((UNKNOWN, UNKNOWN));
        Set::of(std::iter::once(self.range).chain(unknown).collect())
    }

    /// A point for people.
    pub fn show(&self, point: i128, currency: Option<Currency>) -> String {
        let name = &self.text;
        match &self.kind {
            _ if point == UNKNOWN => format!("{name} unknown"),
            ColumnKind::Bool => format!("{name} = {}", point != 0),
            ColumnKind::Words(words) => {
                let word = usize::try_from(point).ok().and_then(|at| words.get(at));
                format!("{name} = {}", word.map_or("?", String::as_str))
            }
            ColumnKind::Ratio if point.rem_euclid(2) == 1 => format!("{name} = {}.5", point.div_euclid(2)),
            ColumnKind::Ratio => format!("{name} = {}", point / 2),
            ColumnKind::Int => format!("{name} = {point}"),
            ColumnKind::Money => format!("{name} = {}", written_amount(point, currency)),
        }
    }

    /// Reads a cell; a list is as good as commas.
    pub fn cell(&self, node: &Node, params: &Params, out: &mut Findings) -> Option<Cell> {
        let written = match &node.kind {
            Shape::Seq(elements) => {
                let parts: Option<Vec<&str>> = elements.iter().map(|each| out.take(text(each))).collect();
                parts?.join(", ")
            }
            Shape::Null => "-".to_owned(),
            _ => out.take(text(node))?.to_owned(),
        };
        match self.atoms(&written, params) {
            Ok(bounds) => Some(Cell { condition: String::new(), written, bounds }),
            Err((message, help)) => {
                let finding = misfit(message, node.span);
                let words = match &self.kind {
                    ColumnKind::Words(words) => words.iter().map(String::as_str).collect(),
                    _ => Vec::new(),
                };
                out.add(if help.is_empty() { near(finding, &written, words.into_iter()) } else { finding.help(help) });
                None
            }
        }
    }

    fn atoms(&self, written: &str, params: &Params) -> Result<Vec<Atom>, (String, &'static str)> {
        if let (ColumnKind::Words(_), Some(rest)) = (&self.kind, written.strip_prefix("not ")) {
            let all: Result<Vec<i128>, _> = rest.split(',').map(|word| self.word(word.trim())).collect();
            return Ok(vec![Atom::Words(all?, true)]);
        }
        written.split(',').map(|part| self.atom(part.trim(), params)).collect()
    }

    fn word(&self, word: &str) -> Result<i128, (String, &'static str)> {
        let ColumnKind::Words(words) = &self.kind else { return Err((format!("`{word}` is no value here"), "")) };
        let at = words.iter().position(|each| each == word).and_then(|at| i128::try_from(at).ok());
        at.ok_or_else(|| (format!("`{word}` is no value of `{}`", self.text), ""))
    }

    fn atom(&self, part: &str, params: &Params) -> Result<Atom, (String, &'static str)> {
        match (part, &self.kind) {
            ("-", _) => Ok(Atom::Any),
            ("unknown", _) if self.plain => Ok(Atom::Unknown),
            ("unknown", _) => {
                Err(("`unknown` can be asked of a feature alone".to_owned(), "give it a column of its own"))
            }
            ("true", ColumnKind::Bool) => Ok(Atom::Words(vec![1], false)),
            ("false", ColumnKind::Bool) => Ok(Atom::Words(vec![0], false)),
            (_, ColumnKind::Bool) => Err((format!("`{part}` is neither `true` nor `false`"), "or `-` for either")),
            (_, ColumnKind::Words(_)) => Ok(Atom::Words(vec![self.word(part)?], false)),
            _ => self.numbers(part, params),
        }
    }

    fn numbers(&self, part: &str, params: &Params) -> Result<Atom, (String, &'static str)> {
        let limit = |text: &str, open: bool| self.limit(text, open, params).map(Some);
        if let Some((low, high)) = part.split_once("..") {
            return Ok(Atom::Range { low: limit(low, false)?, high: limit(high, false)? });
        }
        let signs = [(">=", false, true), ("<=", false, false), (">", true, true), ("<", true, false)];
        for (sign, open, below) in signs {
            if let Some(rest) = part.strip_prefix(sign) {
                let end = limit(rest, open)?;
                return Ok(if below {
                    Atom::Range { low: end, high: None }
                } else {
                    Atom::Range { low: None, high: end }
                });
            }
        }
        if self.kind == ColumnKind::Ratio {
            return Err((format!("`{part}`: a ratio is hardly ever exactly a number"), "write a range, like `>= 80`"));
        }
        Ok(Atom::Range { low: limit(part, false)?, high: limit(part, false)? })
    }

    fn limit(&self, text: &str, open: bool, params: &Params) -> Result<Limit, (String, &'static str)> {
        let text = text.trim();
        let value = match text.strip_prefix("p.") {
            Some(name) => self.param(name, params)?,
            None => Bound::Number(self.number(text)?),
        };
        Ok(Limit { value, open })
    }

    fn param(&self, name: &str, params: &Params) -> Result<Bound, (String, &'static str)> {
        let money = self.kind == ColumnKind::Money;
        match params.get(name) {
            _ if name == "zero" && money => Ok(Bound::Number(0)),
            Some(Constant::Int(_)) if !money => Ok(Bound::Param(name.to_owned())),
            Some(Constant::Money(_)) if money => Ok(Bound::Param(name.to_owned())),
            Some(other) => Err((format!("`p.{name}` is {}, the column is not", other.ty()), "compare like with like")),
            None => Err((format!("there is no parameter `{name}`"), "declare it under `params`")),
        }
    }

    fn number(&self, text: &str) -> Result<i64, (String, &'static str)> {
        if self.kind == ColumnKind::Money {
            return Err((
                format!("`{text}` is no parameter"),
                "amounts are parameters `p.x` of type money, or `p.zero`",
            ));
        }
        let grouped = text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && !text.ends_with('_');
        let number = if grouped { text.replace('_', "").parse().ok() } else { None };
        number.ok_or_else(|| {
            (
                format!("`{text}` is no whole number"),
                "cells are like `3`, `>= 3`, `< p.x`, `3..5`, `1, 2`, `unknown`, `-`",
            )
        })
    }
}

impl Cell {
    /// A cell that is not given.
    pub fn any() -> Self {
        Cell { written: "-".to_owned(), condition: String::new(), bounds: vec![Atom::Any] }
    }

    pub fn asks_unknown(&self) -> bool {
        self.bounds.iter().any(|atom| matches!(atom, Atom::Unknown))
    }

    /// Writes the condition; known only when it is clear whether the column has a cell `unknown`.
    pub fn write(&mut self, column: &Reading) {
        if self.bounds.iter().any(|atom| matches!(atom, Atom::Any)) {
            return;
        }
        let known: Vec<String> = self.bounds.iter().filter_map(|atom| atom.condition(column)).collect();
        let name = &column.text;
        let known = match known.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(format!("({})", many.join(" || "))),
        };
        self.condition = match (known, column.unknowns, self.asks_unknown()) {
            (None, ..) => format!("!has({name})"),
            (Some(known), _, true) => format!("(!has({name}) || {known})"),
            (Some(known), true, false) => format!("has({name}) && {known}"),
            (Some(known), false, false) => known,
        };
    }

    /// Its points for accounts of a currency; `None` if a limit has no amount in it.
    pub fn set(&self, column: &Reading, params: &Params, currency: Option<Currency>) -> Option<Set> {
        let mut all = Set::default();
        for atom in &self.bounds {
            all = all.or(&atom.set(column, params, currency)?);
        }
        Some(all.and(&column.domain()))
    }

    /// The currencies in which its limits have amounts.
    pub fn currencies(&self, params: &Params) -> Vec<Currency> {
        let limits = self.bounds.iter().flat_map(|atom| match atom {
            Atom::Range { low, high } => low.iter().chain(high).collect(),
            _ => Vec::new(),
        });
        let tables = limits.filter_map(|limit| match &limit.value {
            Bound::Param(name) => params.get(name),
            Bound::Number(_) => None,
        });
        let money =
            tables.filter_map(|constant| if let Constant::Money(table) = constant { Some(table) } else { None });
        money.flatten().map(|(currency, _)| *currency).collect()
    }
}

impl Atom {
    /// `None` for what is not about values.
    fn condition(&self, column: &Reading) -> Option<String> {
        let name = &column.text;
        match self {
            Atom::Any | Atom::Unknown => None,
            Atom::Words(points, not) => Some(words(column, points, *not)),
            Atom::Range { low, high } => {
                if let (Some(low), Some(high)) = (low, high)
                    && low.value.same(&high.value)
                {
                    return Some(format!("{name} == {}", low.value.written(column)));
                }
                let low = low.as_ref().map(|l| format!("{name} {} {}", l.sign(">"), l.value.written(column)));
                let high = high.as_ref().map(|l| format!("{name} {} {}", l.sign("<"), l.value.written(column)));
                match (low, high) {
                    (Some(low), Some(high)) => Some(format!("({low} && {high})")),
                    (one, other) => one.or(other),
                }
            }
        }
    }

    fn set(&self, column: &Reading, params: &Params, currency: Option<Currency>) -> Option<Set> {
        let known = Set::of(vec![column.range]);
        Some(match self {
            Atom::Any => column.domain(),
            Atom::Unknown => Set::of(vec![(UNKNOWN, UNKNOWN)]),
            Atom::Words(points, not) => {
                let points = Set::of(points.iter().map(|point| (*point, *point)).collect());
                if *not { known.less(&points) } else { points }
            }
            Atom::Range { low, high } => {
                let twice = i128::from(column.kind == ColumnKind::Ratio) + 1;
                let end = |limit: &Option<Limit>, inward: i128, other: i128| match limit {
                    Some(limit) => {
                        let value = limit.value.resolve(params, currency)?;
                        Some(i128::from(value) * twice + if limit.open { inward } else { 0 })
                    }
                    None => Some(other),
                };
                Set::of(vec![(end(low, 1, column.range.0)?, end(high, -1, column.range.1)?)]).and(&known)
            }
        })
    }
}

fn words(column: &Reading, points: &[i128], not: bool) -> String {
    let name = &column.text;
    let ColumnKind::Words(words) = &column.kind else {
        return if points.contains(&1) { name.clone() } else { format!("!{name}") };
    };
    let quoted = points.iter().filter_map(|point| words.get(usize::try_from(*point).ok()?));
    let quoted: Vec<String> = quoted.map(|word| format!("\"{word}\"")).collect();
    match (quoted.as_slice(), not) {
        ([one], false) => format!("{name} == {one}"),
        ([one], true) => format!("{name} != {one}"),
        (many, false) => format!("{name} in [{}]", many.join(", ")),
        (many, true) => format!("!({name} in [{}])", many.join(", ")),
    }
}

impl Limit {
    fn sign(&self, side: &str) -> String {
        if self.open { side.to_owned() } else { format!("{side}=") }
    }
}

impl Bound {
    fn same(&self, other: &Bound) -> bool {
        match (self, other) {
            (Bound::Number(left), Bound::Number(right)) => left == right,
            (Bound::Param(left), Bound::Param(right)) => left == right,
            _ => false,
        }
    }

    fn written(&self, column: &Reading) -> String {
        match self {
            Bound::Number(0) if column.kind == ColumnKind::Money => "p.zero".to_owned(),
            Bound::Number(number) => number.to_string(),
            Bound::Param(name) => format!("p.{name}"),
        }
    }

    fn resolve(&self, params: &Params, currency: Option<Currency>) -> Option<i64> {
        match self {
            Bound::Number(number) => Some(*number),
            Bound::Param(name) => match params.get(name)? {
                Constant::Int(value) => Some(*value),
                Constant::Bool(_) => None,
                Constant::Money(table) => money_in(table, currency),
            },
        }
    }
}

fn misfit(message: String, span: Span) -> Diagnostic {
    Diagnostic::error("HR0243", message, span)
}

/// The smallest and the largest value of an expression over the ranges of what it reads.
fn range(expr: &Expr, schema: &Schema) -> (i128, i128) {
    let of = |expr: &Expr| range(expr, schema);
    let all = (i128::from(i64::MIN), i128::from(i64::MAX));
    let found = match &expr.kind {
        Kind::Const(value) => (i128::from(*value), i128::from(*value)),
        Kind::Money(table) => hull(table.iter().map(|(_, value)| (i128::from(*value), i128::from(*value)))),
        Kind::Slot(slot) => of_slot(schema, *slot),
        Kind::Default(slot, other) => hull([of_slot(schema, *slot), of(other)].into_iter()),
        Kind::Neg(one) => {
            let (low, high) = of(one);
            (-high, -low)
        }
        Kind::Arithmetic(operator, sides) => arithmetic(*operator, of(&sides[0]), of(&sides[1])).unwrap_or(all),
        Kind::Min(many) => ends(many.iter().map(of), i128::min),
        Kind::Max(many) => ends(many.iter().map(of), i128::max),
        Kind::Choose(parts) => hull([of(&parts[1]), of(&parts[2])].into_iter()),
        _ => all,
    };
    (found.0.max(all.0), found.1.min(all.1))
}

fn of_slot(schema: &Schema, slot: usize) -> (i128, i128) {
    let symbol = schema.symbol(slot);
    (i128::from(symbol.min), i128::from(symbol.max))
}

fn hull(mut parts: impl Iterator<Item = (i128, i128)>) -> (i128, i128) {
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |all, part| (all.0.min(part.0), all.1.max(part.1)))
}

fn ends(parts: impl Iterator<Item = (i128, i128)>, choose: fn(i128, i128) -> i128) -> (i128, i128) {
    let both = parts.reduce(|all, part| (choose(all.0, part.0), choose(all.1, part.1)));
    both.unwrap_or_default()
}

fn arithmetic(operator: Arithmetic, left: (i128, i128), right: (i128, i128)) -> Option<(i128, i128)> {
    let corners = |operator: fn(i128, i128) -> Option<i128>| {
        let pairs = [(left.0, right.0), (left.0, right.1), (left.1, right.0), (left.1, right.1)];
        let values: Option<Vec<i128>> = pairs.into_iter().map(|(left, right)| operator(left, right)).collect();
        Some(hull(values?.into_iter().map(|value| (value, value))))
    };
    match operator {
        Arithmetic::Add => corners(i128::checked_add),
        Arithmetic::Sub => corners(i128::checked_sub),
        Arithmetic::Mul => corners(i128::checked_mul),
        Arithmetic::Div if right.0 > 0 => corners(i128::checked_div),
        Arithmetic::Div | Arithmetic::Rem => None,
    }
}

/// A program for a row's whole condition, its findings at the row.
pub fn condition(parts: &[&str], span: Span, around: &Around<'_>, out: &mut Findings) -> Option<Program> {
    let text = if parts.is_empty() { "true".to_owned() } else { parts.join(" && ") };
    match compile(&text, Origin::whole(span), &around.names, Expect::Bool) {
        Ok(compiled) => Some(compiled.program),
        Err(errors) => {
            out.0.extend(errors);
            None
        }
    }
}
