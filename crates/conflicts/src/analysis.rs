//! The whole analysis: every rule alone, every pair that can meet, what follows from changes, ladders with holes.

use std::collections::{BTreeMap, BTreeSet};

use headroom_engine::{Action, Class, On, Rule, Ruleset, Segment};
use sha2::{Digest, Sha256};
use z3::ast::Bool;
use z3::{Config, with_z3_config};

use crate::amounts::would_change;
use crate::boxes::Bounds;
use crate::encode::{Beyond, Place};
use crate::meet::{Occasion, words};
use crate::prove::{Case, Prover};
use crate::report::{Effort, Finding, Kind, Named, Overlap, Report};
use crate::witness::{Mismatch, Verdict, Witness};
use crate::world::{Asked, World, asked};
use crate::{follow, ladder, pairs, single};

/// How far an analysis has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// What is being looked at.
    pub stage: &'static str,
    /// How many of them are done.
    pub done: usize,
    /// How many there are.
    pub total: usize,
}

/// Who is told how far an analysis has come.
pub type Watch<'p> = dyn FnMut(Progress) + Send + Sync + 'p;

/// Proves what can be proven about a ruleset. The same ruleset gives the same report on any machine.
///
/// # Errors
/// The evaluator contradicts the solver about a witness: one of the two has a fault, and no finding can be trusted.
pub fn analyse(ruleset: &Ruleset, progress: &mut Watch<'_>) -> Result<Report, Mismatch> {
    // A context of its own: what was asked before must not change what the solver thinks of first.
    with_z3_config(&Config::new(), || analysed(ruleset, progress))
}

fn analysed(ruleset: &Ruleset, progress: &mut Watch<'_>) -> Result<Report, Mismatch> {
    let world = World::new(ruleset);
    let mut analysis = Analysis::new(&world, progress);
    analysis.single()?;
    analysis.pairs()?;
    analysis.follow()?;
    analysis.ladders()?;
    Ok(analysis.finish())
}

/// An analysis in progress.
pub(crate) struct Analysis<'w, 'a, 'p> {
    pub world: &'w World<'a>,
    pub prover: Prover,
    pub asked: Vec<Asked<'a>>,
    /// By position in `asked`; `None`: its condition cannot be true.
    pub bounds: Vec<Option<Bounds>>,
    /// Positions of rules that do nothing, or nothing of their own.
    pub idle: BTreeSet<usize>,
    pub findings: Vec<Finding>,
    pub overlaps: Vec<Overlap>,
    /// By rule: what could not be proven, and beside which rules.
    unknown: BTreeMap<usize, BTreeSet<usize>>,
    /// Whether raising (or lowering) base can make a condition true, by condition.
    pub turning: BTreeMap<(String, bool), bool>,
    pub effort: Effort,
    progress: &'p mut (dyn FnMut(Progress) + Send + Sync + 'p),
}

impl<'w, 'a, 'p> Analysis<'w, 'a, 'p> {
    fn new(world: &'w World<'a>, progress: &'p mut Watch<'_>) -> Self {
        let asked = asked(world.ruleset);
        let bounds = asked.iter().map(|each| Bounds::of(world, *each)).collect();
        Self {
            world,
            prover: Prover::new(),
            asked,
            bounds,
            idle: BTreeSet::new(),
            findings: Vec::new(),
            overlaps: Vec::new(),
            unknown: BTreeMap::new(),
            turning: BTreeMap::new(),
            effort: Effort { rules: world.ruleset.rules.len(), ..Effort::default() },
            progress,
        }
    }

    fn single(&mut self) -> Result<(), Mismatch> {
        for rule in 0..self.world.ruleset.rules.len() {
            self.step("rules", rule, self.world.ruleset.rules.len());
            single::dead(self, rule)?;
        }
        // The higher number gives way: of two rules that do the same the older one stays.
        for rule in (0..self.world.ruleset.rules.len()).rev() {
            self.step("rules beside others", rule, self.world.ruleset.rules.len());
            if !self.idle.contains(&rule) {
                single::outdone(self, rule)?;
            }
        }
        Ok(())
    }

    fn pairs(&mut self) -> Result<(), Mismatch> {
        for one in 0..self.asked.len() {
            self.step("pairs of rules", one, self.asked.len());
            for other in one + 1..self.asked.len() {
                pairs::meet(self, one, other)?;
            }
        }
        Ok(())
    }

    fn follow(&mut self) -> Result<(), Mismatch> {
        for one in 0..self.asked.len() {
            self.step("changes and what undoes them", one, self.asked.len());
            for other in 0..self.asked.len() {
                follow::undone(self, one, other)?;
                follow::lent_twice(self, one, other)?;
            }
        }
        Ok(())
    }

    fn ladders(&mut self) -> Result<(), Mismatch> {
        self.step("ladders", 0, 1);
        ladder::holes(self)
    }

    fn step(&mut self, stage: &'static str, done: usize, total: usize) {
        (self.progress)(Progress { stage, done, total });
    }

    /// A case in which a rule fires there and its first action changes something.
    pub fn fires(
        &self,
        case: &mut Case<'w, 'a>,
        asked: Asked<'a>,
        place: &Place,
        moment: &'static str,
    ) -> Result<(), Beyond> {
        case.segment(asked);
        case.expect(asked, place, moment, Verdict::Holds)?;
        let change = would_change(&mut case.encoder, self.world, asked, place);
        case.assert(change);
        if goes_up(&asked) {
            self.guarded(case, asked.class(), place)?;
        }
        Ok(())
    }

