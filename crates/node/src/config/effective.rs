//! What is in force, and where it came from.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};
use toml::Value;

use super::layer::{Layer, OPEN_SECTION};
use super::load::{Config, DEFAULT_CONFIG};
use super::source::Source;

/// One setting that is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// With its section: `http.listen`.
    pub key: String,
    /// Its value, durations and sizes in their largest unit.
    pub value: SettingValue,
    /// Where it came from.
    pub source: Source,
}

/// A setting's value; `Display` writes it as TOML.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettingValue {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Bool(bool),
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => Value::from(text.as_str()).fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
        }
    }
}

impl Config {
    /// All settings in the order of the defaults.
    pub fn settings(&self) -> Vec<Setting> {
        let values = Value::try_from(self).expect("settings have a TOML form");
        let setting = |key: String| Setting {
            value: value(&values, &key),
            source: self.sources.get(&key).cloned().unwrap_or(Source::Default),
            key,
        };
        let defaults = Layer::parse("default.toml", DEFAULT_CONFIG);
        let own = defaults.entries.into_iter().map(|entry| setting(entry.key));
        own.chain(self.client_settings()).collect()
    }

    fn client_settings(&self) -> impl Iterator<Item = Setting> + '_ {
        self.kafka.client.iter().map(|(name, value)| {
            let key = format!("{OPEN_SECTION}{name}");
            let source = self.sources.get(&key).cloned().unwrap_or(Source::Default);
            Setting { key, value: SettingValue::Text(value.clone()), source }
        })
    }

    /// All settings as TOML, those that are not the default with a comment that says where they came from.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut section = String::new();
        for Setting { key, value, source } in self.settings() {
            let (head, name) = Layer::parts(&key);
            if head != section {
                let gap = if section.is_empty() { "" } else { "\n" };
                writeln!(text, "{gap}[{head}]").expect("into a string");
                head.clone_into(&mut section);
            }
            let origin = if source == Source::Default { String::new() } else { format!("  # from {source}") };
            let name = if name.contains('.') { Value::from(name).to_string() } else { name.to_owned() };
            writeln!(text, "{name} = {value}{origin}").expect("into a string");
        }
        text
    }

    /// SHA-256 of what is in force, lower-case hex: the same for `"60s"` and `"1m"`, whoever set it.
    pub fn hash(&self) -> String {
        let mut lines: Vec<String> =
            self.settings().iter().map(|each| format!("{} = {}\n", each.key, each.value)).collect();
        lines.sort();
        Sha256::digest(lines.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn value(values: &Value, key: &str) -> SettingValue {
    let found = key.split('.').try_fold(values, |inside, name| inside.get(name));
    match found {
        Some(Value::String(text)) => SettingValue::Text(text.clone()),
        Some(Value::Integer(number)) => SettingValue::Number(*number),
        Some(Value::Boolean(value)) => SettingValue::Bool(*value),
        other => unreachable!("`{key}` of the defaults is a setting, not {other:?}"),
    }
}
