//! The solver: one instance for a whole ruleset, a push and a pop for each question, bounded by work and not by time, so
//! that the answer does not depend on the machine's load.

use std::collections::BTreeSet;

use headroom_engine::{Reader, Segment};
use headroom_policy::{Currency, Slots};
use z3::ast::{Bool, Int};
use z3::{Model, Params, SatResult, Solver};

use crate::encode::{Beyond, Encoder, Place, all, any};
use crate::plausible::{likely, typical};
use crate::witness::{Mismatch, NO_CURRENCY, Shown, Verdict, Witness, shown};
use crate::world::{Asked, Var, World};

/// Units of the solver's own work that a question may cost; then the answer is UNKNOWN.
const WORK_MAX: u32 = 3_000_000;
/// Rounds in which a witness is made more plausible.
const ROUNDS_MAX: usize = 12;

/// A question: may all of this hold at once?
pub(crate) struct Case<'w, 'a> {
    pub world: &'w World<'a>,
    pub encoder: Encoder<'w, 'a>,
    facts: Vec<Bool>,
    places: Vec<Place>,
    expected: Vec<(Asked<'a>, Place, &'static str, Verdict)>,
}

/// What the solver says.
pub(crate) enum Answer {
    Possible,
    Impossible,
    Unknown,
}

impl<'w, 'a> Case<'w, 'a> {
    pub fn new(world: &'w World<'a>) -> Self {
        Self { world, encoder: Encoder::new(world), facts: Vec::new(), places: Vec::new(), expected: Vec::new() }
    }

    /// Asks for a fact beside the others.
    pub fn assert(&mut self, fact: Bool) {
        self.facts.push(fact);
    }

    /// Asks that a rule's condition is true, or is not; the witness is held against it.
    pub fn expect(
        &mut self,
        asked: Asked<'a>,
        place: &Place,
        moment: &'static str,
        verdict: Verdict,
    ) -> Result<(), Beyond> {
        let fires = self.fires(asked, place)?;
        self.assert(match verdict {
            Verdict::Holds => fires,
            Verdict::HoldsNot => fires.not(),
        });
        for slot in &asked.rule.reads {
            self.encoder.slot(*slot, place);
        }
        self.expected.push((asked, place.clone(), moment, verdict));
        self.at(place);
        Ok(())
    }

    /// When a rule is asked there and its condition holds; of a table this row.
    pub fn fires(&mut self, asked: Asked<'a>, place: &Place) -> Result<Bool, Beyond> {
        let mut needs = vec![self.encoder.truth(asked.when().root(), place)?.yes];
        for earlier in asked.earlier() {
            needs.push(self.encoder.truth(earlier.root(), place)?.no);
        }
        Ok(all(&needs))
    }

    /// Notes a place: what holds on every account holds there.
    pub fn at(&mut self, place: &Place) {
        self.places.push(place.clone());
    }

    /// Asks that the account is of one of the rule's segments.
    pub fn segment(&mut self, asked: Asked<'_>) {
        if let Some(fact) = self.in_segment(asked) {
            self.assert(fact);
        }
    }

    /// The account is of one of the rule's segments; `None`: it is for all.
    pub fn in_segment(&mut self, asked: Asked<'_>) -> Option<Bool> {
        let meant: Vec<Segment> = Segment::ALL.iter().copied().filter(|each| asked.rule.is_for(*each)).collect();
        if meant.len() == Segment::ALL.len() {
            return None;
        }
        let segment = self.encoder.slot(self.world.slots.segment, &Place::default()).value;
        let one_of: Vec<Bool> = meant.iter().map(|each| segment.eq(Int::from_u64(u64::from(each.index())))).collect();
        Some(any(&one_of))
    }

    /// Asks that the account is of this currency; nothing where no rule names one.
    pub fn in_currency(&mut self, currency: Currency) {
        let position = self.world.currencies.iter().position(|each| *each == currency);
        let Some(position) = position.and_then(|at| i64::try_from(at).ok()) else { return };
        self.encoder.vars.insert(Var::Currency);
        let fact = Var::Currency.term(self.world).1.eq(Int::from_i64(position));
        self.assert(fact);
    }

