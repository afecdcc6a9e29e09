//! Chance from a seed: the same seed throws the same dice, on any machine.

/// One step of splitmix64 (Steele, Lea, Flood 2014): a bijection that spreads every input bit over the output.
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A hash of what names a choice: the same names, the same choice, whenever it is asked for.
pub(super) fn choice(seed: u64, account: u32, salt: u64) -> u64 {
    mix(mix(seed ^ (u64::from(account) << 24)) ^ mix(salt))
}

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(seed)
    }

    pub(super) fn of(seed: u64, account: u32, salt: u64) -> Self {
        Dice(choice(seed, account, salt))
    }

    pub(super) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number from `low` to `high`, both included. The bias of the remainder is far below what a season can show.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        assert!(low <= high, "an empty range has no number");
        low + (self.throw() >> 1).cast_signed() % (high - low + 1)
    }

    /// True in `share` of a thousand throws.
    pub(super) fn permille(&mut self, share: u64) -> bool {
        self.throw() % 1_000 < share
    }

    /// True in `share` of a million throws.
    pub(super) fn per_million(&mut self, share: u64) -> bool {
        self.throw() % 1_000_000 < share
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_range_is_covered_to_both_ends_and_never_left() {
        let mut dice = Dice::new(7);
        let thrown: Vec<i64> = (0..1_000).map(|_| dice.between(-2, 2)).collect();
        assert_eq!(thrown.iter().min(), Some(&-2));
        assert_eq!(thrown.iter().max(), Some(&2));
    }

    #[test]
    fn neighbouring_accounts_and_salts_throw_apart() {
        let first = |account, salt| Dice::of(1, account, salt).throw();
        assert_ne!(first(1, 0), first(2, 0));
        assert_ne!(first(1, 0), first(1, 1));
        assert_eq!(first(1, 1), first(1, 1));
    }
}
