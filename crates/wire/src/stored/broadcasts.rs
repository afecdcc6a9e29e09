//! What was broadcast to a shard, as part of its state.

use headroom_engine::{
    Broadcast, Broadcasts, Holiday, Moment, Promotion, Regime, Segment, Suspect, Timestamp, name_key,
};

use super::StoredError;
use crate::proto::{self, stored_moment::What};

type Taken<T> = Result<T, StoredError>;

/// Broadcasts as stored.
pub fn put_broadcasts(broadcasts: &Broadcasts) -> proto::StoredBroadcasts {
    proto::StoredBroadcasts {
        log: broadcasts.log.iter().map(|entry| put_moment(entry.at, entry.moment)).collect(),
        promotions: broadcasts.promotions.iter().map(put_promotion).collect(),
        holidays: broadcasts.holidays.iter().map(put_holiday).collect(),
        regime: broadcasts.regime.map_or(0, |regime| i32::from(regime.index()) + 1),
        budgets: broadcasts.budgets.iter().map(|(currency, left)| put_budget(currency.to_string(), *left)).collect(),
        upcoming: broadcasts.upcoming.iter().map(|(at, moment)| put_moment(*at, *moment)).collect(),
    }
}

/// The reverse.
pub fn take_broadcasts(stored: proto::StoredBroadcasts) -> Taken<Broadcasts> {
    let upcoming = stored.upcoming.into_iter().map(take_moment).collect::<Taken<Vec<_>>>()?;
    Ok(Broadcasts {
        log: stored.log.into_iter().map(take_moment).collect::<Taken<_>>()?,
        promotions: stored.promotions.into_iter().map(take_promotion).collect::<Taken<_>>()?,
        holidays: stored.holidays.into_iter().map(take_holiday).collect(),
        regime: take_word(stored.regime, Regime::from_index)?,
        budgets: stored.budgets.into_iter().map(take_budget).collect::<Taken<_>>()?,
        upcoming: upcoming.into_iter().map(|entry| (entry.at, entry.moment)).collect(),
    })
}

fn put_moment(at: Timestamp, moment: Moment) -> proto::StoredMoment {
    let what = match moment {
        Moment::PromotionAnnounced(key) => What::PromotionAnnounced(key),
        Moment::PromotionNear(key) => What::PromotionNear(key),
        Moment::PromotionStarted(key) => What::PromotionStarted(key),
        Moment::PromotionExtended(key) => What::PromotionExtended(key),
        Moment::PromotionEnded(key) => What::PromotionEnded(key),
        Moment::HolidayNear(start) => What::HolidayNear(start.0),
        Moment::MarketChanged => What::MarketChanged(true),
        Moment::FaultCleared(since, until) => What::FaultCleared(proto::StoredSpan { since: since.0, until: until.0 }),
        Moment::RolloutRolledBack(rollout, suspect) => What::Rollback(proto::StoredRollback {
            rollout,
            span: Some(proto::StoredSpan { since: suspect.since.0, until: suspect.until.0 }),
            rule: suspect.rule,
        }),
    };
    proto::StoredMoment { at: at.0, what: Some(what) }
}

fn take_moment(stored: proto::StoredMoment) -> Taken<Broadcast> {
    let moment = match stored.what.ok_or_else(|| StoredError::damaged("unknown moment"))? {
        What::PromotionAnnounced(key) => Moment::PromotionAnnounced(key),
        What::PromotionNear(key) => Moment::PromotionNear(key),
        What::PromotionStarted(key) => Moment::PromotionStarted(key),
        What::PromotionExtended(key) => Moment::PromotionExtended(key),
        What::PromotionEnded(key) => Moment::PromotionEnded(key),
        What::HolidayNear(start) => Moment::HolidayNear(Timestamp(start)),
        What::MarketChanged(_) => Moment::MarketChanged,
        What::FaultCleared(span) => Moment::FaultCleared(Timestamp(span.since), Timestamp(span.until)),
        // Before its span was kept, a rollback gave nothing back.
        What::RolloutRolledBack(key) => Moment::RolloutRolledBack(key, suspect(None, 0)),
        What::Rollback(back) => Moment::RolloutRolledBack(back.rollout, suspect(back.span, back.rule)),
    };
    Ok(Broadcast { at: Timestamp(stored.at), moment })
}

/// An empty span covers nothing.
fn suspect(span: Option<proto::StoredSpan>, rule: u32) -> Suspect {
    let span = span.unwrap_or_default();
    Suspect { since: Timestamp(span.since), until: Timestamp(span.until), rule }
}

fn put_promotion(promotion: &Promotion) -> proto::StoredPromotion {
    proto::StoredPromotion {
        id: promotion.id.clone(),
        start: promotion.start.0,
        end: promotion.end.0,
        segments: promotion.segments.iter().map(|segment| i32::from(segment.index()) + 1).collect(),
    }
}

fn take_promotion(stored: proto::StoredPromotion) -> Taken<Promotion> {
    let segments = stored
        .segments
        .into_iter()
        .map(|number| take_word(number, Segment::from_index)?.ok_or_else(|| StoredError::damaged("segment 0")));
    Ok(Promotion {
        key: name_key(&stored.id),
        start: Timestamp(stored.start),
        end: Timestamp(stored.end),
        segments: segments.collect::<Taken<_>>()?,
        id: stored.id,
    })
}

fn put_holiday(holiday: &Holiday) -> proto::StoredHoliday {
    proto::StoredHoliday { name: holiday.name.clone(), start: holiday.start.0, end: holiday.end.0 }
}

fn take_holiday(stored: proto::StoredHoliday) -> Holiday {
    Holiday { name: stored.name, start: Timestamp(stored.start), end: Timestamp(stored.end) }
}

fn put_budget(currency: String, increase_left: i64) -> proto::PortfolioBudget {
    proto::PortfolioBudget { currency, increase_left }
}

fn take_budget(stored: proto::PortfolioBudget) -> Taken<(headroom_policy::Currency, i64)> {
    let currency = stored.currency.parse().map_err(|_| StoredError::damaged("no currency"))?;
    Ok((currency, stored.increase_left))
}

/// A word by its number in the contract; `None` of 0.
fn take_word<W>(number: i32, from_index: fn(u8) -> Option<W>) -> Taken<Option<W>> {
    if number == 0 {
        return Ok(None);
    }
    let index = number.checked_sub(1).and_then(|index| u8::try_from(index).ok());
    index.and_then(from_index).map(Some).ok_or_else(|| StoredError::damaged(format!("unknown word {number}")))
}
