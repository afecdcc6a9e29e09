//! How a shard comes to this node (PROTOCOL P11, P12): the writer before is waited for or fenced, the store brought up
//! by deltas. Runs beside the lane's rounds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use headroom_store::{Store, StoreOptions};
use headroom_wire::JournalWriter;
use sha2::{Digest, Sha256};

use super::client::{self, Isolation};
use super::error::KafkaError;
use super::producer::Transactor;
use super::tail::{JournalCommit, TailReader};
use super::topic::Topic;
use crate::config::{Config, KafkaConfig};
use crate::lane::{Commits, Lane, LaneOptions};
use crate::service::DataDir;
use crate::snapshot::Snapshots;
use crate::telemetry;

/// A partition that is held for so long is taken from its writer.
const HELD_MAX: Duration = Duration::from_secs(1);
/// Between two looks at a partition that is held.
const LOOK: Duration = Duration::from_millis(2);
/// How long fencing may take before it is tried again.
const FENCE_MAX: Duration = Duration::from_secs(10);
/// Deltas that are applied in one write.
const APPLY_RECORDS: usize = 500;
const APPLY_BYTES: usize = 16 << 20;
/// Records between two lines about progress.
const PROGRESS_RECORDS: u64 = 20_000;

/// A shard that is ready to be served.
pub struct Opened {
    /// Over its store, with the ruleset in force.
    pub lane: Lane,
    /// The next offset of each keyed topic, in the order of [`Topic::KEYED`].
    pub keyed: [u64; 4],
    /// The next offset of each broadcast topic, in the order of [`Topic::BROADCAST`].
    pub broadcasts: [u64; 2],
}

/// Says whether what is being done is still wanted.
pub type GoesOn<'a> = &'a dyn Fn() -> bool;

/// What a take-over needs, once for a thread.
pub struct TakeOvers {
    config: Config,
    dir: DataDir,
    store_options: StoreOptions,
    writer: JournalWriter,
    committed: TailReader,
    uncommitted: TailReader,
    snapshots: Option<Arc<Snapshots>>,
    /// Transactional ids of this process: they are never fenced from here.
    ours: Vec<String>,
}

impl TakeOvers {
    /// # Errors
    /// What the client library says of the settings.
    pub fn new(
        config: &Config,
        dir: DataDir,
        store_options: StoreOptions,
        writer: JournalWriter,
        snapshots: Option<Arc<Snapshots>>,
        ours: Vec<String>,
    ) -> Result<Self, KafkaError> {
        let committed = TailReader::open(&config.kafka, Isolation::Committed)?;
        let uncommitted = TailReader::open(&config.kafka, Isolation::Uncommitted)?;
        Ok(Self { config: config.clone(), dir, store_options, writer, committed, uncommitted, snapshots, ours })
    }

    /// Takes a shard over, unless it is not wanted any more. `held` is its store, where it is open; left there if the
    /// take-over fails.
    ///
    /// # Errors
    /// Why it cannot be served: [`KafkaError::is_passing`] says whether to try again.
    pub fn take_over(
        &mut self,
        shard: u32,
        held: &mut Option<Store>,
        goes_on: GoesOn<'_>,
    ) -> Result<Opened, KafkaError> {
        let started = Instant::now();
        let committed = self.stable_offset(shard, goes_on)?;
        self.wait_for_ends(shard, goes_on)?;
        let free = started.elapsed();
        self.check_identity(shard)?;
        if held.is_none() {
            *held = Some(self.open_store(shard)?);
        }
        let store = held.as_mut().expect("it was opened above");
        let applied = self.bring_up(shard, store, committed, goes_on)?;
        check_offset(shard, committed, last_seq(store)?)?;
        let start = self.start(shard, store)?;
        self.check_inputs(shard, &start)?;
        let opened = self.open_lane(shard, held.take().expect("it is open"), start)?;
        telemetry::shard_brought_up(shard, applied, free, started.elapsed());
        Ok(opened)
    }

    /// Brings the store of a shard that another node serves to the end of its journal, without taking it over; says how
    /// many records that were.
    ///
    /// # Errors
    /// As [`Self::take_over`].
    pub fn follow(&mut self, shard: u32, held: &mut Option<Store>, goes_on: GoesOn<'_>) -> Result<u64, KafkaError> {
        if held.is_none() {
            *held = Some(self.open_store(shard)?);
        }
        let store = held.as_mut().expect("it was opened above");
        self.bring_up(shard, store, None, goes_on)
    }

