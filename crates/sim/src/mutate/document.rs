//! The changes of a rule's document that one of its tests must notice: its expressions, the values of its parameters,
//! what its actions are given, and its head.

use std::slice;

use headroom_engine::{Action, CAN_DO, CapName, Cause, Hit, HoldOf, Priority, Rule, Ruleset, Scope};
use headroom_policy::yaml::{Kind, Node, Style};
use headroom_policy::{Program, Schema, Span};

use crate::holes::never_unknown;

use super::cell::moved_borders;
use super::expression::rewritten;
use super::head;
use super::scalar::{neighbours, time_neighbours};

/// Which document is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Document {
    /// The rule's own.
    Rule,
    /// The rows of its CSV file.
    Sheet,
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
    /// What happens where: positions of the children from the root to the place.
    pub edits: Vec<(Vec<usize>, Edit)>,
    /// Where in the file it happens, a byte.
    pub at: usize,
    /// For people, and for notes that accept it: `when: delinquency.dpd >= 4 -> delinquency.dpd > 4`.
    pub text: String,
}

/// What a rule is read from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// Its own document.
    pub root: &'a Node,
    /// The rows of its CSV file.
    pub sheet: Option<&'a Node>,
    /// What the settings give its parameters.
    pub overrides: Option<&'a Node>,
}

/// All changes of a rule: condition, parameters, actions, in the order of the file's keys; then those of its head and of
/// its CSV file.
pub fn changes(rule: &Rule, ruleset: &Ruleset, sources: &Sources<'_>) -> Vec<Change> {
    let Sources { root, sheet, overrides } = *sources;
    let decided = never_unknown(rule, ruleset);
    let mut reader =
        Reader { rule, schema: &ruleset.schema, document: Document::Rule, place: Vec::new(), found: Vec::new() };
    for (at, (key, node)) in root.entries().unwrap_or_default().iter().enumerate() {
        reader.inside(at, |reader| match key.text.as_str() {
            "when" => reader.expression(node, "when", &rule.when),
            "params" => reader.params(node, overrides),
            "then" => reader.actions(node, &rule.actions, "then"),
            "points" => reader.points(node),
            "rows" => reader.rows(node, "rows", hit(root)),
            "otherwise" => reader.outcome(node, "otherwise"),
            _ => {}
        });
    }
    reader.found.extend(head::changes(root, decided));
    reader.place.clear();
    reader.document = Document::Sheet;
    if let Some(rows) = sheet {
        reader.rows(rows, "rows", hit(root));
    }
    reader.document = Document::Overrides;
    if let Some(overrides) = overrides {
        reader.given(overrides);
    }
    reader.found
}

/// Which row of a table counts where several match.
fn hit(table: &Node) -> Hit {
    let first = table.get("hit").and_then(Node::text).is_some_and(|word| word.trim() == Hit::First.word());
    if first { Hit::First } else { Hit::Unique }
}

