//! The limit stack of the engine to the contract's.

use headroom_engine::{Block, Boost, Cap, Hold, HoldUntil, StackView, Undo, UndoField, Waiver};

use crate::output::{Names, number, time};
use crate::proto::{self, undo};

/// A stack with its numbers and the terms that bound them.
pub fn stack(view: &StackView, names: Names<'_>) -> proto::LimitStack {
    let (stack, limits) = (&view.stack, &view.limits);
    proto::LimitStack {
        base: stack.base,
        boosts: stack.boosts.iter().map(|each| boost(each, names)).collect(),
        caps: stack.caps.iter().map(cap).collect(),
        blocks: stack.blocks.iter().map(|each| block(each, names)).collect(),
        holds: stack.holds.iter().map(|each| hold(each, names)).collect(),
        waivers: stack.waivers.iter().map(|each| waiver(each, names)).collect(),
        used: limits.used,
        granted: limits.granted,
        effective: limits.effective,
        available: limits.available,
        spendable: limits.spendable,
        granted_bound_by: limits.granted_bound_by.text(names.rules),
        effective_bound_by: limits.effective_bound_by.text(names.rules),
        spendable_bound_by: limits.spendable_bound_by.text(names.rules),
        uncleared: limits.uncleared,
        spendable_cash: limits.spendable_cash,
        undo: stack.undo.iter().map(|each| undo(each, names)).collect(),
    }
}

fn boost(boost: &Boost, names: Names<'_>) -> proto::Boost {
    proto::Boost {
        amount: boost.amount,
        valid_from: time(boost.from),
        valid_until: time(boost.until),
        rule_id: names.rules.name(boost.rule),
        promotion_id: names.promotion(boost.promotion),
    }
}

fn cap(cap: &Cap) -> proto::Cap {
    proto::Cap { name: number(cap.name.index()), amount: cap.amount, until: cap.until.and_then(time) }
}

fn block(block: &Block, names: Names<'_>) -> proto::Block {
    proto::Block {
        cause: number(block.cause.index()),
        scope: number(block.scope.index()),
        ceiling: block.ceiling,
        since: time(block.since),
        until: block.until.and_then(time),
        granted_before: block.granted_before,
        by: if block.rule == 0 { format!("manual:{}", block.by) } else { names.rules.name(block.rule) },
        arm: String::new(),
    }
}

fn hold(hold: &Hold, names: Names<'_>) -> proto::Hold {
    let (until, days_after_cure) = match hold.until {
        HoldUntil::Time(until) => (time(until), None),
        HoldUntil::Cured { days_after } => (None, Some(days_after)),
    };
    proto::Hold {
        of: number(hold.of.index()),
        until,
        until_cured: days_after_cure.is_some(),
        days_after_cure: days_after_cure.unwrap_or_default(),
        rule_id: names.rules.name(hold.rule),
    }
}

fn waiver(waiver: &Waiver, names: Names<'_>) -> proto::Waiver {
    proto::Waiver {
        cause: number(waiver.cause.index()),
        rule_id: names.rules.name(waiver.rule),
        until: time(waiver.until),
    }
}

fn undo(entry: &Undo, names: Names<'_>) -> proto::Undo {
    let field = match entry.field {
        UndoField::Base => undo::Field::Base,
        UndoField::Boost => undo::Field::Boost,
        UndoField::Block => undo::Field::Block,
    };
    proto::Undo {
        sequence: entry.sequence,
        field: field.into(),
        delta: entry.delta,
        cause: entry.cause.map_or(0, |cause| number(cause.index())),
        rule_id: names.rules.name(entry.rule),
        at: time(entry.at),
    }
}
