//! Who serves which shard: a consumer group over the journal topic alone, its partitions paused (PROTOCOL P8).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::error::KafkaError;
use super::native::GroupMetadata;
use crate::telemetry;

/// How long one look at the group's queue waits.
const POLL: Duration = Duration::from_millis(20);
/// How long lanes may take to let go of shards before they are let go of without them.
const RELEASE_MAX: Duration = Duration::from_secs(20);
/// The client library joins once a second at most, and shards reach their next owner after a second join. So long after
/// hearing that they are to leave they are served here, or they would be served by nobody.
const REJOIN: Duration = Duration::from_millis(700);
/// After asking to leave the group: time for the broker to hear of it.
const LEAVE: Duration = Duration::from_millis(700);

/// What a lane hears from the group.
pub enum GroupEvent {
    /// These shards are ours from here on, if any; the group's generation may have changed.
    Assigned {
        /// Of this lane.
        shards: Vec<u32>,
        /// Who we are now.
        metadata: Arc<GroupMetadata>,
    },
    /// These shards are no longer ours once `released` is told.
    Revoked {
        /// Of this lane.
        shards: Vec<u32>,
        /// They are gone already: nothing of theirs can be committed.
        lost: bool,
        /// Told when they are let go of.
        released: SyncSender<()>,
    },
}

/// What lanes ask of the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupRequest {
    /// Read the metadata again: a transaction was refused for its generation.
    Metadata,
}

/// Hands the group's events to lanes: shard `p` lives in lane `p` modulo their number.
struct Hands {
    lanes: Vec<Sender<GroupEvent>>,
    joined: Arc<AtomicBool>,
    fatal: Arc<Mutex<Option<String>>>,
    leaving: AtomicBool,
}

impl ClientContext for Hands {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        super::client::log(level, facility, message);
    }

    fn error(&self, error: ClientError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::FencedInstanceId) {
            self.set_fatal(reason);
        }
        tracing::debug!(%error, reason, "group consumer");
    }
}

impl ConsumerContext for Hands {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, error: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let shards: Vec<u32> =
            partitions.elements().iter().filter_map(|each| u32::try_from(each.partition()).ok()).collect();
        let done = match error {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.assigned(consumer, cooperative, &shards, partitions)
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                let lost = consumer.assignment_lost();
                if cooperative && !lost && !self.leaving.load(Ordering::Acquire) {
                    // Until the next join all that counts for commits is the generation of this one.
                    self.tell_metadata(consumer, &[]);
                    thread::sleep(REJOIN);
                }
                self.revoked(&shards, lost);
                if cooperative { consumer.incremental_unassign(partitions) } else { consumer.unassign() }
            }
            other => {
                tracing::warn!(error = ?RDKafkaErrorCode::from(other), "the group could not be balanced");
                consumer.unassign()
            }
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the group's assignment was not taken");
        }
    }
}

impl Hands {
    fn assigned(
        &self,
        consumer: &BaseConsumer<Self>,
        cooperative: bool,
        shards: &[u32],
        partitions: &mut TopicPartitionList,
    ) -> Result<(), ClientError> {
        // Without an offset, one that was never committed would be an error. Nothing is read either way.
        for mut each in partitions.elements() {
            each.set_offset(Offset::Offset(0))?;
        }
        if cooperative {
            consumer.incremental_assign(partitions)?
        } else {
            consumer.assign(partitions)?
        }
        if partitions.count() > 0 {
            consumer.pause(partitions)?;
        }
        telemetry::shards_assigned(shards);
        self.tell_metadata(consumer, shards);
        self.joined.store(true, Ordering::Release);
        Ok(())
    }

    /// All lanes hear of a new generation, also those that get nothing.
    fn tell_metadata(&self, consumer: &BaseConsumer<Self>, shards: &[u32]) {
        let Some(metadata) = GroupMetadata::of(consumer).map(Arc::new) else {
            tracing::debug!("the group has no generation at the moment");
            return;
        };
        for (number, lane) in self.lanes.iter().enumerate() {
            let shards = self.of_lane(number, shards);
            // A lane that is gone needs nothing.
            let _ = lane.send(GroupEvent::Assigned { shards, metadata: Arc::clone(&metadata) });
        }
    }