/// The document with a change made; the same document if the place does not exist.
pub fn changed(root: &Node, change: &Change) -> Node {
    let mut root = root.clone();
    change.edits.iter().for_each(|(place, edit)| make(&mut root, place, edit));
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

/// A cell of a column.
struct Cell<'n> {
    /// The position of its row.
    row: usize,
    place: Vec<usize>,
    node: &'n Node,
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
        let edits = vec![(self.place.clone(), edit)];
        self.found.push(Change { document: self.document, edits, at, text });
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

    /// The parts of a table's score.
    fn points(&mut self, node: &Node) {
        for (at, (part, table)) in node.entries().unwrap_or_default().iter().enumerate() {
            self.inside(at, |reader| {
                for (nth, (key, node)) in table.entries().unwrap_or_default().iter().enumerate() {
                    let path = format!("points.{}.{}", part.text, key.text);
                    reader.inside(nth, |reader| match key.text.as_str() {
                        "rows" => reader.rows(node, &path, hit(table)),
                        "otherwise" => reader.outcome(node, &path),
                        _ => {}
                    });
                }
            });
        }
    }

    fn rows(&mut self, node: &Node, path: &str, hit: Hit) {
        let rows = node.elements().unwrap_or_default();
        self.borders(rows, path, hit);
        for (at, row) in rows.iter().enumerate() {
            self.inside(at, |reader| reader.outcome(row, &format!("{path}[{at}]")));
        }
    }

    /// What a row gives.
    fn outcome(&mut self, row: &Node, path: &str) {
        for (at, (key, node)) in row.entries().unwrap_or_default().iter().enumerate() {
            let path = format!("{path}.{}", key.text);
            self.inside(at, |reader| match key.text.as_str() {
                "points" => reader.steps(node, &path),
                "then" => {
                    if node.entries().is_some() {
                        reader.note(node.span.start, Edit::Say("none".to_owned()), &path, &action_words(node), "none");
                    }
                    let actions: Vec<Action> = reader.rule.ways().iter().flat_map(|way| way.1).cloned().collect();
                    reader.actions(node, &actions, &path);
                }
                _ => {}
            });
        }
    }

    /// The borders between rows, column by column. Of `first` rows, which may overlap, each moves by itself.
    fn borders(&mut self, rows: &[Node], path: &str, hit: Hit) {
        let mut columns: Vec<&str> = Vec::new();
        for (key, _) in rows.iter().flat_map(|row| row.entries().unwrap_or_default()) {
            if !["points", "then", "reason"].contains(&key.text.as_str()) && !columns.contains(&key.text.as_str()) {
                columns.push(&key.text);
            }
        }
        for column in columns {
            let cells: Vec<Cell<'_>> =
                rows.iter().enumerate().filter_map(|(row, node)| self.cell(row, node, column)).collect();
            match hit {
                Hit::Unique => self.moves(&cells, &format!("{path}.{column}")),
                Hit::First => {
                    for cell in &cells {
                        self.moves(slice::from_ref(cell), &format!("{path}[{}].{column}", cell.row));
                    }
                }
            }
        }
    }

    /// Every border between these cells moved.
    fn moves(&mut self, cells: &[Cell<'_>], path: &str) {
        let texts: Vec<&str> = cells.iter().map(|cell| cell.node.text().unwrap_or_default()).collect();
        for moved in moved_borders(&texts) {
            let said: Vec<String> = moved.iter().map(|(at, new)| format!("{} -> {new}", texts[*at])).collect();
            let Some(at) = moved.first().map(|(at, _)| cells[*at].node.span.start) else { continue };
            let edits = moved.into_iter().map(|(at, new)| (cells[at].place.clone(), Edit::Say(new))).collect();
            let text = format!("{path}: {}", said.join(", "));
            self.found.push(Change { document: self.document, edits, at, text });
        }
    }

    fn cell<'n>(&self, row: usize, node: &'n Node, column: &str) -> Option<Cell<'n>> {
        let at = node.entries()?.iter().position(|(key, _)| key.text == column)?;
        let place = self.place.iter().copied().chain([row, at]).collect();
        Some(Cell { row, place, node: &node.entries()?[at].1 })
    }

    fn actions(&mut self, node: &Node, actions: &[Action], path: &str) {
        match &node.kind {
            Kind::Seq(maps) => {
                for (at, map) in maps.iter().enumerate() {
                    self.inside(at, |reader| reader.action_map(map, at > 0, actions, path));
                }
            }
            _ => self.action_map(node, false, actions, path),
        }
    }

    fn action_map(&mut self, node: &Node, later: bool, actions: &[Action], whole: &str) {
        for (at, (word, arguments)) in node.entries().unwrap_or_default().iter().enumerate() {
            let path = format!("{whole}.{}", word.text);
            self.inside(at, |reader| {
                // Without its first action a rule is no longer of its class.
                if later || at > 0 {
                    reader.note(word.span.start, Edit::Drop, whole, &word.text, "nothing");
                }
                for (nth, (key, value)) in arguments.entries().unwrap_or_default().iter().enumerate() {
                    let path = format!("{path}.{}", key.text);
                    reader.inside(nth, |reader| {
                        reader.note(key.span.start, Edit::Drop, &path, value.text().unwrap_or("…").trim(), "nothing");
                        reader.argument(value, &path, &key.text, &word.text, actions);
                    });
                }
            });
        }
    }

    fn argument(&mut self, node: &Node, path: &str, key: &str, action: &str, actions: &[Action]) {
        if let Kind::Seq(elements) = &node.kind {
            for (at, element) in elements.iter().enumerate() {
                self.inside(at, |reader| {
                    if elements.len() > 1 {
                        let old = element.text().unwrap_or_default().to_owned();
                        reader.note(element.span.start, Edit::Drop, path, &old, "nothing");
                    }
                    reader.argument(element, path, key, action, actions);
                });
            }
            return;
        }
        let Some(text) = node.text() else { return };
        let own = actions.iter().flat_map(Action::programs).find(|program| program.text() == text);
        if let Some(program) = own {
            return self.expression(node, path, program);
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

/// What a row does, in a word for each action.
fn action_words(node: &Node) -> String {
    let maps = match &node.kind {
        Kind::Seq(maps) => maps.as_slice(),
        _ => slice::from_ref(node),
    };
    let words = maps.iter().flat_map(|map| map.entries().unwrap_or_default()).map(|(word, _)| word.text.as_str());
    words.collect::<Vec<_>>().join(", ")
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
