//! What a decision reads beside the account.

use std::collections::BTreeMap;

use crate::broadcast::Broadcasts;
use crate::ruleset::Ruleset;
use crate::time::Timestamp;

/// Ruleset and broadcasts.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The rules in force.
    pub ruleset: &'a Ruleset,
    /// Promotions, market, control.
    pub broadcasts: &'a Broadcasts,
    /// When each source that has a heartbeat last sent a signal.
    pub feeds: &'a BTreeMap<String, Timestamp>,
}
