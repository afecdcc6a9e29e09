//! The one shape of every answer that is no success: `{"code","message","help"}`.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use headroom_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, EventsAnswer};
use crate::api_error::ErrorCode;
use crate::service::{AppendError, Elsewhere};

/// Why a request got no answer.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    help: String,
    retry_after: Option<Duration>,
    /// Of a request that brought records: those before the failure.
    taken: Option<Box<Answer>>,
}

/// The body of an answer that is no success.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says what `Failure::json` writes")]
pub struct Problem {
    /// A code with a page in `docs/errors`.
    #[schema(example = "HR0512")]
    code: String,
    /// What was wrong.
    message: String,
    /// What to do.
    help: String,
    /// Of a request that brought records, if some were taken or refused before the failure: which.
    taken: Option<EventsAnswer>,
}

#[derive(Serialize)]
struct Texts<'a> {
    code: &'a str,
    message: &'a str,
    help: &'a str,
}

/// What a handler gives back.
pub type Answered<T> = Result<T, Failure>;

impl Failure {
    fn new(status: u16, code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).expect("error codes have statuses of failures");
        Self { status, code, message: message.into(), help: help.into(), retry_after: None, taken: None }
    }

    fn of(code: ErrorCode, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(code.status(), code.code(), message, help)
    }

    /// A parameter that nobody knows, or with a value that it cannot have.
    pub fn bad_query(message: impl Into<String>) -> Self {
        Self::of(ErrorCode::BadQuery, message, "`/openapi.json` has every parameter with its values")
    }

    /// A body that is not what its content type says.
    pub fn bad_body(message: impl Into<String>) -> Self {
        let help = "mend the body and send it again; `taken` says which records need not be sent again";
        Self::of(ErrorCode::MalformedBody, message, help)
    }

    /// A content type that is not taken.
    pub fn content_type(found: &str, taken: &str) -> Self {
        let message = format!("a body of type `{found}` is not taken");
        Self::of(ErrorCode::UnsupportedContentType, message, format!("send {taken}, uncompressed"))
    }

    /// More bytes or records than a request may bring.
    pub fn too_large(message: impl Into<String>) -> Self {
        let help = "send the rest in further requests; `taken` says which records need not be sent again";
        Self::of(ErrorCode::BodyTooLarge, message, help)
    }

    /// The body did not arrive in time, or broke off.
    pub fn incomplete(message: impl Into<String>) -> Self {
        let help = "send the rest again; `taken` says which records need not be sent again";
        Self::of(ErrorCode::IncompleteRequest, message, help)
    }

    /// A cursor that is none of this service's.
    pub fn bad_cursor(why: &str) -> Self {
        let help = "send the cursor of an earlier answer as it was, none for the oldest kept, or `end` for what comes";
        Self::of(ErrorCode::BadCursor, format!("the cursor is not taken: {why}"), help)
    }

    /// What the cursor asks for was trimmed.
    pub fn trimmed(shard: u32, wanted: u64, kept: u64) -> Self {
        let message = format!("output {wanted} of shard {shard} is no longer kept, the oldest is {kept}");
        let help = "read on without a cursor, from the oldest output kept; what lies between is lost to this reader";
        Self::of(ErrorCode::CursorTrimmed, message, help)
    }

    /// Nobody ever heard of the account.
    pub fn unknown_account(id: &str) -> Self {
        let help = "ids are compared byte by byte; an account exists from its first event on";
        Self::of(ErrorCode::UnknownAccount, format!("there is no account `{id}`"), help)
    }

    /// No such path.
    pub fn unknown_route(path: &str) -> Self {
        Self::of(ErrorCode::NoSuchRoute, format!("there is nothing at `{path}`"), "`GET /` lists what there is")
    }

    /// The path is there, the method is not.
    pub fn unknown_method(method: &str, path: &str) -> Self {
        let message = format!("`{path}` does not take `{method}`");
        let failure = Self::of(ErrorCode::NoSuchRoute, message, "`GET /` lists what there is");
        Self { status: StatusCode::METHOD_NOT_ALLOWED, ..failure }
    }

    /// The work ended in a panic: a bug.
    pub fn panicked() -> Self {
        let help = "the log has the details; please report it";
        Self::of(ErrorCode::Panicked, "the work on this request ended in a panic", help)
    }

    /// The service ends.
    pub fn stopping() -> Self {
        let help = "come back when the service is up again; `taken` says which records need not be sent again";
        Self::of(ErrorCode::Stopping, "the service is stopping", help)
    }

    /// What is stored has no JSON form: a newer build wrote it, or it is damaged.
    pub fn unreadable(detail: impl std::fmt::Display) -> Self {
        Self::from(StoreError::Corrupt { detail: format!("an output cannot be read: {detail}") })
    }

    /// With what was taken before it.
    pub fn after(mut self, taken: Answer) -> Self {
        self.taken = Some(Box::new(taken)).filter(|each| !each.is_empty());
        self
    }

    /// The output was trimmed away.
    pub fn is_trimmed(&self) -> bool {
        self.status == StatusCode::GONE
    }

    /// The body.
    pub fn json(&self) -> Vec<u8> {
        let texts = Texts { code: self.code, message: &self.message, help: &self.help };
        let mut body = serde_json::to_vec(&texts).expect("three texts have a JSON form");
        if let Some(taken) = &self.taken {
            body.pop();
            body.extend_from_slice(b",\"taken\":");
            body.extend_from_slice(&taken.json());
            body.push(b'}');
        }
        body
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Busy { retry_after } => {
                let help = "send what was not taken again after `Retry-After` seconds";
                let busy = Self::of(ErrorCode::QueueFull, "too many records wait to be decided", help);
                Self { retry_after: Some(retry_after), ..busy }
            }
            AppendError::Sealed { code, detail } => {
                let help = format!("see `headroom explain {code}`; the service takes records again after a restart");
                Self::new(503, code, detail, help)
            }
            AppendError::Stopping => Self::stopping(),
            AppendError::FromTopics => {
                let help = "publish them to the topics; `headroom send --kafka` does";
                Self::of(ErrorCode::FromTopics, error.to_string(), help)
            }
        }
    }
}

impl From<Elsewhere> for Failure {
    fn from(error: Elsewhere) -> Self {
        let help = "ask the other nodes: `/readyz` of each says which shards it serves";
        Self::of(ErrorCode::ShardElsewhere, error.to_string(), help)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let help = format!("see `headroom explain {}`", error.code());
        Self::new(503, error.code(), error.to_string(), help)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], self.json()).into_response();
        if let Some(after) = self.retry_after {
            // Rounded up, and never 0: who comes back too early is refused again.
            let seconds = after.as_millis().div_ceil(1000).max(1);
            let value = HeaderValue::from_str(&seconds.to_string()).expect("digits");
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_says_when_to_come_again_in_whole_seconds() {
        for (after, seconds) in
            [(Duration::ZERO, "1"), (Duration::from_millis(1_001), "2"), (Duration::from_secs(5), "5")]
        {
            let response = Failure::from(AppendError::Busy { retry_after: after }).into_response();
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds);
        }
    }

    #[test]
    fn a_sealed_shard_says_why_in_the_one_shape() {
        let sealed = AppendError::Sealed { code: "HR0304", detail: "cannot write: no space".to_owned() };
        let failure = Failure::from(sealed);
        let expected = "{\"code\":\"HR0304\",\"message\":\"cannot write: no space\",\"help\":\"see `headroom explain \
                        HR0304`; the service takes records again after a restart\"}";
        assert_eq!(String::from_utf8(failure.json()).unwrap(), expected);
        assert_eq!(failure.into_response().status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
