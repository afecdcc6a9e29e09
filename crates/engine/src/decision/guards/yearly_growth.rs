//! Base grows by at most so many percent over what it was twelve months ago (younger: at opening).

use crate::vocabulary::Class;

use super::{Candidate, Verdict, percent};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    if candidate.class != Class::Increase {
        return Verdict::Pass;
    }
    let year_ago = candidate.view.today().saturating_sub(365);
    let bases = &candidate.view.account.growth.bases;
    let before = bases.iter().rev().find(|(day, _)| *day <= year_ago).or(bases.first());
    let Some((_, base_then)) = before else { return Verdict::Pass };
    let most = base_then.saturating_add(percent(*base_then, candidate.settings().yearly_growth_pct));
    let room = most.saturating_sub(candidate.base());
    if candidate.step <= room { Verdict::Pass } else { Verdict::Lower(room.max(0)) }
}
