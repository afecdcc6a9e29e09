//! Events about the account itself.

use headroom_engine::{AccountEvent, Cause, ReviewOutcome, Scope, Segment, Tier};

use super::Resolve;
use super::args::Args;

/// The event of a name. `None` where something is wrong, with findings in `args`.
pub fn event(name: &str, args: &mut Args<'_>) -> Option<(AccountEvent, Resolve)> {
    match name {
        "offer_answered" => return answer(args),
        "review_resolved" => return resolved(args),
        "snapshot" => return snapshot(args),
        _ => {}
    }
    Some((plain(name, args)?, Resolve::Nothing))
}

fn plain(name: &str, args: &mut Args<'_>) -> Option<AccountEvent> {
    Some(match name {
        "account" => opened(args)?,
        "consent" => AccountEvent::ConsentChanged { standing: flag(args)? },
        "block" => block(args)?,
        "unblock" => {
            let cause = args.word("the cause");
            let cause = args.one_of(cause, Cause::ALL, Cause::word);
            AccountEvent::ManualUnblock { by: by(args), cause: cause? }
        }
        "override" => {
            let base = args.amount("the new base");
            AccountEvent::ManualOverride { by: by(args), base: base? }
        }
        "segment" => {
            let word = args.word("the segment");
            AccountEvent::SegmentChanged(args.one_of(word, Segment::ALL, Segment::word)?)
        }
        "tier" => {
            let word = args.word("the tier");
            AccountEvent::TierChanged(args.one_of(word, Tier::ALL, Tier::word)?)
        }
        "enrolled" => {
            let promotion = args.word("the promotion");
            let forecast = args.money_needed("forecast_daily");
            let promotion_id = promotion?.text.to_owned();
            AccountEvent::PromotionEnrolled { promotion_id, forecast_daily: forecast?, currency: args.currency }
        }
        "withdrawn" => AccountEvent::PromotionWithdrawn { promotion_id: args.word("the promotion")?.text.to_owned() },
        "hardship" => AccountEvent::HardshipChanged(flag(args)?),
        "appeal" => AccountEvent::AppealOpened,
        "closed" => {
            let charged_off = args.named("charged_off");
            AccountEvent::Closed { charged_off: args.flag(charged_off).unwrap_or(false) }
        }
        _ => AccountEvent::Outcome,
    })
}

fn flag(args: &mut Args<'_>) -> Option<bool> {
    let word = args.word("`true` or `false`");
    args.flag(word)
}

fn by(args: &mut Args<'_>) -> String {
    args.text("by").unwrap_or_else(|| "desk".to_owned())
}

fn opened(args: &mut Args<'_>) -> Option<AccountEvent> {
    let segment = args.needed("segment");
    let segment = args.one_of(segment, Segment::ALL, Segment::word);
    let tier = args.named("tier");
    let tier = args.one_of(tier, Tier::ALL, Tier::word).unwrap_or(Tier::None);
    // The currency was read with the first look at the lines.
    args.named("currency");
    let base = args.money_needed("base");
    Some(AccountEvent::Opened {
        segment: segment?,
        tier,
        currency: args.currency,
        base: base?,
        opened_at: args.time_named("opened"),
        probation_cap: args.money_named("probation"),
    })
}

fn block(args: &mut Args<'_>) -> Option<AccountEvent> {
    let scope = args.word("the scope");
    let scope = args.one_of(scope, Scope::ALL, Scope::word);
    let ceiling = args.money_named("ceiling").unwrap_or(0);
    let until = args.time_named("until");
    Some(AccountEvent::ManualBlock { ceiling, until, by: by(args), scope: scope? })
}

fn answer(args: &mut Args<'_>) -> Option<(AccountEvent, Resolve)> {
    let rule = args.word("the rule that made the offer");
    let answer = args.word("`accepted` or `declined`");
    let accepted = args.one_of(answer, &[true, false], |yes| if yes { "accepted" } else { "declined" });
    let event = AccountEvent::OfferAnswered { offer_id: String::new(), accepted: accepted? };
    Some((event, Resolve::Offer(rule?.text.to_owned())))
}

fn resolved(args: &mut Args<'_>) -> Option<(AccountEvent, Resolve)> {
    let kind = args.word("the kind of review");
    let outcome = args.word("the outcome");
    let outcome = args.one_of(outcome, ReviewOutcome::ALL, ReviewOutcome::word);
    let event = AccountEvent::ReviewResolved { review_id: String::new(), outcome: outcome? };
    Some((event, Resolve::Review(kind?.text.to_owned())))
}

fn snapshot(args: &mut Args<'_>) -> Option<(AccountEvent, Resolve)> {
    let sequence = args.named("sequence");
    let sequence: Option<u64> = args.number(sequence);
    let (balance, pending) = (args.money_needed("balance"), args.money_named("pending").unwrap_or(0));
    let event = AccountEvent::LedgerSnapshot {
        as_of: args.time_named("as_of").unwrap_or(args.at),
        last_applied_sequence: sequence.unwrap_or(0),
        currency: args.currency,
        balance: balance?,
        pending,
        base: args.money_named("base"),
    };
    Some((event, if sequence.is_some() { Resolve::Nothing } else { Resolve::Sequence }))
}
