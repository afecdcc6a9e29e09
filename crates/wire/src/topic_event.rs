//! Events as records of topics: CloudEvents 1.0 in binary mode, where the value is the body and headers are the
//! envelope; or the whole envelope as the value, without headers.

use headroom_engine::{Body, Refusal, RefusalCode};

use crate::proto::{self, event};
use crate::value_format::ValueFormat;
use crate::{EncodeError, Timestamp};

const SPECVERSION: &str = "1.0";
/// CloudEvents wants a source; this one stands for none.
const NO_SOURCE: &str = "/";

/// What kind of event: a body's type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyKind {
    /// `OrderEvent`
    Order,
    /// `RepaymentEvent`
    Repayment,
    /// `SignalEvent`
    Signal,
    /// `AccountEvent`
    Account,
    /// `PromotionEvent`
    Promotion,
    /// `MarketEvent`
    Market,
    /// `ControlEvent`
    Control,
}

impl BodyKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Order, Self::Repayment, Self::Signal, Self::Account, Self::Promotion, Self::Market, Self::Control];

    /// The full name of its message, which is its CloudEvents type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Order => "headroom.v1.OrderEvent",
            Self::Repayment => "headroom.v1.RepaymentEvent",
            Self::Signal => "headroom.v1.SignalEvent",
            Self::Account => "headroom.v1.AccountEvent",
            Self::Promotion => "headroom.v1.PromotionEvent",
            Self::Market => "headroom.v1.MarketEvent",
            Self::Control => "headroom.v1.ControlEvent",
        }
    }

    /// Of a message; `None`: it has no body.
    pub fn of(event: &proto::Event) -> Option<Self> {
        Some(match event.body.as_ref()? {
            event::Body::Order(_) => Self::Order,
            event::Body::Repayment(_) => Self::Repayment,
            event::Body::Signal(_) => Self::Signal,
            event::Body::Account(_) => Self::Account,
            event::Body::Promotion(_) => Self::Promotion,
            event::Body::Market(_) => Self::Market,
            event::Body::Control(_) => Self::Control,
        })
    }

    /// Of an event of the engine.
    pub fn of_body(body: &Body) -> Self {
        match body {
            Body::Order(_) => Self::Order,
            Body::Repayment { .. } => Self::Repayment,
            Body::Signal(_) => Self::Signal,
            Body::Account(_) => Self::Account,
            Body::Promotion(_) => Self::Promotion,
            Body::Market(_) => Self::Market,
            Body::Control(_) => Self::Control,
        }
    }

    /// Whether it concerns everybody, and names no account.
    pub fn is_broadcast(self) -> bool {
        matches!(self, Self::Promotion | Self::Market | Self::Control)
    }

    /// Its place among the messages of `events.proto`.
    fn place(self) -> u8 {
        match self {
            Self::Order => 1,
            Self::Repayment => 2,
            Self::Signal => 11,
            Self::Account => 12,
            Self::Promotion => 29,
            Self::Market => 30,
            Self::Control => 34,
        }
    }

    fn read(self, format: ValueFormat, value: &[u8]) -> Result<event::Body, Refusal> {
        Ok(match self {
            Self::Order => event::Body::Order(format.read(value)?),
            Self::Repayment => event::Body::Repayment(format.read(value)?),
            Self::Signal => event::Body::Signal(format.read(value)?),
            Self::Account => event::Body::Account(format.read(value)?),
            Self::Promotion => event::Body::Promotion(format.read(value)?),
            Self::Market => event::Body::Market(format.read(value)?),
            Self::Control => event::Body::Control(format.read(value)?),
        })
    }
}

/// The headers of a record that say something to us.
#[derive(Clone, Copy, Default, Debug)]
pub struct EventHeaders<'a> {
    specversion: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
    id: Option<&'a [u8]>,
    source: Option<&'a [u8]>,
    time: Option<&'a [u8]>,
    recorded_at: Option<&'a [u8]>,
    provenance: Option<&'a [u8]>,
    precision: Option<&'a [u8]>,
    replayed: Option<&'a [u8]>,
    twice: Option<&'static str>,
}

