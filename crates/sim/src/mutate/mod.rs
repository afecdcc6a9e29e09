//! Mutation check: a change of a rule that none of its tests notices is a hole in the tests.

mod cell;
mod document;
mod expression;
mod head;
mod scalar;

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::{Rule, Ruleset, sheet_rows};
use headroom_policy::yaml::{Node, parse};

use crate::bare::run_bare;
use crate::rule_tests::{Test, TestFileError, read_tests};

use document::{Change, Document, Sources, changed, changes};

/// A change of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutant {
    /// The line of the rule's file, of the CSV file of its rows, or of `ruleset.yaml` where that gives the value, from 1.
    pub line: usize,
    /// Its file within the ruleset.
    pub path: String,
    /// Its text, for people and for notes: `when: delinquency.dpd >= 4 -> delinquency.dpd > 4`.
    pub text: String,
    change: Change,
}

/// What became of a mutant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// A test noticed, by its position in the file.
    Killed(usize),
    /// No test noticed.
    Survived,
    /// Nobody could write it: the loader refuses it.
    Refused,
    /// It is the same rule in other words.
    Same,
}

/// A note in a test file (`equivalent:`) that a mutant cannot be noticed by any test.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EquivalenceNote {
    /// The mutant's text.
    pub mutation: String,
    /// Why.
    pub because: String,
    /// The line of the test file, from 1.
    pub line: usize,
}

/// The mutation check of one rule: its mutants, its tests, its notes.
#[derive(Debug)]
pub struct MutationCheck {
    /// The rule's id.
    pub rule: Arc<str>,
    /// All its mutants.
    pub mutants: Vec<Mutant>,
    /// What its test file accepts.
    pub notes: Vec<EquivalenceNote>,
    /// Its test file within the ruleset.
    pub tests_path: String,
    /// Tests that fail on the rule as it is, by name: as long as there are any, nothing is known.
    pub failing: Vec<String>,
    ruleset: Arc<Ruleset>,
    path: String,
    text: String,
    root: Node,
    sheet: Option<Sheet>,
    overrides: Option<Node>,
    tests: Vec<Test>,
}

/// The rows of a table in a CSV file.
#[derive(Debug)]
struct Sheet {
    path: String,
    text: String,
    rows: Node,
}

impl MutationCheck {
    /// Prepares the check of a rule. `files`: rules, settings and tests, path within the ruleset and text.
    ///
    /// # Errors
    /// Its test file cannot be read.
    ///
    /// # Panics
    /// If the rule's own files are not among `files`, or not the texts that the ruleset was loaded from.
    pub fn new(ruleset: &Arc<Ruleset>, rule: &Rule, files: &[(String, String)]) -> Result<Self, TestFileError> {
        let text_of = |path: &str| files.iter().find(|(each, _)| each == path).map(|(_, text)| text.as_str());
        let text = text_of(&rule.path).expect("the rule's file").to_owned();
        let root = parse(&text).expect("a rule that was loaded");
        let settings = text_of("ruleset.yaml").map(|text| (text, parse(text).expect("settings that were loaded")));
        let given = settings.as_ref().and_then(|(_, root)| root.get("params")?.get(&rule.id));
        let tests_path = rule.path.replace(".rule.yaml", ".test.yaml").replace(".table.yaml", ".test.yaml");
        let (tests, notes) = match text_of(&tests_path) {
            Some(said) => tests_and_notes(ruleset, &tests_path, said)?,
            None => (Vec::new(), Vec::new()),
        };
        let sheet_path = rule.path.replace(".table.yaml", ".table.csv");
        let sheet = text_of(&sheet_path).filter(|_| rule.table.is_some()).map(str::to_owned);
        let sheet =
            sheet.map(|text| Sheet { rows: sheet_rows(&text).expect("rows that were loaded"), text, path: sheet_path });
        let mutant = |change: Change| {
            let (path, said) = match (change.document, &settings, &sheet) {
                (Document::Overrides, Some((text, _)), _) => ("ruleset.yaml", *text),
                (Document::Sheet, _, Some(sheet)) => (sheet.path.as_str(), sheet.text.as_str()),
                _ => (rule.path.as_str(), text.as_str()),
            };
            let (line, path) = (line_of(said, change.at), path.to_owned());
            Mutant { line, path, text: change.text.clone(), change }
        };
        let sources = Sources { root: &root, sheet: sheet.as_ref().map(|sheet| &sheet.rows), overrides: given };
        let mutants = changes(rule, ruleset, &sources).into_iter().map(mutant).collect();
        let failing = tests.iter().filter(|test| fails(test, ruleset)).map(|test| test.name.clone()).collect();
        Ok(Self {
            rule: Arc::clone(&rule.id),
            mutants,
            notes,
            tests_path,
            failing,
            ruleset: Arc::clone(ruleset),
            path: rule.path.clone(),
            overrides: given.cloned(),
            text,
            root,
            sheet,
            tests,
        })
    }

