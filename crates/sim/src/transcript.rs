//! What happened, line by line, and how it differs from what was expected.

use std::collections::BTreeMap;
use std::fmt::Write;

use headroom_engine::Output;

use crate::render::Renderer;
use crate::scenario::{Clock, Scenario, Step};

/// `=> nothing`: expected silence, for people to read.
pub const NOTHING: &str = "nothing";

/// One output as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The line of the event that it stands under.
    pub line: usize,
    /// As a `=>` line writes it; `at TIME ` before it where it was not decided at the event's time.
    pub text: String,
    /// What an expectation may ask for beside it, in parentheses; empty: nothing.
    pub detail: String,
}

impl Entry {
    /// The text with its detail.
    pub fn full(&self) -> String {
        if self.detail.is_empty() { self.text.clone() } else { format!("{} ({})", self.text, self.detail) }
    }

    /// Whether an expectation asks for this, with its detail or without.
    fn is_expected(&self, expected: &str) -> bool {
        match expected.strip_prefix(self.text.as_str()) {
            Some("") => true,
            Some(rest) => rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')')) == Some(&self.detail),
            None => false,
        }
    }

    /// As a list of expectations writes it: with details if they have some.
    pub(crate) fn written(&self, with_details: bool) -> String {
        if with_details { self.full() } else { self.text.clone() }
    }
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transcript {
    /// The outputs in their order.
    pub entries: Vec<Entry>,
    /// What each `?` line found, by its line.
    pub probes: BTreeMap<usize, String>,
}

impl Transcript {
    /// Adds an output that a step led to.
    pub fn push(&mut self, clock: &Clock, step: &Step, output: &Output) {
        let (text, at) = (Renderer::new(clock).output(output), Renderer::decided_at(output));
        let text = if step.series || at != step.at { format!("at {} {text}", clock.write(at)) } else { text };
        let detail = Renderer::new(clock).detail(output);
        self.entries.push(Entry { line: step.line, text, detail });
    }

    pub(crate) fn found(&mut self, at_line: usize, value: String) {
        self.probes.insert(at_line, value);
    }

    /// The outputs under a line.
    pub fn under(&self, line: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |each| each.line == line)
    }
}

/// A place where it came otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// The line of the event.
    pub line: usize,
    /// It, as written.
    pub event: String,
    /// The expectations under it and the outputs, one a line: ` ` both, `-` expected only, `+` came only.
    pub diff: Vec<(char, String)>,
}

/// Where outputs and looks differ from what the text expects, in the order of the text. Empty: as expected.
pub fn compare(scenario: &Scenario, transcript: &Transcript) -> Vec<Mismatch> {
    let mut events: BTreeMap<usize, &str> = BTreeMap::new();
    for step in &scenario.steps {
        // A promotion's own records stand before the line that shows what they led to.
        events.insert(step.line, &step.text);
    }
    let lines = scenario.expected.iter().map(|each| each.line).chain(scenario.probes.iter().map(|each| each.line));
    for line in lines {
        events.entry(line).or_insert("");
    }
    let differing = events.into_iter().filter_map(|(line, event)| {
        let diff = differences(scenario, transcript, line);
        let differs = diff.iter().any(|(mark, _)| *mark != ' ');
        differs.then(|| Mismatch { line, event: event.to_owned(), diff })
    });
    differing.collect()
}

fn differences(scenario: &Scenario, transcript: &Transcript, line: usize) -> Vec<(char, String)> {
    let expected = scenario.expected.iter().filter(|each| each.line == line && each.text != NOTHING);
    let expected = expected.map(|each| each.text.as_str());
    let mut diff = diff(&expected.collect::<Vec<_>>(), &transcript.under(line).collect::<Vec<_>>());
    for (_, text) in &mut diff {
        text.insert_str(0, "=> ");
    }
    for probe in scenario.probes.iter().filter(|each| each.line == line) {
        let found = transcript.probes.get(&probe.at_line).map_or("nothing", String::as_str);
        let name = if probe.feature.is_empty() { probe.name.word() } else { &probe.feature };
        let said = format!("? {name} {}", probe.account);
        if same_value(&probe.value, found) {
            continue;
        }
        diff.push(('-', format!("{said} {}", probe.value)));
        diff.push(('+', format!("{said} {found}")));
    }
    diff
}

/// `0` and `0.00`, `1_000.00` and `1000.00` are the same.
fn same_value(expected: &str, found: &str) -> bool {
    let money = crate::scenario::read_money;
    expected == found || (money(expected).is_some() && money(expected) == money(found))
}

/// The shortest way from one list to the other (longest common subsequence; lists here are short).
fn diff(expected: &[&str], came: &[&Entry]) -> Vec<(char, String)> {
    let details = expected.iter().any(|each| each.ends_with(')'));
    let mut common = vec![vec![0_usize; came.len() + 1]; expected.len() + 1];
    for at in (0..expected.len()).rev() {
        for to in (0..came.len()).rev() {
            common[at][to] = if came[to].is_expected(expected[at]) {
                common[at + 1][to + 1] + 1
            } else {
                common[at + 1][to].max(common[at][to + 1])
            };
        }
    }
    let (mut at, mut to, mut found) = (0, 0, Vec::new());
    while at < expected.len() || to < came.len() {
        if at < expected.len() && to < came.len() && came[to].is_expected(expected[at]) {
            found.push((' ', expected[at].to_owned()));
            (at, to) = (at + 1, to + 1);
        } else if to == came.len() || (at < expected.len() && common[at + 1][to] >= common[at][to + 1]) {
            found.push(('-', expected[at].to_owned()));
            at += 1;
        } else {
            found.push(('+', came[to].written(details)));
            to += 1;
        }
    }
    found
}

/// Mismatches for people: the event with its place, then the lines that differ with those around them.
pub fn render_mismatches(path: &str, mismatches: &[Mismatch]) -> String {
    let mut text = String::new();
    for each in mismatches {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{path}:{}: {}", each.line, each.event);
        for (mark, line) in &each.diff {
            let _ = writeln!(text, "  {mark} {line}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_keeps_what_is_common() {
        let entries = ["a", "x", "c", "d"].map(|text| entry(text, ""));
        let came: Vec<&Entry> = entries.iter().collect();
        let marks: String = diff(&["a", "b", "c"], &came).iter().map(|(mark, _)| *mark).collect();
        assert_eq!(marks, " -+ +");
        assert!(diff(&[], &[]).is_empty());
    }

    fn entry(text: &str, detail: &str) -> Entry {
        Entry { line: 1, text: text.to_owned(), detail: detail.to_owned() }
    }

    #[test]
    fn details_count_where_they_are_asked_for() {
        let came = entry("review M1 fraud", "high, blocking");
        assert!(came.is_expected("review M1 fraud") && came.is_expected("review M1 fraud (high, blocking)"));
        assert!(!came.is_expected("review M1 fraud (high)") && !came.is_expected("review M1 fraud ()"));
        let diff = diff(&["review M1 fraud (high)"], &[&came]);
        assert_eq!(diff[1], ('+', "review M1 fraud (high, blocking)".to_owned()));
    }

    #[test]
    fn amounts_are_compared_as_amounts() {
        assert!(same_value("1000.00", "1_000.00") && same_value("0.00", "0") && same_value("active", "active"));
        assert!(!same_value("1.00", "1.01"));
    }
}
