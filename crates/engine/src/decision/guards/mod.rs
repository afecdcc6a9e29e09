//! Guards: what keeps a favourable change within bounds. One file each; their values are settings of the ruleset.

mod after_decrease;
mod cool_down;
mod customer_share;
mod daily_count;
mod dormant;
mod exposure;
mod good_standing;
mod maximum_step;
mod minimum_step;
mod portfolio_budget;
mod profile_review;
mod yearly_growth;

use crate::account::Account;
use crate::context::Context;
use crate::features::{EventFacts, View};
use crate::output::Trace;
use crate::ruleset::{Guards, Rule};
use crate::time::Timestamp;
use crate::vocabulary::{Class, Family};

use super::decide::Decision;
use super::proposal::{Act, Proposal};

/// What a guard looks at.
struct Candidate<'a> {
    view: View<'a>,
    rule: &'a Rule,
    class: Class,
    /// How much base, or the boost, would change; above 0.
    step: i64,
}

/// What a guard says.
enum Verdict {
    Pass,
    /// No more than this step, above 0.
    Lower(i64),
    Stop,
    /// A person decides instead.
    Review,
}

type Guard = fn(&Candidate<'_>) -> Verdict;

/// The guards in the order in which they are asked.
const GUARDS: &[(&str, Guard)] = &[
    ("good_standing", good_standing::check),
    ("profile_review", profile_review::check),
    ("after_decrease", after_decrease::check),
    ("dormant", dormant::check),
    ("cool_down", cool_down::check),
    ("daily_count", daily_count::check),
    ("customer_share", customer_share::check),
    ("maximum_step", maximum_step::check),
    ("yearly_growth", yearly_growth::check),
    ("exposure", exposure::check),
    ("portfolio_budget", portfolio_budget::check),
    ("minimum_step", minimum_step::check),
];

/// The guards' names, consent included, in the order in which they are asked.
pub const GUARD_NAMES: &[&str] = &[
    "good_standing",
    "profile_review",
    "after_decrease",
    "dormant",
    "cool_down",
    "daily_count",
    "customer_share",
    "maximum_step",
    "yearly_growth",
    "exposure",
    "portfolio_budget",
    "minimum_step",
    "consent",
];

impl<'a> Candidate<'a> {
    fn new(context: &'a Context<'a>, account: &'a Account, now: Timestamp, rule: &'a Rule, act: &Act) -> Self {
        let view = View::new(context, account, now, EventFacts::default());
        Self { view, rule, class: act.class(), step: step(account, act) }
    }

    fn settings(&self) -> &Guards {
        &self.view.settings().guards
    }

    /// An increase or a boost.
    fn is_upward(&self) -> bool {
        matches!(self.class, Class::Increase | Class::Boost)
    }

    /// A decrease that a model wants, not a risk.
    fn is_model_driven_decrease(&self) -> bool {
        let reads_model = self
            .rule
            .reads
            .iter()
            .any(|slot| self.view.context.ruleset.schema.symbol(*slot).name.starts_with("model."));
        self.class == Class::Decrease && (reads_model || self.rule.is_scored())
    }

    fn base(&self) -> i64 {
        self.view.account.stack.base
    }
}

fn step(account: &Account, act: &Act) -> i64 {
    match act {
        Act::Increase { to } => to.saturating_sub(account.stack.base),
        Act::Decrease { to } => account.stack.base.saturating_sub(*to),
        Act::Boost { amount, .. } => *amount,
        _ => 0,
    }
}

/// The same act with a smaller step.
fn with_step(account: &Account, act: &Act, step: i64) -> Act {
    match act {
        Act::Increase { .. } => Act::Increase { to: account.stack.base.saturating_add(step) },
        Act::Decrease { .. } => Act::Decrease { to: account.stack.base.saturating_sub(step) },
        Act::Boost { from, until, promotion, .. } => {
            Act::Boost { amount: step, from: *from, until: *until, promotion: *promotion }
        }
        other => other.clone(),
    }
}

/// Percent of an amount, rounded towards zero.
fn percent(amount: i64, percent: i64) -> i64 {
    super::propose::percent_of(amount, percent).unwrap_or(i64::MAX)
}

/// Whether a scorecard, collateral or increase is meant: very small steps are not worth a letter.
fn is_paced(candidate: &Candidate<'_>) -> bool {
    candidate.class == Class::Increase
        || (candidate.class == Class::Decrease
            && (candidate.rule.family == Family::Collateral || candidate.rule.is_scored()))
}

impl Decision<'_> {
    /// Asks the guards about every winner; caps, freezes and plain decreases pass them all.
    pub fn guard(&mut self, winners: Vec<Proposal>, traces: &[Trace]) -> Vec<Proposal> {
        let mut kept = Vec::with_capacity(winners.len());
        for winner in winners {
            let guarded = matches!(winner.act, Act::Increase { .. } | Act::Decrease { .. } | Act::Boost { .. })
                || winner.act.class() == Class::Restore;
            let winner = if guarded { self.pass_guards(winner, traces) } else { Some(winner) };
            kept.extend(winner);
        }
        kept
    }

    fn pass_guards(&mut self, mut proposal: Proposal, traces: &[Trace]) -> Option<Proposal> {
        let rule = &self.context.ruleset.rules[proposal.rule];
        for (name, guard) in GUARDS {
            let candidate = Candidate::new(self.context, &self.account, self.now, rule, &proposal.act);
            match guard(&candidate) {
                Verdict::Pass => {}
                Verdict::Lower(step) if step > 0 => {
                    proposal.act = with_step(&self.account, &proposal.act, step);
                    proposal.lowered_by.push(name);
                    self.tally.guards.push(name);
                }
                Verdict::Lower(_) | Verdict::Stop => {
                    self.stopped(&proposal, name);
                    return None;
                }
                Verdict::Review => {
                    let amount = step(&self.account, &proposal.act);
                    self.stopped(&proposal, name);
                    self.review_instead(&proposal, amount, name, traces);
                    return None;
                }
            }
        }
        self.consent(proposal, traces)
    }

    pub fn stopped(&mut self, proposal: &Proposal, guard: &'static str) {
        self.tally.guards.push(guard);
        self.lost(proposal.rule, proposal.act.class(), format!("guard:{guard}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_guards_and_consent() {
        let mut names: Vec<_> = GUARDS.iter().map(|(name, _)| *name).collect();
        names.push("consent");
        assert_eq!(names, GUARD_NAMES);
    }
}
