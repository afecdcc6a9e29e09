//! Stores of shards that are not served here at the moment: put down by lanes, brought forward by the standby, taken up
//! by take-overs. One at a time has a store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use headroom_store::Store;

/// The stores.
#[derive(Default)]
pub struct Shelf {
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    stores: BTreeMap<u32, Store>,
    /// With the standby.
    lent: BTreeSet<u32>,
    /// Waited for by a take-over.
    wanted: BTreeSet<u32>,
}

impl Shelf {
    /// Takes a shard's store for good, if there is one; waits while the standby has it.
    pub fn take(&self, shard: u32) -> Option<Store> {
        let mut state = self.lock();
        state.wanted.insert(shard);
        while state.lent.contains(&shard) {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.wanted.remove(&shard);
        state.stores.remove(&shard)
    }

    /// Puts a store down.
    pub fn put(&self, shard: u32, store: Store) {
        self.lock().stores.insert(shard, store);
    }

    /// Lends a shard's store to the standby, which may make one where there is none; `None`: a take-over wants it.
    pub fn lend(&self, shard: u32) -> Option<Option<Store>> {
        let mut state = self.lock();
        if state.wanted.contains(&shard) || !state.lent.insert(shard) {
            return None;
        }
        Some(state.stores.remove(&shard))
    }

    /// Gives back what was lent.
    pub fn give_back(&self, shard: u32, store: Option<Store>) {
        let mut state = self.lock();
        state.lent.remove(&shard);
        state.stores.extend(store.map(|store| (shard, store)));
        drop(state);
        self.returned.notify_all();
    }

    /// Whether a take-over waits for a store that is lent.
    pub fn is_wanted(&self, shard: u32) -> bool {
        self.lock().wanted.contains(&shard)
    }

    /// All of them, at the end.
    pub fn clear(&self) -> Vec<(u32, Store)> {
        std::mem::take(&mut self.lock().stores).into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
