//! `block.*` and `undo.*`: of the rule's own cause, but for `block.any`.

use super::{Feature, View, days, flag, hours};
use crate::stack::Block;
use crate::time::{DAY, HOUR};

fn own<'a>(view: &'a View<'_>) -> Option<&'a Block> {
    view.cause.and_then(|cause| view.account.stack.block(cause)).filter(|each| each.lasts(view.now))
}

/// The group. The rule loader refuses `block.active`, `other`, `age_hours` and `quiet_days` in rules without a cause.
pub const FEATURES: &[Feature] = &[
    flag("block.any", |view| Some(i64::from(view.account.stack.blocks.iter().any(|each| each.lasts(view.now)))))
        .says("X A D", "any block, restored or watch included"),
    flag("block.active", |view| Some(i64::from(own(view).is_some()))).says("X A D", "the block of the rule's cause"),
    flag("block.other", |view| {
        let mut others = view.account.stack.blocks.iter().filter(|each| each.lasts(view.now));
        Some(i64::from(others.any(|each| !view.causes.contains(&each.cause) && view.cause != Some(each.cause))))
    })
    .says("X A D", "a block of a cause that the rule does not list"),
    hours("block.age_hours", |view| own(view).map(|each| view.now.since(each.since).max(0) / HOUR))
        .says("D", "hours since the block of the rule's cause began; unknown without one"),
    days("block.quiet_days", |view| own(view).map(|each| view.now.since(each.proposed).max(0) / DAY))
        .says("X D", "days since that block was last proposed, waived proposals included; unknown without one"),
    flag("undo.active", |view| {
        let mut entries = view.account.stack.undo.iter();
        Some(i64::from(entries.any(|each| match (view.cause, view.event.suspect) {
            (Some(cause), _) => each.cause == Some(cause),
            (None, Some(suspect)) => suspect.covers(each),
            (None, None) => false,
        })))
    })
    .says("X C", "there is an adverse change to give back: of the rule's cause, or, without one, of the fault or rollout that is over"),
];
