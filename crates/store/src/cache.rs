//! Decoded accounts that were used last: two thirds of a read-modify-write are the random read and the decoding.

use std::sync::Arc;

use headroom_engine::{Account, AccountId};
use lru::LruCache;

/// Bounded by count and by bytes; holds what is on disk, never anything newer.
pub(crate) struct AccountCache {
    entries: LruCache<AccountId, Entry>,
    bytes: usize,
    entries_max: usize,
    bytes_max: usize,
}

struct Entry {
    account: Arc<Account>,
    bytes: usize,
}

impl AccountCache {
    pub(crate) fn new(entries_max: usize, bytes_max: usize) -> Self {
        Self { entries: LruCache::unbounded(), bytes: 0, entries_max, bytes_max }
    }

    /// The account, which becomes the one used last.
    pub(crate) fn get(&mut self, id: &str) -> Option<Arc<Account>> {
        self.entries.get(id).map(|entry| entry.account.clone())
    }

    /// Takes an account as it is on disk, `stored` bytes long there.
    pub(crate) fn put(&mut self, account: Arc<Account>, stored: usize) {
        let bytes = weight(stored);
        self.bytes += bytes;
        if let Some(before) = self.entries.put(account.id.clone(), Entry { account, bytes }) {
            self.bytes -= before.bytes;
        }
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.entries.len() > self.entries_max || self.bytes > self.bytes_max {
            let Some((_, oldest)) = self.entries.pop_lru() else { return };
            self.bytes -= oldest.bytes;
        }
    }
}

/// Approximate bytes in memory: the struct, and its lists, which decode to about twice their stored size.
fn weight(stored: usize) -> usize {
    size_of::<Account>() + 2 * stored
}

#[cfg(test)]
mod tests {
    use headroom_engine::Timestamp;

    use super::*;

    fn account(id: &str, sequence: u64) -> Arc<Account> {
        let mut account = Account::provisional(id.into(), Timestamp(0), 0);
        account.sequence = sequence;
        Arc::new(account)
    }

    #[test]
    fn the_one_unused_for_longest_goes() {
        let mut cache = AccountCache::new(2, usize::MAX);
        cache.put(account("a", 1), 1);
        cache.put(account("b", 1), 1);
        assert!(cache.get("a").is_some());
        cache.put(account("c", 1), 1);
        assert!(cache.get("b").is_none());
        assert!(cache.get("a").is_some() && cache.get("c").is_some());
    }

    #[test]
    fn a_newer_version_takes_the_place_of_the_older() {
        let mut cache = AccountCache::new(2, usize::MAX);
        cache.put(account("a", 1), 10);
        cache.put(account("a", 2), 30);
        assert_eq!(cache.get("a").unwrap().sequence, 2);
        assert_eq!(cache.bytes, weight(30));
    }

    #[test]
    fn bytes_are_bounded() {
        let mut cache = AccountCache::new(100, 2 * weight(10));
        for id in ["a", "b", "c"] {
            cache.put(account(id, 1), 10);
        }
        assert_eq!((cache.entries.len(), cache.bytes), (2, 2 * weight(10)));
        cache.put(account("d", 1), 1_000_000);
        assert_eq!((cache.entries.len(), cache.bytes), (0, 0));
    }
}
