//! From the file as written to a mapping that can run: every name, type, path and expression is checked on the way.

use std::collections::BTreeMap;
use std::path::Path;

use headroom_wire::proto;
use jiff::tz::TimeZone;
use serde_saphyr::Spanned;

use super::body::Body;
use super::column::{Column, Precision, checked, zone_named};
use super::expression::{Evaluator, Expression};
use super::file::{
    Attribution, EmitFile, GroupFile, MappingFile, ProvenanceFile, RefusalFile, StepFile, TextEncoding, UnpivotFile,
};
use super::probe::probe;
use super::{Flaw, Value};
use crate::SourceError;

/// A mapping, ready to import its set. `mappings/README.md` describes the file.
///
/// A row, as expressions see it, is: columns, sums of its group, then per step its values, the values of the step
/// before, `at`, `period` and `first`, then what `let` names.
pub struct Mapping {
    /// The `source` of its events.
    pub id: String,
    /// What the set is.
    pub about: Option<String>,
    /// Whose the set is.
    pub attribution: Option<Attribution>,
    pub(crate) delimiter: u8,
    pub(crate) encoding: TextEncoding,
    pub(crate) header: bool,
    pub(crate) columns: Vec<Column>,
    pub(crate) refuse: Vec<Refusal>,
    pub(crate) group: Option<Group>,
    /// Empty: rows are taken as they are.
    pub(crate) steps: Vec<Step>,
    pub(crate) lets: Vec<Expression>,
    pub(crate) account: Option<Expression>,
    pub(crate) once_per_account: Vec<Emit>,
    pub(crate) emit: Vec<Emit>,
    pub(crate) evaluator: Evaluator,
}

/// Rows that are not taken, and why.
pub(crate) struct Refusal {
    pub(crate) when: Expression,
    pub(crate) reason: String,
}

/// Rows that are one.
pub(crate) struct Group {
    pub(crate) by: Expression,
    pub(crate) sums: Vec<Expression>,
    pub(crate) refuse: Vec<Refusal>,
}

/// One of the long rows that a wide row becomes.
pub(crate) struct Step {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// `at` as the mapping writes it.
    pub(crate) period: String,
    /// Places of the columns that hold the step's values.
    pub(crate) sources: Vec<usize>,
}

/// An event that a row makes.
pub(crate) struct Emit {
    pub(crate) when: Option<Expression>,
    pub(crate) id: Expression,
    /// Where in the row its time is, and how exact. `None`: that of the account's first event.
    pub(crate) time: Option<(usize, Precision)>,
    pub(crate) provenance: proto::Provenance,
    pub(crate) body: Body,
}

impl Mapping {
    /// Reads and checks a mapping file.
    ///
    /// # Errors
    /// The file cannot be read, or [`SourceError::Mapping`] with the line and what is wrong there.
    pub fn load(path: &Path) -> Result<Mapping, SourceError> {
        let text = std::fs::read_to_string(path).map_err(SourceError::reading(path))?;
        Mapping::parse(&text, &path.display().to_string())
    }

    /// Checks the text of a mapping file; `name` stands for it in errors.
    ///
    /// # Errors
    /// [`SourceError::Mapping`] with the line and what is wrong there.
    pub fn parse(text: &str, name: &str) -> Result<Mapping, SourceError> {
        let file = serde_saphyr::from_str::<MappingFile>(text).map_err(|error| flaw_of(&error));
        file.and_then(Mapping::new).map_err(|flaw| SourceError::Mapping {
            path: name.to_owned(),
            line: flaw.line,
            message: flaw.message,
        })
    }

    fn new(file: MappingFile) -> Result<Mapping, Flaw> {
        let zone = zone_named(&file.zone.value, file.zone.referenced.line())?;
        let mut names = Names::default();
        let columns = columns_of(&file, &zone, &mut names)?;
        let refuse = refusals(&file.refuse, &names)?;
        let group = file.group.as_ref().map(|group| group_of(group, &mut names)).transpose()?;
        let once_per_account = emits(&file.once_per_account, &names, false)?;
        let steps = match &file.unpivot {
            Some(unpivot) => steps_of(unpivot, &zone, &columns, &mut names)?,
            None => Vec::new(),
        };
        let lets = lets_of(&file, &mut names)?;
        let account = file.account.as_ref().map(|account| names.compile(account)).transpose()?;
        let emit = emits(&file.emit, &names, true)?;
        if emit.is_empty() {
            return Err(Flaw::new(0, "`emit` is empty"));
        }
        if account.is_none() && !once_per_account.is_empty() {
            return Err(Flaw::new(0, "`once_per_account` needs `account`"));
        }
        let mapping = Mapping {
            id: id_of(&file.id)?,
            about: file.about,
            attribution: file.attribution,
            delimiter: delimiter_of(&file.input.delimiter)?,
            encoding: file.input.encoding,
            header: file.input.header,
            columns,
            refuse,
            group,
            steps,
            lets,
            account,
            once_per_account,
            emit,
            evaluator: Evaluator::new(names.places),
        };
        probe(&mapping)?;
        Ok(mapping)
    }
}

