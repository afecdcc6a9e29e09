//! A ruleset, kept whole as it was published.

use prost::Message;

use super::{StoredError, VERSION, versioned};
use crate::proto::RulesetPublished;

/// Appends the stored form of a ruleset: a version byte, then a `RulesetPublished`.
pub fn encode_ruleset(ruleset: &RulesetPublished, out: &mut Vec<u8>) {
    out.push(VERSION);
    ruleset.encode(out).expect("a `Vec` grows as needed");
}

/// Reads the stored form of a ruleset.
///
/// # Errors
/// [`StoredError::Newer`] if a later build wrote it, [`StoredError::Damaged`] if it is no such value.
pub fn decode_ruleset(bytes: &[u8]) -> Result<RulesetPublished, StoredError> {
    let message = RulesetPublished::decode(versioned(bytes)?);
    message.map_err(|error| StoredError::damaged(format!("ruleset: {error}")))
}
