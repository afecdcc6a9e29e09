//! A generated season: repeatable, in order, complete, and no larger in memory than its accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use headroom_sources::{GenerateSummary, SeasonPlan, generate};
use headroom_wire::proto::account_event::Kind as AccountKind;
use headroom_wire::proto::event::Body;
use headroom_wire::proto::order_event::{Kind as OrderKind, Side};
use headroom_wire::proto::repayment_event::Kind as RepaymentKind;
use headroom_wire::proto::{Event, OrderEvent, StatementIssued};
use headroom_wire::{Timestamp, event_to_json};

const DAY: i64 = 86_400;
const DOUBLE_11_START: i64 = 1_762_776_000;

fn season(accounts: u64, days: u32, seed: u64) -> (Vec<Event>, GenerateSummary) {
    let mut events = Vec::new();
    let mut keep = |event| {
        events.push(event);
        Ok(())
    };
    let summary = generate(&SeasonPlan { accounts, days, seed }, &mut keep, &mut |_| ()).expect("the sink takes all");
    (events, summary)
}

fn summary(accounts: u64, days: u32) -> GenerateSummary {
    generate(&SeasonPlan { accounts, days, seed: 3 }, &mut |_| Ok(()), &mut |_| ()).expect("the sink takes all")
}

fn seconds(time: Option<Timestamp>) -> i64 {
    time.expect("a time is given").seconds
}

fn record_time(event: &Event) -> i64 {
    seconds(event.recorded_at.or(event.occurred_at))
}

fn order(event: &Event) -> Option<&OrderEvent> {
    match &event.body {
        Some(Body::Order(order)) => Some(order),
        _ => None,
    }
}

fn statement(event: &Event) -> Option<&StatementIssued> {
    match &event.body {
        Some(Body::Repayment(repayment)) => match &repayment.kind {
            Some(RepaymentKind::StatementIssued(statement)) => Some(statement),
            _ => None,
        },
        _ => None,
    }
}

