//! What the customer is told. Texts are short and neutral; reasons that would warn a fraudster are not public.

use std::sync::Arc;

use crate::ids::{name_key, output_id};
use crate::output::{Notice, Output, Trace};
use crate::vocabulary::{Cause, Family};

use super::decide::Decision;
use super::emit::TAG_NOTICE;
use super::proposal::{Act, Proposal};

/// What the customer reads, by template: English and Chinese.
pub const NOTICE_TEXTS: &[(&str, &str, &str)] = &[
    (
        "limit_restored",
        "Credit that was restricted or taken back is available to you again.",
        "此前受限或下调的额度已全部或部分恢复。",
    ),
    (
        "account_restricted",
        "The use of your credit is restricted for now; you can still repay.",
        "您的额度使用暂时受限，还款不受影响。",
    ),
    (
        "still_restricted",
        "The use of your credit is still restricted; you can still repay.",
        "您的额度使用仍受限制，还款不受影响。",
    ),
    ("limit_increased", "Your credit limit was raised.", "您的额度已提升。"),
    ("limit_will_decrease", "Your credit limit will be lowered soon.", "您的额度即将下调。"),
    ("limit_decreased", "Your credit limit was lowered.", "您的额度已下调。"),
    ("limit_capped", "Your credit limit was set to the most that can be granted.", "您的额度已调整至可授予的上限。"),
    (
        "increase_paused",
        "Your credit limit will not be raised for now; it stays as it is.",
        "您的额度暂时不予提升，现有额度不变。",
    ),
    ("boost_granted", "You have additional credit for a limited time.", "您已获得临时额度。"),
    ("boost_extended", "Your additional credit lasts longer.", "您的临时额度有效期已延长。"),
    ("boost_reduced", "Your additional credit ends step by step.", "您的临时额度将分期收回。"),
    ("boost_ended", "Your additional credit has ended.", "您的临时额度已结束。"),
    ("payment_due", "A payment is past its due date; please repay it.", "您有一笔款项已到期未还，请及时还款。"),
    (
        "past_due",
        "A payment is past due; part of your credit is on hold.",
        "您有逾期款项，部分额度暂停使用，还款后可恢复。",
    ),
    (
        "verify",
        "Please confirm that it is you. The use of your credit is restricted for now.",
        "请完成身份验证。您的额度使用暂时受限。",
    ),
    (
        "top_up",
        "Please add to your collateral, or your credit limit will be lowered.",
        "请补充押品，否则您的额度将下调。",
    ),
];

/// What is told instead of reasons of family fraud: a list hit is not tipped off.
const SECURITY: &str = "SECURITY_CHECK";

/// The English and the Chinese text of a template; `None`: whoever sends the notice has its own.
pub fn notice_texts(template: &str) -> Option<(&'static str, &'static str)> {
    NOTICE_TEXTS.iter().find(|(name, ..)| *name == template).map(|(_, en, zh)| (*en, *zh))
}

impl Decision<'_> {
    /// The notice that a rule's applied change carries.
    pub fn notice_of_rule(&mut self, proposal: &Proposal, change: Option<u128>) {
        let rule = &self.context.ruleset.rules[proposal.rule];
        // Reviews, notices and holds beside the first action are told by their own words.
        let Some(notice) = rule.notice_for(proposal.act.class()) else { return };
        let cause = match proposal.act {
            Act::Freeze { cause, .. } | Act::Unfreeze { cause } | Act::Restore { cause, .. } => Some(cause),
            _ => None,
        };
        let (template, can_do) = (notice.template.clone(), notice.can_do.clone());
        self.tell(proposal, &template, can_do, None, change, cause);
    }

    /// Reviews, notices, and watch freezes beside the first action. They follow only if the rule changed something,
    /// or asks for nothing else; reviews always do: they are never arbitrated away.
    pub fn inform(&mut self, proposal: &Proposal, applied: &[usize], traces: &[Trace]) {
        match &proposal.act {
            Act::Review { kind, blocking, priority, proposal: amount } => {
                let cause = self.declared_cause(proposal);
                let mut review = self.rule_review(proposal, kind, cause, traces);
                (review.blocking, review.priority, review.proposal) = (*blocking, *priority, *amount);
                let before = self.reviews.len();
                self.emit_review(review);
                if self.reviews.len() > before {
                    self.tally.fired.push(self.context.ruleset.rules[proposal.rule].number);
                }
            }
            Act::Notify { template, due, can_do } if applied.contains(&proposal.rule) => {
                self.tell(proposal, template, can_do.clone(), *due, None, None);
            }
            _ => {}
        }
    }

    fn tell(
        &mut self,
        proposal: &Proposal,
        template: &str,
        can_do: Vec<String>,
        due: Option<i64>,
        change: Option<u128>,
        cause: Option<Cause>,
    ) {
        let rule = &self.context.ruleset.rules[proposal.rule];
        let public = if rule.family == Family::Fraud { vec![SECURITY.to_owned()] } else { proposal.reasons.clone() };
        let mut notice = self.blank_notice(template, cause);
        notice.public_reasons = public;
        notice.internal_reasons.clone_from(&proposal.reasons);
        notice.rule_id = rule.id.to_string();
        (notice.can_do, notice.change_id) = (can_do, change);
        if let Some(due) = due {
            notice.due = self.now.plus(due);
        }
        self.emit_notice(notice, cause);
    }

    /// A notice that no rule caused.
    pub fn blank_notice(&self, template: &str, cause: Option<Cause>) -> Notice {
        let texts = notice_texts(template);
        let number = self.account.sequence.wrapping_mul(31).wrapping_add(name_key(template));
        let number = number.wrapping_add(cause.map_or(0, |each| u64::from(each.index())));
        Notice {
            id: output_id(TAG_NOTICE, &self.account.id, number, self.cause_key()),
            account: Arc::clone(&self.account.id),
            template: template.to_owned(),
            public_reasons: Vec::new(),
            internal_reasons: Vec::new(),
            text_en: texts.map_or_else(String::new, |(en, _)| en.to_owned()),
            text_zh: texts.map_or_else(String::new, |(_, zh)| zh.to_owned()),
            can_do: Vec::new(),
            created_at: self.now,
            due: self.now.plus(self.context.ruleset.settings.notice_within),
            change_id: None,
            rule_id: String::new(),
        }
    }

    /// One notice per cause and decision: the last one is what the customer has to know.
    pub fn emit_notice(&mut self, notice: Notice, cause: Option<Cause>) {
        let key = (cause, notice.template.clone());
        let same = |output: &Output, told: &Option<Cause>| match output {
            Output::Notice(each) => (cause.is_some() && *told == cause) || each.template == key.1,
            _ => false,
        };
        let place = self.notices.iter().zip(&self.told).position(|(output, told)| same(output, told));
        if let Some(place) = place {
            self.notices.remove(place);
            self.told.remove(place);
        }
        self.notices.push(Output::Notice(Box::new(notice)));
        self.told.push(cause);
    }
}