    fn guarded(&self, case: &mut Case<'w, 'a>, class: Class, place: &Place) -> Result<(), Beyond> {
        let guards = case.encoder.truth(self.world.guards.root(), place)?;
        case.assert(guards.yes);
        if class == Class::Increase {
            let guards = case.encoder.truth(self.world.increase_guards.root(), place)?;
            case.assert(guards.yes);
        }
        Ok(())
    }

    /// What the triggers of an occasion say about the account.
    pub fn occasion(&self, case: &mut Case<'w, 'a>, occasion: &Occasion, place: &Place) {
        for on in &occasion.on {
            if let Some(fact) = self.of_trigger(case, *on, place) {
                case.assert(fact);
            }
        }
    }

    fn of_trigger(&self, case: &mut Case<'w, 'a>, on: On, place: &Place) -> Option<Bool> {
        match on {
            On::Kind(kind) => {
                let condition = self.world.triggers.get(&kind)?;
                case.encoder.truth(condition.root(), place).ok().map(|truth| truth.yes)
            }
            On::Fact(key) => {
                let slot = self.world.ruleset.schema.slot(&self.world.ruleset.facts.get(&key)?.name)?;
                Some(case.encoder.slot(slot, place).known)
            }
        }
    }

    /// What cannot be proven about a rule beside another (or itself).
    pub fn unknown(&mut self, rule: usize, beside: usize) {
        self.unknown.entry(rule).or_default().insert(beside);
    }

    /// The same of two rules of which one at least is beyond linear arithmetic.
    pub fn unknown_pair(&mut self, one: Asked<'_>, other: Asked<'_>) {
        let (a, b) = (one.position, other.position);
        let (rule, beside) = if one.when().linear() { (b, a) } else { (a, b) };
        self.unknown(rule, beside);
    }

    pub fn rule(&self, position: usize) -> &'a Rule {
        &self.world.ruleset.rules[position]
    }

    /// Notes a finding about rules, by position.
    pub fn find(&mut self, kind: Kind, rules: &[usize], on: &[On], text: String, witness: Option<Witness>) {
        let mut rules = rules.to_vec();
        rules.sort_unstable();
        rules.dedup();
        let of: Vec<&Rule> = rules.iter().map(|each| self.rule(*each)).collect();
        self.effort.confirmed += usize::from(witness.is_some());
        self.findings.push(Finding {
            kind,
            rules: of.iter().map(|rule| named(rule)).collect(),
            on: words(self.world.ruleset, on),
            segments: segments(&of),
            text,
            witness,
            note: None,
            voided: false,
        });
    }

    /// Notes two rules that meet and are settled.
    pub fn settled(&mut self, rules: [usize; 2], on: &[On], how: &'static str, witness: Option<Witness>) {
        let of = rules.map(|each| self.rule(each));
        self.effort.confirmed += usize::from(witness.is_some());
        self.overlaps.push(Overlap {
            rules: of.map(|rule| rule.id.to_string()),
            on: words(self.world.ruleset, on),
            segments: segments(&of),
            how,
            witness,
        });
    }

    fn finish(mut self) -> Report {
        for (rule, beside) in std::mem::take(&mut self.unknown) {
            let names: Vec<&str> = beside.iter().map(|each| &*self.rule(*each).id).collect();
            let why = match self.rule(rule).ways().iter().all(|(when, ..)| when.linear()) {
                true => "too much work",
                false => "its condition is no linear arithmetic",
            };
            let text = format!("`{}` beside {}: nothing could be proven ({why})", self.rule(rule).id, names.join(", "));
            self.find(Kind::Unknown, &[rule], &[], text, None);
        }
        self.findings.sort_by(|a, b| (a.kind, &a.rules).cmp(&(b.kind, &b.rules)));
        self.findings.dedup_by(|a, b| a.kind == b.kind && a.rules == b.rules);
        let found: BTreeSet<Vec<&str>> =
            self.findings.iter().map(|each| each.rules.iter().map(|rule| rule.id.as_str()).collect()).collect();
        self.overlaps.retain(|each| {
            let pair: Vec<&str> = each.rules.iter().map(String::as_str).collect();
            !found.contains(&pair)
        });
        self.overlaps.sort_by(|a, b| (&a.rules, a.how).cmp(&(&b.rules, b.how)));
        self.overlaps.dedup_by(|a, b| a.rules == b.rules && a.how == b.how);
        self.effort.questions = self.prover.asked;
        let Self { findings, overlaps, effort, .. } = self;
        Report { findings, overlaps, idle_notes: Vec::new(), effort }
    }
}

/// Whether the guards of increases and boosts look at a rule's change.
pub(crate) fn goes_up(asked: &Asked<'_>) -> bool {
    matches!(asked.actions().first(), Some(Action::Increase(_) | Action::Boost { .. }))
}

/// Where a rule is asked.
pub(crate) fn place(asked: Asked<'_>, occasion: &Occasion) -> Place {
    Place { cause: asked.cause, causes: asked.rule.causes.clone(), events: occasion.events.clone(), ..Place::default() }
}

/// The segments that all of the rules are for.
fn segments(rules: &[&Rule]) -> Vec<&'static str> {
    let common = Segment::ALL.iter().filter(|each| rules.iter().all(|rule| rule.is_for(**each)));
    common.map(|each| each.word()).collect()
}

/// A rule and what a note about it is bound to: its file, and the values of its parameters, which settings may change.
fn named(rule: &Rule) -> Named {
    let content = format!("{}\n{:?}", rule.hash, rule.params);
    let digest = Sha256::digest(content.as_bytes());
    let hash = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Named { id: rule.id.to_string(), hash }
}
