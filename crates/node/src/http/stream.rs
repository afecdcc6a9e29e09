//! Outputs as server-sent events. A page is read when the socket has taken the one before, so a slow reader costs
//! nothing but its connection.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use headroom_store::OutputKind;

use super::app::App;
use super::cursor::Cursor;
use super::failure::{Answered, Failure};
use super::news::{News, Woken};
use super::outputs::read;
use super::page::{Page, Wanted};
use crate::telemetry;

/// How often a stream without news says that it is alive. Proxies cut off what is silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a stream begins with: proxies and clients see at once that it is open.
const OPENED: &[u8] = b": open\n\n";

/// A stream from a cursor on.
///
/// # Errors
/// As [`read`], before anything is sent.
pub async fn answer(app: App, wanted: Wanted, from: Cursor) -> Answered<Response> {
    let news = News::of(&app.service);
    let first = read(&app, &wanted, from.clone()).await?;
    let mut start = OPENED.to_vec();
    put_events(&from, &first, wanted.kind, &mut start);
    let open = Open::new(word(wanted.kind));
    let feed = Feed { cursor: first.cursor, news, app, wanted, open };
    let opened = futures_util::stream::iter([Ok::<_, Infallible>(Bytes::from(start))]);
    let body = Body::from_stream(opened.chain(futures_util::stream::unfold(feed, Feed::next)));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

/// A stream that is open.
struct Feed {
    app: App,
    wanted: Wanted,
    cursor: Cursor,
    news: News,
    open: Open,
}

/// Counts a stream as open as long as it lives, and knows why it will end.
struct Open {
    kind: &'static str,
    why: Option<&'static str>,
}

impl Open {
    fn new(kind: &'static str) -> Self {
        telemetry::stream_opened(kind);
        Self { kind, why: None }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        telemetry::stream_closed(self.kind, self.why.unwrap_or("reader_left"));
    }
}

impl Feed {
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.open.why.is_some() {
            return None;
        }
        let bytes = match self.read_on().await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                self.open.why = Some("stopping");
                return None;
            }
            Err(failure) => {
                self.open.why = Some(if failure.is_trimmed() { "trimmed" } else { "failed" });
                failed(&failure)
            }
        };
        Some((Ok(bytes), self))
    }

    /// The next bytes to send; none: the service ends.
    async fn read_on(&mut self) -> Answered<Option<Bytes>> {
        loop {
            if *self.app.closing.borrow() {
                return Ok(None);
            }
            let page = read(&self.app, &self.wanted, self.cursor.clone()).await?;
            let from = std::mem::replace(&mut self.cursor, page.cursor.clone());
            if !page.items.is_empty() {
                let mut bytes = Vec::new();
                put_events(&from, &page, self.wanted.kind, &mut bytes);
                return Ok(Some(bytes.into()));
            }
            match self.news.wait(&self.app, HEARTBEAT).await {
                Woken::News => {}
                Woken::Late => return Ok(Some(still_here(&self.cursor))),
                Woken::Closing => return Ok(None),
            }
        }
    }
}

/// A page as events. Each has as its id the cursor after it: a reader goes on behind the last one that it saw.
fn put_events(from: &Cursor, page: &Page, kind: OutputKind, out: &mut Vec<u8>) {
    let mut cursor = from.clone();
    for item in &page.items {
        cursor.turn = item.shard;
        cursor.next[item.shard as usize] = item.sequence + 1;
        out.extend_from_slice(format!("id: {}\nevent: {}\ndata: ", cursor.encode(), word(kind)).as_bytes());
        // One line: JSON escapes line ends.
        out.extend_from_slice(&item.json);
        out.extend_from_slice(b"\n\n");
    }
}

/// A comment, and an id without data: it makes no event, and moves the reader's place past outputs of other kinds.
fn still_here(cursor: &Cursor) -> Bytes {
    format!(": still here\nid: {}\n\n", cursor.encode()).into()
}

/// The last event of a stream that cannot go on.
fn failed(failure: &Failure) -> Bytes {
    let event = if failure.is_trimmed() { "trimmed" } else { "failed" };
    [format!("event: {event}\ndata: ").as_bytes(), &failure.json(), b"\n\n"].concat().into()
}

/// The name of an output's kind, as the contract's `Output` has it.
pub fn word(kind: OutputKind) -> &'static str {
    match kind {
        OutputKind::LimitChange => "limit_change",
        OutputKind::Offer => "offer",
        OutputKind::Notice => "notice",
        OutputKind::Review => "review",
        OutputKind::DeadLetter => "dead_letter",
    }
}
