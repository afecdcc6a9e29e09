//! Splits a text into tokens before the parser sees it.
//!
//! This bounds what the parser may recurse on, refuses literals that the language does not have with better words
//! than a parser has, and gives every token its exact span (the parser only knows where operators begin).

use crate::diagnostic::{Diagnostic, Span};

/// The longest expression, in bytes.
pub const TEXT_MAX: usize = 4096;
/// How deep brackets and `?:` may nest.
pub const NESTING_MAX: usize = 32;
/// How many operators and dots may stand in one chain: the parser recurses once for each.
pub const CHAIN_MAX: usize = 128;

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Name,
    Int,
    Text,
    Open,
    Close,
    Operator,
}

/// A token and its place.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub class: Class,
    pub span: Span,
    /// For a bracket, the index of the token that matches it.
    pub partner: Option<usize>,
}

/// The tokens of an expression.
#[derive(Debug)]
pub struct Tokens<'a> {
    pub text: &'a str,
    pub list: Vec<Token>,
}

impl Tokens<'_> {
    /// The text of a token.
    pub fn str(&self, at: usize) -> &str {
        let span = self.list[at].span;
        &self.text[span.start..span.end]
    }

    /// The token that covers this byte, or the next one after it.
    pub fn at(&self, byte: usize) -> Option<usize> {
        let at = self.list.partition_point(|token| token.span.end <= byte);
        (at < self.list.len()).then_some(at)
    }

    /// The span widened so that every bracket in it has its partner in it.
    pub fn balanced(&self, mut span: Span) -> Span {
        loop {
            let wider = self.widened(span);
            if wider == span {
                return span;
            }
            span = wider;
        }
    }

    fn widened(&self, span: Span) -> Span {
        let first = self.list.partition_point(|token| token.span.start < span.start);
        let inside = self.list[first..].iter();
        inside
            .take_while(|token| token.span.end <= span.end)
            .filter_map(|token| token.partner)
            .map(|partner| self.list[partner].span)
            .fold(span, union)
    }
}

/// The smallest span around both.
pub fn union(a: Span, b: Span) -> Span {
    Span { start: a.start.min(b.start), end: a.end.max(b.end) }
}

