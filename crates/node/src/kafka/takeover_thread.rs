//! The thread beside a lane that takes shards over, one after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use headroom_store::Store;

use super::error::KafkaError;
use super::takeover::{Opened, TakeOvers};

/// Before a take-over that failed is tried again.
const AGAIN: Duration = Duration::from_millis(300);
const LOOK: Duration = Duration::from_millis(10);

/// A shard to be taken over.
pub struct Job {
    /// Which.
    pub shard: u32,
    /// Its store, where it was served here before.
    pub held: Option<Store>,
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
        /// Its store, where it is open.
        held: Option<Box<Store>>,
    },
}

/// Works until no more jobs can come.
pub fn run(mut takeovers: TakeOvers, jobs: &Receiver<Job>, reports: &Sender<Report>) {
    while let Ok(Job { shard, mut held, wanted }) = jobs.recv() {
        let report = match takeovers.take_over(shard, &mut held, &wanted) {
            Ok(opened) => Report::Opened { shard, opened: Box::new(opened) },
            Err(error) => {
                let until = Instant::now() + AGAIN;
                while error.is_passing() && wanted.load(Ordering::Acquire) && Instant::now() < until {
                    thread::sleep(LOOK);
                }
                Report::Failed { shard, error, held: held.map(Box::new) }
            }
        };
        if reports.send(report).is_err() {
            break;
        }
    }
}
