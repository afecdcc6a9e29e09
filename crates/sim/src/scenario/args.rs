//! The parts of an event, taken one by one; what is missing, wrong or left over becomes a finding.

use std::str::FromStr;

use headroom_engine::Timestamp;
use headroom_policy::{Currency, Diagnostic, Span, suggest};

use super::clock::{Clock, span};
use super::line::Word;
use super::lists::nth_word;
use super::money::read_money;

/// What is left of a line.
pub struct Args<'a> {
    pub clock: &'a Clock,
    /// When the event happens: spans in it count from here.
    pub at: Timestamp,
    /// Of amounts.
    pub currency: Currency,
    words: Vec<Word<'a>>,
    named: Vec<(Word<'a>, Word<'a>)>,
    /// Keys that were asked for, for "did you mean".
    asked: Vec<&'static str>,
    line: Span,
    pub found: Vec<Diagnostic>,
}

impl<'a> Args<'a> {
    /// The words of a line's nth event: of lists they have one value each.
    pub fn new(
        clock: &'a Clock,
        at: Timestamp,
        currency: Currency,
        words: &[Word<'a>],
        line: Span,
        nth: Option<usize>,
    ) -> Self {
        let mut args = Self {
            clock,
            at,
            currency,
            words: Vec::new(),
            named: Vec::new(),
            asked: Vec::new(),
            line,
            found: Vec::new(),
        };
        for word in words {
            match word.text.find('=').filter(|at| *at > 0) {
                Some(at) => {
                    let key = Word { text: &word.text[..at], start: word.start };
                    args.named.push((key, nth_word(word.from(at + 1), nth)));
                }
                None => args.words.push(nth_word(*word, nth)),
            }
        }
        args
    }

    /// The next word without a key.
    pub fn maybe(&mut self) -> Option<Word<'a>> {
        (!self.words.is_empty()).then(|| self.words.remove(0))
    }

    /// The next word without a key, if it is this one.
    pub fn keyword(&mut self, text: &str) -> bool {
        let there = self.words.first().is_some_and(|each| each.text == text);
        if there {
            self.words.remove(0);
        }
        there
    }

    /// The next word without a key, which must be there.
    pub fn word(&mut self, what: &str) -> Option<Word<'a>> {
        let word = self.maybe();
        if word.is_none() {
            self.missing(what);
        }
        word
    }

    pub fn missing(&mut self, what: &str) {
        self.found.push(Diagnostic::error("HR0403", format!("{what} is missing"), self.line));
    }

    pub fn wrong(&mut self, word: Word<'_>, help: &str) {
        let message = format!("`{}` cannot stand here", word.text);
        self.found.push(Diagnostic::error("HR0404", message, word.span()).help(help));
    }

    /// The value of a key.
    pub fn named(&mut self, key: &'static str) -> Option<Word<'a>> {
        self.asked.push(key);
        let at = self.named.iter().position(|(each, _)| each.text == key)?;
        Some(self.named.remove(at).1)
    }

    /// The first `key=value` whose key has a point: a fact.
    pub fn fact(&mut self) -> Option<(Word<'a>, Word<'a>)> {
        let at = self.named.iter().position(|(key, _)| key.text.contains('.'));
        if at.is_none() {
            self.missing("a fact, like `fraud.list_hit=true`,");
        }
        at.map(|at| self.named.remove(at))
    }

    /// Reads a word; what it cannot read is a finding.
    pub fn take<T>(&mut self, word: Option<Word<'a>>, read: impl Fn(&str) -> Option<T>, help: &str) -> Option<T> {
        let word = word?;
        let value = read(word.text);
        if value.is_none() {
            self.wrong(word, help);
        }
        value
    }

    pub fn money(&mut self, word: Option<Word<'a>>) -> Option<i64> {
        self.take(word, read_money, "an amount is written `1_200.50`")
    }

    /// An amount without a key, which must be there.
    pub fn amount(&mut self, what: &str) -> Option<i64> {
        let word = self.word(what);
        self.money(word)
    }

    pub fn money_named(&mut self, key: &'static str) -> Option<i64> {
        let word = self.named(key);
        self.money(word)
    }

    /// An amount by key, which must be there.
    pub fn money_needed(&mut self, key: &'static str) -> Option<i64> {
        let word = self.needed(key);
        self.money(word)
    }

    /// The value of a key, which must be there.
    pub fn needed(&mut self, key: &'static str) -> Option<Word<'a>> {
        let word = self.named(key);
        if word.is_none() {
            self.missing(&format!("`{key}=`"));
        }
        word
    }

    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.named(key).map(|each| each.text.to_owned())
    }

    pub fn number<T: FromStr>(&mut self, word: Option<Word<'a>>) -> Option<T> {
        self.take(word, |text| text.replace('_', "").parse().ok(), "a whole number is needed")
    }

    pub fn flag(&mut self, word: Option<Word<'a>>) -> Option<bool> {
        self.take(word, |text| text.parse().ok(), "`true` or `false` is needed")
    }

    /// A time, or a span after the event.
    pub fn time(&mut self, word: Option<Word<'a>>) -> Option<Timestamp> {
        let (clock, at) = (self.clock, self.at);
        let read = |text: &str| match text.strip_prefix('+') {
            Some(text) => span(text).map(|span| at.plus(span)),
            None => clock.read(text),
        };
        self.take(word, read, "a time is written `2025-11-10T20:05`, `2025-11-10` or `+3d`")
    }

    pub fn time_named(&mut self, key: &'static str) -> Option<Timestamp> {
        let word = self.named(key);
        self.time(word)
    }

    /// One of a list of words.
    pub fn one_of<T: Copy>(
        &mut self,
        word: Option<Word<'a>>,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let word = word?;
        let found = all.iter().copied().find(|each| name(*each) == word.text);
        if found.is_none() {
            let names: Vec<&str> = all.iter().map(|each| name(*each)).collect();
            let near = suggest(word.text, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            self.wrong(word, &near.unwrap_or_else(|| format!("one of {} is needed", names.join(", "))));
        }
        found
    }

    /// Everything that nobody asked for is a finding.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        for word in std::mem::take(&mut self.words) {
            let message = format!("`{}` is one word too many", word.text);
            self.found.push(Diagnostic::error("HR0405", message, word.span()));
        }
        for (key, _) in std::mem::take(&mut self.named) {
            let finding = Diagnostic::error("HR0405", format!("the event takes no `{}=`", key.text), key.span());
            let near = suggest(key.text, self.asked.iter().copied());
            self.found.push(match near {
                Some(near) => finding.help(format!("did you mean `{near}=`?")),
                None => finding,
            });
        }
        self.found
    }
}
