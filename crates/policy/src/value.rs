//! What an evaluation gives: a value, or why there is none.

use std::fmt;

/// The result of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// A value in slot form: bool 0 or 1, int, minor units, enum index, text id.
    Known(i64),
    /// Not known, and why.
    Unknown(Cause),
    /// The arithmetic has no result.
    Error(Fault),
}

impl Value {
    /// The value, if there is one.
    #[inline]
    pub fn known(self) -> Option<i64> {
        match self {
            Value::Known(value) => Some(value),
            Value::Unknown(_) | Value::Error(_) => None,
        }
    }

    /// True only for a known, non-zero value: a condition that holds.
    #[inline]
    pub fn is_true(self) -> bool {
        matches!(self, Value::Known(value) if value != 0)
    }

    /// The stable code of what is missing or wrong; `None` for a value.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Value::Known(_) => None,
            Value::Unknown(cause) => Some(cause.code()),
            Value::Error(fault) => Some(fault.code()),
        }
    }
}

/// Why a result is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// This slot has no value.
    Missing(usize),
    /// A money parameter has no value for the account's currency.
    Currency,
    /// The second argument of `pct` is zero or less.
    DenominatorNotPositive,
}

impl Cause {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Cause::Missing(_) => "NOT_KNOWN",
            Cause::Currency => "CURRENCY",
            Cause::DenominatorNotPositive => "DENOMINATOR_NOT_POSITIVE",
        }
    }
}

/// Why arithmetic has no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The result does not fit 64 bits.
    Overflow,
    /// A division or remainder by zero.
    DivisionByZero,
}

impl Fault {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Fault::Overflow => "OVERFLOW",
            Fault::DivisionByZero => "DIVISION_BY_ZERO",
        }
    }
}

/// A value decoded by its type, for people to read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Datum {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Minor units of the account's currency.
    Money(i64),
    /// An enum's name or a text.
    Text(String),
    /// The two sides of a `pct`.
    Ratio {
        /// What is compared.
        part: i64,
        /// With what; positive.
        whole: i64,
    },
    /// Not known, and why.
    Unknown(Cause),
    /// No result, and why.
    Error(Fault),
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Datum::Bool(value) => write!(f, "{value}"),
            Datum::Int(value) | Datum::Money(value) => write!(f, "{value}"),
            Datum::Text(text) => write!(f, "{text:?}"),
            Datum::Ratio { part, whole } => write!(f, "{part} / {whole}"),
            Datum::Unknown(cause) => write!(f, "unknown ({})", cause.code()),
            Datum::Error(fault) => write!(f, "error ({})", fault.code()),
        }
    }
}
