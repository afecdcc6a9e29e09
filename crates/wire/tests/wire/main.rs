//! The wire crate from outside: against an oracle, against what was published, against damage.

#![expect(clippy::disallowed_methods, reason = "golden files are read from disk, and written when blessed")]

mod account;
mod events;
mod fill;
mod golden;
mod journal;
mod mutation;
mod oracle;
mod outputs;
mod stored;
mod topics;
mod words;
