//! The values that programs read: one integer per slot and a bit that says whether it is known.

/// Values by slot. Bool is 0 or 1, an enum its index, text its [`crate::Schema::text_id`], money minor units.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Slots {
    values: Vec<i64>,
    known: Vec<u64>,
}

impl Slots {
    /// `len` slots, all unknown.
    pub fn new(len: usize) -> Self {
        Slots { values: vec![0; len], known: vec![0; len.div_ceil(64)] }
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// True if there is no slot at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Makes every slot unknown.
    pub fn clear(&mut self) {
        self.known.fill(0);
    }

    /// Gives a slot a value. Panics if there is no such slot.
    pub fn set(&mut self, slot: usize, value: i64) {
        self.values[slot] = value;
        self.known[slot / 64] |= 1 << (slot % 64);
    }

    /// Makes a slot unknown. Panics if there is no such slot.
    pub fn forget(&mut self, slot: usize) {
        assert!(slot < self.values.len(), "slot {slot} does not exist");
        self.known[slot / 64] &= !(1 << (slot % 64));
    }

    /// The value of a slot; `None` if it is unknown or does not exist.
    #[inline]
    pub fn get(&self, slot: usize) -> Option<i64> {
        let word = *self.known.get(slot / 64)?;
        if word >> (slot % 64) & 1 == 0 {
            return None;
        }
        self.values.get(slot).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_unknown_until_set_and_after_forget() {
        let mut slots = Slots::new(70);
        assert_eq!(slots.get(69), None);
        slots.set(69, -5);
        slots.set(5, 1);
        assert_eq!((slots.get(69), slots.get(5)), (Some(-5), Some(1)));
        slots.forget(69);
        assert_eq!((slots.get(69), slots.get(5)), (None, Some(1)));
        slots.clear();
        assert_eq!(slots.get(5), None);
        assert_eq!(slots.get(7000), None);
    }
}
