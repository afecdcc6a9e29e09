//! What follows from a change: another rule whose condition then holds and undoes it, or lends for the same occasion again.

use headroom_engine::{Action, Cause, On, TriggerKind, UndoField};

use headroom_policy::Program;
use z3::ast::Int;

use crate::amounts::outcome;
use crate::analysis::{Analysis, place};
use crate::effects::{Deed, deeds, same_occasion};
use crate::encode::{Beyond, Changed, Place};
use crate::meet::{Occasion, by_people, once_per_occasion};
use crate::pairs::share_a_segment;
use crate::prove::{Answer, Case};
use crate::report::Kind;
use crate::single::carried_out;
use crate::witness::{Mismatch, Verdict, Witness};
use crate::world::Asked;

/// How one rule's change may be undone by another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undoing {
    /// A block is lifted, loosened, or undone.
    Block(Cause),
    /// A block is loosened, and freezes of its cause are waived.
    Waived(Cause),
    /// A decrease is given back.
    GivenBack(Cause),
    /// Base goes the other way, because it was changed.
    Base,
    /// A cap is lifted.
    Cap,
}

fn undoing(one: &Deed<'_>, other: &Deed<'_>) -> Option<Undoing> {
    match (one.action, other.action) {
        (Action::Freeze { cause, .. }, Action::Restore { waive_until: Some(_), .. })
            if other.loosens() == Some(*cause) =>
        {
            Some(Undoing::Waived(*cause))
        }
        (Action::Freeze { cause, .. }, _)
            if other.loosens() == Some(*cause) || other.gives_back(UndoField::Block) == Some(*cause) =>
        {
            Some(Undoing::Block(*cause))
        }
        (Action::Decrease { after: 0, .. }, Action::Undo { .. }) => {
            let cause = one.asked.rule.causes.first().copied()?;
            (other.gives_back(UndoField::Base) == Some(cause)).then_some(Undoing::GivenBack(cause))
        }
        (Action::Increase(_), Action::Decrease { .. }) | (Action::Decrease { after: 0, .. }, Action::Increase(_)) => {
            Some(Undoing::Base)
        }
        (Action::Cap { name, .. }, Action::Uncap { name: lifted }) if name == lifted => Some(Undoing::Cap),
        _ => None,
    }
}

impl Undoing {
    fn words(self) -> &'static str {
        match self {
            Self::Block(_) => "lifts its block",
            Self::Waived(_) => "the restore's waiver overrides the freeze as long as its condition holds",
            Self::GivenBack(_) => "gives its decrease back",
            Self::Base => "takes it back, because base has changed",
            Self::Cap => "lifts the cap",
        }
    }

    /// The second rule undoes the first one's change because of that change: before it, its condition must not hold.
    fn needs_change(self) -> bool {
        self == Self::Base
    }
}

/// Finds a rule whose change another one undoes.
pub(crate) fn undone(analysis: &mut Analysis<'_, '_, '_>, one: usize, other: usize) -> Result<(), Mismatch> {
    let (a, b) = (analysis.asked[one], analysis.asked[other]);
    if a.position == b.position || !share_a_segment(a, b) {
        return Ok(());
    }
    let idle = analysis.idle.contains(&a.position) || analysis.idle.contains(&b.position);
    let Some(last) = deeds(b).next().filter(|_| !idle) else { return Ok(()) };
    let Some((deed, undoing)) = deeds(a).find_map(|deed| undoing(&deed, &last).map(|undoing| (deed, undoing))) else {
        return Ok(());
    };
    if contradict(analysis, a, b) || apart(analysis, one, other) || never_undone(analysis, other, deed.action, undoing)
    {
        return Ok(());
    }
    let found = first_undoing(analysis, a, b, deed.action, undoing)?;
    let Some((on, witness)) = found else { return Ok(()) };
    if let Undoing::Waived(_) = undoing {
        analysis.settled([a.position, b.position], &[on], undoing.words(), witness);
        return Ok(());
    }
    let text = format!("after `{}` has made its change, `{}` {}", a.rule.id, b.rule.id, undoing.words());
    analysis.find(Kind::Oscillation, &[a.position, b.position], &[on], text, witness);
    Ok(())
}

