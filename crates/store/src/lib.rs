//! What a shard keeps on disk: the only crate that knows RocksDB.
//!
//! **One write, all or nothing.** A step's accounts, timers, seen keys, outputs, positions and state go into one
//! `WriteBatch`; the write-ahead log is always on. A write that fails seals the store: nothing is tried again.
//!
//! **Tables are prefixes, families are tuning.** Every key starts with its table's byte (`table.rs`), so all tables
//! could live in one tree and the bytes of a key say everything. Three column families stand behind them, because
//! three shapes of data would hurt each other in one: accounts are rewritten all the time and read by key; seen keys
//! are tiny, written once and dropped by the day; outputs are appended in order and never change. In one tree each
//! compaction of accounts would rewrite the others. A batch over families is as atomic as one within a family.

mod cache;
mod checkpoint;
mod codec;
mod commit;
mod database;
mod delta;
mod error;
mod format;
mod journal;
mod key;
mod log;
mod options;
mod outputs;
mod reader;
mod recent;
mod staging;
mod store;
mod table;
mod trim;
mod tuning;
mod writer;

pub mod fault;

pub use checkpoint::CheckpointInfo;
pub use commit::{CommitExtra, Done};
pub use error::StoreError;
pub use log::LogWriter;
pub use options::{Durability, SharedMemory, StoreOptions};
pub use outputs::{OutputKind, delta_outputs};
pub use reader::{Reader, Sizes};
pub use staging::JournalEntry;
pub use store::{Rows, Store};
pub use trim::{Trim, Trimmed};

pub use headroom_wire::LogRecord;
