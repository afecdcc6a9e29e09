//! A stored account, taken apart: money in minor units, times in UTC, rules and facts by name.

use headroom_engine::{Account, Cycle, Limits, MarkKind, Participation, Side, Windows};

use super::stack;
use super::when::{day, instant, maybe, month, span};
use super::{Item, Names};

/// Everything about an account, as of the shard's clock.
pub fn account(account: &Account, names: &Names) -> Item {
    let now = names.now.max(account.clock);
    Item::fields([
        ("id", account.id.as_ref().into()),
        ("status", account.status.word().into()),
        ("segment", account.segment.word().into()),
        ("tier", account.tier.word().into()),
        ("currency", account.currency.map(|currency| currency.to_string()).into()),
        ("opened_at", instant(account.opened_at)),
        ("first_seen", instant(account.first_seen)),
        ("last_order_at", maybe(account.last_order_at)),
        ("as_of", instant(now)),
        ("sequence", account.sequence.into()),
        ("broadcast", account.broadcast.into()),
        ("volume", account.volume.into()),
        ("limits", limits(&account.limits(now), account, names)),
        ("stack", stack::stack(&account.stack, names)),
        ("money", money(account)),
        ("repay", repay(account)),
        ("delinquency", delinquency(account)),
        ("windows", sides(account)),
        ("utilisation", utilisation(account)),
        (
            "marks",
            Item::list(
                account
                    .marks
                    .iter()
                    .map(|each| Item::fields([("kind", mark(each.kind).into()), ("day", day(each.day))])),
            ),
        ),
        ("facts", facts(account, names)),
        ("promotions", Item::list(account.promotions.iter().map(|each| promotion(each, names)))),
        ("growth", growth(account)),
        ("memory", memory(account, names)),
        ("timers", timers(account, names)),
    ])
}

fn limits(limits: &Limits, account: &Account, names: &Names) -> Item {
    Item::fields([
        ("base", account.stack.base.into()),
        ("granted", limits.granted.into()),
        ("granted_bound_by", names.term(limits.granted_bound_by)),
        ("effective", limits.effective.into()),
        ("effective_bound_by", names.term(limits.effective_bound_by)),
        ("used", limits.used.into()),
        ("available", limits.available.into()),
        ("spendable", limits.spendable.into()),
        ("spendable_bound_by", names.term(limits.spendable_bound_by)),
        ("spendable_cash", limits.spendable_cash.into()),
        ("uncleared", limits.uncleared.into()),
    ])
}

fn money(account: &Account) -> Item {
    let money = &account.money;
    let pending =
        money.pending.iter().map(|(on, amount)| Item::fields([("day", day(*on)), ("amount", (*amount).into())]));
    let uncleared = money.uncleared.iter().map(|each| {
        let payment = format!("{:016x}", each.payment);
        let clears_at = instant(each.clears_at);
        Item::fields([("payment", payment.into()), ("amount", each.amount.into()), ("clears_at", clears_at)])
    });
    Item::fields([
        ("balance", money.balance.into()),
        ("pending", account.pending().into()),
        ("last_moved", instant(money.last_moved)),
        ("snapshot_as_of", instant(money.as_of)),
        ("drift", money.drift.into()),
        ("pending_by_day", Item::list(pending)),
        ("uncleared", Item::list(uncleared)),
    ])
}

fn repay(account: &Account) -> Item {
    let repay = &account.repay;
    let payments = repay.payments.iter().map(|each| {
        let payment = format!("{:016x}", each.payment);
        Item::fields([("payment", payment.into()), ("amount", each.amount.into()), ("cycle", each.cycle.into())])
    });
    Item::fields([
        ("cycles", repay.cycles.into()),
        ("on_time_streak", repay.on_time_streak.into()),
        ("early_streak", repay.early_streak.into()),
        ("full_streak", repay.full_streak.into()),
        ("min_only_streak", repay.min_only_streak.into()),
        ("autopay", repay.autopay.into()),
        ("cycle", repay.cycle.as_ref().map(cycle).into()),
        ("payments", Item::list(payments)),
    ])
}

fn cycle(cycle: &Cycle) -> Item {
    Item::fields([
        ("balance", cycle.balance.into()),
        ("min_due", cycle.min_due.into()),
        ("paid", cycle.paid.into()),
        ("issued_at", instant(cycle.issued_at)),
        ("due_at", maybe(cycle.due_at)),
        ("min_paid_at", maybe(cycle.min_paid_at)),
        ("full_paid_at", maybe(cycle.full_paid_at)),
    ])
}

fn delinquency(account: &Account) -> Item {
    let delinquency = &account.delinquency;
    let dues = delinquency.dues.iter().map(|each| {
        Item::fields([("due_at", instant(each.due_at)), ("amount", each.amount.into()), ("paid", each.paid.into())])
    });
    let months =
        delinquency.months.iter().map(|(at, dpd)| Item::fields([("month", month(*at)), ("dpd_max", (*dpd).into())]));
    let reported = delinquency.reported.map(|each| Item::fields([("dpd", each.dpd.into()), ("day", day(each.day))]));
    Item::fields([
        ("dpd", delinquency.seen.into()),
        ("cured_at", maybe(delinquency.cured_at)),
        ("reported", reported.into()),
        ("dues", Item::list(dues)),
        ("months", Item::list(months)),
    ])
}

