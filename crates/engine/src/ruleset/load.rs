//! A ruleset from the texts of its files: everything that is wrong with all of them at once, or a ruleset that works.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use headroom_policy::yaml::{Node, parse};
use headroom_policy::{Diagnostic, Schema, Severity, Span, Symbol, render};
use sha2::{Digest, Sha256};

use crate::features::{FactDef, Feature, catalogue};
use crate::ids::fact_key;
use crate::output::RuleNames;

use super::fact_file::{self, Facts};
use super::fields::{Findings, near};
use super::rule::Rule;
use super::rule_file::{self, Known, Source, stem};
use super::settings::Settings;
use super::settings_file::{self, Overrides};
use super::strategy_file::{self, Strategies};
use super::table::{self, Score, TableSource};
use super::{Reader, Ruleset};

const SETTINGS: &str = "ruleset.yaml";
const FACTS: &str = "facts.yaml";
const STRATEGIES: &str = "strategies.yaml";

/// What was found in one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileReport {
    /// Its path within the ruleset.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Errors and warnings in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl FileReport {
    /// All findings against the lines that they are about.
    pub fn render(&self, color: bool) -> String {
        render(&self.path, &self.text, &self.diagnostics, color)
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|each| each.severity == Severity::Error)
    }
}

/// Endings of the files that hold rules.
const ENDINGS: [&str; 3] = [".rule.yaml", ".table.yaml", ".table.csv"];

/// Whether a path belongs to a ruleset's content: `ruleset.yaml`, `facts.yaml`, `strategies.yaml`, and in any folder
/// `*.rule.yaml`, `*.table.yaml`, `*.table.csv`.
pub fn is_content(path: &str) -> bool {
    [SETTINGS, FACTS, STRATEGIES].contains(&path) || ENDINGS.iter().any(|ending| path.ends_with(ending))
}

/// The hash of a ruleset's content, lower-case hex: SHA-256 over path and text of its files sorted by path, each
/// preceded by its length in bytes (8 bytes, big-endian). Other files, tests among them, do not count.
pub fn content_hash(files: &[(String, String)]) -> String {
    let mut content: Vec<&(String, String)> = files.iter().filter(|(path, _)| is_content(path)).collect();
    content.sort();
    let mut hash = Sha256::new();
    for part in content.iter().flat_map(|(path, text)| [path, text]) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// SHA-256 of a text, lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A file on its way.
struct File<'a> {
    path: &'a str,
    text: &'a str,
    root: Option<Node>,
    found: Findings,
}

impl<'a> File<'a> {
    fn sheet((path, text): &'a (String, String)) -> Self {
        let mut found = Findings::default();
        let root = table::csv_rows(text, &mut found);
        Self { path, text, root, found }
    }

    fn is_table(&self) -> bool {
        self.path.ends_with(".table.yaml")
    }

    /// The path without its ending: a table and the CSV file of its rows share it.
    fn trunk(&self) -> &str {
        ENDINGS.iter().find_map(|ending| self.path.strip_suffix(ending)).unwrap_or(self.path)
    }

    fn new((path, text): &'a (String, String)) -> Self {
        match parse(text) {
            Ok(root) => Self { path, text, root: Some(root), found: Findings::default() },
            Err(errors) => Self { path, text, root: None, found: Findings(errors) },
        }
    }

    /// A file with errors shows only those: many a warning only follows from an error.
    fn report(mut self) -> FileReport {
        if self.found.0.iter().any(|each| each.severity == Severity::Error) {
            self.found.0.retain(|each| each.severity == Severity::Error);
        }
        self.found.0.sort_by_key(|each| (each.span, each.severity));
        FileReport { path: self.path.to_owned(), text: self.text.to_owned(), diagnostics: self.found.0 }
    }
}

impl Ruleset {
    /// A ruleset from its files, each a path within the ruleset (with `/`) and its text; other files are left out.
    /// Without `ruleset.yaml` every setting has its default; without `facts.yaml` there are the facts of the catalogue;
    /// without `strategies.yaml` every segment has every rule.
    /// Errors: one report for each file with an error or a warning, errors of all files at once.
    pub fn load(files: &[(String, String)]) -> Result<Ruleset, Vec<FileReport>> {
        let mut content: Vec<&(String, String)> = files.iter().filter(|(path, _)| is_content(path)).collect();
        content.sort();
        let mut loading = Loading::new(&content);
        let parts = loading.read();
        let (errors, warnings) = loading.reports();
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(finished(content_hash(files), parts, warnings))
    }
}

