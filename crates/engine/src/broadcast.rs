//! What concerns every account: promotions, the market, control. Accounts apply it lazily, in order (PROTOCOL P6).

use headroom_policy::Currency;

use crate::event::{Holiday, PromotionEvent, PromotionKind};
use crate::features::Suspect;
use crate::ids::name_key;
use crate::time::{HOUR, Timestamp};
use crate::trigger::TriggerKind;
use crate::vocabulary::{Regime, Segment};

/// How long before its start a promotion or holiday is near.
pub const NEAR: i64 = 72 * HOUR;

/// Everything broadcast so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Broadcasts {
    /// What accounts have to apply, by sequence from 1.
    pub log: Vec<Broadcast>,
    /// Promotions in the order in which they became known.
    pub promotions: Vec<Promotion>,
    /// Holidays.
    pub holidays: Vec<Holiday>,
    /// Regime of the market; unknown until somebody says.
    pub regime: Option<Regime>,
    /// What may still be granted upward, by currency; none: no budget is kept.
    pub budgets: Vec<(Currency, i64)>,
    /// Moments to come that the shard's clock turns into broadcasts; sorted.
    pub upcoming: Vec<(Timestamp, Moment)>,
}

/// One entry of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broadcast {
    /// `now` of the decisions that it triggers.
    pub at: Timestamp,
    /// What it was.
    pub moment: Moment,
}

/// What accounts may have to decide on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Moment {
    /// A promotion became known.
    PromotionAnnounced(u64),
    /// It starts within 72 hours.
    PromotionNear(u64),
    /// It began.
    PromotionStarted(u64),
    /// It goes on for longer.
    PromotionExtended(u64),
    /// It is over.
    PromotionEnded(u64),
    /// A holiday (its start) begins within 72 hours.
    HolidayNear(Timestamp),
    /// The regime changed.
    MarketChanged,
    /// A fault was mended: changes between the two instants are suspect.
    FaultCleared(Timestamp, Timestamp),
    /// A rollout was taken back: its key, and the changes that are suspect.
    RolloutRolledBack(u64, Suspect),
}

impl Moment {
    /// What rules call it.
    pub fn trigger(&self) -> TriggerKind {
        match self {
            Self::PromotionAnnounced(_) => TriggerKind::PromotionAnnounced,
            Self::PromotionNear(_) => TriggerKind::PromotionNear,
            Self::PromotionStarted(_) => TriggerKind::PromotionStarted,
            Self::PromotionExtended(_) => TriggerKind::PromotionExtended,
            Self::PromotionEnded(_) => TriggerKind::PromotionEnded,
            Self::HolidayNear(_) => TriggerKind::HolidayNear,
            Self::MarketChanged => TriggerKind::MarketChanged,
            Self::FaultCleared(..) => TriggerKind::FaultCleared,
            Self::RolloutRolledBack(..) => TriggerKind::RolloutRolledBack,
        }
    }

    /// The changes that it makes suspect.
    pub fn suspect(&self) -> Option<Suspect> {
        match self {
            Self::FaultCleared(since, until) => Some(Suspect { since: *since, until: *until, rule: 0 }),
            Self::RolloutRolledBack(_, suspect) => Some(*suspect),
            _ => None,
        }
    }

    /// The key of the promotion that it is a moment of.
    pub fn promotion(&self) -> Option<u64> {
        match self {
            Self::PromotionAnnounced(key)
            | Self::PromotionNear(key)
            | Self::PromotionStarted(key)
            | Self::PromotionExtended(key)
            | Self::PromotionEnded(key) => Some(*key),
            Self::HolidayNear(_) | Self::MarketChanged | Self::FaultCleared(..) | Self::RolloutRolledBack(..) => None,
        }
    }
}

/// A promotion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Promotion {
    /// Hash of its id.
    pub key: u64,
    /// Its id.
    pub id: String,
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// Whom it targets; empty: all.
    pub segments: Vec<Segment>,
}

impl Promotion {
    /// Whether it runs.
    pub fn active(&self, now: Timestamp) -> bool {
        self.start <= now && now < self.end
    }

    /// Whether it targets a segment.
    pub fn targets(&self, segment: Segment) -> bool {
        self.segments.is_empty() || self.segments.contains(&segment)
    }
}

