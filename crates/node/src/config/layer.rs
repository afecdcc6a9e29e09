//! One text with settings, taken apart: the embedded defaults, the user's file, or one `--set`.

use std::ops::Range;

use headroom_policy::{Diagnostic, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::source::Source;

/// Files beyond this many bytes are no settings of ours.
pub const BYTES_MAX: u64 = 1 << 20;

/// Sections that stand in others.
pub const NESTED_SECTIONS: [&str; 2] = ["kafka.formats", "kafka.client"];

/// The keys of this section are not ours: a client's properties, as it names them.
pub const OPEN_SECTION: &str = "kafka.client.";

/// A text and what stands in it.
#[derive(Debug)]
pub struct Layer {
    /// Where it came from: the file's path, or `--set`.
    pub name: String,
    pub text: String,
    /// Names directly at the top, in the order of the text.
    pub tops: Vec<Top>,
    /// Keys within sections, in the order of the text.
    pub entries: Vec<Entry>,
    /// What is wrong about it.
    pub findings: Vec<Diagnostic>,
}

/// A name at the top of the text.
#[derive(Debug)]
pub struct Top {
    pub name: String,
    pub span: Span,
    pub is_section: bool,
}

/// A setting.
#[derive(Debug)]
pub struct Entry {
    /// With its section: `http.listen`.
    pub key: String,
    pub key_span: Span,
    pub value: Raw,
    pub span: Span,
}

/// A value as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Raw {
    Text(String),
    Number(i64),
    Bool(bool),
    /// Nothing that a setting can be, with its name for messages.
    Other(&'static str),
}

impl Layer {
    /// Takes a text apart. Syntax errors become findings; what can be read besides them is read.
    pub fn parse(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let (table, errors) = DeTable::parse_recoverable(&text);
        let mut layer = Self { findings: errors.iter().map(syntax).collect(), ..Self::empty(name) };
        for (key, value) in table.get_ref() {
            layer.top(key.get_ref(), span(key.span()), value.get_ref());
        }
        layer.tops.sort_by_key(|top| top.span);
        layer.entries.sort_by_key(|entry| entry.key_span);
        drop(table);
        Self { text, ..layer }
    }

    /// A text that cannot be read at all.
    pub fn unreadable(name: impl Into<String>, message: String) -> Self {
        let finding = Diagnostic::error("HR0504", message, Span::default());
        Self { findings: vec![finding], ..Self::empty(name) }
    }

    /// One `key=value` of the command line. Values of settings that are texts need no quotes.
    pub fn set(pair: &str, defaults: &Layer) -> Self {
        let Some((key, value)) = pair.split_once('=') else {
            let help = "write `--set key=value`, like `--set http.listen=127.0.0.1:9000`";
            let finding = Diagnostic::error("HR0504", format!("`{pair}` sets nothing"), Span::default()).help(help);
            return Self { text: pair.to_owned(), findings: vec![finding], ..Self::empty(Source::SET) };
        };
        let is_text = matches!(defaults.entry(key.trim()), Some(Entry { value: Raw::Text(_), .. }))
            || key.trim().starts_with(OPEN_SECTION);
        if is_text && !value.trim_start().starts_with(['"', '\'']) {
            let quoted = toml::Value::from(value.trim());
            return Self::parse(Source::SET, format!("{} = {quoted}", key.trim()));
        }
        Self::parse(Source::SET, pair)
    }

    /// The setting with this key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// A key in its section and its name there.
    pub fn parts(key: &str) -> (&str, &str) {
        let nested =
            NESTED_SECTIONS.iter().find(|name| key.strip_prefix(**name).is_some_and(|rest| rest.starts_with('.')));
        match nested {
            Some(name) => (name, &key[name.len() + 1..]),
            None => key.split_once('.').unwrap_or(("", key)),
        }
    }

    /// The line of a byte, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    fn empty(name: impl Into<String>) -> Self {
        Self { name: name.into(), text: String::new(), tops: Vec::new(), entries: Vec::new(), findings: Vec::new() }
    }

    fn top(&mut self, name: &str, at: Span, value: &DeValue<'_>) {
        let section = match value {
            DeValue::Table(table) => Some(table),
            _ => None,
        };
        self.tops.push(Top { name: name.to_owned(), span: at, is_section: section.is_some() });
        if let Some(section) = section {
            self.section(name, section);
        }
    }

    fn section(&mut self, name: &str, section: &DeTable<'_>) {
        for (key, value) in section {
            let (key, key_span) = (format!("{name}.{}", key.get_ref()), key.span());
            match value.get_ref() {
                DeValue::Table(inner) if is_nested(&key) => self.section(&key, inner),
                _ => self.entries.push(entry(key, key_span, value)),
            }
        }
    }
}

/// Sections within sections. A dotted key without quotes, as names of librdkafka's properties have, reads as some more.
fn is_nested(key: &str) -> bool {
    NESTED_SECTIONS.contains(&key) || key.starts_with(OPEN_SECTION)
}

fn entry(key: String, key_span: Range<usize>, value: &Spanned<DeValue<'_>>) -> Entry {
    Entry { key, key_span: span(key_span), value: raw(value.get_ref()), span: span(value.span()) }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(value) => Raw::Bool(*value),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix());
            number.map_or(Raw::Other("a number beyond 64 bits"), Raw::Number)
        }
        DeValue::Float(_) => Raw::Other("a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Array(_) => Raw::Other("a list"),
        DeValue::Table(_) => Raw::Other("a section"),
    }
}

fn syntax(error: &toml::de::Error) -> Diagnostic {
    Diagnostic::error("HR0504", format!("this is no TOML: {}", error.message()), span(error.span().unwrap_or_default()))
}

fn span(range: Range<usize>) -> Span {
    Span { start: range.start, end: range.end }
}

impl Raw {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::Other(kind) => kind,
        }
    }
}