    /// Waits until the lanes have let go.
    fn revoked(&self, shards: &[u32], lost: bool) {
        let started = Instant::now();
        let (released, waiting) = sync_channel(self.lanes.len());
        let mut asked = 0;
        for (number, lane) in self.lanes.iter().enumerate() {
            let shards = self.of_lane(number, shards);
            if !shards.is_empty() && lane.send(GroupEvent::Revoked { shards, lost, released: released.clone() }).is_ok()
            {
                asked += 1;
            }
        }
        drop(released);
        // What is lost is gone already; lanes hear of it before they hear of anything newer. The client that is held up
        // here gives signs of life without a name, which the broker takes for another process in our place.
        let asked = if lost { 0 } else { asked };
        for _ in 0..asked {
            let left = RELEASE_MAX.saturating_sub(started.elapsed());
            if waiting.recv_timeout(left).is_err() {
                tracing::warn!(?shards, "a lane did not let go in time: its transactions are fenced by the next owner");
                break;
            }
        }
        telemetry::shards_revoked(shards, lost, started.elapsed());
    }

    fn of_lane(&self, number: usize, shards: &[u32]) -> Vec<u32> {
        shards.iter().copied().filter(|shard| *shard as usize % self.lanes.len() == number).collect()
    }

    fn set_fatal(&self, reason: &str) {
        let mut fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
        fatal.get_or_insert_with(|| reason.to_owned());
    }
}

/// The member.
pub struct Group {
    consumer: BaseConsumer<Hands>,
    /// It has been assigned something, if nothing.
    pub joined: Arc<AtomicBool>,
    /// Another process with our instance id took our place in the group.
    pub fatal: Arc<Mutex<Option<String>>>,
}

impl Group {
    /// A member that asks for journal partitions.
    ///
    /// # Errors
    /// What the client library says of the settings.
    pub fn join(config: &ClientConfig, journal: &str, lanes: Vec<Sender<GroupEvent>>) -> Result<Self, KafkaError> {
        let (joined, fatal) = (Arc::default(), Arc::default());
        let (joined_too, fatal_too) = (Arc::clone(&joined), Arc::clone(&fatal));
        let hands = Hands { lanes, joined: joined_too, fatal: fatal_too, leaving: AtomicBool::new(false) };
        let consumer: BaseConsumer<Hands> = BaseConsumer::from_config_and_context(config, hands)
            .map_err(KafkaError::client("cannot join the group"))?;
        consumer.subscribe(&[journal]).map_err(KafkaError::client(format!("cannot subscribe to `{journal}`")))?;
        Ok(Self { consumer, joined, fatal })
    }

    /// Takes part until it is told to stop; then lets go of everything and leaves.
    pub fn run(self, requests: &Receiver<GroupRequest>, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            self.poll();
            self.answer(requests);
        }
        self.consumer.context().leaving.store(true, Ordering::Release);
        self.consumer.unsubscribe();
        let until = Instant::now() + LEAVE;
        while Instant::now() < until {
            self.poll();
        }
    }

    fn poll(&self) {
        match self.consumer.poll(POLL) {
            None => {}
            // Paused partitions give nothing; what slips through before the pause is nobody's.
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::FencedInstanceId) {
                    self.consumer.context().set_fatal("the group has another member with this instance id");
                }
                tracing::debug!(%error, "group consumer");
            }
        }
        if let Some((RDKafkaErrorCode::FencedInstanceId, reason)) = self.consumer.client().fatal_error() {
            self.consumer.context().set_fatal(&reason);
        }
    }

    /// On this thread, where no revoke is being served.
    fn answer(&self, requests: &Receiver<GroupRequest>) {
        let mut asked = false;
        while let Ok(GroupRequest::Metadata) = requests.try_recv() {
            asked = true;
        }
        if asked {
            self.consumer.context().tell_metadata(&self.consumer, &[]);
        }
    }
}
