//! Sweeps, ticks, and what the caller takes out of a step.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use headroom_engine::{
    AccountEvent, Body, Cancelled, ChangeKind, Commit, DAY, Event, FactValue, HOUR, NEAR, Order, OrderKind, Output,
    PromotionEvent, PromotionKind, Purpose, Record, Refusal, RefusalCode, Ruleset, Segment, Side, Tier, TimerKind,
    Timestamp, timers_step,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::shard::{CNY, START, Shard, day, event, record};
use crate::{builtin, hold};

/// One record of a season.
#[derive(Clone, Debug)]
enum Act {
    Open(u8),
    Enrol(u8, u8),
    Withdraw(u8, u8),
    NoViolations(u8),
    Paid(u8),
    Order(u8, i64),
    Promote(u8, PromotionKind, i64, i64),
}

/// Acts with the milliseconds before each. Ids spread over the alphabet, so that new accounts come behind and ahead of
/// a pass.
fn season() -> impl Strategy<Value = Vec<(i64, Act)>> {
    use PromotionKind::{Announced, Ended, Extended, Started};
    let account = any::<u8>;
    let promotion = || 0_u8..3;
    let kind = prop_oneof![4 => Just(Announced), 2 => Just(Started), 1 => Just(Extended), 1 => Just(Ended)];
    let act = prop_oneof![
        6 => account().prop_map(Act::Open),
        4 => (account(), promotion()).prop_map(|(id, promotion)| Act::Enrol(id, promotion)),
        1 => (account(), promotion()).prop_map(|(id, promotion)| Act::Withdraw(id, promotion)),
        6 => (account(), 0..150_000_000_i64).prop_map(|(id, amount)| Act::Order(id, amount)),
        1 => (promotion(), kind, 0..10 * DAY, DAY..9 * DAY)
            .prop_map(|(id, kind, start, length)| Act::Promote(id, kind, start, length)),
    ];
    let gap = prop_oneof![4 => Just(0), 4 => 0..2 * HOUR, 1 => 2 * HOUR..DAY];
    vec((gap, act), 1..400)
}

fn records(acts: &[(i64, Act)]) -> Vec<Record> {
    let mut now = START;
    let opened = (0..60).flat_map(|id| good(id * 4, id % 3)).map(|act| (0, act));
    let all: Vec<(i64, Act)> = opened.chain(acts.iter().cloned()).collect();
    let numbered = all.iter().zip(0..);
    let made = numbered.map(|((gap, act), at)| {
        now = now.plus(*gap);
        record(act.event(at, now), now, at)
    });
    made.collect()
}

/// What a merchant brings whom a promotion that it takes part in gives a boost.
fn good(id: u8, promotion: u8) -> [Act; 5] {
    [Act::Open(id), Act::NoViolations(id), Act::Order(id, 10_000_000), Act::Paid(id), Act::Enrol(id, promotion)]
}

impl Act {
    fn event(&self, at: u64, now: Timestamp) -> Event {
        let promotion_id = |id: u8| format!("promotion-{id}");
        let (account, body) = match self.clone() {
            Self::Open(id) => (id, opened()),
            Self::Enrol(id, promotion) => {
                let (promotion_id, forecast_daily) = (promotion_id(promotion), 300_000_000);
                let body = AccountEvent::PromotionEnrolled { promotion_id, forecast_daily, currency: CNY };
                (id, Body::Account(body))
            }
            Self::Withdraw(id, promotion) => {
                let promotion_id = promotion_id(promotion);
                (id, Body::Account(AccountEvent::PromotionWithdrawn { promotion_id }))
            }
            Self::NoViolations(id) => (id, crate::streams::signal("merchant.violations_90d", FactValue::Int(0))),
            Self::Paid(id) => (id, order(OrderKind::Paid, 10_000_000)),
            Self::Order(id, amount) => (id, order(OrderKind::Placed, amount)),
            Self::Promote(id, kind, start, length) => (0, promotion(&promotion_id(id), kind, now.plus(start), length)),
        };
        event(&format!("event-{at}"), &format!("account-{account:03}"), now, body)
    }
}

fn opened() -> Body {
    Body::Account(AccountEvent::Opened {
        segment: Segment::MerchantKey,
        tier: Tier::None,
        currency: CNY,
        base: 100_000_000,
        opened_at: Some(START.plus(-400 * DAY)),
        probation_cap: None,
    })
}

fn order(kind: OrderKind, amount: i64) -> Body {
    Body::Order(Order {
        kind,
        order_id: "order".to_owned(),
        side: Side::Seller,
        purpose: Purpose::ALL[0],
        currency: CNY,
        amount,
        hold: None,
        hold_released: None,
        captured: None,
        credit_refunded: None,
    })
}