    /// Ranges of everything mentioned, and what holds on every account.
    fn background(&mut self) -> Vec<Bool> {
        let mut facts = Vec::new();
        let world = self.world;
        let mentioned = self.slots_mentioned();
        for place in std::mem::take(&mut self.places) {
            for invariant in &world.invariants {
                if invariant.reads().iter().any(|slot| mentioned.contains(slot))
                    && let Ok(truth) = self.encoder.truth(invariant.root(), &place)
                {
                    facts.push(truth.no.not());
                }
            }
        }
        for var in &self.encoder.vars {
            facts.extend(within(*var, world));
        }
        facts
    }

    fn slots_mentioned(&self) -> BTreeSet<usize> {
        let slot = |var: &Var| match var {
            Var::Feature(slot, ..) => Some(*slot),
            Var::Currency => None,
            Var::Block(..) => Some(self.world.slots.block_active),
        };
        self.encoder.vars.iter().filter_map(slot).collect()
    }
}

fn within(var: Var, world: &World<'_>) -> Option<Bool> {
    let (low, high) = match var {
        Var::Currency => (0, i64::try_from(world.currencies.len()).unwrap_or(i64::MAX)),
        Var::Block(..) => return None,
        Var::Feature(slot, ..) => world.range(slot),
    };
    let value = var.term(world).1;
    Some(all(&[value.ge(Int::from_i64(low)), value.le(Int::from_i64(high))]))
}

/// The one solver of an analysis.
pub(crate) struct Prover {
    solver: Solver,
    /// Questions asked so far.
    pub asked: u64,
}

impl Prover {
    pub fn new() -> Self {
        let solver = Solver::new_for_logic("QF_LIA").unwrap_or_default();
        let mut params = Params::new();
        params.set_u32("rlimit", WORK_MAX);
        solver.set_params(&params);
        Self { solver, asked: 0 }
    }

    fn check(&mut self, likely: &[Bool]) -> SatResult {
        self.asked += 1;
        if likely.is_empty() { self.solver.check() } else { self.solver.check_assumptions(likely) }
    }

    /// Whether all of it may hold at once.
    pub fn ask(&mut self, case: &mut Case<'_, '_>) -> Answer {
        self.solver.push();
        self.state(case);
        let answer = answer(self.check(&[]));
        self.solver.pop(1);
        answer
    }

    /// The same with an account on which it does, as plausible as it gets, held against the production evaluator.
    ///
    /// # Errors
    /// The evaluator does not say of the account what the solver says.
    pub fn witness(&mut self, case: &mut Case<'_, '_>) -> Result<(Answer, Option<Witness>), Mismatch> {
        self.solver.push();
        self.state(case);
        let first = self.check(&[]);
        let found = match (&first, self.solver.get_model()) {
            (SatResult::Sat, Some(model)) => {
                let model = self.likelier(case, model);
                confirmed(case, &model).map(Some)
            }
            _ => Ok(None),
        };
        self.solver.pop(1);
        Ok((answer(first), found?))
    }

    /// Whether all of it may hold at once with none of `others`. Each of them is asked for only where it turns up: most
    /// questions are answered by the first account that comes to mind.
    pub fn escapes(&mut self, case: &mut Case<'_, '_>, others: &[Bool]) -> Answer {
        self.solver.push();
        self.state(case);
        let mut left: Vec<&Bool> = others.iter().collect();
        let result = loop {
            let result = self.check(&[]);
            let Some(model) = self.solver.get_model().filter(|_| result == SatResult::Sat) else { break result };
            let there = |other: &&Bool| model.eval(*other, true).and_then(|each| each.as_bool()) != Some(false);
            let (found, rest): (Vec<&Bool>, Vec<&Bool>) = left.into_iter().partition(there);
            if found.is_empty() {
                break result;
            }
            found.iter().for_each(|other| self.solver.assert(other.not()));
            left = rest;
        };
        self.solver.pop(1);
        answer(result)
    }

    fn state(&mut self, case: &mut Case<'_, '_>) {
        for fact in case.background().iter().chain(&case.facts) {
            self.solver.assert(fact);
        }
    }

