//! Streams of events that no scenario writer would think of. Amounts and times stay within what the wire lets through.

use headroom_engine::{
    AMOUNT_MAX, AccountEvent, Body, Cause, ControlEvent, DAY, Event, FactValue, HOUR, Holiday, MINUTE, MarketEvent,
    Order, OrderKind, PromotionEvent, PromotionKind, Purpose, Record, Regime, Repayment, ReviewOutcome, Ruleset, Scope,
    Segment, Side, Signal, Tier, Timestamp,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::sync::Arc;

use crate::shard::{CNY, START, Shard, day, event};

/// The accounts; nobody opens the last one at the start.
pub const ACCOUNTS: [&str; 4] = ["consumer", "key", "standard", "unopened"];
/// The promotion that runs during most of a stream.
const PROMOTION: &str = "season";

/// One event of a stream.
#[derive(Clone, Debug)]
pub struct Step {
    account: usize,
    /// Milliseconds after the record before.
    gap: i64,
    /// The event's own time against its record.
    own: Own,
    /// An id that is used again, or one of its own.
    id: Option<u8>,
    body: Body,
}

#[derive(Clone, Debug)]
enum Own {
    Now,
    Late(i64),
    At(i64),
}

/// How far a stream goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// Amounts and times of a lively business.
    Lively,
    /// Anything that the wire lets through.
    Wild,
}

/// The records of a stream, played once: ids of offers and reviews are those that came out. With the shard after it.
pub fn played(ruleset: &Arc<Ruleset>, steps: &[Step]) -> (Vec<Record>, Shard) {
    let mut shard = Shard::new(ruleset);
    let mut records: Vec<Record> = opening().into_iter().map(|each| shard.one(each, START)).collect();
    let mut now = START;
    for (at, step) in steps.iter().enumerate() {
        now = now.plus(step.gap);
        let own = match step.own {
            Own::Now => now,
            Own::Late(millis) => now.plus(-millis),
            Own::At(millis) => Timestamp(millis),
        };
        let id = step.id.map_or_else(|| format!("event-{at}"), |id| format!("again-{id}"));
        records.push(shard.one(event(&id, ACCOUNTS[step.account], own, step.body.clone()), now));
    }
    (records, shard)
}

/// Three open accounts with what rules ask of a good one, and a promotion that two of them may see.
fn opening() -> Vec<Event> {
    let announced = PromotionEvent {
        kind: PromotionKind::Announced,
        promotion_id: PROMOTION.to_owned(),
        start: Some(day(12)),
        end: Some(day(60)),
        segments: Vec::new(),
    };
    let bodies = [
        (0, opened(Segment::Consumer)),
        (1, opened(Segment::MerchantKey)),
        (2, opened(Segment::MerchantStandard)),
        (0, Body::Promotion(announced)),
        (0, Body::Account(AccountEvent::ConsentChanged { standing: true })),
        (0, signal("limit.customer_share", FactValue::Money(AMOUNT_MAX, CNY))),
        (1, signal("merchant.violations_90d", FactValue::Int(0))),
        (1, enrolled(PROMOTION.to_owned(), 200_000_000)),
    ];
    let numbered = bodies.into_iter().enumerate();
    numbered.map(|(at, (account, body))| event(&format!("opening-{at}"), ACCOUNTS[account], START, body)).collect()
}

fn opened(segment: Segment) -> Body {
    let (tier, base) = (Tier::None, 100_000_000);
    let opened_at = Some(START.plus(-400 * DAY));
    Body::Account(AccountEvent::Opened { segment, tier, currency: CNY, base, opened_at, probation_cap: None })
}

pub fn signal(name: &str, value: FactValue) -> Body {
    Body::Signal(Signal { name: name.to_owned(), value, valid_until: None })
}

fn enrolled(promotion_id: String, forecast_daily: i64) -> Body {
    Body::Account(AccountEvent::PromotionEnrolled { promotion_id, forecast_daily, currency: CNY })
}

/// A stream of at most so many steps.
pub fn stream(manner: Manner, steps: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(manner), 1..steps)
}

fn step(manner: Manner) -> impl Strategy<Value = Step> {
    let account = prop_oneof![3 => Just(0_usize), 4 => Just(1), 2 => Just(2), 1 => Just(3)];
    let gap = prop_oneof![2 => Just(0), 6 => 0..6 * HOUR, 4 => 6 * HOUR..3 * DAY, 1 => 3 * DAY..40 * DAY];
    let id = prop_oneof![30 => Just(None), 1 => (0_u8..4).prop_map(Some)];
    (account, gap, own(manner), id, body(manner)).prop_map(|(account, gap, own, id, body)| Step {
        account,
        gap,
        own,
        id,
        body,
    })
}

fn own(manner: Manner) -> BoxedStrategy<Own> {
    let near = prop_oneof![
        12 => Just(Own::Now),
        3 => (0..6 * DAY).prop_map(Own::Late),
        1 => (-5 * MINUTE..0).prop_map(Own::Late),
    ];
    match manner {
        Manner::Lively => near.boxed(),
        Manner::Wild => prop_oneof![8 => near, 1 => any_time().prop_map(|at| Own::At(at.0))].boxed(),
    }
}

