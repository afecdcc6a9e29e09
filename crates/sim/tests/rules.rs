//! The tests beside the built-in rules.

mod blessing;
mod common;

use headroom_sim::{bless_rule_tests, render_mismatches, run_rule_tests};

#[test]
fn the_tests_of_the_built_in_rules_pass() {
    let (ruleset, files) = (common::builtin(), common::files("rules"));
    if blessing::is_wanted() {
        for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".test.yaml")) {
            if let Ok(blessed) = bless_rule_tests(&ruleset, path, text) {
                blessing::write("rules", path, &blessed);
            }
        }
    }
    let report = run_rule_tests(&ruleset, &files);
    let broken: String = report.broken.iter().map(|each| each.render(false)).collect();
    let failed: String = report
        .failed
        .iter()
        .map(|each| format!("{}\n{}", each.test, render_mismatches(&format!("rules/{}", each.path), &each.mismatches)))
        .collect();
    assert!(report.is_fine(), "\n{broken}{failed}");
    assert!(report.passed > 0);
}
