//! Outputs of the engine to outputs of the contract.

use headroom_engine::{
    BlockChange, Broadcasts, Class, DeadLetter, LimitChange, NamedValue, Notice, Offer, Output, Overridden, Position,
    Review, RuleNames, Scope, Timestamp, Trace, TriggerRef, Verdict,
};
use headroom_policy::Currency;

use crate::around::around;
use crate::proto::{self, condition_verdict, output};
use crate::stack::stack;

/// What the engine keeps by number or key and outputs call by name.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Rules by number.
    pub rules: &'a RuleNames,
    /// Promotions by key.
    pub broadcasts: &'a Broadcasts,
}

impl Names<'_> {
    /// The id of a promotion; of one that nobody announced its key in hex; of 0 "".
    pub(crate) fn promotion(self, key: u64) -> String {
        match self.broadcasts.promotion(key) {
            Some(promotion) => promotion.id.clone(),
            None if key == 0 => String::new(),
            None => format!("promotion-{key:016x}"),
        }
    }
}

/// Turns an output into the contract's form. The same output gives the same message, wherever and whenever.
pub fn output_to_proto(output: &Output, names: Names<'_>) -> proto::Output {
    let body = match output {
        Output::LimitChange(change) => output::Body::LimitChange(limit_change(change, names)),
        Output::Offer(offer) => output::Body::Offer(self::offer(offer)),
        Output::Notice(notice) => output::Body::Notice(self::notice(notice)),
        Output::Review(review) => output::Body::Review(self::review(review)),
        Output::DeadLetter(letter) => output::Body::DeadLetter(dead_letter(letter)),
    };
    proto::Output { body: Some(body) }
}

fn limit_change(change: &LimitChange, names: Names<'_>) -> proto::LimitChange {
    let rule = change.rule.as_ref();
    proto::LimitChange {
        id: id(change.id),
        account_id: change.account.to_string(),
        sequence: change.sequence,
        kind: number(change.kind.index()),
        currency: currency(change.currency),
        before: Some(stack(&change.before, names)),
        after: Some(stack(&change.after, names)),
        block: change.block.as_ref().map(block_change),
        effective_at: time(change.effective_at),
        expires_at: change.expires_at.and_then(time),
        reasons: change.reasons.clone(),
        rule_id: rule.map(|rule| rule.id.to_string()).unwrap_or_default(),
        rule_number: rule.map(|rule| rule.number).unwrap_or_default(),
        rule_hash: rule.map(|rule| rule.hash.to_string()).unwrap_or_default(),
        ruleset_hash: change.ruleset_hash.to_string(),
        arm: String::new(),
        overridden: change.overridden.iter().map(overridden).collect(),
        guards_applied: change.guards_applied.iter().map(|guard| (*guard).to_owned()).collect(),
        trigger: Some(trigger(&change.trigger)),
        notice_due: change.notice_due.and_then(time),
        trace: change.trace.as_ref().map(trace),
    }
}

fn block_change(change: &BlockChange) -> proto::BlockChange {
    let scope = |side: Option<(Scope, Option<i64>)>| side.map_or(0, |(scope, _)| number(scope.index()));
    proto::BlockChange {
        cause: number(change.cause.index()),
        scope_before: scope(change.before),
        scope_after: scope(change.after),
        ceiling_before: change.before.and_then(|(_, ceiling)| ceiling),
        ceiling_after: change.after.and_then(|(_, ceiling)| ceiling),
    }
}

fn overridden(lost: &Overridden) -> proto::Overridden {
    proto::Overridden { rule_id: lost.rule.to_string(), class: class(lost.class), by: lost.by.clone() }
}

fn class(class: Class) -> String {
    class.word().to_owned()
}

fn trigger(trigger: &TriggerRef) -> proto::Trigger {
    let (input, partition, offset) = trigger.position.as_ref().map(position).unwrap_or_default();
    proto::Trigger {
        name: trigger.name.clone(),
        event_id: trigger.event_id.clone(),
        source: trigger.source.clone(),
        at: time(trigger.at),
        input,
        partition,
        offset,
    }
}

