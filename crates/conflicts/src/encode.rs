//! Checked expressions as formulas: three-valued truth as two propositions, numbers with a proposition "is known".

use std::collections::{BTreeMap, BTreeSet};

use headroom_engine::{Cause, Hit, Points, Reader, RowWorth, Score, TableRows};
use headroom_policy::{Arithmetic, Comparison, Expr, Kind, Type};
use z3::ast::{Bool, Int};

use crate::world::{EventGroup, Moment, Var, World};

/// The expression is outside linear arithmetic: nothing can be proven about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Beyond;

/// A truth value: true, false, or neither (unknown, or an error).
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub yes: Bool,
    pub no: Bool,
}

/// A number within bounds, if it is known.
#[derive(Clone, Debug)]
pub(crate) struct Number {
    pub known: Bool,
    pub value: Int,
    pub low: i128,
    pub high: i128,
}

/// Where and when expressions are read: for which cause, during which events, after which changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub cause: Option<Cause>,
    pub causes: Vec<Cause>,
    pub events: Vec<EventGroup>,
    /// Features of events are those of another event.
    pub other_event: bool,
    /// What a change has made of features, before all else.
    pub changed: BTreeMap<(usize, Option<Cause>), Changed>,
    /// A block that a change has set.
    pub blocked: Option<Cause>,
}

/// What a change has made of a feature.
#[derive(Clone, Debug)]
pub(crate) enum Changed {
    /// This value.
    To(i64),
    /// Some value.
    Anything,
    /// No value.
    Unknown,
    /// What a formula gives.
    Formula(Number),
}

/// Builds formulas and remembers which unknowns they mention.
pub(crate) struct Encoder<'w, 'a> {
    world: &'w World<'a>,
    pub vars: BTreeSet<Var>,
}

fn always() -> Bool {
    Bool::from_bool(true)
}

fn never() -> Bool {
    Bool::from_bool(false)
}

pub(crate) fn all(of: &[Bool]) -> Bool {
    match of {
        [] => always(),
        [one] => one.clone(),
        many => Bool::and(many),
    }
}

pub(crate) fn any(of: &[Bool]) -> Bool {
    match of {
        [] => never(),
        [one] => one.clone(),
        many => Bool::or(many),
    }
}

pub(crate) fn constant(value: i64) -> Number {
    Number { known: always(), value: Int::from_i64(value), low: value.into(), high: value.into() }
}

impl Number {
    pub fn unknown() -> Self {
        Self { known: never(), ..constant(0) }
    }

    /// The result of 64-bit arithmetic: what does not fit is an error.
    fn fitted(known: Bool, value: Int, low: i128, high: i128) -> Self {
        let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
        let mut known = vec![known];
        if low < least {
            known.push(value.ge(Int::from_i64(i64::MIN)));
        }
        if high > most {
            known.push(value.le(Int::from_i64(i64::MAX)));
        }
        Self { known: all(&known), value, low: low.max(least), high: high.min(most) }
    }

    fn is_constant(&self) -> Option<i128> {
        (self.low == self.high).then_some(self.low)
    }
}

impl Truth {
    fn number(&self) -> Number {
        let value = self.yes.ite(&Int::from_i64(1), &Int::from_i64(0));
        Number { known: any(&[self.yes.clone(), self.no.clone()]), value, low: 0, high: 1 }
    }
}

impl Var {
    fn label(self, world: &World<'_>) -> String {
        match self {
            Var::Currency => "currency".to_owned(),
            Var::Block(cause, moment) => format!("block {} {moment:?}", cause.word()),
            Var::Feature(slot, cause, moment) => {
                format!("{} {} {moment:?}", world.name(slot), cause.map_or("", Cause::word))
            }
        }
    }

    /// The proposition that it has a value, and the value.
    pub fn term(self, world: &World<'_>) -> (Bool, Int) {
        let label = self.label(world);
        match self {
            Var::Currency => (always(), Int::new_const(label)),
            Var::Block(..) => (always(), Bool::new_const(label).ite(&Int::from_i64(1), &Int::from_i64(0))),
            Var::Feature(slot, cause, moment) => {
                let value = match world.ruleset.schema.symbol(slot).ty {
                    Type::Bool => Bool::new_const(label.as_str()).ite(&Int::from_i64(1), &Int::from_i64(0)),
                    _ => Int::new_const(label.as_str()),
                };
                let of_block = slot == world.slots.block_age_hours || slot == world.slots.block_quiet_days;
                let known = match cause {
                    Some(cause) if of_block => Var::Block(cause, moment).proposition(world),
                    _ if world.natures[slot].always => always(),
                    _ => Bool::new_const(format!("has {label}")),
                };
                (known, value)
            }
        }
    }