/// Years 1 to 9999: the wire takes no other.
fn any_time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (-62_135_596_800_000_i64..=253_402_300_799_999).prop_map(Timestamp),
        (-400_i64..800).prop_map(day),
        Just(Timestamp(-62_135_596_800_000)),
        Just(Timestamp(253_402_300_799_999)),
    ]
}

fn time(manner: Manner) -> BoxedStrategy<Timestamp> {
    let near = (-5_i64..130).prop_map(day);
    if manner == Manner::Wild { prop_oneof![near, any_time()].boxed() } else { near.boxed() }
}

fn money(manner: Manner) -> BoxedStrategy<i64> {
    let lively = prop_oneof![6 => 0..=20_000_000_i64, 3 => 50_000_000..=150_000_000_i64, 1 => 0..=1_000_i64];
    let wild = prop_oneof![Just(AMOUNT_MAX), Just(1), Just(0), 0..=AMOUNT_MAX];
    if manner == Manner::Wild { prop_oneof![lively, wild].boxed() } else { lively.boxed() }
}

fn signed(manner: Manner) -> BoxedStrategy<i64> {
    (money(manner), any::<bool>()).prop_map(|(amount, below)| if below { -amount } else { amount }).boxed()
}

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

fn body(manner: Manner) -> impl Strategy<Value = Body> {
    prop_oneof![
        8 => order(manner).prop_map(Body::Order),
        6 => repayment(manner).prop_map(|kind| Body::Repayment { currency: CNY, kind }),
        4 => fact(manner).prop_map(Body::Signal),
        4 => account(manner).prop_map(Body::Account),
        1 => promotion(manner).prop_map(Body::Promotion),
        1 => market(manner).prop_map(Body::Market),
        1 => control(manner).prop_map(Body::Control),
    ]
}

fn order(manner: Manner) -> impl Strategy<Value = Order> {
    use OrderKind::{Cancelled, Declined, HoldExpired, Paid, Placed, Refunded};
    let kind = prop_oneof![5 => Just(Placed), 1 => one_of(&[Paid, Cancelled, Refunded, HoldExpired, Declined])];
    let credit = move || option::of(money(manner));
    let parts = (kind, one_of(Side::ALL), one_of(Purpose::ALL), money(manner));
    (parts, credit(), credit(), credit(), credit()).prop_map(
        |((kind, side, purpose, amount), hold, hold_released, captured, credit_refunded)| Order {
            kind,
            order_id: "order".to_owned(),
            side,
            purpose,
            currency: CNY,
            amount,
            hold,
            hold_released,
            captured,
            credit_refunded,
        },
    )
}

fn repayment(manner: Manner) -> impl Strategy<Value = Repayment> {
    let payment = || (0_u8..3).prop_map(|id| format!("payment-{id}"));
    let dpd = match manner {
        Manner::Lively => prop_oneof![2 => Just(0), 2 => 0..100_i32, 2 => 4..30_i32, 1 => 61..90_i32].boxed(),
        Manner::Wild => (0..=36_500_i32).boxed(),
    };
    prop_oneof![
        4 => (signed(manner), money(manner), option::of(time(manner))).prop_map(|(balance, min_due, due_at)| {
            Repayment::StatementIssued { statement_id: "statement".to_owned(), balance, min_due, due_at }
        }),
        4 => (payment(), money(manner), option::of(time(manner))).prop_map(|(payment_id, amount, clears_at)| {
            Repayment::PaymentPosted { payment_id, amount, clears_at }
        }),
        1 => payment().prop_map(|payment_id| Repayment::PaymentCleared { payment_id }),
        1 => (payment(), money(manner))
            .prop_map(|(payment_id, amount)| Repayment::PaymentReturned { payment_id, amount }),
        4 => dpd.prop_map(|dpd| Repayment::OverdueReported { dpd }),
        1 => Just(Repayment::PromiseMade),
        1 => Just(Repayment::PromiseBroken),
        1 => any::<bool>().prop_map(|autopay| Repayment::AutopayChanged { autopay }),
    ]
}

fn fact(manner: Manner) -> impl Strategy<Value = Signal> {
    const FLAGS: &[&str] = &["fraud.list_hit", "fraud.login_anomaly", "fraud.profile_changed", "fraud.verified"];
    const COUNTS: &[&str] = &["lending.lenders_30d", "lending.inquiries_7d", "merchant.violations_90d", "model.score"];
    const AMOUNTS: &[&str] = &["limit.customer_share", "collateral.value", "lending.other_lines"];
    let said = prop_oneof![
        (one_of(FLAGS), prop_oneof![Just(false), any::<bool>()])
            .prop_map(|(name, value)| (name, FactValue::Bool(value))),
        (one_of(COUNTS), 0..1_200_i64).prop_map(|(name, value)| (name, FactValue::Int(value))),
        (one_of(AMOUNTS), money(manner)).prop_map(|(name, value)| (name, FactValue::Money(value, CNY))),
        Just(("no.such_fact", FactValue::Int(1))),
    ];
    (said, option::weighted(0.2, time(manner))).prop_map(|((name, value), valid_until)| Signal {
        name: name.to_owned(),
        value,
        valid_until,
    })
}