fn position(position: &Position) -> (String, u32, u64) {
    (position.input.to_string(), position.partition, position.offset)
}

fn trace(trace: &Trace) -> proto::Trace {
    let verdicts = trace.conditions.iter();
    proto::Trace {
        condition: trace.condition.clone(),
        features: trace.features.iter().map(value).collect(),
        conditions: verdicts.map(|(text, verdict)| condition(text, *verdict)).collect(),
        params: trace.params.iter().map(value).collect(),
    }
}

fn value(value: &NamedValue) -> proto::FeatureValue {
    proto::FeatureValue { name: value.name.clone(), value: value.value, text: value.text.clone() }
}

fn condition(text: &str, verdict: Verdict) -> proto::ConditionVerdict {
    let verdict = match verdict {
        Verdict::True => condition_verdict::Verdict::True,
        Verdict::False => condition_verdict::Verdict::False,
        Verdict::Unknown => condition_verdict::Verdict::Unknown,
        Verdict::Error => condition_verdict::Verdict::Error,
    };
    proto::ConditionVerdict { text: text.to_owned(), verdict: verdict.into() }
}

fn offer(offer: &Offer) -> proto::Offer {
    proto::Offer {
        id: id(offer.id),
        account_id: offer.account.to_string(),
        currency: currency(offer.currency),
        amount: offer.amount,
        created_at: time(offer.created_at),
        expires_at: time(offer.expires_at),
        rule_id: offer.rule.id.to_string(),
        reasons: offer.reasons.clone(),
        ruleset_hash: offer.ruleset_hash.to_string(),
        trigger: Some(trigger(&offer.trigger)),
        trace: offer.trace.as_ref().map(trace),
        class: class(offer.class),
    }
}

fn notice(notice: &Notice) -> proto::Notice {
    proto::Notice {
        id: id(notice.id),
        account_id: notice.account.to_string(),
        template: notice.template.clone(),
        public_reasons: notice.public_reasons.clone(),
        internal_reasons: notice.internal_reasons.clone(),
        text_en: notice.text_en.clone(),
        text_zh: notice.text_zh.clone(),
        can_do: notice.can_do.clone(),
        created_at: time(notice.created_at),
        due: time(notice.due),
        change_id: notice.change_id.map(id).unwrap_or_default(),
        rule_id: notice.rule_id.clone(),
    }
}

fn review(review: &Review) -> proto::Review {
    proto::Review {
        id: id(review.id),
        account_id: review.account.to_string(),
        kind: review.kind.clone(),
        blocking: review.blocking,
        priority: number(review.priority.index()),
        rule_id: review.rule_id.clone(),
        reasons: review.reasons.clone(),
        created_at: time(review.created_at),
        proposal: review.proposal,
        currency: currency(review.currency),
        cause: review.cause.map_or(0, |cause| number(cause.index())),
        detail: review.detail.clone(),
        trigger: Some(trigger(&review.trigger)),
        trace: review.trace.as_ref().map(trace),
    }
}

fn dead_letter(letter: &DeadLetter) -> proto::DeadLetter {
    let (input, partition, offset) = position(&letter.position);
    let around = letter.around.as_ref().map(around).unwrap_or_default();
    proto::DeadLetter {
        code: letter.refusal.code.code().to_owned(),
        detail: letter.refusal.detail.clone(),
        account_id: letter.account.clone(),
        original: letter.original.clone(),
        encoding: letter.encoding.to_owned(),
        original_sha256: letter.original_sha256.clone().unwrap_or_default(),
        headers: around.headers,
        input,
        partition,
        offset,
        at: time(letter.at),
        key: around.key,
    }
}

/// 32 hex digits.
fn id(id: u128) -> String {
    format!("{id:032x}")
}

fn currency(currency: Option<Currency>) -> String {
    currency.map(|currency| currency.to_string()).unwrap_or_default()
}

/// Contract numbers are the engine's positions plus one: 0 is "unspecified".
pub fn number(index: u8) -> i32 {
    i32::from(index) + 1
}

/// A moment of the contract.
pub fn time(at: Timestamp) -> Option<crate::Timestamp> {
    Some(crate::Timestamp::from_millis(at.0))
}
