//! A dead letter's original into a running service.

use std::thread;

use anyhow::{Context, Result, bail};
use headroom_sources::Encoding;
use headroom_wire::output_from_json;
use headroom_wire::proto::{DeadLetter, Output};
use serde_json::Value;

use crate::client::{Answer, Client, JSON, PROTOBUF, Reply};

use super::letter::{id, whole_event};
use super::replay::Replayed;

/// Sends it until the service has decided or rejected it.
pub fn replay(client: &Client, letter: DeadLetter) -> Result<Replayed> {
    let (encoding, event) = whole_event(&letter)?;
    let content_type = match encoding {
        Encoding::Json => JSON,
        Encoding::Protobuf => PROTOBUF,
    };
    loop {
        match client.post_events("wait=decided&replayed=true", content_type, &event)? {
            Reply::Answered(answer) => return told(letter, answer),
            Reply::Again { after, .. } => thread::sleep(after),
            Reply::Unknown(why) => bail!("nobody knows whether `{}` was taken: {why}", id(&letter)),
        }
    }
}

fn told(letter: DeadLetter, answer: Answer) -> Result<Replayed> {
    let Some(verdict) = answer.records.into_iter().next() else { return Ok(Replayed::of(letter, "accepted")) };
    if verdict.status == "rejected" {
        return Ok(Replayed { code: verdict.code, detail: verdict.detail, ..Replayed::of(letter, "rejected") });
    }
    let outputs: Result<Vec<Output>> = verdict.outputs.iter().map(output).collect();
    Ok(Replayed::decided(letter, outputs?))
}

fn output(json: &Value) -> Result<Output> {
    output_from_json(json.to_string().as_bytes()).context("the service's answer")
}
