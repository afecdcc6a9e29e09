//! Findings that a person accepted: `conflicts.yaml` beside the rules, each note bound to the content of its rules.

use std::collections::BTreeSet;

use headroom_policy::yaml::{Node, parse};
use headroom_policy::{Diagnostic, Span, suggest};

use crate::report::{Kind, Report};

/// Codes of this crate, each with its title, for the error pages.
pub const CODES: &[(&str, &str)] = &[
    ("HR0801", "a note about a conflict that cannot be read"),
    ("HR0802", "a witness that the evaluator contradicts"),
];

/// Keys of a note; it has all of them.
pub const NOTE_KEYS: [&str; 6] = ["kind", "rules", "hashes", "note", "by", "since"];

/// Why a finding stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// What kind of finding it explains.
    pub kind: Kind,
    /// Ids of the rules.
    pub rules: Vec<String>,
    /// Their hashes when it was written, in the order of the ids; the first twelve digits are enough.
    pub hashes: Vec<String>,
    /// Why.
    pub note: String,
    /// Who.
    pub by: String,
    /// Since when.
    pub since: String,
}

/// Fewer digits of a hash could be met by chance.
const DIGITS_MIN: usize = 12;

impl Note {
    fn is_about(&self, kind: Kind, rules: &[&str]) -> bool {
        let own: BTreeSet<&str> = self.rules.iter().map(String::as_str).collect();
        self.kind == kind && own == rules.iter().copied().collect()
    }

    fn is_bound_to(&self, id: &str, hash: &str) -> bool {
        let mut pairs = self.rules.iter().zip(&self.hashes);
        pairs.any(|(rule, bound)| rule == id && hash.starts_with(bound.as_str()))
    }
}

/// The notes of a `conflicts.yaml`, or everything that is wrong with it.
pub fn notes(text: &str) -> Result<Vec<Note>, Vec<Diagnostic>> {
    let root = parse(text)?;
    if root.what() == "nothing" {
        return Ok(Vec::new());
    }
    let Some(entries) = root.elements() else {
        return Err(vec![wrong("the notes are a list", root.span)]);
    };
    let read: Vec<Result<Note, Diagnostic>> = entries.iter().map(note).collect();
    let (fine, faulty): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
    match faulty.is_empty() {
        true => Ok(fine.into_iter().filter_map(Result::ok).collect()),
        false => Err(faulty.into_iter().filter_map(Result::err).collect()),
    }
}

fn wrong(message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::error("HR0801", message, span)
}

fn note(node: &Node) -> Result<Note, Diagnostic> {
    let Some(entries) = node.entries() else {
        return Err(wrong(format!("a note has keys, not {}", node.what()), node.span));
    };
    if let Some((key, _)) = entries.iter().find(|(key, _)| !NOTE_KEYS.contains(&key.text.as_str())) {
        let finding = wrong(format!("a note has no `{}`", key.text), key.span);
        return Err(match suggest(&key.text, NOTE_KEYS) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(format!("it has {}", NOTE_KEYS.join(", "))),
        });
    }
    let kind = text(node, "kind")?;
    let Some(kind) = Kind::parse(kind) else {
        let words: Vec<&str> = Kind::ALL.iter().map(|each| each.word()).collect();
        return Err(
            wrong(format!("`{kind}` is no kind of finding"), node.span).help(format!("one of {}", words.join(", ")))
        );
    };
    let (rules, hashes) = (texts(node, "rules")?, texts(node, "hashes")?);
    if rules.len() != hashes.len() {
        return Err(wrong("a note has one hash for each of its rules", node.span));
    }
    if let Some(short) = hashes.iter().find(|each| each.len() < DIGITS_MIN) {
        return Err(wrong(format!("`{short}` is too short for a hash"), node.span).help("twelve digits or more"));
    }
    let line = |key| text(node, key).map(str::to_owned);
    Ok(Note { kind, rules, hashes, note: line("note")?, by: line("by")?, since: line("since")? })
}

fn text<'a>(node: &'a Node, key: &str) -> Result<&'a str, Diagnostic> {
    let missing = || wrong(format!("a note needs `{key}`"), node.span);
    let value = node.get(key).ok_or_else(missing)?;
    let text = value.text().filter(|each| !each.trim().is_empty());
    text.ok_or_else(|| wrong(format!("`{key}` is a text"), value.span))
}

fn texts(node: &Node, key: &str) -> Result<Vec<String>, Diagnostic> {
    let value = node.get(key).ok_or_else(|| wrong(format!("a note needs `{key}`"), node.span))?;
    let elements = value.elements().ok_or_else(|| wrong(format!("`{key}` is a list"), value.span))?;
    let text = |each: &Node| {
        each.text().map(str::to_owned).ok_or_else(|| wrong(format!("`{key}` is a list of texts"), each.span))
    };
    elements.iter().map(text).collect()
}

/// Explains findings by the notes that are still about the rules as they are now.
pub fn explain(report: &mut Report, notes: &[Note]) {
    let mut used = vec![false; notes.len()];
    for finding in &mut report.findings {
        let ids: Vec<&str> = finding.rules.iter().map(|each| each.id.as_str()).collect();
        for (at, note) in notes.iter().enumerate().filter(|(_, note)| note.is_about(finding.kind, &ids)) {
            used[at] = true;
            if finding.rules.iter().all(|each| note.is_bound_to(&each.id, &each.hash)) {
                finding.note = Some(note.clone());
            } else {
                finding.voided = true;
            }
        }
        finding.voided &= finding.note.is_none();
    }
    let idle = notes.iter().zip(&used).filter(|(_, used)| !**used);
    report.idle_notes = idle.map(|(note, _)| format!("{} of {}", note.kind.word(), note.rules.join(", "))).collect();
}
