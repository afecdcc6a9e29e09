//! Carries rounds out, one transaction after the other, while their lane computes the next (PROTOCOL P14, P16).

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use headroom_store::fault;
use headroom_wire::{JournalWriter, journal_parts};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::native::GroupMetadata;
use super::producer::{Refused, ToSend, TransactionError, Transactor};
use super::tail::compress;
use super::topic::Topic;
use super::value::Outgoing;
use crate::lane::StagedPiece;

/// What one transaction carries.
pub struct Submission {
    /// Which of the lane's attempts: after a failure those from before it are left alone.
    pub epoch: u64,
    /// Whose transaction.
    pub transactor: Arc<Transactor>,
    /// Named in every record.
    pub writer: Arc<JournalWriter>,
    /// Outputs of all shards, with the partition of each.
    pub outputs: Vec<(u32, Outgoing)>,
    /// Journal records of all shards, by shard and sequence.
    pub journal: Vec<(u32, StagedPiece)>,
    /// Who we are in the group.
    pub metadata: Arc<GroupMetadata>,
}

/// What became of a submission of which attempt.
pub type Told = (u64, Outcome);

/// What became of it.
#[derive(Debug)]
pub enum Outcome {
    /// It is committed.
    Committed {
        /// Time from its beginning.
        took: Duration,
        /// How many milliseconds our clock is ahead of the broker's, where topics carry the broker's time.
        clock_ahead: Option<i64>,
    },
    /// It was aborted, and may be tried again.
    Aborted {
        /// Why.
        error: TransactionError,
        /// Records that the broker did not take.
        refused: Vec<Refused>,
    },
    /// Whether it was committed is unknown, or the producer is of no more use.
    Lost {
        /// Why.
        error: TransactionError,
    },
    /// One before it failed: nothing was sent.
    Skipped,
}

/// What a lane's thread for commits works with.
pub struct Committer {
    /// Names of all topics, in the order of [`Topic::ALL`].
    pub names: [String; 12],
}

impl Committer {
    /// Carries out what comes until nothing more can come.
    pub fn run(&self, submissions: &Receiver<Submission>, outcomes: &Sender<Told>) {
        let mut failed = None;
        while let Ok(submission) = submissions.recv() {
            let outcome = if failed == Some(submission.epoch) { Outcome::Skipped } else { self.carry_out(&submission) };
            if !matches!(outcome, Outcome::Committed { .. }) {
                failed = Some(submission.epoch);
            }
            // A lane that is gone wants to hear nothing.
            if outcomes.send((submission.epoch, outcome)).is_err() {
                break;
            }
        }
    }

    fn carry_out(&self, submission: &Submission) -> Outcome {
        let started = Instant::now();
        let transactor = &*submission.transactor;
        match self.transact(submission) {
            Ok(()) => Outcome::Committed { took: started.elapsed(), clock_ahead: transactor.clock_ahead() },
            Err(error) if error.is_fatal || (error.call == "commit_transaction" && !error.needs_abort) => {
                Outcome::Lost { error }
            }
            Err(error) => {
                let refused = transactor.refused();
                fault::point("kafka.before_abort");
                match transactor.abort() {
                    Ok(()) => Outcome::Aborted { error, refused },
                    Err(abort) => {
                        tracing::warn!(%error, %abort, "a transaction could not be aborted");
                        Outcome::Lost { error }
                    }
                }
            }
        }
    }

    fn name(&self, topic: Topic) -> &str {
        &self.names[usize::from(topic.rank())]
    }

    /// Outputs, journal, all acknowledged, offsets, commit: in this order (PROTOCOL P14).
    fn transact(&self, submission: &Submission) -> Result<(), TransactionError> {
        let transactor = &*submission.transactor;
        fault::point("kafka.before_begin");
        transactor.begin()?;
        fault::point("kafka.begun");
        for (partition, output) in &submission.outputs {
            transactor.send(&ToSend {
                topic: self.name(output.topic),
                partition: *partition,
                key: output.key.as_deref().unwrap_or_default(),
                value: &output.value,
                headers: Some(headers(&output.headers)),
                timestamp: None,
            })?;
        }
        fault::point("kafka.outputs_sent");
        let offsets = self.send_journal(submission)?;
        fault::point("kafka.journal_sent");
        transactor.drain()?;
        fault::point("kafka.acknowledged");
        transactor.offsets(&offsets, &submission.metadata)?;
        fault::point("kafka.offsets_sent");
        transactor.commit()?;
        fault::point("kafka.committed");
        Ok(())
    }

    /// Gives the offsets that the group commits: the next sequence of each shard's journal.
    fn send_journal(&self, submission: &Submission) -> Result<TopicPartitionList, TransactionError> {
        let mut offsets = TopicPartitionList::new();
        for (at, (shard, piece)) in submission.journal.iter().enumerate() {
            let delta = compress(&piece.delta);
            for value in journal_parts(piece.seq, &submission.writer, &piece.journal, &delta) {
                submission.transactor.send(&ToSend {
                    topic: self.name(Topic::Journal),
                    partition: *shard,
                    key: &[],
                    value: &value,
                    headers: None,
                    timestamp: None,
                })?;
                fault::point("kafka.part_sent");
            }
            let is_last = submission.journal.get(at + 1).is_none_or(|(next, _)| next != shard);
            if is_last {
                let next = Offset::Offset(i64::try_from(piece.seq + 1).unwrap_or(i64::MAX));
                let partition = i32::try_from(*shard).unwrap_or(i32::MAX);
                offsets
                    .add_partition_offset(self.name(Topic::Journal), partition, next)
                    .expect("a sequence is an offset that lists take");
            }
        }
        Ok(offsets)
    }
}

fn headers(of: &[(String, Vec<u8>)]) -> OwnedHeaders {
    let all = OwnedHeaders::new_with_capacity(of.len());
    of.iter().fold(all, |all, (key, value)| all.insert(Header { key, value: Some(value) }))
}
