//! What became of the records of a request, kept as the JSON that it will be.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use headroom_engine::Refusal;
use headroom_store::Durability;
use headroom_wire::proto;
use serde::Serialize;
use utoipa::ToSchema;

use super::schema::OutputBody;
use crate::service::Verdict;

/// What became of a request's records.
#[derive(Debug)]
pub struct Answer {
    durability: &'static str,
    only_rejected: bool,
    accepted: u64,
    rejected: u64,
    /// Objects with commas between them.
    records: Vec<u8>,
}

/// The answer to events.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says what `Answer::json` writes")]
pub struct EventsAnswer {
    /// What "taken" means: `fsync` survives the loss of power, `process` the end of the process.
    durability: String,
    /// Records that were taken durably.
    accepted: u64,
    /// Records that were refused. They are no part of the log; the publisher has to mend them.
    rejected: u64,
    /// One for each record, in their order; with `verdicts=rejected` only those that were refused.
    records: Vec<RecordAnswer>,
}

/// What became of one record.
#[derive(Serialize, ToSchema)]
pub struct RecordAnswer {
    /// Whether it was taken.
    status: RecordStatus,
    /// Where it stands in the log; of a broadcast see `places`.
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<u32>,
    /// Its offset in the shard's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "17")]
    offset: Option<String>,
    /// Of a broadcast: where it stands in each shard's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    places: Option<Vec<Place>>,
    /// With `wait=decided`: what it brought about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<OutputBody>>)]
    outputs: Option<Vec<proto::Output>>,
    /// Of a record that was refused: the how manieth of the request it is, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    /// Why it was refused: a code with a page in `docs/reasons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "UNPARSEABLE")]
    code: Option<&'static str>,
    /// What exactly was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Whether a record was taken.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordStatus {
    /// It is durable.
    Accepted,
    /// It was refused and left no trace.
    Rejected,
}

/// A place in the log.
#[derive(Serialize, ToSchema)]
pub struct Place {
    /// The shard.
    shard: u32,
    /// The offset in its log.
    offset: String,
}

impl Answer {
    /// Of no records yet.
    pub fn new(durability: Durability, only_rejected: bool) -> Self {
        let durability = word(durability);
        Self { durability, only_rejected, accepted: 0, rejected: 0, records: Vec::new() }
    }

    /// Records so far.
    pub fn count(&self) -> u64 {
        self.accepted + self.rejected
    }

    /// No record so far.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// What became of the next record. `decided`: its outputs were waited for.
    pub fn add(&mut self, verdict: Verdict, decided: bool) {
        match verdict {
            Verdict::Accepted { places, outputs } => {
                self.accepted += 1;
                if !self.only_rejected {
                    self.write(&accepted(&places, decided.then_some(outputs)));
                }
            }
            Verdict::Rejected(refusal) => {
                let record = rejected(refusal, self.count());
                self.rejected += 1;
                self.write(&record);
            }
        }
    }

    /// The whole as JSON.
    pub fn json(&self) -> Vec<u8> {
        let Self { durability, accepted, rejected, .. } = self;
        let head = format!(r#"{{"durability":"{durability}","accepted":{accepted},"rejected":{rejected},"records":["#);
        [head.as_bytes(), &self.records, b"]}"].concat()
    }

    fn write(&mut self, record: &RecordAnswer) {
        if !self.records.is_empty() {
            self.records.push(b',');
        }
        serde_json::to_writer(&mut self.records, record).expect("what this build decides has a JSON form");
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let none_was_taken = self.accepted == 0 && self.rejected > 0;
        let status = if none_was_taken { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        (status, [(header::CONTENT_TYPE, "application/json")], self.json()).into_response()
    }
}

/// The word for a durability in answers.
pub fn word(durability: Durability) -> &'static str {
    match durability {
        Durability::Fsync => "fsync",
        Durability::Process => "process",
    }
}

fn accepted(places: &[(u32, u64)], outputs: Option<Vec<proto::Output>>) -> RecordAnswer {
    let empty = RecordAnswer {
        status: RecordStatus::Accepted,
        shard: None,
        offset: None,
        places: None,
        outputs,
        index: None,
        code: None,
        detail: None,
    };
    match places {
        [(shard, offset)] => RecordAnswer { shard: Some(*shard), offset: Some(offset.to_string()), ..empty },
        _ => {
            let place = |(shard, offset): &(u32, u64)| Place { shard: *shard, offset: offset.to_string() };
            RecordAnswer { places: Some(places.iter().map(place).collect()), ..empty }
        }
    }
}

fn rejected(refusal: Refusal, index: u64) -> RecordAnswer {
    RecordAnswer {
        status: RecordStatus::Rejected,
        shard: None,
        offset: None,
        places: None,
        outputs: None,
        index: Some(index),
        code: Some(refusal.code.code()),
        detail: Some(refusal.detail),
    }
}

#[cfg(test)]
mod tests {
    use headroom_engine::RefusalCode;

    use super::*;

    fn answer(only_rejected: bool) -> String {
        let mut answer = Answer::new(Durability::Fsync, only_rejected);
        answer.add(Verdict::Accepted { places: vec![(0, 17)], outputs: Vec::new() }, false);
        answer.add(Verdict::Rejected(Refusal::new(RefusalCode::Unparseable, "no")), false);
        answer.add(Verdict::Accepted { places: vec![(0, 18), (1, 4)], outputs: Vec::new() }, true);
        String::from_utf8(answer.json()).unwrap()
    }

    #[test]
    fn records_are_told_in_their_order() {
        let records = [
            r#"{"status":"accepted","shard":0,"offset":"17"}"#,
            r#"{"status":"rejected","index":1,"code":"UNPARSEABLE","detail":"no"}"#,
            r#"{"status":"accepted","places":[{"shard":0,"offset":"18"},{"shard":1,"offset":"4"}],"outputs":[]}"#,
        ];
        let head = r#"{"durability":"fsync","accepted":2,"rejected":1,"records":["#;
        assert_eq!(answer(false), format!("{head}{}]}}", records.join(",")));
        assert_eq!(answer(true), format!("{head}{}]}}", records[1]));
    }
}
