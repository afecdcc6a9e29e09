//! `POST /v1/events`: records in.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, EventsAnswer};
use super::app::{App, Query};
use super::failure::{Answered, Failure, Problem};
use super::intake::{self, Terms, body_too_large};
use super::schema::{EventBody, EventsBody};
use super::split::Form;
use crate::service::Wait;

const TAKEN: &str = "`application/json`, `application/x-ndjson`, `application/x-protobuf` or \
                     `application/x-protobuf; delimited=true`";

/// How events are taken and answered.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// What to wait for before answering.
    #[serde(default)]
    #[param(inline)]
    wait: WaitFor,
    /// Which records the answer tells of.
    #[serde(default)]
    #[param(inline)]
    verdicts: Told,
    /// The records are dead letters that were mended and come again: they may be as old as they are.
    #[serde(default)]
    replayed: bool,
}

/// What an append waits for.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// Until the records are in the log for good.
    #[default]
    Durable,
    /// Until they are decided too; the answer then has what they brought about.
    Decided,
}

/// Which records are told of.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// All of them.
    #[default]
    All,
    /// Those that were refused.
    Rejected,
}

/// Takes events.
///
/// The body is read as it arrives: complete records are taken in groups of at most 1,000 records or 1 MiB. The answer
/// comes when all of them are durable. A failure after some were taken says in `taken` which: an object like that of the
/// answer 200. Sending a record again changes nothing, if its event id is the same.
#[utoipa::path(
    post,
    path = "/v1/events",
    tag = "events",
    params(EventsQuery),
    request_body(description = "Events. A record above 1 MiB is refused by itself.", content(
        (EventsBody = "application/json"),
        (String = "application/x-ndjson"),
        (EventBody = "application/x-protobuf"),
    )),
    responses(
        (status = 200, description = "At least one record was taken, or there was none.", body = EventsAnswer),
        (status = 400, description = "HR0519: a parameter that cannot be used. HR0526: the body is not what its content type says.", body = Problem),
        (status = 408, description = "HR0520: the body did not arrive in time, or broke off.", body = Problem),
        (status = 413, description = "HR0514: more bytes or records than a request may bring.", body = Problem),
        (status = 415, description = "HR0515: a content type that is not read.", body = Problem),
        (status = 422, description = "All records were refused.", body = EventsAnswer),
        (status = 429, description = "HR0512: too many records wait to be decided.", body = Problem,
            headers(("Retry-After" = u64, description = "seconds, at least 1"))),
        (status = 503, description = "HR0513: the service is stopping. HR03xx: a shard is sealed.", body = Problem),
    )
)]
pub async fn post_events(
    State(app): State<App>,
    Query(query): Query<EventsQuery>,
    headers: HeaderMap,
    body: Body,
) -> Answered<Answer> {
    let terms = Terms {
        form: form(&headers)?,
        wait: query.wait.into(),
        only_rejected: query.verdicts == Told::Rejected,
        replayed: query.replayed,
    };
    if declared_length(&headers).is_some_and(|length| length > app.config.body_max as u64) {
        return Err(body_too_large(&app));
    }
    // On a task of its own: a client that goes away must not stop what is being taken halfway.
    let taking = tokio::spawn(async move { intake::take(&app, terms, body).await });
    taking.await.unwrap_or_else(|_| Err(Failure::panicked()))
}

impl From<WaitFor> for Wait {
    fn from(wait: WaitFor) -> Self {
        match wait {
            WaitFor::Durable => Self::Durable,
            WaitFor::Decided => Self::Decided,
        }
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// How a body holds its records, by its headers.
fn form(headers: &HeaderMap) -> Answered<Form> {
    let text = |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
    if let Some(compression) = text(header::CONTENT_ENCODING).filter(|each| each != "identity") {
        return Err(Failure::content_type(&compression, TAKEN));
    }
    let found = text(header::CONTENT_TYPE).unwrap_or_default();
    form_of(&found).ok_or_else(|| Failure::content_type(&found, TAKEN))
}

fn form_of(content_type: &str) -> Option<Form> {
    let mut parts = content_type.split(';').map(str::trim);
    match parts.next()? {
        "application/json" => Some(Form::Json),
        "application/x-ndjson" => Some(Form::Lines),
        "application/x-protobuf" if parts.any(|part| part == "delimited=true") => Some(Form::Delimited),
        "application/x-protobuf" => Some(Form::Protobuf),
        _ => None,
    }
}

/// Whether a body is JSON.
pub fn must_be_json(headers: &HeaderMap) -> Answered<()> {
    match form(headers) {
        Ok(Form::Json) => Ok(()),
        Ok(_) => Err(Failure::content_type("other than JSON", "`application/json`")),
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_name_forms() {
        assert_eq!(form_of("application/json; charset=utf-8"), Some(Form::Json));
        assert_eq!(form_of("application/x-ndjson"), Some(Form::Lines));
        assert_eq!(form_of("application/x-protobuf"), Some(Form::Protobuf));
        assert_eq!(form_of("application/x-protobuf;delimited=true"), Some(Form::Delimited));
        assert_eq!(form_of("application/x-protobuf;delimited=false"), Some(Form::Protobuf));
        assert_eq!([form_of(""), form_of("text/csv")], [None, None]);
    }
}
