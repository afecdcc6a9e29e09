//! An account to its stored form; the layout stands in `store.proto`.

use headroom_engine::{
    Account, Block, Boost, Cycle, DayBucket, Delinquency, Due, Fact, Fed, Growth, Hold, HoldUntil, HourBucket, Memory,
    Money, MonthBucket, OpenOffer, OpenReview, Participation, Repay, Reported, Stack, Timestamp, Undo, UndoField,
    Utilisation, Windows,
};

use super::VERSION;
use super::account_form::{KNOWN_FACT_KEYS, Part, WINDOWS, first_day, first_hour, first_month};
use super::put::{Put, Row, answer, bits, step};

/// Appends the stored form of an account: a version byte, then a `StoredAccount`. The same account gives the same bytes.
pub fn encode_account(account: &Account, out: &mut Vec<u8>) {
    out.push(VERSION);
    let mut put = Put::new(out);
    put.text(1, &account.id);
    texts(&mut put, account);
    put.hashes(3, keys(account));
    let present = put.row(4, Timestamp(0), |row| {
        row.time(account.clock);
        row.told_from(account.clock);
        body(row, account);
    });
    put.unsigned(5, present);
}

/// In the order in which rows refer to them.
fn texts(put: &mut Put<'_>, account: &Account) {
    account.stack.blocks.iter().for_each(|block| put.text(2, &block.by));
    account.memory.reviews.iter().for_each(|review| put.text(2, &review.kind));
}

