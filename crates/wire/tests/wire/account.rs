//! Accounts and shards filled at random, with the ends of every range among them.

use std::array::from_fn;

use headroom_engine::{
    Account, AccountId, Block, Boost, Broadcast, Broadcasts, Cap, CapName, Cause, Class, Compensation, Cycle,
    DayBucket, Delinquency, Due, Fact, Fed, Growth, Hold, HoldOf, HoldUntil, Holiday, HourBucket, Mark, MarkKind,
    Memory, Moment, Money, MonthBucket, OpenOffer, OpenReview, Participation, Payment, Promotion, Regime, Repay,
    Reported, Scope, Segment, ShardState, Stack, Status, Steps, Suspect, Sweep, Tier, Timer, TimerKind, Timestamp,
    Totals, Uncleared, Undo, UndoField, Utilisation, Waiver, Windows, name_key,
};
use headroom_policy::Currency;

use crate::fill::Dice;

/// Any account that the types allow.
pub fn random_account(dice: &mut Dice) -> Account {
    Account {
        id: AccountId::from(text(dice)),
        status: pick(dice, Status::ALL),
        segment: pick(dice, Segment::ALL),
        tier: pick(dice, Tier::ALL),
        currency: option(dice, |_| Currency(*b"CNY")),
        opened_at: time(dice),
        last_order_at: option(dice, time),
        first_seen: time(dice),
        clock: time(dice),
        sequence: dice.roll(),
        broadcast: dice.roll(),
        volume: dice.number(),
        stack: stack(dice),
        money: money(dice),
        repay: repay(dice),
        delinquency: delinquency(dice),
        orders: from_fn(|_| windows(dice)),
        declined_days: dice.roll(),
        utilisation: utilisation(dice),
        marks: list(dice, |dice| Mark { kind: mark_kind(dice), day: small(dice) }),
        facts: list(dice, fact),
        promotions: list(dice, participation),
        growth: growth(dice),
        memory: memory(dice),
        timers: list(dice, |dice| Timer { due: time(dice), kind: pick(dice, TimerKind::ALL), rule: count(dice) }),
    }
}

fn list<T>(dice: &mut Dice, mut fill: impl FnMut(&mut Dice) -> T) -> Vec<T> {
    (0..dice.below(5)).map(|_| fill(dice)).collect()
}

fn option<T>(dice: &mut Dice, fill: impl FnOnce(&mut Dice) -> T) -> Option<T> {
    dice.one_in(2).then(|| fill(dice))
}

fn pick<T: Copy>(dice: &mut Dice, from: &[T]) -> T {
    from[dice.below(from.len())]
}

fn time(dice: &mut Dice) -> Timestamp {
    match dice.below(3) {
        0 => Timestamp(0),
        1 => Timestamp(dice.number()),
        _ => Timestamp(1_762_805_100_000 + dice.number() % 1_000_000),
    }
}

fn small(dice: &mut Dice) -> i32 {
    i32::try_from(dice.number() >> 32).unwrap()
}

fn count(dice: &mut Dice) -> u32 {
    u32::try_from(dice.roll() >> (32 + dice.below(32))).unwrap()
}

fn flag(dice: &mut Dice) -> bool {
    dice.one_in(2)
}

fn text(dice: &mut Dice) -> String {
    pick(dice, &["", "a", "account-17", "大促"]).to_owned()
}

fn cause(dice: &mut Dice) -> Cause {
    pick(dice, Cause::ALL)
}

fn id(dice: &mut Dice) -> u128 {
    u128::from(dice.roll()) << 64 | u128::from(dice.roll())
}

fn mark_kind(dice: &mut Dice) -> MarkKind {
    pick(dice, &[MarkKind::Late, MarkKind::Returned, MarkKind::Broken, MarkKind::Fraud])
}

fn stack(dice: &mut Dice) -> Stack {
    Stack {
        base: dice.number(),
        boosts: list(dice, boost),
        caps: list(dice, |dice| Cap {
            name: pick(dice, CapName::ALL),
            amount: dice.number(),
            until: option(dice, time),
        }),
        blocks: list(dice, block),
        holds: list(dice, |dice| Hold { of: pick(dice, HoldOf::ALL), until: hold_until(dice), rule: count(dice) }),
        waivers: list(dice, |dice| Waiver { cause: cause(dice), rule: count(dice), until: time(dice) }),
        undo: list(dice, undo),
    }
}

