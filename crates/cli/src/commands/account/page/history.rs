//! What happened to an account, newest first.

use anyhow::{Context, Result};
use headroom_engine::Timestamp;
use headroom_node::view::Item;
use headroom_store::Reader;
use headroom_wire::output_from_protobuf;
use headroom_wire::proto::output::Body;
use headroom_wire::proto::{Offer, Review, Trigger};
use jiff::tz::TimeZone;

use crate::commands::changes::entry::{Entry, Titles, entry, money};
use crate::zone;

use super::Look;
use super::draw::{Paint, cut};

/// Outputs that are read at a time; notices among them tell nothing new.
const PAGE: usize = 200;

/// One line of the past.
pub enum History {
    /// A limit change.
    Change(Box<Entry>),
    /// An offer or a review.
    Asked(Box<Asked>),
}

/// An offer or a review, ready to be shown.
pub struct Asked {
    time: String,
    kind: String,
    amount: Option<i64>,
    reasons: Vec<String>,
    rule: String,
    trigger: Trigger,
}

/// The last changes, offers and reviews of an account, newest first.
pub fn read(reader: &Reader, account: &str, limit: usize, zone: &TimeZone) -> Result<Vec<History>> {
    let (mut found, mut before) = (Vec::new(), None);
    while found.len() < limit {
        let page = reader.account_outputs(account, before, PAGE)?;
        let Some((oldest, _)) = page.last() else { break };
        before = Some(*oldest);
        for (sequence, bytes) in &page {
            let output = output_from_protobuf(bytes).with_context(|| format!("output {sequence} cannot be read"))?;
            found.extend(output.body.and_then(|body| history(&body, zone)));
        }
    }
    found.truncate(limit);
    Ok(found)
}

fn history(body: &Body, zone: &TimeZone) -> Option<History> {
    match body {
        Body::LimitChange(change) => Some(History::Change(Box::new(entry(change, &Titles::new(), zone)))),
        Body::Offer(offer) => Some(History::Asked(Box::new(offered(offer, zone)))),
        Body::Review(review) => Some(History::Asked(Box::new(reviewed(review, zone)))),
        Body::Notice(_) | Body::DeadLetter(_) => None,
    }
}

fn offered(offer: &Offer, zone: &TimeZone) -> Asked {
    Asked {
        time: time(offer.created_at, zone),
        kind: format!("offer {}", offer.class),
        amount: Some(offer.amount),
        reasons: offer.reasons.clone(),
        rule: offer.rule_id.clone(),
        trigger: offer.trigger.clone().unwrap_or_default(),
    }
}

fn reviewed(review: &Review, zone: &TimeZone) -> Asked {
    Asked {
        time: time(review.created_at, zone),
        kind: format!("review {}", review.kind),
        amount: review.proposal,
        reasons: review.reasons.clone(),
        rule: review.rule_id.clone(),
        trigger: review.trigger.clone().unwrap_or_default(),
    }
}

fn time(at: Option<headroom_wire::Timestamp>, zone: &TimeZone) -> String {
    zone::time(at.and_then(headroom_wire::Timestamp::to_millis).map(Timestamp), zone)
}

impl History {
    /// With everything, for machines.
    pub fn item(&self) -> Item {
        let some = |text: &str| Item::from(Some(text).filter(|text| !text.is_empty()));
        match self {
            Self::Change(entry) => entry.item(),
            Self::Asked(asked) => Item::fields([
                ("time", asked.time.as_str().into()),
                ("kind", asked.kind.as_str().into()),
                ("amount", asked.amount.into()),
                ("reasons", Item::list(asked.reasons.clone())),
                ("rule", some(&asked.rule)),
                ("trigger", asked.trigger.name.as_str().into()),
                ("event_id", some(&asked.trigger.event_id)),
            ]),
        }
    }

    fn line(&self) -> Line {
        match self {
            Self::Change(entry) => {
                let (before, after) = (entry.before.effective, entry.after.effective);
                let limit = format!("{} → {}", money(before), money(after));
                let columns = [&entry.kind, &limit, &entry.reasons.join(", "), &entry.rule, &entry.trigger()];
                Line { rises: after.cmp(&before), time: entry.time.clone(), columns: columns.map(Clone::clone) }
            }
            Self::Asked(asked) => {
                let Asked { time, kind, amount, reasons, rule, trigger } = &**asked;
                let amount = amount.map(money).unwrap_or_default();
                let trigger = format!("{} {}", trigger.name, trigger.event_id);
                let columns = [kind, &amount, &reasons.join(", "), rule, &trigger];
                let columns = columns.map(Clone::clone);
                Line { rises: std::cmp::Ordering::Equal, time: time.clone(), columns }
            }
        }
    }
}

/// A line before it is aligned with the others.
struct Line {
    /// What became of the effective limit.
    rises: std::cmp::Ordering,
    time: String,
    /// Kind, before and after, reasons, rule, trigger.
    columns: [String; 5],
}

/// The section.
pub fn timeline(history: &[History], look: &Look, paint: Paint) -> String {
    let mut out = format!("\n{}\n", paint.strong("HISTORY"));
    if history.is_empty() {
        out.push_str("  nothing yet\n");
    }
    let lines: Vec<Line> = history.iter().map(History::line).collect();
    let width = |at: usize| lines.iter().map(|line| line.columns[at].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3, 4].map(width);
    for line in &lines {
        let marker = match line.rises {
            std::cmp::Ordering::Greater => paint.more("▲"),
            std::cmp::Ordering::Less => paint.less("▼"),
            std::cmp::Ordering::Equal => paint.faint("•"),
        };
        let columns = line.columns.iter().zip(widths).map(|(text, width)| format!("{text:width$}"));
        let columns = columns.collect::<Vec<_>>().join("  ");
        // To the minute: the zone stands at the top of the page.
        let time: String = line.time.chars().take(16).map(|char| if char == 'T' { ' ' } else { char }).collect();
        let room = look.width.saturating_sub(time.chars().count() + 4);
        out.push_str(&format!("{marker} {}  {}\n", paint.faint(&time), cut(columns.trim_end(), room)));
    }
    out
}