/// Tokens within all bounds, or every character, literal and bracket that is wrong.
pub fn scan(text: &str) -> Result<Tokens<'_>, Vec<Diagnostic>> {
    if text.len() > TEXT_MAX {
        let message = format!("the expression has {} bytes, the most is {TEXT_MAX}", text.len());
        return Err(vec![Diagnostic::error("HR0100", message, Span { start: 0, end: 1 })]);
    }
    let mut scanner = Scanner { text, at: 0, list: Vec::new(), errors: Vec::new() };
    while scanner.at < text.len() {
        scanner.token();
    }
    let mut tokens = Tokens { text, list: scanner.list };
    let mut errors = scanner.errors;
    pair(&mut tokens, &mut errors);
    errors.extend(too_deep(&tokens));
    if errors.is_empty() { Ok(tokens) } else { Err(errors) }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    list: Vec<Token>,
    errors: Vec<Diagnostic>,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// One token, blank or comment.
    fn token(&mut self) {
        let rest = self.rest();
        let mut chars = rest.chars();
        let first = chars.next().unwrap_or(' ');
        let second = chars.next().unwrap_or(' ');
        match first {
            ' ' | '\t' | '\r' | '\n' | '\u{c}' => self.at += 1,
            '/' if second == '/' => self.at += length_while(rest, |c| c != '\n'),
            'a'..='z' | 'A'..='Z' | '_' => self.word(),
            '0'..='9' => self.number(),
            '.' if second.is_ascii_digit() => self.number(),
            '"' | '\'' => self.string(),
            _ => self.symbol(first, second),
        }
    }

    fn add(&mut self, class: Class, length: usize) {
        let span = self.span(length);
        self.at = span.end;
        self.list.push(Token { class, span, partner: None });
    }

    fn span(&self, length: usize) -> Span {
        Span { start: self.at, end: self.at + length }
    }

    /// Notes an error over the next `length` bytes and goes on behind them.
    fn refuse(&mut self, length: usize, message: impl Into<String>, help: &str) {
        let finding = Diagnostic::error("HR0101", message, self.span(length));
        self.errors.push(finding.help(help));
        self.at += length;
    }

    fn word(&mut self) {
        let length = length_while(self.rest(), |c| c.is_ascii_alphanumeric() || c == '_');
        let word = &self.rest()[..length];
        let quote = self.rest()[length..].starts_with(['"', '\'']);
        if quote && is_string_prefix(word) {
            let (start, before) = (self.at, self.list.len());
            self.at += length;
            self.string();
            self.list.truncate(before);
            let message = format!("strings with the prefix `{word}` do not exist in rules");
            let end = self.at;
            let finding = Diagnostic::error("HR0101", message, Span { start, end });
            self.errors.push(finding.help("write the string without the prefix"));
            return;
        }
        match word {
            "and" | "or" | "not" if !self.after_dot() => self.spelled_out(word),
            _ => self.add(Class::Name, length),
        }
    }

    fn after_dot(&self) -> bool {
        self.text[..self.at].trim_end().ends_with('.')
    }

    fn spelled_out(&mut self, word: &str) {
        let operator = match word {
            "and" => "&&",
            "or" => "||",
            _ => "!",
        };
        let message = format!("`{word}` is not an operator");
        self.refuse(word.len(), message, &format!("write `{operator}`"));
    }

    fn number(&mut self) {
        let rest = self.rest();
        let hex = rest.starts_with("0x");
        let mut length = if hex {
            2 + length_while(&rest[2..], |c| c.is_ascii_hexdigit())
        } else {
            length_while(rest, |c| c.is_ascii_digit())
        };
        let digits = if length == 2 && hex { 0 } else { length };
        let fraction = &rest[length..];
        if fraction.starts_with('.') && fraction[1..].starts_with(|c: char| c.is_ascii_digit()) {
            length += 1 + length_while(&fraction[1..], |c| c.is_ascii_digit());
        }
        length += length_while(&rest[length..], |c| c.is_ascii_alphanumeric() || c == '_');
        if length == digits {
            return self.add(Class::Int, length);
        }
        let number = &rest[..length];
        let message = format!("`{number}` is not a whole number");
        self.refuse(length, message, "numbers are 64-bit integers without a suffix; money constants are parameters");
    }

    fn string(&mut self) {
        let rest = self.rest();
        let quote = if rest.starts_with('"') { '"' } else { '\'' };
        let triple = [quote; 3].iter().collect::<String>();
        if rest.starts_with(&triple) {
            let inner = &rest[3..];
            let length = inner.find(&triple).map_or(rest.len(), |at| at + 6);
            return self.refuse(
                length,
                "strings with three quotes do not exist in rules",
                "use one quote on each side",
            );
        }
        let length = string_length(rest, quote);
        match length {
            Ok(length) => self.add(Class::Text, length),
            Err((length, message)) => self.refuse(
                length,
                message,
                "strings end on their line; of escapes there are `\\\\`, `\\\"`, `\\'`, `\\n` and `\\t`",
            ),
        }
    }

    fn symbol(&mut self, first: char, second: char) {
        match (first, second) {
            ('&', '&') | ('|', '|') | ('=', '=') | ('!', '=') | ('<', '=') | ('>', '=') => {
                self.add(Class::Operator, 2);
            }
            ('!' | '<' | '>' | '+' | '-' | '*' | '/' | '%' | '?' | ':' | ',' | '.', _) => {
                self.add(Class::Operator, 1);
            }
            ('(' | '[', _) => self.add(Class::Open, 1),
            (')' | ']', _) => self.add(Class::Close, 1),
            ('=', _) => self.refuse(1, "`=` is not an operator", "write `==` to compare"),
            ('&', _) => self.refuse(1, "`&` is not an operator", "write `&&`"),
            ('|', _) => self.refuse(1, "`|` is not an operator", "write `||`"),
            ('{' | '}', _) => self.refuse(
                1,
                "maps and messages do not exist in rules",
                "rules compare features, parameters and constants",
            ),
            ('`', _) => self.refuse(1, "quoted names do not exist in rules", "write the name without backticks"),
            _ => {
                let message = format!("unexpected character `{}`", first.escape_debug());
                self.refuse(first.len_utf8(), message, "outside strings and comments, rules are plain ASCII");
            }
        }
    }
}