fn promotion(id: &str, kind: PromotionKind, start: Timestamp, length: i64) -> Body {
    let (start, end) = (Some(start), Some(start.plus(length)));
    Body::Promotion(PromotionEvent { kind, promotion_id: id.to_owned(), start, end, segments: Vec::new() })
}

/// All records in batches of a size, with at most so many rows for each step. With the rows that were passed.
fn played(ruleset: &Arc<Ruleset>, records: &[Record], size: usize, rows_max: usize) -> (Shard, u64) {
    let mut shard = Shard::new(ruleset);
    shard.rows_max = rows_max;
    let mut swept = 0;
    for chunk in records.chunks(size) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let (asked, sweeps) = (rest.len(), shard.state.sweep.is_some());
            let batch = shard.prepared(rest, None);
            let commit = shard.stepped(batch);
            swept += commit.swept;
            assert!(commit.taken <= asked);
            assert!(commit.taken > 0, "a sweep under way: {sweeps}");
            rest = &rest[commit.taken..];
        }
    }
    (shard, swept)
}

#[test]
fn sweeps_pass_the_same_rows_in_any_batches() {
    let (reached, boosts) = (Cell::new(0), Cell::new(0));
    hold(24, &season(), |acts| {
        let records = records(&acts);
        let (single, swept) = played(builtin(), &records, 1, 16);
        reached.set(reached.get() + swept);
        boosts.set(boosts.get() + single.state.totals.changes.get(ChangeKind::Boost.word()).unwrap_or(&0));
        for (size, rows_max) in [(1, 1_000), (7, 16), (7, 40), (1_000, 16), (1_000, 100_000)] {
            let (shard, also) = played(builtin(), &records, size, rows_max);
            prop_assert_eq!(also, swept, "rows in batches of {} with {}", size, rows_max);
            prop_assert_eq!(&shard.outputs, &single.outputs, "outputs in batches of {} with {}", size, rows_max);
            prop_assert_eq!(&shard.accounts, &single.accounts, "accounts in batches of {} with {}", size, rows_max);
            prop_assert_eq!(&shard.state, &single.state, "the shard in batches of {} with {}", size, rows_max);
        }
        Ok(())
    });
    assert!(reached.get() > 1_000, "{} rows were passed", reached.get());
    assert!(boosts.get() > 100, "{} boosts", boosts.get());
}

/// Reaching accounts by a sweep decides what touching each at the broadcast would have decided, and at its time.
#[test]
fn nobody_must_be_touched() {
    let mut acts: Vec<(i64, Act)> = (0..30).map(|hours| (HOUR, Act::Order(hours * 4, 1_000))).collect();
    acts[0] = (2 * DAY, Act::Promote(0, PromotionKind::Announced, 80 * HOUR, DAY));
    let records = records(&acts);
    let (shard, swept) = played(builtin(), &records, 1_000, 16);
    assert!(shard.state.sweep.is_none());
    assert!(swept >= 60, "{swept} rows");
    let behind = |id: &str| shard.accounts[id].broadcast < shard.state.broadcasts.sequence();
    let enrolled: Vec<String> = (0..60).step_by(3).map(|id| format!("account-{:03}", id * 4)).collect();
    assert!(!enrolled.iter().any(|id| behind(id)), "who is enrolled is reached");
    assert!(behind("account-236"), "who is not enrolled waits for a touch");
    let boosted = shard.outputs.iter().filter_map(|each| match each {
        Output::LimitChange(change) => Some(change),
        _ => None,
    });
    let near = day(2).plus(80 * HOUR - NEAR);
    let as_of: BTreeSet<Timestamp> = boosted.map(|change| change.trigger.at).collect();
    assert_eq!(as_of, BTreeSet::from([near]));
}

#[test]
fn ticks_fire_what_timers_alone_would_and_end_sweeps() {
    hold(24, &season(), |acts| {
        let records = records(&acts);
        let (mut ticked, _) = played(builtin(), &records, 100, 100);
        let (mut stepped, _) = played(builtin(), &records, 100, 100);
        let last = ticked.state.now;
        ticked.tick(last);
        stepped.tick(last);
        prop_assert!(ticked.state.sweep.is_none());
        // Without a broadcast to come, a tick is its timers.
        let upcoming = ticked.state.broadcasts.upcoming.first().map_or(last.plus(DAY), |(at, _)| at.plus(-1));
        let until = upcoming.max(last);
        ticked.tick(until);
        stepped.until(until);
        prop_assert_eq!(&ticked.outputs, &stepped.outputs);
        prop_assert_eq!(&ticked.accounts, &stepped.accounts);
        prop_assert_eq!(ticked.state.now, until);
        stepped.state.now = until;
        prop_assert_eq!(&ticked.state, &stepped.state);
        // With one, its pass begins and ends.
        ticked.tick(last.plus(30 * DAY));
        prop_assert!(ticked.state.sweep.is_none() && ticked.state.broadcasts.upcoming.is_empty());
        Ok(())
    });
}