fn boost(dice: &mut Dice) -> Boost {
    Boost {
        amount: dice.number(),
        granted: dice.number(),
        from: time(dice),
        until: time(dice),
        rule: count(dice),
        promotion: dice.roll(),
        expired: flag(dice),
        used_peak: dice.number(),
        steps: option(dice, |dice| Steps {
            percent: dice.number(),
            every: dice.number(),
            next: time(dice),
            left: count(dice),
        }),
    }
}

fn block(dice: &mut Dice) -> Block {
    Block {
        cause: cause(dice),
        scope: pick(dice, Scope::ALL),
        ceiling: option(dice, Dice::number),
        since: time(dice),
        until: option(dice, time),
        granted_before: dice.number(),
        rule: count(dice),
        proposed: time(dice),
        by: text(dice),
    }
}

fn hold_until(dice: &mut Dice) -> HoldUntil {
    if flag(dice) { HoldUntil::Time(time(dice)) } else { HoldUntil::Cured { days_after: small(dice) } }
}

fn undo(dice: &mut Dice) -> Undo {
    Undo {
        sequence: dice.roll(),
        field: pick(dice, &[UndoField::Base, UndoField::Boost, UndoField::Block]),
        delta: dice.number(),
        cause: option(dice, cause),
        rule: count(dice),
        at: time(dice),
    }
}

fn money(dice: &mut Dice) -> Money {
    Money {
        balance: dice.number(),
        pending: list(dice, |dice| (small(dice), dice.number())),
        uncleared: list(dice, |dice| Uncleared { payment: dice.roll(), amount: dice.number(), clears_at: time(dice) }),
        last_moved: time(dice),
        as_of: time(dice),
        drift: count(dice),
    }
}

fn repay(dice: &mut Dice) -> Repay {
    Repay {
        cycle: option(dice, cycle),
        fed: Fed { on_time: flag(dice), early: flag(dice), full: flag(dice), spare: dice.number() },
        on_time_streak: count(dice),
        early_streak: count(dice),
        full_streak: count(dice),
        min_only_streak: count(dice),
        autopay: option(dice, flag),
        payments: list(dice, |dice| Payment { payment: dice.roll(), amount: dice.number(), cycle: count(dice) }),
        cycles: count(dice),
    }
}

fn cycle(dice: &mut Dice) -> Cycle {
    Cycle {
        balance: dice.number(),
        min_due: dice.number(),
        due_at: option(dice, time),
        issued_at: time(dice),
        paid: dice.number(),
        min_paid_at: option(dice, time),
        full_paid_at: option(dice, time),
    }
}

fn delinquency(dice: &mut Dice) -> Delinquency {
    Delinquency {
        dues: list(dice, |dice| Due { due_at: time(dice), amount: dice.number(), paid: dice.number() }),
        reported: option(dice, |dice| Reported {
            dpd: small(dice),
            day: small(dice),
            advances: flag(dice),
            cycle: count(dice),
        }),
        seen: small(dice),
        months: list(dice, |dice| (small(dice), small(dice))),
        cured_at: option(dice, time),
    }
}

fn windows(dice: &mut Dice) -> Windows {
    Windows {
        hours: list(dice, |dice| HourBucket {
            hour: small(dice),
            amount: dice.number(),
            count: count(dice),
            large: count(dice),
            max_order: dice.number(),
        }),
        days: list(dice, |dice| DayBucket {
            day: small(dice),
            placed: dice.number(),
            paid: dice.number(),
            refunded: dice.number(),
            cancelled: dice.number(),
        }),
        months: list(dice, |dice| MonthBucket { month: small(dice), count: count(dice), max_order: dice.number() }),
    }
}

fn utilisation(dice: &mut Dice) -> Utilisation {
    Utilisation {
        months: list(dice, |dice| (small(dice), dice.number(), small(dice))),
        above_80: dice.roll(),
        day: small(dice),
    }
}

fn fact(dice: &mut Dice) -> Fact {
    Fact {
        key: count(dice),
        value: dice.number(),
        at: time(dice),
        until: option(dice, time),
        last_true: option(dice, time),
        earlier: option(dice, |dice| (dice.number(), time(dice))),
    }
}

