//! Seen keys of whole days in memory, so that a fresh event costs no read.
//!
//! A day is here with all its keys, or not at all: then "not here" is an answer. Days that began before the store was
//! opened, and days that no longer fit, are answered from disk.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use headroom_engine::SeenKey;

pub(crate) struct RecentKeys {
    /// Days up to this one are answered from disk.
    disk_through: Option<i32>,
    days: BTreeMap<i32, HashMap<u64, u64, BuildHasherDefault<Itself>>>,
    keys: usize,
    keys_max: usize,
}

/// What memory knows of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Recent {
    /// Its content hash; `None`: it was never seen.
    Known(Option<u64>),
    /// The disk must be asked.
    AskDisk,
}

impl RecentKeys {
    /// `newest_stored`: the newest day of which the disk holds keys.
    pub(crate) fn new(newest_stored: Option<i32>, keys_max: usize) -> Self {
        Self { disk_through: newest_stored, days: BTreeMap::new(), keys: 0, keys_max }
    }

    pub(crate) fn get(&self, key: SeenKey) -> Recent {
        if self.is_on_disk(key.day) {
            return Recent::AskDisk;
        }
        Recent::Known(self.days.get(&key.day).and_then(|keys| keys.get(&key.hash)).copied())
    }

    /// Takes keys that have just been written.
    pub(crate) fn put(&mut self, written: &[(SeenKey, u64)]) {
        for (key, content) in written {
            if !self.is_on_disk(key.day) && self.days.entry(key.day).or_default().insert(key.hash, *content).is_none() {
                self.keys += 1;
            }
        }
        while self.keys > self.keys_max {
            self.give_up_oldest();
        }
    }

    /// Forgets days before one: they have been deleted.
    pub(crate) fn drop_before(&mut self, day: i32) {
        let kept = self.days.split_off(&day);
        self.days = kept;
        self.keys = self.days.values().map(HashMap::len).sum();
    }

    /// What was taken was not written after all, or keys were written that were never taken: what was here, and the
    /// days up to `newest_stored`, are answered from disk from now on.
    pub(crate) fn forget(&mut self, newest_stored: Option<i32>) {
        let newest = self.days.last_key_value().map(|(day, _)| *day);
        self.disk_through = self.disk_through.max(newest).max(newest_stored);
        self.days.clear();
        self.keys = 0;
    }

    fn give_up_oldest(&mut self) {
        if let Some((day, keys)) = self.days.pop_first() {
            self.disk_through = self.disk_through.max(Some(day));
            self.keys -= keys.len();
        }
    }

    fn is_on_disk(&self, day: i32) -> bool {
        self.disk_through.is_some_and(|through| day <= through)
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(day: i32, hash: u64) -> SeenKey {
        SeenKey { day, hash }
    }

    #[test]
    fn a_new_day_is_known_whole() {
        let mut recent = RecentKeys::new(Some(5), 10);
        recent.put(&[(key(5, 1), 50), (key(6, 1), 60)]);
        assert_eq!(recent.get(key(5, 1)), Recent::AskDisk);
        assert_eq!(recent.get(key(4, 1)), Recent::AskDisk);
        assert_eq!(recent.get(key(6, 1)), Recent::Known(Some(60)));
        assert_eq!(recent.get(key(6, 2)), Recent::Known(None));
        assert_eq!(recent.get(key(7, 1)), Recent::Known(None));
    }

    #[test]
    fn days_that_do_not_fit_are_asked_from_disk_for_good() {
        let mut recent = RecentKeys::new(None, 2);
        recent.put(&[(key(1, 1), 0), (key(1, 2), 0), (key(2, 1), 0)]);
        assert_eq!(recent.get(key(1, 1)), Recent::AskDisk);
        assert_eq!(recent.get(key(2, 1)), Recent::Known(Some(0)));
        recent.put(&[(key(1, 3), 0), (key(2, 1), 0), (key(2, 2), 0)]);
        assert_eq!(recent.get(key(1, 4)), Recent::AskDisk);
        assert_eq!(recent.keys, 2);
        recent.put(&[(key(2, 3), 0)]);
        assert_eq!(recent.get(key(2, 3)), Recent::AskDisk);
        assert_eq!(recent.get(key(3, 3)), Recent::Known(None));
        assert_eq!(recent.keys, 0);
    }

    #[test]
    fn dropped_days_hold_nothing() {
        let mut recent = RecentKeys::new(None, 10);
        recent.put(&[(key(1, 1), 0), (key(2, 1), 0)]);
        recent.drop_before(2);
        assert_eq!(recent.get(key(1, 1)), Recent::Known(None));
        assert_eq!(recent.get(key(2, 1)), Recent::Known(Some(0)));
        assert_eq!(recent.keys, 1);
    }
}
