//! An account on which a finding shows, confirmed by the evaluator that decides in production.

use std::fmt;

use headroom_engine::{Action, Amount, Cause};
use headroom_policy::{Currency, Program, Slots, Type, Value};

use crate::world::{Asked, World};

/// What a finding needs of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Its condition is true.
    Holds,
    /// Its condition is false or unknown.
    HoldsNot,
}

/// An account on which a finding shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Its currency; `XXX` where the finding does not depend on it.
    pub currency: Currency,
    /// What each rule reads of it, and what it wants.
    pub rules: Vec<Shown>,
}

/// Stands for any currency: the account of a witness whose rules name no money.
pub(crate) const NO_CURRENCY: Currency = Currency(*b"XXX");

impl Witness {
    /// Its currency; `None`: it shows in any.
    pub fn in_currency(&self) -> Option<Currency> {
        (self.currency != NO_CURRENCY).then_some(self.currency)
    }

    /// The same for people.
    pub fn currency_in_words(&self) -> String {
        self.in_currency().map_or_else(|| "any currency".to_owned(), |currency| currency.to_string())
    }
}

/// One rule over the account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Its id.
    pub rule: String,
    /// For which block it is asked.
    pub cause: Option<Cause>,
    /// When: `now`, or after what.
    pub moment: &'static str,
    /// Whether its condition is true there, as the evaluator says.
    pub holds: bool,
    /// Every feature it reads, in slot form; `None` is unknown. Enums by their word in `text`.
    pub facts: Vec<Fact>,
    /// What its actions come to, like `increase percent 10`.
    pub wants: Vec<String>,
}

/// A feature and its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its value in slot form; `None`: unknown.
    pub value: Option<i64>,
}

/// The evaluator does not say of a witness what the solver says: one of the two is wrong, and no finding can be trusted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the evaluator contradicts the solver about rule `{rule}`: wanted {wanted}, got {found} over {facts}")]
pub struct Mismatch {
    /// The rule.
    pub rule: String,
    /// What the solver says.
    pub wanted: &'static str,
    /// What the evaluator says.
    pub found: String,
    /// The account.
    pub facts: String,
}

impl Mismatch {
    pub(crate) fn new(shown: &Shown, verdict: Verdict, found: Value) -> Self {
        let facts: Vec<String> = shown.facts.iter().map(ToString::to_string).collect();
        Self {
            rule: shown.rule.clone(),
            wanted: if verdict == Verdict::Holds { "true" } else { "not true" },
            found: format!("{found:?}"),
            facts: facts.join(", "),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match (&self.ty, self.value) {
            (_, None) => write!(f, "{name} unknown"),
            (Type::Bool, Some(value)) => write!(f, "{name} {}", value != 0),
            (Type::Enum(words), Some(value)) => {
                let word = usize::try_from(value).ok().and_then(|at| words.get(at));
                write!(f, "{name} {}", word.map_or("?", String::as_str))
            }
            (_, Some(value)) => write!(f, "{name} {value}"),
        }
    }
}

pub(crate) fn shown(
    world: &World<'_>,
    asked: Asked<'_>,
    moment: &'static str,
    slots: &Slots,
    currency: Currency,
) -> Shown {
    let fact = |slot: &usize| {
        let symbol = world.ruleset.schema.symbol(*slot);
        Fact { name: symbol.name.clone(), ty: symbol.ty.clone(), value: slots.get(*slot) }
    };
    let value = |program: &Program| match program.evaluate(slots, currency).known() {
        Some(value) => value.to_string(),
        None => "unknown".to_owned(),
    };
    Shown {
        rule: asked.rule.id.to_string(),
        cause: asked.cause,
        moment,
        holds: asked.evaluate(slots, currency).is_true(),
        facts: asked.rule.reads.iter().map(fact).collect(),
        wants: asked.actions().iter().map(|action| want(action, asked.cause, value)).collect(),
    }
}

/// An action with its amounts as numbers.
fn want(action: &Action, cause: Option<Cause>, value: impl Fn(&Program) -> String) -> String {
    let amount = |amount: &Amount| match amount {
        Amount::Percent(program) => format!("percent {}", value(program)),
        Amount::By(program) => format!("by {}", value(program)),
        Amount::To(program) => format!("to {}", value(program)),
    };
    let word = action.word();
    match action {
        Action::Increase(by) | Action::Boost { amount: by, .. } | Action::Decrease { amount: by, .. } => {
            format!("{word} {}", amount(by))
        }
        Action::Freeze { scope, cause, ceiling, .. } => {
            let ceiling = ceiling.as_ref().map_or_else(String::new, |program| format!(" ceiling {}", value(program)));
            format!("{word} {} {}{ceiling}", scope.word(), cause.word())
        }
        Action::Unfreeze | Action::Restore { .. } | Action::Undo { .. } => {
            format!("{word} {}", cause.map_or("", Cause::word))
        }
        Action::Cap { name, to, .. } => format!("{word} {} to {}", name.word(), value(to)),
        Action::Uncap { name } => format!("{word} {}", name.word()),
        Action::Review { kind, .. } => format!("{word} {kind}"),
        Action::Notify { template, .. } => format!("{word} {template}"),
        _ => word.to_owned(),
    }
}
