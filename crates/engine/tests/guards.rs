//! Every guard by itself: a small story in which it, and no other, stops or lowers an increase.

#[path = "shard/mod.rs"]
mod shard;

use std::sync::Arc;

use headroom_engine::{
    AccountEvent, Body, DAY, FactValue, GUARD_NAMES, MarketEvent, Order, OrderKind, Output, Purpose, Repayment,
    Ruleset, Segment, Side, Signal, Tier, Timestamp,
};
use shard::{CNY, START, Shard, day, event, load};

/// What every account of the stories starts with, minor units.
const BASE: i64 = 100_000;

/// A tenth more with every order, and whenever direct debit moves.
const UP: &str = "\
id: up
number: 1
title: {en: Up, zh: 提}
why: A test.
family: growth
class: increase
on: [order_placed, autopay_changed]
when: limit.base > p.zero
params: {step: {type: percent, default: 10}}
then: {increase: {percent: p.step}}
reason: UP
owner: tests
since: 2025-01-01
";

/// A tenth less with every refund.
const DOWN: &str = "\
id: down
number: 2
title: {en: Down, zh: 降}
why: A test.
family: growth
class: decrease
on: [order_refunded]
when: limit.base > p.zero
then: {decrease: {percent: 10}}
reason: DOWN
on_unknown: skip
owner: tests
since: 2025-01-01
";

/// A changed profile is looked at, and nothing is blocked.
const LOOK: &str = "\
id: look
number: 3
title: {en: Look, zh: 看}
why: A test.
family: fraud
class: review
on: [fact fraud.profile_changed]
when: limit.base > p.zero
then: {review: {kind: profile}}
reason: LOOK
owner: tests
since: 2025-01-01
";

/// One guard's story.
struct Story {
    guard: &'static str,
    segment: Segment,
    /// Lines of `ruleset.yaml`.
    settings: &'static str,
    /// What happens before the order, or instead of it.
    before: fn(&mut Teller),
    /// Base afterwards, minor units.
    base: i64,
}

const STORY: Story = Story { guard: "", segment: Segment::MerchantStandard, settings: "", before: |_| {}, base: BASE };

const STORIES: &[Story] = &[
    Story {
        guard: "good_standing",
        before: |tell| tell.now(Body::Repayment { currency: CNY, kind: Repayment::OverdueReported { dpd: 2 } }),
        ..STORY
    },
    Story {
        guard: "profile_review",
        before: |tell| tell.now(signal("fraud.profile_changed", FactValue::Bool(true))),
        ..STORY
    },
    Story {
        guard: "after_decrease",
        before: |tell| tell.now(order(OrderKind::Refunded, Side::Seller)),
        base: BASE / 10 * 9,
        ..STORY
    },
    Story { guard: "dormant", before: |tell| tell.at(day(200), autopay()), base: BASE / 10 * 11, ..STORY },
    Story {
        guard: "cool_down",
        before: |tell| tell.now(order(OrderKind::Placed, Side::Seller)),
        base: BASE / 10 * 11,
        ..STORY
    },
    Story {
        guard: "daily_count",
        settings: "guards: {cool_down_increase: 0d, daily_count: 1}",
        before: |tell| tell.now(order(OrderKind::Placed, Side::Seller)),
        base: BASE / 10 * 11,
        ..STORY
    },
    Story { guard: "customer_share", segment: Segment::Consumer, ..STORY },
    Story { guard: "maximum_step", settings: "params: {up: {step: 40}}", base: BASE / 10 * 13, ..STORY },
    Story { guard: "yearly_growth", settings: "guards: {yearly_growth_pct: 5}", base: BASE / 20 * 21, ..STORY },
    Story { guard: "exposure", settings: "guards: {exposure_max: {CNY: 1_020.00}}", base: BASE / 50 * 51, ..STORY },
    Story {
        guard: "portfolio_budget",
        before: |tell| tell.now(Body::Market(MarketEvent::PortfolioBudget { currency: CNY, increase_left: 9_999 })),
        ..STORY
    },
    Story { guard: "minimum_step", settings: "guards: {minimum_step_pct: 11}", ..STORY },
    Story {
        guard: "consent",
        segment: Segment::Consumer,
        before: |tell| tell.now(signal("limit.customer_share", FactValue::Money(10 * BASE, CNY))),
        ..STORY
    },
];

