//! What every handler has at hand.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, watch};

use super::failure::{Answered, Failure};
use crate::config::HttpConfig;
use crate::service::Service;
use crate::telemetry::Telemetry;

/// Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub service: Service,
    pub config: Arc<HttpConfig>,
    pub telemetry: Telemetry,
    /// Turns true when no new work is begun and streams end.
    pub closing: watch::Receiver<bool>,
    reads: Arc<Semaphore>,
}

impl App {
    /// Over a running service.
    pub fn new(service: Service, config: HttpConfig, telemetry: Telemetry, closing: watch::Receiver<bool>) -> Self {
        let reads = Arc::new(Semaphore::new(config.blocking_reads_max));
        Self { service, config: Arc::new(config), telemetry, closing, reads }
    }

    /// Does what blocks on a thread of its own; as many at once as the settings allow.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Service) -> Answered<T> + Send + 'static,
    ) -> Answered<T> {
        let permit = Arc::clone(&self.reads).acquire_owned().await.expect("the semaphore is never closed");
        let service = self.service.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&service)
        });
        done.await.unwrap_or_else(|_| Err(Failure::panicked()))
    }

    /// Ready once the service is to end.
    pub async fn closed(&self) {
        let (mut closing, mut stopping) = (self.closing.clone(), self.service.stopping());
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}

/// Query parameters, all of them known.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answered<Self> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|axum::extract::Query(query)| Self(query)).map_err(|error| Failure::bad_query(error.body_text()))
    }
}

/// The one parameter in the path, percent-decoded.
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answered<Self> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(id)| Self(id)).map_err(|error| Failure::bad_query(error.body_text()))
    }
}
