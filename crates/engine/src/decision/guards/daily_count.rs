//! No more than so many favourable changes a day.

use crate::vocabulary::Class;

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let (day, count) = candidate.view.account.growth.favourable;
    let full = day == candidate.view.today() && count >= candidate.settings().daily_count;
    let favourable = candidate.is_upward() || candidate.class == Class::Restore;
    if favourable && full { Verdict::Stop } else { Verdict::Pass }
}
