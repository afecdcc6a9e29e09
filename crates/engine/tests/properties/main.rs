//! What holds for every stream of events, whatever it says.

#[path = "../shard/mod.rs"]
mod shard;

mod changes;
mod explained;
mod money;
mod monthly;
mod records;
mod streams;
mod sweeps;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use headroom_engine::{LimitChange, Output, Record, Ruleset, Timestamp, timers_step};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::shard::Shard;

/// The built-in rules, compiled once.
fn builtin() -> &'static Arc<Ruleset> {
    static BUILTIN: LazyLock<Arc<Ruleset>> = LazyLock::new(|| shard::load(&builtin_files()));
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

impl Shard {
    /// All records in batches of a size.
    pub fn played(ruleset: &Arc<Ruleset>, records: &[Record], size: usize) -> Self {
        let mut shard = Self::new(ruleset);
        records.chunks(size).for_each(|chunk| shard.batch(chunk.to_vec()));
        shard
    }

    /// Moves the clock, and ends a sweep.
    pub fn tick(&mut self, at: Timestamp) {
        loop {
            let batch = self.prepared(&[], Some(at));
            self.stepped(batch);
            if self.state.sweep.is_none() {
                return;
            }
        }
    }

    /// Fires what is due up to an instant, that which timers set up included.
    pub fn until(&mut self, until: Timestamp) {
        loop {
            let timers = self.due(until);
            if timers.is_empty() {
                return;
            }
            let accounts = self.loaded(timers.iter().map(|(id, _)| Arc::clone(id))).collect();
            let commit = timers_step(&self.ruleset, &self.state, timers, accounts, BTreeSet::new());
            self.take(commit);
        }
    }
}

/// The files of the built-in rules: path and text.
#[expect(clippy::disallowed_methods, reason = "a test reads its data from disk; the crate itself never does")]
fn builtin_files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let (mut found, mut folders): (Vec<(String, String)>, Vec<PathBuf>) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
            found.push((name, std::fs::read_to_string(&path).expect("a text")));
        }
    }
    found
}