fn participation(dice: &mut Dice) -> Participation {
    Participation {
        promotion: dice.roll(),
        enrolled: flag(dice),
        forecast: dice.number(),
        amount: dice.number(),
        best_day: dice.number(),
        today: (small(dice), dice.number()),
        worst_dpd: small(dice),
        flips: count(dice),
    }
}

fn growth(dice: &mut Dice) -> Growth {
    Growth {
        bases: list(dice, |dice| (small(dice), dice.number())),
        last_increase: option(dice, time),
        last_boost: option(dice, time),
        last_decrease: option(dice, time),
        favourable: (small(dice), count(dice)),
    }
}

fn memory(dice: &mut Dice) -> Memory {
    Memory {
        once: list(dice, count),
        reviews: list(dice, |dice| OpenReview {
            id: id(dice),
            kind: text(dice),
            cause: option(dice, cause),
            blocking: flag(dice),
            at: time(dice),
        }),
        offers: list(dice, |dice| OpenOffer {
            id: id(dice),
            rule: count(dice),
            class: pick(dice, Class::ALL),
            amount: dice.number(),
            expires: time(dice),
        }),
        compensations: list(dice, |dice| Compensation {
            rule: count(dice),
            cause: cause(dice),
            deadline: time(dice),
            every: dice.number(),
        }),
        consent: option(dice, flag),
        missed: count(dice),
        cascade_cut: count(dice),
        ledger_behind_since: option(dice, time),
    }
}

/// Any shard that the types allow.
pub fn random_state(dice: &mut Dice) -> ShardState {
    ShardState {
        now: time(dice),
        broadcasts: broadcasts(dice).into(),
        seen_from_day: small(dice),
        provisional: dice.roll(),
        accounts: dice.roll(),
        feeds: list(dice, |dice| (text(dice), time(dice))).into_iter().collect(),
        totals: totals(dice),
        sweep: option(dice, |dice| Sweep { target: dice.roll(), after: option(dice, |dice| text(dice).into()) }),
    }
}

fn broadcasts(dice: &mut Dice) -> Broadcasts {
    Broadcasts {
        log: list(dice, |dice| Broadcast { at: time(dice), moment: moment(dice) }),
        promotions: list(dice, promotion),
        holidays: list(dice, |dice| Holiday { name: text(dice), start: time(dice), end: time(dice) }),
        regime: option(dice, |dice| pick(dice, Regime::ALL)),
        budgets: list(dice, |dice| (Currency(*b"GBP"), dice.number())),
        upcoming: list(dice, |dice| (time(dice), moment(dice))),
    }
}

fn moment(dice: &mut Dice) -> Moment {
    let (key, at, until) = (dice.roll(), time(dice), time(dice));
    let all = [
        Moment::PromotionAnnounced(key),
        Moment::PromotionNear(key),
        Moment::PromotionStarted(key),
        Moment::PromotionExtended(key),
        Moment::PromotionEnded(key),
        Moment::HolidayNear(at),
        Moment::MarketChanged,
        Moment::FaultCleared(at, until),
        Moment::RolloutRolledBack(key, Suspect { since: at, until, rule: 7 }),
    ];
    pick(dice, &all)
}

fn promotion(dice: &mut Dice) -> Promotion {
    let id = text(dice);
    let segments = list(dice, |dice| pick(dice, Segment::ALL));
    Promotion { key: name_key(&id), id, start: time(dice), end: time(dice), segments }
}

fn totals(dice: &mut Dice) -> Totals {
    Totals {
        events: dice.roll(),
        duplicates: dice.roll(),
        dead_letters: list(dice, |dice| (text(dice), dice.roll())).into_iter().collect(),
        changes: list(dice, |dice| (text(dice), dice.roll())).into_iter().collect(),
        offers: dice.roll(),
        reviews: dice.roll(),
        notices: dice.roll(),
        fired: list(dice, |dice| (count(dice), dice.roll())).into_iter().collect(),
        guards: list(dice, |dice| (text(dice), dice.roll())).into_iter().collect(),
        not_evaluated: list(dice, |dice| (count(dice), dice.roll())).into_iter().collect(),
        compensations_missed: dice.roll(),
        cascades_cut: dice.roll(),
        pending_drift: dice.roll(),
        overridden: list(dice, |dice| (text(dice), dice.roll())).into_iter().collect(),
    }
}
