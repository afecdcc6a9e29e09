//! `GET /v1/accounts/{id}` and `/history`: what is kept of one account.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::app::{App, Id, Query};
use super::failure::{Answered, Failure, Problem};
use super::outputs::limit;
use super::page;
use super::schema::OutputBody;
use crate::service::Service;
use crate::view::{self, Names};

/// Everything about an account. Money is minor units, times are RFC 3339 in UTC.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says what `view::account` writes")]
pub struct AccountAnswer {
    /// The account's id.
    id: String,
    /// How far it has come: provisional, active, hardship, closed, charged_off.
    status: String,
    /// What kind of customer.
    segment: String,
    /// Loyalty tier.
    tier: String,
    /// ISO 4217; none: no event has said.
    currency: Option<String>,
    /// When the relationship began.
    opened_at: Option<String>,
    /// When its first event came.
    first_seen: Option<String>,
    /// When it last ordered.
    last_order_at: Option<String>,
    /// The moment of this view: the shard's clock.
    as_of: Option<String>,
    /// Of the last limit change.
    sequence: u64,
    /// Of the last broadcast that it has applied.
    broadcast: u64,
    /// Sum of all amounts ever booked.
    volume: i64,
    /// Base, granted, effective, used, available, spendable, each minimum with the term that binds it.
    #[schema(value_type = Object)]
    limits: (),
    /// Base, boosts, caps, blocks, holds, waivers, undo.
    #[schema(value_type = Object)]
    stack: (),
    /// Drawn, held and unfinal money.
    #[schema(value_type = Object)]
    money: (),
    /// Statements and payments.
    #[schema(value_type = Object)]
    repay: (),
    /// Days past due.
    #[schema(value_type = Object)]
    delinquency: (),
    /// Orders by side, in hours, days and months.
    #[schema(value_type = Object)]
    windows: (),
    /// Use of the limit.
    #[schema(value_type = Object)]
    utilisation: (),
    /// Dated marks: late, returned, broken, fraud.
    #[schema(value_type = Vec<Object>)]
    marks: (),
    /// What signals have said.
    #[schema(value_type = Vec<Object>)]
    facts: (),
    /// Promotions that it takes or took part in.
    #[schema(value_type = Vec<Object>)]
    promotions: (),
    /// How base developed.
    #[schema(value_type = Object)]
    growth: (),
    /// Consent, open reviews, offers and compensations.
    #[schema(value_type = Object)]
    memory: (),
    /// What falls due without an event.
    #[schema(value_type = Vec<Object>)]
    timers: (),
}

/// Which part of a history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Only what is older than this: the `before` of an earlier answer.
    before: Option<u64>,
    /// Items, at most; more than the settings allow is cut to what they allow.
    #[param(minimum = 1)]
    limit: Option<usize>,
}

/// Outputs of an account.
#[derive(ToSchema)]
#[expect(dead_code, reason = "says what `history_json` writes")]
pub struct HistoryAnswer {
    /// Outputs of all kinds, newest first.
    #[schema(value_type = Vec<OutputBody>)]
    items: Vec<()>,
    /// To be sent as `before` for what is older; none: there is nothing older that is kept.
    before: Option<String>,
}

/// Shows an account.
///
/// Everything that is kept of it.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}",
    tag = "accounts",
    params(("id" = String, Path, description = "The account's id.")),
    responses(
        (status = 200, description = "The account.", body = AccountAnswer),
        (status = 404, description = "HR0518: nobody ever heard of the account.", body = Problem),
        (status = 503, description = "HR03xx: the shard cannot be read.", body = Problem),
    )
)]
pub async fn get_account(State(app): State<App>, Id(id): Id) -> Answered<Response> {
    let shown = app.blocking(move |service| account_json(service, &id)).await?;
    Ok(json(shown))
}

fn account_json(service: &Service, id: &str) -> Answered<Vec<u8>> {
    let shard = service.shard_of(id);
    let reader = service.reader(shard)?;
    let account = reader.account(id)?.ok_or_else(|| Failure::unknown_account(id))?;
    let names = Names::new(&reader.state()?.unwrap_or_default(), Some(&*service.ruleset(shard)?));
    Ok(view::account(&account, &names).json().into_bytes())
}

/// Shows an account's history.
///
/// Everything that ever came out for it and is kept, newest first.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/history",
    tag = "accounts",
    params(("id" = String, Path, description = "The account's id."), HistoryQuery),
    responses(
        (status = 200, description = "A page of its outputs.", body = HistoryAnswer),
        (status = 400, description = "HR0519: a parameter that cannot be used.", body = Problem),
        (status = 404, description = "HR0518: nobody ever heard of the account.", body = Problem),
        (status = 503, description = "HR03xx: the shard cannot be read.", body = Problem),
    )
)]
pub async fn get_history(State(app): State<App>, Id(id): Id, Query(query): Query<HistoryQuery>) -> Answered<Response> {
    let limit = limit(&app, query.limit)?;
    let shown = app.blocking(move |service| history_json(service, &id, query.before, limit)).await?;
    Ok(json(shown))
}

fn history_json(service: &Service, id: &str, before: Option<u64>, limit: usize) -> Answered<Vec<u8>> {
    let reader = service.reader(service.shard_of(id))?;
    let (mut items, mut oldest, mut bytes) = (Vec::new(), before, 0);
    let mut more = true;
    while more && items.len() < limit && bytes < page::BYTES_MAX {
        let room = page::ROWS_MAX.min(limit - items.len());
        let rows = reader.account_outputs(id, oldest, room)?;
        more = rows.len() == room;
        for (sequence, stored) in rows {
            let json = page::json(&stored)?;
            bytes += json.len();
            oldest = Some(sequence);
            items.push(json);
        }
    }
    if items.is_empty() && reader.account(id)?.is_none() {
        return Err(Failure::unknown_account(id));
    }
    let before = oldest.filter(|_| more).map_or_else(|| "null".to_owned(), |sequence| format!("\"{sequence}\""));
    let tail = format!(r#"],"before":{before}}}"#);
    Ok([&br#"{"items":["#[..], &items.join(&b","[..]), tail.as_bytes()].concat())
}

/// An answer of JSON that is written already.
pub fn json(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
