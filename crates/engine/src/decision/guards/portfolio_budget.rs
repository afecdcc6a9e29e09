//! What the shard may still grant upward; a refused increase does not queue, its next trigger proposes it again.

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let budget = candidate.view.broadcasts().budget(candidate.view.account.currency);
    let short = budget.is_some_and(|left| candidate.step > left);
    if candidate.is_upward() && short { Verdict::Stop } else { Verdict::Pass }
}
