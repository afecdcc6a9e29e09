//! What everybody may read: committed data, while the owner goes on writing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use headroom_engine::{Account, ShardState};
use sha2::{Digest, Sha256};

use crate::database::{Database, Scan};
use crate::table::{Meta, Table};
use crate::{StoreError, StoreOptions, codec, key};

/// Reads committed data; cheap to clone, usable from any thread. Nothing is seen before the write, and under
/// [`Durability::Fsync`](crate::Durability::Fsync) the sync, that covers it (PROTOCOL P27).
///
/// Holds the database open: the directory's lock is let go with the last reader.
/// Every function fails with HR0303, HR0304, HR0302 for a value of a newer build, or HR0306 once the shard is sealed.
#[derive(Clone)]
pub struct Reader {
    pub(crate) database: Arc<Database>,
}

/// How large the stored data is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sizes {
    /// Accounts.
    pub accounts: u64,
    /// Bytes of all account values before compression.
    pub account_bytes: u64,
    /// Bytes of the files that hold live data, compressed, all tables; what is not flushed yet is not in it.
    pub file_bytes: u64,
}

impl Sizes {
    /// Mean bytes of an account value, rounded down; 0 without accounts.
    pub fn bytes_per_account(&self) -> u64 {
        self.account_bytes.checked_div(self.accounts).unwrap_or(0)
    }
}

impl Reader {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self { database }
    }

    /// Opens a data directory as it is at this moment, without its lock, for looking at it while nobody runs on it.
    ///
    /// # Errors
    /// HR0305 if there is none, HR0302, HR0303, HR0304.
    pub fn open(dir: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        Database::open_read_only(dir, options).map(|database| Self::new(Arc::new(database)))
    }

    /// One account; `None`: never heard of.
    pub fn account(&self, id: &str) -> Result<Option<Account>, StoreError> {
        let stored = self.database.get(Table::Accounts, &key::account(id))?;
        stored.map(|value| codec::decode_account(&value)).transpose()
    }

    /// Every account in the order of ids, one at a time.
    pub fn accounts(&self) -> Result<impl Iterator<Item = Result<Account, StoreError>>, StoreError> {
        let mut rows = self.database.scan(Table::Accounts)?;
        Ok(std::iter::from_fn(move || next_account(&mut rows).transpose()))
    }

    /// The shard's state after the last commit; `None`: there was none.
    pub fn state(&self) -> Result<Option<ShardState>, StoreError> {
        // One look at both: they belong to one commit.
        let keys = [Meta::State, Meta::Broadcasts].map(key::meta);
        let [state, broadcasts] = &*self.database.get_sorted(Table::Meta, &keys)? else { return Ok(None) };
        let Some(state) = state else { return Ok(None) };
        let mut state = codec::decode_state(state)?;
        if let Some(broadcasts) = broadcasts {
            state.broadcasts = codec::decode_state(broadcasts)?.broadcasts;
        }
        Ok(Some(state))
    }

    /// Inputs and the next offset to read.
    pub fn positions(&self) -> Result<BTreeMap<(Arc<str>, u32), u64>, StoreError> {
        let mut positions = BTreeMap::new();
        let mut rows = self.database.scan(Table::Positions)?;
        while let Some((key, value)) = rows.next_row()? {
            let (input, partition) = key::parse_position(key)?;
            positions.insert((input.into(), partition), codec::decode_number(value)?);
        }
        Ok(positions)
    }

    /// Bytes of the file that outputs are copied to, as of the last commit: what is longer has not been committed.
    pub fn out_len(&self) -> Result<u64, StoreError> {
        self.database.number(Meta::OutLength)
    }

    /// The file that outputs were last copied to.
    pub fn out_path(&self) -> Result<Option<String>, StoreError> {
        self.database.get_meta(Meta::OutPath)?.map(|value| codec::decode_text(&value)).transpose()
    }

    /// The files of a ruleset by its content hash, path and text, whether or not it is in force.
    pub fn ruleset(&self, hash: &str) -> Result<Option<Vec<(String, String)>>, StoreError> {
        let stored = self.database.get(Table::Rulesets, &key::ruleset(hash))?;
        stored.map(|value| codec::decode_ruleset(&value)).transpose()
    }

    /// Content hash of the ruleset in force; `None`: there was none yet.
    pub fn ruleset_hash(&self) -> Result<Option<String>, StoreError> {
        self.database.get_meta(Meta::Ruleset)?.map(|value| codec::decode_text(&value)).transpose()
    }

    /// What the shard was about to do, as [`Store::set_attempt`](crate::Store::set_attempt) last noted it.
    pub fn attempt(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let stored = self.database.get_meta(Meta::Attempt)?;
        stored.map(|value| codec::unversioned(&value).map(<[u8]>::to_vec)).transpose()
    }

    /// SHA-256 over accounts, timers and seen keys in the order of their keys; keys and values each preceded by their
    /// length as four bytes. Says nothing of how the data was cut into commits.
    pub fn digest(&self) -> Result<[u8; 32], StoreError> {
        let mut hash = Sha256::new();
        for table in [Table::Accounts, Table::Timers, Table::Seen] {
            let mut rows = self.database.scan(table)?;
            while let Some((key, value)) = rows.next_row()? {
                hash_part(&mut hash, key);
                hash_part(&mut hash, value);
            }
        }
        Ok(hash.finalize().into())
    }

    /// How large the stored data is; reads all accounts.
    pub fn sizes(&self) -> Result<Sizes, StoreError> {
        let mut sizes = Sizes { file_bytes: self.database.file_bytes()?, ..Sizes::default() };
        let mut rows = self.database.scan(Table::Accounts)?;
        while let Some((_, value)) = rows.next_row()? {
            sizes.accounts += 1;
            sizes.account_bytes += value.len() as u64;
        }
        Ok(sizes)
    }
}

fn next_account(rows: &mut Scan<'_>) -> Result<Option<Account>, StoreError> {
    let Some((_, value)) = rows.next_row()? else { return Ok(None) };
    codec::decode_account(value).map(Some)
}

/// The length first, so that no two different rows give the same bytes.
fn hash_part(hash: &mut Sha256, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("keys and values are far below 4 GiB");
    hash.update(length.to_be_bytes());
    hash.update(part);
}
