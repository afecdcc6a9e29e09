//! Proofs about a ruleset: which rules contradict, shadow, repeat or undo each other, which never fire, what they leave out.
//! Every finding about accounts carries one, confirmed by the evaluator that decides in production.
//!
//! Interval boxes first, then the solver (Z3) over the catalogue's ranges and invariants, three-valued as the language is.
//! The only crate that knows the solver. It reads no clock and no disk: the solver is bounded by work, not by time.

#![deny(clippy::float_arithmetic)]

mod accepted;
mod amounts;
mod analysis;
mod boxes;
mod effects;
mod encode;
mod follow;
mod ladder;
mod meet;
mod pairs;
mod plausible;
mod prove;
mod report;
mod single;
mod witness;
mod world;

pub use analysis::{Progress, Watch, analyse};
pub use report::{Effort, Finding, Kind, Named, Overlap, Report};
pub use witness::{Fact, Mismatch, Shown, Verdict, Witness};

pub use accepted::{CODES, NOTE_KEYS, Note, explain, notes};