fn length_while(text: &str, keep: impl Fn(char) -> bool) -> usize {
    text.find(|c| !keep(c)).unwrap_or(text.len())
}

fn is_string_prefix(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "r" | "b" | "br" | "rb")
}

/// Bytes up to and including the closing quote, or the bytes to skip and what is wrong.
fn string_length(text: &str, quote: char) -> Result<usize, (usize, &'static str)> {
    let mut chars = text.char_indices().skip(1);
    let mut wrong_escape = false;
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' | '\r' => return Err((at, "the string does not end")),
            '\\' => {
                let escaped = chars.next().map_or('x', |(_, c)| c);
                wrong_escape |= !matches!(escaped, '\\' | '"' | '\'' | 'n' | 't');
            }
            _ if c == quote && wrong_escape => return Err((at + 1, "an escape that rules do not have")),
            _ if c == quote => return Ok(at + 1),
            _ => {}
        }
    }
    Err((text.len(), "the string does not end"))
}

/// Matches brackets.
fn pair(tokens: &mut Tokens<'_>, errors: &mut Vec<Diagnostic>) {
    let mut open: Vec<usize> = Vec::new();
    for at in 0..tokens.list.len() {
        match tokens.list[at].class {
            Class::Open => open.push(at),
            Class::Close => match open.pop() {
                Some(opener) if fits(tokens.str(opener), tokens.str(at)) => {
                    tokens.list[opener].partner = Some(at);
                    tokens.list[at].partner = Some(opener);
                }
                Some(opener) => errors.push(unmatched(tokens, opener)),
                None => errors.push(unmatched(tokens, at)),
            },
            _ => {}
        }
    }
    errors.extend(open.into_iter().map(|opener| unmatched(tokens, opener)));
}

fn fits(open: &str, close: &str) -> bool {
    matches!((open, close), ("(", ")") | ("[", "]"))
}

fn unmatched(tokens: &Tokens<'_>, at: usize) -> Diagnostic {
    let message = format!("`{}` has no match", tokens.str(at));
    Diagnostic::error("HR0102", message, tokens.list[at].span)
}

/// One level of brackets: its ternaries, and the operators since the last `&&`, `||` or comma.
#[derive(Default)]
struct Level {
    choices: usize,
    chain: usize,
}

fn too_deep(tokens: &Tokens<'_>) -> Option<Diagnostic> {
    let mut levels = vec![Level::default()];
    for at in 0..tokens.list.len() {
        match (tokens.list[at].class, tokens.str(at)) {
            (Class::Open, _) => levels.push(Level::default()),
            (Class::Close, _) if levels.len() > 1 => _ = levels.pop(),
            _ => {}
        }
        let level = levels.last_mut()?;
        match (tokens.list[at].class, tokens.str(at)) {
            (Class::Operator, "?") => {
                level.choices += 1;
                level.chain = 0;
            }
            (Class::Operator, "&&" | "||" | ":") => level.chain = 0,
            (Class::Operator, ",") => *level = Level::default(),
            (Class::Operator, _) | (Class::Name, "in") => level.chain += 1,
            _ => {}
        }
        let nesting = levels.len() - 1 + levels.iter().map(|level| level.choices).sum::<usize>();
        let chain: usize = levels.iter().map(|level| level.chain).sum();
        if let Some(message) = excess(nesting, chain) {
            return Some(
                Diagnostic::error("HR0100", message, tokens.list[at].span)
                    .help("split the condition into several rules, or name parts of it as parameters and facts"),
            );
        }
    }
    None
}

fn excess(nesting: usize, chain: usize) -> Option<String> {
    if nesting > NESTING_MAX {
        return Some(format!("brackets and `?:` nest deeper than {NESTING_MAX}"));
    }
    (chain > CHAIN_MAX).then(|| format!("more than {CHAIN_MAX} operators in one chain"))
}
