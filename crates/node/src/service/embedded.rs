//! The service: opens shards, takes events, stops.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use headroom_engine::{Refusal, RefusalCode, Ruleset, Timestamp, content_hash};
use headroom_sources::Encoding;
use headroom_store::{Durability, LogWriter, Reader, fault};
use headroom_wire::{Decoded, JournalWriter, proto};
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use tracing::Span;

use super::admission::{Admission, Permit};
use super::bell::Bell;
use super::data_dir::DataDir;
use super::lane_loop;
use super::lane_thread::{EmbeddedLog, Pace, Served};
use super::log::{self, Append, Incoming};
use super::shard::{Shard, ShardReport, ShardStatus};
use super::ticket::Taken;
use crate::config::{Config, LogTime};
use crate::decode::{latest_record_time, wall_clock};
use crate::error::RunError;
use crate::kafka::KafkaNode;
use crate::lane::{Lane, LaneOptions};
use crate::ruleset_event::ruleset_event;
use crate::telemetry;

/// An event as it came.
#[derive(Clone, Debug)]
pub struct RawEvent {
    /// How it is encoded.
    pub encoding: Encoding,
    /// One message.
    pub bytes: Bytes,
    /// An operator sends it again by name: not refused as too old.
    pub replayed: bool,
}

/// What the answer waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// The sync that covers the records.
    Durable,
    /// The sync that covers their decisions.
    Decided,
}

/// What became of one event.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// It is in the log.
    Accepted {
        /// Shard and offset; several for what concerns every account.
        places: Vec<(u32, u64)>,
        /// What it caused, if decisions were waited for.
        outputs: Vec<proto::Output>,
    },
    /// It is not in the log.
    Rejected(Refusal),
}

/// Why nothing, or not everything, was taken. What was taken is safe to send again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AppendError {
    /// Too much waits.
    #[error("too many records wait for their decision")]
    Busy {
        /// When to come again.
        retry_after: Duration,
    },
    /// A shard has stopped.
    #[error("a shard is sealed: {detail}")]
    Sealed {
        /// Why.
        code: &'static str,
        /// In words.
        detail: String,
    },
    /// The service is being stopped.
    #[error("the service is stopping")]
    Stopping,
    /// With Kafka, events come through its topics.
    #[error("this node takes its events from Kafka")]
    FromTopics,
}

/// With Kafka a node has some of the shards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("shard {shard} is not on this node")]
pub struct Elsewhere {
    /// Which.
    pub shard: u32,
}

/// A running service; clones are the same one.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    shards: Vec<Arc<Shard>>,
    /// One for each shard; gone once the service stops.
    logs: Mutex<Vec<Sender<Append>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    lanes_stop: Arc<AtomicBool>,
    stopping: watch::Sender<bool>,
    /// With Kafka: what serves the shards.
    kafka: Option<KafkaNode>,
    durability: Durability,
    time: LogTime,
    retry_after: Duration,
}

impl Service {
    /// Opens all shards and starts their threads. What their logs hold is decided before they take more. The rules (path
    /// and text of files) come into force where there are none yet.
    ///
    /// # Errors
    /// What data directory, stores and ruleset say.
    pub fn open(config: &Config, rules: &[(String, String)]) -> Result<Self, RunError> {
        fault::point("open.before");
        let dir = DataDir::find_or_create(&config.node.data_dir, config.node.shards)?;
        let options = config.store_options();
        let stores = (0..dir.shards()).map(|shard| dir.open(shard, &options)).collect::<Result<Vec<_>, _>>()?;
        fault::point("open.stores");
        let instance = dir.instance(&config.node.instance)?;
        let process = telemetry::process_span(&instance.id, instance.incarnation);
        let writer =
            JournalWriter { instance: instance.id, incarnation: instance.incarnation, ..JournalWriter::default() };
        fault::point("open.named");
        let lanes = config.node.lane_count();
        let bells: Vec<Arc<Bell>> = (0..lanes).map(|_| Arc::default()).collect();
        let mut served: Vec<Vec<Served>> = (0..lanes).map(|_| Vec::new()).collect();
        let mut started = Started::default();
        for (number, store) in (0..).zip(stores) {
            let lane_number = number as usize % lanes;
            let log = store.log();
            let reader = store.reader().clone();
            let lane = Lane::open(store, rules, false, None, lane_options(config, number, &writer))?;
            let admission = Admission::new(config.log.queue_records, config.log.queue_bytes);
            let (bell, ruleset) = (Arc::clone(&bells[lane_number]), Arc::clone(lane.ruleset()));
            let shard = Arc::new(Shard::new(number, reader, admission, bell, ruleset, lane.outputs_end()));
            shard.moved(lane.state().now, lane.state().accounts, lane.ruleset());
            started.log_thread(Arc::clone(&shard), log, config)?;
            started.shards.push(Arc::clone(&shard));
            served[lane_number].push(Served::new(shard, lane, pace(config)));
        }
        fault::point("open.lanes");
        started.lane_threads(served, &bells, &process)?;
        let service = Self { inner: Arc::new(started.into_inner(config)) };
        fault::point("open.after");
        Ok(service)
    }

