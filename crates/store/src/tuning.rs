//! How RocksDB is set up, with the reasons.

use rocksdb::{BlockBasedOptions, ColumnFamilyDescriptor, DBCompressionType, DBRecoveryMode, Options};

use crate::StoreOptions;
use crate::table::Family;

/// 1 % of look-ups of absent keys read a block in vain.
const BLOOM_BITS: f64 = 10.0;
/// Point reads take a whole block apart: small ones for what is read by key.
const POINT_BLOCK_BYTES: usize = 4 << 10;
const SCAN_BLOCK_BYTES: usize = 32 << 10;
/// Bounds the time that replaying the log takes after a kill: about 11 ms of computing a megabyte.
const LOG_BYTES_MAX: u64 = 128 << 20;
/// Tells the kernel to write out steadily instead of in one stall.
const SYNC_STEP_BYTES: u64 = 1 << 20;
const FILE_BYTES: u64 = 64 << 20;

pub(crate) fn database(options: &StoreOptions, create: bool) -> Options {
    let mut database = Options::default();
    database.create_if_missing(create);
    database.create_missing_column_families(create);
    database.set_paranoid_checks(true);
    // An unfinished record at the end is a write that never returned. Damage anywhere else is an error: the default
    // would silently drop every commit after it.
    database.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    database.set_track_and_verify_wals_in_manifest(true);
    database.set_max_total_wal_size(LOG_BYTES_MAX);
    database.set_bytes_per_sync(SYNC_STEP_BYTES);
    database.set_wal_bytes_per_sync(SYNC_STEP_BYTES);
    database.set_max_background_jobs(2);
    database.set_max_open_files(options.files_max);
    database.set_write_buffer_manager(&options.memory.buffers);
    database.set_stats_dump_period_sec(0);
    database.set_stats_persist_period_sec(0);
    database.set_keep_log_file_num(4);
    database.set_max_log_file_size(4 << 20);
    database
}

pub(crate) fn families(options: &StoreOptions) -> Vec<ColumnFamilyDescriptor> {
    Family::ALL.map(|family| ColumnFamilyDescriptor::new(family.name(), of(family, options))).into()
}

fn of(family: Family, options: &StoreOptions) -> Options {
    let mut tuned = Options::default();
    tuned.set_block_based_table_factory(&blocks(family, options));
    tuned.set_level_compaction_dynamic_level_bytes(true);
    tuned.set_target_file_size_base(FILE_BYTES);
    tuned.set_compression_type(DBCompressionType::Lz4);
    tuned.set_write_buffer_size(options.write_buffer_bytes);
    tuned.set_max_write_buffer_number(3);
    match family {
        Family::State => {
            tuned.set_bottommost_compression_type(DBCompressionType::Zstd);
            filter_memory(&mut tuned);
        }
        // Hashes do not compress, what stands between them does a little: lz4 is enough.
        Family::Seen => {
            tuned.set_write_buffer_size(options.write_buffer_bytes / 2);
            filter_memory(&mut tuned);
        }
        Family::Log => {
            tuned.set_bottommost_compression_type(DBCompressionType::Zstd);
            tuned.set_write_buffer_size(options.write_buffer_bytes / 2);
        }
    }
    tuned
}

/// Fresh keys are looked up in vain: without this each such look-up walks the sorted buffer.
fn filter_memory(tuned: &mut Options) {
    tuned.set_memtable_prefix_bloom_ratio(0.02);
    tuned.set_memtable_whole_key_filtering(true);
}

fn blocks(family: Family, options: &StoreOptions) -> BlockBasedOptions {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(&options.memory.blocks);
    blocks.set_format_version(6);
    // Counted in the one cache and kept there: many shards cannot outgrow the memory that was given.
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    if family == Family::Log {
        blocks.set_block_size(SCAN_BLOCK_BYTES);
    } else {
        blocks.set_block_size(POINT_BLOCK_BYTES);
        blocks.set_bloom_filter(BLOOM_BITS, false);
        blocks.set_whole_key_filtering(true);
        blocks.set_optimize_filters_for_memory(true);
    }
    blocks
}
