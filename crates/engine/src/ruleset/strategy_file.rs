//! `strategies.yaml`: which rules a segment has. Groups name families and single rules; a segment has groups.

use std::collections::BTreeMap;

use headroom_policy::Diagnostic;
use headroom_policy::yaml::{Key, Kind, Node};

use crate::vocabulary::{Family, Segment};

use super::fields::{Fields, Findings, each, entries, near, snake, word};
use super::rule::Rule;

/// The keys of `strategies.yaml`; it has both.
pub const STRATEGY_KEYS: &[&str] = &["groups", "segments"];

/// The keys of a group.
pub const GROUP_KEYS: &[&str] = &["families", "rules"];

/// What a group holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Group {
    families: Vec<Family>,
    rules: Vec<String>,
}

impl Group {
    fn holds(&self, rule: &Rule) -> bool {
        self.families.contains(&rule.family) || self.rules.iter().any(|id| **id == *rule.id)
    }
}

/// The groups of each segment that the file names; a segment that it does not name has every rule.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Strategies {
    segments: Vec<(Segment, Vec<Group>)>,
}

impl Strategies {
    /// Narrows a rule to the segments whose strategy holds it. What is left of `segments` may be nothing: then the rule
    /// is for nobody.
    pub fn narrow(&self, rule: &mut Rule) {
        if self.segments.is_empty() {
            return;
        }
        let kept: Vec<Segment> =
            Segment::ALL.iter().copied().filter(|each| rule.is_for(*each) && self.has(*each, rule)).collect();
        rule.retired = kept.is_empty();
        rule.segments = if kept.len() == Segment::ALL.len() { Vec::new() } else { kept };
    }

    fn has(&self, segment: Segment, rule: &Rule) -> bool {
        let groups = self.segments.iter().find(|(each, _)| *each == segment);
        groups.is_none_or(|(_, groups)| groups.iter().any(|each| each.holds(rule)))
    }
}

/// Reads the file. `ids`: the rules that there are.
pub fn read(root: &Node, ids: &[&str], out: &mut Findings) -> Strategies {
    let Some(fields) = Fields::of(root, "the file of strategies", STRATEGY_KEYS, out) else {
        return Strategies::default();
    };
    let groups = fields.need("groups", out).map(|node| groups(node, ids, out)).unwrap_or_default();
    let segments = fields.need("segments", out).map(|node| segments(node, &groups, out)).unwrap_or_default();
    Strategies { segments }
}

fn groups(node: &Node, ids: &[&str], out: &mut Findings) -> BTreeMap<String, Group> {
    let mut found = BTreeMap::new();
    for (key, node) in out.take(entries(node, "the groups")).unwrap_or_default() {
        found.insert(key.text.clone(), group(node, ids, out));
    }
    found
}

fn group(node: &Node, ids: &[&str], out: &mut Findings) -> Group {
    let Some(fields) = Fields::of(node, "a group", GROUP_KEYS, out) else { return Group::default() };
    let families = match fields.get("families") {
        Some(node) => each(node, out, |node| word(node, "family", Family::ALL, Family::word)),
        None => Vec::new(),
    };
    let rules = match fields.get("rules") {
        Some(node) => each(node, out, |node| rule_id(node, ids)),
        None => Vec::new(),
    };
    Group { families, rules }
}

fn rule_id(node: &Node, ids: &[&str]) -> Result<String, Diagnostic> {
    let id = snake(node)?;
    if ids.contains(&id.as_str()) {
        return Ok(id);
    }
    let finding = Diagnostic::error("HR0211", format!("there is no rule `{id}`"), node.span);
    Err(near(finding, &id, ids.iter().copied()))
}

fn segments(node: &Node, groups: &BTreeMap<String, Group>, out: &mut Findings) -> Vec<(Segment, Vec<Group>)> {
    let mut found: Vec<(Segment, Vec<Group>)> = Vec::new();
    for (key, node) in out.take(entries(node, "the segments")).unwrap_or_default() {
        let Some(segment) = out.take(segment(key)) else { continue };
        let names = if node.kind == Kind::Null { Vec::new() } else { each(node, out, |node| group_name(node, groups)) };
        found.push((segment, names));
    }
    found
}

fn segment(key: &Key) -> Result<Segment, Diagnostic> {
    Segment::parse(&key.text).ok_or_else(|| {
        let finding = Diagnostic::error("HR0204", format!("`{}` is no segment", key.text), key.span);
        near(finding, &key.text, Segment::ALL.iter().map(|each| each.word()))
    })
}

fn group_name(node: &Node, groups: &BTreeMap<String, Group>) -> Result<Group, Diagnostic> {
    let name = snake(node)?;
    groups.get(&name).cloned().ok_or_else(|| {
        let finding = Diagnostic::error("HR0204", format!("`{name}` is no group"), node.span);
        near(finding, &name, groups.keys().map(String::as_str))
    })
}
