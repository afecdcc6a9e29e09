//! YAML documents with the place of every node: one document, no anchors, no tags, no duplicate keys, bounded.

mod build;
mod layout;
mod place;

pub use layout::{Layout, layout};

use crate::diagnostic::{Diagnostic, Span};
use crate::origin::Origin;

/// The largest file, in bytes.
pub const BYTES_MAX: usize = 1 << 20;
/// How deep lists and maps may nest.
pub const DEPTH_MAX: usize = 32;

/// A node of a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands in the file.
    pub span: Span,
    origin: Origin,
}

/// What a node is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A single value, not interpreted: `1`, `true` and `x` are all text.
    Scalar {
        /// Its text, without quotes, escapes and indentation.
        text: String,
        /// How it is written.
        style: Style,
    },
    /// Keys and values in the order of the file.
    Map(Vec<(Key, Node)>),
    /// Elements in the order of the file.
    Seq(Vec<Node>),
    /// Nothing, `~` or `null`.
    Null,
}

/// The key of a map's entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Where it stands in the file.
    pub span: Span,
}

/// How a scalar is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Bare.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// As a `|` block: lines stay lines.
    Literal,
    /// As a `>` block: lines are joined.
    Folded,
}

impl Node {
    /// A node that no YAML gave: what another format holds at `span`, seen as if it stood in a document.
    /// A scalar's text begins at the span's start.
    pub fn made(kind: Kind, span: Span) -> Self {
        Node { kind, span, origin: Origin::from(span.start) }
    }

    /// The map from offsets in a scalar's text to the file, for [`crate::compile`].
    ///
    /// Exact for one plain line, a `|` block, and quotes without escapes; otherwise every offset means the whole node.
    pub fn source_map(&self) -> &Origin {
        &self.origin
    }

    /// The entries, if it is a map.
    pub fn entries(&self) -> Option<&[(Key, Node)]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn elements(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Seq(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text, if it is a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value of a key, if it is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let mut entries = self.entries()?.iter();
        entries.find(|(k, _)| k.text == key).map(|(_, node)| node)
    }

    /// What it is, in a word: for messages.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar { .. } => "a value",
            Kind::Map(_) => "a map",
            Kind::Seq(_) => "a list",
            Kind::Null => "nothing",
        }
    }
}

/// The one document of a file, or everything that is wrong with its YAML. An empty file is [`Kind::Null`].
pub fn parse(text: &str) -> Result<Node, Vec<Diagnostic>> {
    build::document(text)
}

#[cfg(test)]
mod tests;