fn account(manner: Manner) -> impl Strategy<Value = AccountEvent> {
    let person = || Just("a person".to_owned());
    let promotion = || prop_oneof![3 => Just(PROMOTION.to_owned()), 1 => Just("other".to_owned())];
    prop_oneof![
        1 => opening_of(manner),
        2 => (signed(manner), money(manner), time(manner), option::weighted(0.3, money(manner))).prop_map(
            |(balance, pending, as_of, base)| {
                AccountEvent::LedgerSnapshot { as_of, last_applied_sequence: 0, currency: CNY, balance, pending, base }
            }
        ),
        1 => any::<bool>().prop_map(|standing| AccountEvent::ConsentChanged { standing }),
        3 => any::<bool>().prop_map(|accepted| AccountEvent::OfferAnswered { offer_id: String::new(), accepted }),
        1 => (one_of(Scope::ALL), money(manner), option::of(time(manner)), person())
            .prop_map(|(scope, ceiling, until, by)| AccountEvent::ManualBlock { scope, ceiling, until, by }),
        2 => (one_of(Cause::ALL), person()).prop_map(|(cause, by)| AccountEvent::ManualUnblock { cause, by }),
        1 => (money(manner), person()).prop_map(|(base, by)| AccountEvent::ManualOverride { base, by }),
        1 => one_of(Segment::ALL).prop_map(AccountEvent::SegmentChanged),
        1 => one_of(Tier::ALL).prop_map(AccountEvent::TierChanged),
        3 => (promotion(), money(manner)).prop_map(|(promotion_id, forecast_daily)| {
            AccountEvent::PromotionEnrolled { promotion_id, forecast_daily, currency: CNY }
        }),
        1 => promotion().prop_map(|promotion_id| AccountEvent::PromotionWithdrawn { promotion_id }),
        1 => any::<bool>().prop_map(AccountEvent::HardshipChanged),
        3 => one_of(ReviewOutcome::ALL)
            .prop_map(|outcome| AccountEvent::ReviewResolved { review_id: String::new(), outcome }),
        1 => Just(AccountEvent::AppealOpened),
        1 => Just(AccountEvent::Outcome),
        1 => (Just(manner), any::<bool>()).prop_map(|(manner, charged_off)| match manner {
            // A closed account decides nothing any more: not the way to lively streams.
            Manner::Lively => AccountEvent::Outcome,
            Manner::Wild => AccountEvent::Closed { charged_off },
        }),
    ]
}

fn opening_of(manner: Manner) -> impl Strategy<Value = AccountEvent> {
    let parts = (one_of(Segment::ALL), one_of(Tier::ALL), money(manner));
    (parts, option::of(time(manner)), option::of(money(manner))).prop_map(
        |((segment, tier, base), opened_at, probation_cap)| AccountEvent::Opened {
            segment,
            tier,
            currency: CNY,
            base,
            opened_at,
            probation_cap,
        },
    )
}

fn promotion(manner: Manner) -> impl Strategy<Value = PromotionEvent> {
    use PromotionKind::{Announced, Ended, Extended, Started};
    let id = prop_oneof![1 => Just(PROMOTION.to_owned()), 2 => Just("other".to_owned())];
    let kind = prop_oneof![3 => one_of(&[Announced, Started, Extended]), 1 => Just(Ended)];
    let (start, end) = (option::of(time(manner)), option::of(time(manner)));
    (kind, id, start, end, vec(one_of(Segment::ALL), 0..2)).prop_map(|(kind, promotion_id, start, end, segments)| {
        PromotionEvent { kind, promotion_id, start, end, segments }
    })
}

fn market(manner: Manner) -> impl Strategy<Value = MarketEvent> {
    let holiday = (time(manner), 1..9_i64)
        .prop_map(|(start, days)| vec![Holiday { name: "holiday".to_owned(), start, end: start.plus(days * DAY) }]);
    prop_oneof![
        one_of(Regime::ALL).prop_map(MarketEvent::RegimeChanged),
        holiday.prop_map(MarketEvent::HolidayCalendar),
        money(manner).prop_map(|increase_left| MarketEvent::PortfolioBudget { currency: CNY, increase_left }),
    ]
}

fn control(manner: Manner) -> impl Strategy<Value = ControlEvent> {
    let fault_id = || Just("fault".to_owned());
    prop_oneof![
        (fault_id(), time(manner)).prop_map(|(fault_id, since)| ControlEvent::FaultDeclared { fault_id, since }),
        (fault_id(), time(manner), time(manner)).prop_map(|(fault_id, since, until)| ControlEvent::FaultCleared {
            fault_id,
            since,
            until
        }),
        (option::of(time(manner)), option::of(time(manner)), 0..3_u32).prop_map(|(since, until, rule)| {
            ControlEvent::RolloutRolledBack { rollout_id: "rollout".to_owned(), since, until, rule }
        }),
        Just(ControlEvent::RulesetPublished { content_hash: "none".to_owned(), files: Vec::new() }),
    ]
}
