//! `AccountEvent` of the contract to the engine's.

use headroom_engine::{AccountEvent, Cause, Refusal, ReviewOutcome, Scope, Segment, Tier};

use crate::check;
use crate::proto::{self, account_event::Kind};

/// Checks what happened to the account itself.
pub fn account(body: proto::AccountEvent) -> Result<AccountEvent, Refusal> {
    Ok(match check::present("account.kind", body.kind)? {
        Kind::Opened(body) => opened(&body)?,
        Kind::LedgerSnapshot(body) => ledger_snapshot(&body)?,
        Kind::ConsentChanged(body) => AccountEvent::ConsentChanged { standing: body.standing },
        Kind::OfferAnswered(body) => offer_answered(body)?,
        Kind::ManualBlock(body) => manual_block(body)?,
        Kind::ManualUnblock(body) => manual_unblock(body)?,
        Kind::ManualOverride(body) => manual_override(body)?,
        Kind::SegmentChanged(body) => {
            AccountEvent::SegmentChanged(segment("account.segment_changed.segment", body.segment)?)
        }
        Kind::TierChanged(body) => tier_changed(&body)?,
        Kind::PromotionEnrolled(body) => promotion_enrolled(body)?,
        Kind::PromotionWithdrawn(body) => promotion_withdrawn(body)?,
        Kind::HardshipChanged(body) => AccountEvent::HardshipChanged(body.hardship),
        Kind::ReviewResolved(body) => review_resolved(body)?,
        Kind::AppealOpened(body) => appeal_opened(body)?,
        Kind::Closed(body) => AccountEvent::Closed { charged_off: body.charged_off },
        Kind::Outcome(body) => outcome(body)?,
    })
}

fn segment(field: &str, number: i32) -> Result<Segment, Refusal> {
    check::word(field, number, Segment::from_index)
}

fn opened(body: &proto::AccountOpened) -> Result<AccountEvent, Refusal> {
    Ok(AccountEvent::Opened {
        segment: segment("account.opened.segment", body.segment)?,
        tier: check::word_or("account.opened.tier", body.tier, Tier::from_index, Tier::None)?,
        currency: check::currency("account.opened.currency", &body.currency)?,
        base: check::money("account.opened.base", body.base)?,
        opened_at: check::optional_time("account.opened.opened_at", body.opened_at)?,
        probation_cap: check::optional_money("account.opened.probation_cap", body.probation_cap)?,
    })
}

fn ledger_snapshot(body: &proto::LedgerSnapshot) -> Result<AccountEvent, Refusal> {
    Ok(AccountEvent::LedgerSnapshot {
        as_of: check::time("account.ledger_snapshot.as_of", body.as_of)?,
        last_applied_sequence: body.last_applied_sequence,
        currency: check::currency("account.ledger_snapshot.currency", &body.currency)?,
        balance: check::signed_money("account.ledger_snapshot.balance", body.balance)?,
        pending: check::money("account.ledger_snapshot.pending", body.pending)?,
        base: check::optional_money("account.ledger_snapshot.base", body.base)?,
    })
}

fn offer_answered(body: proto::OfferAnswered) -> Result<AccountEvent, Refusal> {
    let offer_id = check::id("account.offer_answered.offer_id", body.offer_id)?;
    Ok(AccountEvent::OfferAnswered { offer_id, accepted: body.accepted })
}

fn manual_block(body: proto::ManualBlock) -> Result<AccountEvent, Refusal> {
    check::text("account.manual_block.note", &body.note)?;
    Ok(AccountEvent::ManualBlock {
        scope: check::word("account.manual_block.scope", body.scope, Scope::from_index)?,
        ceiling: check::money("account.manual_block.ceiling", body.ceiling)?,
        until: check::optional_time("account.manual_block.until", body.until)?,
        by: check::optional_id("account.manual_block.by", body.by)?,
    })
}

fn manual_unblock(body: proto::ManualUnblock) -> Result<AccountEvent, Refusal> {
    check::text("account.manual_unblock.note", &body.note)?;
    Ok(AccountEvent::ManualUnblock {
        cause: check::word_or("account.manual_unblock.cause", body.cause, Cause::from_index, Cause::Manual)?,
        by: check::optional_id("account.manual_unblock.by", body.by)?,
    })
}

fn manual_override(body: proto::ManualOverride) -> Result<AccountEvent, Refusal> {
    check::text("account.manual_override.note", &body.note)?;
    Ok(AccountEvent::ManualOverride {
        base: check::money("account.manual_override.base", body.base)?,
        by: check::optional_id("account.manual_override.by", body.by)?,
    })
}

fn tier_changed(body: &proto::TierChanged) -> Result<AccountEvent, Refusal> {
    Ok(AccountEvent::TierChanged(check::word("account.tier_changed.tier", body.tier, Tier::from_index)?))
}

fn promotion_enrolled(body: proto::PromotionEnrolled) -> Result<AccountEvent, Refusal> {
    Ok(AccountEvent::PromotionEnrolled {
        promotion_id: check::id("account.promotion_enrolled.promotion_id", body.promotion_id)?,
        forecast_daily: check::money("account.promotion_enrolled.forecast_daily", body.forecast_daily)?,
        currency: check::currency("account.promotion_enrolled.currency", &body.currency)?,
    })
}

fn promotion_withdrawn(body: proto::PromotionWithdrawn) -> Result<AccountEvent, Refusal> {
    let promotion_id = check::id("account.promotion_withdrawn.promotion_id", body.promotion_id)?;
    Ok(AccountEvent::PromotionWithdrawn { promotion_id })
}

fn review_resolved(body: proto::ReviewResolved) -> Result<AccountEvent, Refusal> {
    check::optional_id("account.review_resolved.by", body.by)?;
    Ok(AccountEvent::ReviewResolved {
        review_id: check::id("account.review_resolved.review_id", body.review_id)?,
        outcome: check::word("account.review_resolved.outcome", body.outcome, ReviewOutcome::from_index)?,
    })
}

fn appeal_opened(body: proto::AppealOpened) -> Result<AccountEvent, Refusal> {
    check::optional_id("account.appeal_opened.change_id", body.change_id)?;
    check::text("account.appeal_opened.text", &body.text)?;
    Ok(AccountEvent::AppealOpened)
}

fn outcome(body: proto::OutcomeLabelled) -> Result<AccountEvent, Refusal> {
    check::optional_id("account.outcome.label", body.label)?;
    Ok(AccountEvent::Outcome)
}