/// Sends events of one account.
struct Teller {
    shard: Shard,
    now: Timestamp,
    told: usize,
}

impl Teller {
    fn now(&mut self, body: Body) {
        self.at(self.now, body);
    }

    fn at(&mut self, at: Timestamp, body: Body) {
        self.now = at;
        self.told += 1;
        self.shard.one(event(&format!("e{}", self.told), "A", at, body), at);
    }
}

/// Merchants sell, consumers buy.
fn order(kind: OrderKind, side: Side) -> Body {
    Body::Order(Order {
        kind,
        order_id: "o".to_owned(),
        side,
        purpose: Purpose::Purchase,
        currency: CNY,
        amount: 500,
        hold: None,
        hold_released: None,
        captured: None,
        credit_refunded: None,
    })
}

fn signal(name: &str, value: FactValue) -> Body {
    Body::Signal(Signal { name: name.to_owned(), value, valid_until: None })
}

fn autopay() -> Body {
    Body::Repayment { currency: CNY, kind: Repayment::AutopayChanged { autopay: true } }
}

fn ruleset(settings: &str) -> Arc<Ruleset> {
    let file = |(path, text): (&str, &str)| (path.to_owned(), text.to_owned());
    let settings = format!("name: guards\n{settings}\n");
    let files =
        [("ruleset.yaml", &*settings), ("up.rule.yaml", UP), ("down.rule.yaml", DOWN), ("look.rule.yaml", LOOK)];
    load(&files.map(file))
}

fn told(story: &Story) -> Teller {
    let mut tell = Teller { shard: Shard::new(&ruleset(story.settings)), now: START, told: 0 };
    let (segment, opened_at) = (story.segment, Some(START.plus(-30 * DAY)));
    tell.now(Body::Account(AccountEvent::Opened {
        segment,
        tier: Tier::None,
        currency: CNY,
        base: BASE,
        opened_at,
        probation_cap: None,
    }));
    (story.before)(&mut tell);
    tell.now(order(OrderKind::Placed, if segment.is_merchant() { Side::Seller } else { Side::Buyer }));
    tell
}

#[test]
fn every_guard_has_its_story() {
    let guards: Vec<&str> = STORIES.iter().map(|each| each.guard).collect();
    assert_eq!(guards, GUARD_NAMES);
}

#[test]
fn without_a_guard_the_increase_is_applied() {
    let Teller { shard, .. } = told(&STORY);
    assert_eq!(shard.accounts["A"].stack.base, BASE / 10 * 11);
    assert!(shard.state.totals.guards.is_empty());
}

#[test]
fn every_guard_stops_or_lowers_what_is_its_to_stop() {
    for story in STORIES {
        let Teller { shard, .. } = told(story);
        let guards: Vec<(&str, u64)> = shard.state.totals.guards.iter().map(|(name, hits)| (&**name, *hits)).collect();
        assert_eq!(guards, [(story.guard, 1)], "guards in the story of `{}`", story.guard);
        assert_eq!(shard.accounts["A"].stack.base, story.base, "base after the story of `{}`", story.guard);
    }
}

#[test]
fn what_a_guard_lowered_says_so() {
    for guard in ["maximum_step", "yearly_growth", "exposure"] {
        let story = STORIES.iter().find(|each| each.guard == guard).expect("its story");
        let Teller { shard, .. } = told(story);
        let Some(Output::LimitChange(change)) = shard.outputs.first() else { panic!("no change: {:?}", shard.outputs) };
        assert_eq!(change.guards_applied, [guard]);
    }
}

#[test]
fn what_a_person_must_decide_is_asked() {
    let by_guard = |guard: &str| STORIES.iter().find(|each| each.guard == guard).map(told).expect("its story");
    let outputs = by_guard("customer_share").shard.outputs;
    assert!(matches!(&outputs[..], [Output::Review(review)] if review.proposal == Some(BASE / 10)), "{outputs:?}");
    let outputs = by_guard("consent").shard.outputs;
    assert!(matches!(&outputs[..], [Output::Offer(offer)] if offer.amount == BASE / 10), "{outputs:?}");
}
