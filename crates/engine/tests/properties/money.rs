//! Money never wraps, and the numbers of a stack are those that its terms give.

use headroom_engine::{
    AMOUNT_MAX, AccountEvent, BLOCKS_MAX, BOOSTS_MAX, Body, FactValue, LimitChange, Order, OrderKind, Output, Purpose,
    RefusalCode, Repayment, Scope, Segment, Side, Signal, StackView, Tier, Timestamp, UNDO_MAX, WAIVERS_MAX,
};
use proptest::prelude::*;

use crate::shard::{CNY, START, Shard, event};
use crate::streams::{Manner, played, stream};
use crate::{builtin, changes, hold};

/// No sum of what one account may book leaves this range.
const RANGE: std::ops::RangeInclusive<i64> = -(i64::MAX / 2)..=i64::MAX / 2;

#[test]
fn every_stack_is_the_sum_of_its_terms() {
    let seen = std::cell::Cell::new(0_usize);
    for manner in [Manner::Lively, Manner::Wild] {
        hold(150, &stream(manner, 150), |steps| {
            let (_, shard) = played(builtin(), &steps);
            for change in changes(&shard.outputs) {
                fits(&change.before, change)?;
                fits(&change.after, change)?;
                seen.set(seen.get() + 1);
            }
            Ok(())
        });
    }
    assert!(seen.get() > 2_000, "only {} changes were seen", seen.get());
}

/// Recomputes a view in 128 bits from its stack (RULEBOOK section 1).
fn fits(view: &StackView, change: &LimitChange) -> Result<(), TestCaseError> {
    let (stack, limits, now) = (&view.stack, &view.limits, change.trigger.at);
    let wide = i128::from;
    let boost = stack.boosts.iter().filter(|each| each.active(now)).map(|each| each.amount).max().unwrap_or(0);
    let caps = stack.caps.iter().filter(|each| each.until.is_none_or(|until| now < until)).map(|each| each.amount);
    let granted = caps.fold(wide(stack.base) + wide(boost), |least, cap| least.min(wide(cap)));
    prop_assert_eq!(wide(limits.granted), granted, "boosts are never summed, caps always hold");
    let ceiling = |at_least: Scope| {
        let lasting = stack.blocks.iter().filter(|each| each.scope >= at_least && each.lasts(now));
        lasting.filter_map(|each| each.ceiling).map(wide).min().unwrap_or(i128::MAX)
    };
    prop_assert_eq!(wide(limits.effective), granted.min(ceiling(Scope::Spend)));
    prop_assert_eq!(wide(limits.available), wide(limits.effective) - wide(limits.used));
    prop_assert!(limits.spendable >= 0 && limits.spendable <= limits.available.max(0));
    prop_assert!(limits.spendable_cash >= 0 && limits.spendable_cash <= limits.spendable);
    let numbers = [stack.base, limits.used, limits.granted, limits.effective, limits.available, limits.uncleared];
    prop_assert!(numbers.iter().all(|each| RANGE.contains(each)), "{numbers:?}");
    prop_assert!(stack.base >= 0 && limits.used >= 0 && limits.uncleared >= 0);
    prop_assert!(stack.boosts.len() <= BOOSTS_MAX && stack.blocks.len() <= BLOCKS_MAX);
    prop_assert!(stack.waivers.len() <= WAIVERS_MAX && stack.undo.len() <= UNDO_MAX);
    let mut causes: Vec<_> = stack.blocks.iter().map(|each| each.cause).collect();
    causes.sort();
    causes.dedup();
    prop_assert_eq!(causes.len(), stack.blocks.len(), "one block per cause");
    Ok(())
}

#[test]
fn stacks_of_accounts_keep_their_bounds_without_a_change_too() {
    hold(100, &stream(Manner::Wild, 200), |steps| {
        let (_, shard) = played(builtin(), &steps);
        for account in shard.accounts.values() {
            let (stack, limits) = (&account.stack, account.limits(account.clock));
            prop_assert!(stack.boosts.len() <= BOOSTS_MAX && stack.blocks.len() <= BLOCKS_MAX);
            prop_assert!(stack.waivers.len() <= WAIVERS_MAX && stack.undo.len() <= UNDO_MAX);
            prop_assert!(RANGE.contains(&limits.available) && RANGE.contains(&account.money.balance));
            prop_assert!(limits.spendable >= 0 && limits.spendable <= limits.available.max(0));
        }
        Ok(())
    });
}

/// What an account can be told about money, each time as much as an event may carry.
fn largest(at: i64) -> Body {
    let order = |kind, side| Order {
        kind,
        order_id: format!("o{at}"),
        side,
        purpose: Purpose::Purchase,
        currency: CNY,
        amount: AMOUNT_MAX,
        hold: Some(AMOUNT_MAX),
        hold_released: Some(if at % 3 == 0 { AMOUNT_MAX } else { 0 }),
        captured: Some(AMOUNT_MAX),
        credit_refunded: Some(if at % 5 == 0 { AMOUNT_MAX } else { 0 }),
    };
    let payment_id = format!("p{}", at % 7);
    let kind = match at % 11 {
        0 => Repayment::PaymentPosted { payment_id, amount: AMOUNT_MAX, clears_at: Some(Timestamp(i64::MAX)) },
        1 => Repayment::PaymentReturned { payment_id, amount: AMOUNT_MAX },
        2 => Repayment::StatementIssued {
            statement_id: format!("s{at}"),
            balance: if at % 2 == 0 { AMOUNT_MAX } else { -AMOUNT_MAX },
            min_due: AMOUNT_MAX,
            due_at: Some(START),
        },
        3 => {
            let value = FactValue::Money(AMOUNT_MAX, CNY);
            return Body::Signal(Signal { name: "limit.customer_share".to_owned(), value, valid_until: None });
        }
        4 => return Body::Order(order(OrderKind::Placed, Side::Seller)),
        5 => return Body::Order(order(OrderKind::Paid, Side::Buyer)),
        6 => return Body::Order(order(OrderKind::Refunded, Side::Buyer)),
        _ => return Body::Order(order(OrderKind::Placed, Side::Buyer)),
    };
    Body::Repayment { currency: CNY, kind }
}

#[test]
fn thousands_of_the_largest_amounts_end_in_a_dead_letter_not_in_a_wrap() {
    for segment in [Segment::Consumer, Segment::MerchantKey] {
        let mut shard = Shard::new(builtin());
        let opened = AccountEvent::Opened {
            segment,
            tier: Tier::None,
            currency: CNY,
            base: AMOUNT_MAX,
            opened_at: None,
            probation_cap: Some(AMOUNT_MAX),
        };
        shard.one(event("opened", "A", START, Body::Account(opened)), START);
        for at in 0..6_000 {
            let now = START.plus(at * 600_000);
            shard.one(event(&format!("e{at}"), "A", now, largest(at)), now);
        }
        let refused = |each: &&Output| matches!(each, Output::DeadLetter(letter) if letter.refusal.code == RefusalCode::MoneyOverflow);
        let overflows = shard.outputs.iter().filter(refused).count();
        let letters = shard.outputs.iter().filter(|each| matches!(each, Output::DeadLetter(_))).count();
        assert!(overflows > 1_000 && letters == overflows, "{overflows} overflows among {letters} dead letters");
        for change in changes(&shard.outputs) {
            fits(&change.before, change).and(fits(&change.after, change)).expect("a stack in range");
        }
        let limits = shard.accounts["A"].limits(shard.state.now);
        assert!(RANGE.contains(&limits.available) && limits.used > AMOUNT_MAX, "{limits:?}");
    }
}
