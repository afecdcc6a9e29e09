//! Interval boxes: what a condition asks of single features. Two boxes apart need no solver.

use std::collections::BTreeMap;

use headroom_engine::Cause;
use headroom_policy::{Comparison, Expr, Kind};

use crate::world::{Asked, World};

/// From where to where, both included.
type Interval = (i64, i64);

/// By slot and, for block features, cause: between which values a feature lies if the condition is true.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Bounds(BTreeMap<(usize, Option<Cause>), Interval>);

impl Bounds {
    /// What a rule's condition asks; `None`: it cannot be true.
    pub fn of(world: &World<'_>, asked: Asked<'_>) -> Option<Self> {
        let reader = Reader { world, cause: asked.cause };
        reader.asked(asked.when().root(), true)
    }

    /// Whether no account is in both.
    pub fn apart(&self, other: &Self) -> bool {
        self.apart_on(other, |_| true)
    }

    /// Whether they are apart on one of these features alone.
    pub fn apart_on(&self, other: &Self, on: impl Fn(usize) -> bool) -> bool {
        let meets = |(key, one): (&(usize, Option<Cause>), &Interval)| {
            !on(key.0) || other.0.get(key).is_none_or(|two| one.0 <= two.1 && two.0 <= one.1)
        };
        !self.0.iter().all(meets)
    }

    /// Whether a feature may be zero.
    pub fn allows_zero(&self, slot: usize, cause: Option<Cause>) -> bool {
        self.0.get(&(slot, cause)).is_none_or(|(low, high)| *low <= 0 && 0 <= *high)
    }

    fn both(mut self, other: Self) -> Option<Self> {
        for (key, two) in other.0 {
            let one = self.0.get(&key).copied().unwrap_or((i64::MIN, i64::MAX));
            let meet = (one.0.max(two.0), one.1.min(two.1));
            if meet.0 > meet.1 {
                return None;
            }
            self.0.insert(key, meet);
        }
        Some(self)
    }

    fn either(mut self, other: &Self) -> Self {
        self.0.retain(|key, one| match other.0.get(key) {
            Some(two) => {
                *one = (one.0.min(two.0), one.1.max(two.1));
                true
            }
            None => false,
        });
        self
    }
}

struct Reader<'w, 'a> {
    world: &'w World<'a>,
    cause: Option<Cause>,
}

impl Reader<'_, '_> {
    /// What it takes for an expression to be true, or false.
    fn asked(&self, expr: &Expr, wanted: bool) -> Option<Bounds> {
        match (&expr.kind, wanted) {
            (Kind::Const(value), _) => ((*value != 0) == wanted).then(Bounds::default),
            (Kind::Not(one), _) => self.asked(one, !wanted),
            (Kind::And(many), true) | (Kind::Or(many), false) => self.each(many, wanted),
            (Kind::And(many), false) | (Kind::Or(many), true) => self.some(many, wanted),
            (Kind::Slot(slot), _) => self.within(*slot, i64::from(wanted), i64::from(wanted)),
            (Kind::Compare(operator, sides), _) => self.compared(*operator, sides, wanted),
            (Kind::In(one, many), true) => self.one_of(one, many),
            _ => Some(Bounds::default()),
        }
    }

    fn each(&self, many: &[Expr], wanted: bool) -> Option<Bounds> {
        many.iter().try_fold(Bounds::default(), |all, each| all.both(self.asked(each, wanted)?))
    }

    fn some(&self, many: &[Expr], wanted: bool) -> Option<Bounds> {
        let possible = many.iter().filter_map(|each| self.asked(each, wanted));
        possible.reduce(|one, other| one.either(&other))
    }

    fn compared(&self, operator: Comparison, sides: &[Expr; 2], wanted: bool) -> Option<Bounds> {
        let (slot, operator, value) = match (&sides[0].kind, &sides[1].kind) {
            (Kind::Slot(slot), Kind::Const(value)) => (*slot, operator, *value),
            (Kind::Const(value), Kind::Slot(slot)) => (*slot, operator.flipped(), *value),
            _ => return Some(Bounds::default()),
        };
        let operator = if wanted { operator } else { negated(operator) };
        match operator {
            Comparison::Equal => self.within(slot, value, value),
            Comparison::NotEqual => Some(Bounds::default()),
            Comparison::Less => self.within(slot, i64::MIN, value.checked_sub(1)?),
            Comparison::AtMost => self.within(slot, i64::MIN, value),
            Comparison::Greater => self.within(slot, value.checked_add(1)?, i64::MAX),
            Comparison::AtLeast => self.within(slot, value, i64::MAX),
        }
    }

    fn one_of(&self, one: &Expr, many: &[Expr]) -> Option<Bounds> {
        let Kind::Slot(slot) = one.kind else { return Some(Bounds::default()) };
        let Some(values) = many.iter().map(Expr::constant).collect::<Option<Vec<i64>>>() else {
            return Some(Bounds::default());
        };
        match (values.iter().min(), values.iter().max()) {
            (Some(low), Some(high)) => self.within(slot, *low, *high),
            _ => None,
        }
    }

    /// Within the catalogue's range too.
    fn within(&self, slot: usize, low: i64, high: i64) -> Option<Bounds> {
        let slots = &self.world.slots;
        if slot == slots.block_other || slot == slots.block_any {
            return Some(Bounds::default());
        }
        let range = self.world.range(slot);
        let (low, high) = (low.max(range.0), high.min(range.1));
        let by_cause = slot == slots.block_active || self.world.by_cause(slot);
        let key = (slot, if by_cause { self.cause } else { None });
        (low <= high).then(|| Bounds(BTreeMap::from([(key, (low, high))])))
    }
}

fn negated(operator: Comparison) -> Comparison {
    match operator {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::AtLeast,
        Comparison::AtMost => Comparison::Greater,
        Comparison::Greater => Comparison::AtMost,
        Comparison::AtLeast => Comparison::Less,
    }
}
