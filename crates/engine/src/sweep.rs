//! Which accounts a sweep touches: a broadcast reaches accounts that no event touches (PROTOCOL P6).

use crate::account::Account;
use crate::broadcast::{Broadcast, Broadcasts};
use crate::event::AccountId;
use crate::ruleset::Ruleset;
use crate::trigger::On;

/// Rows that one record passes at most: what a broadcast adds to each record stays small.
pub const SWEEP_ROWS_PER_RECORD: usize = 8;
/// Rows that one tick passes at most: a record that comes meanwhile waits for less than a sync takes.
pub const SWEEP_ROWS_PER_TICK: usize = 64;

/// A pass over all accounts in the order of ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sweep {
    /// The sequence of the last broadcast that this pass brings to accounts.
    pub target: u64,
    /// The last row passed; none: the pass begins.
    pub after: Option<AccountId>,
}

/// Rows of the table of accounts, for a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rows {
    /// All stored ids behind the sweep's `after`, in order, up to some number. No gaps.
    pub ids: Vec<AccountId>,
    /// The table ends with them.
    pub end: bool,
}

/// Whether a pass up to `target` touches an account: it is open, has not applied every broadcast up to there, and one of
/// those it lacks has rules. Moments of a promotion concern the accounts that are enrolled in it; others that the
/// promotion may mean (by their segment) decide on it when something else touches them. All other moments concern every
/// account.
pub fn concerned(ruleset: &Ruleset, broadcasts: &Broadcasts, account: &Account, target: u64) -> bool {
    account.broadcast < target
        && account.is_open()
        && entries(broadcasts, account.broadcast, target).iter().any(|entry| {
            has_rules(ruleset, entry) && entry.moment.promotion().is_none_or(|key| is_enrolled(account, key))
        })
}

/// Whether broadcasts behind a sequence call for a pass: one of them has rules.
pub fn calls_for_sweep(ruleset: &Ruleset, broadcasts: &Broadcasts, after: u64) -> bool {
    entries(broadcasts, after, broadcasts.sequence()).iter().any(|entry| has_rules(ruleset, entry))
}

/// The entries behind a sequence, up to another one.
fn entries(broadcasts: &Broadcasts, after: u64, to: u64) -> &[Broadcast] {
    let place = |sequence| usize::try_from(sequence).unwrap_or(usize::MAX).min(broadcasts.log.len());
    broadcasts.log.get(place(after)..place(to)).unwrap_or_default()
}

fn has_rules(ruleset: &Ruleset, entry: &Broadcast) -> bool {
    !ruleset.on(On::Kind(entry.moment.trigger())).is_empty()
}

fn is_enrolled(account: &Account, promotion: u64) -> bool {
    account.promotions.iter().any(|each| each.promotion == promotion && each.enrolled)
}
