//! What two actions are to each other in one decision: opposed, rivals for a field, or strangers. This is the table of
//! `engine`'s arbitration (RULEBOOK section 3), read from the rules instead of from proposals.

use headroom_engine::{Action, Cause, Family, HoldOf, HoldSpec, Scope, TimeBase, UndoField};

use crate::world::Asked;

/// An action of a rule that is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deed<'a> {
    pub asked: Asked<'a>,
    pub action: &'a Action,
    /// The rule's first action, which decides its class.
    pub first: bool,
}

/// What two actions are to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relation {
    /// They want opposite things, and arbitration lets both through.
    Clash(&'static str),
    /// They want opposite things of one field for one purpose; arbitration has an order, the policy has not.
    Torn(&'static str),
    /// They want opposite things, and it follows from what they are which of them counts.
    Settled(&'static str),
    /// They want the same field moved the same way: the stronger counts.
    Rivals(&'static str),
}

/// The actions of a rule.
pub(crate) fn deeds<'a>(asked: Asked<'a>) -> impl Iterator<Item = Deed<'a>> {
    asked.actions().iter().enumerate().map(move |(at, action)| Deed { asked, action, first: at == 0 })
}

impl Deed<'_> {
    /// Raises base or lends above it.
    pub fn is_upward(&self) -> bool {
        self.raises() || self.lends()
    }

    fn raises(&self) -> bool {
        matches!(self.action, Action::Increase(_))
    }

    fn lends(&self) -> bool {
        matches!(self.action, Action::Boost { .. } | Action::ExtendBoost { .. } | Action::RegrantBoost)
    }

    /// Of which block it lifts or loosens.
    pub fn loosens(&self) -> Option<Cause> {
        match self.action {
            Action::Unfreeze | Action::Restore { .. } => self.asked.cause,
            _ => None,
        }
    }

    /// Whose adverse changes of a field it gives back.
    pub fn gives_back(&self, of: UndoField) -> Option<Cause> {
        match self.action {
            Action::Undo { of_fault: false, field, .. } if field.is_none_or(|each| each == of) => self.asked.cause,
            _ => None,
        }
    }

    fn restores(&self) -> bool {
        matches!(self.action, Action::Unfreeze | Action::Restore { .. } | Action::Undo { .. } | Action::Uncap { .. })
    }

    /// The rule's cause under which its changes can be given back.
    fn declared(&self) -> Option<Cause> {
        self.asked.rule.causes.first().copied()
    }
}

/// What is due to risk, to law or to collateral goes before what is due to growth: no contradiction, an order.
fn of_risk(family: Family) -> bool {
    matches!(family, Family::Delinquency | Family::Fraud | Family::Lending | Family::Collateral | Family::Regulatory)
}

/// Opposite wishes about one field: an order of purposes settles them, one purpose is torn.
fn torn(down: &Deed<'_>, up: &Deed<'_>, how: &'static str) -> Relation {
    let (down, up) = (down.asked.rule.family, up.asked.rule.family);
    if down != up && of_risk(down) { Relation::Settled(how) } else { Relation::Torn(how) }
}

/// What two actions of one decision are to each other.
pub(crate) fn relation(one: &Deed<'_>, other: &Deed<'_>) -> Option<Relation> {
    opposed(one, other).or_else(|| opposed(other, one)).or_else(|| rivals(one.action, one, other))
}

/// The first holds back what the second wants.
fn opposed(down: &Deed<'_>, up: &Deed<'_>) -> Option<Relation> {
    match down.action {
        Action::Decrease { after, .. } => decreased(down, up, *after > 0),
        Action::Freeze { cause, scope, .. } => frozen(*cause, *scope, up),
        Action::Cap { name, .. } => match up.action {
            Action::Uncap { name: lifted } if lifted == name => {
                Some(torn(down, up, "of setting and lifting one cap the setting counts"))
            }
            _ if up.is_upward() => {
                Some(Relation::Settled("a cap that tightens vetoes what goes up; any other bounds what comes of it"))
            }
            _ => None,
        },
        Action::Hold { of, .. } if holds(of, up) => Some(Relation::Settled("a hold vetoes what it is about")),
        Action::Review { blocking: true, .. } if up.is_upward() || up.restores() => {
            Some(Relation::Settled("an open blocking review vetoes what goes up or is restored"))
        }
        Action::EndBoost | Action::StepBoost { .. } if up.lends() => {
            Some(torn(down, up, "of ending or stepping and granting a boost the ending counts"))
        }
        _ => None,
    }
}

fn decreased(down: &Deed<'_>, up: &Deed<'_>, announced: bool) -> Option<Relation> {
    if announced {
        return up.raises().then_some(Relation::Clash(
            "the decrease is only announced, so the increase is carried out: the customer hears both at once",
        ));
    }
    if up.is_upward() {
        return Some(torn(down, up, "an adverse change vetoes increases and boosts of its decision"));
    }
    if up.loosens().is_some() {
        return Some(Relation::Settled("a decrease defers restores by 24 hours"));
    }
    match up.gives_back(UndoField::Base) {
        Some(cause) if down.declared() == Some(cause) => {
            Some(Relation::Clash("both are carried out: the decrease, and then its undoing"))
        }
        Some(_) => Some(Relation::Settled("nothing is given back past a later adverse change of another cause")),
        None => None,
    }
}

