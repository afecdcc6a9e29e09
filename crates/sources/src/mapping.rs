//! A mapping file, checked and compiled: everything an import needs to know about a set.

mod body;
mod check;
mod column;
mod decimal;
mod expression;
mod file;
mod probe;
mod time;
mod value;

pub use check::Mapping;
pub(crate) use check::{Emit, Group, Refusal, Step};
pub(crate) use column::Column;
pub use column::Precision;
pub use file::Attribution;
pub(crate) use file::TextEncoding;
pub(crate) use value::{Value, decode_row, encode_row};

/// What is wrong with a mapping, and in which line (from 1; 0: in the file as a whole).
#[derive(Debug)]
pub(crate) struct Flaw {
    line: u64,
    message: String,
}

impl Flaw {
    pub(crate) fn new(line: u64, message: impl Into<String>) -> Flaw {
        Flaw { line, message: message.into() }
    }
}
