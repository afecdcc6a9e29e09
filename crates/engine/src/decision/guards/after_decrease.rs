//! No increase or boost for a while after a decrease.

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let days = candidate.view.days_since(candidate.view.account.growth.last_decrease);
    let soon = days < candidate.settings().after_decrease_days;
    if candidate.is_upward() && soon { Verdict::Stop } else { Verdict::Pass }
}
