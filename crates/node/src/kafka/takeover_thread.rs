//! The thread beside a lane that takes shards over, one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::error::KafkaError;
use super::shelf::Shelf;
use super::takeover::{Opened, TakeOvers};

/// Before a take-over that failed is tried again.
const AGAIN: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(10);

/// What is to be done.
pub enum Job {
    /// A shard is to be taken over.
    TakeOver {
        /// Which.
        shard: u32,
        /// It is still ours.
        wanted: Arc<AtomicBool>,
    },
    /// Journals are to be asked whether another process writes in our name.
    Identity {
        /// Of these shards.
        shards: Vec<u32>,
    },
}

/// How it went.
pub enum Report {
    /// It can be served.
    Opened {
        /// Which.
        shard: u32,
        /// Of the job.
        wanted: Arc<AtomicBool>,
        /// It.
        opened: Box<Opened>,
    },
    /// It cannot, or not yet.
    Failed {
        /// Which.
        shard: u32,
        /// Of the job.
        wanted: Arc<AtomicBool>,
        /// Why.
        error: KafkaError,
    },
    /// Whether nobody else writes in our name.
    Identity(Result<(), KafkaError>),
}

/// Works until no more jobs can come.
pub fn run(mut takeovers: TakeOvers, shelf: &Shelf, jobs: &Receiver<Job>, reports: &Sender<Report>) {
    while let Ok(job) = jobs.recv() {
        let report = match job {
            Job::TakeOver { shard, wanted } => take_over(&mut takeovers, shelf, shard, wanted),
            Job::Identity { shards } => Report::Identity(check_identity(&mut takeovers, &shards)),
        };
        if reports.send(report).is_err() {
            break;
        }
    }
}

/// One journal that answers is enough: to one that cannot be read nobody writes either.
fn check_identity(takeovers: &mut TakeOvers, shards: &[u32]) -> Result<(), KafkaError> {
    let mut silent = Ok(());
    let mut answers = 0;
    for &shard in shards {
        match takeovers.check_identity(shard) {
            Ok(()) => answers += 1,
            Err(error) if error.is_passing() => silent = Err(error),
            Err(error) => return Err(error),
        }
    }
    if answers > 0 { Ok(()) } else { silent }
}

fn take_over(takeovers: &mut TakeOvers, shelf: &Shelf, shard: u32, wanted: Arc<AtomicBool>) -> Report {
    let mut held = shelf.take(shard);
    match takeovers.take_over(shard, &mut held, &|| wanted.load(Ordering::Acquire)) {
        Ok(opened) => Report::Opened { shard, wanted, opened: Box::new(opened) },
        Err(error) => {
            let until = Instant::now() + AGAIN;
            while error.is_passing() && wanted.load(Ordering::Acquire) && Instant::now() < until {
                thread::sleep(LOOK);
            }
            if let Some(store) = held {
                shelf.put(shard, store);
            }
            Report::Failed { shard, wanted, error }
        }
    }
}
