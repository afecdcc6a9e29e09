//! What rules propose, with every amount resolved.

use crate::features::Suspect;
use crate::output::Trace;
use crate::stack::{HoldUntil, UndoField};
use crate::time::Timestamp;
use crate::vocabulary::{CapName, Cause, Class, HoldOf, Priority, Scope};

/// One resolved action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Act {
    Increase { to: i64 },
    Decrease { to: i64 },
    Schedule { due: Timestamp },
    Boost { amount: i64, from: Timestamp, until: Timestamp, promotion: u64 },
    ExtendBoost { until: Timestamp, promotion: u64 },
    StepBoost { percent: i64, every: i64, steps: u32 },
    EndBoost,
    RegrantBoost,
    Freeze { cause: Cause, scope: Scope, ceiling: Option<i64>, until: Option<Timestamp> },
    Unfreeze { cause: Cause },
    Restore { cause: Cause, percent: i64, waive_until: Option<Timestamp> },
    Undo { percent: i64, of: UndoOf, field: Option<UndoField> },
    Cap { name: CapName, to: i64, until: Option<Timestamp> },
    Uncap { name: CapName },
    Hold { of: HoldOf, until: Option<HoldUntil> },
    Review { kind: String, blocking: bool, priority: Priority, proposal: Option<i64> },
    Notify { template: String, due: Option<i64>, can_do: Vec<String> },
}

/// Which changes an undo gives back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UndoOf {
    /// Those of a cause.
    Cause(Cause),
    /// Those of a fault or a rollout.
    Suspect(Suspect),
}

/// An action that a rule wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Proposal {
    /// Position of the rule in the ruleset.
    pub rule: usize,
    /// What.
    pub act: Act,
    /// The cause for which the rule was evaluated.
    pub cause: Option<Cause>,
    /// Why; shared by all actions of one evaluation.
    pub why: usize,
    /// The codes that what comes of it gives.
    pub reasons: Vec<String>,
    /// Guards that lowered it.
    pub lowered_by: Vec<&'static str>,
}

impl Act {
    /// The class of what it does.
    pub fn class(&self) -> Class {
        match self {
            Self::Increase { .. } => Class::Increase,
            Self::Decrease { .. } | Self::Schedule { .. } | Self::StepBoost { .. } | Self::EndBoost => Class::Decrease,
            Self::Boost { .. } | Self::ExtendBoost { .. } | Self::RegrantBoost => Class::Boost,
            Self::Unfreeze { .. } | Self::Restore { .. } | Self::Undo { .. } | Self::Uncap { .. } => Class::Restore,
            Self::Freeze { .. } => Class::Freeze,
            Self::Cap { .. } => Class::Cap,
            Self::Hold { .. } => Class::Hold,
            Self::Review { .. } | Self::Notify { .. } => Class::Review,
        }
    }

    /// Whether pass 2 may do it.
    pub fn allowed_in_second_pass(&self) -> bool {
        matches!(self.class(), Class::Restore | Class::Hold | Class::Review | Class::Cap)
    }

    /// The block that it loosens.
    pub fn loosens(&self) -> Option<Cause> {
        match self {
            Self::Unfreeze { cause } | Self::Restore { cause, .. } => Some(*cause),
            _ => None,
        }
    }
}

/// What one pass collected.
#[derive(Clone, Debug, Default)]
pub(super) struct Collected {
    pub proposals: Vec<Proposal>,
    pub traces: Vec<Trace>,
    /// Rules that may fire once in an account's life: remembered if they do now.
    pub once: Vec<u32>,
}
