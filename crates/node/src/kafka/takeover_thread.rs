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

/// A shard to be taken over.
pub struct Job {
    /// Which.
    pub shard: u32,
    /// It is still ours.
    pub wanted: Arc<AtomicBool>,
}

/// How it went.
pub enum Report {
    /// It can be served.
    Opened {
        /// Which.
        shard: u32,
        /// It.
        opened: Box<Opened>,
    },
    /// It cannot, or not yet.
    Failed {
        /// Which.
        shard: u32,
        /// Why.
        error: KafkaError,
    },
}

/// Works until no more jobs can come.
pub fn run(mut takeovers: TakeOvers, shelf: &Shelf, jobs: &Receiver<Job>, reports: &Sender<Report>) {
    while let Ok(Job { shard, wanted }) = jobs.recv() {
        let mut held = shelf.take(shard);
        let report = match takeovers.take_over(shard, &mut held, &|| wanted.load(Ordering::Acquire)) {
            Ok(opened) => Report::Opened { shard, opened: Box::new(opened) },
            Err(error) => {
                let until = Instant::now() + AGAIN;
                while error.is_passing() && wanted.load(Ordering::Acquire) && Instant::now() < until {
                    thread::sleep(LOOK);
                }
                if let Some(store) = held {
                    shelf.put(shard, store);
                }
                Report::Failed { shard, error }
            }
        };
        if reports.send(report).is_err() {
            break;
        }
    }
}