    /// The truth value of a flag that is known.
    pub fn proposition(self, world: &World<'_>) -> Bool {
        Bool::new_const(self.label(world))
    }
}

impl<'w, 'a> Encoder<'w, 'a> {
    pub fn new(world: &'w World<'a>) -> Self {
        Self { world, vars: BTreeSet::new() }
    }

    fn block(&mut self, cause: Cause, place: &Place) -> Bool {
        if place.blocked == Some(cause) {
            return always();
        }
        let var = Var::Block(cause, Moment::Now);
        self.vars.insert(var);
        var.proposition(self.world)
    }

    fn blocks(&mut self, of: impl Iterator<Item = Cause>, place: &Place) -> Truth {
        let blocks: Vec<Bool> = of.map(|cause| self.block(cause, place)).collect();
        let yes = any(&blocks);
        Truth { no: yes.not(), yes }
    }

    /// A feature as a rule reads it there.
    pub fn slot(&mut self, slot: usize, place: &Place) -> Number {
        let slots = &self.world.slots;
        if slot == slots.block_any {
            return self.blocks(Cause::ALL.iter().copied(), place).number();
        }
        if slot == slots.block_active {
            return self.blocks(place.cause.into_iter(), place).number();
        }
        if slot == slots.block_other {
            let own = |cause: &Cause| place.causes.contains(cause) || place.cause == Some(*cause);
            let others: Vec<Cause> = Cause::ALL.iter().copied().filter(|cause| !own(cause)).collect();
            return self.blocks(others.into_iter(), place).number();
        }
        let cause = if self.world.by_cause(slot) { place.cause } else { None };
        self.feature(slot, cause, place)
    }

    fn feature(&mut self, slot: usize, cause: Option<Cause>, place: &Place) -> Number {
        if let Reader::Score(at) = self.world.ruleset.readers[slot] {
            return self.score(&self.world.ruleset.scores[at], place);
        }
        let nature = self.world.natures[slot];
        if nature.event.is_some_and(|group| !place.events.contains(&group)) {
            return Number::unknown();
        }
        let mut moment = if nature.fleeting && place.other_event { Moment::Later } else { Moment::Now };
        match place.changed.get(&(slot, cause)) {
            Some(Changed::To(value)) => return constant(*value),
            Some(Changed::Unknown) => return Number::unknown(),
            Some(Changed::Formula(number)) => return number.clone(),
            Some(Changed::Anything) => moment = Moment::Later,
            None => {}
        }
        let of_block = slot == self.world.slots.block_age_hours || slot == self.world.slots.block_quiet_days;
        if of_block {
            let Some(cause) = cause else { return Number::unknown() };
            let known = self.block(cause, place);
            let var = Var::Feature(slot, Some(cause), moment);
            self.vars.insert(var);
            let (low, high) = self.world.range(slot);
            return Number { known, value: var.term(self.world).1, low: low.into(), high: high.into() };
        }
        let var = Var::Feature(slot, cause, moment);
        self.vars.insert(var);
        let ((known, value), (low, high)) = (var.term(self.world), self.world.range(slot));
        Number { known, value, low: low.into(), high: high.into() }
    }

    /// A score: of a part the points of the row that counts, else the sum of its parts.
    fn score(&mut self, score: &Score, place: &Place) -> Number {
        match &score.points {
            Points::Sum(parts) => {
                let parts: Vec<Number> = parts.iter().map(|part| self.slot(*part, place)).collect();
                let known: Vec<Bool> = parts.iter().map(|each| each.known.clone()).collect();
                let values: Vec<Int> = parts.iter().map(|each| each.value.clone()).collect();
                let (low, high) = (parts.iter().map(|each| each.low).sum(), parts.iter().map(|each| each.high).sum());
                Number { known: all(&known), value: Int::add(&values), low, high }
            }
            Points::Part(rows) => self.points(rows, place),
        }
    }

    fn points(&mut self, rows: &TableRows<RowWorth>, place: &Place) -> Number {
        let (mut known, mut number) = (Vec::new(), constant(0));
        let mut earlier: Vec<Bool> = Vec::new();
        for row in &rows.rows {
            let Ok(truth) = self.truth(row.when.root(), place) else { return Number::unknown() };
            let counts = match rows.hit == Hit::First || row.otherwise {
                true => all(&[vec![truth.yes], earlier.clone()].concat()),
                false => truth.yes,
            };
            let points = constant(row.gives.points);
            number = joined(always(), counts.ite(&points.value, &number.value), &points, &number);
            known.push(counts);
            earlier.push(truth.no);
        }
        Number { known: any(&known), ..number }
    }

