//! The rule language: parse → check → compile → evaluate, with a trace on demand.
//!
//! CEL syntax over a fixed schema of named slots, three truth values, whole-number arithmetic only.
//! The crate knows nothing about credit, reads no clock, no disk and no randomness.
//! One exception to purity, in `parse`: the parser recurses, so it runs on a thread with a stack of known size.

#![deny(clippy::float_arithmetic)]

mod calls;
mod check;
mod coerce;
mod diagnostic;
mod emit;
mod eval_text;
mod expr;
mod flat;
mod layout;
mod machine;
mod names;
mod origin;
mod parse;
mod program;
mod scan;
mod schema;
mod scope;
mod semantics;
mod slots;
mod suggest;
mod sums;
mod trace;
mod tree;
mod value;
mod words;
pub mod yaml;

pub use schema::{Schema, Symbol, Type};
pub use scope::{Constant, Currency, CurrencyError, Expect, Params, Scope};

pub use expr::{Arithmetic, Comparison, Expr, Kind};
pub use layout::layout_expression;
pub use program::{Compiled, Program, compile};
pub use slots::Slots;
pub use value::{Cause, Datum, Fault, Value};
pub use words::in_words;

pub use trace::{Condition, Trace, TraceNode, Verdict};

pub use diagnostic::{CODES, Diagnostic, Severity, Span, render};
pub use origin::Origin;
pub use suggest::suggest;

pub use eval_text::{EvalReport, FactValue, eval_text};
