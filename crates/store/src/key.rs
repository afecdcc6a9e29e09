//! Keys: bytes that sort as the values do.

use headroom_engine::{AccountId, SeenKey, Timer, TimerKind, Timestamp};

use crate::table::{Meta, Table};
use crate::{OutputKind, StoreError};

/// Ends a text inside a key. Ids hold no control characters, so a prefix of an id sorts before it, as in `str`'s order.
const END: u8 = 0x00;

/// Above every byte of UTF-8.
const ABOVE_TEXT: u8 = 0xff;

pub(crate) fn meta(key: Meta) -> Vec<u8> {
    vec![Table::Meta.byte(), key as u8]
}

pub(crate) fn account(id: &str) -> Vec<u8> {
    start(Table::Accounts, id.len()).text(id).0
}

pub(crate) fn ruleset(hash: &str) -> Vec<u8> {
    start(Table::Rulesets, hash.len()).text(hash).0
}

/// Each kind is one range: who reads one passes over no other.
pub(crate) fn output(kind: OutputKind, sequence: u64) -> Vec<u8> {
    start(Table::Outputs, 9).bytes(&[kind.byte()]).bytes(&sequence.to_be_bytes()).0
}

/// Above every output of a kind.
pub(crate) fn outputs_after(kind: OutputKind) -> Vec<u8> {
    start(Table::Outputs, 1).bytes(&[kind.byte() + 1]).0
}

pub(crate) fn by_account(account: &str, sequence: u64) -> Vec<u8> {
    start(Table::ByAccount, account.len() + 9).text(account).bytes(&[END]).bytes(&sequence.to_be_bytes()).0
}

/// Of the tables whose key is a number: journal and log.
pub(crate) fn numbered(table: Table, number: u64) -> Vec<u8> {
    start(table, 8).bytes(&number.to_be_bytes()).0
}

pub(crate) fn seen(key: SeenKey) -> Vec<u8> {
    start(Table::Seen, 12).bytes(&signed_32(key.day)).bytes(&key.hash.to_be_bytes()).0
}

/// The first key of a day.
pub(crate) fn seen_day(day: i32) -> Vec<u8> {
    start(Table::Seen, 4).bytes(&signed_32(day)).0
}

pub(crate) fn position(input: &str, partition: u32) -> Vec<u8> {
    start(Table::Positions, input.len() + 5).text(input).bytes(&[END]).bytes(&partition.to_be_bytes()).0
}

pub(crate) fn timer(account: &str, timer: &Timer) -> Vec<u8> {
    start(Table::Timers, account.len() + 14)
        .bytes(&signed_64(timer.due.0))
        .text(account)
        .bytes(&[END, timer.kind.number()])
        .bytes(&timer.rule.to_be_bytes())
        .0
}

/// A bound above every timer that is due at or before an instant, below every other.
pub(crate) fn timers_after(until: Timestamp) -> Vec<u8> {
    start(Table::Timers, 9).bytes(&signed_64(until.0)).bytes(&[ABOVE_TEXT]).0
}

pub(crate) fn parse_account(key: &[u8]) -> Result<&str, StoreError> {
    let id = key.get(1..).and_then(|id| std::str::from_utf8(id).ok());
    id.ok_or_else(|| damaged("accounts", key))
}

/// The number at the end of a key: of an output, an output by account, a journal or a log record.
pub(crate) fn parse_number(key: &[u8]) -> Result<u64, StoreError> {
    let number = key.get(1..).and_then(<[u8]>::last_chunk).map(|number| u64::from_be_bytes(*number));
    number.ok_or_else(|| damaged("of numbers", key))
}

pub(crate) fn parse_seen_day(key: &[u8]) -> Result<i32, StoreError> {
    let day = key.get(1..5).and_then(|day| day.try_into().ok()).map(|day| i32::from_be_bytes(day) ^ i32::MIN);
    day.ok_or_else(|| damaged("seen", key))
}

pub(crate) fn parse_position(key: &[u8]) -> Result<(String, u32), StoreError> {
    let parts = || {
        let (text, partition) = key.get(1..)?.split_last_chunk::<4>()?;
        let input = std::str::from_utf8(text.strip_suffix(&[END])?).ok()?;
        Some((input.to_owned(), u32::from_be_bytes(*partition)))
    };
    parts().ok_or_else(|| damaged("positions", key))
}

