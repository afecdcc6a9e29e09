//! Where a text stands in its file: maps offsets in the text to offsets in the file.

use crate::diagnostic::Span;

/// A map from byte offsets in a text to byte offsets in the file it was taken from.
///
/// A text on one line is moved by a constant (`Origin::from(offset)`); a YAML block literal loses its indentation,
/// so each of its lines moves by its own amount; a folded or escaped scalar maps as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin(Shape);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Shape {
    /// Ascending pairs of (offset in the text, offset in the file); the first is at 0.
    Pieces(Vec<(usize, usize)>),
    Whole(Span),
}

impl Origin {
    /// Pieces that begin at these (text, file) offsets, ascending. Panics on an empty list.
    pub fn pieces(pieces: Vec<(usize, usize)>) -> Self {
        assert!(!pieces.is_empty(), "an origin needs a piece");
        Origin(Shape::Pieces(pieces))
    }

    /// Every offset maps to all of `span`.
    pub fn whole(span: Span) -> Self {
        Origin(Shape::Whole(span))
    }

    /// The span in the file for a span in the text.
    pub fn map(&self, span: Span) -> Span {
        match &self.0 {
            Shape::Whole(all) => *all,
            Shape::Pieces(pieces) => {
                let start = shift(pieces, span.start);
                let last = span.end.saturating_sub(1).max(span.start);
                let end = shift(pieces, last) + (span.end.saturating_sub(last));
                Span { start, end }
            }
        }
    }
}

fn shift(pieces: &[(usize, usize)], offset: usize) -> usize {
    let after = pieces.partition_point(|&(text, _)| text <= offset);
    let (text, file) = pieces[after.saturating_sub(1)];
    file + offset.saturating_sub(text)
}

impl From<usize> for Origin {
    fn from(offset: usize) -> Self {
        Origin(Shape::Pieces(vec![(0, offset)]))
    }
}

impl From<&Origin> for Origin {
    fn from(origin: &Origin) -> Self {
        origin.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_move_by_their_own_amount() {
        let origin = Origin::pieces(vec![(0, 10), (5, 18)]);
        assert_eq!(origin.map(Span { start: 1, end: 4 }), Span { start: 11, end: 14 });
        assert_eq!(origin.map(Span { start: 2, end: 7 }), Span { start: 12, end: 20 });
        assert_eq!(origin.map(Span { start: 6, end: 6 }), Span { start: 19, end: 19 });
    }
}