    /// Tries one mutant against the tests, the one at `first` first: who killed the last often kills the next.
    ///
    /// # Panics
    /// If there is no mutant `at`.
    pub fn try_mutant(&self, at: usize, first: usize) -> Fate {
        let change = &self.mutants[at].change;
        let made = |document: Document, node: &Node| match change.document == document {
            true => changed(node, change),
            false => node.clone(),
        };
        let root = made(Document::Rule, &self.root);
        let rows = self.sheet.as_ref().map(|sheet| made(Document::Sheet, &sheet.rows));
        let sheet = rows.as_ref().zip(self.sheet.as_ref()).map(|(rows, sheet)| (rows, sheet.text.as_str()));
        let overrides = self.overrides.as_ref().map(|node| made(Document::Overrides, node));
        let Ok(mutated) = self.ruleset.with_rule(&self.path, &self.text, &root, sheet, overrides.as_ref()) else {
            return Fate::Refused;
        };
        if self.is_same(&mutated) {
            return Fate::Same;
        }
        let mutated = Arc::new(mutated);
        let order =
            self.tests.get(first).map(|_| first).into_iter().chain((0..self.tests.len()).filter(|at| *at != first));
        let mut order = order;
        order.find(|at| fails(&self.tests[*at], &mutated)).map_or(Fate::Survived, Fate::Killed)
    }

    /// The note that accepts a mutant.
    pub fn note(&self, at: usize) -> Option<&EquivalenceNote> {
        self.notes.iter().find(|note| note.mutation == self.mutants[at].text)
    }

    /// Notes that accept nothing, given what became of each mutant.
    pub fn stale_notes(&self, fates: &[Fate]) -> Vec<&EquivalenceNote> {
        let survives = |note: &&EquivalenceNote| {
            let mut mutants = self.mutants.iter().zip(fates);
            mutants.any(|(mutant, fate)| *fate == Fate::Survived && mutant.text == note.mutation)
        };
        self.notes.iter().filter(|note| !survives(note)).collect()
    }

    /// The same rule: something that was written out is the default.
    fn is_same(&self, mutated: &Ruleset) -> bool {
        let said = |ruleset: &Ruleset| {
            let rule = ruleset.rules.iter().find(|each| each.path == self.path);
            let scores: Vec<_> = ruleset.scores.iter().filter(|each| *each.table == *self.rule).collect();
            rule.map(|rule| {
                let body = (&rule.when, &rule.params, &rule.actions, &rule.table, &scores);
                let head = (&rule.on, &rule.segments, rule.retired, &rule.causes, rule.once, rule.on_unknown);
                format!("{body:?} {head:?} {:?}", rule.notice)
            })
        };
        said(&self.ruleset) == said(mutated)
    }
}

fn fails(test: &Test, ruleset: &Arc<Ruleset>) -> bool {
    !test.mismatches(ruleset, &test.run(ruleset, run_bare)).is_empty()
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

fn tests_and_notes(
    ruleset: &Ruleset,
    path: &str,
    text: &str,
) -> Result<(Vec<Test>, Vec<EquivalenceNote>), TestFileError> {
    let broken = |diagnostics| TestFileError { path: path.to_owned(), text: text.to_owned(), diagnostics };
    let tests = read_tests(text, ruleset).map_err(broken)?;
    let root = parse(text).map_err(broken)?;
    notes(&root, text).map_err(|finding| broken(vec![finding])).map(|notes| (tests, notes))
}

fn notes(root: &Node, text: &str) -> Result<Vec<EquivalenceNote>, headroom_policy::Diagnostic> {
    let mut found: BTreeMap<String, EquivalenceNote> = BTreeMap::new();
    for node in root.get("equivalent").and_then(Node::elements).unwrap_or_default() {
        let said = |key: &str| node.get(key).and_then(Node::text).map(str::trim).filter(|text| !text.is_empty());
        let (Some(mutation), Some(because)) = (said("mutation"), said("because")) else {
            let message = "an accepted mutation needs `mutation` and `because`";
            let finding = headroom_policy::Diagnostic::error("HR0408", message, node.span);
            return Err(finding.help("`mutation` is the text that `headroom rules mutate` lists"));
        };
        let note = EquivalenceNote {
            mutation: mutation.to_owned(),
            because: because.to_owned(),
            line: line_of(text, node.span.start),
        };
        found.insert(mutation.to_owned(), note);
    }
    Ok(found.into_values().collect())
}
