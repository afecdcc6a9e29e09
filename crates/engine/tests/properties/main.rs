//! What holds for every stream of events, whatever it says.

#[path = "../shard/mod.rs"]
mod shard;

mod changes;
mod explained;
mod money;
mod records;
mod streams;

use std::sync::{Arc, LazyLock};

use headroom_engine::{LimitChange, Output, Ruleset};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// The built-in rules, compiled once.
fn builtin() -> &'static Arc<Ruleset> {
    static BUILTIN: LazyLock<Arc<Ruleset>> = LazyLock::new(|| shard::load(&shard::builtin_files()));
    &BUILTIN
}

/// Holds a property against so many values, the same ones each time. `PROPTEST_CASES=2560` tries ten times as many.
fn hold<S: Strategy>(cases: u32, values: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    const USUAL: u32 = 256;
    let cases = cases.saturating_mul(Config::default().cases).div_ceil(USUAL);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(error) = runner.run(values, property) {
        panic!("{error}");
    }
}

fn changes(outputs: &[Output]) -> impl Iterator<Item = &LimitChange> {
    outputs.iter().filter_map(|each| match each {
        Output::LimitChange(change) => Some(&**change),
        _ => None,
    })
}
