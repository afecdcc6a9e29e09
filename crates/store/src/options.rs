//! Settings.

use std::fmt;

use rocksdb::{Cache, WriteBufferManager};

/// When a commit is durable (PROTOCOL P27). The write-ahead log is on either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// After a sync: survives the loss of power.
    #[default]
    Fsync,
    /// After the write: survives the end of the process, not of the machine.
    Process,
}

/// Memory of RocksDB that all shards of a process share.
#[derive(Clone)]
pub struct SharedMemory {
    pub(crate) blocks: Cache,
    pub(crate) buffers: WriteBufferManager,
}

impl SharedMemory {
    /// Bytes of blocks read, and bytes of writes that are not in files yet.
    pub fn new(block_bytes: usize, buffer_bytes: usize) -> Self {
        Self {
            blocks: Cache::new_lru_cache(block_bytes),
            buffers: WriteBufferManager::new_write_buffer_manager(buffer_bytes, false),
        }
    }
}

impl Default for SharedMemory {
    fn default() -> Self {
        Self::new(256 << 20, 192 << 20)
    }
}

impl fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMemory").field("block_bytes_used", &self.blocks.get_usage()).finish_non_exhaustive()
    }
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// When a commit is durable.
    pub durability: Durability,
    /// Shared with the other shards of the process.
    pub memory: SharedMemory,
    /// Decoded accounts kept, at most.
    pub accounts_cached_max: usize,
    /// Their approximate bytes, at most.
    pub account_bytes_cached_max: usize,
    /// Seen keys kept in memory, at most, newest days first; about 40 bytes each. A day that does not fit is answered
    /// from disk.
    pub seen_cached_max: usize,
    /// Size of one write buffer in bytes.
    pub write_buffer_bytes: usize,
    /// Open files, at most.
    pub files_max: i32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            memory: SharedMemory::default(),
            accounts_cached_max: 1_000_000,
            account_bytes_cached_max: 1 << 30,
            seen_cached_max: 4_000_000,
            write_buffer_bytes: 64 << 20,
            files_max: 512,
        }
    }
}
