//! Decoded accounts that were used last: two thirds of a read-modify-write are the random read and the decoding.

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
    account: Box<Account>,
    bytes: usize,
}

impl AccountCache {
    pub(crate) fn new(entries_max: usize, bytes_max: usize) -> Self {
        Self { entries: LruCache::unbounded(), bytes: 0, entries_max, bytes_max }
    }

    /// Gives the account away: a step changes it, and its commit brings it back. A copy would cost more than the rare
    /// account that does not come back and is read from disk again.
    pub(crate) fn take(&mut self, id: &str) -> Option<Box<Account>> {
        let entry = self.entries.pop(id)?;
        self.bytes -= entry.bytes;
        Some(entry.account)
    }

    /// A look that changes nothing, not even what was used last.
    pub(crate) fn peek(&self, id: &str) -> Option<&Account> {
        self.entries.peek(id).map(|entry| &*entry.account)
    }

    /// Takes an account as it is on disk, `stored` bytes long there.
    pub(crate) fn put(&mut self, account: Box<Account>, stored: usize) {
        let bytes = weight(stored);
        self.bytes += bytes;
        if let Some(before) = self.entries.put(account.id.clone(), Entry { account, bytes }) {
            self.bytes -= before.bytes;
        }
        self.shrink();
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
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

    fn account(id: &str, sequence: u64) -> Box<Account> {
        let mut account = Account::provisional(id.into(), Timestamp(0), 0);
        account.sequence = sequence;
        Box::new(account)
    }

    #[test]
    fn the_one_unused_for_longest_goes() {
        let mut cache = AccountCache::new(2, usize::MAX);
        for id in ["a", "b", "a", "c"] {
            cache.put(account(id, 1), 1);
        }
        assert_eq!(cache.take("b"), None);
        assert_eq!(cache.take("a"), Some(account("a", 1)));
        assert_eq!(cache.take("a"), None);
        assert_eq!((cache.entries.len(), cache.bytes), (1, weight(1)));
    }

    #[test]
    fn a_newer_version_takes_the_place_of_the_older() {
        let mut cache = AccountCache::new(2, usize::MAX);
        cache.put(account("a", 1), 10);
        cache.put(account("a", 2), 30);
        assert_eq!(cache.bytes, weight(30));
        assert_eq!(cache.take("a").unwrap().sequence, 2);
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
