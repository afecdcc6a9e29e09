//! Events that concern every account: promotions, the market, control.

use headroom_engine::{
    ControlEvent, Holiday, MarketEvent, PromotionEvent, PromotionKind, Refusal, RefusalCode, Regime, Segment,
};

use crate::check;
use crate::proto::{self, control_event, market_event, promotion_event};

/// Checks a promotion. Whether it ends after its start is the engine's to say: it knows what was announced.
pub fn promotion(body: proto::PromotionEvent) -> Result<PromotionEvent, Refusal> {
    check::text("promotion.name", &body.name)?;
    Ok(PromotionEvent {
        kind: promotion_kind(body.kind)?,
        promotion_id: check::id("promotion.promotion_id", body.promotion_id)?,
        start: check::optional_time("promotion.start", body.start)?,
        end: check::optional_time("promotion.end", body.end)?,
        segments: segments(&body.segments)?,
    })
}

fn segments(numbers: &[i32]) -> Result<Vec<Segment>, Refusal> {
    numbers.iter().map(|number| check::word("promotion.segments", *number, Segment::from_index)).collect()
}

fn promotion_kind(number: i32) -> Result<PromotionKind, Refusal> {
    use promotion_event::Kind;
    check::word("promotion.kind", number, |index| {
        Some(match Kind::try_from(i32::from(index) + 1).ok()? {
            Kind::Unspecified => return None,
            Kind::Announced => PromotionKind::Announced,
            Kind::Started => PromotionKind::Started,
            Kind::Extended => PromotionKind::Extended,
            Kind::Ended => PromotionKind::Ended,
        })
    })
}

/// Checks news of the market.
pub fn market(body: proto::MarketEvent) -> Result<MarketEvent, Refusal> {
    use market_event::Kind;
    Ok(match check::present("market.kind", body.kind)? {
        Kind::RegimeChanged(body) => {
            MarketEvent::RegimeChanged(check::word("market.regime_changed.regime", body.regime, Regime::from_index)?)
        }
        Kind::HolidayCalendar(body) => {
            MarketEvent::HolidayCalendar(body.holidays.into_iter().map(holiday).collect::<Result<_, _>>()?)
        }
        Kind::PortfolioBudget(body) => MarketEvent::PortfolioBudget {
            currency: check::currency("market.portfolio_budget.currency", &body.currency)?,
            increase_left: check::money("market.portfolio_budget.increase_left", body.increase_left)?,
        },
    })
}

fn holiday(body: proto::holiday_calendar::Holiday) -> Result<Holiday, Refusal> {
    let start = check::time("market.holiday_calendar.holidays.start", body.start)?;
    let end = check::time("market.holiday_calendar.holidays.end", body.end)?;
    let name = check::id("market.holiday_calendar.holidays.name", body.name)?;
    if end <= start {
        return Err(Refusal::new(RefusalCode::BadPromotion, format!("holiday `{name}` must end after its start")));
    }
    Ok(Holiday { name, start, end })
}

/// Checks a control record.
pub fn control(body: proto::ControlEvent) -> Result<ControlEvent, Refusal> {
    use control_event::Kind;
    Ok(match check::present("control.kind", body.kind)? {
        Kind::RulesetPublished(body) => ruleset_published(body)?,
        Kind::FaultDeclared(body) => ControlEvent::FaultDeclared {
            fault_id: check::id("control.fault_declared.fault_id", body.fault_id)?,
            since: check::time("control.fault_declared.since", body.since)?,
        },
        Kind::FaultCleared(body) => ControlEvent::FaultCleared {
            fault_id: check::id("control.fault_cleared.fault_id", body.fault_id)?,
            since: check::time("control.fault_cleared.since", body.since)?,
            until: check::time("control.fault_cleared.until", body.until)?,
        },
        Kind::RolloutRolledBack(body) => ControlEvent::RolloutRolledBack {
            rollout_id: check::id("control.rollout_rolled_back.rollout_id", body.rollout_id)?,
            since: check::optional_time("control.rollout_rolled_back.since", body.since)?,
            until: check::optional_time("control.rollout_rolled_back.until", body.until)?,
            rule: body.rule_number,
        },
    })
}

fn ruleset_published(body: proto::RulesetPublished) -> Result<ControlEvent, Refusal> {
    let content_hash = check::id("control.ruleset_published.content_hash", body.content_hash)?;
    let files = body.files.into_iter().map(file).collect::<Result<_, _>>()?;
    Ok(ControlEvent::RulesetPublished { content_hash, files })
}

fn file(file: proto::ruleset_published::File) -> Result<(String, String), Refusal> {
    Ok((path(file.path)?, file.content))
}

/// A path that stays inside the ruleset, on any system.
fn path(path: String) -> Result<String, Refusal> {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']);
    if path.split('/').all(plain) {
        return check::id("control.ruleset_published.files.path", path);
    }
    let detail = format!("`control.ruleset_published.files.path` `{path}` is no relative path with forward slashes");
    Err(Refusal::new(RefusalCode::BadId, detail))
}
