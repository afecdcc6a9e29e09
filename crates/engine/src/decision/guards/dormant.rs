//! Nothing goes up on an account that does not order.

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let account = candidate.view.account;
    let idle = candidate.view.days_since(Some(account.last_order_at.unwrap_or(account.opened_at)));
    let dormant = idle >= candidate.settings().dormant_days;
    if candidate.is_upward() && dormant { Verdict::Stop } else { Verdict::Pass }
}
