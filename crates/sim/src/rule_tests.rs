//! Tests of rules: a file `x.test.yaml` beside `x.rule.yaml`, a list of small scenarios.
//!
//! ```yaml
//! tests:
//!   - name: what is shown
//!     steps: |
//!       account M1 segment=merchant_key base=1_000.00
//!       2025-11-10T20:05 order_placed M1 seller 5.00
//!     silent: [large_order]
//! ```
//! `silent` names rules that must not fire anywhere in the test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use headroom_engine::{Rule, Ruleset, read_feeds};
use headroom_policy::yaml::{Node, parse};
use headroom_policy::{Diagnostic, Span, render, suggest};

use crate::bare::{Run, run_bare, run_bare_watched};
use crate::bless::bless;
use crate::coverage::Coverage;
use crate::holes::{Hole, Shown};
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
    /// What the tests beside each rule leave out, by rule number; of a watched run.
    pub holes: Vec<Hole>,
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

/// Runs the test files among `files` (path within the ruleset, text) against a ruleset.
pub fn run_rule_tests(ruleset: &Arc<Ruleset>, files: &[(String, String)]) -> Report {
    run_with(ruleset, files, run_bare)
}

/// As [`run_rule_tests`]; the coverage also has every condition of the rules with what it was in their tests, and the
/// report what they leave out.
pub fn cover_rule_tests(ruleset: &Arc<Ruleset>, files: &[(String, String)]) -> Report {
    let mut report = run_with(ruleset, files, run_bare_watched);
    report.holes = ruleset.rules.iter().flat_map(|rule| holes(ruleset, rule, files)).collect();
    report
}

/// What the tests beside a rule leave out. Files that cannot be read are told elsewhere.
fn holes(ruleset: &Arc<Ruleset>, rule: &Rule, files: &[(String, String)]) -> Vec<Hole> {
    let mut shown = Shown::new(rule, ruleset);
    let beside = rule.path.replace(".rule.yaml", ".test.yaml").replace(".table.yaml", ".test.yaml");
    let text = files.iter().find(|(path, _)| *path == beside).map(|(_, text)| text);
    for test in text.and_then(|text| read_tests(text, ruleset).ok()).unwrap_or_default() {
        shown.take(&test, &test.run(ruleset, run_bare_watched));
    }
    shown.holes()
}

