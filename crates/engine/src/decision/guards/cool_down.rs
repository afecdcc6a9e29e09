//! A pause after an increase or a boost; how long depends on what is wanted next.

use crate::vocabulary::Class;

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let growth = &candidate.view.account.growth;
    let pause = match candidate.class {
        Class::Increase => candidate.settings().cool_down_increase,
        Class::Boost => candidate.settings().cool_down_boost,
        _ => return Verdict::Pass,
    };
    let last = growth.last_increase.max(growth.last_boost);
    if last.is_some_and(|last| candidate.view.now.since(last) < pause) { Verdict::Stop } else { Verdict::Pass }
}
