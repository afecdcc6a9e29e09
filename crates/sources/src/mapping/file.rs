//! The mapping file as it is written. `mappings/README.md` describes it for users.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::column::Precision;

/// Where a set comes from and what its licence asks to be named.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribution {
    /// Name of the set.
    pub title: String,
    /// Who made it, and when.
    pub by: String,
    /// Where it is published.
    pub source: String,
    /// Its licence.
    pub licence: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MappingFile {
    /// Becomes the `source` of every event.
    pub(super) id: Spanned<String>,
    pub(super) about: Option<String>,
    pub(super) attribution: Option<Attribution>,
    #[serde(default)]
    pub(super) input: InputFile,
    /// Of times that carry no offset.
    pub(super) zone: Spanned<String>,
    pub(super) columns: BTreeMap<String, Spanned<ColumnFile>>,
    #[serde(default)]
    pub(super) refuse: Vec<RefusalFile>,
    pub(super) group: Option<GroupFile>,
    pub(super) unpivot: Option<UnpivotFile>,
    /// Names for expressions that several places need, in order.
    #[serde(default, rename = "let")]
    pub(super) lets: Vec<LetFile>,
    /// Expression; without it events have no account.
    pub(super) account: Option<Spanned<String>>,
    /// Events before the first of an account, at its time.
    #[serde(default)]
    pub(super) once_per_account: Vec<Spanned<EmitFile>>,
    pub(super) emit: Vec<Spanned<EmitFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct InputFile {
    pub(super) format: InputFormat,
    pub(super) delimiter: Spanned<char>,
    pub(super) encoding: TextEncoding,
    /// Without a header a column's `column` is its place, from 1.
    pub(super) header: bool,
}

impl Default for InputFile {
    fn default() -> InputFile {
        let nowhere = serde_saphyr::Location::UNKNOWN;
        let delimiter = Spanned { value: ',', referenced: nowhere, defined: nowhere };
        InputFile { format: InputFormat::Csv, delimiter, encoding: TextEncoding::Utf8, header: true }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InputFormat {
    Csv,
}

/// How the bytes of a set are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum TextEncoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "latin-1")]
    Latin1,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ColumnType {
    Text,
    Integer,
    Money,
    Time,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnFile {
    pub(super) r#type: ColumnType,
    /// Its name in the header, if it is not the key.
    pub(super) column: Option<String>,
    /// Empty cells are null (text: the empty text).
    #[serde(default)]
    pub(super) optional: bool,
    pub(super) scale: Option<u8>,
    pub(super) point: Option<char>,
    pub(super) thousands: Option<char>,
    #[serde(default)]
    pub(super) exponent: bool,
    pub(super) format: Option<String>,
    pub(super) precision: Option<Precision>,
    pub(super) zone: Option<String>,
}

impl ColumnFile {
    /// The first setting that another type has.
    pub(super) fn misplaced(&self) -> Option<&'static str> {
        let number = matches!(self.r#type, ColumnType::Integer | ColumnType::Money);
        let time = self.r#type == ColumnType::Time;
        let settings = [
            ("scale", self.scale.is_some(), self.r#type == ColumnType::Money),
            ("point", self.point.is_some(), number),
            ("thousands", self.thousands.is_some(), number),
            ("exponent", self.exponent, number),
            ("format", self.format.is_some(), time),
            ("precision", self.precision.is_some(), time),
            ("zone", self.zone.is_some(), time),
        ];
        settings.into_iter().find(|(_, given, belongs)| *given && !belongs).map(|(name, ..)| name)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefusalFile {
    pub(super) when: Spanned<String>,
    pub(super) reason: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupFile {
    /// Rows for which this expression is the same are one; it has the columns of the first of them.
    pub(super) by: Spanned<String>,
    #[serde(default)]
    pub(super) sum: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) refuse: Vec<RefusalFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UnpivotFile {
    pub(super) time: Spanned<StepTimeFile>,
    /// In the order of time.
    pub(super) steps: Vec<Spanned<StepFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepTimeFile {
    pub(super) format: String,
    pub(super) precision: Precision,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepFile {
    /// The step's time, as `time` is written.
    pub(super) at: String,
    /// Name of the step's value → column.
    pub(super) values: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LetFile {
    pub(super) name: Spanned<String>,
    pub(super) is: Spanned<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ProvenanceFile {
    Fact,
    Derived,
    Synthetic,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmitFile {
    /// Expression; without it always.
    pub(super) when: Option<Spanned<String>>,
    /// Expression: the event's id.
    pub(super) id: Spanned<String>,
    /// Name of a time column, or `at`.
    pub(super) time: Option<Spanned<String>>,
    pub(super) provenance: ProvenanceFile,
    /// Path of a field → constant, or `= expression`.
    pub(super) body: BTreeMap<String, Spanned<serde_json::Value>>,
}