fn sides(account: &Account) -> Item {
    let sides =
        Side::ALL.iter().map(|side| (side.word().to_owned(), windows(&account.orders[usize::from(side.index())])));
    let declined = ("declined_days_35d".to_owned(), (account.declined_days & ((1 << 35) - 1)).count_ones().into());
    Item::Fields(std::iter::once(declined).chain(sides).collect())
}

fn windows(windows: &Windows) -> Item {
    let hours = windows.hours.iter().map(|each| {
        let start = headroom_engine::Timestamp(i64::from(each.hour) * headroom_engine::HOUR);
        Item::fields([
            ("hour", instant(start)),
            ("amount", each.amount.into()),
            ("count", each.count.into()),
            ("large", each.large.into()),
            ("max_order", each.max_order.into()),
        ])
    });
    let days = windows.days.iter().map(|each| {
        Item::fields([
            ("day", day(each.day)),
            ("placed", each.placed.into()),
            ("paid", each.paid.into()),
            ("refunded", each.refunded.into()),
            ("cancelled", each.cancelled.into()),
        ])
    });
    let months = windows.months.iter().map(|each| {
        Item::fields([("month", month(each.month)), ("count", each.count.into()), ("max_order", each.max_order.into())])
    });
    Item::fields([("hours", Item::list(hours)), ("days", Item::list(days)), ("months", Item::list(months))])
}

fn utilisation(account: &Account) -> Item {
    let use_of = &account.utilisation;
    let months = use_of.months.iter().map(|(at, percent_sum, days)| {
        Item::fields([("month", month(*at)), ("percent_sum", (*percent_sum).into()), ("days", (*days).into())])
    });
    Item::fields([
        ("days_above_80_35d", (use_of.above_80 & ((1 << 35) - 1)).count_ones().into()),
        ("counted_until", day(use_of.day)),
        ("months", Item::list(months)),
    ])
}

fn mark(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Late => "late",
        MarkKind::Returned => "returned",
        MarkKind::Broken => "broken",
        MarkKind::Fraud => "fraud",
    }
}

fn facts(account: &Account, names: &Names) -> Item {
    Item::list(account.facts.iter().map(|each| {
        Item::fields([
            ("name", names.fact(each.key)),
            ("value", names.fact_value(each)),
            ("at", instant(each.at)),
            ("until", maybe(each.until)),
            ("last_true", maybe(each.last_true)),
            ("earlier", each.earlier.map(|(value, _)| value).into()),
            ("earlier_at", each.earlier.map_or(Item::Null, |(_, at)| instant(at))),
        ])
    }))
}

fn promotion(each: &Participation, names: &Names) -> Item {
    Item::fields([
        ("promotion", names.promotion(each.promotion)),
        ("enrolled", each.enrolled.into()),
        ("forecast_daily", each.forecast.into()),
        ("amount", each.amount.into()),
        ("best_day", each.best_day.into()),
        ("worst_dpd", each.worst_dpd.into()),
        ("flips", each.flips.into()),
    ])
}

fn growth(account: &Account) -> Item {
    let growth = &account.growth;
    let bases = growth.bases.iter().map(|(on, base)| Item::fields([("day", day(*on)), ("base", (*base).into())]));
    Item::fields([
        ("last_increase", maybe(growth.last_increase)),
        ("last_boost", maybe(growth.last_boost)),
        ("last_decrease", maybe(growth.last_decrease)),
        ("favourable_on", if growth.favourable.1 == 0 { Item::Null } else { day(growth.favourable.0) }),
        ("favourable_count", growth.favourable.1.into()),
        ("bases", Item::list(bases)),
    ])
}

fn memory(account: &Account, names: &Names) -> Item {
    let memory = &account.memory;
    let reviews = memory.reviews.iter().map(|each| {
        Item::fields([
            ("id", format!("{:032x}", each.id).into()),
            ("kind", each.kind.as_str().into()),
            ("cause", each.cause.map(|cause| cause.word()).into()),
            ("blocking", each.blocking.into()),
            ("at", instant(each.at)),
        ])
    });
    let offers = memory.offers.iter().map(|each| {
        Item::fields([
            ("id", format!("{:032x}", each.id).into()),
            ("rule", names.rule(each.rule)),
            ("class", each.class.word().into()),
            ("amount", each.amount.into()),
            ("expires", instant(each.expires)),
        ])
    });
    let compensations = memory.compensations.iter().map(|each| {
        Item::fields([
            ("rule", names.rule(each.rule)),
            ("cause", each.cause.word().into()),
            ("deadline", instant(each.deadline)),
            ("every", span(each.every).into()),
        ])
    });
    Item::fields([
        ("consent", memory.consent.into()),
        ("fired_once", Item::list(memory.once.iter().map(|rule| names.rule(*rule)))),
        ("compensations_missed", memory.missed.into()),
        ("cascades_cut", memory.cascade_cut.into()),
        ("ledger_behind_since", maybe(memory.ledger_behind_since)),
        ("reviews", Item::list(reviews)),
        ("offers", Item::list(offers)),
        ("compensations", Item::list(compensations)),
    ])
}

fn timers(account: &Account, names: &Names) -> Item {
    Item::list(account.timers.iter().map(|each| {
        Item::fields([("due", instant(each.due)), ("kind", each.kind.word().into()), ("rule", names.rule(each.rule))])
    }))
}