    /// A node of a group on Kafka: shards come and go as the group says.
    ///
    /// # Errors
    /// What data directory, settings and topics say.
    pub fn join(config: &Config) -> Result<Self, RunError> {
        let (shards, kafka) = KafkaNode::open(config)?;
        let started = Started { shards, ..Started::default() };
        let inner = Inner { kafka: Some(kafka), durability: Durability::Process, ..started.into_inner(config) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// With Kafka: whether the group has given this node its share. Without: always.
    pub fn has_joined(&self) -> bool {
        self.inner.kafka.as_ref().is_none_or(KafkaNode::has_joined)
    }

    /// Resolves when the service cannot go on, with what it was; never without Kafka.
    pub async fn ended(&self) -> RunError {
        let Some(kafka) = &self.inner.kafka else { return std::future::pending().await };
        let mut fatal = kafka.fatal();
        let ended = fatal.wait_for(Option::is_some).await.ok().and_then(|known| known.clone());
        let (code, detail) = ended.unwrap_or(("HR0602", "the node ended".to_owned()));
        RunError::Ended { code, detail }
    }

    /// How many shards there are.
    pub fn shards(&self) -> u32 {
        u32::try_from(self.inner.shards.len()).unwrap_or(u32::MAX)
    }

    /// The shard of an account.
    pub fn shard_of(&self, account: &str) -> u32 {
        super::shard_of(account, self.shards())
    }

    /// When an answer counts.
    pub fn durability(&self) -> Durability {
        self.inner.durability
    }

    /// Whose time records carry.
    pub fn time(&self) -> LogTime {
        self.inner.time
    }

    /// What is committed in a shard; its functions read the disk.
    ///
    /// # Errors
    /// With Kafka, another node has the shard.
    ///
    /// # Panics
    /// If there is no such shard.
    pub fn reader(&self, shard: u32) -> Result<Reader, Elsewhere> {
        self.inner.shards[shard as usize].reader().ok_or(Elsewhere { shard })
    }

    /// The ruleset in force in a shard.
    ///
    /// # Errors
    /// With Kafka, another node has the shard.
    ///
    /// # Panics
    /// If there is no such shard.
    pub fn ruleset(&self, shard: u32) -> Result<Arc<Ruleset>, Elsewhere> {
        self.inner.shards[shard as usize].ruleset().ok_or(Elsewhere { shard })
    }

    /// The ruleset in force in the first shard that is here.
    ///
    /// # Errors
    /// With Kafka, none is here.
    pub fn first_ruleset(&self) -> Result<Arc<Ruleset>, Elsewhere> {
        self.inner.shards.iter().find_map(|shard| shard.ruleset()).ok_or(Elsewhere { shard: 0 })
    }

    /// The sequence behind the durable outputs of a shard, now and whenever it moves.
    ///
    /// # Panics
    /// If there is no such shard.
    pub fn committed(&self, shard: u32) -> watch::Receiver<u64> {
        self.inner.shards[shard as usize].committed.subscribe()
    }

    /// Where each shard stands.
    pub fn readiness(&self) -> Vec<ShardReport> {
        self.inner.shards.iter().map(|each| each.report()).collect()
    }

    /// Whether the service is being stopped.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.inner.stopping.subscribe()
    }

    /// Puts events into the logs of their shards, in order; what concerns every account goes into all logs. Answers
    /// after the sync that `wait` names.
    ///
    /// # Errors
    /// Busy takes nothing of these events; after the others some may be in the log, and sending all again is safe.
    pub async fn append(&self, events: Vec<RawEvent>, wait: Wait) -> Result<Vec<Verdict>, AppendError> {
        let since = Instant::now();
        let mut plan = Plan::new(self.shards());
        for event in events {
            plan.add(self, event);
        }
        let permits = self.admit(&plan)?;
        let mut replies = Vec::new();
        for (shard, (records, permit)) in plan.records.into_iter().zip(permits).enumerate() {
            let Some(permit) = permit else { continue };
            let (reply, taken) = oneshot::channel();
            let wait_decided = wait == Wait::Decided;
            self.send(shard, Append { records, permit, since, reply, wait_decided })?;
            replies.push((shard, taken));
        }
        let mut taken: Vec<Taken> = self.inner.shards.iter().map(|_| Taken::default()).collect();
        for (shard, reply) in replies {
            taken[shard] = reply.await.map_err(|_| self.gone(shard))?;
        }
        Ok(plan.places.into_iter().map(|places| verdict(places, &mut taken)).collect())
    }

    /// As [`Self::append`], for threads that may block; not for those of a runtime.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_blocking(&self, events: Vec<RawEvent>, wait: Wait) -> Result<Vec<Verdict>, AppendError> {
        let runtime = Builder::new_current_thread().build().expect("a runtime without drivers needs nothing");
        runtime.block_on(self.append(events, wait))
    }

