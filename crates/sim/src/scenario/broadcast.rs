//! Promotions, the market, control.

use headroom_engine::{
    Body, ControlEvent, Holiday, MarketEvent, PromotionEvent, PromotionKind, Regime, Segment, Timestamp,
};

use super::Resolve;
use super::args::Args;
use super::event::{Draft, Place, envelope};

/// Broadcasts that are neither promotions nor faults.
pub const NAMES: &[&str] = &["market", "holidays", "budget", "rollout_rolled_back"];

/// The records that a line stands for.
pub fn drafts(name: &str, args: &mut Args<'_>, place: Place<'_>) -> Option<Vec<Draft>> {
    let (mut event, _) = envelope(args, place);
    if name == "promotion" {
        return promotion(args, &event);
    }
    event.body = match name.strip_prefix("promotion_") {
        Some(kind) => Body::Promotion(moved(kind, args)?),
        None => other(name, args)?,
    };
    Some(vec![Draft { at: args.at, implied: false, event, resolve: Resolve::Nothing }])
}

/// `promotion ID A .. B`: announced at once, or at `announced TIME`; started at A, ended at B.
fn promotion(args: &mut Args<'_>, like: &headroom_engine::Event) -> Option<Vec<Draft>> {
    let id = args.word("the promotion's id");
    let (start, end) = range(args);
    let announced = if args.keyword("announced") {
        let word = args.word("the time of the announcement");
        args.time(word)?
    } else {
        args.at
    };
    let segments = segments(args)?;
    let (id, start, end) = (id?.text.to_owned(), start?, end?);
    let draft = |kind, at, implied, tail: &str, times: (Option<Timestamp>, Option<Timestamp>)| {
        let mut event = like.clone();
        (event.id, event.occurred_at) = (format!("{}{tail}", like.id), at);
        let (segments, promotion_id) = (segments.clone(), id.clone());
        event.body = Body::Promotion(PromotionEvent { kind, promotion_id, start: times.0, end: times.1, segments });
        Draft { at, implied, event, resolve: Resolve::Nothing }
    };
    Some(vec![
        draft(PromotionKind::Announced, announced, false, "", (Some(start), Some(end))),
        draft(PromotionKind::Started, start, true, "-start", (None, None)),
        draft(PromotionKind::Ended, end, true, "-end", (None, None)),
    ])
}

fn range(args: &mut Args<'_>) -> (Option<Timestamp>, Option<Timestamp>) {
    let start = args.word("the start");
    let start = args.time(start);
    if !args.keyword("..") {
        args.missing("`..` between start and end");
    }
    let end = args.word("the end");
    (start, args.time(end))
}

fn segments(args: &mut Args<'_>) -> Option<Vec<Segment>> {
    let Some(word) = args.named("segments") else { return Some(Vec::new()) };
    let read = |text: &str| text.split(',').map(Segment::parse).collect::<Option<Vec<Segment>>>();
    args.take(Some(word), read, "segments are written `segments=consumer,merchant_key`")
}

fn moved(kind: &str, args: &mut Args<'_>) -> Option<PromotionEvent> {
    let id = args.word("the promotion's id");
    let (start, end) = (args.time_named("start"), args.time_named("end"));
    let kind = match kind {
        "announced" => PromotionKind::Announced,
        "started" => PromotionKind::Started,
        "extended" => PromotionKind::Extended,
        _ => PromotionKind::Ended,
    };
    Some(PromotionEvent { kind, promotion_id: id?.text.to_owned(), start, end, segments: segments(args)? })
}

fn other(name: &str, args: &mut Args<'_>) -> Option<Body> {
    Some(match name {
        "market" => {
            let regime = args.needed("regime");
            Body::Market(MarketEvent::RegimeChanged(args.one_of(regime, Regime::ALL, Regime::word)?))
        }
        "holidays" => Body::Market(MarketEvent::HolidayCalendar(holidays(args)?)),
        "budget" => {
            let currency = args.word("the currency");
            let currency = args.take(currency, |text| text.parse().ok(), "a currency is written `CNY`");
            let increase_left = args.amount("the amount");
            Body::Market(MarketEvent::PortfolioBudget { currency: currency?, increase_left: increase_left? })
        }
        _ => Body::Control(control(name, args)?),
    })
}

/// `NAME A .. B`, as often as need be.
fn holidays(args: &mut Args<'_>) -> Option<Vec<Holiday>> {
    let mut found = Vec::new();
    while let Some(name) = args.maybe() {
        let (start, end) = range(args);
        found.push(Holiday { name: name.text.to_owned(), start: start?, end: end? });
    }
    Some(found)
}

fn control(name: &str, args: &mut Args<'_>) -> Option<ControlEvent> {
    let id = args.word("the id");
    if name == "rollout_rolled_back" {
        let (since, until) = (args.time_named("since"), args.time_named("until"));
        let rule = args.named("rule");
        let rule = args.number(rule).unwrap_or(0);
        return Some(ControlEvent::RolloutRolledBack { rollout_id: id?.text.to_owned(), since, until, rule });
    }
    let since = args.needed("since");
    let since = args.time(since);
    if name == "fault_declared" {
        return Some(ControlEvent::FaultDeclared { fault_id: id?.text.to_owned(), since: since? });
    }
    let until = args.time_named("until").unwrap_or(args.at);
    (name == "fault_cleared").then_some(ControlEvent::FaultCleared {
        fault_id: id?.text.to_owned(),
        since: since?,
        until,
    })
}