    /// A condition.
    pub fn truth(&mut self, expr: &Expr, place: &Place) -> Result<Truth, Beyond> {
        Ok(match &expr.kind {
            Kind::Has(slot) => {
                let yes = self.slot(*slot, place).known;
                Truth { no: yes.not(), yes }
            }
            Kind::Not(one) => {
                let Truth { yes, no } = self.truth(one, place)?;
                Truth { yes: no, no: yes }
            }
            Kind::And(many) => {
                let (yes, no) = self.truths(many, place)?;
                Truth { yes: all(&yes), no: any(&no) }
            }
            Kind::Or(many) => {
                let (yes, no) = self.truths(many, place)?;
                Truth { yes: any(&yes), no: all(&no) }
            }
            Kind::Compare(operator, sides) => self.compared(*operator, sides, place)?,
            Kind::Pct(operator, _, parts) => self.percent(*operator, parts, place)?,
            Kind::In(one, many) => self.found(one, many, place)?,
            Kind::Choose(parts) if expr.ty == Type::Bool => self.chosen_truth(parts, place)?,
            _ => {
                let number = self.number(expr, place)?;
                let zero = number.value.eq(Int::from_i64(0));
                Truth { yes: all(&[number.known.clone(), zero.not()]), no: all(&[number.known, zero]) }
            }
        })
    }

    fn truths(&mut self, many: &[Expr], place: &Place) -> Result<(Vec<Bool>, Vec<Bool>), Beyond> {
        let truths: Vec<Truth> = many.iter().map(|each| self.truth(each, place)).collect::<Result<_, _>>()?;
        Ok(truths.into_iter().map(|each| (each.yes, each.no)).unzip())
    }

    fn compared(&mut self, operator: Comparison, sides: &[Expr; 2], place: &Place) -> Result<Truth, Beyond> {
        let (left, right) = (self.number(&sides[0], place)?, self.number(&sides[1], place)?);
        let known = all(&[left.known, right.known]);
        Ok(of_known(known, holds(operator, &left.value, &right.value)))
    }

    fn percent(&mut self, operator: Comparison, parts: &[Expr; 3], place: &Place) -> Result<Truth, Beyond> {
        let (part, whole) = (self.number(&parts[0], place)?, self.number(&parts[1], place)?);
        let bound = self.number(&parts[2], place)?;
        let Some(percent) = bound.is_constant() else { return Err(Beyond) };
        let positive = whole.value.gt(Int::from_i64(0));
        let left = Int::mul(&[part.value, Int::from_i64(100)]);
        let right = Int::mul(&[whole.value, Int::from_i128(percent)]);
        let known = all(&[part.known, whole.known, positive, bound.known]);
        Ok(of_known(known, holds(operator, &left, &right)))
    }

    fn found(&mut self, one: &Expr, many: &[Expr], place: &Place) -> Result<Truth, Beyond> {
        let wanted = self.number(one, place)?;
        let (mut known, mut equal) = (vec![wanted.known], Vec::new());
        for each in many {
            let element = self.number(each, place)?;
            known.push(element.known);
            equal.push(wanted.value.eq(&element.value));
        }
        Ok(of_known(all(&known), any(&equal)))
    }

    fn chosen_truth(&mut self, parts: &[Expr; 3], place: &Place) -> Result<Truth, Beyond> {
        let condition = self.truth(&parts[0], place)?;
        let (one, other) = (self.truth(&parts[1], place)?, self.truth(&parts[2], place)?);
        let either =
            |one: Bool, other: Bool| any(&[all(&[condition.yes.clone(), one]), all(&[condition.no.clone(), other])]);
        Ok(Truth { yes: either(one.yes, other.yes), no: either(one.no, other.no) })
    }

    /// A number, an amount, or an enum's position.
    pub fn number(&mut self, expr: &Expr, place: &Place) -> Result<Number, Beyond> {
        Ok(match &expr.kind {
            Kind::Const(value) => constant(*value),
            Kind::Money(table) => self.money(table),
            Kind::Slot(slot) => self.slot(*slot, place),
            Kind::Default(slot, other) => {
                let (one, other) = (self.slot(*slot, place), self.number(other, place)?);
                let known = any(&[one.known.clone(), other.known.clone()]);
                joined(known, one.known.ite(&one.value, &other.value), &one, &other)
            }
            Kind::Neg(one) => {
                let one = self.number(one, place)?;
                Number::fitted(one.known, one.value.unary_minus(), -one.high, -one.low)
            }
            Kind::Arithmetic(operator, sides) => {
                let (left, right) = (self.number(&sides[0], place)?, self.number(&sides[1], place)?);
                arithmetic(*operator, left, right)?
            }
            Kind::Min(many) => self.extreme(many, place, Comparison::AtMost)?,
            Kind::Max(many) => self.extreme(many, place, Comparison::AtLeast)?,
            Kind::Choose(parts) if expr.ty != Type::Bool => {
                let condition = self.truth(&parts[0], place)?;
                let (one, other) = (self.number(&parts[1], place)?, self.number(&parts[2], place)?);
                let known =
                    any(&[all(&[condition.yes.clone(), one.known.clone()]), all(&[condition.no, other.known.clone()])]);
                joined(known, condition.yes.ite(&one.value, &other.value), &one, &other)
            }
            _ => self.truth(expr, place)?.number(),
        })
    }