/// A tick does not happen before the records that stop for want of rows.
#[test]
fn a_tick_waits_for_its_records() {
    let mut shard = Shard::new(builtin());
    shard.rows_max = 8;
    shard.batch(records(&[]));
    let started = promotion("promotion-0", PromotionKind::Started, START, DAY);
    let more = [started, order(OrderKind::Placed, 1), order(OrderKind::Placed, 2)].into_iter().zip(0..);
    let more = more.map(|(body, at)| record(event(&format!("more-{at}"), "account-000", START, body), START, at));
    let more: Vec<Record> = more.collect();
    let batch = shard.prepared(&more, Some(day(1)));
    let first = shard.stepped(batch);
    assert_eq!((first.taken, more.len(), first.tick), (1, 3, None));
    let batch = shard.prepared(&more[1..], Some(day(1)));
    let second = shard.stepped(batch);
    assert_eq!((second.taken, second.swept, second.tick), (1, 8, None), "eight rows were given");
    shard.rows_max = 1_000;
    let batch = shard.prepared(&more[1 + second.taken..], Some(day(1)));
    let third = shard.stepped(batch);
    assert_eq!((third.taken, third.swept, third.tick), (1, 52, Some(day(1))));
    assert_eq!((shard.state.now, &shard.state.sweep), (day(1), &None));
}

/// A shard in which a hold was set, with the timer of its end.
fn with_a_timer() -> (Shard, Arc<str>, headroom_engine::Timer) {
    let mut shard = Shard::new(builtin());
    shard.batch(records(&[(2 * DAY, Act::Order(4, 1))]));
    let burst = crate::streams::signal("lending.inquiries_7d", FactValue::Int(5));
    shard.one(event("burst", "account-004", day(2), burst), day(2));
    let (id, timer) = shard.due(day(60)).into_iter().find(|(_, each)| each.kind == TimerKind::Expiry).expect("a hold");
    (shard, id, timer)
}

fn poisoned_reviews(commit: &Commit) -> Vec<&headroom_engine::Review> {
    let reviews = commit.outputs.iter().filter_map(|each| match each {
        Output::Review(review) => Some(&**review),
        _ => None,
    });
    reviews.filter(|each| each.kind == "poisoned").collect()
}

#[test]
fn a_cancelled_timer_is_gone_and_a_person_looks() {
    let (shard, id, timer) = with_a_timer();
    let cancelled = Cancelled::Timer(Arc::clone(&id), timer);
    let set = BTreeSet::from([cancelled.clone()]);
    let due: Vec<_> = shard.due(timer.due).into_iter().filter(|(each, _)| *each == id).collect();
    let accounts = shard.loaded(std::iter::once(Arc::clone(&id))).collect();
    let alone = timers_step(builtin(), &shard.state, due, accounts, set.clone());
    let mut batch = shard.prepared(&[], Some(timer.due));
    batch.cancelled = set;
    let ticked = headroom_engine::step(builtin(), &shard.state, batch);
    for commit in [alone, ticked] {
        assert_eq!(commit.cancelled, std::slice::from_ref(&cancelled));
        assert!(commit.timers_removed.contains(&(Arc::clone(&id), timer)));
        let [review] = poisoned_reviews(&commit)[..] else { panic!("{:?}", commit.outputs) };
        assert_eq!((&review.account, review.blocking, &*review.trigger.name), (&id, false, "timer:expiry"));
        assert!(review.detail.contains("`expiry` due 2025-02-02"), "{}", review.detail);
        let after = commit.accounts.iter().find(|each| each.id == id).expect("it is in the commit");
        let before = &shard.accounts[&id];
        assert_eq!((after.sequence, &after.stack), (before.sequence, &before.stack), "nothing was decided");
    }
}

