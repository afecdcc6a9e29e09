//! Ladders: rules of one family that divide the values of a number among them. A hole between two rungs is a gap.

use std::collections::{BTreeMap, BTreeSet};

use headroom_engine::{Class, Family, On};
use headroom_policy::{Arithmetic, Comparison, Currency, Expr, Kind as Node, Program};
use z3::ast::{Bool, Int};

use crate::analysis::{Analysis, place};
use crate::encode::{Beyond, Encoder, Place, all};
use crate::meet::Occasion;
use crate::pairs::share_a_segment;
use crate::prove::{Answer, Case};
use crate::report::Kind;
use crate::witness::{Mismatch, Verdict};
use crate::world::{Asked, World};

/// A sum of features, each with its factor.
type Sum = BTreeMap<usize, i128>;

/// What a ladder divides: a sum, or a percentage of two sums.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Form {
    Sum(Sum),
    Percent(Sum, Sum),
}

/// Cuts between values, in quarters: `4 v − 2` lies before the whole number `v`, `4 v − 1` just below the percentage `v`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Rung {
    from: i128,
    to: i128,
}

const OPEN: Rung = Rung { from: i128::MIN / 8, to: i128::MAX / 8 };

/// A rule's place on ladders.
struct Climber<'a> {
    asked: Asked<'a>,
    rungs: BTreeMap<Form, Rung>,
}

/// Finds holes in the ladders of a ruleset.
pub(crate) fn holes(analysis: &mut Analysis<'_, '_, '_>) -> Result<(), Mismatch> {
    let currencies = match analysis.world.currencies.as_slice() {
        [] => vec![Currency(*b"XXX")],
        all => all.to_vec(),
    };
    let mut found: BTreeSet<[usize; 2]> = BTreeSet::new();
    for currency in currencies {
        let mut groups: BTreeMap<(Family, On, bool), Vec<usize>> = BTreeMap::new();
        for (at, asked) in analysis.asked.iter().enumerate() {
            for on in &asked.rule.on {
                groups.entry((asked.rule.family, *on, favours(asked.class()))).or_default().push(at);
            }
        }
        for ((family, on, _), members) in groups {
            holes_of(analysis, family, on, &members, currency, &mut found)?;
        }
    }
    Ok(())
}

fn favours(class: Class) -> bool {
    matches!(class, Class::Increase | Class::Boost | Class::Restore)
}

fn holes_of(
    analysis: &mut Analysis<'_, '_, '_>,
    family: Family,
    on: On,
    members: &[usize],
    currency: Currency,
    found: &mut BTreeSet<[usize; 2]>,
) -> Result<(), Mismatch> {
    let climbers: Vec<Climber<'_>> = members
        .iter()
        .map(|at| Climber {
            asked: analysis.asked[*at],
            rungs: rungs(analysis.world, analysis.asked[*at].when(), currency),
        })
        .collect();
    let forms: BTreeSet<&Form> = climbers.iter().flat_map(|each| each.rungs.keys()).collect();
    for form in forms {
        for (low, high, hole) in gaps(&climbers, form) {
            let key = [low.position, high.position];
            if found.contains(&key) || !share_a_segment(low, high) {
                continue;
            }
            if report(analysis, family, on, form, (low, high, hole), currency)? {
                found.insert(key);
            }
        }
    }
    Ok(())
}

