use headroom_wire::proto::TimePrecision;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Flaw;
use super::decimal::Decimal;
use super::file::{ColumnFile, ColumnType};
use super::time::TimeFormat;
use super::value::Value;

/// Ten digits after the point leave nine before it in an `i64`.
const SCALE_MAX: u8 = 9;

/// How exact a time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// A second or better.
    Second,
    /// Some time of a day.
    Day,
    /// Some time of a month.
    Month,
}

impl Precision {
    pub(super) fn name(self) -> &'static str {
        match self {
            Precision::Second => "second",
            Precision::Day => "day",
            Precision::Month => "month",
        }
    }

    /// As the contract has it.
    pub(crate) fn proto(self) -> TimePrecision {
        match self {
            Precision::Second => TimePrecision::Second,
            Precision::Day => TimePrecision::Day,
            Precision::Month => TimePrecision::Month,
        }
    }
}

/// A column of the set and how its text becomes a value.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// As expressions call it.
    pub(crate) name: String,
    /// As the header calls it, or its place from 1.
    pub(crate) header: String,
    optional: bool,
    reading: Reading,
}

#[derive(Debug, Clone)]
enum Reading {
    Text,
    Number(Decimal),
    Time(TimeFormat),
}

impl Column {
    /// Checks what the file says about a column. `zone`: the mapping's.
    pub(super) fn new(name: &str, file: &ColumnFile, line: u64, zone: &TimeZone) -> Result<Column, Flaw> {
        let reading = match file.r#type {
            ColumnType::Text => Reading::Text,
            ColumnType::Integer => Reading::Number(decimal(file, 0)),
            ColumnType::Money => Reading::Number(decimal(file, scale(name, file, line)?)),
            ColumnType::Time => Reading::Time(time(name, file, line, zone)?),
        };
        let misplaced = file.misplaced();
        if let Some(setting) = misplaced {
            return Err(Flaw::new(line, format!("column `{name}`: `{setting}` does not belong to this type")));
        }
        if file.thousands.is_some_and(|thousands| thousands == file.point.unwrap_or('.')) {
            return Err(Flaw::new(line, format!("column `{name}`: `point` and `thousands` are the same")));
        }
        let header = file.column.clone().unwrap_or_else(|| name.to_owned());
        Ok(Column { name: name.to_owned(), header, optional: file.optional, reading })
    }

    /// `None`: the text is no value of this column.
    pub(crate) fn read(&self, text: &str) -> Option<Value> {
        let trimmed = text.trim();
        match &self.reading {
            Reading::Text => (self.optional || !text.is_empty()).then(|| Value::Text(text.to_owned())),
            _ if self.optional && trimmed.is_empty() => Some(Value::Null),
            Reading::Number(decimal) => decimal.read(trimmed).map(Value::Int),
            Reading::Time(time) => time.read(trimmed).map(Value::Int),
        }
    }

    /// `None`: no time.
    pub(super) fn precision(&self) -> Option<Precision> {
        match &self.reading {
            Reading::Time(time) => Some(time.precision),
            _ => None,
        }
    }

    /// A value of the column's type, to try expressions on.
    pub(super) fn sample(&self) -> Value {
        match &self.reading {
            Reading::Text => Value::Text("1".into()),
            _ => Value::Int(1),
        }
    }
}

fn decimal(file: &ColumnFile, scale: u8) -> Decimal {
    Decimal { scale, point: file.point.unwrap_or('.'), thousands: file.thousands, exponent: file.exponent }
}

fn scale(name: &str, file: &ColumnFile, line: u64) -> Result<u8, Flaw> {
    match file.scale {
        Some(scale) if scale <= SCALE_MAX => Ok(scale),
        Some(scale) => Err(Flaw::new(line, format!("column `{name}`: scale `{scale}` is above {SCALE_MAX}"))),
        None => Err(Flaw::new(line, format!("column `{name}`: money needs `scale`, its digits after the point"))),
    }
}

fn time(name: &str, file: &ColumnFile, line: u64, zone: &TimeZone) -> Result<TimeFormat, Flaw> {
    let (Some(format), Some(precision)) = (&file.format, file.precision) else {
        return Err(Flaw::new(line, format!("column `{name}`: time needs `format` and `precision`")));
    };
    let zone = match &file.zone {
        Some(zone) => zone_named(zone, line)?,
        None => zone.clone(),
    };
    checked(format, precision, zone, line)
}

/// A time format that can hold its precision.
pub(super) fn checked(format: &str, precision: Precision, zone: TimeZone, line: u64) -> Result<TimeFormat, Flaw> {
    let time = TimeFormat { format: format.to_owned(), zone, precision };
    match time.flaw() {
        None => Ok(time),
        Some(flaw) => Err(Flaw::new(line, format!("time format `{format}`: {flaw}"))),
    }
}

/// A zone of the IANA database.
pub(super) fn zone_named(name: &str, line: u64) -> Result<TimeZone, Flaw> {
    TimeZone::get(name).map_err(|_| Flaw::new(line, format!("no time zone `{name}`")))
}
