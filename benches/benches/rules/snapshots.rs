//! Snapshots of accounts: values around the limits that rules compare with, a tenth of them unknown.

use headroom_engine::Ruleset;
use headroom_policy::{Expr, Kind, Schema, Slots, Type};

use crate::CURRENCY;

/// `count` of them, each from its own state of one generator; the same call gives the same.
pub fn snapshots(ruleset: &Ruleset, count: usize) -> Vec<Slots> {
    let limits = limits(ruleset);
    let mut dice = Dice(0x5eed);
    (0..count).map(|_| snapshot(&ruleset.schema, &limits, &mut dice)).collect()
}

/// For each slot the numbers that it is compared with.
fn limits(ruleset: &Ruleset) -> Vec<Vec<i64>> {
    let mut limits = vec![Vec::new(); ruleset.schema.len()];
    for rule in &ruleset.rules {
        rule.when.root().walk(&mut |expr: &Expr| {
            if let Kind::Compare(_, sides) = &expr.kind
                && let Kind::Slot(slot) = sides[0].kind
            {
                limits[slot].extend(sides[1].constant());
                if let Kind::Money(table) = &sides[1].kind {
                    limits[slot].extend(table.iter().filter(|(each, _)| *each == CURRENCY).map(|(_, value)| *value));
                }
            }
        });
    }
    limits
}

fn snapshot(schema: &Schema, limits: &[Vec<i64>], dice: &mut Dice) -> Slots {
    let mut slots = Slots::new(schema.len());
    for (slot, symbol) in schema.symbols().iter().enumerate() {
        if dice.below(10) == 0 {
            continue;
        }
        let value = match &symbol.ty {
            Type::Bool => dice.below(2),
            Type::Enum(words) => dice.below(i64::try_from(words.len()).expect("few words")),
            Type::Money if limits[slot].is_empty() => dice.below(100_000_000).clamp(symbol.min, symbol.max),
            _ => around(&limits[slot], dice).clamp(symbol.min, symbol.max),
        };
        slots.set(slot, value);
    }
    slots
}

/// From nothing to twice a limit.
fn around(limits: &[i64], dice: &mut Dice) -> i64 {
    let at = dice.below(i64::try_from(limits.len().max(1)).expect("few limits"));
    let limit = usize::try_from(at).ok().and_then(|at| limits.get(at)).copied().unwrap_or(100);
    dice.below(limit.max(1).saturating_mul(2).saturating_add(1))
}

/// A linear congruential generator: the bench must not depend on a library's stream of numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).expect("31 bits") % bound.max(1)
    }
}
