//! Ids that follow from content (PROTOCOL P5, P7). xxHash is no signature: it names, it does not protect.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::event::Event;

/// The key of a name (promotion, payment) in stored forms.
pub fn name_key(name: &str) -> u64 {
    xxh3_64(name.as_bytes()).max(1)
}

/// The key of a fact in stored forms: the low 32 bits of its name's hash. A ruleset whose facts collide is refused.
pub fn fact_key(name: &str) -> u32 {
    let [.., a, b, c, d] = xxh3_64(name.as_bytes()).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// The dedup key of an event: kind, source, id, under its account.
pub fn event_key(event: &Event) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&[event.body.kind_number()]);
    for part in [event.account.as_bytes(), event.source.as_bytes(), event.id.as_bytes()] {
        hash.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.digest()
}

/// What made an output, as far as its id is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CauseKey {
    /// An event's key.
    Event(u64),
    /// A timer's kind and due time.
    Timer(u8, i64),
    /// A broadcast's sequence.
    Broadcast(u64),
}

/// The id of an output: `hash(account, number, cause)`; `tag` keeps kinds of outputs apart.
pub fn output_id(tag: u8, account: &str, number: u64, cause: CauseKey) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(&[tag]);
    hash.update(&u32::try_from(account.len()).unwrap_or(u32::MAX).to_be_bytes());
    hash.update(account.as_bytes());
    hash.update(&number.to_be_bytes());
    let (kind, detail, at) = match cause {
        CauseKey::Event(key) => (1, key, 0),
        CauseKey::Timer(kind, due) => (2, u64::from(kind), due),
        CauseKey::Broadcast(sequence) => (3, sequence, 0),
    };
    hash.update(&[kind]);
    hash.update(&detail.to_be_bytes());
    hash.update(&at.to_be_bytes());
    hash.digest128()
}

/// A 32-bit hash that spreads accounts over time.
pub fn spread(account: &str) -> u64 {
    xxh3_64(account.as_bytes())
}
