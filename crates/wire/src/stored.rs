//! What Headroom keeps on disk: a version byte, then a message of `store.proto`.
//!
//! The account is written and read by hand, from and to the engine's structures at once: it is the hot path, and the
//! generated types would allocate everything twice. A test holds both against each other.

mod account_form;
mod account_put;
mod account_take;
mod broadcasts;
mod log;
mod put;
mod ruleset;
mod shard;
mod take;

pub use account_put::encode_account;
pub use account_take::decode_account;
pub use log::{LogRecord, decode_log_record, encode_log_record};
pub use ruleset::{decode_ruleset, encode_ruleset};
pub use shard::{decode_state, encode_state};

/// The layout that this build writes, and the newest that it reads.
const VERSION: u8 = 1;

/// A stored value that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// A later build wrote it.
    #[error("stored in layout {found}, this build reads layouts up to {known}")]
    Newer {
        /// The layout of the value.
        found: u8,
        /// The newest layout that this build reads.
        known: u8,
    },
    /// The bytes are no value of their layout.
    #[error("damaged: {detail}")]
    Damaged {
        /// Where and what.
        detail: String,
    },
}

impl StoredError {
    pub(crate) fn damaged(detail: impl Into<String>) -> StoredError {
        StoredError::Damaged { detail: detail.into() }
    }
}

/// The message behind the version byte.
fn versioned(bytes: &[u8]) -> Result<&[u8], StoredError> {
    match bytes.split_first() {
        Some((&VERSION, message)) => Ok(message),
        Some((&found, _)) if found > VERSION => Err(StoredError::Newer { found, known: VERSION }),
        Some((found, _)) => Err(StoredError::damaged(format!("layout {found} never existed"))),
        None => Err(StoredError::damaged("no bytes")),
    }
}
