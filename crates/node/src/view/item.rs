//! What a command has to say, as a tree: shown as tables to people, as JSON to machines.

use std::fmt::Display;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value with its parts in the order in which they are shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// Nothing, or not known.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number; money in minor units.
    Number(i128),
    /// A text.
    Text(String),
    /// Several of a kind.
    List(Vec<Item>),
    /// Named parts.
    Fields(Vec<(String, Item)>),
}

impl Item {
    /// Named parts.
    pub fn fields<const N: usize>(parts: [(&str, Item); N]) -> Self {
        Self::Fields(parts.into_iter().map(|(name, item)| (name.to_owned(), item)).collect())
    }

    /// Named numbers.
    pub fn counts<K: Display>(counts: impl IntoIterator<Item = (K, u64)>) -> Self {
        Self::Fields(counts.into_iter().map(|(name, count)| (name.to_string(), count.into())).collect())
    }

    /// Several of a kind.
    pub fn list<T: Into<Item>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// As one line of JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a tree of texts and numbers has a JSON form")
    }
}

impl From<bool> for Item {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Item {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<i32> for Item {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for Item {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Item {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl From<usize> for Item {
    fn from(value: usize) -> Self {
        Self::Number(i128::try_from(value).expect("a length is far below 2^127"))
    }
}

impl From<&str> for Item {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Item {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Item>> From<Option<T>> for Item {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Number(value) => to.serialize_i128(*value),
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) => to.collect_seq(items),
            Self::Fields(parts) => {
                let mut map = to.serialize_map(Some(parts.len()))?;
                parts.iter().try_for_each(|(name, item)| map.serialize_entry(name, item))?;
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_plain_numbers_and_keeps_the_order() {
        let nothing: Option<i64> = None;
        let item = Item::fields([
            ("z", u64::MAX.into()),
            ("a", Item::list([1_i64, -2])),
            ("text", "say \"a\"\n".into()),
            ("nothing", nothing.into()),
            ("counts", Item::counts([("b", 1), ("a", 2)])),
        ]);
        let expected =
            r#"{"z":18446744073709551615,"a":[1,-2],"text":"say \"a\"\n","nothing":null,"counts":{"b":1,"a":2}}"#;
        assert_eq!(item.json(), expected);
    }
}
