//! Places: the YAML parser counts characters, diagnostics count bytes.

use saphyr_parser::{ScalarStyle, Span as Marks};

use crate::diagnostic::Span;
use crate::origin::Origin;

/// Byte offsets of a file's characters.
pub struct Places<'a> {
    pub text: &'a str,
    /// One entry per character and the end; empty for ASCII, where both counts are the same.
    bytes: Vec<usize>,
}

impl<'a> Places<'a> {
    pub fn new(text: &'a str) -> Self {
        let bytes = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
        };
        Places { text, bytes }
    }

    pub fn byte(&self, character: usize) -> usize {
        let byte = match self.bytes.is_empty() {
            true => character,
            false => self.bytes.get(character).copied().unwrap_or(usize::MAX),
        };
        byte.min(self.text.len())
    }

    pub fn span(&self, marks: Marks) -> Span {
        let start = self.byte(marks.start.index());
        Span { start, end: self.byte(marks.end.index()).max(start) }
    }

    /// Where the offsets of a scalar's value are in the file.
    pub fn origin(&self, value: &str, style: ScalarStyle, marks: Marks) -> Origin {
        let span = self.span(marks);
        let raw = &self.text[span.start..span.end];
        let quoted = raw.len().checked_sub(1).and_then(|end| raw.get(1..end));
        match style {
            ScalarStyle::Literal => self.literal(value, span.start, marks.start.col()),
            ScalarStyle::Plain if raw == value => Origin::from(span.start),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if quoted == Some(value) => {
                Origin::from(span.start + 1)
            }
            _ => Origin::whole(span),
        }
    }

    /// A `|` block: each line of the value is a line of the file without its indentation.
    /// `start` is the first character that is not indentation of the first line that is not empty.
    fn literal(&self, value: &str, start: usize, indent: usize) -> Origin {
        let blank = value.len() - value.trim_start_matches('\n').len();
        let mut pieces = if blank > 0 { vec![(0, start)] } else { Vec::new() };
        let (mut within, mut at) = (blank, start);
        for line in value[blank..].split_inclusive('\n') {
            pieces.push((within, at));
            within += line.len();
            at = self.next_line(at, indent);
        }
        if pieces.is_empty() {
            pieces.push((0, start));
        }
        Origin::pieces(pieces)
    }

    /// Where the content of the next line begins: behind its indentation, or at its end if it is shorter.
    fn next_line(&self, from: usize, indent: usize) -> usize {
        let rest = &self.text[from..];
        let line = rest.find('\n').map_or(self.text.len(), |at| from + at + 1);
        let spaces = self.text[line..].bytes().take(indent);
        line + spaces.take_while(|&byte| byte == b' ').count()
    }
}
