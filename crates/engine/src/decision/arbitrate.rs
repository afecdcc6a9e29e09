//! Arbitration by field: cap, block(cause), base, boost, hold are decided apart; ties by rule number.

use crate::stack::HoldUntil;
use crate::vocabulary::{CapName, Cause, Class, HoldOf};

use super::decide::Decision;
use super::proposal::{Act, Proposal};

/// A field of the stack: two proposals meet only in the same one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Cap(CapName),
    Freeze(Cause),
    Loosen(Cause),
    Base,
    Boost,
    Hold(HoldOf),
}

fn field(act: &Act) -> Option<Field> {
    match act {
        Act::Cap { name, .. } | Act::Uncap { name } => Some(Field::Cap(*name)),
        Act::Freeze { cause, .. } => Some(Field::Freeze(*cause)),
        Act::Unfreeze { cause } | Act::Restore { cause, .. } => Some(Field::Loosen(*cause)),
        Act::Increase { .. } | Act::Decrease { .. } => Some(Field::Base),
        Act::Boost { .. } | Act::ExtendBoost { .. } | Act::StepBoost { .. } | Act::EndBoost | Act::RegrantBoost => {
            Some(Field::Boost)
        }
        Act::Hold { of, until: Some(_) } => Some(Field::Hold(*of)),
        Act::Hold { .. } | Act::Schedule { .. } | Act::Undo { .. } | Act::Review { .. } | Act::Notify { .. } => None,
    }
}

/// How strong a proposal is within its field; the largest wins. The first number ranks kinds, the others compare.
fn strength(act: &Act) -> (i64, i64, i64) {
    match act {
        Act::Cap { to, .. } => (2, -to, 0),
        Act::Uncap { .. } => (1, 0, 0),
        Act::Freeze { scope, ceiling, .. } => (1, i64::from(scope.index()), -ceiling.unwrap_or(i64::MAX)),
        Act::Unfreeze { .. } => (2, 0, 0),
        Act::Restore { percent, .. } => (1, *percent, 0),
        Act::Decrease { to } => (2, -to, 0),
        Act::Increase { to } => (1, *to, 0),
        Act::EndBoost => (5, 0, 0),
        Act::StepBoost { percent, .. } => (4, *percent, 0),
        Act::Boost { amount, .. } => (3, *amount, 0),
        Act::RegrantBoost => (2, 0, 0),
        Act::ExtendBoost { until, .. } => (1, until.0, 0),
        Act::Hold { until, .. } => match until {
            Some(HoldUntil::Cured { days_after }) => (2, i64::from(*days_after), 0),
            Some(HoldUntil::Time(at)) => (1, at.0, 0),
            None => (0, 0, 0),
        },
        Act::Schedule { .. } | Act::Undo { .. } | Act::Review { .. } | Act::Notify { .. } => (0, 0, 0),
    }
}

/// The winner of each field, in the order in which they are carried out; losers are recorded with what beat them.
pub(super) fn field_winners(decision: &mut Decision<'_>, proposals: Vec<Proposal>) -> Vec<Proposal> {
    let mut winners: Vec<Proposal> = Vec::with_capacity(proposals.len());
    for proposal in proposals {
        let field = field(&proposal.act);
        let rival = winners.iter().position(|each| field.is_some() && self::field(&each.act) == field);
        let Some(at) = rival else {
            winners.push(proposal);
            continue;
        };
        let wins = strength(&proposal.act) > strength(&winners[at].act);
        let loser = if wins { std::mem::replace(&mut winners[at], proposal) } else { proposal };
        let winner = winners[at].rule;
        if winner != loser.rule {
            let by = decision.context.ruleset.rules[winner].id.to_string();
            decision.lost(loser.rule, loser.act.class(), by);
        }
    }
    winners.sort_by_key(|each| (order(&each.act), each.rule));
    winners
}

/// Regulatory cap › freeze › decrease › restore › increase › boost; what only informs comes last.
fn order(act: &Act) -> u8 {
    match act.class() {
        Class::Cap => 0,
        Class::Freeze => 1,
        Class::Decrease => 2,
        Class::Restore => 3,
        Class::Increase => 4,
        Class::Boost => 5,
        Class::Hold => 6,
        Class::Review => 7,
    }
}

/// Holds that count in this decision: standing ones, and those proposed now, with the number of their rule.
pub(super) fn holds_of_this_decision(decision: &Decision<'_>, proposals: &[Proposal]) -> Vec<(HoldOf, u32)> {
    let account = &decision.account;
    let standing = account.stack.holds.iter().filter(|each| account.hold_lasts(&each.until, decision.now));
    let mut held: Vec<(HoldOf, u32)> = standing.map(|each| (each.of, each.rule)).collect();
    held.extend(proposals.iter().filter_map(|each| match each.act {
        Act::Hold { of, .. } => Some((of, decision.context.ruleset.rules[each.rule].number)),
        _ => None,
    }));
    held
}
