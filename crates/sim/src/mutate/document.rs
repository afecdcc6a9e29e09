//! The changes of a rule's document that one of its tests must notice: its expressions, the values of its parameters,
//! and what its actions are given.

use headroom_engine::{CAN_DO, CapName, Cause, HoldOf, Priority, Rule, Scope};
use headroom_policy::yaml::{Kind, Node, Style};
use headroom_policy::{Program, Schema, Span};

use super::expression::rewritten;
use super::scalar::{neighbours, time_neighbours};

/// Which document is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Document {
    /// The rule's own.
    Rule,
    /// What the settings give its parameters.
    Overrides,
}

/// A change of one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// A scalar says this.
    Say(String),
    /// The entry or element is gone.
    Drop,
}

/// One change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// In which document.
    pub document: Document,
    /// Positions of the children from the root to the place.
    pub place: Vec<usize>,
    /// What happens there.
    pub edit: Edit,
    /// Where in the file it happens, a byte.
    pub at: usize,
    /// For people, and for notes that accept it: `when: delinquency.dpd >= 4 -> delinquency.dpd > 4`.
    pub text: String,
}

/// All changes of a rule: condition, parameters, actions, in the order of the file's keys.
pub fn changes(rule: &Rule, schema: &Schema, root: &Node, overrides: Option<&Node>) -> Vec<Change> {
    let mut reader = Reader { rule, schema, document: Document::Rule, place: Vec::new(), found: Vec::new() };
    for (at, (key, node)) in root.entries().unwrap_or_default().iter().enumerate() {
        reader.inside(at, |reader| match key.text.as_str() {
            "when" => reader.expression(node, "when", &rule.when),
            "params" => reader.params(node, overrides),
            "then" => reader.actions(node),
            _ => {}
        });
    }
    reader.document = Document::Overrides;
    reader.place.clear();
    if let Some(overrides) = overrides {
        reader.given(overrides);
    }
    reader.found
}

/// The document with a change made; the same document if the place does not exist.
pub fn changed(root: &Node, change: &Change) -> Node {
    let mut root = root.clone();
    make(&mut root, &change.place, &change.edit);
    root
}

fn make(node: &mut Node, place: &[usize], edit: &Edit) {
    match (place, edit, &mut node.kind) {
        ([], Edit::Say(text), kind) => *kind = Kind::Scalar { text: text.clone(), style: Style::Plain },
        ([at], Edit::Drop, Kind::Map(entries)) => drop(entries.remove(*at)),
        ([at], Edit::Drop, Kind::Seq(elements)) => drop(elements.remove(*at)),
        ([at, rest @ ..], _, Kind::Map(entries)) => make(&mut entries[*at].1, rest, edit),
        ([at, rest @ ..], _, Kind::Seq(elements)) => make(&mut elements[*at], rest, edit),
        _ => {}
    }
}

struct Reader<'a> {
    rule: &'a Rule,
    schema: &'a Schema,
    document: Document,
    place: Vec<usize>,
    found: Vec<Change>,
}

