//! What stands in a value: a version byte, then the payload.

use headroom_engine::{Account, ShardState, Timestamp};

use crate::StoreError;

/// The layout of every payload that this build writes, and the newest that it reads (PROTOCOL P23).
const LAYOUT: u8 = 1;

pub(crate) fn versioned(payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(1 + payload.len());
    value.push(LAYOUT);
    value.extend_from_slice(payload);
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

pub(crate) fn encode_account(account: &Account) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&account.sequence.to_be_bytes());
    out.extend_from_slice(&account.volume.to_be_bytes());
    out.extend_from_slice(account.id.as_bytes());
    versioned(&out)
}

pub(crate) fn decode_account(value: &[u8]) -> Result<Account, StoreError> {
    let payload = unversioned(value)?;
    let id = std::str::from_utf8(&payload[16..]).unwrap();
    let mut account = Account::provisional(id.into(), Timestamp(0), 0);
    account.sequence = u64::from_be_bytes(payload[..8].try_into().unwrap());
    account.volume = i64::from_be_bytes(payload[8..16].try_into().unwrap());
    Ok(account)
}

pub(crate) fn encode_state(state: &ShardState) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&state.now.0.to_be_bytes());
    out.extend_from_slice(&state.seen_from_day.to_be_bytes());
    out.extend_from_slice(&state.totals.events.to_be_bytes());
    versioned(&out)
}

pub(crate) fn decode_state(value: &[u8]) -> Result<ShardState, StoreError> {
    let payload = unversioned(value)?;
    let mut state = ShardState {
        now: Timestamp(i64::from_be_bytes(payload[..8].try_into().unwrap())),
        seen_from_day: i32::from_be_bytes(payload[8..12].try_into().unwrap()),
        ..Default::default()
    };
    state.totals.events = u64::from_be_bytes(payload[12..20].try_into().unwrap());
    Ok(state)
}
