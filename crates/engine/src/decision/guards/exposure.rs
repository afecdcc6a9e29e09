//! The most that one account may be granted.

use crate::stack::money_in;

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let bound = money_in(&candidate.settings().exposure_max, candidate.view.account.currency);
    let Some(bound) = bound.filter(|_| candidate.is_upward()) else { return Verdict::Pass };
    let room = bound.saturating_sub(candidate.base());
    if candidate.step <= room { Verdict::Pass } else { Verdict::Lower(room.max(0)) }
}