struct Loading<'a> {
    settings: Option<File<'a>>,
    facts: Option<File<'a>>,
    strategies: Option<File<'a>>,
    /// Rules and tables.
    rules: Vec<File<'a>>,
    /// CSV files with rows of tables.
    sheets: Vec<File<'a>>,
}

/// What was read.
struct Parts {
    facts: Facts,
    schema: Schema,
    settings: Settings,
    rules: Vec<Rule>,
    scores: Vec<Score>,
    strategies: Strategies,
}

impl<'a> Loading<'a> {
    fn new(content: &[&'a (String, String)]) -> Self {
        let mut loading = Self { settings: None, facts: None, strategies: None, rules: Vec::new(), sheets: Vec::new() };
        for file in content {
            match file.0.as_str() {
                SETTINGS => loading.settings = Some(File::new(file)),
                FACTS => loading.facts = Some(File::new(file)),
                STRATEGIES => loading.strategies = Some(File::new(file)),
                path if path.ends_with(".table.csv") => loading.sheets.push(File::sheet(file)),
                _ => loading.rules.push(File::new(file)),
            }
        }
        loading
    }

    fn read(&mut self) -> Parts {
        let features: Vec<&'static Feature> = catalogue().collect();
        let mut facts = fact_file::built_in();
        if let Some(File { root: Some(root), found, .. }) = &mut self.facts {
            fact_file::read(root, &features, &mut facts, found);
        }
        let mut symbols = symbols(&features, &facts.declared);
        let scores_from = symbols.len();
        self.declare_scores(&mut symbols);
        let schema = Schema::new(symbols);
        let known = Known { schema: &schema, features: &features, facts: &facts.by_key, scores_from };
        self.orphans();
        let (settings, mut rules, scores) = self.rules(&known);
        let strategies = self.strategies();
        rules.iter_mut().for_each(|rule| strategies.narrow(rule));
        Parts { facts, settings, rules, scores, schema, strategies }
    }

    /// Adds what tables compute to what rules may read.
    fn declare_scores(&mut self, symbols: &mut Vec<Symbol>) {
        for file in self.rules.iter_mut().filter(|file| file.is_table()) {
            let Some(root) = &file.root else { continue };
            for symbol in table::declared(stem(file.path), root) {
                if symbols.iter().any(|each| each.name == symbol.name) {
                    let span = root.get("points").map_or(root.span, |node| node.span);
                    let message = format!("the name `{}` is taken", symbol.name);
                    file.found.add(Diagnostic::error("HR0213", message, span).help("name the table or its part anew"));
                } else {
                    symbols.push(symbol);
                }
            }
        }
    }

    /// CSV files whose table does not exist.
    fn orphans(&mut self) {
        let tables: Vec<&str> = self.rules.iter().filter(|file| file.is_table()).map(File::trunk).collect();
        for sheet in self.sheets.iter_mut().filter(|sheet| !tables.contains(&sheet.trunk())) {
            let message = format!("there is no table `{}.table.yaml` for these rows", sheet.trunk());
            let line = sheet.text.find('\n').unwrap_or(sheet.text.len());
            sheet.found.add(Diagnostic::error("HR0245", message, Span { start: 0, end: line }));
        }
    }

    fn rules(&mut self, known: &Known<'_>) -> (Settings, Vec<Rule>, Vec<Score>) {
        let mut nothing = Findings::default();
        let (root, found) = match &mut self.settings {
            Some(file) => (file.root.as_ref(), &mut file.found),
            None => (None, &mut nothing),
        };
        let (settings, overrides) = root.map(|root| settings_file::settings(root, found)).unwrap_or_default();
        unknown_rules(&overrides, &self.rules, found);
        let mut rules: Vec<Rule> = Vec::new();
        let mut scores: Vec<Score> = Vec::new();
        for file in &mut self.rules {
            let (trunk, is_table) = (file.trunk(), file.is_table());
            let Some(root) = &file.root else { continue };
            let given = overrides.iter().find(|(key, _)| key.text == stem(file.path));
            let source = Source { path: file.path, text: file.text, root, overrides: given.map(|(_, node)| *node) };
            if is_table {
                let sheet = self.sheets.iter_mut().find(|sheet| sheet.trunk() == trunk);
                let mut nothing = Findings::default();
                let (sheet, of_sheet) = match sheet {
                    // What is wrong with the CSV itself is noted already.
                    Some(File { root: None, .. }) => continue,
                    Some(File { root: Some(root), text, found, .. }) => (Some((&*root, *text)), found),
                    None => (None, &mut nothing),
                };
                let source = TableSource { file: source, sheet };
                let (rule, points) = table::table(&source, known, &mut file.found, of_sheet, found);
                rules.extend(rule);
                scores.extend(points);
            } else {
                rules.extend(rule_file::rule(&source, known, &mut file.found, found));
            }
        }
        twins(&mut self.rules);
        rules.sort_by_key(|rule| rule.number);
        scores.sort_by_key(|score| score.slot);
        (settings, rules, scores)
    }

    /// Which segments have which rules; without the file all have all.
    fn strategies(&mut self) -> Strategies {
        let Some(File { root: Some(root), found, .. }) = &mut self.strategies else { return Strategies::default() };
        let ids: Vec<&str> = self.rules.iter().map(|file| stem(file.path)).collect();
        strategy_file::read(root, &ids, found)
    }

    /// Files with errors, and files with warnings.
    fn reports(self) -> (Vec<FileReport>, Vec<FileReport>) {
        let files =
            self.settings.into_iter().chain(self.facts).chain(self.strategies).chain(self.rules).chain(self.sheets);
        let reports = files.map(File::report).filter(|report| !report.diagnostics.is_empty());
        let (errors, warnings): (Vec<_>, Vec<_>) = reports.partition(FileReport::has_errors);
        match errors.is_empty() {
            true => (errors, warnings),
            false => (errors.into_iter().chain(warnings).collect(), Vec::new()),
        }
    }
}

/// Features in the catalogue's order, then declared facts in the order of their file.
fn symbols(features: &[&'static Feature], declared: &[FactDef]) -> Vec<Symbol> {
    features.iter().map(|each| each.symbol()).chain(declared.iter().map(fact_file::symbol)).collect()
}

fn unknown_rules(overrides: &Overrides<'_>, rules: &[File<'_>], out: &mut Findings) {
    for (key, _) in overrides {
        if !rules.iter().any(|file| stem(file.path) == key.text) {
            let finding = Diagnostic::error("HR0211", format!("there is no rule `{}`", key.text), key.span);
            out.add(near(finding, &key.text, rules.iter().map(|file| stem(file.path))));
        }
    }
}

/// Ids and numbers are given once. Read from the documents, so that a rule with other errors counts too.
fn twins(files: &mut [File<'_>]) {
    let mut first: BTreeMap<(&str, String), String> = BTreeMap::new();
    for file in files {
        for key in ["id", "number"] {
            let Some(node) = file.root.as_ref().and_then(|root| root.get(key)) else { continue };
            let Some(text) = node.text() else { continue };
            let bare = text.trim().replace('_', if key == "number" { "" } else { "_" });
            if let Some(other) = first.get(&(key, bare.clone())) {
                file.found.add(twice(key, text, other, node.span));
            } else {
                first.insert((key, bare), file.path.to_owned());
            }
        }
    }
}

fn twice(key: &str, text: &str, other: &str, span: Span) -> Diagnostic {
    let finding = Diagnostic::error("HR0213", format!("the {key} `{text}` is taken by `{other}`"), span);
    match key {
        "number" => finding.help("numbers stand in stored forms: take one that no rule ever had"),
        _ => finding,
    }
}

/// A rule that reads a score reads what the score is made of.
pub fn with_scores(mut rule: Rule, scores: &[Score]) -> Rule {
    let within = scores.iter().filter(|score| rule.reads.binary_search(&score.slot).is_ok());
    let more: Vec<usize> = within.flat_map(|score| &score.reads).copied().collect();
    rule.reads.extend(more);
    rule.reads.sort_unstable();
    rule.reads.dedup();
    rule
}

fn finished(hash: String, parts: Parts, warnings: Vec<FileReport>) -> Ruleset {
    let Parts { facts, schema, settings, rules, scores, strategies } = parts;
    let rules: Vec<Rule> = rules.into_iter().map(|rule| with_scores(rule, &scores)).collect();
    let computed = (0..scores.len()).map(Reader::Score);
    let features: Vec<&'static Feature> = catalogue().collect();
    let declared = facts.declared.iter().map(|fact| Reader::Fact(fact_key(&fact.name), fact.default));
    let names = rules.iter().map(|rule| (rule.number, Arc::clone(&rule.id))).collect();
    let mut ruleset = Ruleset {
        hash: Arc::from(hash),
        schema,
        scores,
        readers: features.iter().map(|each| Reader::Feature(each)).chain(declared).chain(computed).collect(),
        rules,
        facts: facts.by_key,
        settings,
        names: RuleNames(names),
        warnings,
        strategies,
        by_kind: Vec::new(),
        by_fact: BTreeMap::new(),
    };
    ruleset.index();
    ruleset
}
