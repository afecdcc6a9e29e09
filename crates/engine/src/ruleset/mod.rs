//! Rules, facts and settings: everything that can change a decision, loaded from files as one content.

mod action;
mod action_file;
mod codes;
mod fact_file;
mod fields;
mod load;
mod params;
mod reload;
mod rule;
mod rule_check;
mod rule_file;
mod settings;
mod settings_file;
mod strategy_file;
mod table;

pub use action::{ACTION_WORDS, Action, Amount, HoldSpec, TimeBase, TimeExpr};
pub use action_file::CAN_DO;
pub use codes::RULESET_CODES;
pub use fact_file::{FACT_KEYS, FACT_TYPES};
pub use load::{FileReport, content_hash};
pub use params::PARAM_TYPES;
pub use reload::sheet_rows;
pub use rule::{NoticeSpec, OnUnknown, Once, Rule, RuleVerdict};
pub use rule_file::RULE_KEYS;
pub use settings::{Guards, Settings};
pub use settings_file::{GUARD_KEYS, SETTINGS_KEYS, read_feeds};
pub use strategy_file::{GROUP_KEYS, STRATEGY_KEYS};
pub use table::{
    Choice, Column, Hit, KEYS as TABLE_KEYS, Points, RowOutcome, RowWorth, Score, Table, TableRow, TableRows,
};

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_policy::Schema;

use crate::features::{FactDef, Feature};
use crate::output::RuleNames;
use crate::trigger::{On, TriggerKind};

/// A whole ruleset.
#[derive(Clone, Debug)]
pub struct Ruleset {
    /// SHA-256 over its files sorted by path, hex.
    pub hash: Arc<str>,
    /// The rules by number, ascending.
    pub rules: Vec<Rule>,
    /// What rules may read; a slot is a position in it.
    pub schema: Schema,
    /// How each slot is read.
    pub readers: Vec<Reader>,
    /// Facts that signals may report, by key.
    pub facts: BTreeMap<u32, FactDef>,
    /// What tables compute, in the order of their slots.
    pub scores: Vec<Score>,
    /// Settings.
    pub settings: Settings,
    /// Rule ids by number.
    pub names: RuleNames,
    /// Warnings of its files.
    pub warnings: Vec<FileReport>,
    strategies: strategy_file::Strategies,
    by_kind: Vec<Vec<usize>>,
    by_fact: BTreeMap<u32, Vec<usize>>,
}

/// How a slot is read.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    /// A feature of the catalogue.
    Feature(&'static Feature),
    /// A fact that the ruleset declares, with its default.
    Fact(u32, Option<i64>),
    /// A score of a table, by its position in [`Ruleset::scores`].
    Score(usize),
}

impl Ruleset {
    /// Positions of the rules that a trigger fires, ascending.
    pub fn on(&self, on: On) -> &[usize] {
        match on {
            On::Kind(kind) => &self.by_kind[kind.index()],
            On::Fact(key) => self.by_fact.get(&key).map_or(&[], Vec::as_slice),
        }
    }

    /// The rule of a number.
    pub fn rule(&self, number: u32) -> Option<usize> {
        self.rules.binary_search_by_key(&number, |each| each.number).ok()
    }

    fn index(&mut self) {
        self.by_kind = vec![Vec::new(); TriggerKind::ALL.len()];
        self.by_fact = BTreeMap::new();
        for (position, rule) in self.rules.iter().enumerate() {
            for on in &rule.on {
                match on {
                    On::Kind(kind) => self.by_kind[kind.index()].push(position),
                    On::Fact(key) => self.by_fact.entry(*key).or_default().push(position),
                }
            }
        }
    }
}
