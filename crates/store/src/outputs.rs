//! Outputs on disk: each kind a range of its own, one order over all, and an index by account.

use headroom_engine::Output;

use crate::database::{Batch, Scan};
use crate::delta::{Operation, operations};
use crate::table::{Meta, Table};
use crate::{Reader, StoreError, codec, key};

/// No id is longer; what a dead letter gives as one may be.
const ACCOUNT_BYTES_MAX: usize = 128;

/// The kinds of outputs, with the bytes under which they are stored: never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum OutputKind {
    /// What the ledger applies.
    LimitChange = 1,
    /// An increase that waits for consent.
    Offer = 2,
    /// What to tell the customer.
    Notice = 3,
    /// A person must look.
    Review = 4,
    /// Input that could not be taken.
    DeadLetter = 5,
}

impl OutputKind {
    /// In the order of their bytes.
    pub const ALL: [Self; 5] = [Self::LimitChange, Self::Offer, Self::Notice, Self::Review, Self::DeadLetter];

    /// Of an output.
    pub fn of(output: &Output) -> Self {
        match output {
            Output::LimitChange(_) => Self::LimitChange,
            Output::Offer(_) => Self::Offer,
            Output::Notice(_) => Self::Notice,
            Output::Review(_) => Self::Review,
            Output::DeadLetter(_) => Self::DeadLetter,
        }
    }

    pub(crate) fn byte(self) -> u8 {
        self as u8
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.byte() == byte)
    }
}

/// Whose an output is, if it stands in the index. A dead letter says what it read, which may be anything.
fn account_of(output: &Output) -> Option<&str> {
    let account: &str = match output {
        Output::LimitChange(change) => &change.account,
        Output::Offer(offer) => &offer.account,
        Output::Notice(notice) => &notice.account,
        Output::Review(review) => &review.account,
        Output::DeadLetter(letter) => &letter.account,
    };
    is_indexed(account).then_some(account)
}

fn is_indexed(account: &str) -> bool {
    (1..=ACCOUNT_BYTES_MAX).contains(&account.len()) && !account.chars().any(char::is_control)
}

/// Writes outputs and their index; gives the sequence of the next.
pub(crate) fn write(batch: &mut Batch<'_>, first: u64, outputs: &[Output], encoded: &[Vec<u8>]) -> u64 {
    let mut sequence = first;
    for (output, bytes) in outputs.iter().zip(encoded) {
        let (kind, account) = (OutputKind::of(output), account_of(output));
        batch.put(Table::Outputs, &key::output(kind, sequence), &with_account(account.unwrap_or_default(), bytes));
        if let Some(account) = account {
            batch.put(Table::ByAccount, &key::by_account(account, sequence), &codec::versioned(&[kind.byte()]));
        }
        sequence += 1;
    }
    sequence
}

/// The account stands before the message, so that a trim finds the row of the index without reading the message.
fn with_account(account: &str, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(account.len()).expect("an indexed account is short");
    codec::versioned_parts(&[&[length], account.as_bytes(), bytes])
}

/// Account, empty if there is none, and message.
fn split(value: &[u8]) -> Result<(&str, &[u8]), StoreError> {
    let parts = || {
        let (length, rest) = codec::unversioned(value).ok()?.split_first()?;
        let (account, message) = rest.split_at_checked((*length).into())?;
        Some((std::str::from_utf8(account).ok()?, message))
    };
    codec::unversioned(value)?;
    parts().ok_or_else(|| StoreError::corrupt("an output is cut off"))
}

/// The outputs that a commit's delta holds, in commit order, with their sequences: the bytes as they were committed.
///
/// # Errors
/// HR0302 for a newer layout, HR0303 for bytes that are no delta.
pub fn delta_outputs(delta: &[u8]) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let mut outputs = Vec::new();
    if delta.is_empty() {
        return Ok(outputs);
    }
    for operation in operations(delta)? {
        if let Operation::Put(key, value) = operation
            && key.first() == Some(&Table::Outputs.byte())
        {
            outputs.push((key::parse_number(key)?, split(value)?.1.to_vec()));
        }
    }
    outputs.sort_unstable_by_key(|(sequence, _)| *sequence);
    Ok(outputs)
}

/// Outputs in the order of their sequence, over all kinds.
struct InOrder<'a> {
    /// Each stands at its first row that was not taken yet.
    kinds: Vec<(OutputKind, Scan<'a>)>,
}

/// An output as it stands on disk.
pub(crate) struct Stored<'a> {
    pub(crate) sequence: u64,
    pub(crate) account: &'a str,
    pub(crate) message: &'a [u8],
}