    /// Room in every shard that gets something, or in none.
    fn admit(&self, plan: &Plan) -> Result<Vec<Option<Permit>>, AppendError> {
        let mut permits = Vec::new();
        for (shard, records) in self.inner.shards.iter().zip(&plan.records) {
            if records.is_empty() {
                permits.push(None);
                continue;
            }
            let bytes = records.iter().map(|each| each.bytes.len()).sum();
            let permit = match shard.status() {
                ShardStatus::Sealed { code, detail } => return Err(AppendError::Sealed { code, detail }),
                ShardStatus::Opening => None,
                ShardStatus::Away => return Err(AppendError::FromTopics),
                ShardStatus::Serving => shard.admission.admit(records.len(), bytes),
            };
            let Some(permit) = permit else {
                telemetry::append_busy(shard.number);
                return Err(AppendError::Busy { retry_after: self.inner.retry_after });
            };
            permits.push(Some(permit));
        }
        Ok(permits)
    }

    fn send(&self, shard: usize, append: Append) -> Result<(), AppendError> {
        let logs = self.inner.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(log) = logs.get(shard) else { return Err(AppendError::Stopping) };
        log.send(append).map_err(|_| self.gone(shard))
    }

    /// Why a shard does not answer.
    fn gone(&self, shard: usize) -> AppendError {
        match self.inner.shards[shard].status() {
            ShardStatus::Sealed { code, detail } => AppendError::Sealed { code, detail },
            ShardStatus::Opening | ShardStatus::Serving | ShardStatus::Away => AppendError::Stopping,
        }
    }

    /// Puts another ruleset in force, by a control record in every log (PROTOCOL P24). It must load: one that does not
    /// becomes a dead letter. False: it is in force everywhere.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub async fn publish(&self, files: &[(String, String)]) -> Result<bool, AppendError> {
        let hash = content_hash(files);
        if self.inner.shards.iter().all(|each| each.ruleset().is_some_and(|ruleset| *ruleset.hash == *hash)) {
            return Ok(false);
        }
        let last = self.readiness().iter().map(|each| each.now).max().unwrap_or_default();
        let now = if self.inner.time == LogTime::Append { wall_clock().max(last) } else { last };
        let event = RawEvent { encoding: Encoding::Json, bytes: ruleset_published(files, now).into(), replayed: false };
        self.append(vec![event], Wait::Decided).await?;
        Ok(true)
    }

    /// Takes nothing more, decides what was taken, and closes the stores; blocks until then. A second call waits for
    /// nothing.
    pub fn stop(&self) {
        let started = Instant::now();
        telemetry::shutdown_started();
        self.inner.stopping.send_replace(true);
        if let Some(kafka) = &self.inner.kafka {
            kafka.stop();
            return telemetry::shutdown_finished(started.elapsed());
        }
        fault::point("stop.requested");
        self.inner.logs.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.inner.lanes_stop.store(true, Ordering::Release);
        self.inner.shards.iter().for_each(|each| each.bell.ring());
        let threads = std::mem::take(&mut *self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A lane's panics are caught inside; a thread that is gone has nothing left to do.
            let _ = thread.join();
        }
        fault::point("stop.after");
        telemetry::shutdown_finished(started.elapsed());
    }
}

/// What a group of events means for each shard.
struct Plan {
    records: Vec<Vec<Incoming>>,
    /// For each event: its places as shard and index there, or why it is rejected.
    places: Vec<Result<Vec<(u32, usize)>, Refusal>>,
    latest: Timestamp,
}

impl Plan {
    fn new(shards: u32) -> Self {
        let records = (0..shards).map(|_| Vec::new()).collect();
        Self { records, places: Vec::new(), latest: latest_record_time() }
    }

    fn add(&mut self, service: &Service, event: RawEvent) {
        let place = match decode(&event, service.inner.time, self.latest) {
            Ok(decoded) => Ok(self.place(service, event, decoded)),
            Err(refusal) => {
                telemetry::record_rejected(refusal.code.code(), 1);
                Err(refusal)
            }
        };
        self.places.push(place);
    }

