//! While a changed profile is being reviewed nothing goes up and nothing is restored.

use crate::vocabulary::Class;

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let under_review = candidate.view.account.memory.reviews.iter().any(|each| each.kind == "profile");
    let concerned = candidate.is_upward() || candidate.class == Class::Restore;
    if concerned && under_review { Verdict::Stop } else { Verdict::Pass }
}
