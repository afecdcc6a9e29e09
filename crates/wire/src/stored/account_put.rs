//! An account to its stored form; the layout stands in `store.proto`.

use headroom_engine::{
    Account, Block, Boost, Cycle, Delinquency, Fact, Fed, Growth, Hold, HoldUntil, Memory, Money, OpenOffer,
    OpenReview, Participation, Repay, Reported, Stack, Timestamp, Undo, UndoField, Utilisation, Windows,
};

use super::VERSION;
use super::put::{Put, Row};

/// Appends the stored form of an account: a version byte, then a `StoredAccount`. The same account gives the same bytes.
pub fn encode_account(account: &Account, out: &mut Vec<u8>) {
    out.push(VERSION);
    let mut put = Put::new(out, account.clock);
    profile(&mut put, account);
    texts(&mut put, account);
    windows(&mut put, 16, &account.orders[0]);
    windows(&mut put, 19, &account.orders[1]);
    money(&mut put, &account.money);
    repay(&mut put, &account.repay);
    delinquency(&mut put, &account.delinquency);
    utilisation(&mut put, &account.utilisation);
    put.table(41, &account.marks, |row, mark, before| {
        row.number(mark.kind as u8).number(difference(mark.day, before.map(|mark| mark.day)));
    });
    put.table(42, &account.facts, |row, each, _| fact(row, each));
    promotions(&mut put, &account.promotions);
    growth(&mut put, &account.growth);
    stack(&mut put, &account.stack);
    memory(&mut put, &account.memory);
    put.table(62, &account.timers, |row, timer, _| {
        row.time(timer.due).number(timer.kind.number()).number(timer.rule);
    });
    put.optional_time(63, account.last_order_at);
    put.optional_time(64, unless_zero(account.money.as_of));
}

/// A moment that stands for "never" where it is the start of 1970.
fn unless_zero(at: Timestamp) -> Option<Timestamp> {
    Some(at).filter(|at| at.0 != 0)
}

fn difference(value: i32, before: Option<i32>) -> i64 {
    i64::from(value) - i64::from(before.unwrap_or(0))
}

/// Three bits that say what follows, beside a running number.
fn with_bits(difference: i64, [first, second, third]: [bool; 3]) -> i64 {
    difference << 3 | i64::from(first) | i64::from(second) << 1 | i64::from(third) << 2
}

fn profile(put: &mut Put<'_>, account: &Account) {
    put.text(1, &account.id);
    put.signed(2, account.clock.0);
    put.unsigned(3, u64::from(account.status.index()) + 1);
    put.unsigned(4, u64::from(account.segment.index()) + 1);
    put.unsigned(5, u64::from(account.tier.index()) + 1);
    if let Some(currency) = account.currency {
        put.text(6, std::str::from_utf8(&currency.0).expect("a currency is three letters"));
    }
    put.time(7, account.opened_at);
    put.time(8, account.first_seen);
    put.unsigned(9, account.sequence);
    put.unsigned(10, account.broadcast);
    put.signed(11, account.volume);
    put.signed(12, account.stack.base);
    put.signed(13, account.money.balance);
    put.unsigned(14, account.declined_days);
}

/// In the order in which rows refer to them.
fn texts(put: &mut Put<'_>, account: &Account) {
    account.stack.blocks.iter().for_each(|block| put.text(15, &block.by));
    account.memory.reviews.iter().for_each(|review| put.text(15, &review.kind));
}

fn windows(put: &mut Put<'_>, first: u32, windows: &Windows) {
    put.table(first, &windows.hours, |row, each, before| {
        let others = [each.count != 1, each.large != 0, each.max_order != each.amount];
        row.number(with_bits(difference(each.hour, before.map(|each| each.hour)), others)).number(each.amount);
        let numbers = [each.count.into(), each.large.into(), each.max_order];
        numbers.into_iter().zip(others).filter(|(_, other)| *other).fold(row, |row, (number, _)| row.number(number));
    });
    put.table(first + 1, &windows.days, |row, each, before| {
        let numbers = [each.paid, each.refunded, each.cancelled];
        let others = numbers.map(|number| number != 0);
        row.number(with_bits(difference(each.day, before.map(|each| each.day)), others)).number(each.placed);
        numbers.into_iter().filter(|number| *number != 0).fold(row, Row::number);
    });
    put.table(first + 2, &windows.months, |row, each, before| {
        row.number(difference(each.month, before.map(|each| each.month)));
        row.number(each.count).number(each.max_order);
    });
}

