//! What the step makes of records: once is once, in any batches, and nothing stops it.

use std::sync::Arc;

use headroom_engine::{
    Account, AccountEvent, Body, Broadcasts, Context, FactValue, Output, Position, Record, Signal, Timer, TimerKind,
    Timestamp, Trigger, decide,
};
use proptest::prelude::*;

use crate::shard::{START, Shard, event, record};
use crate::streams::{ACCOUNTS, Manner, played, stream};
use crate::{builtin, hold};

#[test]
fn batches_of_any_size_give_the_same() {
    for manner in [Manner::Lively, Manner::Wild] {
        hold(50, &stream(manner, 200), |steps| {
            let (records, single) = played(builtin(), &steps);
            for size in [7, 1_000] {
                let shard = Shard::played(builtin(), &records, size);
                prop_assert_eq!(&shard.outputs, &single.outputs, "outputs in batches of {}", size);
                prop_assert_eq!(&shard.accounts, &single.accounts, "accounts in batches of {}", size);
                prop_assert_eq!(&shard.state, &single.state, "the shard in batches of {}", size);
                prop_assert_eq!(&shard.seen, &single.seen, "seen keys in batches of {}", size);
            }
            Ok(())
        });
    }
}

#[test]
fn timers_that_fire_without_records_are_those_that_a_record_would_fire() {
    hold(60, &stream(Manner::Lively, 120), |steps| {
        let (records, mut left) = played(builtin(), &steps);
        let mut right = Shard::played(builtin(), &records, 1_000);
        let until = left.state.now.plus(40 * headroom_engine::DAY);
        left.until(until);
        for days in 1..=40 {
            right.until(right_now(&records).plus(days * headroom_engine::DAY));
        }
        prop_assert_eq!(&left.outputs, &right.outputs);
        prop_assert_eq!(&left.accounts, &right.accounts);
        Ok(())
    });
}

fn right_now(records: &[Record]) -> Timestamp {
    records.iter().map(|each| each.timestamp).max().unwrap_or(START)
}

#[test]
fn an_event_given_twice_counts_once() {
    for manner in [Manner::Lively, Manner::Wild] {
        hold(80, &stream(manner, 150), |steps| {
            let (records, mut once) = played(builtin(), &steps);
            let twice: Vec<Record> = records.iter().flat_map(|each| [each.clone(), each.clone()]).collect();
            let mut twice = Shard::played(builtin(), &twice, 10);
            // A timer that the last record sets for its own instant waits for the record after it, and so does the sweep
            // that it begins.
            once.tick(once.state.now);
            twice.tick(twice.state.now);
            prop_assert_eq!(&twice.accounts, &once.accounts);
            // Sweeps come further with every record, so accounts take turns in another order; each keeps its own.
            for account in twice.accounts.keys() {
                prop_assert_eq!(decided(&twice.outputs, account), decided(&once.outputs, account));
            }
            let (refused, again) = (letters(&once.outputs), letters(&twice.outputs));
            prop_assert_eq!(again, 2 * refused, "what is refused is not remembered");
            let totals = &twice.state.totals;
            prop_assert_eq!(totals.events, 2 * once.state.totals.events);
            let taken = once.state.totals.events - u64::try_from(refused).unwrap_or(u64::MAX);
            prop_assert_eq!(totals.duplicates - once.state.totals.duplicates, taken);
            prop_assert_eq!(&totals.changes, &once.state.totals.changes);
            prop_assert_eq!(&totals.fired, &once.state.totals.fired);
            Ok(())
        });
    }
}

fn letters(outputs: &[Output]) -> usize {
    outputs.iter().filter(|each| matches!(each, Output::DeadLetter(_))).count()
}

/// All but dead letters, of one account.
fn decided<'a>(outputs: &'a [Output], account: &str) -> Vec<&'a Output> {
    outputs.iter().filter(|each| account_of(each) == Some(account)).collect()
}

fn account_of(output: &Output) -> Option<&str> {
    match output {
        Output::LimitChange(change) => Some(&change.account),
        Output::Offer(offer) => Some(&offer.account),
        Output::Notice(notice) => Some(&notice.account),
        Output::Review(review) => Some(&review.account),
        Output::DeadLetter(_) => None,
    }
}

#[test]
fn every_record_is_counted_and_the_clock_never_goes_back() {
    hold(60, &stream(Manner::Wild, 200), |steps| {
        let (records, shard) = played(builtin(), &steps);
        let totals = &shard.state.totals;
        prop_assert_eq!(totals.events, u64::try_from(records.len()).unwrap_or(0));
        prop_assert_eq!(totals.dead_letters.values().sum::<u64>(), u64::try_from(letters(&shard.outputs)).unwrap_or(0));
        prop_assert_eq!(shard.state.now, right_now(&records));
        prop_assert!(shard.accounts.values().all(|each| each.clock <= shard.state.now));
        Ok(())
    });
}

/// `decide` alone, without the step that keeps bad input away: any event on any account at any time, in any order.
#[test]
fn decide_is_total() {
    let timer = (0..TimerKind::ALL.len(), 0_u32..60).prop_map(|(kind, rule)| (TimerKind::ALL[kind], rule));
    let values = (stream(Manner::Wild, 150), proptest::collection::vec((timer, -400_i64..4_000), 0..60));
    hold(150, &values, |(steps, timers)| {
        let (records, shard) = played(builtin(), &steps);
        let broadcasts: Arc<Broadcasts> = Arc::clone(&shard.state.broadcasts);
        let feeds = shard.state.feeds.clone();
        let context = Context { ruleset: builtin(), broadcasts: &broadcasts, feeds: &feeds };
        let position = Position { input: Arc::from("test"), partition: 0, offset: 0 };
        let mut account = Box::new(Account::provisional(Arc::from(ACCOUNTS[0]), START, 0));
        let mut timers = timers.into_iter().cycle();
        for record in records.iter().rev() {
            let Ok(event) = &record.event else { continue };
            let before = account.sequence;
            let outcome = decide(&context, account, &Trigger::Event(event, &position), record.timestamp);
            account = outcome.account;
            prop_assert!(account.sequence >= before);
            if let Some(((kind, rule), days)) = timers.next() {
                let due = START.plus(days * headroom_engine::DAY).max(account.clock);
                let timer = Timer { due, kind, rule };
                account = decide(&context, account, &Trigger::Timer(timer), due).account;
            }
            let now = account.clock;
            account = decide(&context, account, &Trigger::Touch, now).account;
        }
        Ok(())
    });
}

/// An account whose first event is refused leaves no timer behind that would fire later in the same batch.
#[test]
fn a_refused_first_event_leaves_nothing_behind() {
    let at = |hours: i64| START.plus(hours * headroom_engine::HOUR);
    let refused = Signal { name: "no.such_fact".to_owned(), value: FactValue::Int(1), valid_until: None };
    let bodies = [(0, Body::Signal(refused)), (1, label()), (24, label()), (26, label())];
    let numbered = bodies.into_iter().zip(0..);
    let records: Vec<Record> = numbered
        .map(|((hours, body), n)| record(event(&format!("e{n}"), "A", at(hours), body), at(hours), n))
        .collect();
    let [one, all] = [1, 1_000].map(|size| Shard::played(builtin(), &records, size));
    assert_eq!((&one.outputs, &one.accounts), (&all.outputs, &all.accounts));
    let reviews = all.outputs.iter().filter(|each| matches!(each, Output::Review(review) if review.kind == "unopened"));
    assert_eq!(reviews.count(), 1, "a day after the event that was taken");
}

fn label() -> Body {
    Body::Account(AccountEvent::Outcome)
}