    /// The group's offset on the journal, once no transaction holds it.
    fn stable_offset(&mut self, shard: u32, goes_on: GoesOn<'_>) -> Result<Option<u64>, KafkaError> {
        let journal = self.name(Topic::Journal);
        loop {
            still(goes_on)?;
            match self.committed.committed(&journal, shard, HELD_MAX)? {
                Ok(offset) => return Ok(offset),
                Err(()) => self.fence(shard, "the group's offset")?,
            }
        }
    }

    /// No transaction is open on the shard's journal and output partitions.
    fn wait_for_ends(&mut self, shard: u32, goes_on: GoesOn<'_>) -> Result<(), KafkaError> {
        let topics = std::iter::once(Topic::Journal).chain(Topic::OUTPUTS);
        let mut held: Vec<(String, u32)> = topics.map(|topic| (self.name(topic), shard)).collect();
        let mut since = Instant::now();
        loop {
            still(goes_on)?;
            // Stable first: what is appended between the two questions only makes the wait longer.
            let stable = self.committed.ends_of(&held)?;
            let mut ends = stable.into_iter().zip(self.uncommitted.ends_of(&held)?);
            held.retain(|_| ends.next().is_some_and(|(stable, high)| stable < high));
            let Some((name, _)) = held.first() else { return Ok(()) };
            if since.elapsed() >= HELD_MAX {
                let name = name.clone();
                self.fence(shard, &name)?;
                since = Instant::now();
            }
            thread::sleep(LOOK);
        }
    }

    /// Ends both producers of who wrote the journal last. Does not wait until the broker has said so to us: the partition
    /// is free before that.
    fn fence(&mut self, shard: u32, held: &str) -> Result<(), KafkaError> {
        let journal = self.name(Topic::Journal);
        let Some(writer) = self.uncommitted.last_writer(&journal, shard)? else { return Ok(()) };
        for id in writer.transactional_ids() {
            if self.ours.contains(&id) {
                continue;
            }
            telemetry::writer_fenced(shard, &id, held);
            let client = client::producer(&self.config.kafka, Some(&id))?;
            let fence = move || match Transactor::open(&client, &id, FENCE_MAX, &|| true) {
                Ok(fenced) => fenced.discard(),
                Err(error) => tracing::warn!(%error, id, "a writer could not be fenced yet"),
            };
            thread::Builder::new().name("fence".to_owned()).spawn(fence).map_err(KafkaError::Thread)?;
        }
        Ok(())
    }

    /// Nobody writes in our name who started later.
    ///
    /// # Errors
    /// [`KafkaError::IdentityTaken`].
    pub fn check_identity(&mut self, shard: u32) -> Result<(), KafkaError> {
        let journal = self.name(Topic::Journal);
        let Some(last) = self.uncommitted.last_writer(&journal, shard)? else { return Ok(()) };
        if last.instance == self.writer.instance && last.incarnation > self.writer.incarnation {
            let reason =
                format!("start {} of it wrote after ours, which is {}", last.incarnation, self.writer.incarnation);
            return Err(KafkaError::IdentityTaken { instance: last.instance, reason });
        }
        Ok(())
    }

    /// The shard's store; where there is none, or the journal no longer reaches back to it, from the newest snapshot.
    fn open_store(&mut self, shard: u32) -> Result<Store, KafkaError> {
        let store = self.dir.open(shard, &self.store_options).map_err(KafkaError::Store)?;
        let Some(snapshots) = self.snapshots.clone() else { return Ok(store) };
        if !self.needs_snapshot(shard, &store)? {
            return Ok(store);
        }
        drop(store);
        self.dir.remove(shard).map_err(KafkaError::Store)?;
        let restored = snapshots.restore(shard, &self.dir.shard_dir(shard)).map_err(KafkaError::snapshot)?;
        telemetry::shard_restored(shard, restored.map(|manifest| manifest.journal_seq));
        self.dir.open(shard, &self.store_options).map_err(KafkaError::Store)
    }

    fn needs_snapshot(&mut self, shard: u32, store: &Store) -> Result<bool, KafkaError> {
        let seq = last_seq(store)?;
        if seq == 0 {
            return Ok(true);
        }
        let journal = self.name(Topic::Journal);
        let (low, _) = self.committed.ends(&journal, shard)?;
        let first = if low == 0 { None } else { self.committed.first_seq(&journal, shard)? };
        Ok(first.is_some_and(|first| first > seq + 1))
    }

    /// Applies what the journal holds behind the store; says how many records.
    fn bring_up(
        &mut self,
        shard: u32,
        store: &mut Store,
        committed: Option<u64>,
        goes_on: GoesOn<'_>,
    ) -> Result<u64, KafkaError> {
        let journal = self.name(Topic::Journal);
        let mut follow = Follow::new(shard, store)?;
        let seq = follow.seq;
        self.committed.commits_from(&journal, shard, seq, &mut |commit| {
            still(goes_on)?;
            follow.take(commit)
        })?;
        match follow.finish(seq) {
            // Records were deleted up to the last one. The store is at the end of them, as the group's offset says.
            Err(KafkaError::StoreAhead { .. })
                if committed == Some(seq + 1) && self.committed.first_seq(&journal, shard)?.is_none() =>
            {
                tracing::warn!(shard, seq, "the journal holds no record any more; the store stands where it ended");
                Ok(0)
            }
            finished => finished,
        }
    }

