//! Facts about one account, from YAML or JSON.

use std::collections::BTreeMap;

use headroom_engine::{Cause, Ruleset, Segment};
use headroom_policy::yaml::{Kind, Node, parse};
use headroom_policy::{Currency, Diagnostic, Span, Type, suggest};

use crate::scenario::read_money;

/// What is known about one account, by slot of a ruleset's schema.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccountFacts {
    /// The account's currency; without one, parameters of money are unknown.
    pub currency: Option<Currency>,
    /// Values by slot; `None` is unknown, said so.
    values: BTreeMap<usize, Option<i64>>,
    /// What features of blocks are for one cause.
    of_blocks: BTreeMap<Cause, BTreeMap<usize, Option<i64>>>,
    segment: Option<Segment>,
}

impl AccountFacts {
    /// The account's segment, if `account.segment` says it.
    pub fn segment(&self) -> Option<Segment> {
        self.segment
    }

    /// The values for a rule that is asked for a cause.
    pub fn of_cause(&self, cause: Option<Cause>) -> Vec<(usize, Option<i64>)> {
        let own = cause.and_then(|cause| self.of_blocks.get(&cause));
        let values = self.values.iter().chain(own.into_iter().flatten());
        values.map(|(slot, value)| (*slot, *value)).collect()
    }

    /// Adds a value as `name=value`, over what a file says.
    ///
    /// # Errors
    /// What is wrong with it, with spans of `text`.
    pub fn set(&mut self, ruleset: &Ruleset, text: &str) -> Result<(), Vec<Diagnostic>> {
        let Some((name, value)) = text.split_once('=') else {
            let all = Span { start: 0, end: text.len() };
            let finding = Diagnostic::error("HR0203", "a fact is written `name=value`", all);
            return Err(vec![finding]);
        };
        let mut reading = Reading { ruleset, found: Vec::new() };
        let span = Span { start: name.len() + 1, end: text.len() };
        let slot = reading.slot(name, Span { start: 0, end: name.len() });
        let value = slot.and_then(|slot| Some((slot, reading.value(slot, value, span)?)));
        match value {
            Some((slot, value)) => {
                self.note(ruleset, slot, Some(value));
                Ok(())
            }
            None => Err(reading.found),
        }
    }

    fn note(&mut self, ruleset: &Ruleset, slot: usize, value: Option<i64>) {
        if ruleset.schema.symbol(slot).name == "account.segment" {
            let at = value.and_then(|value| usize::try_from(value).ok());
            self.segment = at.and_then(|at| Segment::ALL.get(at)).copied();
        }
        self.values.insert(slot, value);
    }
}

/// Reads facts: names of features and facts with their values, nested or with dots. Money with a point is in units,
/// without one in minor units; null is unknown. `currency` is the account's; `blocks` has features of blocks by cause.
/// An account as `headroom account show --format json` prints it has them under `features` and `features_by_block`.
///
/// # Errors
/// Everything that is wrong with the text, with its place.
pub fn read_account_facts(ruleset: &Ruleset, text: &str) -> Result<AccountFacts, Vec<Diagnostic>> {
    let root = parse(text)?;
    let mut reading = Reading { ruleset, found: Vec::new() };
    let facts = reading.facts(&root);
    if reading.found.is_empty() { Ok(facts) } else { Err(reading.found) }
}

struct Reading<'a> {
    ruleset: &'a Ruleset,
    found: Vec<Diagnostic>,
}