impl<'a> EventHeaders<'a> {
    /// Looks through a record's headers.
    pub fn of(headers: impl IntoIterator<Item = (&'a str, Option<&'a [u8]>)>) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            found.take(name, value.unwrap_or_default());
        }
        found
    }

    /// Whether the record is a CloudEvent: its value is the body alone.
    pub fn is_cloud_event(&self) -> bool {
        self.type_name.is_some()
    }

    /// Whether an operator sent the record again (`ce_replayed: true`): it is never too old.
    pub fn is_replayed(&self) -> bool {
        self.replayed == Some(b"true")
    }

    fn take(&mut self, name: &str, value: &'a [u8]) {
        let (name, place) = match name {
            "ce_specversion" => ("ce_specversion", &mut self.specversion),
            "ce_type" => ("ce_type", &mut self.type_name),
            "ce_id" => ("ce_id", &mut self.id),
            "ce_source" => ("ce_source", &mut self.source),
            "ce_time" => ("ce_time", &mut self.time),
            "ce_recordedat" => ("ce_recordedat", &mut self.recorded_at),
            "ce_provenance" => ("ce_provenance", &mut self.provenance),
            "ce_timeprecision" => ("ce_timeprecision", &mut self.precision),
            "ce_replayed" => ("ce_replayed", &mut self.replayed),
            _ => return,
        };
        if place.replace(value).is_some() {
            self.twice = Some(name);
        }
    }

    /// The kind of a CloudEvent. Errors: `UNPARSEABLE`, `UNKNOWN_WORD`.
    fn kind(&self) -> Result<BodyKind, Refusal> {
        if let Some(name) = self.twice {
            return Err(unparseable(format!("header `{name}` is there twice")));
        }
        let specversion = text("ce_specversion", self.specversion)?;
        if specversion != SPECVERSION {
            let detail = format!("header `ce_specversion` is `{specversion}`, expected `{SPECVERSION}`");
            return Err(unparseable(detail));
        }
        let name = text("ce_type", self.type_name)?;
        let unknown = || {
            let detail = format!("header `ce_type` is `{name}`, which is no event of headroom.v1");
            Refusal::new(RefusalCode::UnknownWord, detail)
        };
        BodyKind::ALL.into_iter().find(|kind| kind.type_name() == name).ok_or_else(unknown)
    }

    fn envelope(&self, body: event::Body) -> Result<proto::Event, Refusal> {
        let source = text("ce_source", self.source)?;
        Ok(proto::Event {
            event_id: text("ce_id", self.id)?.to_owned(),
            source: if source == NO_SOURCE { String::new() } else { source.to_owned() },
            account_id: String::new(),
            occurred_at: time("ce_time", self.time)?,
            recorded_at: time("ce_recordedat", self.recorded_at)?,
            provenance: word("ce_provenance", self.provenance, "PROVENANCE_", |name| {
                proto::Provenance::from_str_name(name).map(i32::from)
            })?,
            time_precision: word("ce_timeprecision", self.precision, "TIME_PRECISION_", |name| {
                proto::TimePrecision::from_str_name(name).map(i32::from)
            })?,
            body: Some(body),
        })
    }
}

/// Reads the event of a record. Of a CloudEvent the account is still missing: it is the record's key.
///
/// # Errors
/// `TOO_LARGE`; `UNPARSEABLE` for a value or headers that do not read; `UNKNOWN_WORD` for a header's word, the type among
/// them; `NO_TIME` for a time that is none. What the event says is checked by [`decode_event`](crate::decode_event).
pub fn event_from_topic(
    format: ValueFormat,
    headers: &EventHeaders<'_>,
    value: &[u8],
) -> Result<proto::Event, Refusal> {
    if !headers.is_cloud_event() {
        return Ok(format.read(value)?);
    }
    headers.envelope(headers.kind()?.read(format, value)?)
}

/// A record to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicRecord {
    /// Key, if it has one.
    pub key: Option<String>,
    /// Value.
    pub value: Vec<u8>,
    /// Headers: names and values.
    pub headers: Vec<(&'static str, String)>,
}