    /// Where the shard goes on reading; a new one begins where its genesis says.
    fn start(&mut self, shard: u32, store: &Store) -> Result<Start, KafkaError> {
        let reader = store.reader();
        let positions = reader.positions().map_err(KafkaError::Store)?;
        let is_new = reader.ruleset_hash().map_err(KafkaError::Store)?.is_none();
        let mut start = Start::default();
        let mut first: BTreeMap<(Arc<str>, u32), u64> = positions;
        if is_new {
            let journal = self.name(Topic::Journal);
            let genesis = self.committed.genesis(&journal, shard)?;
            let genesis = genesis.ok_or(KafkaError::NoGenesis { topic: journal, shard })?;
            first = genesis.inputs.into_iter().map(|(topic, partition, at)| ((topic.into(), partition), at)).collect();
            first.retain(|(topic, partition), _| self.is_input_of(shard, topic, *partition));
            (start.rules, start.first) = (genesis.ruleset, first.clone());
        }
        let at = |topic: Topic, partition: u32| first.get(&(self.name(topic).into(), partition)).copied();
        let missing = |topic: Topic| KafkaError::NoPosition { topic: self.name(topic), shard };
        for (next, topic) in start.keyed.iter_mut().zip(Topic::KEYED) {
            *next = at(topic, shard).ok_or_else(|| missing(topic))?;
        }
        for (next, topic) in start.broadcasts.iter_mut().zip(Topic::BROADCAST) {
            *next = at(topic, 0).ok_or_else(|| missing(topic))?;
        }
        Ok(start)
    }

    fn is_input_of(&self, shard: u32, name: &str, partition: u32) -> bool {
        let keyed = Topic::KEYED.iter().any(|topic| self.name(*topic) == name) && partition == shard;
        keyed || (Topic::BROADCAST.iter().any(|topic| self.name(*topic) == name) && partition == 0)
    }

    fn open_lane(&mut self, shard: u32, store: Store, start: Start) -> Result<Opened, KafkaError> {
        let options = LaneOptions {
            shard,
            writer: self.writer.clone(),
            config_hash: self.config.hash(),
            timers_max: self.config.lane.timers_max,
            commits: Commits::Staged,
            first_positions: start.first,
        };
        let mut lane = Lane::open(store, &start.rules, false, None, options).map_err(KafkaError::run)?;
        lane.begin(self.config.kafka.round_records).map_err(KafkaError::Store)?;
        Ok(Opened { lane, keyed: start.keyed, broadcasts: start.broadcasts })
    }

    /// What the shard reads next is still there; the questions also warm the connections.
    fn check_inputs(&mut self, shard: u32, start: &Start) -> Result<(), KafkaError> {
        let keyed = Topic::KEYED.into_iter().zip(start.keyed).map(|(topic, next)| (topic, shard, next));
        let broadcasts = Topic::BROADCAST.into_iter().zip(start.broadcasts).map(|(topic, next)| (topic, 0, next));
        let (inputs, next): (Vec<(String, u32)>, Vec<u64>) =
            keyed.chain(broadcasts).map(|(topic, partition, next)| ((self.name(topic), partition), next)).unzip();
        let (firsts, ends) = (self.committed.firsts_of(&inputs)?, self.uncommitted.ends_of(&inputs)?);
        for (((topic, partition), next), (low, high)) in inputs.into_iter().zip(next).zip(firsts.into_iter().zip(ends))
        {
            if next < low || next > high {
                return Err(KafkaError::InputGone { topic, partition, next, low, high });
            }
            telemetry::input_distance(&topic, partition, high - next, next - low);
        }
        Ok(())
    }

    fn name(&self, topic: Topic) -> String {
        let KafkaConfig { topic_prefix, .. } = &self.config.kafka;
        topic.name(topic_prefix)
    }
}

/// Where a shard goes on.
#[derive(Default)]
struct Start {
    keyed: [u64; 4],
    broadcasts: [u64; 2],
    /// Of a new shard: its first ruleset.
    rules: Vec<(String, String)>,
    /// Of a new shard: the next offset of each of its inputs.
    first: BTreeMap<(Arc<str>, u32), u64>,
}

fn still(goes_on: GoesOn<'_>) -> Result<(), KafkaError> {
    if goes_on() { Ok(()) } else { Err(KafkaError::Interrupted) }
}

