use std::path::Path;

use headroom_wire::{event_to_delimited, proto};

use super::row::{Draft, draft, sortable};
use super::run::decoded;
use crate::SourceError;
use crate::sort::Sorter;

/// A key ends with time, row and the event's number within the row, eight bytes each; before them are the account and a
/// zero, which no id contains.
const AFTER_ACCOUNT_BYTES: usize = 24;
const ORDINAL_BYTES: usize = 8;

/// Finds, in bounded memory, the events that stand before the first of each account.
pub(super) struct Openings {
    sorter: Sorter,
}

impl Openings {
    pub(super) fn new(bytes_max: usize, temporary: &Path) -> Openings {
        Openings { sorter: Sorter::new(bytes_max, temporary) }
    }

    /// Adds what opens `account` if row `number` turns out to be its first.
    pub(super) fn push(
        &mut self,
        account: &str,
        millis: i64,
        number: u64,
        events: &[proto::Event],
    ) -> Result<(), SourceError> {
        for (ordinal, event) in events.iter().enumerate() {
            let mut key = account.as_bytes().to_vec();
            key.push(0);
            key.extend(sortable(millis));
            key.extend(number.to_be_bytes());
            key.extend((ordinal as u64).to_be_bytes());
            let mut bytes = Vec::new();
            event_to_delimited(event, &mut bytes);
            self.sorter.push(&key, &bytes)?;
        }
        Ok(())
    }

    /// Hands on what opens each account at its first row.
    pub(super) fn finish(self, mut take: impl FnMut(Draft) -> Result<(), SourceError>) -> Result<(), SourceError> {
        let mut sorted = self.sorter.finish()?;
        // Account, time and row of the first record of the account at hand.
        let mut first: Vec<u8> = Vec::new();
        while let Some((key, bytes)) = sorted.next()? {
            let row = &key[..key.len() - ORDINAL_BYTES];
            if account(row) != account(&first) {
                first = row.to_vec();
            }
            if row == first {
                take(opening(key, bytes))?;
            }
        }
        Ok(())
    }
}

/// The account of a key that may lack its last part; empty for no key.
fn account(row: &[u8]) -> &[u8] {
    &row[..row.len().saturating_sub(AFTER_ACCOUNT_BYTES - ORDINAL_BYTES)]
}

fn opening(key: &[u8], bytes: &[u8]) -> Draft {
    let event = decoded(bytes);
    let number = |at: usize| {
        let bytes = key[key.len() - at..].first_chunk().expect("eight bytes were written");
        u64::from_be_bytes(*bytes)
    };
    let millis = event.occurred_at.and_then(headroom_wire::Timestamp::to_millis).expect("it was set");
    draft(&event, millis, number(16), number(8))
}