/// Neighbouring rungs that do not touch.
fn gaps<'a>(climbers: &[Climber<'a>], form: &Form) -> Vec<(Asked<'a>, Asked<'a>, Rung)> {
    let mut on_it: Vec<(Rung, Asked<'a>)> =
        climbers.iter().filter_map(|each| each.rungs.get(form).map(|rung| (*rung, each.asked))).collect();
    on_it.sort_by_key(|(rung, asked)| (rung.from, rung.to, asked.position));
    let mut gaps = Vec::new();
    let Some((mut top, mut below)) = on_it.first().copied() else { return gaps };
    for (rung, asked) in on_it {
        if rung.from > top.to {
            gaps.push((below, asked, Rung { from: top.to, to: rung.from }));
        }
        if rung.to > top.to {
            (top, below) = (rung, asked);
        }
    }
    gaps
}

fn report(
    analysis: &mut Analysis<'_, '_, '_>,
    family: Family,
    on: On,
    form: &Form,
    (low, high, hole): (Asked<'_>, Asked<'_>, Rung),
    currency: Currency,
) -> Result<bool, Mismatch> {
    let positions = [low.position, high.position];
    let witness = match between(analysis, family, on, form, (positions, hole), currency) {
        Ok(mut case) => analysis.prover.witness(&mut case)?,
        Err(Beyond) => return Ok(false),
    };
    let (Answer::Possible, witness) = witness else { return Ok(false) };
    let text = format!(
        "`{}` ends at {} and `{}` begins at {}: between them {} fires no rule of family {}",
        analysis.rule(positions[0]).id,
        edge(form, hole.from, false),
        analysis.rule(positions[1]).id,
        edge(form, hole.to, true),
        words(analysis.world, form),
        family.word(),
    );
    analysis.find(Kind::Gap, &positions, &[on], text, witness);
    Ok(true)
}

/// The value that a cut stands beside.
fn edge(form: &Form, cut: i128, begins: bool) -> i128 {
    match (form, begins) {
        (Form::Sum(_), false) => (cut - 2) / 4,
        (Form::Sum(_), true) => (cut + 2) / 4,
        (Form::Percent(..), _) => (cut + 1).div_euclid(4),
    }
}

fn words(world: &World<'_>, form: &Form) -> String {
    let sum = |of: &Sum| {
        let parts: Vec<String> = of
            .iter()
            .map(|(slot, factor)| match factor {
                1 => world.name(*slot).to_owned(),
                _ => format!("{factor} × {}", world.name(*slot)),
            })
            .collect();
        parts.join(" + ")
    };
    match form {
        Form::Sum(of) => format!("`{}`", sum(of)),
        Form::Percent(part, whole) => format!("`{}` in percent of `{}`", sum(part), sum(whole)),
    }
}

/// An account in the hole, on which both neighbours' other conditions hold and no rule of the family fires.
fn between<'w, 'a>(
    analysis: &Analysis<'w, 'a, '_>,
    family: Family,
    on: On,
    form: &Form,
    (rules, hole): ([usize; 2], Rung),
    currency: Currency,
) -> Result<Case<'w, 'a>, Beyond> {
    let occasion = Occasion::of(on);
    let mut case = Case::new(analysis.world);
    let neighbours = analysis.asked.iter().copied().filter(|each| rules.contains(&each.position));
    for asked in neighbours.collect::<Vec<_>>() {
        let there = place(asked, &occasion);
        case.segment(asked);
        analysis.occasion(&mut case, &occasion, &there);
        for conjunct in asked.when().conjuncts() {
            if bound(analysis.world, conjunct.root(), currency).is_none_or(|(of, _)| of != *form) {
                let truth = case.encoder.truth(conjunct.root(), &there)?;
                case.assert(truth.yes);
            }
        }
    }
    let there = Place { events: occasion.events.clone(), ..Place::default() };
    let inside = inside(&mut case.encoder, form, hole, &there);
    case.assert(inside);
    case.in_currency(currency);
    let family = analysis.asked.iter().copied().filter(|each| each.rule.family == family && each.rule.on.contains(&on));
    for asked in family.collect::<Vec<_>>() {
        case.expect(asked, &place(asked, &occasion), "now", Verdict::HoldsNot)?;
    }
    Ok(case)
}

fn inside(encoder: &mut Encoder<'_, '_>, form: &Form, hole: Rung, there: &Place) -> Bool {
    let (low, high) = (Int::from_i128(hole.from), Int::from_i128(hole.to));
    match form {
        Form::Sum(of) => {
            let (known, value) = sum(encoder, of, there);
            let quarters = Int::mul(&[value, Int::from_i64(4)]);
            all(&[known, quarters.gt(&low), quarters.lt(&high)])
        }
        Form::Percent(part, whole) => {
            let ((a, part), (b, whole)) = (sum(encoder, part, there), sum(encoder, whole, there));
            let quarters = Int::mul(&[part, Int::from_i64(400)]);
            let least = Int::mul(&[whole.clone(), low]);
            let most = Int::mul(&[whole.clone(), high]);
            all(&[a, b, whole.gt(Int::from_i64(0)), quarters.gt(&least), quarters.lt(&most)])
        }
    }
}

fn sum(encoder: &mut Encoder<'_, '_>, of: &Sum, there: &Place) -> (Bool, Int) {
    let (mut known, mut parts) = (Vec::new(), vec![Int::from_i64(0)]);
    for (slot, factor) in of {
        let number = encoder.slot(*slot, there);
        known.push(number.known);
        parts.push(Int::mul(&[number.value, Int::from_i128(*factor)]));
    }
    (all(&known), Int::add(&parts))
}

/// Where a condition stands on each form that its top-level conjuncts bound.
fn rungs(world: &World<'_>, when: &Program, currency: Currency) -> BTreeMap<Form, Rung> {
    let mut rungs: BTreeMap<Form, Rung> = BTreeMap::new();
    for conjunct in when.conjuncts() {
        if let Some((form, rung)) = bound(world, conjunct.root(), currency) {
            let entry = rungs.entry(form).or_insert(OPEN);
            *entry = Rung { from: entry.from.max(rung.from), to: entry.to.min(rung.to) };
        }
    }
    rungs.retain(|_, rung| rung.from < rung.to && *rung != OPEN);
    rungs
}

fn bound(world: &World<'_>, expr: &Expr, currency: Currency) -> Option<(Form, Rung)> {
    match &expr.kind {
        Node::Compare(operator, sides) if operator.orders() || *operator == Comparison::Equal => {
            let (mut of, constant) = difference(world, sides, currency)?;
            let (_, first) = of.first_key_value()?;
            let (mut operator, mut value) = (*operator, -constant);
            if *first < 0 {
                of.values_mut().for_each(|factor| *factor = -*factor);
                (operator, value) = (operator.flipped(), -value);
            }
            Some((Form::Sum(of), whole_numbers(operator, value)?))
        }
        Node::Pct(operator, _, parts) => {
            let ((part, a), (whole, b)) = (linear(world, &parts[0], currency)?, linear(world, &parts[1], currency)?);
            let (none, value) = linear(world, &parts[2], currency)?;
            let plain = a == 0 && b == 0 && none.is_empty() && !part.is_empty() && !whole.is_empty();
            plain.then(|| Some((Form::Percent(part, whole), percents(*operator, value)?)))?
        }
        _ => None,
    }
}

fn whole_numbers(operator: Comparison, value: i128) -> Option<Rung> {
    let (before, after) = (4 * value - 2, 4 * value + 2);
    Some(match operator {
        Comparison::Equal => Rung { from: before, to: after },
        Comparison::Less => Rung { to: before, ..OPEN },
        Comparison::AtMost => Rung { to: after, ..OPEN },
        Comparison::Greater => Rung { from: after, ..OPEN },
        Comparison::AtLeast => Rung { from: before, ..OPEN },
        Comparison::NotEqual => return None,
    })
}

fn percents(operator: Comparison, value: i128) -> Option<Rung> {
    let (below, above) = (4 * value - 1, 4 * value + 1);
    Some(match operator {
        Comparison::Less => Rung { to: below, ..OPEN },
        Comparison::AtMost => Rung { to: above, ..OPEN },
        Comparison::Greater => Rung { from: above, ..OPEN },
        Comparison::AtLeast => Rung { from: below, ..OPEN },
        Comparison::Equal | Comparison::NotEqual => return None,
    })
}

fn difference(world: &World<'_>, sides: &[Expr; 2], currency: Currency) -> Option<(Sum, i128)> {
    let (left, right) = (linear(world, &sides[0], currency)?, linear(world, &sides[1], currency)?);
    Some(combined(left, right, -1))
}

fn combined(one: (Sum, i128), other: (Sum, i128), factor: i128) -> (Sum, i128) {
    let (mut sum, constant) = one;
    for (slot, times) in other.0 {
        *sum.entry(slot).or_insert(0) += times * factor;
    }
    sum.retain(|_, times| *times != 0);
    (sum, constant + other.1 * factor)
}

/// A sum of features and a constant; `None`: it is something else, or about a block of the rule's cause.
fn linear(world: &World<'_>, expr: &Expr, currency: Currency) -> Option<(Sum, i128)> {
    match &expr.kind {
        Node::Const(value) => Some((Sum::new(), i128::from(*value))),
        Node::Money(table) => {
            let found = table.iter().find(|(code, _)| *code == currency)?;
            Some((Sum::new(), i128::from(found.1)))
        }
        Node::Slot(slot) if numeric(world, *slot) => Some((Sum::from([(*slot, 1)]), 0)),
        Node::Neg(one) => Some(combined((Sum::new(), 0), linear(world, one, currency)?, -1)),
        Node::Arithmetic(operator, sides) => {
            let (left, right) = (linear(world, &sides[0], currency)?, linear(world, &sides[1], currency)?);
            match operator {
                Arithmetic::Add => Some(combined(left, right, 1)),
                Arithmetic::Sub => Some(combined(left, right, -1)),
                Arithmetic::Mul if left.0.is_empty() => Some(combined((Sum::new(), 0), right, left.1)),
                Arithmetic::Mul if right.0.is_empty() => Some(combined((Sum::new(), 0), left, right.1)),
                Arithmetic::Mul | Arithmetic::Div | Arithmetic::Rem => None,
            }
        }
        _ => None,
    }
}

fn numeric(world: &World<'_>, slot: usize) -> bool {
    use headroom_policy::Type;
    let of_block = world.name(slot).starts_with("block.") || world.by_cause(slot);
    matches!(world.ruleset.schema.symbol(slot).ty, Type::Int | Type::Money) && !of_block
}
