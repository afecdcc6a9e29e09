//! The largest step of an increase, a boost, or a decrease that a model wants. A boost is at most half of base anyway.

use crate::vocabulary::Class;

use super::{Candidate, Verdict, percent};

/// RULEBOOK section 1: a boost is fixed at grant, at most 50 % of base.
const BOOST_MAX_PCT: i64 = 50;

pub(super) fn check(candidate: &Candidate<'_>) -> Verdict {
    let setting = candidate.settings().maximum_step_pct;
    let bound = match candidate.class {
        Class::Increase => percent(candidate.base(), setting),
        Class::Boost => percent(candidate.base(), setting.min(BOOST_MAX_PCT)),
        Class::Decrease if candidate.is_model_driven_decrease() => percent(candidate.base(), setting),
        _ => return Verdict::Pass,
    };
    if candidate.step <= bound { Verdict::Pass } else { Verdict::Lower(bound) }
}
