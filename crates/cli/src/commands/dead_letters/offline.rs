//! A dead letter's original into a data directory: the service runs in this process for as long as it takes, without
//! its interface.

use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Error, Result};
use headroom_node::{AppendError, Config, DataDir, ErrorCode, LogTime, RawEvent, Service, Verdict, Wait};
use headroom_store::{Reader, StoreError};
use headroom_wire::proto::DeadLetter;

use crate::failure::{Coded, of_run};
use crate::rules_dir;

use super::letter::whole_event;
use super::replay::Replayed;

/// How long a service that still opens its shards is left alone.
const PAUSE: Duration = Duration::from_millis(50);

/// The service of a directory that nobody else runs on; stops with its end.
pub struct Offline {
    service: Service,
}

impl Drop for Offline {
    fn drop(&mut self) {
        self.service.stop();
    }
}

impl Offline {
    /// Opens what is there, with the ruleset that is in force there. Errors: HR0305 if it is no data directory, HR0301 if
    /// somebody runs on it, HR0528 if it is decided from topics.
    pub fn open(dir: &Path, time: LogTime) -> Result<Self> {
        let found = DataDir::find(dir)?;
        if found.is_of_topics() {
            let message = format!("`{}` belongs to a node on Kafka: `--kafka` replays through topics", dir.display());
            return Err(Coded { code: ErrorCode::FromTopics.code(), message }.into());
        }
        let shards = found.shards();
        let mut config = Config::load(None, &[])?;
        config.node.data_dir = dir.to_owned();
        config.node.shards = shards;
        config.log.time = time;
        let service = Service::open(&config, &rules_dir::builtin_files()).map_err(of_run)?;
        Ok(Self { service })
    }

    /// What is committed in each shard.
    pub fn readers(&self) -> impl Iterator<Item = Reader> {
        (0..self.service.shards()).filter_map(|shard| self.service.reader(shard).ok())
    }

    /// Takes it, and waits for its decision.
    pub fn replay(&self, letter: DeadLetter) -> Result<Replayed> {
        let (encoding, bytes) = whole_event(&letter)?;
        let event = RawEvent { encoding, bytes: bytes.into(), replayed: true };
        loop {
            match self.service.append_blocking(vec![event.clone()], Wait::Decided) {
                Ok(verdicts) => return Ok(told(letter, verdicts.into_iter().next())),
                // What the last run left in the log is decided first.
                Err(AppendError::Busy { .. }) => thread::sleep(PAUSE),
                Err(AppendError::Sealed { detail, .. }) => return Err(StoreError::Sealed { cause: detail }.into()),
                Err(error @ (AppendError::Stopping | AppendError::FromTopics)) => return Err(Error::new(error)),
            }
        }
    }
}

fn told(letter: DeadLetter, verdict: Option<Verdict>) -> Replayed {
    match verdict {
        Some(Verdict::Rejected(refusal)) => {
            let code = refusal.code.code().to_owned();
            Replayed { code, detail: refusal.detail.to_string(), ..Replayed::of(letter, "rejected") }
        }
        Some(Verdict::Accepted { outputs, .. }) => Replayed::decided(letter, outputs),
        None => Replayed::of(letter, "accepted"),
    }
}