fn last_seq(store: &Store) -> Result<u64, KafkaError> {
    Ok(store.reader().journal_last().map_err(KafkaError::Store)?.map_or(0, |(seq, _)| seq))
}

/// The group's offset names the next sequence: ahead of the journal, the journal has lost what was committed.
fn check_offset(shard: u32, committed: Option<u64>, seq: u64) -> Result<(), KafkaError> {
    match committed {
        Some(next) if next > seq + 1 => Err(KafkaError::JournalLost { shard, committed: next, seq }),
        Some(next) if next == seq + 1 => Ok(()),
        None if seq == 0 => Ok(()),
        other => {
            tracing::warn!(shard, committed = ?other, seq, "the group's offset lags behind the journal: it was set back or has expired");
            Ok(())
        }
    }
}

/// A store that follows its journal.
pub struct Follow<'a> {
    shard: u32,
    store: &'a mut Store,
    /// Of the store's last record.
    seq: u64,
    digest: [u8; 32],
    bytes: Option<Vec<u8>>,
    pending: Vec<JournalCommit>,
    pending_bytes: usize,
    seen_own: bool,
    applied: u64,
}

impl<'a> Follow<'a> {
    /// From where the store stands.
    pub fn new(shard: u32, store: &'a mut Store) -> Result<Self, KafkaError> {
        let last = store.reader().journal_last().map_err(KafkaError::Store)?;
        let (seq, digest, bytes) = match last {
            Some((seq, bytes)) => {
                let journal = crate::lane::decode_journal(&bytes).map_err(KafkaError::Store)?;
                (seq, journal.digest, Some(bytes))
            }
            None => (0, [0; 32], None),
        };
        let (pending, pending_bytes) = (Vec::new(), 0);
        Ok(Self { shard, store, seq, digest, bytes, pending, pending_bytes, seen_own: false, applied: 0 })
    }

    /// The next record of the journal.
    ///
    /// # Errors
    /// Where it does not continue what the store holds: the shard must be sealed.
    pub fn take(&mut self, commit: JournalCommit) -> Result<(), KafkaError> {
        let journal = &commit.journal;
        if journal.seq <= self.seq && self.pending.is_empty() && self.applied == 0 {
            self.seen_own |= journal.seq == self.seq;
            if journal.seq == self.seq && self.bytes.as_ref() != Some(&commit.bytes) {
                return Err(KafkaError::JournalDiffers { shard: self.shard, seq: journal.seq });
            }
            return Ok(());
        }
        if journal.seq != self.seq + 1 {
            return Err(KafkaError::JournalTrimmed { shard: self.shard, wanted: self.seq + 1, found: journal.seq });
        }
        let delta: [u8; 32] = Sha256::digest(&commit.delta).into();
        if journal.prev_digest != self.digest || !journal.is_sealed() || journal.delta_digest != Some(delta) {
            return Err(KafkaError::JournalDiffers { shard: self.shard, seq: journal.seq });
        }
        (self.seq, self.digest) = (journal.seq, journal.digest);
        self.pending_bytes += commit.delta.len();
        self.pending.push(commit);
        if self.pending.len() >= APPLY_RECORDS || self.pending_bytes >= APPLY_BYTES {
            self.apply()?;
        }
        Ok(())
    }

    fn apply(&mut self) -> Result<(), KafkaError> {
        let pending = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let records: Vec<_> =
            pending.iter().map(|each| (each.delta.as_slice(), (each.journal.seq, each.bytes.clone()))).collect();
        self.store.apply(&records).map_err(KafkaError::Store)?;
        let before = self.applied / PROGRESS_RECORDS;
        self.applied += pending.len() as u64;
        if self.applied / PROGRESS_RECORDS > before {
            tracing::info!(shard = self.shard, records = self.applied, seq = self.seq, "the store follows the journal");
        }
        Ok(())
    }

    /// Everything that was taken is in the store; says how many records. `from` is where the store stood.
    ///
    /// # Errors
    /// Where the store knows of more than the journal.
    pub fn finish(mut self, from: u64) -> Result<u64, KafkaError> {
        if from > 0 && !self.seen_own && self.applied == 0 && self.pending.is_empty() {
            return Err(KafkaError::StoreAhead { shard: self.shard, seq: from });
        }
        if !self.pending.is_empty() {
            self.apply()?;
        }
        Ok(self.applied)
    }
}

impl KafkaError {
    /// A store's error, as the lane gives it.
    pub fn run(error: crate::error::RunError) -> Self {
        match error {
            crate::error::RunError::Store(error) => Self::Store(error),
            other => Self::Lane { code: other.code(), detail: other.to_string() },
        }
    }
}