pub(crate) fn parse_timer(key: &[u8]) -> Result<(AccountId, Timer), StoreError> {
    let parts = || {
        let (due, rest) = key.get(1..)?.split_first_chunk::<8>()?;
        let (rest, rule) = rest.split_last_chunk::<4>()?;
        let (&kind, text) = rest.split_last()?;
        let account = std::str::from_utf8(text.strip_suffix(&[END])?).ok()?;
        let due = Timestamp(i64::from_be_bytes(*due) ^ i64::MIN);
        let timer = Timer { due, kind: TimerKind::from_number(kind)?, rule: u32::from_be_bytes(*rule) };
        Some((account.into(), timer))
    };
    parts().ok_or_else(|| damaged("timers", key))
}

struct Key(Vec<u8>);

fn start(table: Table, length: usize) -> Key {
    let mut bytes = Vec::with_capacity(1 + length);
    bytes.push(table.byte());
    Key(bytes)
}

impl Key {
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Texts come checked from the engine; one with the end byte would make two keys of one, or one of two.
    fn text(self, text: &str) -> Self {
        assert!(!text.is_empty() && !text.as_bytes().contains(&END), "`{}` is no key", text.escape_debug());
        self.bytes(text.as_bytes())
    }
}

fn signed_32(value: i32) -> [u8; 4] {
    (value ^ i32::MIN).to_be_bytes()
}

fn signed_64(value: i64) -> [u8; 8] {
    (value ^ i64::MIN).to_be_bytes()
}

fn damaged(table: &str, key: &[u8]) -> StoreError {
    StoreError::corrupt(format!("table {table} holds a key that is none: {key:02x?}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timers() -> impl Strategy<Value = (AccountId, Timer)> {
        // Few different values, so that every part decides some comparison.
        let due = prop_oneof![-2_i64..3, Just(i64::MIN), Just(i64::MAX), any::<i64>()];
        let id = prop_oneof!["[ab]{1,3}", "\\PC{1,8}", Just("a~".to_owned()), Just("aé".to_owned())];
        let rule = prop_oneof![0_u32..3, any::<u32>()];
        (due, id, 0..TimerKind::ALL.len(), rule).prop_map(|(due, id, kind, rule)| {
            (id.into(), Timer { due: Timestamp(due), kind: TimerKind::ALL[kind], rule })
        })
    }

    /// The order in which timers fire: PROTOCOL P2.
    fn order(of: &(AccountId, Timer)) -> (Timestamp, &str, TimerKind, u32) {
        (of.1.due, &of.0, of.1.kind, of.1.rule)
    }

    proptest! {
        #[test]
        fn timer_keys_sort_as_timers_fire(a in timers(), b in timers()) {
            prop_assert_eq!(timer(&a.0, &a.1).cmp(&timer(&b.0, &b.1)), order(&a).cmp(&order(&b)));
            prop_assert_eq!(timer(&a.0, &a.1) < timers_after(b.1.due), a.1.due <= b.1.due);
        }

        #[test]
        fn keys_are_read_back(a in timers(), partition: u32, sequence: u64, day: i32, hash: u64) {
            prop_assert_eq!(parse_timer(&timer(&a.0, &a.1)).unwrap(), a.clone());
            prop_assert_eq!(parse_position(&position(&a.0, partition)).unwrap(), (a.0.to_string(), partition));
            prop_assert_eq!(parse_number(&output(OutputKind::Notice, sequence)).unwrap(), sequence);
            prop_assert_eq!(parse_number(&by_account(&a.0, sequence)).unwrap(), sequence);
            prop_assert_eq!(parse_number(&numbered(Table::Log, sequence)).unwrap(), sequence);
            prop_assert_eq!(parse_seen_day(&seen(SeenKey { day, hash })).unwrap(), day);
        }

        #[test]
        fn seen_keys_sort_by_day(a: (i32, u64), b: (i32, u64)) {
            let key = |of: (i32, u64)| seen(SeenKey { day: of.0, hash: of.1 });
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
            prop_assert_eq!(key(a) < seen_day(b.0), a.0 < b.0);
        }

        #[test]
        fn cut_keys_are_errors(a in timers(), cut in 1_usize..14) {
            let mut key = timer(&a.0, &a.1);
            key.truncate(cut);
            prop_assert_eq!(parse_timer(&key).unwrap_err().code(), "HR0303");
        }
    }
}