#[test]
fn a_cancelled_touch_takes_the_broadcast_as_applied() {
    let mut shard = Shard::new(builtin());
    shard.rows_max = 1_000;
    shard.batch(records(&[(2 * DAY, Act::Promote(0, PromotionKind::Announced, DAY, DAY))]));
    let target = shard.state.sweep.as_ref().expect("a pass begins").target;
    let (id, other): (Arc<str>, Arc<str>) = (Arc::from("account-000"), Arc::from("account-012"));
    let cancelled = Cancelled::Sweep(Arc::clone(&id));
    let mut batch = shard.prepared(&[], Some(day(2)));
    batch.cancelled = BTreeSet::from([cancelled.clone()]);
    let before = shard.accounts[&id].clone();
    let commit = shard.stepped(batch);
    assert_eq!(commit.cancelled, [cancelled]);
    let [review] = poisoned_reviews(&commit)[..] else { panic!("{:?}", commit.outputs) };
    assert_eq!((&review.account, review.blocking), (&id, false));
    let after = &shard.accounts[&id];
    assert_eq!((after.broadcast, after.sequence, &after.stack), (target, before.sequence, &before.stack));
    assert!(shard.accounts[&other].sequence > 0, "the others decide");
}

#[test]
fn a_poisoned_record_is_a_dead_letter_and_its_place_is_told() {
    let mut shard = Shard::new(builtin());
    let mut all = records(&[(HOUR, Act::Order(0, 1)), (0, Act::Order(4, 1))]);
    let poisoned = all.len() - 2;
    all[poisoned].event = Err(Refusal::new(RefusalCode::Poisoned, "it failed twice"));
    let batch = shard.prepared(&all, None);
    let commit = shard.stepped(batch);
    assert_eq!(commit.taken, all.len());
    assert_eq!(commit.poisoned, [all[poisoned].position.clone()]);
    let span = &commit.outputs[commit.spans[poisoned].clone()];
    assert!(matches!(span, [Output::DeadLetter(letter)] if letter.refusal.code == RefusalCode::Poisoned));
    assert_eq!(shard.state.totals.dead_letters["POISONED"], 1);
    assert_eq!(shard.accounts["account-000"].last_order_at, Some(START));
    assert_eq!(shard.accounts["account-004"].last_order_at, Some(START.plus(HOUR)), "the shard goes on");
}

#[test]
fn a_replayed_record_may_be_old() {
    let mut shard = Shard::new(builtin());
    shard.batch(records(&[(30 * DAY, Act::Order(0, 1))]));
    let mut old = record(event("old", "account-004", START, order(OrderKind::Placed, 7)), day(30), 1_000);
    let booked = |shard: &Shard| shard.accounts["account-004"].orders.clone();
    let before = booked(&shard);
    shard.batch(vec![old.clone()]);
    assert_eq!(shard.state.totals.dead_letters["TOO_OLD_TO_DEDUP"], 1);
    assert_eq!(booked(&shard), before);
    old.replayed = true;
    shard.batch(vec![old.clone()]);
    assert_eq!(shard.state.totals.dead_letters["TOO_OLD_TO_DEDUP"], 1);
    assert_ne!(booked(&shard), before);
    // Within the horizon nothing is different: a duplicate is one.
    let mut young = record(event("young", "account-004", day(29), order(OrderKind::Placed, 7)), day(30), 1_001);
    shard.batch(vec![young.clone()]);
    young.replayed = true;
    shard.batch(vec![young]);
    assert_eq!(shard.state.totals.duplicates, 1);
}

/// Spans are what is left of the outputs without timers, sweeps and late broadcasts: the same in any batches.
#[test]
fn spans_hold_what_records_themselves_caused() {
    hold(24, &season(), |acts| {
        let records = records(&acts);
        let spans_of = |size: usize| {
            let mut shard = Shard::new(builtin());
            let mut spans: Vec<Vec<Output>> = Vec::new();
            for chunk in records.chunks(size) {
                let mut rest = chunk;
                while !rest.is_empty() {
                    let batch = shard.prepared(rest, None);
                    let commit = shard.stepped(batch);
                    assert_eq!(commit.spans.len(), commit.taken);
                    spans.extend(commit.spans.iter().map(|span| commit.outputs[span.clone()].to_vec()));
                    rest = &rest[commit.taken..];
                }
            }
            spans
        };
        let spans = spans_of(50);
        prop_assert_eq!(&spans, &spans_of(1));
        for (record, span) in records.iter().zip(&spans) {
            let Ok(event) = &record.event else { continue };
            for output in span {
                let own = match output {
                    Output::LimitChange(change) => change.trigger.event_id == event.id,
                    Output::Review(review) => review.trigger.event_id == event.id,
                    Output::DeadLetter(letter) => letter.position == record.position,
                    Output::Offer(offer) => offer.account == event.account,
                    Output::Notice(notice) => notice.account == event.account,
                };
                prop_assert!(own, "{:?} of {}", output, event.id);
            }
        }
        Ok(())
    });
}
