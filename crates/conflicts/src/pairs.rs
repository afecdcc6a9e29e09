//! Two rules in one pass: do they meet, and what then?

use headroom_engine::On;

use crate::analysis::{Analysis, place};
use crate::effects::{Relation, deeds, relation};
use crate::encode::Beyond;
use crate::meet::{Occasion, occasions};
use crate::prove::{Answer, Case};
use crate::report::Kind;
use crate::witness::{Mismatch, Witness};
use crate::world::Asked;

/// Looks at two rules as they are asked; what they are to each other is found, or listed as settled.
pub(crate) fn meet(analysis: &mut Analysis<'_, '_, '_>, one: usize, other: usize) -> Result<(), Mismatch> {
    let (a, b) = (analysis.asked[one], analysis.asked[other]);
    if a.position == b.position || analysis.idle.contains(&a.position) || analysis.idle.contains(&b.position) {
        return Ok(());
    }
    let Some(relation) = gravest(a, b) else { return Ok(()) };
    let occasions = occasions(&a.rule.on, &b.rule.on);
    if occasions.is_empty() || !share_a_segment(a, b) {
        return Ok(());
    }
    analysis.effort.pairs += 1;
    if let (Some(first), Some(second)) = (&analysis.bounds[one], &analysis.bounds[other])
        && first.apart(second)
    {
        analysis.effort.apart += 1;
        return Ok(());
    }
    let met = first_meeting(analysis, a, b, &occasions)?;
    let Some((occasion, witness)) = met else { return Ok(()) };
    note(analysis, [a, b], relation, &occasion.on, witness);
    Ok(())
}

/// The gravest of what their actions are to each other. Rivals count only as first actions.
fn gravest(a: Asked<'_>, b: Asked<'_>) -> Option<Relation> {
    let mut found: Vec<Relation> = Vec::new();
    for one in deeds(a) {
        for other in deeds(b) {
            let both_first = one.first && other.first;
            let related = relation(&one, &other).filter(|each| both_first || !matches!(each, Relation::Rivals(_)));
            found.extend(related);
        }
    }
    found.into_iter().min_by_key(|each| match each {
        Relation::Clash(_) => 0,
        Relation::Torn(_) => 1,
        Relation::Settled(_) => 2,
        Relation::Rivals(_) => 3,
    })
}

pub(crate) fn share_a_segment(a: Asked<'_>, b: Asked<'_>) -> bool {
    headroom_engine::Segment::ALL.iter().any(|each| a.rule.is_for(*each) && b.rule.is_for(*each))
}

fn first_meeting(
    analysis: &mut Analysis<'_, '_, '_>,
    a: Asked<'_>,
    b: Asked<'_>,
    occasions: &[Occasion],
) -> Result<Option<(Occasion, Option<Witness>)>, Mismatch> {
    for occasion in occasions {
        match together(analysis, a, b, occasion) {
            Err(Beyond) => {
                analysis.unknown_pair(a, b);
                return Ok(None);
            }
            Ok(mut case) => match analysis.prover.witness(&mut case)? {
                (Answer::Possible, witness) => return Ok(Some((occasion.clone(), witness))),
                (Answer::Unknown, _) => {
                    analysis.unknown_pair(a, b);
                    return Ok(None);
                }
                (Answer::Impossible, _) => {}
            },
        }
    }
    Ok(None)
}

fn together<'w, 'a>(
    analysis: &Analysis<'w, 'a, '_>,
    a: Asked<'_>,
    b: Asked<'_>,
    occasion: &Occasion,
) -> Result<Case<'w, 'a>, Beyond> {
    let (a, b) = (own(analysis, a), own(analysis, b));
    let mut case = Case::new(analysis.world);
    let (at_a, at_b) = (place(a, occasion), place(b, occasion));
    analysis.occasion(&mut case, occasion, &at_a);
    analysis.fires(&mut case, a, &at_a, "now")?;
    analysis.fires(&mut case, b, &at_b, "now")?;
    Ok(case)
}

fn own<'a>(analysis: &Analysis<'_, 'a, '_>, asked: Asked<'_>) -> Asked<'a> {
    Asked { rule: analysis.rule(asked.position), position: asked.position, cause: asked.cause, row: asked.row }
}

fn note(
    analysis: &mut Analysis<'_, '_, '_>,
    of: [Asked<'_>; 2],
    relation: Relation,
    on: &[On],
    witness: Option<Witness>,
) {
    let rules = of.map(|each| each.position);
    let [one, other] = of.map(|each| each.rule.id.clone());
    match relation {
        Relation::Clash(how) => {
            let text = format!("`{one}` and `{other}` want opposite things: {how}");
            analysis.find(Kind::Contradictory, &rules, on, text, witness);
        }
        Relation::Torn(how) => {
            let text = format!("`{one}` and `{other}` want opposite things for one purpose; as it is, {how}");
            analysis.find(Kind::Contradictory, &rules, on, text, witness);
        }
        Relation::Settled(how) | Relation::Rivals(how) => analysis.settled(rules, on, how, witness),
    }
}
