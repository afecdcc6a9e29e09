//! What has come for a shard and is not decided: one queue for each of its partitions, merged by time (PROTOCOL P1).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use headroom_engine::{Record, Timestamp};

use super::broadcast::{Broadcasts, Next};
use super::topic::Topic;
use crate::decode::wall_clock;

/// While old records are caught up with, a partition that is behind is waited for longer: nobody sees a difference in
/// time, and much of one in order. So long at most.
const WAIT_BEHIND_MAX: Duration = Duration::from_secs(30);

/// One keyed partition.
#[derive(Debug)]
pub struct Queue {
    /// Which topic.
    pub topic: Topic,
    records: VecDeque<(Record, Instant)>,
    /// The offset behind the last record that came.
    pub next: u64,
    /// Nothing is behind it at the moment.
    at_end: bool,
    /// How long it has been looked for in vain while it was empty and behind.
    waited: Duration,
    /// What comes stays with the consumer.
    pub held: bool,
    /// Something has come of it: a record, or its end.
    pub heard: bool,
}

/// All inputs of a shard.
#[derive(Debug)]
pub struct Inputs {
    /// In the order of [`Topic::KEYED`].
    pub queues: [Queue; 4],
    /// The next offset of each broadcast topic, in the order of [`Topic::BROADCAST`].
    pub broadcasts: [u64; 2],
}

/// Where a record of a round came from, to put it back if the round comes to nothing.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// When it came.
    pub since: Instant,
    /// Which queue; beyond the keyed ones, which broadcast topic.
    source: usize,
}

/// Where the next record is.
enum Head {
    Keyed(usize),
    Broadcast(usize),
}

impl Queue {
    fn new(topic: Topic, next: u64) -> Self {
        let records = VecDeque::new();
        Self { topic, records, next, at_end: false, waited: Duration::ZERO, held: false, heard: false }
    }

    /// A record came.
    pub fn push(&mut self, record: Record, since: Instant) {
        self.next = record.position.offset + 1;
        self.at_end = false;
        self.heard = true;
        self.waited = Duration::ZERO;
        self.records.push_back((record, since));
    }

    /// The partition was read to its end, which is this offset.
    pub fn reached_end(&mut self, offset: u64) {
        self.at_end = offset >= self.next;
        self.next = self.next.max(offset);
        self.heard = true;
        self.waited = Duration::ZERO;
    }

    /// Records that wait.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it must still be waited for.
    fn blocks(&self, patience: Duration) -> bool {
        self.is_missing() && self.waited < patience
    }

    /// Empty and behind.
    fn is_missing(&self) -> bool {
        self.records.is_empty() && !self.at_end
    }
}

impl Inputs {
    /// From the next offsets of keyed and broadcast topics.
    pub fn new(keyed: [u64; 4], broadcasts: [u64; 2]) -> Self {
        let mut at = keyed.into_iter();
        let queues = Topic::KEYED.map(|topic| Queue::new(topic, at.next().unwrap_or(0)));
        Self { queues, broadcasts }
    }

    /// A record of a keyed topic came.
    pub fn push(&mut self, topic: Topic, record: Record, since: Instant) {
        self.queues[usize::from(topic.rank())].push(record, since);
    }

    /// All that had come was looked through, after so long: what is still missing was waited for.
    pub fn looked(&mut self, time: Duration) {
        for queue in self.queues.iter_mut().filter(|queue| queue.is_missing()) {
            queue.waited += time;
        }
    }

    /// Records that wait in queues.
    pub fn len(&self) -> usize {
        self.queues.iter().map(Queue::len).sum()
    }

    /// Whether every input stands at its end, with nothing waiting: only then may the clock tick (PROTOCOL P2).
    pub fn is_at_end(&self, broadcasts: &Broadcasts) -> bool {
        let keyed = self.queues.iter().all(|queue| queue.at_end && queue.records.is_empty());
        keyed && (0..2).all(|topic| matches!(broadcasts.next(topic, self.broadcasts[topic]), Next::End))
    }

    /// How many records wait, and for what.
    pub fn describe(&self, broadcasts: &Broadcasts) -> String {
        let missing = self.queues.iter().filter(|queue| queue.is_missing());
        let keyed = missing.map(|queue| {
            format!("; record {} of `{}` has not come for {:?}", queue.next, queue.topic.word(), queue.waited)
        });
        let behind = (0..2).filter(|topic| matches!(broadcasts.next(*topic, self.broadcasts[*topic]), Next::Behind));
        let broadcast = behind.map(|topic| {
            format!("; record {} of `{}` is being read", self.broadcasts[topic], Topic::BROADCAST[topic].word())
        });
        format!("{} records wait{}", self.len(), keyed.chain(broadcast).collect::<String>())
    }

