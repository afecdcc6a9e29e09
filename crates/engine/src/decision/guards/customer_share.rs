//! A consumer's accounts share a total that the ledger allocates: without a known share a person decides.

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let account = candidate.view.account;
    if !candidate.is_upward() || account.segment.is_merchant() || !candidate.settings().customer_share_required {
        return Verdict::Pass;
    }
    match candidate.view.fact("limit.customer_share") {
        Some(share) => within(candidate, share),
        None => Verdict::Review,
    }
}

/// The share is a hard cap on what is granted.
fn within(candidate: &Candidate<'_>, share: i64) -> Verdict {
    let room = share.saturating_sub(candidate.base());
    if candidate.step <= room { Verdict::Pass } else { Verdict::Lower(room.max(0)) }
}