    fn extreme(&mut self, many: &[Expr], place: &Place, wanted: Comparison) -> Result<Number, Beyond> {
        let mut best: Option<Number> = None;
        for each in many {
            let next = self.number(each, place)?;
            best = Some(match best {
                None => next,
                Some(best) => {
                    let keeps = holds(wanted, &best.value, &next.value);
                    let known = all(&[best.known.clone(), next.known.clone()]);
                    joined(known, keeps.ite(&best.value, &next.value), &best, &next)
                }
            });
        }
        best.ok_or(Beyond)
    }

    fn money(&mut self, table: &[(headroom_policy::Currency, i64)]) -> Number {
        if let [one] = table
            && one.1 == 0
            && self.world.currencies.is_empty()
        {
            return constant(0);
        }
        self.vars.insert(Var::Currency);
        let currency = Var::Currency.term(self.world).1;
        let (mut known, mut number) = (Vec::new(), constant(0));
        for (position, code) in self.world.currencies.iter().enumerate() {
            let Some((_, amount)) = table.iter().find(|(each, _)| each == code) else { continue };
            let here = currency.eq(Int::from_i64(i64::try_from(position).unwrap_or(i64::MAX)));
            let value = here.ite(&Int::from_i64(*amount), &number.value);
            number = joined(always(), value, &constant(*amount), &number);
            known.push(here);
        }
        Number { known: any(&known), ..number }
    }
}

fn of_known(known: Bool, holds: Bool) -> Truth {
    Truth { yes: all(&[known.clone(), holds.clone()]), no: all(&[known, holds.not()]) }
}

fn joined(known: Bool, value: Int, one: &Number, other: &Number) -> Number {
    Number { known, value, low: one.low.min(other.low), high: one.high.max(other.high) }
}

pub(crate) fn holds(operator: Comparison, left: &Int, right: &Int) -> Bool {
    match operator {
        Comparison::Equal => left.eq(right),
        Comparison::NotEqual => left.eq(right).not(),
        Comparison::Less => left.lt(right),
        Comparison::AtMost => left.le(right),
        Comparison::Greater => left.gt(right),
        Comparison::AtLeast => left.ge(right),
    }
}

fn arithmetic(operator: Arithmetic, left: Number, right: Number) -> Result<Number, Beyond> {
    let known = all(&[left.known.clone(), right.known.clone()]);
    Ok(match operator {
        Arithmetic::Add => {
            let value = Int::add(&[left.value, right.value]);
            Number::fitted(known, value, left.low + right.low, left.high + right.high)
        }
        Arithmetic::Sub => {
            let value = Int::sub(&[left.value, right.value]);
            Number::fitted(known, value, left.low - right.high, left.high - right.low)
        }
        Arithmetic::Mul => {
            if left.is_constant().is_none() && right.is_constant().is_none() {
                return Err(Beyond);
            }
            let corners = [left.low * right.low, left.low * right.high, left.high * right.low, left.high * right.high];
            let (low, high) = bounds(corners);
            Number::fitted(known, Int::mul(&[left.value, right.value]), low, high)
        }
        Arithmetic::Div => divided(known, &left, &right)?,
        Arithmetic::Rem => {
            let quotient = divided(known.clone(), &left, &right)?;
            let most = right.high - 1;
            let value = Int::sub(&[left.value, Int::mul(&[quotient.value, right.value])]);
            Number { known, value, low: if left.low < 0 { -most } else { 0 }, high: most }
        }
    })
}

fn bounds(corners: [i128; 4]) -> (i128, i128) {
    let [first, rest @ ..] = corners;
    rest.iter().fold((first, first), |(low, high), each| (low.min(*each), high.max(*each)))
}

/// A quotient truncated toward zero, by a positive constant.
fn divided(known: Bool, left: &Number, right: &Number) -> Result<Number, Beyond> {
    let Some(divisor) = right.is_constant().filter(|each| *each > 0) else { return Err(Beyond) };
    let by = Int::from_i128(divisor);
    let value = match left.low < 0 {
        false => left.value.div(&by),
        true => {
            let negative = left.value.lt(Int::from_i64(0));
            negative.ite(&left.value.unary_minus().div(&by).unary_minus(), &left.value.div(&by))
        }
    };
    Ok(Number { known, value, low: left.low / divisor, high: left.high / divisor })
}
