//! Lines, words, and where they stand.

use headroom_policy::Span;

/// A word and where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word<'a> {
    pub text: &'a str,
    pub start: usize,
}

impl<'a> Word<'a> {
    pub fn span(&self) -> Span {
        Span { start: self.start, end: self.start + self.text.len() }
    }

    /// The part from a byte of the word on.
    pub fn from(&self, at: usize) -> Word<'a> {
        Word { text: &self.text[at..], start: self.start + at }
    }
}

/// A line that is not empty.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// From 1.
    pub number: usize,
    pub words: Vec<Word<'a>>,
    /// Without indentation and comment.
    pub text: &'a str,
    pub span: Span,
}

/// The lines of a text that say something. A comment begins with `#` at a line's start or after a space.
pub fn lines(text: &str) -> Vec<Line<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, whole) in text.split_inclusive('\n').enumerate() {
        let said = without_comment(whole);
        let body = said.trim();
        if !body.is_empty() {
            let first = start + (said.len() - said.trim_start().len());
            let span = Span { start: first, end: first + body.len() };
            found.push(Line { number: at + 1, words: words(body, first), text: body, span });
        }
        start += whole.len();
    }
    found
}

/// Outputs may quote anything: in `=>` lines nothing is a comment.
fn without_comment(line: &str) -> &str {
    let body = line.trim_start();
    if body.starts_with('#') {
        return "";
    }
    if body.starts_with("=>") {
        return line;
    }
    line.find(" #").map_or(line, |at| &line[..at])
}

fn words(body: &str, start: usize) -> Vec<Word<'_>> {
    let quotes = !body.starts_with("=>");
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(blank) = body[at..].find(|letter: char| !letter.is_whitespace()) {
        at += blank;
        let length = length(&body[at..], quotes);
        found.push(Word { text: &body[at..at + length], start: start + at });
        at += length;
    }
    found
}

/// Bytes of the first word; a list in quotes is one, with its blanks.
fn length(rest: &str, quotes: bool) -> usize {
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let opens = if rest.starts_with('\'') { Some(0) } else { rest[..end].find("='").map(|at| at + 1) };
    let closes = opens.filter(|_| quotes).and_then(|open| rest[open + 1..].find('\'').map(|at| open + at + 2));
    closes.map_or(end, |close| close + rest[close..].find(char::is_whitespace).unwrap_or(rest.len() - close))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_where_they_stand() {
        let text = "# head\n\n  order M1  5.00 # note\n    => review M1 a #1\npay 'a  b' k='c d' e\n";
        let found = lines(text);
        assert_eq!(found.iter().map(|each| each.number).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(found[2].words.iter().map(|each| each.text).collect::<Vec<_>>(), ["pay", "'a  b'", "k='c d'", "e"]);
        for word in found.iter().flat_map(|each| &each.words) {
            assert_eq!(&text[word.start..word.start + word.text.len()], word.text);
        }
        assert_eq!((found[0].text, found[1].text), ("order M1  5.00", "=> review M1 a #1"));
    }
}
