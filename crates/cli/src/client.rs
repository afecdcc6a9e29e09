//! Speaking to a running service over HTTP.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Response;

use crate::failure::Usage;

/// A service that says nothing for so long is taken for dead.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// No service says more at a time.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// Nobody is made to wait longer by one answer.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// One event in JSON.
pub const JSON: &str = "application/json";
/// One event a line.
pub const LINES: &str = "application/x-ndjson";
/// One event in protobuf.
pub const PROTOBUF: &str = "application/x-protobuf";
/// Events in protobuf, each after its length.
pub const DELIMITED: &str = "application/x-protobuf; delimited=true";

/// One connection to a service; requests go one after the other.
pub struct Client {
    agent: Agent,
    server: String,
}

/// What became of a request's records.
#[derive(Deserialize, Debug, Default)]
pub struct Answer {
    /// Records that were taken.
    pub accepted: u64,
    /// Records that were refused.
    pub rejected: u64,
    /// The records that were refused, and with `verdicts=all` the others too.
    #[serde(default)]
    pub records: Vec<Verdict>,
}

/// What became of one record.
#[derive(Deserialize, Debug)]
pub struct Verdict {
    /// "accepted" or "rejected".
    #[serde(default)]
    pub status: String,
    /// Of a refused one: the how manieth of the request, from 0.
    pub index: Option<usize>,
    /// Why it was refused.
    #[serde(default)]
    pub code: String,
    /// What exactly was wrong.
    #[serde(default)]
    pub detail: String,
    /// With `wait=decided`: what it brought about.
    #[serde(default)]
    pub outputs: Vec<Value>,
}

/// What a request came to.
#[derive(Debug)]
pub enum Reply {
    /// Every record has its verdict.
    Answered(Answer),
    /// Not all were taken: the others are to be sent again, after a pause.
    Again {
        /// Those that were taken or refused before.
        taken: Answer,
        /// What the service asks for.
        after: Duration,
    },
    /// Nobody knows whether they were taken: the connection broke, or the service is going down.
    Unknown(String),
}

/// What a service says of a request that it does not carry out.
#[derive(Deserialize, Default)]
struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
    taken: Option<Answer>,
}

impl Client {
    /// A client of the service at `http://host:port`. Nothing is sent yet.
    ///
    /// # Errors
    /// The address has another form.
    pub fn new(server: &str) -> Result<Self> {
        if !server.starts_with("http://") {
            return Err(Usage(format!("`{server}` is no address of a service, such as `http://127.0.0.1:8090`")).into());
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(SILENCE_MAX))
            .max_idle_connections(1)
            .max_idle_connections_per_host(1);
        Ok(Self { agent: config.build().into(), server: server.trim_end_matches('/').to_owned() })
    }

    /// Sends events in one of the forms below.
    ///
    /// # Errors
    /// The service refuses the request itself, and would refuse it again.
    pub fn post_events(&self, query: &str, content_type: &str, body: &[u8]) -> Result<Reply> {
        let url = format!("{}/v1/events?{query}", self.server);
        let sent = self.agent.post(&url).header("content-type", content_type).send(body);
        match sent.and_then(|response| Ok((taken_apart(&response), text(response)?))) {
            Ok(((status, after), body)) => self.reply(status, after, &body),
            Err(error) => Ok(Reply::Unknown(error.to_string())),
        }
    }

    /// Asks for a resource.
    ///
    /// # Errors
    /// The service does not answer, or not with what was asked for.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let broken = |error: ureq::Error| anyhow!("cannot read from `{}`: {error}", self.server);
        let response = self.agent.get(format!("{}{path}", self.server)).call().map_err(broken)?;
        let status = response.status().as_u16();
        let body = text(response).map_err(broken)?;
        if status != 200 {
            return Err(self.refused(status, &problem(&body)));
        }
        serde_json::from_str(&body).map_err(|error| anyhow!("`{}` gave an answer that is none: {error}", self.server))
    }

    fn reply(&self, status: u16, after: Option<Duration>, body: &str) -> Result<Reply> {
        if matches!(status, 200 | 422)
            && let Ok(answer) = serde_json::from_str(body)
        {
            return Ok(Reply::Answered(answer));
        }
        let problem = problem(body);
        match status {
            429 | 408 => {
                let after = after.unwrap_or(Duration::from_secs(1)).min(RETRY_AFTER_MAX);
                Ok(Reply::Again { taken: problem.taken.unwrap_or_default(), after })
            }
            502..=504 => Ok(Reply::Unknown(self.refused(status, &problem).to_string())),
            200 => bail!("`{}` gave an answer that is none", self.server),
            _ => Err(self.refused(status, &problem)),
        }
    }

    fn refused(&self, status: u16, problem: &Problem) -> anyhow::Error {
        let Problem { code, message, .. } = problem;
        match code.is_empty() {
            true => anyhow!("`{}` answered with status {status}", self.server),
            false => anyhow!("`{}` refused: {code}: {message}", self.server),
        }
    }
}

/// Status and pause asked for, in whole seconds.
fn taken_apart<B>(response: &Response<B>) -> (u16, Option<Duration>) {
    let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    (response.status().as_u16(), after.map(Duration::from_secs))
}

fn text(response: Response<ureq::Body>) -> Result<String, ureq::Error> {
    response.into_body().into_with_config().limit(ANSWER_BYTES_MAX).lossy_utf8(true).read_to_string()
}

fn problem(body: &str) -> Problem {
    serde_json::from_str(body).unwrap_or_default()
}

/// A text as a value within a query.
pub fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_escaped() {
        assert_eq!(escaped("a-Z_0.~ +=&é"), "a-Z_0.~%20%2B%3D%26%C3%A9");
    }

    #[test]
    fn an_address_says_how_to_get_there() {
        assert!(Client::new("127.0.0.1:8090").is_err() && Client::new("http://127.0.0.1:8080/").is_ok());
    }
}
