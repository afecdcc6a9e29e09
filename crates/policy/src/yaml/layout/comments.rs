//! Comments of a file and what they stand beside.

use crate::diagnostic::Span;
use crate::yaml::{Kind, Node, Style};

/// A comment with its `#`, without the line's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Comment {
    pub span: Span,
    /// Nothing stands before it on its line.
    pub own_line: bool,
}

/// The comments of a file in its order: a `#` at a line's start or behind a blank, in no scalar.
pub fn comments(text: &str, root: &Node) -> Vec<Comment> {
    let mut taken = Vec::new();
    scalars(text, root, &mut taken);
    taken.sort_unstable();
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        found.extend(in_line(text, Span { start, end: start + line.trim_end().len() }, &taken));
        start += line.len();
    }
    found
}

fn in_line(text: &str, line: Span, taken: &[Span]) -> Option<Comment> {
    let starts = |at: &usize| *at == line.start || text[..*at].ends_with([' ', '\t']);
    let free = |at: &usize| !taken.iter().any(|span| (span.start..span.end).contains(at));
    let marks = text.get(line.start..line.end)?.match_indices('#').map(|(at, _)| line.start + at);
    let at = marks.filter(starts).find(free)?;
    Some(Comment { span: Span { start: at, end: line.end }, own_line: text[line.start..at].trim().is_empty() })
}

/// Where scalars and keys stand.
fn scalars(text: &str, node: &Node, taken: &mut Vec<Span>) {
    match &node.kind {
        Kind::Scalar { style, .. } => taken.push(extent(text, node.span, *style)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                taken.push(key.span);
                scalars(text, value, taken);
            }
        }
        Kind::Seq(elements) => elements.iter().for_each(|each| scalars(text, each, taken)),
        Kind::Null => {}
    }
}

/// A scalar's place; of a block that of its lines, which end where one is less far in.
pub fn extent(text: &str, span: Span, style: Style) -> Span {
    if !matches!(style, Style::Literal | Style::Folded) {
        return span;
    }
    let column = span.start - text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let mut end = span.start;
    let mut at = span.start - column;
    for line in text[at..].split_inclusive('\n') {
        let body = line.trim_end();
        let indent = line.len() - line.trim_start_matches(' ').len();
        if !body.is_empty() && indent < column {
            break;
        }
        if !body.is_empty() {
            end = at + body.len();
        }
        at += line.len();
    }
    Span { start: span.start, end: end.max(span.start) }
}