impl<'a> InOrder<'a> {
    fn from(reader: &'a Reader, sequence: u64) -> Result<Self, StoreError> {
        let open = |kind| {
            let (from, to) = (key::output(kind, sequence), key::outputs_after(kind));
            let mut scan = reader.database.peek_range(Table::Outputs, from, to)?;
            scan.next_row()?;
            Ok((kind, scan))
        };
        OutputKind::ALL.into_iter().map(open).collect::<Result<_, _>>().map(|kinds| Self { kinds })
    }

    /// Hands the next output to `take` and goes on; `None` at the end.
    fn next<T>(&mut self, take: impl FnOnce(Stored<'_>) -> T) -> Result<Option<T>, StoreError> {
        let mut first: Option<(u64, usize)> = None;
        for (at, (_, scan)) in self.kinds.iter().enumerate() {
            let Some((key, _)) = scan.row() else { continue };
            let sequence = key::parse_number(key)?;
            if first.is_none_or(|(before, _)| sequence < before) {
                first = Some((sequence, at));
            }
        }
        let Some((sequence, at)) = first else { return Ok(None) };
        let scan = &mut self.kinds[at].1;
        let Some((_, value)) = scan.row() else { return Ok(None) };
        let (account, message) = split(value)?;
        let taken = take(Stored { sequence, account, message });
        scan.next_row()?;
        Ok(Some(taken))
    }
}

impl Reader {
    /// How many outputs there ever were: the sequence of the next one.
    pub fn outputs_count(&self) -> Result<u64, StoreError> {
        self.database.number(Meta::Outputs)
    }

    /// The first output that is kept: those below it were trimmed.
    pub fn outputs_start(&self) -> Result<u64, StoreError> {
        self.database.number(Meta::OutputsStart)
    }

    /// Outputs from a sequence on in commit order, with their sequences, at most `limit`: the bytes as they were
    /// committed.
    pub fn outputs_from(&self, sequence: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let mut outputs = Vec::new();
        self.each_output(sequence, limit, |stored| outputs.push((stored.sequence, stored.message.to_vec())))?;
        Ok(outputs)
    }

    /// Hands at most `limit` outputs from a sequence on to `take`, in commit order.
    pub(crate) fn each_output(
        &self,
        sequence: u64,
        limit: usize,
        mut take: impl FnMut(Stored<'_>),
    ) -> Result<(), StoreError> {
        // Five ranges are not read at one moment: what is committed or trimmed meanwhile is left out of all.
        let end = self.outputs_count()?;
        let mut outputs = InOrder::from(self, sequence)?;
        let start = self.outputs_start()?;
        let mut taken = 0;
        while taken < limit {
            let next = outputs.next(|stored| match stored.sequence {
                early if early < start => Some(0),
                late if late >= end => None,
                _ => {
                    take(stored);
                    Some(1)
                }
            })?;
            let Some(count) = next.flatten() else { break };
            taken += count;
        }
        Ok(())
    }

    /// Outputs of one kind from a sequence on, with their sequences, at most `limit`: the bytes as they were committed.
    pub fn outputs_of_kind(
        &self,
        kind: OutputKind,
        from_seq: u64,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let mut outputs = Vec::new();
        let (from, to) = (key::output(kind, from_seq), key::outputs_after(kind));
        let mut rows = self.database.peek_range(Table::Outputs, from, to)?;
        while outputs.len() < limit {
            let Some((key, value)) = rows.next_row()? else { break };
            outputs.push((key::parse_number(key)?, split(value)?.1.to_vec()));
        }
        Ok(outputs)
    }

    /// Outputs of one account with their sequences, newest first, those before a sequence if it is given, at most
    /// `limit`. What is no account id has none.
    pub fn account_outputs(
        &self,
        account: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        if !is_indexed(account) {
            return Ok(Vec::new());
        }
        let mut keys = Vec::new();
        let (from, to) = (key::by_account(account, 0), key::by_account(account, before.unwrap_or(u64::MAX)));
        let mut rows = self.database.peek_range(Table::ByAccount, from, to)?;
        while keys.len() < limit {
            let Some((key, value)) = rows.previous_row()? else { break };
            keys.push(key::output(kind_of(value)?, key::parse_number(key)?));
        }
        self.outputs_at(keys)
    }

    fn outputs_at(&self, mut keys: Vec<Vec<u8>>) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        keys.sort_unstable();
        let mut outputs = Vec::with_capacity(keys.len());
        for (key, value) in keys.iter().zip(self.database.get_sorted(Table::Outputs, &keys)?) {
            // One that a trim has just removed is gone like those before it.
            if let Some(value) = value {
                outputs.push((key::parse_number(key)?, split(&value)?.1.to_vec()));
            }
        }
        outputs.sort_unstable_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        Ok(outputs)
    }
}

fn kind_of(value: &[u8]) -> Result<OutputKind, StoreError> {
    let kind = match codec::unversioned(value)? {
        [byte] => OutputKind::from_byte(*byte),
        _ => None,
    };
    kind.ok_or_else(|| StoreError::corrupt("an output by account has no kind"))
}
