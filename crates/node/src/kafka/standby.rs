//! Follows the journals of shards that other nodes serve, and checks every digest on the way: a take-over then applies
//! the last few deltas only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::error::KafkaError;
use super::shelf::Shelf;
use super::takeover::TakeOvers;
use crate::service::{Shard, ShardStatus};
use crate::telemetry;

/// Between two looks at all journals.
const PAUSE: Duration = Duration::from_millis(200);

/// Works until it is told to stop.
pub fn run(mut takeovers: TakeOvers, shelf: &Shelf, shards: &[Arc<Shard>], stop: &AtomicBool) {
    let is_away = |shard: &&Arc<Shard>| shard.status() == ShardStatus::Away;
    while !stop.load(Ordering::Acquire) {
        for shard in shards.iter().filter(is_away) {
            let Some(mut store) = shelf.lend(shard.number) else { continue };
            let goes_on = || !stop.load(Ordering::Acquire) && !shelf.is_wanted(shard.number);
            let followed = takeovers.follow(shard.number, &mut store, &goes_on);
            shelf.give_back(shard.number, store);
            match followed {
                Ok(records) => telemetry::standby_followed(shard.number, records),
                Err(KafkaError::Interrupted) => {}
                Err(error) => {
                    tracing::warn!(shard = shard.number, %error, code = error.code(), "a journal cannot be followed");
                }
            }
            if stop.load(Ordering::Acquire) {
                break;
            }
        }
        thread::sleep(PAUSE);
    }
}