fn contradict(analysis: &Analysis<'_, '_, '_>, a: Asked<'_>, b: Asked<'_>) -> bool {
    let of = |id: &str| id == &*a.rule.id || id == &*b.rule.id;
    let both = |rules: &[crate::report::Named]| rules.len() == 2 && rules.iter().all(|each| of(&each.id));
    analysis.findings.iter().any(|each| each.kind == Kind::Contradictory && both(&each.rules))
}

/// What a change of base moves.
const MOVED: [&str; 9] = [
    "limit.base",
    "limit.granted",
    "limit.increased_12m",
    "limit.days_since_increase",
    "limit.days_since_decrease",
    "boost.active",
    "boost.expired",
    "boost.stepped_down",
    "boost.used_peak",
];

/// Whether the two conditions are apart on features that neither a change nor another event moves.
fn apart(analysis: &Analysis<'_, '_, '_>, one: usize, other: usize) -> bool {
    let world = analysis.world;
    let moves = |name: &str| MOVED.contains(&name) || PASSING.contains(&name) || name.starts_with("block.");
    let steady = |slot: usize| {
        let name = world.name(slot);
        !world.natures[slot].fleeting && !moves(name) && name != "undo.active"
    };
    match (&analysis.bounds[one], &analysis.bounds[other]) {
        (Some(first), Some(second)) => first.apart_on(second, steady),
        _ => true,
    }
}

/// What can be said of the second rule alone: it waits for quiet, the guards stop it, or the change cannot make its
/// condition true.
fn never_undone(analysis: &mut Analysis<'_, '_, '_>, other: usize, action: &Action, undoing: Undoing) -> bool {
    let b = analysis.asked[other];
    match undoing {
        Undoing::Block(_) | Undoing::Waived(_) => {
            let quiet = analysis.world.slots.block_quiet_days;
            analysis.bounds[other].as_ref().is_none_or(|bounds| !bounds.allows_zero(quiet, b.cause))
        }
        Undoing::Base => {
            let lowered = matches!(action, Action::Decrease { .. });
            let guarded = lowered && analysis.world.ruleset.settings.guards.after_decrease_days > 0;
            guarded || !b.when().conjuncts().iter().any(|each| turns_true(analysis, b.position, each, !lowered))
        }
        Undoing::GivenBack(_) | Undoing::Cap => false,
    }
}

/// Whether raising (or lowering) base alone can make a condition true; asked once for each condition.
fn turns_true(analysis: &mut Analysis<'_, '_, '_>, position: usize, condition: &Program, raised: bool) -> bool {
    let world = analysis.world;
    if !condition.reads().iter().any(|slot| MOVED.contains(&world.name(*slot))) {
        return false;
    }
    let key = (format!("{:?}", condition.root().kind), raised);
    if let Some(known) = analysis.turning.get(&key) {
        return *known;
    }
    let mut case = Case::new(world);
    let asked = analysis.asked.iter().find(|each| each.position == position);
    let before = Place { cause: asked.and_then(|each| each.cause), ..Place::default() };
    let mut after = before.clone();
    for (slot, symbol) in world.ruleset.schema.symbols().iter().enumerate() {
        if MOVED.contains(&symbol.name.as_str()) {
            after.changed.insert((slot, None), Changed::Anything);
        }
    }
    let (old, new) = (case.encoder.slot(world.slots.base, &before), case.encoder.slot(world.slots.base, &after));
    case.assert(if raised { new.value.gt(&old.value) } else { new.value.lt(&old.value) });
    let truths = case
        .encoder
        .truth(condition.root(), &before)
        .and_then(|first| Ok((first, case.encoder.truth(condition.root(), &after)?)));
    let turns = match truths {
        Ok((first, then)) => {
            case.assert(first.yes.not());
            case.assert(then.yes);
            !matches!(analysis.prover.ask(&mut case), Answer::Impossible)
        }
        Err(Beyond) => true,
    };
    analysis.turning.insert(key, turns);
    turns
}

type Undone = Option<(On, Option<Witness>)>;

