//! Nothing is due, no block stands, no fraud signal came in 7 days: implied for every increase and boost.

use crate::features::catalogue;

use super::{Candidate, Verdict};

/// What must hold; unknown does not.
const CLEAN: [&str; 3] = ["delinquency.dpd", "block.any", "fraud.signals_7d"];

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    if !candidate.is_upward() {
        return Verdict::Pass;
    }
    let mut clean = catalogue().filter(|each| CLEAN.contains(&each.name));
    if clean.all(|each| each.value(&candidate.view) == Some(0)) { Verdict::Pass } else { Verdict::Stop }
}
