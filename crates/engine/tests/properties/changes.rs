//! What one change may touch, and how changes follow one another.

use std::collections::{BTreeMap, BTreeSet};

use headroom_engine::{ChangeKind, LimitChange, Output, StackView};
use proptest::prelude::*;

use crate::streams::{Manner, played, stream};
use crate::{builtin, changes, hold};

#[test]
fn a_freeze_never_touches_base() {
    let seen = std::cell::Cell::new(0_usize);
    hold(200, &stream(Manner::Lively, 150), |steps| {
        let (_, shard) = played(builtin(), &steps);
        for change in changes(&shard.outputs) {
            let block = change.kind == ChangeKind::BlockChanged;
            prop_assert_eq!(change.block.is_some(), block);
            if block {
                prop_assert_eq!(change.before.stack.base, change.after.stack.base);
                seen.set(seen.get() + 1);
            }
        }
        Ok(())
    });
    assert!(seen.get() > 1_000, "only {} blocks were seen", seen.get());
}

#[test]
fn sequences_have_no_gaps_and_ids_are_used_once() {
    for manner in [Manner::Lively, Manner::Wild] {
        hold(150, &stream(manner, 150), |steps| {
            let (_, shard) = played(builtin(), &steps);
            let mut last: BTreeMap<&str, u64> = BTreeMap::new();
            for change in changes(&shard.outputs) {
                let before = last.entry(&change.account).or_default();
                prop_assert_eq!(change.sequence, *before + 1, "of {}", change.account);
                *before = change.sequence;
            }
            for (account, sequence) in last {
                prop_assert_eq!(shard.accounts[account].sequence, sequence);
            }
            let mut ids = BTreeSet::new();
            for id in shard.outputs.iter().filter_map(id) {
                prop_assert!(ids.insert(id), "the id {:032x} came twice", id);
            }
            Ok(())
        });
    }
}

fn id(output: &Output) -> Option<u128> {
    match output {
        Output::LimitChange(each) => Some(each.id),
        Output::Offer(each) => Some(each.id),
        Output::Notice(each) => Some(each.id),
        Output::Review(each) => Some(each.id),
        Output::DeadLetter(_) => None,
    }
}

/// A ledger that states another base changes it without a change of ours; all else that bounds an account moves by
/// changes alone.
#[test]
fn each_change_begins_where_the_one_before_ended() {
    let seen = std::cell::Cell::new(0_usize);
    for manner in [Manner::Lively, Manner::Wild] {
        hold(150, &stream(manner, 150), |steps| {
            let (_, shard) = played(builtin(), &steps);
            let mut last: BTreeMap<&str, &LimitChange> = BTreeMap::new();
            for change in changes(&shard.outputs) {
                if let Some(before) = last.insert(&change.account, change) {
                    prop_assert_eq!(bounds(&before.after), bounds(&change.before), "{:#?}\n{:#?}", before, change);
                    seen.set(seen.get() + 1);
                }
            }
            Ok(())
        });
    }
    assert!(seen.get() > 1_500, "only {} followed another", seen.get());
}

/// Blocks and caps of a view, as far as no instant decides.
fn bounds(view: &StackView) -> (Vec<String>, Vec<String>) {
    let block = |each: &headroom_engine::Block| {
        format!("{:?} {:?} {:?} {:?}", each.cause, each.scope, each.ceiling, each.since)
    };
    let mut blocks: Vec<String> = view.stack.blocks.iter().map(block).collect();
    blocks.sort();
    let mut caps: Vec<String> = view.stack.caps.iter().map(|each| format!("{:?} {}", each.name, each.amount)).collect();
    caps.sort();
    (blocks, caps)
}
