//! Evaluating a rule, a table or a score must not touch the heap, whatever is known.
#![expect(clippy::disallowed_methods, reason = "a test reads its data from disk; the crate itself never does")]

use std::path::Path;

use allocation_counter::measure;
use headroom_engine::{Ruleset, content_hash};
use headroom_policy::{Currency, Slots};

fn collect(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, root, files);
        } else {
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            files.push((name, std::fs::read_to_string(&path).expect("a text")));
        }
    }
}

fn builtin() -> Ruleset {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    Ruleset::load(&files).expect("the built-in rules load")
}

/// A different part of the slots is known each time, with values that grow.
fn fill(slots: &mut Slots, round: i64) {
    slots.clear();
    for slot in 0..slots.len() {
        let mixed = (round + 1) * 31 + i64::try_from(slot).expect("few slots") * 17;
        if mixed % 5 != 0 {
            slots.set(slot, mixed % (1 << (round % 20)));
        }
    }
}

#[test]
fn no_built_in_rule_allocates() {
    let ruleset = builtin();
    let mut slots = Slots::new(ruleset.schema.len());
    let (mut held, mut open) = (0, 0);
    let counted = measure(|| {
        for round in 0..400 {
            fill(&mut slots, round);
            for currency in [Currency(*b"CNY"), Currency(*b"CHF")] {
                for score in &ruleset.scores {
                    if let Some(points) = score.value(&slots, currency) {
                        slots.set(score.slot, points);
                    }
                }
                for rule in &ruleset.rules {
                    let verdict = rule.verdict(|program| program.evaluate(&slots, currency));
                    held += u32::from(verdict.value.is_true());
                    open += u32::from(verdict.value.known().is_none());
                }
            }
        }
    });
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0));
    assert!(held > 100 && open > 100, "{held} held, {open} open");
}

#[test]
fn the_counter_counts() {
    let counted = measure(|| drop(content_hash(&[("ruleset.yaml".to_owned(), String::new())])));
    assert!(counted.count_total > 0);
}
