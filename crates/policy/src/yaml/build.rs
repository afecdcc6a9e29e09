//! Parser events to nodes.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as Marks, StrInput};

use super::place::Places;
use super::{BYTES_MAX, DEPTH_MAX, Key, Kind, Node, Style};
use crate::diagnostic::{Diagnostic, Span};
use crate::origin::Origin;

pub fn document(text: &str) -> Result<Node, Vec<Diagnostic>> {
    if text.len() > BYTES_MAX {
        let message = format!("the file has {} bytes, the most is {BYTES_MAX}", text.len());
        return Err(vec![Diagnostic::error("HR0143", message, Span::default())]);
    }
    let mut builder =
        Builder { places: Places::new(text), open: Vec::new(), documents: 0, root: None, errors: Vec::new() };
    builder.read(Parser::new_from_str(text));
    if builder.errors.is_empty() {
        Ok(builder.root.unwrap_or_else(|| null(Span::default())))
    } else {
        Err(builder.errors)
    }
}

struct Builder<'a> {
    places: Places<'a>,
    open: Vec<Open>,
    documents: usize,
    root: Option<Node>,
    errors: Vec<Diagnostic>,
}

/// A list or map whose end has not come yet.
struct Open {
    start: usize,
    held: Held,
}

enum Held {
    Seq(Vec<Node>),
    Map {
        entries: Vec<(Key, Node)>,
        /// Keys and the byte they began at.
        seen: BTreeMap<String, usize>,
        key: Option<Key>,
    },
}

/// Whether to go on reading.
type Flow = Option<()>;

impl<'a> Builder<'a> {
    fn read(&mut self, mut parser: Parser<'a, StrInput<'a>>) {
        while let Some(event) = parser.next_event() {
            let flow = match event {
                Ok((event, marks)) => self.event(event, marks),
                Err(error) => self.broken(&error),
            };
            if flow.is_none() {
                return;
            }
        }
    }

    fn broken(&mut self, error: &ScanError) -> Flow {
        let start = self.places.byte(error.marker().index());
        let span = Span { start, end: start };
        self.errors.push(Diagnostic::error("HR0140", error.info(), span));
        None
    }

    fn event(&mut self, event: Event<'_>, marks: Marks) -> Flow {
        let span = self.places.span(marks);
        match event {
            Event::DocumentStart(_) => return self.document_start(span),
            Event::Alias(_) => {
                self.refuse(span, "aliases");
                self.add(null(span));
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.plain_only(span, anchor, tag.is_some());
                let node = self.scalar(text.into_owned(), style, marks);
                self.add(node);
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain_only(span, anchor, tag.is_some());
                return self.start(span, Held::Seq(Vec::new()));
            }
            Event::MappingStart(anchor, tag) => {
                self.plain_only(span, anchor, tag.is_some());
                return self.start(span, empty_map());
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd | Event::Nothing => {}
        }
        Some(())
    }

    fn document_start(&mut self, span: Span) -> Flow {
        self.documents += 1;
        if self.documents == 1 {
            return Some(());
        }
        let message = "a file holds one document";
        self.errors.push(Diagnostic::error("HR0141", message, span).help("put this part into its own file"));
        None
    }

    fn refuse(&mut self, span: Span, what: &str) {
        let message = format!("{what} do not exist in rule files");
        self.errors.push(Diagnostic::error("HR0141", message, span));
    }

    fn plain_only(&mut self, span: Span, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.refuse(span, "anchors");
        }
        if tagged {
            self.refuse(span, "tags");
        }
    }

    fn start(&mut self, span: Span, held: Held) -> Flow {
        self.open.push(Open { start: span.start, held });
        if self.open.len() <= DEPTH_MAX {
            return Some(());
        }
        let message = format!("lists and maps nest deeper than {DEPTH_MAX}");
        self.errors.push(Diagnostic::error("HR0143", message, span));
        None
    }

    fn end(&mut self, span: Span) {
        let Some(open) = self.open.pop() else {
            return;
        };
        let (kind, end) = match open.held {
            Held::Seq(nodes) => {
                let last = nodes.last().map(|node| node.span.end);
                (Kind::Seq(nodes), last)
            }
            Held::Map { entries, .. } => {
                let last = entries.last().map(|(_, node)| node.span.end);
                (Kind::Map(entries), last)
            }
        };
        // A block ends with its last node, not where the parser noticed; a bracket is part of the node.
        let bracket = span.end > span.start;
        let end = last_of(end, bracket, span).max(open.start);
        let span = Span { start: open.start, end };
        self.add(Node { kind, span, origin: Origin::whole(span) });
    }

    fn scalar(&self, text: String, style: ScalarStyle, marks: Marks) -> Node {
        let span = self.places.span(marks);
        if style == ScalarStyle::Plain && matches!(text.as_str(), "" | "~" | "null") {
            return null(span);
        }
        let origin = self.places.origin(&text, style, marks);
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        Node { kind: Kind::Scalar { text, style }, span, origin }
    }

    /// A finished node: the root, an element, a key or a value.
    fn add(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.held) {
            None => self.root = Some(node),
            Some(Held::Seq(nodes)) => nodes.push(node),
            Some(Held::Map { entries, key, .. }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => self.key(node),
            },
        }
    }

    fn key(&mut self, node: Node) {
        let text = match node.kind {
            Kind::Scalar { text, .. } => text,
            _ => {
                let message = "a key has to be a plain text";
                self.errors.push(Diagnostic::error("HR0141", message, node.span));
                String::new()
            }
        };
        let span = node.span;
        let Some(Held::Map { seen, key, .. }) = self.open.last_mut().map(|open| &mut open.held) else {
            return;
        };
        *key = Some(Key { text: text.clone(), span });
        if let Some(&first) = seen.get(&text).filter(|_| !text.is_empty()) {
            let line = 1 + self.places.text[..first].matches('\n').count();
            let message = format!("the key `{text}` is given twice");
            let finding = Diagnostic::error("HR0142", message, span);
            self.errors.push(finding.help(format!("it is first given in line {line}")));
        } else {
            seen.insert(text, span.start);
        }
    }
}

fn empty_map() -> Held {
    Held::Map { entries: Vec::new(), seen: BTreeMap::new(), key: None }
}

fn last_of(last: Option<usize>, bracket: bool, span: Span) -> usize {
    match last {
        Some(last) if !bracket => last,
        _ => span.end,
    }
}

fn null(span: Span) -> Node {
    Node { kind: Kind::Null, span, origin: Origin::whole(span) }
}
