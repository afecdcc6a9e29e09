//! Writing what came into the text.

use std::collections::BTreeMap;

use crate::scenario::Scenario;
use crate::transcript::{NOTHING, Transcript};

/// The text with its `=>` lines replaced by the outputs; everything else stays. They stand directly under their event,
/// four spaces further in, or as far in as the ones that they replace; with details if one of those had some.
pub fn bless(text: &str, scenario: &Scenario, transcript: &Transcript) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    // An expected silence that was kept stays written.
    let kept = |line: usize| transcript.under(line).next().is_none();
    let old = scenario.expected.iter().filter(|each| each.text != NOTHING || !kept(each.line));
    let old: BTreeMap<usize, usize> = old.map(|each| (each.at_line, each.line)).collect();
    let mut indents: BTreeMap<usize, &str> = BTreeMap::new();
    let detailed: Vec<usize> =
        scenario.expected.iter().filter(|each| each.text.ends_with(')')).map(|each| each.line).collect();
    for (at, owner) in &old {
        indents.entry(*owner).or_insert_with(|| indent(lines[at - 1]));
    }
    let mut blessed = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate().map(|(at, line)| (at + 1, *line)) {
        if old.contains_key(&at) {
            continue;
        }
        blessed.push_str(line);
        let outputs = transcript.under(at);
        let deeper = format!("{}    ", indent(line));
        let indent = indents.get(&at).copied().unwrap_or(&deeper);
        for output in outputs {
            if !blessed.ends_with('\n') {
                blessed.push('\n');
            }
            blessed.push_str(&format!("{indent}=> {}\n", output.written(detailed.contains(&at))));
        }
    }
    blessed
}

fn indent(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}
