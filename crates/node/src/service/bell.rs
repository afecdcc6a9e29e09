//! Wakes a lane.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Rung when there is work; a ring while nobody waits is not lost.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    /// Wakes the one who waits, or makes the next wait end at once.
    pub fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_one();
    }

    /// Waits for a ring, at most so long.
    pub fn wait(&self, at_most: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(rung, at_most, |rung| !*rung);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_before_the_wait_counts() {
        let bell = Bell::default();
        bell.ring();
        // Would hang for a year otherwise.
        bell.wait(Duration::from_secs(31_536_000));
    }
}
