//! Scenarios: one text for every driver. Read, run, compared, blessed; the tests of rules are scenarios too. Pure.

mod scenario;

mod bare;
mod asking;
mod memory;
mod render;
mod stepped;
mod transcript;

mod bless;
mod format;
mod mutate;
mod rule_tests;

pub use scenario::{
    Clock, Expected, Probe, ProbeName, Resolve, SCENARIO_CODES, Scenario, Step, StepKind, parse_scenario,
};

pub use bare::{Run, run_bare};
pub use render::Renderer;
pub use asking::{AskedCondition, AskedRule, Asking};
pub use memory::MemoryShard;
pub use stepped::{Stepped, run_step};
pub use transcript::{Entry, Mismatch, Transcript, compare, render_mismatches};

pub use bless::bless;
pub use format::format_file;
pub use rule_tests::{Coverage, Failure, Report, TestFileError, bless_rule_tests, run_rule_tests};

pub use mutate::{EquivalenceNote, Fate, Mutant, MutationCheck};
