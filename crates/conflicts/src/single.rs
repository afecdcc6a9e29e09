//! One rule against the world: can it ever do anything, and anything of its own?

use headroom_engine::{Class, On, Once, TriggerKind};
use z3::ast::Bool;

use crate::amounts::{beats, equal};
use crate::analysis::{Analysis, goes_up, place};
use crate::effects::{Deed, deeds};
use crate::encode::{Beyond, all};
use crate::meet::Occasion;
use crate::prove::{Answer, Case};
use crate::report::Kind;
use crate::witness::{Mismatch, Verdict};
use crate::world::Asked;

/// Whether one decision of a rule's triggers carries its first action out at all.
pub(crate) fn carried_out(on: On, class: Class) -> bool {
    match on {
        On::Kind(TriggerKind::AccountFrozen | TriggerKind::LimitChanged) => {
            matches!(class, Class::Restore | Class::Hold | Class::Review | Class::Cap)
        }
        On::Kind(TriggerKind::BeforeIncrease) => class == Class::Hold,
        _ => true,
    }
}

/// The triggers of a rule on which a decision carries out any of what it may do.
fn alive(analysis: &Analysis<'_, '_, '_>, position: usize) -> Vec<On> {
    let ways = asked_of(analysis, position);
    let on = analysis.rule(position).on.iter().copied();
    on.filter(|each| ways.iter().any(|way| carried_out(*each, way.class()))).collect()
}

/// Finds a rule that nothing makes do anything.
pub(crate) fn dead(analysis: &mut Analysis<'_, '_, '_>, position: usize) -> Result<(), Mismatch> {
    let rule = analysis.rule(position);
    if asked_of(analysis, position).is_empty() {
        return Ok(());
    }
    let on = alive(analysis, position);
    if on.is_empty() && !rule.on.is_empty() {
        let text = format!("what follows from a decision never carries out `{}`", rule.class.word());
        return found_dead(analysis, position, text);
    }
    let mut why = "its condition is never true";
    for asked in asked_of(analysis, position) {
        for trigger in &on {
            match possible(analysis, asked, *trigger) {
                Ok(None) => return Ok(()),
                Ok(Some(reason)) => why = if reason == NEVER { why } else { reason },
                Err(Beyond) => {
                    analysis.unknown(position, position);
                    return Ok(());
                }
            }
        }
    }
    found_dead(analysis, position, why.to_owned())
}

const NEVER: &str = "its condition is never true";

fn found_dead(analysis: &mut Analysis<'_, '_, '_>, position: usize, why: String) -> Result<(), Mismatch> {
    let (id, on) = (analysis.rule(position).id.clone(), analysis.rule(position).on.clone());
    analysis.idle.insert(position);
    analysis.find(Kind::Dead, &[position], &on, format!("`{id}` does nothing: {why}"), None);
    Ok(())
}

fn asked_of<'a>(analysis: &Analysis<'_, 'a, '_>, position: usize) -> Vec<Asked<'a>> {
    analysis.asked.iter().copied().filter(|each| each.position == position).collect()
}

/// `None`: it may fire there and change something; otherwise what keeps it from that.
fn possible(analysis: &mut Analysis<'_, '_, '_>, asked: Asked<'_>, on: On) -> Result<Option<&'static str>, Beyond> {
    let at = analysis
        .asked
        .iter()
        .position(|each| each.position == asked.position && each.cause == asked.cause && each.row == asked.row);
    let Some(at) = at else { return Ok(None) };
    let asked = analysis.asked[at];
    if analysis.bounds[at].is_none() {
        return Ok(Some(NEVER));
    }
    let occasion = Occasion::of(on);
    let mut case = Case::new(analysis.world);
    let place = place(asked, &occasion);
    analysis.occasion(&mut case, &occasion, &place);
    analysis.fires(&mut case, asked, &place, "now")?;
    match analysis.prover.ask(&mut case) {
        Answer::Possible => return Ok(None),
        Answer::Unknown => return Err(Beyond),
        Answer::Impossible => {}
    }
    let mut case = Case::new(analysis.world);
    analysis.occasion(&mut case, &occasion, &place);
    case.segment(asked);
    case.expect(asked, &place, "now", Verdict::Holds)?;
    Ok(Some(match analysis.prover.ask(&mut case) {
        Answer::Impossible => NEVER,
        _ if goes_up(&asked) => {
            "when its condition is true, the guards of every increase and boost stop it, or it raises nothing"
        }
        _ => "when its condition is true, its action changes nothing",
    }))
}

/// What another rule is to this one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// It keeps this one from having any effect.
    Beats,
    /// It does the same.
    Equals,
}

/// Finds a rule that is always beaten, or that adds nothing to what others do.
pub(crate) fn outdone(analysis: &mut Analysis<'_, '_, '_>, position: usize) -> Result<(), Mismatch> {
    for (beside, kind) in [(Beside::Equals, Kind::Redundant), (Beside::Beats, Kind::Shadowed)] {
        let candidates = candidates(analysis, position);
        if candidates.is_empty() || !always(analysis, position, &candidates, beside) {
            continue;
        }
        let one = candidates.iter().copied().find(|each| always(analysis, position, &[*each], beside));
        let by = one.map_or(candidates, |one| vec![one]);
        return outdone_by(analysis, position, &by, kind);
    }
    Ok(())
}

