//! Random pairs of rules: what the solver proves of them is what trying every account says.

mod common;

use std::fmt::Write as _;

use common::ruleset;
use headroom_conflicts::{Kind, analyse};
use headroom_engine::Ruleset;
use headroom_policy::{Currency, Program, Slots};

const PAIRS: usize = 120;
/// Features without a guard or an invariant among them, and whether an account may lack them.
const FEATURES: [(&str, bool); 3] =
    [("repay.on_time_streak", false), ("util.avg_3m", true), ("orders.count_13m", false)];
/// Constants of conditions are below this; accounts go a little further, so that every side of every bound is tried.
const CONSTANT_MAX: u64 = 8;
const VALUE_MAX: i64 = 12;

/// A linear congruential generator: the same pairs on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[usize::try_from(self.below(list.len() as u64)).expect("a short list")]
    }

    fn feature(&mut self) -> &'static str {
        self.of(&FEATURES.map(|(name, _)| name))
    }

    fn atom(&mut self) -> String {
        let (one, other) = (self.feature(), self.feature());
        let (sign, bound, second) =
            (self.of(&[">=", "<=", "==", "!=", "<", ">"]), self.below(CONSTANT_MAX), self.below(CONSTANT_MAX));
        match self.below(12) {
            0 => format!("{one} {sign} {other} + {}", bound % 4),
            1 => format!("{one} in [{bound}, {second}]"),
            2 => format!("has({one})"),
            3 => format!("default(util.avg_3m, {second}) {sign} {bound}"),
            4 => format!("min({one}, {other}) {sign} {bound}"),
            5 => format!("pct({one}, {other}) {} {}", self.of(&[">=", "<"]), bound * 25),
            _ => format!("{one} {sign} {bound}"),
        }
    }

    fn condition(&mut self, depth: u64) -> String {
        if depth == 0 || self.below(3) == 0 {
            return self.atom();
        }
        let (one, other) = (self.condition(depth - 1), self.condition(depth - 1));
        match self.below(4) {
            0 => format!("({one} OR {other})"),
            1 => format!("!({one})"),
            _ => format!("({one} && {other})"),
        }
    }
}

/// Every account that differs in what the conditions read.
fn accounts(ruleset: &Ruleset) -> Vec<Slots> {
    let mut all = vec![Slots::new(ruleset.schema.len())];
    for (name, may_lack) in FEATURES {
        let slot = ruleset.schema.slot(name).expect("it is in the catalogue");
        let lacking = if may_lack { all.clone() } else { Vec::new() };
        let with = all.iter().flat_map(|slots| {
            (0..=VALUE_MAX).map(move |value| {
                let mut slots = slots.clone();
                slots.set(slot, value);
                slots
            })
        });
        all = with.chain(lacking).collect();
    }
    all
}

/// What must be found of two rules, the first of which does more: by trying.
fn tried(ruleset: &Ruleset, kind: &str, accounts: &[Slots]) -> Vec<String> {
    let holds = |when: &Program| -> Vec<bool> {
        accounts.iter().map(|slots| when.evaluate(slots, Currency(*b"CNY")).is_true()).collect()
    };
    let [one, other] = [0, 1].map(|at| holds(&ruleset.rules[at].when));
    let dead = |name: &str, held: &[bool]| (!held.contains(&true)).then(|| format!("dead {name}"));
    let dead: Vec<String> = dead("one", &one).into_iter().chain(dead("other", &other)).collect();
    if !dead.is_empty() {
        return dead;
    }
    let within = |inner: &[bool], outer: &[bool]| inner.iter().zip(outer).all(|(inner, outer)| outer | !inner);
    let found = match kind {
        "contradictory" => one.iter().zip(&other).any(|(one, other)| one & other),
        "shadowed" => within(&other, &one),
        _ => within(&other, &one) || within(&one, &other),
    };
    found.then(|| kind.to_owned()).into_iter().collect()
}

/// What is found; gaps and changes of base apart, which trying single accounts does not show.
fn proven(ruleset: &Ruleset) -> Vec<String> {
    let report = analyse(ruleset, &mut |_| {}).expect("the evaluator agrees with the solver");
    let told = report.findings.iter().filter(|each| !matches!(each.kind, Kind::Gap | Kind::Oscillation));
    let told = told.map(|each| match each.kind {
        Kind::Dead => format!("dead {}", each.rules[0].id),
        kind => kind.word().to_owned(),
    });
    told.collect()
}

#[test]
fn what_is_proven_is_what_trying_every_account_says() {
    let (mut dice, mut wrong, mut kinds) = (Dice(7), String::new(), [0_usize; 4]);
    for _ in 0..PAIRS {
        let (kind, effect) = [
            ("contradictory", "decrease | statement_closed | WHEN | decrease: {percent: 10}"),
            ("shadowed", "increase | statement_closed | WHEN | increase: {percent: 5}"),
            ("redundant", "increase | statement_closed | WHEN | increase: {percent: 15}"),
        ][usize::try_from(dice.below(3)).expect("of three")];
        let other = effect.replace("WHEN", &dice.condition(2));
        let rules = format!(
            "one | growth | increase | statement_closed | {} | increase: {{percent: 15}}\nother | growth | {other}",
            dice.condition(2)
        );
        let ruleset = ruleset(&rules);
        let (tried, proven) = (tried(&ruleset, kind, &accounts(&ruleset)), proven(&ruleset));
        let at = ["dead", "contradictory", "shadowed", "redundant"];
        at.iter()
            .zip(&mut kinds)
            .for_each(|(word, count)| *count += usize::from(tried.iter().any(|each| each.starts_with(word))));
        if tried != proven {
            let _ = writeln!(wrong, "{rules}\n  tried {tried:?}, proven {proven:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(kinds.iter().all(|count| *count >= 3), "too few of a kind to say anything: {kinds:?}");
}
