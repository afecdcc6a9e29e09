//! What is evaluated: snapshots of accounts, and for each the rules that are asked of it.

use headroom_benches::{Season, Shard};
use headroom_engine::{Asked, On, Rule, Ruleset, TriggerKind};
use headroom_policy::{Schema, Slots};

use crate::by_hand::{self, Facts, Hand};
use crate::cel;
use crate::snapshots::snapshots;

/// Distinct snapshots, if the season has so many.
const SNAPSHOTS: usize = 100_000;
/// Events per step.
const BATCH: usize = 5_000;

/// Rules that are asked together, each with its hand-written twin and as `cel` has it.
pub type List<'a> = Vec<(&'a Rule, Hand, cel::Program)>;

/// Snapshots, and which list of rules is asked of each.
pub struct Work<'a> {
    pub name: &'static str,
    pub lists: Vec<List<'a>>,
    pub snapshots: Vec<(usize, Slots)>,
    pub facts: Vec<(usize, Facts)>,
}

impl<'a> Work<'a> {
    /// All rules of every trigger over values around the limits that rules compare with: what of each comparison comes
    /// out is a coin's toss.
    pub fn around_limits(ruleset: &'a Ruleset) -> Self {
        let kinds = TriggerKind::ALL.iter().map(|kind| On::Kind(*kind));
        let facts = ruleset.facts.keys().map(|key| On::Fact(*key));
        let rules = kinds.chain(facts).flat_map(|on| ruleset.on(on)).map(|at| &ruleset.rules[*at]);
        let snapshots = snapshots(ruleset, SNAPSHOTS).into_iter().map(|slots| (0, slots)).collect();
        Self::new("around limits", &ruleset.schema, vec![list(rules)], snapshots)
    }

    /// What a generated season asks, pass for pass, of what was read for it.
    pub fn of_season(season: &'a Season) -> Self {
        let (mut lists, mut snapshots): (Vec<Vec<u32>>, Vec<(usize, Slots)>) = (Vec::new(), Vec::new());
        let mut shard = Shard::new(&season.ruleset);
        for batch in season.records().chunks(BATCH) {
            let asked = shard.watch(batch);
            for pass in asked.chunk_by(|one, next| one.rule < next.rule && extends(&next.slots, &one.slots)) {
                let numbers: Vec<u32> = pass.iter().map(|Asked { rule, .. }| *rule).collect();
                let at = lists.iter().position(|each| *each == numbers).unwrap_or_else(|| {
                    lists.push(numbers);
                    lists.len() - 1
                });
                snapshots.extend(pass.last().map(|last| (at, last.slots.clone())));
            }
            if snapshots.len() >= SNAPSHOTS {
                break;
            }
        }
        let rule = |number: &u32| {
            let at = season.ruleset.rule(*number).expect("it was asked");
            &season.ruleset.rules[at]
        };
        let lists = lists.iter().map(|numbers| list(numbers.iter().map(rule))).collect();
        Self::new("as a season asks", &season.ruleset.schema, lists, snapshots)
    }

    fn new(name: &'static str, schema: &Schema, lists: Vec<List<'a>>, snapshots: Vec<(usize, Slots)>) -> Self {
        let facts = snapshots.iter().map(|(list, slots)| (*list, Facts::of(slots, schema))).collect();
        Self { name, lists, snapshots, facts }
    }

    /// How many evaluations the first snapshots are.
    pub fn evaluations(&self, snapshots: usize) -> usize {
        self.snapshots[..snapshots].iter().map(|(list, _)| self.lists[*list].len()).sum()
    }
}

/// Tables and rules without a twin are left out.
fn list<'a>(rules: impl Iterator<Item = &'a Rule>) -> List<'a> {
    rules.filter_map(|rule| Some((rule, by_hand::rule(&rule.id)?, cel::program(rule)))).collect()
}

/// Whether what was read only grew.
fn extends(later: &Slots, earlier: &Slots) -> bool {
    (0..earlier.len()).all(|slot| earlier.get(slot).is_none_or(|value| later.get(slot) == Some(value)))
}
