//! Takes the records of a body while it arrives.
//!
//! Two halves work side by side: one reads the body and cuts it into groups, the other has them appended, one after the
//! other. At most one group waits between them, so a body that comes faster than it can be taken waits in its socket.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::StreamExt;
use headroom_engine::{Refusal, RefusalCode};
use headroom_sources::Encoding;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::answer::Answer;
use super::app::App;
use super::failure::{Answered, Failure};
use super::split::{Form, Piece, Splitter};
use crate::service::{AppendError, RawEvent, Verdict, Wait};

/// Records that are appended together, at most: what one request adds to a round.
const GROUP_RECORDS_MAX: usize = 1_000;
/// Their bytes, at most, the last record apart.
const GROUP_BYTES_MAX: usize = 1 << 20;

/// How the records of a request are to be taken.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How the body holds them.
    pub form: Form,
    /// What to wait for.
    pub wait: Wait,
    /// Leave those that were accepted out of the answer.
    pub only_rejected: bool,
    /// They are sent again, by a person who mended dead letters.
    pub replayed: bool,
}

/// A record, or why it is none.
type Entry = Result<Bytes, Refusal>;

#[derive(Default)]
struct Group {
    entries: Vec<Entry>,
    bytes: usize,
}

/// Takes all records of a body. Complete records are taken although the rest fails to come.
///
/// # Errors
/// What stopped it, with what was taken before.
pub async fn take(app: &App, terms: Terms, body: Body) -> Answered<Answer> {
    let (to_append, groups) = mpsc::channel(1);
    let mut answer = Answer::new(app.service.durability(), terms.only_rejected);
    let reading =
        Reading { app, terms, records: 0, bytes: 0, waited: Duration::ZERO, group: Group::default(), to_append };
    let (read, appended) =
        tokio::join!(reading.run(body.into_data_stream()), append_all(app, terms, groups, &mut answer));
    match appended.and(read) {
        Ok(()) => Ok(answer),
        Err(failure) => Err(failure.after(answer)),
    }
}

/// The half that reads.
struct Reading<'a> {
    app: &'a App,
    terms: Terms,
    records: usize,
    bytes: usize,
    /// For the client, altogether. Waiting for our own other half does not count.
    waited: Duration,
    group: Group,
    to_append: mpsc::Sender<Group>,
}

impl Reading<'_> {
    async fn run(mut self, mut body: BodyDataStream) -> Answered<()> {
        let mut splitter = Splitter::new(self.terms.form);
        let read = self.read(&mut body, &mut splitter).await;
        let last = if read.is_ok() { splitter.finish() } else { None };
        let finished = match last {
            Some(piece) => self.piece(piece).await,
            None => Ok(()),
        };
        self.send().await;
        read.and(finished)
    }

    async fn read(&mut self, body: &mut BodyDataStream, splitter: &mut Splitter) -> Answered<()> {
        while let Some(chunk) = self.next_chunk(body).await? {
            self.bytes += chunk.len();
            let fits = self.bytes <= self.app.config.body_max;
            // Of a chunk that goes beyond, nothing is looked at: which of its records count would depend on its cut.
            if !fits {
                return Err(body_too_large(self.app));
            }
            splitter.feed(&chunk);
            while let Some(piece) = splitter.next_piece() {
                self.piece(piece).await?;
            }
            self.send_if_idle();
        }
        Ok(())
    }

    async fn next_chunk(&mut self, body: &mut BodyDataStream) -> Answered<Option<Bytes>> {
        let within = self.app.config.body_timeout;
        let late = || Failure::incomplete(format!("the body did not arrive within {} s", within.as_secs_f32()));
        let began = Instant::now();
        let next = timeout(within.saturating_sub(self.waited), body.next()).await;
        self.waited += began.elapsed();
        match next.map_err(|_| late())? {
            None => Ok(None),
            Some(Ok(chunk)) => Ok(Some(chunk)),
            Some(Err(error)) => Err(Failure::incomplete(format!("the body broke off: {error}"))),
        }
    }

    async fn piece(&mut self, piece: Piece) -> Answered<()> {
        let entry = match piece {
            Piece::Record(bytes) => Ok(bytes),
            Piece::TooLarge(bytes) => {
                let detail = format!("the record has {bytes} bytes, an event at most 1 MiB");
                Err(Refusal::new(RefusalCode::TooLarge, detail))
            }
            Piece::Broken(detail) => return Err(Failure::bad_body(detail)),
        };
        if self.records == self.app.config.records_per_request_max {
            return Err(Failure::too_large(format!("the body has more than {} records", self.records)));
        }
        self.records += 1;
        self.group.add(entry);
        if self.group.is_full() {
            self.send().await;
        }
        Ok(())
    }

    async fn send(&mut self) {
        let group = std::mem::take(&mut self.group);
        if !group.entries.is_empty() {
            // The other half is gone after a failure, which it reports.
            drop(self.to_append.send(group).await);
        }
    }

    /// A group that is not full goes on its way too where nothing waits: slow bodies are taken as they come.
    fn send_if_idle(&mut self) {
        if !self.group.entries.is_empty()
            && let Ok(place) = self.to_append.try_reserve()
        {
            place.send(std::mem::take(&mut self.group));
        }
    }
}

/// A body of more bytes than a request may bring.
pub fn body_too_large(app: &App) -> Failure {
    Failure::too_large(format!("the body has more than {} bytes", app.config.body_max))
}

impl Group {
    fn add(&mut self, entry: Entry) {
        self.bytes += entry.as_ref().map_or(0, Bytes::len);
        self.entries.push(entry);
    }

    fn is_full(&self) -> bool {
        self.entries.len() >= GROUP_RECORDS_MAX || self.bytes >= GROUP_BYTES_MAX
    }

    fn events(&self, encoding: Encoding, replayed: bool) -> Vec<RawEvent> {
        let records = self.entries.iter().filter_map(|each| each.as_ref().ok());
        records.map(|bytes| RawEvent { encoding, bytes: bytes.clone(), replayed }).collect()
    }
}

/// The half that has groups appended.
async fn append_all(app: &App, terms: Terms, mut groups: mpsc::Receiver<Group>, answer: &mut Answer) -> Answered<()> {
    while let Some(group) = groups.recv().await {
        let mut verdicts = append(app, terms, &group, answer.is_empty()).await?.into_iter();
        for entry in group.entries {
            let verdict = match entry {
                Ok(_) => verdicts.next().expect("a verdict for every record"),
                Err(refusal) => Verdict::Rejected(refusal),
            };
            answer.add(verdict, matches!(terms.wait, Wait::Decided));
        }
    }
    Ok(())
}

/// The first group of a request is refused while there is no room; later ones wait for it, because what was taken
/// before them would otherwise have to be sorted out by the client.
async fn append(app: &App, terms: Terms, group: &Group, first: bool) -> Answered<Vec<Verdict>> {
    let patience = Instant::now() + app.config.body_timeout;
    loop {
        let events = group.events(terms.form.encoding(), terms.replayed);
        if events.is_empty() {
            return Ok(Vec::new());
        }
        match app.service.append(events, terms.wait).await {
            Err(AppendError::Busy { retry_after }) if !first && Instant::now() + retry_after < patience => {
                tokio::time::sleep(retry_after).await;
            }
            Err(error) => return Err(error.into()),
            Ok(verdicts) => return Ok(verdicts),
        }
    }
}