impl Reading<'_> {
    fn facts(&mut self, root: &Node) -> AccountFacts {
        let mut facts = AccountFacts { currency: self.currency(root), ..AccountFacts::default() };
        let printed = root.get("features").filter(|each| each.entries().is_some());
        let (own, blocks) = match printed {
            Some(features) => (features, root.get("features_by_block")),
            None => (root, root.get("blocks")),
        };
        for (slot, value) in self.map(own, "", printed.is_none()) {
            facts.note(self.ruleset, slot, value);
        }
        for (key, node) in blocks.and_then(Node::entries).unwrap_or_default() {
            match Cause::ALL.iter().find(|cause| cause.word() == key.text) {
                Some(cause) => {
                    let values = self.map(node, "block.", false);
                    facts.of_blocks.insert(*cause, values.into_iter().collect());
                }
                None => self.unknown("cause", &key.text, key.span, Cause::ALL.iter().map(|each| each.word())),
            }
        }
        facts
    }

    fn currency(&mut self, root: &Node) -> Option<Currency> {
        let node = root.get("currency")?;
        let text = node.text()?;
        let currency = text.parse().ok();
        if currency.is_none() {
            self.found.push(Diagnostic::error("HR0209", format!("`{text}` is no currency"), node.span));
        }
        currency
    }

    /// The values of a map. `prefix` may stand before the names in it; at the top some keys are no facts.
    fn map(&mut self, node: &Node, prefix: &str, is_top: bool) -> Vec<(usize, Option<i64>)> {
        let mut values = Vec::new();
        match (&node.kind, node.entries()) {
            (_, Some(entries)) => {
                for (key, value) in entries {
                    if !(is_top && matches!(key.text.as_str(), "currency" | "blocks")) {
                        self.entry(prefix, &key.text, key.span, value, &mut values);
                    }
                }
            }
            (Kind::Null, None) => {}
            _ => {
                let message = format!("facts are a map of names and values, found {}", node.what());
                self.found.push(Diagnostic::error("HR0203", message, node.span));
            }
        }
        values
    }

    fn entry(&mut self, prefix: &str, key: &str, span: Span, node: &Node, values: &mut Vec<(usize, Option<i64>)>) {
        let bare = key.strip_prefix(prefix).unwrap_or(key);
        let name = format!("{prefix}{bare}");
        if node.entries().is_some() {
            return values.extend(self.map(node, &format!("{name}."), false));
        }
        let Some(slot) = self.slot(&name, span) else { return };
        match &node.kind {
            Kind::Null => values.push((slot, None)),
            Kind::Scalar { text, .. } => {
                values.extend(self.value(slot, text, node.span).map(|value| (slot, Some(value))))
            }
            Kind::Map(_) | Kind::Seq(_) => {
                let message = format!("`{name}` has a single value, found {}", node.what());
                self.found.push(Diagnostic::error("HR0203", message, node.span));
            }
        }
    }

    fn slot(&mut self, name: &str, span: Span) -> Option<usize> {
        let slot = self.ruleset.schema.slot(name);
        if slot.is_none() {
            let finding = Diagnostic::error("HR0110", format!("unknown name `{name}`"), span);
            let near = self.ruleset.schema.suggest(name).map(|near| format!("did you mean `{near}`?"));
            self.found.push(match near {
                Some(help) => finding.help(help),
                None => finding.help("`headroom rules explain RULE` lists what a rule reads"),
            });
        }
        slot
    }

    /// A value in slot form, if it fits the type.
    fn value(&mut self, slot: usize, text: &str, span: Span) -> Option<i64> {
        let symbol = self.ruleset.schema.symbol(slot);
        let written = text.trim();
        let number = || written.replace('_', "").parse::<i64>().ok();
        let (value, wanted) = match &symbol.ty {
            Type::Bool => (written.parse::<bool>().ok().map(i64::from), "`true` or `false`"),
            Type::Money if written.contains('.') => (read_money(written), "an amount, like `1_200.50`"),
            Type::Money => (number(), "an amount: `1_200.50`, or minor units"),
            Type::Enum(words) => {
                let at = words.iter().position(|each| each == written).and_then(|at| i64::try_from(at).ok());
                if at.is_none() {
                    self.unknown("value of this feature", written, span, words.iter().map(String::as_str));
                    return None;
                }
                (at, "")
            }
            Type::Int | Type::Text | Type::Any => (number(), "a whole number"),
        };
        if value.is_none() {
            let message = format!("`{written}` is no value of `{}`", symbol.name);
            self.found.push(Diagnostic::error("HR0120", message, span).help(format!("{wanted} is needed")));
        }
        value
    }

    fn unknown<'w>(&mut self, what: &str, word: &str, span: Span, known: impl Iterator<Item = &'w str>) {
        let known: Vec<&str> = known.collect();
        let finding = Diagnostic::error("HR0121", format!("`{word}` is no {what}"), span);
        let help = match suggest(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of `{}`", known.join("`, `")),
        };
        self.found.push(finding.help(help));
    }
}
