//! `POST /v1/accounts/{id}/what-if`: decides, and keeps nothing.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use headroom_engine::{Account, Refusal, Ruleset, Timestamp};
use headroom_sources::Encoding;
use headroom_wire::proto;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::app::{App, Id};
use super::events::must_be_json;
use super::failure::{Answered, Failure, Problem};
use super::limits::{LimitsAnswer, Told, time};
use super::schema::{EventsBody, OutputBody};
use super::split::{Form, Piece, Splitter};
use crate::service::{RawEvent, Service, WhatIfError};

/// Bytes of a question, at most: it is answered while others wait.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Events of a question, at most.
const EVENTS_MAX: usize = 1_000;

/// What would happen.
#[derive(Serialize, ToSchema)]
pub struct WhatIfAnswer {
    /// The account's id.
    account: String,
    /// The moment after the events.
    as_of: Option<String>,
    /// The limit as it stands; none: nobody ever heard of the account.
    before: Option<LimitsAnswer>,
    /// The limit as it would stand.
    after: Option<LimitsAnswer>,
    /// What would come out, in order.
    #[schema(value_type = Vec<OutputBody>)]
    outputs: Vec<proto::Output>,
    /// Events that would be refused.
    rejected: Vec<RefusalAnswer>,
    /// Always false: nothing of it was kept.
    kept: bool,
}

/// Why an event would be refused.
#[derive(Serialize, ToSchema)]
pub struct RefusalAnswer {
    /// A code with a page in `docs/reasons`.
    #[schema(value_type = String)]
    code: &'static str,
    /// What exactly was wrong.
    detail: String,
}

/// Decides without consequences.
///
/// What the events would do to the account if they came now. Nothing is kept.
#[utoipa::path(
    post,
    path = "/v1/accounts/{id}/what-if",
    tag = "accounts",
    params(("id" = String, Path, description = "The account's id.")),
    request_body(content = EventsBody, content_type = "application/json", description = "Events of the account, or broadcasts; at most 1,000 and 1 MiB."),
    responses(
        (status = 200, description = "What would happen.", body = WhatIfAnswer),
        (status = 400, description = "HR0526: the body is not what its content type says, or has an event of another account.", body = Problem),
        (status = 408, description = "HR0520: the body did not arrive in time, or broke off.", body = Problem),
        (status = 413, description = "HR0514: more bytes or events than a question may bring.", body = Problem),
        (status = 415, description = "HR0515: a content type that is not read.", body = Problem),
        (status = 503, description = "HR03xx: the shard cannot be read.", body = Problem),
    )
)]
pub async fn post_what_if(
    State(app): State<App>,
    Id(id): Id,
    headers: HeaderMap,
    body: Body,
) -> Answered<Json<WhatIfAnswer>> {
    must_be_json(&headers)?;
    let late = |_| Failure::incomplete("the body did not arrive in time");
    let body = timeout(app.config.body_timeout, to_bytes(body, BODY_BYTES_MAX)).await.map_err(late)?;
    let events = events(&body.map_err(|error| broken(&error))?)?;
    app.blocking(move |service| what_if(service, &id, events)).await.map(Json)
}

fn broken(error: &axum::Error) -> Failure {
    let too_large =
        std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
    match too_large {
        true => Failure::too_large(format!("the body has more than {BODY_BYTES_MAX} bytes")),
        false => Failure::incomplete(format!("the body broke off: {error}")),
    }
}

fn events(body: &[u8]) -> Answered<Vec<RawEvent>> {
    let mut splitter = Splitter::new(Form::Json);
    splitter.feed(body);
    let mut pieces: Vec<Piece> = std::iter::from_fn(|| splitter.next_piece()).take(EVENTS_MAX + 1).collect();
    pieces.extend(splitter.finish().filter(|_| pieces.len() <= EVENTS_MAX));
    if pieces.len() > EVENTS_MAX {
        return Err(Failure::too_large(format!("the body has more than {EVENTS_MAX} events")));
    }
    let event = |piece| match piece {
        Piece::Record(bytes) => Ok(RawEvent { encoding: Encoding::Json, bytes, replayed: false }),
        Piece::TooLarge(bytes) => Err(Failure::too_large(format!("an event has {bytes} bytes"))),
        Piece::Broken(detail) => Err(Failure::bad_body(detail)),
    };
    pieces.into_iter().map(event).collect()
}

fn what_if(service: &Service, id: &str, events: Vec<RawEvent>) -> Answered<WhatIfAnswer> {
    let answer = service.what_if(id, events)?;
    let shard = service.shard_of(id);
    let ruleset = service.ruleset(shard)?;
    let now = service.reader(shard)?.state()?.unwrap_or_default().now;
    Ok(WhatIfAnswer {
        account: id.to_owned(),
        as_of: time(answer.now),
        before: answer.before.as_ref().map(|account| limits(account, &ruleset, now)),
        after: answer.after.as_ref().map(|account| limits(account, &ruleset, answer.now)),
        outputs: answer.outputs,
        rejected: answer.rejected.into_iter().map(refusal).collect(),
        kept: false,
    })
}

fn limits(account: &Account, ruleset: &Ruleset, now: Timestamp) -> LimitsAnswer {
    Told { account, ruleset, now: now.max(account.clock) }.limits()
}

fn refusal(refusal: Refusal) -> RefusalAnswer {
    RefusalAnswer { code: refusal.code.code(), detail: refusal.detail }
}

impl From<WhatIfError> for Failure {
    fn from(error: WhatIfError) -> Self {
        match error {
            WhatIfError::Store(error) => error.into(),
            WhatIfError::Elsewhere(error) => error.into(),
            WhatIfError::OtherAccount { .. } => Self::bad_body(error.to_string()),
        }
    }
}
