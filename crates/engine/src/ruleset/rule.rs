//! One rule, compiled.

use std::sync::Arc;

use headroom_policy::{Params, Program, Value};

use crate::trigger::On;
use crate::vocabulary::{Cause, Class, Family, Segment};

use super::action::Action;
use super::table::{Choice, RowOutcome, Table};

/// What happens when a condition ends unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnUnknown {
    /// Nothing; it is counted.
    Skip,
    /// Increases and boosts of this decision are held.
    Hold,
    /// A person looks.
    Review,
}

/// How often a rule may fire on one account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Once {
    /// Each time.
    No,
    /// Once in the account's life.
    Account,
    /// Once each time its condition becomes true.
    Entry,
}

/// What the customer is told when the rule's change is applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoticeSpec {
    /// Which text.
    pub template: String,
    /// What the customer can do.
    pub can_do: Vec<String>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id, the file's name.
    pub id: Arc<str>,
    /// Stable, never reused.
    pub number: u32,
    /// English title.
    pub title_en: String,
    /// Chinese title.
    pub title_zh: String,
    /// Why it exists.
    pub why: String,
    /// Whose business it is.
    pub family: Family,
    /// What it does.
    pub class: Class,
    /// The causes it is about; evaluated once for each.
    pub causes: Vec<Cause>,
    /// It is about the block that a resolved review names.
    pub cause_of_review: bool,
    /// What fires it.
    pub on: Vec<On>,
    /// As written, for people.
    pub on_words: Vec<String>,
    /// Which segments it is for, as far as their strategies have it; empty: all.
    pub segments: Vec<Segment>,
    /// No segment's strategy has it: it is for nobody.
    pub retired: bool,
    /// Its condition.
    pub when: Program,
    /// The condition negated, of freezes: it explains why a block is lifted when a waiver ends.
    pub unless: Option<Program>,
    /// Its parameters.
    pub params: Params,
    /// What it does; the first decides its class. Empty for a table: its rows say.
    pub actions: Vec<Action>,
    /// Its rows, if it is a decision table; then `when` is what all of them need.
    pub table: Option<Table>,
    /// The code for the ledger and the customer.
    pub reason: String,
    /// What the customer is told.
    pub notice: Option<NoticeSpec>,
    /// What unknown does.
    pub on_unknown: OnUnknown,
    /// How often it may fire.
    pub once: Once,
    /// Slots that condition and amounts read, sorted.
    pub reads: Vec<usize>,
    /// It reads slots that depend on the cause being evaluated.
    pub reads_block: bool,
    /// Who answers for it.
    pub owner: String,
    /// SHA-256 of its file, hex.
    pub hash: Arc<str>,
    /// Its file.
    pub path: String,
    /// How its file writes the actions, for people.
    pub then_text: String,
}

/// What a rule comes to.
#[derive(Clone, Copy, Debug)]
pub struct RuleVerdict<'a> {
    /// Whether it acts.
    pub value: Value,
    /// The condition that says so.
    pub condition: &'a Program,
    /// The row of a table that counts.
    pub row: Option<&'a RowOutcome>,
}

impl RuleVerdict<'_> {
    /// What is done if it acts.
    pub fn actions<'a>(&'a self, rule: &'a Rule) -> &'a [Action] {
        self.row.map_or(&rule.actions, |row| &row.actions)
    }
}

impl Rule {
    /// Whether it is for a segment.
    pub fn is_for(&self, segment: Segment) -> bool {
        !self.retired && (self.segments.is_empty() || self.segments.contains(&segment))
    }

    /// Its change comes later, and `notify` beside it tells so now; `notice` then tells when it has come.
    pub fn announces(&self) -> bool {
        let later = matches!(self.actions.first(), Some(Action::Decrease { after: 1.., .. }));
        later && self.actions.iter().any(|each| matches!(each, Action::Notify { .. }))
    }

    /// What it may do, one for each row of a table that does something: when, what, and the reason that is given.
    pub fn ways(&self) -> Vec<(&Program, &[Action], &str)> {
        match &self.table {
            None => vec![(&self.when, &self.actions, &self.reason)],
            Some(table) => table
                .rows
                .rows
                .iter()
                .filter(|row| !row.gives.actions.is_empty())
                .map(|row| (&row.when, &*row.gives.actions, row.gives.reason.as_deref().unwrap_or(&self.reason)))
                .collect(),
        }
    }

    /// What it comes to, given what conditions come to. Of a table: the row that counts, which may do nothing.
    pub fn verdict(&self, ask: impl Fn(&Program) -> Value) -> RuleVerdict<'_> {
        let value = ask(&self.when);
        let plain = RuleVerdict { value, condition: &self.when, row: None };
        let Some(table) = self.table.as_ref().filter(|_| value.is_true()) else { return plain };
        match table.rows.choose(ask) {
            Choice::Row(row) => {
                let value = Value::Known(i64::from(!row.gives.actions.is_empty()));
                RuleVerdict { value, condition: &row.when, row: Some(&row.gives) }
            }
            Choice::Unknown(row, value) => RuleVerdict { value, condition: &row.when, row: None },
            Choice::Nothing => RuleVerdict { value: Value::Known(0), ..plain },
        }
    }

    /// Whether its rows are chosen by a score.
    pub fn is_scored(&self) -> bool {
        self.table.as_ref().is_some_and(|table| !table.parts.is_empty())
    }

    /// The classes of what it may do, each once, in the order of its rows.
    pub fn classes(&self) -> Vec<Class> {
        let Some(table) = &self.table else { return vec![self.class] };
        let mut classes = Vec::new();
        for class in table.rows.rows.iter().filter_map(|row| row.gives.class()) {
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        classes
    }

    /// What the customer is told when a change of this class is applied; nothing beside the primary action.
    pub fn notice_for(&self, class: Class) -> Option<&NoticeSpec> {
        match &self.table {
            Some(table) => table.notices.iter().find(|(each, _)| *each == class).map(|(_, notice)| notice),
            None => {
                let is_primary = self.actions.first().is_some_and(|each| each.class() == Some(class));
                self.notice.as_ref().filter(|_| is_primary)
            }
        }
    }

    /// Raises what the customer may use.
    pub fn is_favourable(&self) -> bool {
        matches!(self.class, Class::Increase | Class::Boost | Class::Restore)
    }
}