    /// Wishes are dropped where they contradict the question, a typical value first, then a likely range.
    fn likelier(&mut self, case: &Case<'_, '_>, model: Model) -> Model {
        let mut wishes: Vec<Bool> = Vec::new();
        let mut weaker: Vec<Option<Bool>> = Vec::new();
        for (at, var) in case.encoder.vars.iter().enumerate() {
            let (known, value) = var.term(case.world);
            let (best, (low, high)) = (typical(*var, case.world), likely(*var, case.world));
            let exact = all(&[known, value.eq(Int::from_i64(best))]);
            let range = all(&[value.ge(Int::from_i64(low)), value.le(Int::from_i64(high))]);
            wishes.push(self.wish(&format!("typical {at}"), &exact));
            weaker.push(Some(self.wish(&format!("likely {at}"), &range)));
        }
        for _ in 0..ROUNDS_MAX {
            match self.check(&wishes) {
                SatResult::Sat => return self.solver.get_model().unwrap_or(model),
                SatResult::Unknown => return model,
                SatResult::Unsat => {}
            }
            let core = self.solver.get_unsat_core();
            let kept = wishes.iter().zip(&mut weaker).filter_map(|(wish, weaker)| match core.contains(wish) {
                true => weaker.take().map(|range| (range, None)),
                false => Some((wish.clone(), weaker.take())),
            });
            (wishes, weaker) = kept.collect();
        }
        model
    }

    fn wish(&mut self, name: &str, fact: &Bool) -> Bool {
        let wish = Bool::new_const(name);
        self.solver.assert(wish.implies(fact));
        wish
    }
}

fn answer(result: SatResult) -> Answer {
    match result {
        SatResult::Sat => Answer::Possible,
        SatResult::Unsat => Answer::Impossible,
        SatResult::Unknown => Answer::Unknown,
    }
}

fn currency(case: &Case<'_, '_>, model: &Model) -> Currency {
    let position = match case.encoder.vars.contains(&Var::Currency) {
        true => model.eval(&Var::Currency.term(case.world).1, true).and_then(|value| value.as_u64()),
        false => Some(0),
    };
    let position = position.and_then(|each| usize::try_from(each).ok());
    position.and_then(|at| case.world.currencies.get(at)).copied().unwrap_or(NO_CURRENCY)
}

/// What a rule reads of the account, scores computed as a decision computes them.
fn read(case: &mut Case<'_, '_>, model: &Model, asked: Asked<'_>, place: &Place, currency: Currency) -> Slots {
    let ruleset = case.world.ruleset;
    let mut slots = Slots::new(ruleset.schema.len());
    let score = |slot: usize| match ruleset.readers[slot] {
        Reader::Score(at) => Some(&ruleset.scores[at]),
        Reader::Feature(_) | Reader::Fact(..) => None,
    };
    let scores = asked.rule.reads.iter().filter_map(|slot| score(*slot));
    let mut wanted: Vec<usize> = scores.flat_map(|each| &each.reads).chain(&asked.rule.reads).copied().collect();
    // A score's own reads have lower slots than it.
    wanted.sort_unstable();
    for slot in wanted {
        let value = match score(slot) {
            Some(score) => score.value(&slots, currency),
            None => {
                let number = case.encoder.slot(slot, place);
                let known = model.eval(&number.known, true).and_then(|each| each.as_bool());
                let value = model.eval(&number.value, true).and_then(|each| each.as_i64());
                value.filter(|_| known == Some(true))
            }
        };
        if let Some(value) = value {
            slots.set(slot, value);
        }
    }
    slots
}

/// Each rule over the account's features, asked by the evaluator that decides in production.
fn confirmed(case: &mut Case<'_, '_>, model: &Model) -> Result<Witness, Mismatch> {
    let currency = currency(case, model);
    let mut rules: Vec<Shown> = Vec::new();
    for (asked, place, moment, verdict) in std::mem::take(&mut case.expected) {
        let slots = read(case, model, asked, &place, currency);
        let found = asked.evaluate(&slots, currency);
        let agrees = found.is_true() == (verdict == Verdict::Holds);
        let shown = shown(case.world, asked, moment, &slots, currency);
        if !agrees {
            return Err(Mismatch::new(&shown, verdict, found));
        }
        rules.push(shown);
    }
    Ok(Witness { currency, rules })
}
