//! Typed values out of layers; what does not fit is a finding, and the layer below counts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use headroom_policy::{Diagnostic, suggest};

use super::layer::{Layer, NESTED_SECTIONS, OPEN_SECTION, Raw};
use super::source::Source;
use super::units;

/// The layers, the embedded defaults first; a later one counts more.
pub struct Reader {
    pub layers: Vec<Layer>,
    /// Every key that was read, in order.
    pub read: Vec<String>,
}

/// Why a value does not fit.
pub struct Flaw {
    code: &'static str,
    message: String,
    help: String,
}

impl Flaw {
    /// The value is of another type, or its text does not have the form that is needed.
    pub fn form(key: &str, wanted: &str, raw: &Raw, help: &str) -> Self {
        let message = match raw {
            Raw::Text(text) => format!("`{key}` takes {wanted}, not `{text}`"),
            other => format!("`{key}` takes {wanted}, not {}", other.kind()),
        };
        Self { code: "HR0502", message, help: help.to_owned() }
    }

    /// The value may be right, but it is not for users to say.
    pub fn owned(key: &str, help: String) -> Self {
        Self { code: "HR0505", message: format!("`{key}` is not for you to set"), help }
    }

    /// The value is of the right form, but not one that is permitted.
    pub fn range(key: &str, value: &str, help: String) -> Self {
        Self { code: "HR0503", message: format!("`{key}` cannot be `{value}`"), help }
    }
}

impl Reader {
    /// The value of the highest layer that has a good one. Bad ones become findings of their layers, hidden ones too.
    pub fn get<T>(&mut self, key: &'static str, parse: impl Fn(&Raw) -> Result<T, Flaw>) -> T {
        self.read.push(key.to_owned());
        let mut found = None;
        for layer in self.layers.iter_mut().rev() {
            let Some(entry) = layer.entries.iter().find(|entry| entry.key == key) else { continue };
            match parse(&entry.value) {
                Ok(value) => found = found.or(Some(value)),
                Err(Flaw { code, message, help }) => {
                    layer.findings.push(Diagnostic::error(code, message, entry.span).help(help));
                }
            }
        }
        found.unwrap_or_else(|| panic!("`{key}` has a good default"))
    }

    /// All keys of the open section with values as texts, by name. `owned` says why a name is not for users to set.
    pub fn open(&mut self, flaw: impl Fn(&str, &str) -> Option<Flaw>) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for layer in &mut self.layers {
            for entry in &layer.entries {
                let Some(name) = entry.key.strip_prefix(OPEN_SECTION) else { continue };
                let value = plain_text(&entry.key, &entry.value);
                let checked = value.and_then(|value| flaw(name, &value).map_or(Ok(value), Err));
                match checked {
                    Ok(value) => drop(found.insert(name.to_owned(), value)),
                    Err(Flaw { code, message, help }) => {
                        layer.findings.push(Diagnostic::error(code, message, entry.span).help(help));
                    }
                }
            }
        }
        self.read.extend(found.keys().map(|name| format!("{OPEN_SECTION}{name}")));
        found
    }

    /// A text of any content.
    pub fn text(&mut self, key: &'static str) -> String {
        self.get(key, |raw| text_of(key, raw).map(str::to_owned))
    }

    /// True or false.
    pub fn flag(&mut self, key: &'static str) -> bool {
        self.get(key, |raw| match raw {
            Raw::Bool(value) => Ok(*value),
            other => Err(Flaw::form(key, "true or false", other, "write `true` or `false`, without quotes")),
        })
    }

    /// A whole number within a range that `T` can hold.
    pub fn number<T: TryFrom<i64>>(&mut self, key: &'static str, range: RangeInclusive<i64>) -> T {
        self.get(key, |raw| {
            let Raw::Number(value) = raw else {
                return Err(Flaw::form(key, "a whole number", raw, "write digits only, without quotes"));
            };
            let (least, most) = (range.start(), range.end());
            let flaw = || Flaw::range(key, &value.to_string(), format!("write a number from {least} to {most}"));
            let value = Some(*value).filter(|value| range.contains(value));
            value.and_then(|value| T::try_from(value).ok()).ok_or_else(flaw)
        })
    }

    /// A duration between two others.
    pub fn duration(&mut self, key: &'static str, least: &str, most: &str) -> Duration {
        let help = "write a whole number and a unit, like `\"5s\"`; units are ms, s, m, h, d";
        self.unit(key, (least, most), "a duration", help, units::duration)
    }

    /// Bytes between two sizes.
    pub fn size(&mut self, key: &'static str, least: &str, most: &str) -> usize {
        let help = "write a whole number and a unit, like `\"16MiB\"`; units are B, KiB, MiB, GiB, TiB";
        self.unit(key, (least, most), "a size", help, |text| units::size(text).and_then(|bytes| bytes.try_into().ok()))
    }

    fn unit<T: PartialOrd>(
        &mut self,
        key: &'static str,
        (least, most): (&str, &str),
        wanted: &str,
        help: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let bound = |text: &str| parse(text).unwrap_or_else(|| panic!("`{text}` is {wanted}"));
        let range = bound(least)..=bound(most);
        self.get(key, |raw| {
            let text = match raw {
                Raw::Text(text) => text,
                other => return Err(Flaw::form(key, wanted, other, help)),
            };
            match parse(text) {
                None => Err(Flaw::form(key, wanted, raw, help)),
                Some(value) if range.contains(&value) => Ok(value),
                Some(_) => Err(Flaw::range(key, text, format!("write {wanted} from {least} to {most}"))),
            }
        })
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> T {
        self.get(key, |raw| {
            let text = text_of(key, raw)?;
            let known = words.iter().find(|(word, _)| *word == text);
            known.map(|(_, value)| *value).ok_or_else(|| Flaw::range(key, text, one_of(text, words)))
        })
    }

    /// An address to listen on.
    pub fn address(&mut self, key: &'static str) -> SocketAddr {
        let help = "write an IP address and a port, like `\"127.0.0.1:8090\"` or `\"[::1]:8090\"`";
        let wanted = "an IP address with a port";
        self.get(key, |raw| match raw {
            Raw::Text(text) => text.parse().map_err(|_| Flaw::form(key, wanted, raw, help)),
            other => Err(Flaw::form(key, wanted, other, help)),
        })
    }

    /// Where the value that counts came from.
    pub fn source(&self, key: &str) -> Source {
        let found = self.layers.iter().enumerate().rev().find_map(|(at, layer)| Some((at, layer, layer.entry(key)?)));
        match found {
            None | Some((0, ..)) => Source::Default,
            Some((_, layer, _)) if layer.name == Source::SET => Source::Set,
            Some((_, layer, entry)) => {
                Source::File { path: layer.name.clone(), line: layer.line(entry.key_span.start) }
            }
        }
    }

    /// Two settings that cannot both be: told where the last of them was set.
    pub fn conflict(&mut self, keys: &[&str], message: String, help: &str) {
        let layers = self.layers.iter_mut().rev();
        let place = layers.into_iter().find_map(|layer| {
            let span = layer.entries.iter().rev().find(|entry| keys.contains(&entry.key.as_str()))?.span;
            Some((layer, span))
        });
        if let Some((layer, span)) = place {
            layer.findings.push(Diagnostic::error("HR0505", message, span).help(help));
        }
    }

    /// Names that no setting has, in every layer above the defaults.
    pub fn unknown(&mut self) {
        let Some((defaults, layers)) = self.layers.split_first_mut() else { return };
        for layer in layers {
            let found =
                unknown_tops(layer, defaults).into_iter().chain(unknown_keys(layer, defaults)).collect::<Vec<_>>();
            layer.findings.extend(found);
        }
    }
}

