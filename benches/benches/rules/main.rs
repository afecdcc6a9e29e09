//! The rules that triggers fire, over 100,000 distinct snapshots with what is unknown in them: our evaluator, the same
//! rules written by hand in Rust, and the `cel` interpreter, in one run. Twice: as a season asks, pass for pass, and with
//! values around the limits that rules compare with, a tenth of them unknown, where no branch can be foreseen.
//! Before criterion's own measurements it prints nanoseconds per rule and the ratios. One core; few snapshots would
//! flatter everything, because branch predictors learn them.

mod by_hand;
mod cel;
mod snapshots;
mod work;

use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use ::cel::Context;
use criterion::{Bencher, Criterion, Throughput, criterion_group, criterion_main};
use headroom_benches::Season;
use headroom_policy::{Currency, Slots};

use work::Work;

/// Accounts and days of the season.
const SEASON: (u64, u32) = (2_000, 90);
/// Snapshots that the interpreter sees: it is far slower.
const FOR_CEL: usize = 1_000;
/// Snapshots that fit into the nearest caches.
const NEAR: usize = 8;
/// Passes of which the quickest counts.
const PASSES: usize = 10;
/// The currency of all accounts.
pub const CURRENCY: Currency = Currency(*b"CNY");

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

/// What the evaluator gives for a part of the snapshots.
fn ours(work: &Work<'_>, part: Range<usize>) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for (list, slots) in &work.snapshots[part] {
        for (rule, ..) in &work.lists[*list] {
            outcomes.note(rule.when.evaluate(slots, CURRENCY).known().map(|value| value != 0));
        }
    }
    outcomes
}

fn hand(work: &Work<'_>, part: Range<usize>) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for (list, facts) in &work.facts[part] {
        for (_, hand, _) in &work.lists[*list] {
            outcomes.note(hand(facts));
        }
    }
    outcomes
}

fn interpreted(work: &Work<'_>, contexts: &[Context<'_, '_>], part: Range<usize>) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for ((list, _), context) in work.snapshots[part.clone()].iter().zip(&contexts[part]) {
        for (.., program) in &work.lists[*list] {
            outcomes.note(cel::holds_in(program, context));
        }
    }
    outcomes
}

/// Time of one pass over all snapshots. The engine has just written what it asks, so each part is brought near before its
/// time is taken; memory is not what is measured.
fn pass(snapshots: usize, warm: &impl Fn(Range<usize>), evaluate: &impl Fn(Range<usize>) -> Outcomes) -> Duration {
    let mut total = Duration::ZERO;
    for from in (0..snapshots).step_by(NEAR) {
        let part = from..(from + NEAR).min(snapshots);
        warm(part.clone());
        let start = Instant::now();
        black_box(evaluate(part));
        total += start.elapsed();
    }
    total
}

/// The least of a few passes, nanoseconds per evaluated rule.
fn nanoseconds(
    (snapshots, evaluations): (usize, usize),
    warm: impl Fn(Range<usize>),
    evaluate: impl Fn(Range<usize>) -> Outcomes,
) -> f64 {
    let least = |evaluate: &dyn Fn(Range<usize>) -> Outcomes| {
        (0..PASSES).map(|_| pass(snapshots, &warm, &evaluate)).min().expect("a pass")
    };
    // Taking the time takes time.
    let net = least(&evaluate).saturating_sub(least(&|_| Outcomes::default()));
    net.as_secs_f64() * 1e9 / evaluations as f64
}

/// Reads all of it.
fn touch(slots: &Slots) {
    black_box((0..slots.len()).filter(|slot| slots.get(*slot).is_some()).count());
}

fn measure(criterion: &mut Criterion, work: &Work<'_>, contexts: &[Context<'_, '_>]) {
    let (name, all, few) = (work.name, work.snapshots.len(), contexts.len());
    let outcomes = ours(work, 0..all);
    assert_eq!(outcomes, hand(work, 0..all), "by hand");
    assert_eq!(ours(work, 0..few), interpreted(work, contexts, 0..few), "cel");
    let warm_slots = |part: Range<usize>| work.snapshots[part].iter().for_each(|(_, slots)| touch(slots));
    let warm_facts = |part: Range<usize>| work.facts[part].iter().for_each(|(_, facts)| facts.touch());
    let evaluations = work.evaluations(all);
    let by_hand = nanoseconds((all, evaluations), warm_facts, |part| hand(work, part));
    let own = nanoseconds((all, evaluations), warm_slots, |part| ours(work, part));
    let cel = nanoseconds((few, work.evaluations(few)), |_| {}, |part| interpreted(work, contexts, part));
    println!("{name}: {all} snapshots, {} lists of rules, {evaluations} evaluations: {outcomes:?}", work.lists.len());
    println!("{name}: ns per rule: ours {own:.2} (goal 6) · by hand {by_hand:.2} · cel {cel:.0}");
    println!("{name}: ours / by hand {:.2} · cel / ours {:.0}", own / by_hand, cel / own);

    let each = |bencher: &mut Bencher<'_>,
                snapshots: usize,
                evaluate: &dyn Fn(Range<usize>) -> Outcomes,
                warm: &dyn Fn(Range<usize>)| {
        bencher.iter_custom(|times| (0..times).map(|_| pass(snapshots, &warm, &evaluate)).sum());
    };
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(evaluations as u64)).sample_size(10);
    group.bench_function("ours", |bencher| each(bencher, all, &|part| ours(work, part), &warm_slots));
    group.bench_function("by hand", |bencher| each(bencher, all, &|part| hand(work, part), &warm_facts));
    group.throughput(Throughput::Elements(work.evaluations(few) as u64));
    group.bench_function("cel", |bencher| each(bencher, few, &|part| interpreted(work, contexts, part), &|_| {}));
    group.finish();
}

fn rules(criterion: &mut Criterion) {
    let season = Season::new(SEASON.0, SEASON.1);
    let without = season.ruleset.rules.iter().filter(|rule| by_hand::rule(&rule.id).is_none());
    let without: Vec<&str> = without.map(|rule| &*rule.id).collect();
    println!("rules without a hand-written twin, left out: {}", without.join(", "));
    for work in [Work::of_season(&season), Work::around_limits(&season.ruleset)] {
        let contexts = cel::contexts(&season.ruleset, &work.snapshots[..FOR_CEL]);
        measure(criterion, &work, &contexts);
    }
}

criterion_group!(benches, rules);
criterion_main!(benches);
