//! Waits until something new may be read.

use std::time::Duration;

use futures_util::future::select_all;
use tokio::sync::watch;

use super::app::App;
use crate::service::Service;

/// What ended a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Woken {
    /// Something was committed.
    News,
    /// Nothing, in all that time.
    Late,
    /// The service ends.
    Closing,
}

/// Commits of all shards since it was made, or since the last wait.
pub struct News(Vec<watch::Receiver<u64>>);

impl News {
    /// From now on. Make it before reading, or what comes in between is missed.
    pub fn of(service: &Service) -> Self {
        let mut receivers: Vec<_> = (0..service.shards()).map(|shard| service.committed(shard)).collect();
        receivers.iter_mut().for_each(watch::Receiver::mark_unchanged);
        Self(receivers)
    }

    /// Waits, at most so long.
    pub async fn wait(&mut self, app: &App, at_most: Duration) -> Woken {
        let changes = self.0.iter_mut().map(|each| Box::pin(each.changed()));
        tokio::select! {
            biased;
            () = app.closed() => Woken::Closing,
            (changed, ..) = select_all(changes) => if changed.is_ok() { Woken::News } else { Woken::Closing },
            () = tokio::time::sleep(at_most) => Woken::Late,
        }
    }
}