fn first_undoing<'a>(
    analysis: &mut Analysis<'_, 'a, '_>,
    a: Asked<'a>,
    b: Asked<'a>,
    action: &'a Action,
    undoing: Undoing,
) -> Result<Undone, Mismatch> {
    let mut seen: Vec<(Occasion, Occasion)> = Vec::new();
    for first in a.rule.on.iter().filter(|on| carried_out(**on, a.class())) {
        for second in b.rule.on.iter().filter(|on| carried_out(**on, b.class()) && !by_people(**on)) {
            if undoing == Undoing::Cap && a.rule.on.contains(second) {
                continue;
            }
            let (before, after) = (Occasion::of(*first), Occasion::of(*second));
            let alike = |each: &(Occasion, Occasion)| each.0 == before && each.1 == after;
            if seen.iter().any(alike) {
                continue;
            }
            let asked = one_after_other(analysis, (a, &before), (b, &after), action, undoing);
            seen.push((before, after));
            let mut case = match asked {
                Ok(case) => case,
                Err(Beyond) => {
                    analysis.unknown_pair(a, b);
                    return Ok(None);
                }
            };
            match analysis.prover.witness(&mut case)? {
                (Answer::Possible, witness) => return Ok(Some((*second, witness))),
                (Answer::Unknown, _) => {
                    analysis.unknown_pair(a, b);
                    return Ok(None);
                }
                (Answer::Impossible, _) => {}
            }
        }
    }
    Ok(None)
}

fn follows_at_once(on: On) -> bool {
    matches!(on, On::Kind(TriggerKind::AccountFrozen | TriggerKind::LimitChanged))
}

