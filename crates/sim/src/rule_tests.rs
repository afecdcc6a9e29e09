//! Tests of rules: a file `x.test.yaml` beside `x.rule.yaml`, a list of small scenarios.
//!
//! ```yaml
//! tests:
//!   - name: what is shown
//!     steps: |
//!       account M1 segment=merchant_key base=1_000.00
//!       2025-11-10T20:05 order_placed M1 seller 5.00
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headroom_engine::{Output, Ruleset, Trace, Verdict};
use headroom_policy::yaml::{Node, parse};
use headroom_policy::{Diagnostic, Span, render};

use crate::bare::{Run, run_bare};
use crate::bless::bless;
use crate::scenario::{Scenario, parse_scenario};
use crate::transcript::{Mismatch, compare};

/// What the tests of a ruleset showed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// How many tests passed.
    pub passed: usize,
    /// Those that did not, in the order of files and tests.
    pub failed: Vec<Failure>,
    /// Files that cannot be read as tests.
    pub broken: Vec<TestFileError>,
    /// What the tests of each rule reached, by rule number.
    pub coverage: Vec<Coverage>,
}

/// A test that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Its file.
    pub path: String,
    /// Its name.
    pub test: String,
    /// The first line of the file at which something came otherwise, from 1.
    pub line: usize,
    /// Everything that came otherwise; lines are those of the file.
    pub mismatches: Vec<Mismatch>,
}

/// A file that cannot be read as tests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TestFileError {
    /// The file.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

impl TestFileError {
    /// All findings against the lines that they are about.
    pub fn render(&self, color: bool) -> String {
        render(&self.path, &self.text, &self.diagnostics, color)
    }
}

/// What the tests beside a rule reached of it. Conditions are known of decisions in which the rule fired; how they
/// came out where it did not, the engine does not tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// The rule.
    pub rule: Arc<str>,
    /// Tests in which it fired.
    pub fired: usize,
    /// Tests in which it did not.
    pub silent: usize,
    /// How often it ended unknown.
    pub unknown: usize,
    /// Conditions in the order of the text, each with the verdicts that were seen.
    pub conditions: Vec<(String, Vec<Verdict>)>,
}

/// Runs the test files among `files` (path within the ruleset, text) against a ruleset.
pub fn run_rule_tests(ruleset: &Arc<Ruleset>, files: &[(String, String)]) -> Report {
    let mut report = Report::default();
    let mut coverage = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".test.yaml")) {
        match read_tests(text, ruleset) {
            Ok(tests) => {
                for test in tests {
                    report.take(ruleset, path, &test, &mut coverage);
                }
            }
            Err(diagnostics) => {
                report.broken.push(TestFileError { path: path.clone(), text: text.clone(), diagnostics });
            }
        }
    }
    report.coverage = coverage.into_values().collect();
    report
}

impl Report {
    /// Whether every test passed.
    pub fn is_fine(&self) -> bool {
        self.failed.is_empty() && self.broken.is_empty()
    }

    fn take(&mut self, ruleset: &Arc<Ruleset>, path: &str, test: &Test, coverage: &mut BTreeMap<u32, Coverage>) {
        let run = run_bare(&test.scenario, ruleset);
        let mut mismatches = compare(&test.scenario, &run.transcript);
        mismatches.iter_mut().for_each(|each| each.line += test.before);
        match mismatches.first() {
            None => self.passed += 1,
            Some(first) => {
                let (path, test, line) = (path.to_owned(), test.name.clone(), first.line);
                self.failed.push(Failure { path, test, line, mismatches });
            }
        }
        let beside = [".rule.yaml", ".table.yaml"].map(|ending| path.replace(".test.yaml", ending));
        if let Some(rule) = ruleset.rules.iter().find(|each| beside.contains(&each.path)) {
            let blank =
                || Coverage { rule: Arc::clone(&rule.id), fired: 0, silent: 0, unknown: 0, conditions: Vec::new() };
            coverage.entry(rule.number).or_insert_with(blank).take(&run, rule.number);
        }
    }
}

