//! The chain of journal records: one per commit, each with the digest of the one before (PROTOCOL, the journal record).

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::{Cancelled, Commit, Position, Record, Timer, TimerKind, Timestamp};
use headroom_store::{Reader, StoreError};
use headroom_wire::{Journal, JournalInput, JournalOutputs, JournalWriter};
use sha2::{Digest, Sha256};

/// The layout of what this build writes.
const LEVEL: u32 = 1;
/// Raised when the same input decides differently: `journal verify` reports differences between versions as declared.
const LOGIC_VERSION: u32 = 1;

/// Where the chain stands, and who goes on with it.
#[derive(Clone, Debug)]
pub struct Chain {
    next: u64,
    digest: [u8; 32],
    writer: JournalWriter,
    config_hash: String,
}

impl Chain {
    /// Behind the last record of a store.
    pub fn behind(reader: &Reader, writer: JournalWriter, config_hash: String) -> Result<Self, StoreError> {
        let last = match reader.journal_last()? {
            Some((_, bytes)) => Some(decode(&bytes)?),
            None => None,
        };
        let (next, digest) = last.map_or((1, [0; 32]), |last| (last.seq + 1, last.digest));
        Ok(Self { next, digest, writer, config_hash })
    }

    /// The sequence of the next record.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The record of a ruleset that came into force without a step.
    pub fn seeded(&mut self, ruleset_hash: &str, now: Timestamp) -> Journal {
        let mut journal = self.blank(ruleset_hash);
        (journal.now, journal.ruleset_seeded) = (now, true);
        self.seal(journal)
    }

    /// The record of a commit, not sealed yet: the records that were taken, and its encoded outputs, the first with this sequence.
    pub fn record(&self, commit: &Commit, taken: &[Record], outputs: &[Vec<u8>], first: u64, ruleset: &str) -> Journal {
        let mut journal = self.blank(ruleset);
        journal.now = commit.state.now;
        journal.inputs = inputs(taken);
        journal.input_digest = input_digest(taken);
        journal.tick = commit.tick;
        journal.swept = commit.swept;
        journal.poisoned = commit.poisoned.clone();
        journal.cancelled = commit.cancelled.iter().map(cancelled).collect();
        journal.outputs = JournalOutputs { first, count: outputs.len() as u64, digest: outputs_digest(outputs) };
        journal
    }

    /// The next record, with nothing in it.
    pub fn blank(&self, ruleset_hash: &str) -> Journal {
        Journal {
            seq: self.next,
            prev_digest: self.digest,
            writer: self.writer.clone(),
            level: LEVEL,
            logic_version: LOGIC_VERSION,
            config_hash: self.config_hash.clone(),
            ruleset_hash: ruleset_hash.to_owned(),
            ..Journal::default()
        }
    }

    /// The record of a commit whose state travels in the journal.
    pub fn seal_with_delta(&mut self, mut journal: Journal, delta: &[u8]) -> Journal {
        journal.delta_digest = Some(Sha256::digest(delta).into());
        self.seal(journal)
    }

    /// The chain goes on behind it.
    pub fn seal(&mut self, mut journal: Journal) -> Journal {
        journal.seal();
        self.next += 1;
        self.digest = journal.digest;
        journal
    }
}

/// A stored journal record.
///
/// # Errors
/// HR0303.
pub fn decode(bytes: &[u8]) -> Result<Journal, StoreError> {
    headroom_wire::decode_journal(bytes)
        .map_err(|error| StoreError::Corrupt { detail: format!("a journal record: {error}") })
}

/// Which records were taken from which input.
fn inputs(records: &[Record]) -> Vec<JournalInput> {
    let mut spans: BTreeMap<(Arc<str>, u32), JournalInput> = BTreeMap::new();
    for Position { input, partition, offset } in records.iter().map(|each| &each.position) {
        let span = spans.entry((Arc::clone(input), *partition)).or_insert_with(|| JournalInput {
            input: input.to_string(),
            partition: *partition,
            from: *offset,
            to: *offset,
            count: 0,
        });
        span.to = offset + 1;
        span.count += 1;
    }
    spans.into_values().collect()
}

/// SHA-256 over what was taken, in order: place, time, bytes as they came, and what stood around them. All zero for nothing.
pub fn input_digest(records: &[Record]) -> [u8; 32] {
    if records.is_empty() {
        return [0; 32];
    }
    let mut hash = Sha256::new();
    for record in records {
        part(&mut hash, record.position.input.as_bytes());
        hash.update(record.position.partition.to_be_bytes());
        hash.update(record.position.offset.to_be_bytes());
        hash.update(record.timestamp.0.to_be_bytes());
        hash.update([u8::from(record.replayed)]);
        part(&mut hash, &record.original);
        if let Some(around) = &record.around {
            part(&mut hash, around.bytes());
        }
    }
    hash.finalize().into()
}

/// SHA-256 over encoded outputs, each behind its length as four bytes. All zero for none.
pub fn outputs_digest(outputs: &[impl AsRef<[u8]>]) -> [u8; 32] {
    if outputs.is_empty() {
        return [0; 32];
    }
    let mut hash = Sha256::new();
    outputs.iter().for_each(|each| part(&mut hash, each.as_ref()));
    hash.finalize().into()
}

fn part(hash: &mut Sha256, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("records and outputs are far below 4 GiB");
    hash.update(length.to_be_bytes());
    hash.update(bytes);
}

pub(super) fn cancelled(cancelled: &Cancelled) -> String {
    match cancelled {
        Cancelled::Timer(account, timer) => {
            format!("timer {} {} {} {account}", timer.due.0, timer.kind.number(), timer.rule)
        }
        Cancelled::Sweep(account) => format!("sweep {account}"),
    }
}

/// The reverse of what the journal says of a cancelled step.
pub fn parse_cancelled(text: &str) -> Option<Cancelled> {
    if let Some(account) = text.strip_prefix("sweep ") {
        return Some(Cancelled::Sweep(account.into()));
    }
    let mut parts = text.strip_prefix("timer ")?.splitn(4, ' ');
    let due = Timestamp(parts.next()?.parse().ok()?);
    let kind = TimerKind::from_number(parts.next()?.parse().ok()?)?;
    let rule = parts.next()?.parse().ok()?;
    Some(Cancelled::Timer(parts.next()?.into(), Timer { due, kind, rule }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cancelled_is_read_back() {
        let timer = Timer { due: Timestamp(-5), kind: TimerKind::Daily, rule: 7 };
        for each in [Cancelled::Timer("M 1".into(), timer), Cancelled::Sweep("timer 1".into())] {
            assert_eq!(parse_cancelled(&cancelled(&each)), Some(each));
        }
        assert_eq!(parse_cancelled("timer 1 200 0 M1"), None);
    }
}