/// Writes an event as a CloudEvent; `schema` is the id of `events.proto` in a registry, for
/// [`ValueFormat::Confluent`]. Reading it again gives the same event.
///
/// # Errors
/// An event without a body or without a time; an enum number or a time that has no text.
pub fn event_to_topic(event: &proto::Event, format: ValueFormat, schema: u32) -> Result<TopicRecord, EncodeError> {
    let missing = |what: &str| EncodeError { detail: format!("the event has no {what}") };
    let kind = BodyKind::of(event).ok_or_else(|| missing("body"))?;
    let body = event.body.as_ref().ok_or_else(|| missing("body"))?;
    let occurred_at = event.occurred_at.ok_or_else(|| missing("`occurred_at`"))?;
    let source = if event.source.is_empty() { NO_SOURCE } else { &event.source };
    let mut headers = cloud_headers(kind.type_name(), &event.event_id, source, format);
    headers.push(("ce_time", time_text(occurred_at)?));
    if let Some(at) = event.recorded_at {
        headers.push(("ce_recordedat", time_text(at)?));
    }
    if event.provenance != 0 {
        let name = proto::Provenance::try_from(event.provenance).map_err(|_| missing("known provenance"))?;
        headers.push(("ce_provenance", lower(name.as_str_name(), "PROVENANCE_")));
    }
    if event.time_precision != 0 {
        let name = proto::TimePrecision::try_from(event.time_precision).map_err(|_| missing("known precision"))?;
        headers.push(("ce_timeprecision", lower(name.as_str_name(), "TIME_PRECISION_")));
    }
    let schema = (schema, kind.place());
    let value = match body {
        event::Body::Order(body) => format.write(body, schema),
        event::Body::Repayment(body) => format.write(body, schema),
        event::Body::Signal(body) => format.write(body, schema),
        event::Body::Account(body) => format.write(body, schema),
        event::Body::Promotion(body) => format.write(body, schema),
        event::Body::Market(body) => format.write(body, schema),
        event::Body::Control(body) => format.write(body, schema),
    }?;
    Ok(TopicRecord { key: key(event), value, headers })
}

/// The headers that every CloudEvent has.
pub(crate) fn cloud_headers(
    type_name: &str,
    id: &str,
    source: &str,
    format: ValueFormat,
) -> Vec<(&'static str, String)> {
    let own = [
        ("ce_specversion", SPECVERSION),
        ("ce_type", type_name),
        ("ce_id", id),
        ("ce_source", source),
        ("content-type", format.content_type()),
    ];
    own.map(|(name, value)| (name, value.to_owned())).into()
}

/// A moment as headers have it.
pub(crate) fn time_text(at: Timestamp) -> Result<String, EncodeError> {
    let valid = at.to_millis().is_some();
    valid.then(|| at.to_string()).ok_or_else(|| EncodeError { detail: "a time outside years 1 to 9999".to_owned() })
}

fn key(event: &proto::Event) -> Option<String> {
    let key = match &event.body {
        Some(event::Body::Promotion(promotion)) => &promotion.promotion_id,
        _ => &event.account_id,
    };
    Some(key.clone()).filter(|key| !key.is_empty())
}

fn lower(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_ascii_lowercase()
}

fn unparseable(detail: String) -> Refusal {
    Refusal::new(RefusalCode::Unparseable, detail)
}

fn text<'a>(name: &str, value: Option<&'a [u8]>) -> Result<&'a str, Refusal> {
    std::str::from_utf8(value.unwrap_or_default()).map_err(|_| unparseable(format!("header `{name}` is no UTF-8")))
}

fn time(name: &str, value: Option<&[u8]>) -> Result<Option<Timestamp>, Refusal> {
    let text = text(name, value)?;
    let wrong = || {
        let detail = format!("header `{name}` is `{text}`, no time like `2025-11-10T20:05:00Z`");
        Refusal::new(RefusalCode::NoTime, detail)
    };
    if text.is_empty() { Ok(None) } else { Timestamp::parse(text).map(Some).ok_or_else(wrong) }
}

fn word(name: &str, value: Option<&[u8]>, prefix: &str, number: impl Fn(&str) -> Option<i32>) -> Result<i32, Refusal> {
    let text = text(name, value)?;
    let unknown = || Refusal::new(RefusalCode::UnknownWord, format!("header `{name}` has the unknown word `{text}`"));
    if text.is_empty() {
        return Ok(0);
    }
    number(&format!("{prefix}{}", text.to_ascii_uppercase())).ok_or_else(unknown)
}
