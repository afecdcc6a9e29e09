//! The numbers of a stack again, from its parts.

use headroom_engine::{Block, Boost, Cap, CapName, Cause, Limits, RuleNames, Ruleset, Scope, Stack, Timestamp};
use headroom_wire::proto::{self, LimitChange, LimitStack};

use super::{Finding, finding};

/// Computes the limits of both stacks again. They are as of the decision's `now`, which the trigger names.
pub fn check(change: &LimitChange, ruleset: &Ruleset) -> Vec<Finding> {
    let now = change.trigger.as_ref().and_then(|trigger| time(trigger.at));
    let Some(now) = now else { return vec![finding("amount", "the trigger has no time")] };
    let mut found = side("before", change.before.as_ref(), now, &ruleset.names);
    found.extend(side("after", change.after.as_ref(), now, &ruleset.names));
    found
}

fn side(name: &'static str, written: Option<&LimitStack>, now: Timestamp, rules: &RuleNames) -> Vec<Finding> {
    let Some(written) = written else { return vec![finding("amount", format!("`{name}` is missing"))] };
    let stack = match stack(written, rules) {
        Ok(stack) => stack,
        Err(word) => return vec![finding("amount", format!("`{name}.{word}` is not complete"))],
    };
    let limits = stack.limits(written.used, 0, written.uncleared, now);
    differences(name, written, &limits, rules)
}

fn differences(name: &str, written: &LimitStack, limits: &Limits, rules: &RuleNames) -> Vec<Finding> {
    let amounts = [
        ("used", written.used, limits.used),
        ("granted", written.granted, limits.granted),
        ("effective", written.effective, limits.effective),
        ("available", written.available, limits.available),
        ("spendable", written.spendable, limits.spendable),
        ("spendable_cash", written.spendable_cash, limits.spendable_cash),
    ];
    let wrong = amounts.into_iter().filter(|(_, written, computed)| written != computed);
    let amounts = wrong.map(|(part, written, computed)| {
        finding("amount", format!("`{name}.{part}` is {written}, its stack gives {computed}"))
    });
    let terms = [
        ("granted_bound_by", &written.granted_bound_by, limits.granted_bound_by),
        ("effective_bound_by", &written.effective_bound_by, limits.effective_bound_by),
        ("spendable_bound_by", &written.spendable_bound_by, limits.spendable_bound_by),
    ];
    let terms = terms.into_iter().map(|(part, written, computed)| (part, written, computed.text(rules)));
    let wrong = terms.filter(|(_, written, computed)| *written != computed);
    amounts
        .chain(wrong.map(|(part, written, computed)| {
            finding("binding_term", format!("`{name}.{part}` is `{written}`, its stack gives `{computed}`"))
        }))
        .collect()
}

/// The parts that bound amounts. Errors: the name of a part that says too little.
fn stack(written: &LimitStack, rules: &RuleNames) -> Result<Stack, &'static str> {
    let boosts = written.boosts.iter().map(|each| boost(each, rules).ok_or("boosts"));
    let caps = written.caps.iter().map(|each| cap(each).ok_or("caps"));
    let blocks = written.blocks.iter().map(|each| block(each).ok_or("blocks"));
    Ok(Stack {
        base: written.base,
        boosts: boosts.collect::<Result<_, _>>()?,
        caps: caps.collect::<Result<_, _>>()?,
        blocks: blocks.collect::<Result<_, _>>()?,
        ..Stack::default()
    })
}

fn boost(boost: &proto::Boost, rules: &RuleNames) -> Option<Boost> {
    Some(Boost {
        amount: boost.amount,
        granted: boost.amount,
        from: time(boost.valid_from)?,
        until: time(boost.valid_until)?,
        rule: number(&boost.rule_id, rules),
        promotion: 0,
        expired: false,
        used_peak: 0,
        steps: None,
    })
}

fn cap(cap: &proto::Cap) -> Option<Cap> {
    Some(Cap { name: CapName::from_index(index(cap.name)?)?, amount: cap.amount, until: time(cap.until) })
}

fn block(block: &proto::Block) -> Option<Block> {
    Some(Block {
        cause: Cause::from_index(index(block.cause)?)?,
        scope: Scope::from_index(index(block.scope)?)?,
        ceiling: block.ceiling,
        since: time(block.since)?,
        until: time(block.until),
        granted_before: block.granted_before,
        rule: 0,
        proposed: Timestamp(0),
        by: String::new(),
    })
}

/// Contract numbers are the engine's positions plus one.
fn index(number: i32) -> Option<u8> {
    number.checked_sub(1).and_then(|index| u8::try_from(index).ok())
}

/// The number behind a rule's id, or behind `rule-N` of a rule that is gone.
fn number(id: &str, rules: &RuleNames) -> u32 {
    let known = rules.0.iter().find(|(_, name)| &***name == id).map(|(number, _)| *number);
    known.or_else(|| id.strip_prefix("rule-")?.parse().ok()).unwrap_or_default()
}

fn time(at: Option<headroom_wire::Timestamp>) -> Option<Timestamp> {
    at.and_then(headroom_wire::Timestamp::to_millis).map(Timestamp)
}