    fn place(&mut self, service: &Service, event: RawEvent, decoded: Decoded) -> Vec<(u32, usize)> {
        let shards = if decoded.event.body.is_broadcast() {
            0..service.shards()
        } else {
            let shard = service.shard_of(&decoded.event.account);
            shard..shard + 1
        };
        let incoming =
            Incoming { decoded, encoding: event.encoding.name(), bytes: event.bytes, replayed: event.replayed };
        shards
            .map(|shard| {
                let records = &mut self.records[shard as usize];
                records.push(incoming.clone());
                (shard, records.len() - 1)
            })
            .collect()
    }
}

fn decode(event: &RawEvent, time: LogTime, latest: Timestamp) -> Result<Decoded, Refusal> {
    let decoded = match event.encoding {
        Encoding::Json => headroom_wire::decode_json(&event.bytes),
        Encoding::Protobuf => headroom_wire::decode_protobuf(&event.bytes),
    }?;
    if time == LogTime::Recorded && decoded.recorded_at > latest {
        let detail = "the record lies more than a day ahead of this machine's clock";
        return Err(Refusal::new(RefusalCode::TimeInFuture, detail));
    }
    Ok(decoded)
}

fn verdict(places: Result<Vec<(u32, usize)>, Refusal>, taken: &mut [Taken]) -> Verdict {
    match places {
        Err(refusal) => Verdict::Rejected(refusal),
        Ok(places) => {
            let mut outputs = Vec::new();
            let mut offsets = Vec::with_capacity(places.len());
            for (shard, index) in places {
                let taken = &mut taken[shard as usize];
                offsets.push((shard, taken.first + index as u64));
                outputs.append(&mut taken.outputs.get_mut(index).map(std::mem::take).unwrap_or_default());
            }
            Verdict::Accepted { places: offsets, outputs }
        }
    }
}

fn lane_options(config: &Config, shard: u32, writer: &JournalWriter) -> LaneOptions {
    LaneOptions {
        shard,
        writer: writer.clone(),
        config_hash: config.hash(),
        timers_max: config.lane.timers_max,
        ..LaneOptions::default()
    }
}

fn pace(config: &Config) -> Pace {
    Pace {
        batch_records: config.lane.batch_records,
        tick: config.lane.tick,
        time: config.log.time,
        keep: i64::try_from(config.retention.keep.as_millis()).unwrap_or(i64::MAX),
        trim_every: config.retention.trim_every,
    }
}

/// What was started so far.
#[derive(Default)]
struct Started {
    shards: Vec<Arc<Shard>>,
    logs: Vec<Sender<Append>>,
    threads: Vec<JoinHandle<()>>,
    lanes_stop: Arc<AtomicBool>,
}

impl Started {
    fn log_thread(&mut self, shard: Arc<Shard>, log: LogWriter, config: &Config) -> Result<(), RunError> {
        let (sender, receiver): (_, Receiver<Append>) = channel();
        let (time, group) = (config.log.time, config.log.group_records);
        let name = format!("log-{}", shard.number);
        self.threads.push(spawn(name, move || log::run(&shard, log, &receiver, time, group))?);
        self.logs.push(sender);
        Ok(())
    }

    fn lane_threads(&mut self, served: Vec<Vec<Served>>, bells: &[Arc<Bell>], process: &Span) -> Result<(), RunError> {
        for (number, (served, bell)) in served.into_iter().zip(bells).enumerate() {
            let (bell, stop) = (Arc::clone(bell), Arc::clone(&self.lanes_stop));
            let span = telemetry::lane_span(process, number);
            let work = move || {
                let _span = span.entered();
                lane_loop::run(&mut EmbeddedLog::open(served, bell, stop));
            };
            self.threads.push(spawn(format!("lane-{number}"), work)?);
        }
        Ok(())
    }

    fn into_inner(self, config: &Config) -> Inner {
        Inner {
            shards: self.shards,
            logs: Mutex::new(self.logs),
            threads: Mutex::new(self.threads),
            lanes_stop: self.lanes_stop,
            stopping: watch::Sender::new(false),
            kafka: None,
            durability: config.log.durability,
            time: config.log.time,
            retry_after: config.log.retry_after,
        }
    }
}

/// The control record.
fn ruleset_published(files: &[(String, String)], now: Timestamp) -> Vec<u8> {
    let mut json = Vec::new();
    let event = ruleset_event(files, now);
    headroom_wire::event_to_json(&event, &mut json).expect("texts and a time of our clock have a JSON form");
    json
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, RunError> {
    thread::Builder::new().name(name).spawn(work).map_err(RunError::Thread)
}
