//! `GET /` and `/openapi.json`: what there is.

use axum::Json;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::accounts::json;
use super::document::openapi;

/// What there is.
#[derive(Serialize, ToSchema)]
pub struct IndexAnswer {
    /// The program.
    #[schema(value_type = String)]
    name: &'static str,
    /// Its version.
    #[schema(value_type = String)]
    version: &'static str,
    /// Every path with its method.
    routes: Vec<RouteAnswer>,
}

/// A path with a method.
#[derive(Serialize, ToSchema)]
pub struct RouteAnswer {
    /// For example `GET`.
    method: String,
    /// With parameters in braces.
    path: String,
    /// What it is for.
    summary: String,
}

/// Lists what there is.
#[utoipa::path(
    get,
    path = "/",
    tag = "operation",
    responses((status = 200, description = "Every path with its method.", body = IndexAnswer))
)]
pub async fn get_index() -> Json<IndexAnswer> {
    Json(IndexAnswer { name: "headroom", version: env!("CARGO_PKG_VERSION"), routes: routes(&openapi()) })
}

/// Describes this interface.
///
/// As an OpenAPI 3.1 document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operation",
    responses((status = 200, description = "This document.", body = Object))
)]
pub async fn get_openapi() -> Response {
    json(openapi().to_string().into_bytes())
}

fn routes(document: &Value) -> Vec<RouteAnswer> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(|(method, operation)| RouteAnswer {
                method: method.to_uppercase(),
                path: path.clone(),
                summary: operation["summary"].as_str().unwrap_or_default().to_owned(),
            })
        })
        .collect()
}
