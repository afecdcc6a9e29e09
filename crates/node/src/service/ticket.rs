//! What one request waits for in one shard.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use headroom_wire::proto;
use tokio::sync::oneshot;

use super::admission::Permit;

/// What came of a group of records: the first offset, and what each decided if that was asked for.
#[derive(Debug, Default)]
pub struct Taken {
    /// Offset of the group's first record; the others follow.
    pub first: u64,
    /// The outputs of each record; empty unless decisions were waited for.
    pub outputs: Vec<Vec<proto::Output>>,
}

/// Held by every record of a group until its decision is durable: with the last one the room is given back.
#[derive(Debug)]
pub struct Ticket {
    _permit: Permit,
    since: Instant,
    decided: Option<Mutex<Decided>>,
}

#[derive(Debug)]
struct Decided {
    left: usize,
    taken: Taken,
    reply: Option<oneshot::Sender<Taken>>,
}

impl Ticket {
    /// A ticket whose request does not wait for decisions.
    pub fn new(permit: Permit, since: Instant) -> Arc<Self> {
        Arc::new(Self { _permit: permit, since, decided: None })
    }

    /// A ticket that replies once all of its records are decided.
    pub fn replying(
        permit: Permit,
        since: Instant,
        first: u64,
        records: usize,
        reply: oneshot::Sender<Taken>,
    ) -> Arc<Self> {
        let taken = Taken { first, outputs: vec![Vec::new(); records] };
        let decided = Mutex::new(Decided { left: records, taken, reply: Some(reply) });
        Arc::new(Self { _permit: permit, since, decided: Some(decided) })
    }

    /// When the request came.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Whether somebody wants to know what a record decided.
    pub fn wants_outputs(&self) -> bool {
        self.decided.is_some()
    }

    /// A record's decision is durable.
    pub fn decided(&self, index: usize, outputs: Vec<proto::Output>) {
        let Some(decided) = &self.decided else { return };
        // A panic elsewhere leaves at worst a reply unsent.
        let mut decided = decided.lock().unwrap_or_else(PoisonError::into_inner);
        decided.taken.outputs[index] = outputs;
        decided.left -= 1;
        if decided.left == 0
            && let Some(reply) = decided.reply.take()
        {
            // Whoever asked may have gone.
            let _ = reply.send(std::mem::take(&mut decided.taken));
        }
    }
}
