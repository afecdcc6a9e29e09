//! What stands in a value: a version byte, then the payload.

use headroom_engine::{Account, ShardState};
use headroom_wire::StoredError;
use headroom_wire::proto::{RulesetPublished, ruleset_published::File};

use crate::StoreError;

/// The layout of every payload that this build writes, and the newest that it reads (PROTOCOL P23).
const LAYOUT: u8 = 1;

pub(crate) fn versioned(payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(1 + payload.len());
    value.push(LAYOUT);
    value.extend_from_slice(payload);
    value
}

/// Of a payload in parts.
pub(crate) fn versioned_parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut value = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    value.push(LAYOUT);
    parts.iter().for_each(|part| value.extend_from_slice(part));
    value
}

/// The payload of a stored value.
pub(crate) fn unversioned(value: &[u8]) -> Result<&[u8], StoreError> {
    match value.split_first() {
        Some((&LAYOUT, payload)) => Ok(payload),
        Some((&found, _)) if found > LAYOUT => {
            Err(StoreError::NewerFormat { found: found.into(), known: LAYOUT.into() })
        }
        _ => Err(StoreError::corrupt("a value has no layout")),
    }
}

pub(crate) fn encode_number(number: u64) -> Vec<u8> {
    versioned(&number.to_be_bytes())
}

pub(crate) fn decode_number(value: &[u8]) -> Result<u64, StoreError> {
    let bytes = unversioned(value)?.try_into().map_err(|_| StoreError::corrupt("a number does not have 8 bytes"))?;
    Ok(u64::from_be_bytes(bytes))
}

pub(crate) fn decode_text(value: &[u8]) -> Result<String, StoreError> {
    let text = std::str::from_utf8(unversioned(value)?).map_err(|_| StoreError::corrupt("a text is no UTF-8"))?;
    Ok(text.to_owned())
}

/// Rulesets are kept as the message that publishes them.
pub(crate) fn encode_ruleset(hash: &str, files: &[(String, String)]) -> Vec<u8> {
    let file = |(path, content): &(String, String)| File { path: path.clone(), content: content.clone() };
    let files = files.iter().map(file).collect();
    let mut value = Vec::new();
    headroom_wire::encode_ruleset(&RulesetPublished { content_hash: hash.to_owned(), files }, &mut value);
    value
}

pub(crate) fn decode_ruleset(value: &[u8]) -> Result<Vec<(String, String)>, StoreError> {
    let message = headroom_wire::decode_ruleset(value).map_err(stored)?;
    Ok(message.files.into_iter().map(|file| (file.path, file.content)).collect())
}

/// Into a buffer that is used again: the hot path.
pub(crate) fn encode_account<'a>(account: &Account, buffer: &'a mut Vec<u8>) -> &'a [u8] {
    buffer.clear();
    headroom_wire::encode_account(account, buffer);
    buffer
}

pub(crate) fn decode_account(value: &[u8]) -> Result<Account, StoreError> {
    headroom_wire::decode_account(value).map_err(stored)
}

pub(crate) fn encode_state(state: &ShardState) -> Vec<u8> {
    let mut value = Vec::new();
    headroom_wire::encode_state(state, &mut value);
    value
}

pub(crate) fn decode_state(value: &[u8]) -> Result<ShardState, StoreError> {
    headroom_wire::decode_state(value).map_err(stored)
}

pub(crate) fn stored(error: StoredError) -> StoreError {
    match error {
        StoredError::Newer { found, known } => StoreError::NewerFormat { found: found.into(), known: known.into() },
        StoredError::Damaged { detail } => StoreError::Corrupt { detail },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_newer_layout_are_refused() {
        let mut value = encode_number(7);
        assert_eq!(decode_number(&value), Ok(7));
        value[0] = 2;
        assert_eq!(decode_number(&value).unwrap_err().code(), "HR0302");
        assert_eq!(decode_account(&value).unwrap_err().code(), "HR0302");
        assert_eq!(decode_state(&value).unwrap_err().code(), "HR0302");
    }

    #[test]
    fn values_that_are_none_are_damage() {
        for value in [&[][..], &[0, 1], &[LAYOUT, 1, 2]] {
            assert_eq!(decode_number(value).unwrap_err().code(), "HR0303");
            assert_eq!(decode_ruleset(value).unwrap_err().code(), "HR0303");
        }
        assert_eq!(decode_account(&[]).unwrap_err().code(), "HR0303");
        assert_eq!(decode_text(&[LAYOUT, 0xff]).unwrap_err().code(), "HR0303");
    }
}