impl Broadcasts {
    /// The sequence of the newest entry.
    pub fn sequence(&self) -> u64 {
        self.log.len() as u64
    }

    /// The first entry after a sequence, if its time has come; with its own sequence.
    pub fn next_after(&self, sequence: u64, now: Timestamp) -> Option<(u64, Broadcast)> {
        let entry = self.log.get(usize::try_from(sequence).ok()?)?;
        (entry.at <= now).then_some((sequence + 1, *entry))
    }

    /// A promotion by key.
    pub fn promotion(&self, key: u64) -> Option<&Promotion> {
        self.promotions.iter().find(|each| each.key == key)
    }

    /// Turns upcoming moments that lie at or before `now` into entries, in time order. Call before a record is applied.
    pub fn advance(&mut self, now: Timestamp) {
        let due = self.upcoming.partition_point(|(at, _)| *at <= now);
        for (at, moment) in self.upcoming.drain(..due) {
            self.log.push(Broadcast { at, moment });
        }
    }

    /// Applies a promotion event at the record's `now`. An unknown promotion needs start and end.
    pub fn promote(&mut self, event: &PromotionEvent, now: Timestamp) -> Result<(), &'static str> {
        let key = name_key(&event.promotion_id);
        let known = self.promotions.iter().position(|each| each.key == key);
        let (start, end) = match (event.start, event.end, known) {
            (Some(start), Some(end), _) => (start, end),
            (start, end, Some(at)) => {
                (start.unwrap_or(self.promotions[at].start), end.unwrap_or(self.promotions[at].end))
            }
            _ => return Err("a promotion that is not known yet needs `start` and `end`"),
        };
        let (start, end) = match event.kind {
            PromotionKind::Started => (start.min(now), end),
            PromotionKind::Ended => (start.min(now), end.min(now)),
            PromotionKind::Announced | PromotionKind::Extended => (start, end),
        };
        if end <= start && event.kind != PromotionKind::Ended {
            return Err("a promotion must end after its start");
        }
        self.set_promotion(known, key, event, start, end);
        self.announce(event.kind, key, start, now);
        Ok(())
    }

    fn set_promotion(
        &mut self,
        known: Option<usize>,
        key: u64,
        event: &PromotionEvent,
        start: Timestamp,
        end: Timestamp,
    ) {
        match known {
            Some(at) => {
                let promotion = &mut self.promotions[at];
                (promotion.start, promotion.end) = (start, end);
                if !event.segments.is_empty() {
                    promotion.segments.clone_from(&event.segments);
                }
            }
            None => self.promotions.push(Promotion {
                key,
                id: event.promotion_id.clone(),
                start,
                end,
                segments: event.segments.clone(),
            }),
        }
    }

    fn announce(&mut self, kind: PromotionKind, key: u64, start: Timestamp, now: Timestamp) {
        let moment = match kind {
            PromotionKind::Announced => Moment::PromotionAnnounced(key),
            PromotionKind::Started => Moment::PromotionStarted(key),
            PromotionKind::Extended => Moment::PromotionExtended(key),
            PromotionKind::Ended => Moment::PromotionEnded(key),
        };
        self.log.push(Broadcast { at: now, moment });
        if kind == PromotionKind::Announced {
            self.schedule(start.plus(-NEAR).max(now), Moment::PromotionNear(key));
        }
        self.advance(now);
    }

    /// Replaces the holiday calendar.
    pub fn set_holidays(&mut self, holidays: &[Holiday], now: Timestamp) {
        self.upcoming.retain(|(_, moment)| !matches!(moment, Moment::HolidayNear(_)));
        self.holidays = holidays.to_vec();
        for holiday in holidays.iter().filter(|each| each.start > now) {
            self.schedule(holiday.start.plus(-NEAR).max(now), Moment::HolidayNear(holiday.start));
        }
        self.advance(now);
    }

    fn schedule(&mut self, at: Timestamp, moment: Moment) {
        self.upcoming.retain(|(_, each)| *each != moment);
        let place = self.upcoming.partition_point(|each| *each <= (at, moment));
        self.upcoming.insert(place, (at, moment));
    }

    /// The budget of a currency.
    pub fn budget(&self, currency: Option<Currency>) -> Option<i64> {
        let currency = currency?;
        self.budgets.iter().find(|(each, _)| *each == currency).map(|(_, left)| *left)
    }
}