fn plain_text(key: &str, raw: &Raw) -> Result<String, Flaw> {
    match raw {
        Raw::Text(text) => Ok(text.clone()),
        Raw::Number(number) => Ok(number.to_string()),
        Raw::Bool(value) => Ok(value.to_string()),
        Raw::Other(_) => Err(Flaw::form(key, "a text, a number, true or false", raw, "write it in quotes")),
    }
}

fn text_of<'r>(key: &str, raw: &'r Raw) -> Result<&'r str, Flaw> {
    match raw {
        Raw::Text(text) => Ok(text),
        other => Err(Flaw::form(key, "a text", other, "write it in quotes")),
    }
}

fn one_of<T>(text: &str, words: &[(&str, T)]) -> String {
    match suggest(text, words.iter().map(|(word, _)| *word)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "write one of {}",
            words.iter().map(|(word, _)| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn is_section(defaults: &Layer, name: &str) -> bool {
    defaults.tops.iter().any(|top| top.name == name)
}

fn unknown_tops(layer: &Layer, defaults: &Layer) -> Vec<Diagnostic> {
    let sections = || defaults.tops.iter().map(|top| top.name.as_str());
    let keys = || defaults.entries.iter().map(|entry| entry.key.as_str());
    let finding = |top: &super::layer::Top| {
        if is_section(defaults, &top.name) {
            let message = format!("`{}` is a section and has no value of its own", top.name);
            let help = format!("write `[{}]`, and the settings below it", top.name);
            return Diagnostic::error("HR0502", message, top.span).help(help);
        }
        let kind = if top.is_section { "section" } else { "setting" };
        let near = if top.is_section { suggest(&top.name, sections()) } else { suggest(&top.name, keys()) };
        let help = near.map_or_else(
            || format!("sections are {}", sections().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Diagnostic::error("HR0501", format!("there is no {kind} `{}`", top.name), top.span).help(help)
    };
    let unknown = |top: &&super::layer::Top| !(top.is_section && is_section(defaults, &top.name));
    layer.tops.iter().filter(unknown).map(finding).collect()
}

/// Keys within sections that exist; the keys of an unknown section are not told one by one.
fn unknown_keys(layer: &Layer, defaults: &Layer) -> Vec<Diagnostic> {
    let section = |key: &str| key.split('.').next().unwrap_or_default().to_owned();
    let unknown = |key: &str| {
        is_section(defaults, &section(key)) && !key.starts_with(OPEN_SECTION) && defaults.entry(key).is_none()
    };
    let finding = |entry: &super::layer::Entry| {
        if NESTED_SECTIONS.contains(&entry.key.as_str()) {
            let message = format!("`{}` is a section and has no value of its own", entry.key);
            let help = format!("write `[{}]`, and the settings below it", entry.key);
            return Diagnostic::error("HR0502", message, entry.span).help(help);
        }
        let message = format!("there is no setting `{}`", entry.key);
        let finding = Diagnostic::error("HR0501", message, entry.key_span);
        finding.help(near_key(&entry.key, defaults))
    };
    layer.entries.iter().filter(|entry| unknown(&entry.key)).map(finding).collect()
}

/// The setting that was probably meant: of the same section, else one of this name elsewhere.
fn near_key(key: &str, defaults: &Layer) -> String {
    let (section, name) = Layer::parts(key);
    let same = || defaults.entries.iter().map(|entry| Layer::parts(&entry.key)).filter(|each| each.0 == section);
    let near = suggest(name, same().map(|(_, name)| name)).map(|near| format!("{section}.{near}"));
    let near = near.or_else(|| suggest(name, defaults.entries.iter().map(|each| each.key.as_str())).map(str::to_owned));
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("settings of `{section}` are {}", same().map(|(_, name)| name).collect::<Vec<_>>().join(", ")),
    }
}
