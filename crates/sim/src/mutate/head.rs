//! The changes of a rule's head: what fires it, for whom, about which causes, how often, what unknown does, what is told.

use headroom_engine::CAN_DO;
use headroom_policy::yaml::{Key, Node};

use super::document::{Change, Document, Edit};

/// All changes of the head, in the order of the file's keys. `decided`: the rule never ends unknown, so that what
/// follows from it is no matter.
pub fn changes(root: &Node, decided: bool) -> Vec<Change> {
    let entries = root.entries().unwrap_or_default().iter();
    let entries = entries.enumerate().filter(|(_, (key, _))| !(decided && key.text == "on_unknown"));
    let of_entry = |(at, (key, node)): (usize, &(Key, Node))| entry(at, key, node);
    entries.flat_map(of_entry).collect()
}

fn entry(at: usize, key: &Key, node: &Node) -> Vec<Change> {
    let gone = || change(vec![at], Edit::Drop, key.span.start, &key.text, &said(node), "nothing");
    let say = |new: &str| change(vec![at], Edit::Say(new.to_owned()), node.span.start, &key.text, &said(node), new);
    match (key.text.as_str(), node.text()) {
        ("on", _) => one_less(at, key, node),
        ("segments" | "cause", _) => one_less(at, key, node).into_iter().chain([gone()]).collect(),
        ("once", Some("account")) => vec![gone(), say("entry")],
        ("once", _) => vec![gone(), say("account")],
        ("on_unknown", Some("skip")) => vec![say("review")],
        ("on_unknown", _) => vec![say("skip")],
        ("notice", _) => told(vec![at], "notice", node).into_iter().chain([gone()]).collect(),
        ("notices", _) => {
            let classes = node.entries().unwrap_or_default().iter().enumerate();
            let of_class = |(nth, (class, node)): (usize, &(Key, Node))| {
                told(vec![at, nth], &format!("notices.{}", class.text), node)
            };
            classes.flat_map(of_class).collect()
        }
        _ => Vec::new(),
    }
}

/// Each element of a list left out, as long as another stays.
fn one_less(at: usize, key: &Key, node: &Node) -> Vec<Change> {
    let elements = node.elements().filter(|all| all.len() > 1).unwrap_or_default();
    let less = |(nth, element): (usize, &Node)| {
        change(vec![at, nth], Edit::Drop, element.span.start, &key.text, &said(element), "nothing")
    };
    elements.iter().enumerate().map(less).collect()
}

/// Another template, and other things that the customer can do.
fn told(place: Vec<usize>, path: &str, notice: &Node) -> Vec<Change> {
    let mut found = Vec::new();
    for (at, (key, node)) in notice.entries().unwrap_or_default().iter().enumerate() {
        let place: Vec<usize> = place.iter().copied().chain([at]).collect();
        let path = format!("{path}.{}", key.text);
        match (key.text.as_str(), node.text()) {
            ("template", Some(text)) => {
                let new = format!("other_{text}");
                found.push(change(place, Edit::Say(new.clone()), node.span.start, &path, text, &new));
            }
            ("can_do", None) => {
                for (nth, element) in node.elements().unwrap_or_default().iter().enumerate() {
                    let (old, place) = (said(element), place.iter().copied().chain([nth]).collect());
                    let new = CAN_DO.iter().find(|each| **each != old).copied().unwrap_or_default();
                    found.push(change(place, Edit::Say(new.to_owned()), element.span.start, &path, &old, new));
                }
            }
            _ => {}
        }
    }
    found
}

fn said(node: &Node) -> String {
    match node.elements() {
        Some(elements) => elements.iter().map(said).collect::<Vec<_>>().join(", "),
        None => node.text().unwrap_or("…").trim().to_owned(),
    }
}

fn change(place: Vec<usize>, edit: Edit, at: usize, path: &str, old: &str, new: &str) -> Change {
    Change { document: Document::Rule, edits: vec![(place, edit)], at, text: format!("{path}: {old} -> {new}") }
}
