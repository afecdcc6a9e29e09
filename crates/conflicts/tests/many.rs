//! Many rules at once: five hundred generated ones, and the built-in ruleset. Times are printed, not judged.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it reads rules of a folder and prints how long it took"
)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use common::{loaded, ruleset};
use headroom_conflicts::{Kind, Report, analyse, explain, notes};
use headroom_engine::Ruleset;

/// Numbers that look thrown: the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let at = self.below(of.len() as u64);
        of[usize::try_from(at).expect("small")]
    }
}

const UP: [&str; 7] = [
    "statement_closed",
    "monthly",
    "tier_changed",
    "autopay_changed",
    "payment_cleared",
    "segment_changed",
    "order_declined",
];
const DOWN: [&str; 7] = [
    "payment_returned",
    "dpd_changed",
    "fact lending.lenders_30d",
    "statement_closed",
    "monthly",
    "promise_broken",
    "market_changed",
];
const ORDERS: [&str; 4] = ["order_placed", "order_paid", "order_refunded", "fact fraud.device_changed"];

/// One condition over a feature, with a threshold of the generator's choice.
fn condition(dice: &mut Dice) -> String {
    let few = dice.below(9) + 1;
    let percent = 5 * (dice.below(18) + 1);
    let days = 30 * (dice.below(12) + 1);
    match dice.below(16) {
        0 => format!("repay.on_time_streak >= {few}"),
        1 => format!("util.avg_3m >= {percent}"),
        2 => format!("util.avg_3m < {percent}"),
        3 => format!("lending.lenders_30d <= {few}"),
        4 => format!("lending.inquiries_7d >= {few}"),
        5 => format!("pct(balance.used, limit.base) >= {percent}"),
        6 => format!("pct(repay.paid, repay.statement_balance) >= {percent}"),
        7 => format!("account.age_days >= {days}"),
        8 => format!("delinquency.max_12m <= {days}"),
        9 => format!("model.score >= {}", 10 * percent),
        10 => format!("account.tier in [\"gold\", \"{}\"]", dice.one_of(&["silver", "platinum", "none"])),
        11 => format!("(orders.count_24h >= {few} OR orders.large_24h >= {few})"),
        12 => "orders.refunded_30d <= orders.paid_30d".to_owned(),
        13 => format!("market.regime != \"{}\"", dice.one_of(&["boom", "downturn"])),
        14 => format!("repay.late_12m <= {few}"),
        _ => format!("pct(orders.amount_24h, orders.max_day_35d) >= {}", 10 * percent),
    }
}

fn conditions(dice: &mut Dice, own: &str) -> String {
    let mut all = vec![own.to_owned()];
    for _ in 0..2 + dice.below(4) {
        all.push(condition(dice));
    }
    all.join(" && ")
}

fn rule(dice: &mut Dice, at: usize) -> String {
    let percent = dice.below(29) + 1;
    let segments = [
        "",
        "segments: [consumer, consumer_prime]",
        "segments: [merchant_key]",
        "segments: [merchant_standard, merchant_new]",
    ];
    let segments = dice.one_of(&segments);
    let (family, class, on, own, then, more) = match dice.below(8) {
        0 | 1 => (
            "growth",
            "increase",
            dice.one_of(&UP),
            "limit.days_since_increase >= 60",
            format!("increase: {{percent: {percent}}}"),
            "",
        ),
        2 => (
            "lending",
            "decrease",
            dice.one_of(&DOWN),
            "limit.base > p.zero",
            format!("decrease: {{percent: {percent}}}"),
            "",
        ),
        3 => (
            "promotion",
            "boost",
            dice.one_of(&["promotion_near", "promotion_announced", "order_declined"]),
            if dice.below(2) == 0 { "promotion.enrolled" } else { "!boost.active" },
            format!("boost: {{percent: {percent}, until: promotion.end + 3d}}"),
            "",
        ),
        4 => (
            "fraud",
            "freeze",
            dice.one_of(&ORDERS),
            "orders.count_24h >= 1",
            "freeze: {scope: spend}".to_owned(),
            "cause: volatility",
        ),
        5 => (
            "recovery",
            "restore",
            dice.one_of(&["daily", "order_paid", "account_frozen"]),
            "block.active && block.quiet_days >= 3",
            "unfreeze: {}".to_owned(),
            "cause: volatility",
        ),
        6 => (
            "lending",
            "hold",
            dice.one_of(&DOWN),
            "limit.base > p.zero",
            format!("hold: {{until: now + {percent}d}}"),
            "",
        ),
        _ => (
            "utilisation",
            "review",
            dice.one_of(&UP),
            "limit.base > p.zero",
            format!("review: {{kind: kind_{percent}}}"),
            "",
        ),
    };
    let when = conditions(dice, own);
    let extra = [more, segments].iter().filter(|each| !each.is_empty()).copied().collect::<Vec<_>>().join("; ");
    format!("r{at} | {family} | {class} | {on} | {when} | {then} | {extra}")
}

