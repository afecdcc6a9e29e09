//! All routes, and what every request goes through.

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::failure::Failure;
use super::{accounts, events, explain, health, index, outputs, rules, what_if};
use crate::telemetry;

/// The routes, with what the document says of them.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(index::get_index))
        .routes(routes!(index::get_openapi))
        .routes(routes!(events::post_events))
        .routes(routes!(outputs::get_limit_changes))
        .routes(routes!(outputs::get_offers))
        .routes(routes!(outputs::get_notices))
        .routes(routes!(outputs::get_reviews))
        .routes(routes!(outputs::get_dead_letters))
        .routes(routes!(accounts::get_account))
        .routes(routes!(accounts::get_history))
        .routes(routes!(explain::get_explanation))
        .routes(routes!(what_if::post_what_if))
        .routes(routes!(rules::get_rules))
        .routes(routes!(health::get_healthz))
        .routes(routes!(health::get_readyz))
        .routes(routes!(health::get_metrics))
}

/// The whole interface.
pub fn router(app: App) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(async |uri: Uri| Failure::unknown_route(uri.path()))
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            Failure::unknown_method(method.as_str(), uri.path())
        })
        .layer(from_fn(measured))
        .with_state(app)
}

/// Measures a request by its route's template: paths themselves are without number. A stream counts until it begins.
async fn measured(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let began = Instant::now();
    let response = next.run(request).await;
    let route = path.as_ref().map(MatchedPath::as_str);
    telemetry::http_request(route, method.as_str(), response.status().as_u16(), began.elapsed());
    response
}
