//! `/healthz`, `/readyz`, `/metrics`: for whoever runs the service.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::word;
use super::app::App;
use super::limits::time;
use crate::service::{ShardReport, ShardStatus};

/// Whether the service takes records.
#[derive(Serialize, ToSchema)]
pub struct ReadyAnswer {
    /// All shards serve, and nobody is stopping it.
    ready: bool,
    /// It is being stopped.
    stopping: bool,
    /// What "taken" means: `fsync` survives the loss of power, `process` the end of the process.
    #[schema(value_type = String)]
    durability: &'static str,
    /// Each shard.
    shards: Vec<ShardAnswer>,
}

/// Where a shard stands.
#[derive(Serialize, ToSchema)]
pub struct ShardAnswer {
    /// Its number.
    shard: u32,
    /// What it does.
    state: ShardState,
    /// Of a sealed shard: a code with a page in `docs/errors`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Of a sealed shard: what went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Its clock; none: nothing has happened yet.
    now: Option<String>,
    /// Records taken and not yet decided.
    backlog_records: u64,
    /// Accounts.
    accounts: u64,
}

/// What a shard does.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShardState {
    /// Decides what was in its log when it was opened.
    Opening,
    /// Takes records.
    Serving,
    /// Another node of the group has it, or none yet.
    Away,
    /// Stopped by an error, with its data as the last commit left it.
    Sealed,
}

/// Says that the process lives.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain"))
)]
pub async fn get_healthz() -> &'static str {
    "ok\n"
}

/// Says whether records are taken.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, description = "They are.", body = ReadyAnswer),
        (status = 503, description = "They are not; the shards say why.", body = ReadyAnswer),
    )
)]
pub async fn get_readyz(State(app): State<App>) -> (StatusCode, Json<ReadyAnswer>) {
    let stopping = *app.closing.borrow() || *app.service.stopping().borrow();
    let reports = app.service.readiness();
    let is_fine = |report: &ShardReport| matches!(report.status, ShardStatus::Serving | ShardStatus::Away);
    let ready = reports.iter().all(is_fine) && app.service.has_joined() && !stopping;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let durability = word(app.service.durability());
    (status, Json(ReadyAnswer { ready, stopping, durability, shards: reports.into_iter().map(shard).collect() }))
}

/// Shows what the process counts.
///
/// In the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses((status = 200, description = "All metrics.", body = String, content_type = "text/plain"))
)]
pub async fn get_metrics(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.telemetry.render()).into_response()
}

fn shard(report: ShardReport) -> ShardAnswer {
    let (state, code, detail) = match report.status {
        ShardStatus::Opening => (ShardState::Opening, None, None),
        ShardStatus::Serving => (ShardState::Serving, None, None),
        ShardStatus::Away => (ShardState::Away, None, None),
        ShardStatus::Sealed { code, detail } => (ShardState::Sealed, Some(code.to_owned()), Some(detail)),
    };
    let (shard, backlog_records, accounts) = (report.shard, report.backlog_records, report.accounts);
    ShardAnswer { shard, state, code, detail, now: time(report.now), backlog_records, accounts }
}