/// The kind rank of those events that the contract names.
fn rank(event: &Event) -> Option<u8> {
    Some(match event.body.as_ref()? {
        Body::Account(account) if matches!(account.kind, Some(AccountKind::Opened(_))) => 0,
        Body::Promotion(_) => 1,
        Body::Repayment(repayment) => match repayment.kind.as_ref()? {
            RepaymentKind::OverdueReported(_) => 6,
            RepaymentKind::StatementIssued(_) => 7,
            _ => 2,
        },
        Body::Order(order) => match order.kind() {
            OrderKind::Cancelled => 3,
            OrderKind::Placed => 4,
            OrderKind::Paid => 5,
            _ => return None,
        },
        _ => return None,
    })
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_does_not() {
    let lines = |seed| {
        let mut bytes = Vec::new();
        for event in season(60, 12, seed).0 {
            event_to_json(&event, &mut bytes).expect("a generated event has a JSON form");
        }
        bytes
    };
    assert!(lines(42) == lines(42));
    assert!(lines(42) != lines(43));
}

#[test]
fn events_stand_in_record_time_and_kind_rank() {
    let (events, _) = season(300, 40, 5);
    for pair in events.windows(2) {
        let (before, after) = (record_time(&pair[0]), record_time(&pair[1]));
        assert!(before <= after, "{} before {}", pair[0].event_id, pair[1].event_id);
        if let (true, Some(first), Some(second)) = (before == after, rank(&pair[0]), rank(&pair[1])) {
            assert!(first <= second, "{} before {}", pair[0].event_id, pair[1].event_id);
        }
    }
}

#[test]
fn record_times_are_given_only_where_they_differ() {
    let (events, summary) = season(500, 60, 5);
    let given = events.iter().filter(|event| event.recorded_at.is_some());
    assert!(given.clone().all(|event| seconds(event.recorded_at) > seconds(event.occurred_at)));
    let longest = given.clone().map(|event| seconds(event.recorded_at) - seconds(event.occurred_at)).max();
    assert!(longest.is_some_and(|longest| longest <= 2 * DAY + 3_600), "{longest:?}");
    assert!(given.count() as u64 >= summary.late + summary.duplicates / 2);
}

#[test]
fn a_repeated_id_is_the_same_event() {
    let (events, summary) = season(500, 60, 5);
    let mut first: BTreeMap<&str, &Event> = BTreeMap::new();
    let mut repeated = 0;
    for event in &events {
        if let Some(original) = first.insert(&event.event_id, event) {
            repeated += 1;
            assert_eq!((&event.body, event.occurred_at), (&original.body, original.occurred_at));
            assert!(record_time(event) - record_time(original) <= 3_600);
        }
    }
    assert_eq!(repeated, summary.duplicates);
    let total = summary.events_total();
    assert!((total / 3_000..total / 500).contains(&repeated), "about one in a thousand: {repeated} of {total}");
    assert!((total / 1_000..total / 250).contains(&summary.late), "about two in a thousand: {}", summary.late);
}

#[test]
fn a_season_has_every_kind_of_event() {
    let summary = summary(2_000, 200);
    let wanted = [
        "account_closed",
        "account_opened",
        "appeal_opened",
        "autopay_changed",
        "collateral.value",
        "consent_changed",
        "fault_cleared",
        "fault_declared",
        "fraud.device_changed",
        "fraud.list_hit",
        "fraud.login_anomaly",
        "fraud.place_changed",
        "fraud.profile_changed",
        "fraud.verified",
        "hardship_changed",
        "holiday_calendar",
        "ledger_snapshot",
        "lending.inquiries_7d",
        "lending.lenders_30d",
        "lending.other_lines",
        "limit.customer_share",
        "manual_block",
        "manual_unblock",
        "merchant.rating",
        "merchant.repurchase_pct",
        "merchant.violations_90d",
        "model.score",
        "order_cancelled",
        "order_declined",
        "order_hold_expired",
        "order_paid",
        "order_placed",
        "order_refunded",
        "overdue_reported",
        "payment_cleared",
        "payment_posted",
        "payment_returned",
        "portfolio_budget",
        "promise_broken",
        "promise_made",
        "promotion_announced",
        "promotion_ended",
        "promotion_enrolled",
        "promotion_extended",
        "promotion_started",
        "promotion_withdrawn",
        "regime_changed",
        "segment_changed",
        "statement_issued",
        "tier_changed",
    ];
    let missing: Vec<_> = wanted.iter().filter(|kind| !summary.events.contains_key(*kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(summary.promotions, ["midyear-2025", "double11-2025"]);
    assert_eq!(summary.events["account_opened"], 2_000 + repeats_of("account_opened"));
    let merchants: u64 = summary.accounts.iter().filter(|(name, _)| name.starts_with("merchant")).map(|(_, n)| n).sum();
    assert!((300..500).contains(&merchants), "about one in five: {merchants}");
    let a_day = summary.events_total() / 2_000;
    assert!((100..240).contains(&a_day), "half an event to a bit over one per account and day: {a_day} in 200 days");
}

/// Second copies of one kind in the season of the test above.
fn repeats_of(kind: &str) -> u64 {
    let (events, summary) = season(2_000, 200, 3);
    let ids: BTreeSet<_> = events.iter().filter(|event| is_opening(event)).map(|event| &event.event_id).collect();
    summary.events[kind] - ids.len() as u64
}

fn is_opening(event: &Event) -> bool {
    matches!(&event.body, Some(Body::Account(account)) if matches!(account.kind, Some(AccountKind::Opened(_))))
}

#[test]
fn some_enrolled_merchants_see_five_times_their_best_day_and_had_declared_it() {
    let (events, _) = season(1_000, 60, 9);
    let mut best: BTreeMap<&str, BTreeMap<i64, i64>> = BTreeMap::new();
    let mut rush: BTreeMap<&str, i64> = BTreeMap::new();
    let mut declared: BTreeMap<&str, i64> = BTreeMap::new();
    for event in &events {
        let happened = seconds(event.occurred_at);
        if let Some(Body::Account(account)) = &event.body
            && let Some(AccountKind::PromotionEnrolled(enrolled)) = &account.kind
        {
            declared.insert(&event.account_id, enrolled.forecast_daily);
        }
        let Some(sold) = order(event).filter(|order| order.side() == Side::Seller) else { continue };
        if sold.kind() == OrderKind::Placed && happened < DOUBLE_11_START {
            *best.entry(&event.account_id).or_default().entry(happened / DAY).or_default() += sold.amount;
        } else if sold.kind() == OrderKind::Placed && happened < DOUBLE_11_START + 4 * 3_600 {
            *rush.entry(&event.account_id).or_default() += sold.amount;
        }
    }
    let surging = |account: &&str| best[account].values().all(|day| rush.get(*account).unwrap_or(&0) >= &(5 * day));
    let surged: Vec<_> = declared.keys().filter(|account| surging(account)).collect();
    let explained = surged.iter().filter(|account| rush[**account] * 100 <= declared[**account] * 150).count();
    assert!(surged.len() * 2 >= declared.len(), "{} of {} surge", surged.len(), declared.len());
    assert!(explained * 10 >= surged.len() * 6, "{explained} of {} had declared it", surged.len());
    assert!(explained < surged.len(), "some declare too little");
}

#[test]
fn statements_bill_what_was_drawn_and_not_paid() {
    let (events, _) = season(300, 100, 8);
    let mut balances: BTreeMap<&str, i64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut billed = 0;
    for event in events.iter().filter(|event| seen.insert(&event.event_id)) {
        let balance = balances.entry(&event.account_id).or_default();
        *balance += moved(event);
        if let Some(statement) = statement(event) {
            billed += 1;
            assert_eq!(statement.balance, *balance, "{}", event.event_id);
            assert!(statement.min_due <= statement.balance.max(0));
            assert!(statement.min_due * 10 >= statement.balance - 10);
        }
    }
    assert!(billed >= 800, "{billed}");
}

/// By how much an event moves its account's balance.
fn moved(event: &Event) -> i64 {
    match event.body.as_ref() {
        Some(Body::Order(order)) => order.captured.unwrap_or(0) - order.credit_refunded.unwrap_or(0),
        Some(Body::Repayment(repayment)) => match &repayment.kind {
            Some(RepaymentKind::PaymentPosted(payment)) => -payment.amount,
            Some(RepaymentKind::PaymentReturned(payment)) => payment.amount,
            _ => 0,
        },
        _ => 0,
    }
}

#[test]
fn accounts_open_first_and_a_closed_account_is_silent() {
    let (events, _) = season(2_000, 200, 3);
    let mut opened = BTreeSet::new();
    let mut closed = BTreeSet::new();
    for event in events.iter().filter(|event| !event.account_id.is_empty()) {
        if is_opening(event) {
            opened.insert(&event.account_id);
        }
        assert!(opened.contains(&event.account_id), "{} before its opening", event.account_id);
        assert!(!closed.contains(&event.account_id), "{} after its closing", event.account_id);
        if let Some(Body::Account(account)) = &event.body
            && matches!(account.kind, Some(AccountKind::Closed(_)))
        {
            closed.insert(&event.account_id);
        }
    }
    assert!(!closed.is_empty());
}

#[test]
fn three_days_hold_a_whole_promotion() {
    let summary = summary(200, 3);
    for kind in ["promotion_announced", "promotion_started", "promotion_ended", "promotion_enrolled", "order_placed"] {
        assert!(summary.events.contains_key(kind), "{kind}");
    }
    assert_eq!(summary.promotions, ["double11-2025"]);
}

#[test]
fn memory_follows_accounts_and_not_days() {
    let (short, long, wide) = (summary(1_000, 30), summary(1_000, 240), summary(4_000, 30));
    assert!(long.events_total() > 5 * short.events_total());
    assert!(long.held_max < 2 * short.held_max, "{} and {}", long.held_max, short.held_max);
    assert!(wide.held_max < 5 * short.held_max, "{} and {}", wide.held_max, short.held_max);
    assert!((3..=5).contains(&(wide.events_total() / short.events_total())));
}

#[test]
fn a_season_without_accounts_is_broadcasts() {
    let broadcasts = summary(0, 30);
    assert_eq!(broadcasts.events.get("promotion_started"), Some(&1));
    assert!(!broadcasts.events.contains_key("order_placed"));
}

#[test]
fn a_plan_out_of_range_is_refused() {
    for (accounts, days) in [(u64::from(u32::MAX), 1), (1, 0), (1, 3_661)] {
        let plan = SeasonPlan { accounts, days, seed: 1 };
        let refused = generate(&plan, &mut |_| Ok(()), &mut |_| ()).expect_err("out of range");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_sink_that_fails_ends_it_at_once() {
    let mut taken = 0;
    let mut sink = |_| {
        taken += 1;
        if taken == 10 { Err(io::Error::other("full")) } else { Ok(()) }
    };
    let plan = SeasonPlan { accounts: 50, days: 5, seed: 1 };
    let ended = generate(&plan, &mut sink, &mut |_| ()).expect_err("the sink failed");
    assert_eq!((ended.to_string().as_str(), taken), ("full", 10));
}
