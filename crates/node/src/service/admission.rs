//! How much may wait: records and bytes that were taken and not yet decided durably. The bound on a shard's memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The bound of one shard.
#[derive(Debug)]
pub struct Admission {
    records_max: usize,
    bytes_max: usize,
    used: Mutex<Used>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Used {
    records: usize,
    bytes: usize,
}

/// Room that was taken; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    of: Arc<Admission>,
    records: usize,
    bytes: usize,
}

impl Admission {
    /// At most so many records and bytes.
    pub fn new(records_max: usize, bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { records_max, bytes_max, used: Mutex::default() })
    }

    /// Room for a group, `None` while there is none. A group larger than the bound is let in alone.
    pub fn admit(self: &Arc<Self>, records: usize, bytes: usize) -> Option<Permit> {
        let mut used = self.lock();
        let fits = used.records + records <= self.records_max && used.bytes + bytes <= self.bytes_max;
        if !fits && used.records > 0 {
            return None;
        }
        used.records += records;
        used.bytes += bytes;
        Some(Permit { of: Arc::clone(self), records, bytes })
    }

    /// Records that wait.
    pub fn waiting(&self) -> usize {
        self.lock().records
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        // Two additions leave nothing half done.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut used = self.of.lock();
        used.records -= self.records;
        used.bytes -= self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_given_back() {
        let admission = Admission::new(10, 1_000);
        let first = admission.admit(6, 100).unwrap();
        assert!(admission.admit(5, 100).is_none(), "too many records");
        assert!(admission.admit(1, 901).is_none(), "too many bytes");
        let second = admission.admit(4, 900).unwrap();
        assert_eq!(admission.waiting(), 10);
        drop(first);
        assert!(admission.admit(6, 100).is_some());
        drop(second);
        assert_eq!(admission.waiting(), 0);
    }

    #[test]
    fn a_group_above_the_bound_goes_alone() {
        let admission = Admission::new(10, 1_000);
        let large = admission.admit(50, 5_000).unwrap();
        assert!(admission.admit(1, 1).is_none());
        drop(large);
        assert!(admission.admit(1, 1).is_some());
    }
}