/// In the order in which rows take them.
fn keys(account: &Account) -> impl Iterator<Item = u64> {
    let uncleared = account.money.uncleared.iter().map(|each| each.payment);
    let payments = account.repay.payments.iter().map(|each| each.payment);
    let promotions = account.promotions.iter().map(|each| each.promotion);
    let boosts = account.stack.boosts.iter().map(|each| each.promotion);
    let reviews = account.memory.reviews.iter().flat_map(|each| halves(each.id));
    let offers = account.memory.offers.iter().flat_map(|each| halves(each.id));
    uncleared.chain(payments).chain(promotions).chain(boosts).chain(reviews).chain(offers)
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are written")]
fn halves(id: u128) -> [u64; 2] {
    [(id >> 64) as u64, id as u64]
}

fn body(row: &mut Row<'_>, account: &Account) {
    profile(row, account);
    for (windows, parts) in account.orders.iter().zip(WINDOWS) {
        self::windows(row, parts, windows);
    }
    money(row, &account.money);
    delinquency(row, &account.delinquency);
    repay(row, &account.repay, account.delinquency.dues.last());
    utilisation(row, &account.utilisation);
    row.table(Part::Marks, &account.marks, |row, mark, _| {
        row.count(mark.kind as u8).day(mark.day);
    });
    row.table(Part::Facts, &account.facts, |row, each, _| fact(row, each));
    row.table(Part::Promotions, &account.promotions, |row, each, _| promotion(row, each));
    growth(row, &account.growth);
    stack(row, &account.stack);
    memory(row, &account.memory);
    row.table(Part::Timers, &account.timers, |row, timer, _| {
        row.time(timer.due).count(timer.kind.number()).count(timer.rule);
    });
}

fn profile(row: &mut Row<'_>, account: &Account) {
    let words = [account.status.index(), account.segment.index(), account.tier.index()];
    assert!(words.iter().all(|index| *index < 8), "three bits hold a word");
    let words = words.iter().rev().fold(0, |all, index| all << 3 | u64::from(*index));
    row.count(words | answer(account.repay.autopay) << 9 | answer(account.memory.consent) << 11);
    if let Some(currency) = account.currency.filter(|_| row.has(Part::Currency, true)) {
        assert!(currency.0.iter().all(u8::is_ascii_uppercase), "a currency is three letters");
        row.count(currency.0.iter().fold(0, |all, letter| all * 26 + u64::from(letter - b'A')));
    }
    row.time(account.opened_at).time(account.first_seen);
    row.time_part(Part::LastOrder, account.last_order_at);
    row.count_part(Part::Sequence, account.sequence);
    row.count(account.broadcast).amount(account.volume).amount(account.stack.base).number(account.money.balance);
    row.count_part(Part::Declined, account.declined_days);
}

fn windows(row: &mut Row<'_>, [hours, days, months]: [Part; 3], windows: &Windows) {
    let clock = row.clock();
    row.table(hours, &windows.hours, |row, each, before| {
        hour(row, each, before.map_or(first_hour(clock), |each| each.hour));
    });
    row.table(days, &windows.days, |row, each, before| {
        day(row, each, before.map_or(first_day(clock), |each| each.day));
    });
    row.table(months, &windows.months, |row, each, before| {
        month(row, each, before.map_or(first_month(clock), |each| each.month));
    });
}

fn hour(row: &mut Row<'_>, each: &HourBucket, before: i32) {
    let [count, large, max] = [each.count != 1, each.large != 0, each.max_order != each.amount];
    row.count(step(each.hour, before) << 3 | bits([count, large, max])).amount(each.amount);
    let numbers = [(count, each.count.into()), (large, each.large.into()), (max, each.max_order)];
    numbers.iter().filter(|(other, _)| *other).for_each(|(_, number)| {
        row.amount(*number);
    });
}

fn day(row: &mut Row<'_>, each: &DayBucket, before: i32) {
    let amounts = [each.placed, each.paid, each.refunded, each.cancelled];
    row.count(step(each.day, before) << 4 | bits(amounts.map(|each| each != 0))).amounts_but_zeros(&amounts);
}

fn month(row: &mut Row<'_>, each: &MonthBucket, before: i32) {
    row.count(step(each.month, before) << 1 | u64::from(each.max_order != 0)).count(each.count);
    row.amounts_but_zeros(&[each.max_order]);
}

/// A moment that stands for "never" where it is the start of 1970.
fn unless_zero(at: Timestamp) -> Option<Timestamp> {
    Some(at).filter(|at| at.0 != 0)
}

fn money(row: &mut Row<'_>, money: &Money) {
    row.time_part(Part::MoneyLastMoved, unless_zero(money.last_moved));
    row.time_part(Part::MoneyAsOf, unless_zero(money.as_of));
    row.count_part(Part::Drift, money.drift);
    row.table(Part::Pending, &money.pending, |row, (day, held), _| {
        row.day(*day).amount(*held);
    });
    row.table(Part::Uncleared, &money.uncleared, |row, each, _| {
        row.amount(each.amount).time(each.clears_at);
    });
}

fn delinquency(row: &mut Row<'_>, delinquency: &Delinquency) {
    row.table(Part::Dues, &delinquency.dues, |row, due, _| {
        let left = due.amount.wrapping_sub(due.paid);
        row.time(due.due_at).amount(due.amount).amount(left);
    });
    if let Some(reported) = delinquency.reported.filter(|_| row.has(Part::Reported, true)) {
        let Reported { dpd, day, advances, cycle } = reported;
        row.number(dpd).day(day).count(u8::from(advances)).count(cycle);
    }
    if row.has(Part::DpdSeen, delinquency.seen != 0) {
        row.number(delinquency.seen);
    }
    let first = first_month(row.clock());
    row.table(Part::DpdMonths, &delinquency.months, |row, (month, dpd), before| {
        row.count(step(*month, before.map_or(first, |(month, _)| *month))).number(*dpd);
    });
    row.time_part(Part::Cured, delinquency.cured_at);
}

fn repay(row: &mut Row<'_>, repay: &Repay, last_due: Option<&Due>) {
    if let Some(each) = repay.cycle.filter(|_| row.has(Part::Cycle, true)) {
        cycle(row, &each, last_due);
    }
    if row.has(Part::Fed, repay.fed != Fed::default()) {
        let fed = repay.fed;
        row.count(bits([fed.on_time, fed.early, fed.full])).number(fed.spare);
    }
    let streaks = [repay.on_time_streak, repay.early_streak, repay.full_streak, repay.min_only_streak, repay.cycles];
    if row.has(Part::Streaks, streaks != [0; 5]) {
        streaks.iter().for_each(|streak| {
            row.count(*streak);
        });
    }
    row.table(Part::Payments, &repay.payments, |row, each, _| {
        row.amount(each.amount).count(repay.cycles.wrapping_sub(each.cycle));
    });
}

fn cycle(row: &mut Row<'_>, cycle: &Cycle, last_due: Option<&Due>) {
    let known = last_due.is_some_and(|due| cycle.due_at == Some(due.due_at) && cycle.min_due == due.amount);
    let times = [cycle.due_at.filter(|_| !known), cycle.min_paid_at, cycle.full_paid_at];
    let [due, min_paid, full_paid] = times.map(|at| at.is_some());
    row.count(bits([known, due, min_paid, full_paid, cycle.paid != 0])).number(cycle.balance);
    if !known {
        row.amount(cycle.min_due);
    }
    row.times(&times).time(cycle.issued_at).amounts_but_zeros(&[cycle.paid]);
}

fn utilisation(row: &mut Row<'_>, utilisation: &Utilisation) {
    if !row.has(Part::Utilisation, *utilisation != Utilisation::default()) {
        return;
    }
    row.day(utilisation.day).count(utilisation.above_80).count(utilisation.months.len() as u64);
    let mut before = first_month(row.clock());
    for (month, sum, days) in &utilisation.months {
        row.count(step(*month, before)).amount(*sum).number(*days);
        before = *month;
    }
}

/// Known facts have a small number; most have no other moment than their own.
fn fact(row: &mut Row<'_>, fact: &Fact) {
    let known = KNOWN_FACT_KEYS.iter().position(|key| *key == fact.key);
    let number = known.map_or(0, |at| at as u64 + 1);
    let other_true = fact.last_true.filter(|at| *at != fact.at);
    let flags = [fact.last_true.is_some(), other_true.is_some(), fact.until.is_some() || fact.earlier.is_some()];
    row.count(number << 3 | bits(flags));
    if known.is_none() {
        row.count(fact.key);
    }
    row.number(fact.value).time(fact.at).times(&[other_true]);
    if flags[2] {
        row.count(bits([fact.until.is_some(), fact.earlier.is_some()])).times(&[fact.until]);
        fact.earlier.iter().for_each(|(value, at)| {
            row.number(*value).time(*at);
        });
    }
}

/// Many took part on one day only.
fn promotion(row: &mut Row<'_>, each: &Participation) {
    let (day, sum) = each.today;
    let others = [each.forecast != 0, each.best_day != each.amount, sum != each.best_day];
    let rare = each.worst_dpd != 0 || each.flips != 0;
    row.count(bits([each.enrolled, others[0], others[1], others[2], rare])).amounts_but_zeros(&[each.forecast]);
    row.amount(each.amount).day(day);
    let sums = [(others[1], each.best_day), (others[2], sum)];
    sums.iter().filter(|(other, _)| *other).for_each(|(_, sum)| {
        row.amount(*sum);
    });
    if rare {
        row.number(each.worst_dpd).count(each.flips);
    }
}

fn growth(row: &mut Row<'_>, growth: &Growth) {
    row.table(Part::Bases, &growth.bases, |row, (day, base), _| {
        row.day(*day).amount(*base);
    });
    let times = [growth.last_increase, growth.last_boost, growth.last_decrease];
    if row.has(Part::Growth, times != [None; 3] || growth.favourable != (0, 0)) {
        let (day, count) = growth.favourable;
        row.count(bits(times.map(|at| at.is_some()))).times(&times).day(day).count(count);
    }
}

fn stack(row: &mut Row<'_>, stack: &Stack) {
    row.table(Part::Boosts, &stack.boosts, |row, each, _| boost(row, each));
    row.table(Part::Caps, &stack.caps, |row, cap, _| {
        row.count(cap.name.index()).amount(cap.amount).optional_time(cap.until);
    });
    row.table(Part::Blocks, &stack.blocks, |row, each, _| block(row, each));
    row.table(Part::Holds, &stack.holds, |row, each, _| hold(row, each));
    row.table(Part::Waivers, &stack.waivers, |row, waiver, _| {
        row.count(waiver.cause.index()).count(waiver.rule).time(waiver.until);
    });
    row.table(Part::Undo, &stack.undo, |row, each, _| undo(row, each));
}

fn boost(row: &mut Row<'_>, boost: &Boost) {
    row.amount(boost.amount).amount(boost.granted).time(boost.from).time(boost.until).count(boost.rule);
    row.count(u8::from(boost.expired)).amount(boost.used_peak);
    match boost.steps {
        Some(steps) => row.count(1_u8).number(steps.percent).amount(steps.every).time(steps.next).count(steps.left),
        None => row.count(0_u8),
    };
}

fn block(row: &mut Row<'_>, block: &Block) {
    row.count(block.cause.index()).count(block.scope.index()).optional(block.ceiling).time(block.since);
    row.optional_time(block.until).number(block.granted_before).count(block.rule).time(block.proposed);
    row.text(&block.by);
}

fn hold(row: &mut Row<'_>, hold: &Hold) {
    row.count(hold.of.index());
    match hold.until {
        HoldUntil::Time(until) => row.count(1_u8).time(until),
        HoldUntil::Cured { days_after } => row.count(0_u8).number(days_after),
    };
    row.count(hold.rule);
}

fn undo(row: &mut Row<'_>, undo: &Undo) {
    let field = match undo.field {
        UndoField::Base => 0_u8,
        UndoField::Boost => 1,
        UndoField::Block => 2,
    };
    row.count(undo.sequence).count(field).number(undo.delta);
    row.optional(undo.cause.map(|cause| cause.index().into())).count(undo.rule).time(undo.at);
}

fn memory(row: &mut Row<'_>, memory: &Memory) {
    row.table(Part::Once, &memory.once, |row, rule, _| {
        row.count(*rule);
    });
    row.table(Part::Reviews, &memory.reviews, |row, each, _| review(row, each));
    row.table(Part::Offers, &memory.offers, |row, each, _| offer(row, each));
    row.table(Part::Compensations, &memory.compensations, |row, each, _| {
        row.count(each.rule).count(each.cause.index()).time(each.deadline).amount(each.every);
    });
    row.count_part(Part::Missed, memory.missed);
    row.count_part(Part::CascadeCut, memory.cascade_cut);
    row.time_part(Part::LedgerBehind, memory.ledger_behind_since);
}

fn review(row: &mut Row<'_>, review: &OpenReview) {
    row.text(&review.kind).optional(review.cause.map(|cause| cause.index().into()));
    row.count(u8::from(review.blocking)).time(review.at);
}

fn offer(row: &mut Row<'_>, offer: &OpenOffer) {
    row.count(offer.rule).count(offer.class.index()).amount(offer.amount).time(offer.expires);
}