fn run_with(ruleset: &Arc<Ruleset>, files: &[(String, String)], drive: Drive) -> Report {
    let mut report = Report::default();
    let mut coverage = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".test.yaml")) {
        match read_tests(text, ruleset) {
            Ok(tests) => {
                for test in tests {
                    let run = test.run(ruleset, drive);
                    report.take(ruleset, path, &test, &run);
                    cover(ruleset, path, &run, &mut coverage);
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

pub(crate) type Drive = fn(&Scenario, &Arc<Ruleset>) -> Run;

fn cover(ruleset: &Ruleset, path: &str, run: &Run, coverage: &mut BTreeMap<u32, Coverage>) {
    let beside = [".rule.yaml", ".table.yaml"].map(|ending| path.replace(".test.yaml", ending));
    if let Some(rule) = ruleset.rules.iter().find(|each| beside.contains(&each.path)) {
        coverage.entry(rule.number).or_insert_with(|| Coverage::of(rule, ruleset)).take(run, rule, ruleset);
    }
}

impl Report {
    /// Whether every test passed.
    pub fn is_fine(&self) -> bool {
        self.failed.is_empty() && self.broken.is_empty()
    }

    fn take(&mut self, ruleset: &Ruleset, path: &str, test: &Test, run: &Run) {
        let mismatches = test.mismatches(ruleset, run);
        match mismatches.first() {
            None => self.passed += 1,
            Some(first) => {
                let (path, test, line) = (path.to_owned(), test.name.clone(), first.line);
                self.failed.push(Failure { path, test, line, mismatches });
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
        let run = test.run(ruleset, run_bare);
        let block: String = lines[test.before..end].concat();
        blessed.push_str(&bless(&block, &test.scenario, &run.transcript));
        at = end;
    }
    lines[at..].iter().for_each(|line| blessed.push_str(line));
    Ok(blessed)
}

/// The keys of a test, in the order in which they are written.
pub const KEYS: &[&str] = &["name", "silent", "feeds", "steps"];

/// A test and where its steps stand.
#[derive(Debug)]
pub(crate) struct Test {
    pub name: String,
    pub scenario: Scenario,
    /// Lines of the file before the first step.
    before: usize,
    /// Lines of the steps.
    scenario_lines: usize,
    silent: Vec<Silent>,
    /// Heartbeats of sources, in place of those of the settings.
    feeds: Option<BTreeMap<String, i64>>,
}

impl Test {
    /// A run of its steps.
    pub fn run(&self, ruleset: &Arc<Ruleset>, drive: Drive) -> Run {
        let Some(feeds) = &self.feeds else { return drive(&self.scenario, ruleset) };
        let mut with_feeds = Ruleset::clone(ruleset);
        with_feeds.settings.feeds.clone_from(feeds);
        drive(&self.scenario, &Arc::new(with_feeds))
    }

    /// What came otherwise; lines are those of the file.
    pub fn mismatches(&self, ruleset: &Ruleset, run: &Run) -> Vec<Mismatch> {
        let mut mismatches = compare(&self.scenario, &run.transcript);
        mismatches.iter_mut().for_each(|each| each.line += self.before);
        mismatches.extend(self.silent.iter().filter_map(|silent| silent.mismatch(ruleset, run)));
        mismatches
    }
}

/// A rule that must not fire in a test.
#[derive(Debug)]
struct Silent {
    rule: u32,
    id: String,
    /// The line of the file that says so.
    line: usize,
}

impl Silent {
    fn mismatch(&self, ruleset: &Ruleset, run: &Run) -> Option<Mismatch> {
        let times = run.tallies.iter().flat_map(|each| &each.fired).filter(|fired| **fired == self.rule).count();
        let reason = ruleset.rules.iter().find(|each| each.number == self.rule).map_or("", |each| &each.reason);
        let id = &self.id;
        let diff =
            vec![('-', format!("`{id}` is silent")), ('+', format!("`{id}` fired {times} times because {reason}"))];
        (times > 0).then(|| Mismatch { line: self.line, event: format!("silent: {id}"), diff })
    }
}

pub(crate) fn read_tests(text: &str, ruleset: &Ruleset) -> Result<Vec<Test>, Vec<Diagnostic>> {
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
    if let Some((key, _)) = entries.iter().find(|(key, _)| !KEYS.contains(&key.text.as_str())) {
        let finding = wrong(&format!("a test has no `{}`", key.text), key.span);
        let near = suggest(&key.text, KEYS.iter().copied());
        return Err(vec![near.map_or(finding.clone(), |near| finding.help(format!("did you mean `{near}`?")))]);
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
    let silent = node.get("silent").map_or(Ok(Vec::new()), |node| silent(text, node, ruleset))?;
    let feeds = node.get("feeds").map(|node| read_feeds(node).map_err(|finding| vec![finding])).transpose()?;
    Ok(Test { name: name.to_owned(), scenario, before, scenario_lines, silent, feeds })
}

fn silent(text: &str, node: &Node, ruleset: &Ruleset) -> Result<Vec<Silent>, Vec<Diagnostic>> {
    let all = node.elements().unwrap_or(std::slice::from_ref(node));
    let mut found = Vec::new();
    let read = |node: &Node| {
        let id = node.text()?;
        let rule = ruleset.rules.iter().find(|each| *each.id == *id)?;
        let line = text[..node.span.start].matches('\n').count() + 1;
        Some(Silent { rule: rule.number, id: id.to_owned(), line })
    };
    let mut rules = Vec::new();
    for node in all {
        match read(node) {
            Some(rule) => rules.push(rule),
            None => found.push(no_rule(node, ruleset)),
        }
    }
    if found.is_empty() { Ok(rules) } else { Err(found) }
}

fn no_rule(node: &Node, ruleset: &Ruleset) -> Diagnostic {
    let id = node.text().unwrap_or_else(|| node.what());
    let finding = Diagnostic::error("HR0408", format!("there is no rule `{id}`"), node.span);
    match suggest(id, ruleset.rules.iter().map(|each| &*each.id)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("`silent` lists ids of rules of this ruleset"),
    }
}
