//! A pause between increases, and between boosts.

use crate::vocabulary::Class;

use super::{Candidate, Verdict};

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let growth = &candidate.view.account.growth;
    let (last, pause) = match candidate.class {
        Class::Increase => (growth.last_increase, candidate.settings().cool_down_increase),
        Class::Boost => (growth.last_boost, candidate.settings().cool_down_boost),
        _ => return Verdict::Pass,
    };
    if last.is_some_and(|last| candidate.view.now.since(last) < pause) { Verdict::Stop } else { Verdict::Pass }
}
