//! `GET /v1/limit-changes` and its like: outputs by the page, by waiting, or as a stream.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use headroom_store::OutputKind;
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::app::{App, Query};
use super::cursor::Cursor;
use super::failure::{Answered, Failure, Problem};
use super::news::{News, Woken};
use super::page::{self, Page, Wanted};
use super::schema::OutputBody;
use super::stream;

const NDJSON: &str = "application/x-ndjson";
const EVENT_STREAM: &str = "text/event-stream";

/// Where to read, and how much.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OutputsQuery {
    /// Where an earlier answer ended; none: the oldest kept; `end`: what comes from now on.
    /// A cursor is opaque, and good for the same path and account.
    cursor: Option<String>,
    /// Items, at most; more than the settings allow is cut to what they allow.
    #[param(minimum = 1)]
    limit: Option<usize>,
    /// Seconds to wait where there is nothing to read yet; cut to what the settings allow.
    wait: Option<u64>,
    /// Only those of this account.
    account: Option<String>,
}

/// A page of outputs.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says what `whole` writes")]
pub struct OutputsPage {
    /// In order within each account.
    #[schema(value_type = Vec<OutputBody>)]
    items: Vec<()>,
    /// Where to read on.
    cursor: String,
    /// There may be more at once.
    more: bool,
}

macro_rules! outputs_handler {
    ($(#[$doc:meta])* $name:ident, $path:literal, $kind:expr) => {
        $(#[$doc])*
        #[utoipa::path(
            get,
            path = $path,
            tag = "outputs",
            params(
                OutputsQuery,
                ("Last-Event-ID" = Option<String>, Header, description = "Of a stream that is resumed: the id of the last event; goes before `cursor`."),
            ),
            responses(
                (status = 200, description = "Items from the cursor on. As lines, `headroom-cursor` and `headroom-more` are headers. As a stream, each event has the cursor after it as its id, the kind of the output as its name, and an `Output` as its data; an event `trimmed` says that the reader fell below what is kept, and ends the stream.",
                    headers(
                        ("headroom-cursor" = Option<String>, description = "of lines: where to read on"),
                        ("headroom-more" = Option<bool>, description = "of lines: there may be more at once"),
                    ),
                    content((OutputsPage = "application/json"), (String = "application/x-ndjson"), (String = "text/event-stream"))),
                (status = 400, description = "HR0516: the cursor is none of this service. HR0519: a parameter that cannot be used.", body = Problem),
                (status = 410, description = "HR0517: what the cursor asks for is no longer kept.", body = Problem),
                (status = 503, description = "HR03xx: the shard cannot be read.", body = Problem),
            )
        )]
        pub async fn $name(
            State(app): State<App>,
            Query(query): Query<OutputsQuery>,
            headers: HeaderMap,
        ) -> Answered<Response> {
            outputs(app, $kind, query, &headers).await
        }
    };
}

outputs_handler!(
    /// Reads limit changes.
    ///
    /// What the credit ledger applies: of each account one after the other, by `sequence`.
    get_limit_changes, "/v1/limit-changes", OutputKind::LimitChange
);
outputs_handler!(
    /// Reads offers.
    ///
    /// Increases that wait for the customer's consent.
    get_offers, "/v1/offers", OutputKind::Offer
);
outputs_handler!(
    /// Reads notices.
    ///
    /// What to tell the customer, and by when.
    get_notices, "/v1/notices", OutputKind::Notice
);
outputs_handler!(
    /// Reads reviews.
    ///
    /// What a person must look at.
    get_reviews, "/v1/reviews", OutputKind::Review
);
outputs_handler!(
    /// Reads dead letters.
    ///
    /// Records that were taken and could not be decided, with their original bytes.
    get_dead_letters, "/v1/dead-letters", OutputKind::DeadLetter
);

async fn outputs(app: App, kind: OutputKind, query: OutputsQuery, headers: &HeaderMap) -> Answered<Response> {
    let from = cursor(&app, &query, headers).await?;
    let limit = limit(&app, query.limit)?;
    let wanted = Wanted { kind, account: query.account, limit, bytes: page::BYTES_MAX };
    if accepts(headers, EVENT_STREAM) {
        let wanted = Wanted { bytes: app.config.stream_buffer, ..wanted };
        return stream::answer(app, wanted, from).await;
    }
    let wait = Duration::from_secs(query.wait.unwrap_or(0)).min(app.config.wait_max);
    let page = patient_page(&app, &wanted, from, wait).await?;
    Ok(if accepts(headers, NDJSON) { lines(&page) } else { whole(&page) })
}

/// How many items; never more than the settings allow.
///
/// # Errors
/// None at all are wanted.
pub fn limit(app: &App, limit: Option<usize>) -> Answered<usize> {
    match limit {
        Some(0) => Err(Failure::bad_query("`limit` is 0, at least 1 is needed")),
        limit => Ok(limit.unwrap_or(usize::MAX).min(app.config.page_max)),
    }
}

async fn cursor(app: &App, query: &OutputsQuery, headers: &HeaderMap) -> Answered<Cursor> {
    let resumed = headers.get("last-event-id").and_then(|value| value.to_str().ok()).filter(|id| !id.is_empty());
    match resumed.or(query.cursor.as_deref()) {
        None => app.blocking(page::oldest).await,
        Some("end") => app.blocking(page::newest).await,
        Some(text) => Cursor::decode(text, app.service.shards()),
    }
}

fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accept
        .flat_map(|value| value.split(','))
        .any(|each| each.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(kind)))
}

/// A page; where it would be empty, waits for something to stand on it.
async fn patient_page(app: &App, wanted: &Wanted, from: Cursor, wait: Duration) -> Answered<Page> {
    let until = Instant::now() + wait;
    let mut news = News::of(&app.service);
    let mut page = read(app, wanted, from).await?;
    while page.items.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || news.wait(app, left).await != Woken::News {
            break;
        }
        page = read(app, wanted, page.cursor).await?;
    }
    Ok(page)
}

/// Reads a page on a thread of its own.
///
/// # Errors
/// As [`page::read`].
pub async fn read(app: &App, wanted: &Wanted, from: Cursor) -> Answered<Page> {
    let wanted = wanted.clone();
    app.blocking(move |service| page::read(service, &wanted, &from)).await
}

fn whole(page: &Page) -> Response {
    let items = page.items.iter().map(|item| &item.json[..]).collect::<Vec<_>>().join(&b","[..]);
    let tail = format!(r#"],"cursor":"{}","more":{}}}"#, page.cursor.encode(), page.more);
    let body = [&br#"{"items":["#[..], &items, tail.as_bytes()].concat();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn lines(page: &Page) -> Response {
    let body: Vec<u8> = page.items.iter().flat_map(|item| [&item.json[..], b"\n"]).flatten().copied().collect();
    let mut response = ([(header::CONTENT_TYPE, NDJSON)], body).into_response();
    let headers = [("headroom-cursor", page.cursor.encode()), ("headroom-more", page.more.to_string())];
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().expect("base64url and truth values are header text"));
    }
    response
}