    /// The next records in merged order, at most so many records and bytes. Stops where a partition is behind that must
    /// be waited for. Says whether a wait ran out.
    pub fn take(&mut self, broadcasts: &Broadcasts, records: usize, bytes: usize, patience: Duration) -> Round {
        let mut round = Round::default();
        let now = Instant::now();
        let mut taken_bytes = 0;
        let mut coming = [0, 1].map(|topic| broadcasts.next(topic, self.broadcasts[topic]));
        let patience = self.patience(&coming, patience);
        while round.records.len() < records && taken_bytes < bytes {
            if self.queues.iter().any(|queue| queue.blocks(patience)) {
                break;
            }
            let Some(head) = self.head(&coming) else { break };
            round.waited_out |= self.queues.iter().any(Queue::is_missing);
            let (record, origin) = match head {
                Head::Keyed(queue) => self.pop(queue),
                Head::Broadcast(topic) => {
                    let Next::Record(record) = std::mem::replace(&mut coming[topic], Next::End) else { break };
                    self.broadcasts[topic] = record.position.offset + 1;
                    coming[topic] = broadcasts.next(topic, self.broadcasts[topic]);
                    (*record, Origin { since: now, source: self.queues.len() + topic })
                }
            };
            taken_bytes += record.original.len();
            round.records.push(record);
            round.origins.push(origin);
        }
        round
    }

    /// How long a partition that is behind holds up the others: at least so long, and as long again as the oldest record
    /// that has come is late (PROTOCOL P1). A catch-up on a busy machine decides what the live run would have decided.
    fn patience(&self, coming: &[Next; 2], least: Duration) -> Duration {
        let keyed = self.queues.iter().filter_map(|queue| queue.records.front()).map(|(record, _)| record.timestamp.0);
        let broadcast = coming.iter().filter_map(|next| match next {
            Next::Record(record) => Some(record.timestamp.0),
            Next::Behind | Next::End => None,
        });
        let Some(oldest) = keyed.chain(broadcast).min() else { return least };
        let late = u64::try_from(wall_clock().0.saturating_sub(oldest)).unwrap_or(0);
        Duration::from_millis(late).min(WAIT_BEHIND_MAX).max(least)
    }

    fn head(&self, coming: &[Next; 2]) -> Option<Head> {
        let mut best: Option<((Timestamp, u8, u8), Head)> = None;
        let mut offer = |order, head| {
            if best.as_ref().is_none_or(|(least, _)| order < *least) {
                best = Some((order, head));
            }
        };
        for (at, queue) in self.queues.iter().enumerate() {
            if let Some((record, _)) = queue.records.front() {
                offer(order(record, queue.topic), Head::Keyed(at));
            }
        }
        for (at, topic) in Topic::BROADCAST.into_iter().enumerate() {
            match &coming[at] {
                Next::Record(record) => offer(order(record, topic), Head::Broadcast(at)),
                // It is read by a thread of its own, soon: a promotion must not come too late.
                Next::Behind => return None,
                Next::End => {}
            }
        }
        best.map(|(_, head)| head)
    }

    fn pop(&mut self, source: usize) -> (Record, Origin) {
        let (record, since) = self.queues[source].records.pop_front().expect("the head was there");
        (record, Origin { since, source })
    }

    /// Puts back what came to nothing.
    pub fn put_back(&mut self, round: Round) {
        for (record, Origin { since, source }) in round.records.into_iter().zip(round.origins).rev() {
            match source.checked_sub(self.queues.len()) {
                Some(topic) => self.broadcasts[topic] = record.position.offset,
                None => {
                    self.queues[source].records.push_front((record, since));
                }
            }
        }
    }
}

/// What a shard decides next.
#[derive(Debug, Default)]
pub struct Round {
    /// In merged order.
    pub records: Vec<Record>,
    /// Of each record.
    pub origins: Vec<Origin>,
    /// A partition that was behind was waited for in vain.
    pub waited_out: bool,
}

/// Time, kind, topic; the offset is the queue's own order.
fn order(record: &Record, topic: Topic) -> (Timestamp, u8, u8) {
    let kind = record.event.as_ref().map_or(0, |event| event.body.rank());
    (record.timestamp, kind, topic.rank())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headroom_engine::{Position, Refusal, RefusalCode};

    use super::*;

    const LEAST: Duration = Duration::from_millis(500);

    fn broadcast(timestamp: i64) -> Next {
        let position = Position { input: Arc::from("promotions"), partition: 0, offset: 0 };
        Next::Record(Box::new(Record {
            position,
            timestamp: Timestamp(timestamp),
            event: Err(Refusal::new(RefusalCode::NoBody, "")),
            content: 0,
            original: Arc::from([]),
            encoding: "protobuf",
            around: None,
            replayed: false,
        }))
    }

    #[test]
    fn old_broadcasts_do_not_overtake_accounts_that_are_still_on_their_way() {
        let inputs = Inputs::new([0; 4], [0; 2]);
        let now = wall_clock().0;
        assert_eq!(inputs.patience(&[Next::End, Next::End], LEAST), LEAST);
        assert_eq!(inputs.patience(&[broadcast(now + 1_000), Next::End], LEAST), LEAST);
        assert_eq!(inputs.patience(&[broadcast(now - 86_400_000), Next::End], LEAST), WAIT_BEHIND_MAX);
    }
}
