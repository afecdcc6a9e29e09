//! Scenarios: one text for every driver. Read, run, compared, blessed; the tests of rules are scenarios too. Pure.

mod scenario;

mod asking;
mod bare;
mod memory;
mod render;
mod stepped;
mod transcript;

mod against;
mod bless;
mod coverage;
mod format;
mod holes;
mod mutate;
mod rows;
mod rule_tests;
mod scaffold;

pub use scenario::{
    Clock, Expected, Probe, ProbeName, Resolve, SCENARIO_CODES, Scenario, Step, StepKind, parse_scenario, write_money,
};

pub use asking::{AskedCondition, AskedRule, Questions};
pub use bare::{Run, run_bare, run_bare_watched};
pub use memory::MemoryShard;
pub use render::Renderer;
pub use stepped::{Stepped, run_step};
pub use transcript::{Entry, Mismatch, Transcript, compare, render_mismatches};

pub use against::{AccountFacts, Asking, Held, hold_against, missing_name, read_account_facts};
pub use bless::bless;
pub use coverage::{ConditionCoverage, Coverage};
pub use format::format_file;
pub use holes::Hole;
pub use rows::{CountedRow, RowCoverage};
pub use rule_tests::{
    Failure, KEYS as TEST_KEYS, Report, TestFileError, bless_rule_tests, cover_rule_tests, run_rule_tests,
};
pub use scaffold::Scaffold;

pub use mutate::{EquivalenceNote, Fate, Mutant, MutationCheck};
