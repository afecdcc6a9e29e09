//! Steps too small to be worth a letter.

use super::{Candidate, Verdict, is_paced, percent};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let least = percent(candidate.base(), candidate.settings().minimum_step_pct);
    if is_paced(candidate) && candidate.step < least { Verdict::Stop } else { Verdict::Pass }
}