fn money(put: &mut Put<'_>, money: &Money) {
    put.optional_time(22, unless_zero(money.last_moved));
    put.unsigned(23, u64::from(money.drift));
    put.table(24, &money.pending, |row, (day, held), before| {
        row.number(difference(*day, before.map(|(day, _)| *day))).number(*held);
    });
    put.hashes(25, money.uncleared.iter().map(|each| each.payment));
    put.table(26, &money.uncleared, |row, each, _| {
        row.number(each.amount).time(each.clears_at);
    });
}

fn repay(put: &mut Put<'_>, repay: &Repay) {
    if let Some(cycle) = &repay.cycle {
        put.row(27, |row| self::cycle(row, cycle));
    }
    if repay.fed != Fed::default() {
        let fed = repay.fed;
        put.row(28, |row| {
            row.number(fed.on_time).number(fed.early).number(fed.full).number(fed.spare);
        });
    }
    let streaks = [repay.on_time_streak, repay.early_streak, repay.full_streak, repay.min_only_streak, repay.cycles];
    if streaks != [0; 5] {
        put.row(29, |row| {
            streaks.iter().fold(row, |row, streak| row.number(*streak));
        });
    }
    put.optional(30, repay.autopay.map(u64::from));
    put.hashes(31, repay.payments.iter().map(|each| each.payment));
    put.table(32, &repay.payments, |row, each, _| {
        row.number(each.amount).number(i64::from(each.cycle) - i64::from(repay.cycles));
    });
}

fn cycle(row: &mut Row<'_>, cycle: &Cycle) {
    row.number(cycle.balance).number(cycle.min_due).optional_time(cycle.due_at).time(cycle.issued_at);
    row.number(cycle.paid).optional_time(cycle.min_paid_at).optional_time(cycle.full_paid_at);
}

fn delinquency(put: &mut Put<'_>, delinquency: &Delinquency) {
    put.table(33, &delinquency.dues, |row, due, before| {
        match before {
            Some(before) => row.number(due.due_at.0.wrapping_sub(before.due_at.0)),
            None => row.time(due.due_at),
        };
        row.number(due.amount).number(due.amount.wrapping_sub(due.paid));
    });
    if let Some(reported) = &delinquency.reported {
        put.row(34, |row| self::reported(row, reported));
    }
    put.signed(35, i64::from(delinquency.seen));
    put.table(36, &delinquency.months, |row, (month, dpd), before| {
        row.number(difference(*month, before.map(|(month, _)| *month))).number(*dpd);
    });
    put.optional_time(37, delinquency.cured_at);
}

fn reported(row: &mut Row<'_>, reported: &Reported) {
    row.number(reported.dpd).number(reported.day).number(reported.advances).number(reported.cycle);
}

fn utilisation(put: &mut Put<'_>, utilisation: &Utilisation) {
    put.table(38, &utilisation.months, |row, (month, sum, days), before| {
        row.number(difference(*month, before.map(|(month, _, _)| *month))).number(*sum).number(*days);
    });
    put.unsigned(39, utilisation.above_80);
    put.signed(40, i64::from(utilisation.day));
}

fn fact(row: &mut Row<'_>, fact: &Fact) {
    row.number(fact.key).number(fact.value).time(fact.at).optional_time(fact.until).optional_time(fact.last_true);
    match fact.earlier {
        Some((value, at)) => row.number(1).number(value).time(at),
        None => row.number(0),
    };
}

fn promotions(put: &mut Put<'_>, promotions: &[Participation]) {
    put.hashes(43, promotions.iter().map(|each| each.promotion));
    put.table(44, promotions, |row, each, _| {
        row.number(each.enrolled).number(each.forecast).number(each.amount).number(each.best_day);
        row.number(each.today.0).number(each.today.1).number(each.worst_dpd).number(each.flips);
    });
}

