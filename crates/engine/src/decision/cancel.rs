//! What is left of a timer or a sweep's touch that cannot be carried out (PROTOCOL P19): a review, and nothing else.
//! No rule is asked, nothing is booked or rolled, no timer is computed: any of these may be what failed.

use crate::account::Account;
use crate::context::Context;
use crate::time::Timestamp;
use crate::timer::Timer;

use super::decide::{Decision, Outcome, Source};

/// The kind of the reviews.
const POISONED: &str = "poisoned";

/// Removes a timer without firing it.
pub(crate) fn timer(context: &Context<'_>, mut account: Box<Account>, timer: Timer) -> Outcome {
    account.timers.retain(|each| *each != timer);
    let detail = format!("the timer `{}` due {} failed and was cancelled", timer.kind.word(), shown(timer.due));
    Decision::asking(context, account, Source::Timer(timer), timer.due, &detail)
}

/// Takes the broadcasts up to `target` as applied, without a decision.
pub(crate) fn sweep(context: &Context<'_>, mut account: Box<Account>, target: u64, now: Timestamp) -> Outcome {
    account.broadcast = account.broadcast.max(target);
    let detail = format!("broadcasts up to number {target} failed and were passed over");
    Decision::asking(context, account, Source::Cancelled(target), now, &detail)
}

fn shown(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| format!("{} ms", at.0), |at| at.to_string())
}

impl<'a> Decision<'a> {
    /// Asks a person to look, and nothing else.
    fn asking(
        context: &'a Context<'a>,
        account: Box<Account>,
        source: Source<'a>,
        now: Timestamp,
        detail: &str,
    ) -> Outcome {
        let mut decision = Decision::new(context, account);
        (decision.now, decision.source) = (now, source);
        decision.ask_review(POISONED, detail);
        decision.finish()
    }
}
