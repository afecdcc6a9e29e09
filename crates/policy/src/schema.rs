//! What a rule may read: names, types and ranges. A slot is an index into the schema.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::suggest::suggest;

/// The type of a value of the language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Type {
    /// True or false; 1 or 0 in a slot.
    Bool,
    /// A 64-bit signed integer.
    Int,
    /// Minor units of the account's currency.
    Money,
    /// One of a closed list of names; a slot holds the index.
    Enum(Arc<[String]>),
    /// Free text: a bare string literal or a text fact; a slot holds [`Schema::text_id`].
    Text,
    /// A name nobody declared and nobody gave a value: always unknown. Only `eval_text` makes these.
    Any,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Money => "money",
            Type::Enum(_) => "enum",
            Type::Text => "text",
            Type::Any => "unknown",
        })
    }
}

/// One name that a rule may read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbol {
    /// The dotted name, as rules write it.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// The smallest value it can have (int and money; minor units).
    pub min: i64,
    /// The largest value it can have.
    pub max: i64,
}

/// The symbols of a rule set, in slot order, with their index by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Schema {
    symbols: Vec<Symbol>,
    slots: BTreeMap<String, usize>,
    texts: Vec<String>,
}

impl Schema {
    /// A schema whose slots are the indices of `symbols`. Panics if two symbols share a name.
    pub fn new(symbols: Vec<Symbol>) -> Self {
        let mut slots = BTreeMap::new();
        for (slot, symbol) in symbols.iter().enumerate() {
            let earlier = slots.insert(symbol.name.clone(), slot);
            assert!(earlier.is_none(), "two symbols named `{}`", symbol.name);
        }
        Schema { symbols, slots, texts: Vec::new() }
    }

    /// The same schema with the closed list of texts that text slots can hold.
    pub fn with_texts(mut self, mut texts: Vec<String>) -> Self {
        texts.sort();
        texts.dedup();
        self.texts = texts;
        self
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// True if there is no slot at all.
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// The slot of a name.
    pub fn slot(&self, name: &str) -> Option<usize> {
        self.slots.get(name).copied()
    }

    /// The symbol in a slot. Panics if the slot is not of this schema.
    pub fn symbol(&self, slot: usize) -> &Symbol {
        &self.symbols[slot]
    }

    /// All symbols, in slot order.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The number that stands for a text in a slot; `None` if no slot of this schema can hold it.
    pub fn text_id(&self, text: &str) -> Option<i64> {
        let index = self.texts.binary_search_by(|known| known.as_str().cmp(text));
        index.ok().and_then(|at| i64::try_from(at).ok())
    }

    /// The texts that text slots can hold, ascending.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The text behind a number of [`Schema::text_id`].
    pub fn text(&self, id: i64) -> Option<&str> {
        let at = usize::try_from(id).ok()?;
        self.texts.get(at).map(String::as_str)
    }

    /// The declared name that a misspelt one probably means.
    pub fn suggest(&self, name: &str) -> Option<&str> {
        suggest(name, self.symbols.iter().map(|symbol| symbol.name.as_str()))
    }
}