impl Reader<'_> {
    fn inside(&mut self, at: usize, read: impl FnOnce(&mut Self)) {
        self.place.push(at);
        read(self);
        self.place.pop();
    }

    fn note(&mut self, at: usize, edit: Edit, path: &str, old: &str, new: &str) {
        let text = format!("{path}: {old} -> {new}");
        self.found.push(Change { document: self.document, place: self.place.clone(), edit, at, text });
    }

    fn say(&mut self, node: &Node, path: &str, new: &str) {
        let old = node.text().unwrap_or_default().trim().to_owned();
        self.note(node.span.start, Edit::Say(new.to_owned()), path, &old, new);
    }

    fn expression(&mut self, node: &Node, path: &str, program: &Program) {
        for each in rewritten(program, self.schema) {
            let at = node.source_map().map(Span { start: each.at, end: each.at + 1 }).start;
            self.note(at, Edit::Say(each.text), path, &each.old, &each.new);
        }
    }

    /// Defaults of parameters; what the settings replace has no effect and is left out.
    fn params(&mut self, node: &Node, overrides: Option<&Node>) {
        for (at, (name, declared)) in node.entries().unwrap_or_default().iter().enumerate() {
            let given = overrides.and_then(|each| each.get(&name.text));
            for (nth, (key, value)) in declared.entries().unwrap_or_default().iter().enumerate() {
                let replaced = given.is_some_and(|each| each.text().is_some() || each.get(&key.text).is_some());
                if key.text == "type" || replaced {
                    continue;
                }
                let path = match key.text.as_str() {
                    "default" => format!("params.{}", name.text),
                    currency => format!("params.{}.{currency}", name.text),
                };
                self.inside(at, |reader| reader.inside(nth, |reader| reader.steps(value, &path)));
            }
        }
    }

    /// What the settings give.
    fn given(&mut self, overrides: &Node) {
        for (at, (name, value)) in overrides.entries().unwrap_or_default().iter().enumerate() {
            let path = format!("params.{}", name.text);
            self.inside(at, |reader| match value.entries() {
                None => reader.steps(value, &path),
                Some(entries) => {
                    for (nth, (currency, amount)) in entries.iter().enumerate() {
                        let path = format!("{path}.{}", currency.text);
                        reader.inside(nth, |reader| reader.steps(amount, &path));
                    }
                }
            });
        }
    }

    fn steps(&mut self, node: &Node, path: &str) {
        for other in node.text().map(neighbours).unwrap_or_default() {
            self.say(node, path, &other);
        }
    }

    fn actions(&mut self, node: &Node) {
        match &node.kind {
            Kind::Seq(maps) => {
                for (at, map) in maps.iter().enumerate() {
                    self.inside(at, |reader| reader.action_map(map, at > 0));
                }
            }
            _ => self.action_map(node, false),
        }
    }

    fn action_map(&mut self, node: &Node, later: bool) {
        for (at, (word, arguments)) in node.entries().unwrap_or_default().iter().enumerate() {
            let path = format!("then.{}", word.text);
            self.inside(at, |reader| {
                // Without its first action a rule is no longer of its class.
                if later || at > 0 {
                    reader.note(word.span.start, Edit::Drop, "then", &word.text, "nothing");
                }
                for (nth, (key, value)) in arguments.entries().unwrap_or_default().iter().enumerate() {
                    let path = format!("{path}.{}", key.text);
                    reader.inside(nth, |reader| {
                        reader.note(key.span.start, Edit::Drop, &path, value.text().unwrap_or("…").trim(), "nothing");
                        reader.argument(value, &path, &key.text, &word.text);
                    });
                }
            });
        }
    }

    fn argument(&mut self, node: &Node, path: &str, key: &str, action: &str) {
        if let Kind::Seq(elements) = &node.kind {
            for (at, element) in elements.iter().enumerate() {
                self.inside(at, |reader| {
                    if elements.len() > 1 {
                        let old = element.text().unwrap_or_default().to_owned();
                        reader.note(element.span.start, Edit::Drop, path, &old, "nothing");
                    }
                    reader.argument(element, path, key, action);
                });
            }
            return;
        }
        let Some(text) = node.text() else { return };
        let own = self.rule.actions.iter().flat_map(|each| each.programs()).find(|program| program.text() == text);
        if let Some(program) = own.cloned() {
            return self.expression(node, path, &program);
        }
        let text = text.trim();
        let mut others = neighbours(text);
        others.extend(time_neighbours(text));
        others.extend(words(action, key, text));
        for other in others {
            self.say(node, path, &other);
        }
    }
}

/// Other words that an argument may have.
fn words(action: &str, key: &str, text: &str) -> Vec<String> {
    let others = |all: &[&str]| all.iter().filter(|each| **each != text).map(|each| (*each).to_owned()).collect();
    let next = |all: &[&str]| {
        let at = all.iter().position(|each| *each == text).map_or(0, |at| (at + 1) % all.len());
        vec![all[at].to_owned()]
    };
    match (action, key) {
        (_, "scope") => others(&Scope::ALL.iter().map(|each| each.word()).collect::<Vec<_>>()),
        (_, "priority") => others(&Priority::ALL.iter().map(|each| each.word()).collect::<Vec<_>>()),
        ("hold", "of") => next(&HoldOf::ALL.iter().map(|each| each.word()).collect::<Vec<_>>()),
        ("undo", "of") => next(&["cause", "fault"]),
        (_, "cause") => next(&Cause::ALL.iter().map(|each| each.word()).collect::<Vec<_>>()),
        ("cap" | "uncap", "name") => next(&CapName::ALL.iter().map(|each| each.word()).collect::<Vec<_>>()),
        (_, "can_do") => next(CAN_DO),
        (_, "kind" | "template") => vec![format!("other_{text}")],
        _ => Vec::new(),
    }
}
