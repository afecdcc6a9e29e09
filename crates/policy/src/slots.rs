//! The values that programs read.

/// Values by slot. Bool is 0 or 1, an enum its index, text its [`crate::Schema::text_id`], money minor units.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Slots(Vec<Option<i64>>);

impl Slots {
    /// `len` slots, all unknown.
    pub fn new(len: usize) -> Self {
        Slots(vec![None; len])
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is no slot at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes every slot unknown.
    pub fn clear(&mut self) {
        self.0.fill(None);
    }

    /// Gives a slot a value. Panics if there is no such slot.
    pub fn set(&mut self, slot: usize, value: i64) {
        self.0[slot] = Some(value);
    }

    /// Makes a slot unknown. Panics if there is no such slot.
    pub fn forget(&mut self, slot: usize) {
        self.0[slot] = None;
    }

    /// The value of a slot; `None` if it is unknown or does not exist.
    #[inline]
    pub fn get(&self, slot: usize) -> Option<i64> {
        self.0.get(slot).copied().flatten()
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
