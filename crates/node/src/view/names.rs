//! Names for the numbers and keys of stored accounts: rules and facts of the ruleset in force, promotions.

use std::collections::BTreeMap;

use headroom_engine::{
    BUILT_IN_FACTS, Fact, FactType, FeatureType, RuleNames, Ruleset, ShardState, Term, Timestamp, fact_key,
};
use headroom_store::{Reader, StoreError};

use super::Item;

/// What stored accounts refer to.
pub struct Names {
    /// The shard's clock after the last commit.
    pub now: Timestamp,
    rules: RuleNames,
    facts: BTreeMap<u32, (String, FactType)>,
    promotions: BTreeMap<u64, String>,
}

impl Names {
    /// Of a data directory. A ruleset that this build cannot load leaves rules and its own facts without names.
    ///
    /// # Errors
    /// What the store says.
    pub fn read(reader: &Reader) -> Result<Self, StoreError> {
        let state = reader.state()?.unwrap_or_default();
        Ok(Self::new(&state, ruleset(reader)?.as_ref()))
    }

    /// Of a shard's state and the ruleset in force, where both are at hand.
    pub fn new(state: &ShardState, ruleset: Option<&Ruleset>) -> Self {
        let own = ruleset.into_iter().flat_map(|ruleset| &ruleset.facts);
        let own = own.map(|(key, fact)| (*key, (fact.name.clone(), fact.ty.clone())));
        let promotions = state.broadcasts.promotions.iter().map(|each| (each.key, each.id.clone()));
        Self {
            now: state.now,
            facts: built_in().chain(own).collect(),
            promotions: promotions.collect(),
            rules: ruleset.map(|ruleset| ruleset.names.clone()).unwrap_or_default(),
        }
    }

    /// A rule's id; null for 0: no rule.
    pub fn rule(&self, number: u32) -> Item {
        if number == 0 { Item::Null } else { self.rules.name(number).into() }
    }

    /// A promotion's id, its key in hex if nobody knows it; null for 0: no promotion.
    pub fn promotion(&self, key: u64) -> Item {
        match self.promotions.get(&key) {
            Some(id) => id.as_str().into(),
            None if key == 0 => Item::Null,
            None => format!("{key:016x}").into(),
        }
    }

    /// A fact's name, its key in hex if nobody knows it.
    pub fn fact(&self, key: u32) -> Item {
        self.facts.get(&key).map_or_else(|| format!("{key:08x}"), |(name, _)| name.clone()).into()
    }

    /// A fact's value by its type.
    pub fn fact_value(&self, fact: &Fact) -> Item {
        match self.facts.get(&fact.key) {
            Some((_, FactType::Bool)) => (fact.value != 0).into(),
            Some((_, FactType::Enum(words))) => {
                let word = usize::try_from(fact.value).ok().and_then(|at| words.get(at));
                word.map_or_else(|| fact.value.into(), |word| word.as_str().into())
            }
            _ => fact.value.into(),
        }
    }

    /// The term that binds a minimum, as `kind` or `kind name`.
    pub fn term(&self, term: Term) -> Item {
        let text = match term {
            Term::Base => "base".to_owned(),
            Term::Boost(rule) => format!("boost {}", self.rules.name(rule)),
            Term::Cap(name) => format!("cap {}", name.word()),
            Term::Block(cause) => format!("block {}", cause.word()),
            Term::Watch(cause) => format!("watch {}", cause.word()),
            Term::Used => "used".to_owned(),
            Term::Uncleared => "uncleared".to_owned(),
            Term::Zero => "zero".to_owned(),
        };
        text.into()
    }
}

/// The ruleset in force; `None` where there is none, or none that this build can load.
pub(super) fn ruleset(reader: &Reader) -> Result<Option<Ruleset>, StoreError> {
    let Some(hash) = reader.ruleset_hash()? else { return Ok(None) };
    Ok(reader.ruleset(&hash)?.and_then(|files| Ruleset::load(&files).ok()))
}

fn built_in() -> impl Iterator<Item = (u32, (String, FactType))> {
    BUILT_IN_FACTS.iter().map(|(name, ty, ..)| {
        let ty = match ty {
            FeatureType::Bool => FactType::Bool,
            FeatureType::Int | FeatureType::Percent => FactType::Int,
            FeatureType::Money => FactType::Money,
            FeatureType::Enum(words) => FactType::Enum(words.iter().map(|word| (*word).to_owned()).collect()),
        };
        (fact_key(name), ((*name).to_owned(), ty))
    })
}