fn frozen(cause: Cause, scope: Scope, up: &Deed<'_>) -> Option<Relation> {
    if up.is_upward() {
        return Some(Relation::Settled("a freeze vetoes increases and boosts of its decision"));
    }
    match (up.loosens(), up.action) {
        (Some(loosened), Action::Restore { waive_until: Some(_), .. }) if loosened == cause => {
            Some(Relation::Settled("the restore's waiver overrides the freeze as long as its condition holds"))
        }
        (Some(loosened), _) if loosened == cause => {
            Some(Relation::Clash("both are carried out: the freeze, and then its lifting"))
        }
        (Some(_), _) => Some(Relation::Settled("a freeze of another cause defers restores by 24 hours")),
        (None, _) if up.gives_back(UndoField::Block) == Some(cause) => {
            Some(Relation::Clash("both are carried out: the freeze, and then its undoing"))
        }
        (None, _) if scope == Scope::All && up.restores() => {
            Some(Relation::Settled("a full freeze vetoes what is restored"))
        }
        _ => None,
    }
}

/// Whether a hold of these kinds stops an action.
pub(crate) fn holds(of: &[HoldOf], up: &Deed<'_>) -> bool {
    let meant = |wanted: HoldOf| of.is_empty() || of.contains(&wanted);
    (up.raises() && meant(HoldOf::Increase)) || (up.lends() && meant(HoldOf::Boost))
}

fn rivals(action: &Action, one: &Deed<'_>, other: &Deed<'_>) -> Option<Relation> {
    let how = match (action, other.action) {
        (Action::Increase(_), Action::Increase(_)) => "the larger result counts",
        (Action::Decrease { after: 0, .. }, Action::Decrease { after: 0, .. }) => "the lower result counts",
        (Action::Boost { .. }, Action::Boost { .. }) => "the larger boost counts",
        (Action::Freeze { cause, .. }, Action::Freeze { cause: of, .. }) if cause == of => "the stricter freeze counts",
        (Action::Cap { name, .. }, Action::Cap { name: of, .. }) if name == of => "the lower cap counts",
        (Action::Uncap { name }, Action::Uncap { name: of }) if name == of => "one lifting is enough",
        (Action::EndBoost | Action::StepBoost { .. }, Action::EndBoost | Action::StepBoost { .. }) => {
            "ending a boost goes before stepping it down"
        }
        (Action::Hold { .. }, Action::Hold { .. }) => "the longer hold counts",
        (Action::Undo { .. }, Action::Undo { .. }) if one.asked.cause == other.asked.cause => {
            "what is given back is consumed"
        }
        (Action::Unfreeze | Action::Restore { .. }, Action::Unfreeze | Action::Restore { .. })
            if one.asked.cause == other.asked.cause =>
        {
            "lifting goes before loosening, the larger share counts"
        }
        (Action::Review { kind, .. }, Action::Review { kind: of, .. }) if kind == of && one.first && other.first => {
            "one review of a kind is asked for"
        }
        _ => return None,
    };
    Some(Relation::Rivals(how))
}

/// How the strength of two actions for one field compares, where it does not depend on the account.
pub(crate) fn rank(action: &Action) -> i64 {
    match action {
        Action::EndBoost => 5,
        Action::StepBoost { .. } => 4,
        Action::Unfreeze => 2,
        Action::Restore { .. } => 1,
        _ => 0,
    }
}

/// Whether the first hold lasts at least as long as the second whatever the account; `None`: they cannot be compared.
pub(crate) fn lasts_as_long(one: &HoldSpec, other: &HoldSpec) -> Option<std::cmp::Ordering> {
    match (one, other) {
        (HoldSpec::Cured(one), HoldSpec::Cured(other)) => Some(one.cmp(other)),
        (HoldSpec::ThisDecision, HoldSpec::ThisDecision) => Some(std::cmp::Ordering::Equal),
        (HoldSpec::Until(one), HoldSpec::Until(other)) if one.base == other.base => Some(one.plus.cmp(&other.plus)),
        (_, HoldSpec::ThisDecision) => Some(std::cmp::Ordering::Greater),
        (HoldSpec::ThisDecision, _) => Some(std::cmp::Ordering::Less),
        _ => None,
    }
}

/// Whether two boosts are for one occasion: they end with the same promotion, or with the same holiday.
pub(crate) fn same_occasion(one: &Action, other: &Action) -> bool {
    match (one, other) {
        (Action::Boost { until: one, .. }, Action::Boost { until: other, .. }) => {
            one.base == other.base && one.base != TimeBase::Now
        }
        _ => false,
    }
}