fn generated(count: usize) -> Ruleset {
    let mut dice = Dice(7);
    let rules: Vec<String> = (0..count).map(|at| rule(&mut dice, at)).collect();
    ruleset(&rules.join("\n"))
}

fn timed(name: &str, ruleset: &Ruleset) -> Report {
    let begun = Instant::now();
    let mut stage = "";
    let report = analyse(ruleset, &mut |progress| {
        if progress.stage != stage {
            stage = progress.stage;
            println!("{name}: after {} ms: {stage}", begun.elapsed().as_millis());
        }
    });
    let report = report.expect("the evaluator agrees with the solver");
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    report.findings.iter().for_each(|each| *kinds.entry(each.kind.word()).or_default() += 1);
    println!(
        "{name}: {} ms; {:?}; {} overlaps; findings {kinds:?}",
        begun.elapsed().as_millis(),
        report.effort,
        report.overlaps.len()
    );
    report
}

#[test]
fn five_hundred_rules_are_proven_twice_alike() {
    let ruleset = generated(500);
    let report = timed("500 generated rules", &ruleset);
    assert_eq!(report.effort.rules, 500);
    assert!(report.effort.pairs > 3_000, "{:?}", report.effort);
    assert!(report.effort.confirmed >= report.overlaps.len());
    assert!(report.findings.iter().all(|each| each.kind != Kind::Unknown));
    let small = generated(60);
    let again = |ruleset: &Ruleset| analyse(ruleset, &mut |_| {}).expect("the evaluator agrees with the solver");
    assert_eq!(again(&small), again(&small));
}

fn builtin() -> Vec<(String, String)> {
    fn walk(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("the folder of the built-in rules can be read") {
            let entry = entry.expect("it has entries");
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.file_type().expect("an entry has a type").is_dir() {
                true => walk(&entry.path(), &format!("{name}/"), files),
                false => files.push((name, fs::read_to_string(entry.path()).expect("rules are text"))),
            }
        }
    }
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules"), "", &mut files);
    files
}

/// What the built-in rules are to each other is explained by people, in `rules/conflicts.yaml`.
#[test]
fn nothing_about_the_built_in_rules_is_left_unexplained() {
    let files = builtin();
    let mut report = timed("built-in rules", &loaded(&files));
    let accepted = files.iter().find(|(path, _)| path == "conflicts.yaml").map_or("", |(_, text)| text.as_str());
    explain(&mut report, &notes(accepted).expect("the notes can be read"));
    let open: Vec<String> = report
        .unexplained()
        .map(|each| {
            let hashes: Vec<&str> = each.rules.iter().map(|rule| &rule.hash[..12]).collect();
            format!("{} {:?} [{}]\n  {:?}", each.text, each.on, hashes.join(", "), each.witness)
        })
        .collect();
    assert!(open.is_empty(), "{}", open.join("\n"));
    assert!(report.idle_notes.is_empty(), "{:?}", report.idle_notes);
}
