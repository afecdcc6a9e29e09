//! The thread that carries checkpoints of shards away, and trims journals below the oldest snapshot that is kept
//! (PROTOCOL P22).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use headroom_store::CheckpointInfo;

use super::client::Isolation;
use super::cluster::Cluster;
use super::error::KafkaError;
use super::tail::TailReader;
use super::topic::Topic;
use crate::config::KafkaConfig;
use crate::service::Shard;
use crate::snapshot::Snapshots;
use crate::telemetry;

/// A shard as it was between two rounds.
pub struct Checkpoint {
    /// Which.
    pub shard: u32,
    /// Where it stood.
    pub taken: CheckpointInfo,
    /// Its files, which are removed once they are sent.
    pub dir: PathBuf,
}

/// What the thread works with.
pub struct Snapshotter {
    /// Where snapshots go.
    pub snapshots: Arc<Snapshots>,
    /// For trimming.
    pub config: KafkaConfig,
    /// Sealed where their snapshot contradicts one that is there.
    pub shards: Vec<Arc<Shard>>,
    /// Set by a lane for a checkpoint under way, cleared here: one at a time.
    pub busy: Arc<AtomicBool>,
}

impl Snapshotter {
    /// Works until no more checkpoints can come.
    pub fn run(&self, checkpoints: &Receiver<Checkpoint>) {
        while let Ok(checkpoint) = checkpoints.recv() {
            self.carry_away(&checkpoint);
            if let Err(error) = std::fs::remove_dir_all(&checkpoint.dir) {
                tracing::warn!(%error, "a checkpoint that was sent cannot be removed");
            }
            self.busy.store(false, Ordering::Release);
        }
    }

    fn carry_away(&self, checkpoint: &Checkpoint) {
        let (shard, started) = (checkpoint.shard, Instant::now());
        match self.snapshots.upload(shard, &checkpoint.taken, &checkpoint.dir) {
            Ok(uploaded) => telemetry::snapshot_taken(shard, &uploaded, started.elapsed()),
            Err(error) => {
                telemetry::snapshot_failed(shard, error.code(), &error.to_string());
                if error.code() == "HR0705" {
                    self.shards[shard as usize].seal(error.code(), &error.to_string());
                }
                return;
            }
        }
        if let Err(error) = self.snapshots.prune(shard) {
            tracing::warn!(shard, %error, code = error.code(), "old snapshots cannot be removed");
        }
        if let Err(error) = self.trim(shard) {
            tracing::warn!(shard, %error, code = error.code(), "the journal cannot be trimmed");
        }
    }

    /// The record that the oldest kept snapshot ends with stays: whoever restores it compares.
    fn trim(&self, shard: u32) -> Result<(), KafkaError> {
        let Some(oldest) = self.snapshots.oldest_kept(shard).map_err(KafkaError::snapshot)? else { return Ok(()) };
        let journal = Topic::Journal.name(&self.config.topic_prefix);
        let mut tail = TailReader::open(&self.config, Isolation::Committed)?;
        let Some(offset) = tail.first_offset_of(&journal, shard, oldest)? else { return Ok(()) };
        let (low, _) = tail.ends(&journal, shard)?;
        if offset > low {
            Cluster::connect(&self.config)?.delete_records(&journal, shard, offset)?;
            telemetry::trimmed(shard, "kafka_journal", offset - low, oldest);
        }
        Ok(())
    }
}