fn outdone_by(analysis: &mut Analysis<'_, '_, '_>, position: usize, by: &[usize], kind: Kind) -> Result<(), Mismatch> {
    let names: Vec<String> = by.iter().map(|each| format!("`{}`", analysis.rule(*each).id)).collect();
    let (id, names) = (analysis.rule(position).id.clone(), names.join(", "));
    let text = match kind {
        Kind::Redundant => format!("whenever `{id}` fires, {names} does the same"),
        _ => format!("whenever `{id}` fires, {names} beats it"),
    };
    let (witness, on) = beaten_there(analysis, position, by)?;
    let mut rules = by.to_vec();
    rules.push(position);
    if kind == Kind::Redundant {
        analysis.idle.insert(position);
    }
    analysis.find(kind, &rules, &on, text, witness);
    Ok(())
}

/// Rules that are asked whenever this one is, on one of its triggers at least.
fn candidates(analysis: &Analysis<'_, '_, '_>, position: usize) -> Vec<usize> {
    let on = alive(analysis, position);
    let fires = |other: &usize| {
        let other_rule = analysis.rule(*other);
        *other != position
            && other_rule.once == Once::No
            && !analysis.idle.contains(other)
            && on.iter().any(|each| other_rule.on.contains(each))
    };
    (0..analysis.world.ruleset.rules.len()).filter(fires).collect()
}

/// Whether on every trigger, wherever the rule fires, one of the others does that to it.
fn always(analysis: &mut Analysis<'_, '_, '_>, position: usize, others: &[usize], beside: Beside) -> bool {
    let mut somewhere = false;
    for asked in asked_of(analysis, position) {
        for on in alive(analysis, position) {
            let Ok(outcome) = escapes(analysis, asked, on, others, beside) else { return false };
            match outcome {
                Escape::No => somewhere = true,
                Escape::Yes => return false,
                Escape::NeverFires => {}
            }
        }
    }
    somewhere
}

enum Escape {
    Yes,
    No,
    NeverFires,
}

fn escapes<'a>(
    analysis: &mut Analysis<'_, 'a, '_>,
    asked: Asked<'a>,
    on: On,
    others: &[usize],
    beside: Beside,
) -> Result<Escape, Beyond> {
    let occasion = Occasion::of(on);
    let own = place(asked, &occasion);
    let mut case = Case::new(analysis.world);
    analysis.occasion(&mut case, &occasion, &own);
    analysis.fires(&mut case, asked, &own, "now")?;
    let mut does: Vec<Bool> = Vec::new();
    for other in analysis.asked.clone() {
        if others.contains(&other.position) && other.rule.on.contains(&on) {
            does.extend(done_to(&mut case, asked, other, &occasion, beside));
        }
    }
    if does.is_empty() {
        return Ok(if matches!(analysis.prover.ask(&mut case), Answer::Impossible) {
            Escape::NeverFires
        } else {
            Escape::Yes
        });
    }
    match analysis.prover.escapes(&mut case, &does) {
        Answer::Impossible => Ok(Escape::No),
        _ => Ok(Escape::Yes),
    }
}

/// When another rule's condition is true and it does that to this one.
fn done_to<'a>(
    case: &mut Case<'_, 'a>,
    asked: Asked<'a>,
    other: Asked<'a>,
    occasion: &Occasion,
    beside: Beside,
) -> Option<Bool> {
    if more_beside(asked, other) {
        return None;
    }
    let place = place(other, occasion);
    let own: Deed<'a> = deeds(asked).next()?;
    let world = case.world;
    let how = deeds(other).find_map(|deed| match beside {
        Beside::Beats => beats(&mut case.encoder, world, &deed, &own, &place),
        Beside::Equals => equal(&mut case.encoder, world, &deed, &own, &place),
    })?;
    let truth = case.fires(other, &place).ok()?;
    case.at(&place);
    let segment = case.in_segment(other);
    Some(all(&[vec![truth, how], segment.into_iter().collect()].concat()))
}

/// Whether a rule does something beside its first action that the other does not: holds, reviews and notices are never
/// arbitrated away.
fn more_beside(asked: Asked<'_>, other: Asked<'_>) -> bool {
    let mut beside = asked.actions().iter().skip(1);
    beside.any(|extra| !other.actions().iter().any(|each| each.word() == extra.word()))
}

type Found = (Option<crate::witness::Witness>, Vec<On>);

/// An account on which the rule fires and one of the others beats it.
fn beaten_there(analysis: &mut Analysis<'_, '_, '_>, position: usize, by: &[usize]) -> Result<Found, Mismatch> {
    let on = analysis.rule(position).on.clone();
    for asked in asked_of(analysis, position) {
        for trigger in &on {
            for other in by.iter().flat_map(|each| asked_of(analysis, *each)).collect::<Vec<_>>() {
                if !other.rule.on.contains(trigger) {
                    continue;
                }
                let occasion = Occasion::of(*trigger);
                let mut case = Case::new(analysis.world);
                let own = place(asked, &occasion);
                analysis.occasion(&mut case, &occasion, &own);
                let fires = analysis.fires(&mut case, asked, &own, "now");
                case.segment(other);
                let both = fires.and_then(|()| case.expect(other, &place(other, &occasion), "now", Verdict::Holds));
                if both.is_err() {
                    continue;
                }
                if let (Answer::Possible, witness) = analysis.prover.witness(&mut case)? {
                    return Ok((witness, vec![*trigger]));
                }
            }
        }
    }
    Ok((None, on))
}