fn one_after_other<'w, 'a>(
    analysis: &Analysis<'w, 'a, '_>,
    (a, before): (Asked<'a>, &Occasion),
    (b, after): (Asked<'a>, &Occasion),
    action: &Action,
    undoing: Undoing,
) -> Result<Case<'w, 'a>, Beyond> {
    let mut case = Case::new(analysis.world);
    let at_once = after.on.iter().any(|on| follows_at_once(*on));
    let first = place(a, before);
    analysis.occasion(&mut case, before, &first);
    analysis.fires(&mut case, a, &first, "now")?;
    let mut untouched = place(b, after);
    if at_once {
        untouched.events.clone_from(&before.events);
    }
    untouched.other_event = !at_once;
    let mut then = untouched.clone();
    change(analysis, &mut case, &first, &mut then, action, undoing);
    analysis.occasion(&mut case, after, &then);
    analysis.fires(&mut case, b, &then, "after the change")?;
    if undoing.needs_change() {
        case.expect(b, &untouched, "before the change", Verdict::HoldsNot)?;
    }
    Ok(case)
}

/// What the first rule's change makes of the features that the second one reads.
fn change<'w, 'a>(
    analysis: &Analysis<'w, 'a, '_>,
    case: &mut Case<'w, 'a>,
    first: &Place,
    then: &mut Place,
    action: &Action,
    undoing: Undoing,
) {
    let world = analysis.world;
    let mut set = |name: &str, cause: Option<Cause>, to: Changed| {
        if let Some(slot) = world.ruleset.schema.slot(name) {
            then.changed.insert((slot, cause), to);
        }
    };
    set("limit.granted", None, Changed::Anything);
    match undoing {
        Undoing::Block(cause) | Undoing::Waived(cause) => {
            set("block.quiet_days", Some(cause), Changed::To(0));
            set("block.age_hours", Some(cause), Changed::Anything);
            set("undo.active", Some(cause), Changed::To(1));
            then.blocked = Some(cause);
        }
        Undoing::GivenBack(_) | Undoing::Base => {
            let to = outcome(&mut case.encoder, world, action, first);
            set("limit.base", None, to.map_or(Changed::Anything, Changed::Formula));
            set("limit.increased_12m", None, Changed::Anything);
            if let Action::Decrease { .. } = action {
                set("limit.days_since_decrease", None, Changed::To(0));
                for name in ["boost.active", "boost.expired", "boost.stepped_down"] {
                    set(name, None, Changed::To(0));
                }
                set("boost.used_peak", None, Changed::Unknown);
            } else {
                set("limit.days_since_increase", None, Changed::To(0));
            }
            if let Undoing::GivenBack(cause) = undoing {
                set("undo.active", Some(cause), Changed::To(1));
            }
        }
        Undoing::Cap => {}
    }
}

/// What passes between two moments of one occasion.
const PASSING: [&str; 6] = [
    "promotion.active",
    "promotion.starts_in_hours",
    "promotion.hours_since_end",
    "holiday.starts_in_days",
    "boost.used_peak",
    "limit.granted",
];

/// Finds two rules that lend for one occasion at different moments: the second grants while the first one's boost counts.
pub(crate) fn lent_twice(analysis: &mut Analysis<'_, '_, '_>, one: usize, other: usize) -> Result<(), Mismatch> {
    let (a, b) = (analysis.asked[one], analysis.asked[other]);
    let (Some(first), Some(second)) = (a.actions().first(), b.actions().first()) else { return Ok(()) };
    let idle = analysis.idle.contains(&a.position) || analysis.idle.contains(&b.position);
    if a.position == b.position || idle || !same_occasion(first, second) || !share_a_segment(a, b) {
        return Ok(());
    }
    if apart(analysis, one, other) {
        return Ok(());
    }
    for early in &a.rule.on {
        let again = |late: &&On| **late != *early || !once_per_occasion(**late);
        for late in b.rule.on.iter().filter(again).filter(|late| in_time(*early, **late)) {
            let mut case = match lent_again(analysis, (a, *early), (b, *late)) {
                Ok(case) => case,
                Err(Beyond) => {
                    analysis.unknown_pair(a, b);
                    return Ok(());
                }
            };
            if let (Answer::Possible, witness) = analysis.prover.witness(&mut case)? {
                let text = format!(
                    "`{}` lends for an occasion, and while that boost counts `{}` lends for it again",
                    a.rule.id, b.rule.id
                );
                analysis.find(Kind::DoubleBoost, &[a.position, b.position], &[*early, *late], text, witness);
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether the second trigger may come at or after the first one in the course of one promotion.
fn in_time(early: On, late: On) -> bool {
    match (stage(early), stage(late)) {
        (Some(early), Some(late)) => early <= late,
        _ => true,
    }
}

/// A promotion is not active before it has started.
fn before_start(on: On) -> bool {
    stage(on).is_some_and(|at| at < stage(On::Kind(TriggerKind::PromotionStarted)).unwrap_or_default())
}

/// The place of a trigger in the course of a promotion; `None`: anywhere in it.
fn stage(on: On) -> Option<usize> {
    use TriggerKind as T;
    let course = [T::PromotionAnnounced, T::PromotionNear, T::PromotionStarted, T::PromotionEnded];
    course.iter().position(|each| on == On::Kind(*each))
}

fn lent_again<'w, 'a>(
    analysis: &Analysis<'w, 'a, '_>,
    (a, early): (Asked<'a>, On),
    (b, late): (Asked<'a>, On),
) -> Result<Case<'w, 'a>, Beyond> {
    let (before, after) = (Occasion::of(early), Occasion::of(late));
    let mut case = Case::new(analysis.world);
    let first = place(a, &before);
    analysis.occasion(&mut case, &before, &first);
    analysis.fires(&mut case, a, &first, "now")?;
    if let (Some(active), true) = (analysis.world.ruleset.schema.slot("promotion.active"), before_start(late)) {
        let active = case.encoder.slot(active, &first);
        case.assert(active.value.eq(Int::from_i64(0)));
    }
    let mut then = place(b, &after);
    then.other_event = true;
    for name in PASSING {
        if let Some(slot) = analysis.world.ruleset.schema.slot(name) {
            then.changed.insert((slot, None), Changed::Anything);
        }
    }
    if let Some(slot) = analysis.world.ruleset.schema.slot("boost.active") {
        then.changed.insert((slot, None), Changed::To(1));
    }
    analysis.occasion(&mut case, &after, &then);
    analysis.fires(&mut case, b, &then, "while the boost counts")?;
    Ok(case)
}
