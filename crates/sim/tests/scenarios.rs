//! Every scenario of the repository: as written, and the same through the shard's step in batches of any size.

mod blessing;
mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_policy::render;
use headroom_sim::{Scenario, bless, compare, parse_scenario, render_mismatches, run_bare, run_step};

fn scenarios() -> Vec<(String, String, Scenario)> {
    let ruleset = common::builtin();
    let files = common::files("scenarios").into_iter().filter(|(name, _)| name.ends_with(".scn"));
    let read = files.map(|(name, text)| {
        let scenario = parse_scenario(&text, &ruleset.settings.zone);
        let scenario = scenario.unwrap_or_else(|findings| panic!("{}", render(&name, &text, &findings, false)));
        (name, text, scenario)
    });
    read.collect()
}

#[test]
fn every_scenario_comes_as_written() {
    let ruleset = common::builtin();
    let mut report = String::new();
    for (name, text, scenario) in scenarios() {
        let run = run_bare(&scenario, &ruleset);
        if blessing::is_wanted() {
            blessing::write("scenarios", &name, &bless(&text, &scenario, &run.transcript));
        }
        report += &render_mismatches(&format!("scenarios/{name}"), &compare(&scenario, &run.transcript));
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn the_step_decides_the_same_in_any_batches() {
    let ruleset = common::builtin();
    for (name, _, scenario) in scenarios() {
        let run = run_bare(&scenario, &ruleset);
        let outputs: Vec<_> = run.outputs.iter().map(|(_, output)| output.clone()).collect();
        for size in [1, 7, 1_000] {
            let stepped = run_step(&run, &ruleset, size);
            assert_eq!(stepped.outputs, outputs, "{name}: outputs in batches of {size}");
            let all: BTreeMap<_, _> = run.accounts.clone();
            assert_eq!(stepped.accounts, all, "{name}: accounts in batches of {size}");
            assert_eq!(Arc::as_ref(&stepped.state.broadcasts), &*run.broadcasts, "{name}: broadcasts");
            assert_eq!(stepped.state.sweep, run.sweep, "{name}: the sweep");
        }
    }
}
