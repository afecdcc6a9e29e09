//! Every built-in rule that each trigger fires, over 100,000 distinct snapshots, a tenth of their values unknown: our
//! evaluator, the same rules written by hand in Rust, and the `cel` interpreter, in one run. Before criterion's own
//! measurements it prints nanoseconds per rule and the ratios. One core; few snapshots would flatter everything,
//! because branch predictors learn them.

mod by_hand;
mod cel;
mod snapshots;

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headroom_engine::{On, Rule, Ruleset, TriggerKind};
use headroom_policy::{Currency, Slots};
use headroom_sources::read_ruleset_dir;

use by_hand::{Facts, Hand};
use snapshots::snapshots;

/// Distinct snapshots.
const SNAPSHOTS: usize = 100_000;
/// Of those the interpreter sees fewer: it is far slower.
const FOR_CEL: usize = 1_000;
/// The currency of all accounts.
pub const CURRENCY: Currency = Currency(*b"CNY");

/// The rules of one trigger, each with its hand-written twin.
type Fired<'a> = Vec<(&'a Rule, Hand)>;

fn builtin() -> Ruleset {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules");
    let files = read_ruleset_dir(rules.as_ref()).expect("the built-in rules are there");
    Ruleset::load(&files).expect("the built-in rules load")
}

/// For every trigger its rules, tables and rules without a twin left out; names of those are printed.
fn triggers(ruleset: &Ruleset) -> Vec<Fired<'_>> {
    let without: Vec<&str> =
        ruleset.rules.iter().filter(|rule| by_hand::rule(&rule.id).is_none()).map(|rule| &*rule.id).collect();
    println!("rules without a hand-written twin, left out: {}", without.join(", "));
    let twins = |positions: &[usize]| -> Fired<'_> {
        positions.iter().filter_map(|at| Some((&ruleset.rules[*at], by_hand::rule(&ruleset.rules[*at].id)?))).collect()
    };
    let kinds = TriggerKind::ALL.iter().map(|kind| On::Kind(*kind));
    let facts = ruleset.facts.keys().map(|key| On::Fact(*key));
    kinds.chain(facts).map(|on| twins(ruleset.on(on))).filter(|rules| !rules.is_empty()).collect()
}

/// How often conditions held, and how often they stayed open: what all three must agree on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Outcomes {
    held: u64,
    open: u64,
}

impl Outcomes {
    #[inline(always)]
    fn note(&mut self, held: Option<bool>) {
        self.held += u64::from(held == Some(true));
        self.open += u64::from(held.is_none());
    }
}

fn ours(triggers: &[Fired<'_>], snapshots: &[Slots]) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for slots in snapshots {
        for (rule, _) in triggers.iter().flatten() {
            outcomes.note(rule.when.evaluate(slots, CURRENCY).known().map(|value| value != 0));
        }
    }
    outcomes
}

fn hand(triggers: &[Fired<'_>], snapshots: &[Facts]) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for facts in snapshots {
        for (_, hand) in triggers.iter().flatten() {
            outcomes.note(hand(facts));
        }
    }
    outcomes
}

/// The least of a few passes, nanoseconds per evaluated rule.
fn nanoseconds(evaluations: usize, passes: usize, mut pass: impl FnMut() -> Outcomes) -> f64 {
    let time = |_| {
        let start = Instant::now();
        black_box(pass());
        start.elapsed()
    };
    let least = (0..passes).map(time).min().expect("a pass");
    least.as_secs_f64() * 1e9 / evaluations as f64
}

fn rules(criterion: &mut Criterion) {
    let ruleset = builtin();
    let triggers = triggers(&ruleset);
    let each: usize = triggers.iter().map(Vec::len).sum();
    let snapshots = snapshots(&ruleset, SNAPSHOTS);
    let facts: Vec<Facts> = snapshots.iter().map(|slots| Facts::of(slots, &ruleset.schema)).collect();
    let interpreted = cel::Rules::new(&triggers);
    let contexts = cel::contexts(&ruleset, &snapshots[..FOR_CEL]);

    let outcomes = ours(&triggers, &snapshots);
    assert_eq!(outcomes, hand(&triggers, &facts), "by hand");
    assert_eq!(ours(&triggers, &snapshots[..FOR_CEL]), interpreted.run(&contexts), "cel");
    let evaluations = each * SNAPSHOTS;
    let by_hand = nanoseconds(evaluations, 5, || hand(&triggers, &facts));
    let own = nanoseconds(evaluations, 5, || ours(&triggers, &snapshots));
    let cel = nanoseconds(each * FOR_CEL, 3, || interpreted.run(&contexts));
    println!("{} triggers, {each} rules over them, {SNAPSHOTS} snapshots: {outcomes:?}", triggers.len());
    println!("ns per rule: ours {own:.2} · by hand {by_hand:.2} · cel {cel:.0}");
    println!("ours / by hand {:.2} · cel / ours {:.0} · goal 6 ns", own / by_hand, cel / own);

    let mut group = criterion.benchmark_group("rules that triggers fire");
    group.throughput(Throughput::Elements(evaluations as u64)).sample_size(10);
    group.bench_function("ours", |bencher| bencher.iter(|| ours(&triggers, &snapshots)));
    group.bench_function("by hand", |bencher| bencher.iter(|| hand(&triggers, &facts)));
    group.throughput(Throughput::Elements((each * FOR_CEL) as u64));
    group.bench_function("cel", |bencher| bencher.iter(|| interpreted.run(&contexts)));
    group.finish();
}

criterion_group!(benches, rules);
criterion_main!(benches);