fn flaw_of(error: &serde_saphyr::Error) -> Flaw {
    let error = error.without_snippet();
    let line = error.location().map_or(0, |location| location.line());
    let text = error.to_string();
    let message = text.lines().next().unwrap_or_default();
    Flaw::new(line, message.split(" at line ").next().unwrap_or_default())
}

fn id_of(id: &Spanned<String>) -> Result<String, Flaw> {
    if (1..=128).contains(&id.value.len()) && !id.value.contains(char::is_control) {
        return Ok(id.value.clone());
    }
    Err(Flaw::new(id.referenced.line(), "`id` has 1 to 128 bytes and no control characters"))
}

fn delimiter_of(delimiter: &Spanned<char>) -> Result<u8, Flaw> {
    let byte = u8::try_from(delimiter.value).ok().filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte));
    let wrong = || Flaw::new(delimiter.referenced.line(), format!("`{}` is no delimiter", delimiter.value));
    byte.ok_or_else(wrong)
}

/// What expressions may name so far, and where in a row it is.
#[derive(Default)]
struct Names {
    places: BTreeMap<String, usize>,
    precisions: BTreeMap<usize, Precision>,
}

impl Names {
    /// Gives the next place of a row to `name`.
    fn add(&mut self, name: &str, line: u64, precision: Option<Precision>) -> Result<(), Flaw> {
        if !is_identifier(name) {
            let help = "letters, digits and `_`; `column` can say how the header calls it";
            return Err(Flaw::new(line, format!("`{name}` is no name for an expression: {help}")));
        }
        let place = self.places.len();
        if self.places.insert(name.to_owned(), place).is_some() {
            return Err(Flaw::new(line, format!("`{name}` is there already")));
        }
        self.precisions.extend(precision.map(|precision| (place, precision)));
        Ok(())
    }

    fn compile(&self, text: &Spanned<String>) -> Result<Expression, Flaw> {
        Expression::compile(&text.value, text.referenced.line(), &self.places)
    }

    fn time(&self, name: &Spanned<String>) -> Result<(usize, Precision), Flaw> {
        let place = self.places.get(&name.value);
        let found = place.and_then(|place| self.precisions.get(place).map(|precision| (*place, *precision)));
        found.ok_or_else(|| Flaw::new(name.referenced.line(), format!("`{}` is no time column", name.value)))
    }
}

fn is_identifier(name: &str) -> bool {
    const RESERVED: [&str; 6] = ["true", "false", "null", "in", "div_round", "utc"];
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !RESERVED.contains(&name)
}

fn columns_of(file: &MappingFile, zone: &TimeZone, names: &mut Names) -> Result<Vec<Column>, Flaw> {
    let mut columns = Vec::new();
    for (name, column) in &file.columns {
        let line = column.referenced.line();
        let column = Column::new(name, &column.value, line, zone)?;
        if !file.input.header && !column.header.parse::<usize>().is_ok_and(|place| place > 0) {
            return Err(Flaw::new(line, format!("column `{name}`: without a header, `column` is its place from 1")));
        }
        names.add(name, line, column.precision())?;
        columns.push(column);
    }
    Ok(columns)
}

fn refusals(files: &[RefusalFile], names: &Names) -> Result<Vec<Refusal>, Flaw> {
    let refusal = |file: &RefusalFile| {
        let reason = &file.reason.value;
        let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if reason.is_empty() || !reason.chars().all(is_code) {
            return Err(Flaw::new(file.reason.referenced.line(), format!("reason `{reason}` is not in UPPER_CASE")));
        }
        Ok(Refusal { when: names.compile(&file.when)?, reason: reason.clone() })
    };
    files.iter().map(refusal).collect()
}

