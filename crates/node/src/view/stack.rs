//! The limit stack, taken apart.

use headroom_engine::{Block, Boost, Hold, HoldUntil, Stack, Undo, UndoField};

use super::when::{instant, maybe};
use super::{Item, Names};

/// Everything that bounds what an account may use.
pub fn stack(stack: &Stack, names: &Names) -> Item {
    let caps = stack.caps.iter().map(|cap| {
        Item::fields([("name", cap.name.word().into()), ("amount", cap.amount.into()), ("until", maybe(cap.until))])
    });
    let waivers = stack.waivers.iter().map(|waiver| {
        let cause = waiver.cause.word().into();
        Item::fields([("cause", cause), ("rule", names.rule(waiver.rule)), ("until", instant(waiver.until))])
    });
    Item::fields([
        ("base", stack.base.into()),
        ("boosts", Item::list(stack.boosts.iter().map(|each| boost(each, names)))),
        ("caps", Item::list(caps)),
        ("blocks", Item::list(stack.blocks.iter().map(|each| block(each, names)))),
        ("holds", Item::list(stack.holds.iter().map(|each| hold(each, names)))),
        ("waivers", Item::list(waivers)),
        ("undo", Item::list(stack.undo.iter().map(|each| undo(each, names)))),
    ])
}

fn boost(boost: &Boost, names: &Names) -> Item {
    Item::fields([
        ("amount", boost.amount.into()),
        ("granted", boost.granted.into()),
        ("from", instant(boost.from)),
        ("until", instant(boost.until)),
        ("rule", names.rule(boost.rule)),
        ("promotion", names.promotion(boost.promotion)),
        ("expired", boost.expired.into()),
        ("used_peak", boost.used_peak.into()),
        ("steps_left", boost.steps.map(|steps| steps.left).into()),
        ("step_percent", boost.steps.map(|steps| steps.percent).into()),
        ("next_step", maybe(boost.steps.map(|steps| steps.next))),
    ])
}

fn block(block: &Block, names: &Names) -> Item {
    Item::fields([
        ("cause", block.cause.word().into()),
        ("scope", block.scope.word().into()),
        ("ceiling", block.ceiling.into()),
        ("since", instant(block.since)),
        ("until", maybe(block.until)),
        ("granted_before", block.granted_before.into()),
        ("rule", names.rule(block.rule)),
        ("proposed", instant(block.proposed)),
        ("by", Some(block.by.as_str()).filter(|by| !by.is_empty()).into()),
    ])
}

fn hold(hold: &Hold, names: &Names) -> Item {
    let until = match hold.until {
        HoldUntil::Time(at) => instant(at),
        HoldUntil::Cured { days_after: 0 } => "cured".into(),
        HoldUntil::Cured { days_after } => format!("cured + {days_after}d").into(),
    };
    Item::fields([("of", hold.of.word().into()), ("until", until), ("rule", names.rule(hold.rule))])
}

fn undo(undo: &Undo, names: &Names) -> Item {
    let field = match undo.field {
        UndoField::Base => "base",
        UndoField::Boost => "boost",
        UndoField::Block => "block",
    };
    Item::fields([
        ("sequence", undo.sequence.into()),
        ("field", field.into()),
        ("delta", undo.delta.into()),
        ("cause", undo.cause.map(|cause| cause.word()).into()),
        ("rule", names.rule(undo.rule)),
        ("at", instant(undo.at)),
    ])
}