fn growth(put: &mut Put<'_>, growth: &Growth) {
    put.table(45, &growth.bases, |row, (day, base), before| {
        row.number(difference(*day, before.map(|(day, _)| *day))).number(*base);
    });
    let times = [growth.last_increase, growth.last_boost, growth.last_decrease];
    if times != [None; 3] || growth.favourable != (0, 0) {
        put.row(46, |row| {
            let row = times.iter().fold(row, |row, at| row.optional_time(*at));
            row.number(growth.favourable.0).number(growth.favourable.1);
        });
    }
}

fn stack(put: &mut Put<'_>, stack: &Stack) {
    put.table(47, &stack.boosts, |row, each, _| boost(row, each));
    put.table(48, &stack.caps, |row, cap, _| {
        row.number(cap.name.index()).number(cap.amount).optional_time(cap.until);
    });
    put.table(49, &stack.blocks, |row, each, _| block(row, each));
    put.table(50, &stack.holds, |row, each, _| hold(row, each));
    put.table(51, &stack.waivers, |row, waiver, _| {
        row.number(waiver.cause.index()).number(waiver.rule).time(waiver.until);
    });
    put.table(52, &stack.undo, |row, each, _| undo(row, each));
}

fn boost(row: &mut Row<'_>, boost: &Boost) {
    row.number(boost.amount).number(boost.granted).time(boost.from).time(boost.until).number(boost.rule);
    row.bits(boost.promotion).number(boost.expired).number(boost.used_peak);
    match boost.steps {
        Some(steps) => row.number(1).number(steps.percent).number(steps.every).time(steps.next).number(steps.left),
        None => row.number(0),
    };
}

fn block(row: &mut Row<'_>, block: &Block) {
    row.number(block.cause.index()).number(block.scope.index()).optional(block.ceiling).time(block.since);
    row.optional_time(block.until).number(block.granted_before).number(block.rule).time(block.proposed);
    row.text(&block.by);
}

fn hold(row: &mut Row<'_>, hold: &Hold) {
    row.number(hold.of.index());
    match hold.until {
        HoldUntil::Time(until) => row.number(1).time(until),
        HoldUntil::Cured { days_after } => row.number(0).number(days_after),
    };
    row.number(hold.rule);
}

fn undo(row: &mut Row<'_>, undo: &Undo) {
    let field = match undo.field {
        UndoField::Base => 0,
        UndoField::Boost => 1,
        UndoField::Block => 2,
    };
    row.bits(undo.sequence).number(field).number(undo.delta);
    row.optional(undo.cause.map(|cause| cause.index().into())).number(undo.rule).time(undo.at);
}

fn memory(put: &mut Put<'_>, memory: &Memory) {
    put.table(53, &memory.once, |row, rule, before| {
        row.number(i64::from(*rule) - i64::from(before.copied().unwrap_or(0)));
    });
    put.table(54, &memory.reviews, |row, each, _| review(row, each));
    put.table(55, &memory.offers, |row, each, _| offer(row, each));
    put.table(56, &memory.compensations, |row, each, _| {
        row.number(each.rule).number(each.cause.index()).time(each.deadline).number(each.every);
    });
    put.optional(57, memory.consent.map(u64::from));
    put.unsigned(58, u64::from(memory.missed));
    put.unsigned(59, u64::from(memory.cascade_cut));
    put.optional_time(60, memory.next_monthly);
    put.optional_time(61, memory.ledger_behind_since);
}

fn review(row: &mut Row<'_>, review: &OpenReview) {
    id(row, review.id);
    row.text(&review.kind).optional(review.cause.map(|cause| cause.index().into()));
    row.number(review.blocking).time(review.at);
}

fn offer(row: &mut Row<'_>, offer: &OpenOffer) {
    id(row, offer.id);
    row.number(offer.rule).number(offer.class.index()).number(offer.amount).time(offer.expires);
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are written")]
fn id(row: &mut Row<'_>, id: u128) {
    row.bits((id >> 64) as u64).bits(id as u64);
}
