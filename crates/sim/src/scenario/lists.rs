//! The compact notation: `payments: '500 500 _ 500' every 30d` is one line for several events.

use headroom_policy::Diagnostic;

use super::clock::span;
use super::line::Word;

/// So many values may stand in a list: a typing error must not fill the memory.
const VALUES_MAX: usize = 1_000;
/// Other names of events, for lines with several of them.
const PLURALS: &[(&str, &str)] =
    &[("payments", "payment"), ("orders", "order_placed"), ("statements", "statement"), ("signals", "signal")];

/// How the events of a line follow each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spread {
    /// How many values its lists have; `None`: it has no list.
    pub values: Option<usize>,
    /// Milliseconds from one to the next.
    pub every: Option<i64>,
}

/// The event that a name stands for: `payments:` is `payment`.
pub fn singular<'a>(name: Word<'a>) -> Word<'a> {
    let bare = name.text.strip_suffix(':').unwrap_or(name.text);
    let text = PLURALS.iter().find(|(many, _)| *many == bare).map_or(bare, |(_, one)| one);
    Word { text, start: name.start }
}

/// Takes `every SPAN` off the end of a line's words, and counts the values of its lists.
pub fn take_spread(words: &mut Vec<Word<'_>>) -> Result<Spread, Diagnostic> {
    let mut spread = Spread::default();
    for word in words.iter() {
        let Some(list) = elements(value(*word)) else { continue };
        if list.is_empty() || list.len() > VALUES_MAX {
            return Err(wrong(*word, &format!("a list has 1 to {VALUES_MAX} values")));
        }
        if spread.values.is_some_and(|values| values != list.len()) {
            return Err(wrong(*word, "all lists of a line have the same number of values"));
        }
        spread.values = Some(list.len());
    }
    let at = words.len().saturating_sub(2);
    if let Some([every, long]) = words.get(at..).filter(|last| last.first().is_some_and(|each| each.text == "every")) {
        let millis = span(long.text).filter(|millis| *millis > 0);
        if spread.values.is_none() {
            return Err(wrong(*every, "behind an event it needs a list of values, like `'500 500 _ 500'`"));
        }
        spread.every = Some(millis.ok_or_else(|| wrong(*long, "a span is written `30d` or `1d12h`"))?);
        words.truncate(at);
    }
    Ok(spread)
}

/// The word that the nth event of a line has in the place of this one.
pub fn nth_word<'a>(word: Word<'a>, nth: Option<usize>) -> Word<'a> {
    let list = nth.and_then(|nth| elements(word)?.get(nth).copied());
    list.unwrap_or(word)
}

/// Whether the nth event of a line does not happen: one of its lists has `_` there.
pub fn is_gap(words: &[Word<'_>], nth: usize) -> bool {
    words
        .iter()
        .any(|word| elements(value(*word)).is_some_and(|list| list.get(nth).is_some_and(|each| each.text == "_")))
}

/// What stands behind `key=`; the word itself where it has no key.
fn value<'a>(word: Word<'a>) -> Word<'a> {
    word.text.find("='").map_or(word, |at| word.from(at + 1))
}

/// The values of `'a b _'`; `500x6` is six times `500`. `None`: no list.
fn elements<'a>(word: Word<'a>) -> Option<Vec<Word<'a>>> {
    let inner = word.text.strip_prefix('\'')?.strip_suffix('\'')?;
    let mut found = Vec::new();
    let mut at = 0;
    for text in inner.split_whitespace() {
        at += inner[at..].find(text).unwrap_or(0);
        let start = word.start + 1 + at;
        let (text, times) = repeated(text);
        found.extend(std::iter::repeat_n(Word { text, start }, times));
        at += text.len();
    }
    Some(found)
}

fn repeated(text: &str) -> (&str, usize) {
    let split = text.rsplit_once('x').filter(|(value, _)| !value.is_empty());
    let times = split.and_then(|(value, times)| Some((value, times.parse().ok()?)));
    times.filter(|(_, times)| (1..=VALUES_MAX).contains(times)).unwrap_or((text, 1))
}

pub fn wrong(word: Word<'_>, help: &str) -> Diagnostic {
    Diagnostic::error("HR0404", format!("`{}` cannot stand here", word.text), word.span()).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_with_gaps_and_repetitions() {
        let word = Word { text: "'500 7x2 _ ab'", start: 10 };
        let found = elements(word).unwrap_or_default();
        let texts: Vec<(&str, usize)> = found.iter().map(|each| (each.text, each.start)).collect();
        assert_eq!(texts, [("500", 11), ("7", 15), ("7", 15), ("_", 19), ("ab", 21)]);
        assert!(is_gap(&[word], 3) && !is_gap(&[word], 2));
        assert_eq!(nth_word(word, Some(1)).text, "7");
        assert_eq!(elements(Word { text: "500", start: 0 }), None);
    }

    #[test]
    fn the_rhythm_stands_at_the_end() {
        let mut words = ["M1", "a='1 2'", "'3 4'", "every", "2d"].map(|text| Word { text, start: 0 }).to_vec();
        let spread = take_spread(&mut words);
        assert_eq!(spread, Ok(Spread { values: Some(2), every: Some(172_800_000) }));
        assert_eq!(words.len(), 3);
        let uneven = take_spread(&mut ["'1 2'", "'3'"].map(|text| Word { text, start: 0 }).to_vec());
        assert!(uneven.is_err_and(|finding| finding.help.is_some_and(|help| help.contains("same number"))));
    }
}