fn group_of(file: &GroupFile, names: &mut Names) -> Result<Group, Flaw> {
    let by = names.compile(&file.by)?;
    let sums = file.sum.values().map(|sum| names.compile(sum)).collect::<Result<_, _>>()?;
    for (name, sum) in &file.sum {
        names.add(name, sum.referenced.line(), None)?;
    }
    Ok(Group { by, sums, refuse: refusals(&file.refuse, names)? })
}

fn steps_of(file: &UnpivotFile, zone: &TimeZone, columns: &[Column], names: &mut Names) -> Result<Vec<Step>, Flaw> {
    let line = file.time.referenced.line();
    let first = file.steps.first().ok_or_else(|| Flaw::new(line, "`unpivot` has no steps"))?;
    let time = checked(&file.time.value.format, file.time.value.precision, zone.clone(), line)?;
    let read = |text: &str| time.read(text);
    let steps =
        file.steps.iter().map(|step| step_of(step, &first.value, read, columns)).collect::<Result<Vec<_>, _>>()?;
    if !steps.is_sorted_by(|earlier, later| earlier.at < later.at) {
        return Err(Flaw::new(line, "the steps of `unpivot` are not in the order of time"));
    }
    let line = first.referenced.line();
    for suffix in ["", "_before"] {
        for name in first.value.values.keys() {
            names.add(&format!("{name}{suffix}"), line, None)?;
        }
    }
    names.add("at", line, Some(file.time.value.precision))?;
    names.add("period", line, None)?;
    names.add("first", line, None)?;
    Ok(steps)
}

fn step_of(
    file: &Spanned<StepFile>,
    first: &StepFile,
    read: impl Fn(&str) -> Option<i64>,
    columns: &[Column],
) -> Result<Step, Flaw> {
    let (line, file) = (file.referenced.line(), &file.value);
    let at = read(&file.at).ok_or_else(|| Flaw::new(line, format!("`{}` does not fit the time format", file.at)))?;
    if !file.values.keys().eq(first.values.keys()) {
        return Err(Flaw::new(line, "every step has the same values as the first"));
    }
    let place = |name: &String| {
        let found = columns.iter().position(|column| column.name == *name);
        found.ok_or_else(|| Flaw::new(line, format!("no column `{name}`")))
    };
    let sources = file.values.values().map(place).collect::<Result<_, _>>()?;
    Ok(Step { at, period: file.at.clone(), sources })
}

fn lets_of(file: &MappingFile, names: &mut Names) -> Result<Vec<Expression>, Flaw> {
    let mut lets = Vec::new();
    for file in &file.lets {
        lets.push(names.compile(&file.is)?);
        names.add(&file.name.value, file.name.referenced.line(), None)?;
    }
    Ok(lets)
}

fn emits(files: &[Spanned<EmitFile>], names: &Names, timed: bool) -> Result<Vec<Emit>, Flaw> {
    files.iter().map(|file| emit_of(&file.value, file.referenced.line(), names, timed)).collect()
}

fn emit_of(file: &EmitFile, line: u64, names: &Names, timed: bool) -> Result<Emit, Flaw> {
    let time = match (&file.time, timed) {
        (Some(time), true) => Some(names.time(time)?),
        (None, false) => None,
        (None, true) => return Err(Flaw::new(line, "`time` is missing: the name of a time column, or `at`")),
        (Some(_), false) => return Err(Flaw::new(line, "`time` is that of the account's first event")),
    };
    Ok(Emit {
        when: file.when.as_ref().map(|when| names.compile(when)).transpose()?,
        id: names.compile(&file.id)?,
        time,
        provenance: match file.provenance {
            ProvenanceFile::Fact => proto::Provenance::Fact,
            ProvenanceFile::Derived => proto::Provenance::Derived,
            ProvenanceFile::Synthetic => proto::Provenance::Synthetic,
        },
        body: Body::new(&file.body, line, &names.places)?,
    })
}

impl Mapping {
    /// A row of plausible values, to try expressions on.
    pub(super) fn sample(&self) -> Vec<Value> {
        let mut row: Vec<Value> = self.columns.iter().map(Column::sample).collect();
        row.extend(self.group.iter().flat_map(|group| &group.sums).map(|_| Value::Int(1)));
        if let Some(step) = self.steps.first() {
            let values: Vec<Value> = step.sources.iter().map(|place| row[*place].clone()).collect();
            row.extend([values.clone(), values].concat());
            row.extend([Value::Int(step.at), Value::Text(step.period.clone()), Value::Bool(false)]);
        }
        row
    }
}