impl Coverage {
    fn take(&mut self, run: &Run, number: u32) {
        let fired = run.tallies.iter().any(|each| each.fired.contains(&number));
        self.fired += usize::from(fired);
        self.silent += usize::from(!fired);
        self.unknown += run.tallies.iter().flat_map(|each| &each.not_evaluated).filter(|each| **each == number).count();
        for (_, output) in &run.outputs {
            let trace = match output {
                Output::LimitChange(each) if each.rule.as_ref().is_some_and(|rule| rule.number == number) => {
                    each.trace.as_ref()
                }
                Output::Offer(each) if each.rule.number == number => each.trace.as_ref(),
                Output::Review(each) if each.rule_id == *self.rule => each.trace.as_ref(),
                _ => None,
            };
            if let Some(trace) = trace {
                self.note(trace);
            }
        }
    }

    fn note(&mut self, trace: &Trace) {
        for (text, verdict) in &trace.conditions {
            match self.conditions.iter_mut().find(|(each, _)| each == text) {
                Some((_, seen)) if seen.contains(verdict) => {}
                Some((_, seen)) => seen.push(*verdict),
                None => self.conditions.push((text.clone(), vec![*verdict])),
            }
        }
    }
}

/// A test file with the `=>` lines of its tests replaced by what came; other lines stay.
///
/// # Errors
/// What is wrong with the file.
pub fn bless_rule_tests(ruleset: &Arc<Ruleset>, path: &str, text: &str) -> Result<String, TestFileError> {
    let broken = |diagnostics| TestFileError { path: path.to_owned(), text: text.to_owned(), diagnostics };
    let tests = read_tests(text, ruleset).map_err(broken)?;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut blessed, mut at) = (String::with_capacity(text.len()), 0);
    for test in tests {
        let end = test.before + test.scenario_lines;
        lines[at..test.before].iter().for_each(|line| blessed.push_str(line));
        let run = run_bare(&test.scenario, ruleset);
        let block: String = lines[test.before..end].concat();
        blessed.push_str(&bless(&block, &test.scenario, &run.transcript));
        at = end;
    }
    lines[at..].iter().for_each(|line| blessed.push_str(line));
    Ok(blessed)
}

/// A test and where its steps stand.
struct Test {
    name: String,
    scenario: Scenario,
    /// Lines of the file before the first step.
    before: usize,
    /// Lines of the steps.
    scenario_lines: usize,
}

fn read_tests(text: &str, ruleset: &Ruleset) -> Result<Vec<Test>, Vec<Diagnostic>> {
    let root = parse(text)?;
    let mut found = Vec::new();
    let tests = root.get("tests").and_then(Node::elements).unwrap_or(&[]);
    if tests.is_empty() {
        return Err(vec![wrong("the file has no list `tests`", root.span)]);
    }
    let mut names = BTreeSet::new();
    let mut read = Vec::new();
    for node in tests {
        match read_test(text, node, ruleset) {
            Ok(test) if !names.insert(test.name.clone()) => {
                found.push(wrong(&format!("two tests are named `{}`", test.name), node.span));
            }
            Ok(test) => read.push(test),
            Err(findings) => found.extend(findings),
        }
    }
    if found.is_empty() { Ok(read) } else { Err(found) }
}

fn wrong(message: &str, span: Span) -> Diagnostic {
    let help = "a test is written `- name: …` and, below it, `steps: |` with the lines of a scenario";
    Diagnostic::error("HR0408", message, span).help(help)
}

fn read_test(text: &str, node: &Node, ruleset: &Ruleset) -> Result<Test, Vec<Diagnostic>> {
    let entries = node.entries().unwrap_or(&[]);
    if let Some((key, _)) = entries.iter().find(|(key, _)| !matches!(key.text.as_str(), "name" | "steps")) {
        return Err(vec![wrong(&format!("a test has no `{}`", key.text), key.span)]);
    }
    let name = node.get("name").and_then(Node::text);
    let steps = node.get("steps").and_then(|each| Some((each, each.text()?)));
    let (Some(name), Some((steps, said))) = (name, steps) else {
        return Err(vec![wrong("a test needs `name` and `steps`", node.span)]);
    };
    let origin = steps.source_map();
    let first = origin.map(Span { start: 0, end: 1.min(said.len()) }).start;
    let before = text[..first.min(text.len())].matches('\n').count();
    // The block's own lines: its text may end with more line ends than belong to it, never with fewer.
    let scenario_lines = said.trim_end().matches('\n').count() + 1;
    let scenario = parse_scenario(said, &ruleset.settings.zone).map_err(|findings| {
        let moved = |each: Diagnostic| Diagnostic { span: origin.map(each.span), ..each };
        findings.into_iter().map(moved).collect::<Vec<_>>()
    })?;
    Ok(Test { name: name.to_owned(), scenario, before, scenario_lines })
}
