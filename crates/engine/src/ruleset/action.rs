//! What rules may do, with its arguments compiled.

use headroom_policy::Program;

use crate::stack::UndoField;
use crate::vocabulary::{CapName, Cause, Class, HoldOf, Priority, Scope};

/// How large a change of base, or a boost, is to be.
#[derive(Clone, Debug)]
pub enum Amount {
    /// Percent of base.
    Percent(Program),
    /// By so much.
    By(Program),
    /// To so much.
    To(Program),
}

/// From where a time is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeBase {
    /// The decision's `now`.
    Now,
    /// What a boost begins with unless it says: the promotion on `promotion_announced` and `promotion_near`, else now.
    Beginning,
    /// The promotion's first instant.
    PromotionStart,
    /// The first instant after the promotion.
    PromotionEnd,
    /// The first instant after the holiday.
    HolidayEnd,
}

/// A time: a base and milliseconds to add.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeExpr {
    /// From where.
    pub base: TimeBase,
    /// How much later; negative is earlier.
    pub plus: i64,
}

/// How long a hold lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HoldSpec {
    /// Until a time.
    Until(TimeExpr),
    /// Until so many days after the cure.
    Cured(i32),
    /// This decision only.
    ThisDecision,
}

/// One action.
#[derive(Clone, Debug)]
pub enum Action {
    /// Raises base.
    Increase(Amount),
    /// Lowers base.
    Decrease {
        /// How far.
        amount: Amount,
        /// Not below this.
        floor: Option<Program>,
        /// Announced now, carried out so many milliseconds later if the condition still holds.
        after: i64,
    },
    /// Grants for a time.
    Boost {
        /// How much.
        amount: Amount,
        /// From when.
        from: TimeExpr,
        /// Until when.
        until: TimeExpr,
    },
    /// Prolongs the boosts of the promotion.
    ExtendBoost {
        /// Until when.
        until: TimeExpr,
    },
    /// Shrinks boosts step by step.
    StepBoost {
        /// Percent of the granted amount per step.
        percent: Program,
        /// Milliseconds between steps.
        every: i64,
        /// Steps.
        steps: u32,
    },
    /// Ends boosts.
    EndBoost,
    /// Gives a stepped-down boost its granted amount again, until its last planned step.
    RegrantBoost,
    /// Blocks.
    Freeze {
        /// What.
        scope: Scope,
        /// Its key.
        cause: Cause,
        /// Down to what; `None`: 0, of watch nothing.
        ceiling: Option<Program>,
        /// Until when.
        until: Option<TimeExpr>,
    },
    /// Lifts the block of the rule's cause.
    Unfreeze,
    /// Loosens the block of the rule's cause.
    Restore {
        /// Percent of what was granted before the block.
        percent: Program,
        /// Deadline, milliseconds after the block began; 0: none.
        within: i64,
        /// Milliseconds between re-checks; 0: none.
        recheck: i64,
        /// Until when freezes of the cause are waived.
        waive_until: Option<TimeExpr>,
    },
    /// Gives adverse changes back.
    Undo {
        /// Percent of the delta.
        percent: Program,
        /// Those of the fault or rollout that the trigger names, not those of the rule's cause.
        of_fault: bool,
        /// Only changes of this field; `None`: of any.
        field: Option<UndoField>,
    },
    /// Sets a cap.
    Cap {
        /// Which.
        name: CapName,
        /// To what.
        to: Program,
        /// For so many milliseconds; 0: until lifted.
        lasts: i64,
    },
    /// Lifts a cap.
    Uncap {
        /// Which.
        name: CapName,
    },
    /// Stops favourable changes.
    Hold {
        /// Which; empty: both.
        of: Vec<HoldOf>,
        /// How long.
        lasts: HoldSpec,
    },
    /// Asks a person.
    Review {
        /// About what.
        kind: String,
        /// It vetoes favourable changes.
        blocking: bool,
        /// How urgent.
        priority: Priority,
        /// What the rule would do.
        proposal: Option<Program>,
    },
    /// Tells the customer.
    Notify {
        /// Which text.
        template: String,
        /// Milliseconds until it must be out; `None`: the ruleset's default.
        due: Option<i64>,
        /// What the customer can do.
        can_do: Vec<String>,
    },
}

/// Every action word.
pub const ACTION_WORDS: &[&str] = &[
    "increase",
    "decrease",
    "boost",
    "extend_boost",
    "step_boost",
    "end_boost",
    "regrant_boost",
    "freeze",
    "unfreeze",
    "restore",
    "undo",
    "cap",
    "uncap",
    "hold",
    "review",
    "notify",
];

impl Action {
    /// As rules write it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Increase(_) => "increase",
            Self::Decrease { .. } => "decrease",
            Self::Boost { .. } => "boost",
            Self::ExtendBoost { .. } => "extend_boost",
            Self::StepBoost { .. } => "step_boost",
            Self::EndBoost => "end_boost",
            Self::RegrantBoost => "regrant_boost",
            Self::Freeze { .. } => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::Restore { .. } => "restore",
            Self::Undo { .. } => "undo",
            Self::Cap { .. } => "cap",
            Self::Uncap { .. } => "uncap",
            Self::Hold { .. } => "hold",
            Self::Review { .. } => "review",
            Self::Notify { .. } => "notify",
        }
    }

    /// The class whose rules may have it as their first action; `notify` is nobody's.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Increase(_) => Some(Class::Increase),
            Self::Decrease { .. } | Self::EndBoost | Self::StepBoost { .. } => Some(Class::Decrease),
            Self::Boost { .. } | Self::ExtendBoost { .. } | Self::RegrantBoost => Some(Class::Boost),
            Self::Restore { .. } | Self::Unfreeze | Self::Undo { .. } | Self::Uncap { .. } => Some(Class::Restore),
            Self::Freeze { .. } => Some(Class::Freeze),
            Self::Cap { .. } => Some(Class::Cap),
            Self::Hold { .. } => Some(Class::Hold),
            Self::Review { .. } => Some(Class::Review),
            Self::Notify { .. } => None,
        }
    }

    /// Whether it may stand beside the first action.
    pub fn may_be_secondary(&self) -> bool {
        match self {
            Self::Hold { .. } | Self::Review { .. } | Self::Notify { .. } | Self::EndBoost => true,
            Self::Freeze { scope, .. } => *scope == Scope::Watch,
            _ => false,
        }
    }

    /// Its compiled expressions.
    pub fn programs(&self) -> Vec<&Program> {
        match self {
            Self::Increase(amount) | Self::Boost { amount, .. } => vec![amount.program()],
            Self::Decrease { amount, floor, .. } => std::iter::once(amount.program()).chain(floor.as_ref()).collect(),
            Self::StepBoost { percent, .. } | Self::Restore { percent, .. } | Self::Undo { percent, .. } => {
                vec![percent]
            }
            Self::Freeze { ceiling, .. } => ceiling.iter().collect(),
            Self::Cap { to, .. } => vec![to],
            Self::Review { proposal, .. } => proposal.iter().collect(),
            Self::ExtendBoost { .. }
            | Self::EndBoost
            | Self::RegrantBoost
            | Self::Unfreeze
            | Self::Uncap { .. }
            | Self::Hold { .. }
            | Self::Notify { .. } => Vec::new(),
        }
    }
}

impl Amount {
    /// Its expression.
    pub fn program(&self) -> &Program {
        match self {
            Self::Percent(program) | Self::By(program) | Self::To(program) => program,
        }
    }
}
