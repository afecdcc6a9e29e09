//! No more than so many favourable changes a day; restores count, and pass.

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let (day, count) = candidate.view.account.growth.favourable;
    let full = day == candidate.view.today() && count >= candidate.settings().daily_count;
    if candidate.is_upward() && full { Verdict::Stop } else { Verdict::Pass }
}
