//! Accepts connections, and ends them.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::app::App;
use super::router::router;
use crate::config::HttpConfig;
use crate::service::Service;
use crate::telemetry::Telemetry;

/// How long requests may take to finish once the service stops.
const GRACE: Duration = Duration::from_secs(5);
/// Pause after an accept that failed: mostly there are no file handles left, and asking at once would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves HTTP/1.1 on a listener until `stop` is ready; then takes no more connections, ends streams, lets requests
/// finish for a few seconds, and cuts off the rest.
///
/// # Errors
/// The listener cannot be used at all.
pub async fn serve(
    service: Service,
    config: HttpConfig,
    telemetry: Telemetry,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    listener.local_addr()?;
    let (close, closing) = watch::channel(false);
    let places = Arc::new(Semaphore::new(config.connections_max));
    let server = Server { closing: closing.clone(), header_timeout: config.header_timeout, places };
    let router = router(App::new(service, config, telemetry, closing));
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            // Those that ended are forgotten.
            Some(_) = connections.join_next() => {}
            accepted = server.accept(&listener) => {
                if let Some((stream, place)) = accepted {
                    connections.spawn(server.clone().connection(stream, place, router.clone()));
                }
            }
        }
    }
    drop(listener);
    close.send_replace(true);
    let ended = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        connections.shutdown().await;
    }
    Ok(())
}

#[derive(Clone)]
struct Server {
    closing: watch::Receiver<bool>,
    header_timeout: Duration,
    /// One for each connection: the others wait in the listener's backlog.
    places: Arc<Semaphore>,
}

impl Server {
    async fn accept(&self, listener: &TcpListener) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, _)) => Some((stream, place)),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }

    async fn connection(mut self, stream: TcpStream, place: OwnedSemaphorePermit, router: Router) {
        let _place = place;
        // Answers are small and complete: waiting to fill packets only delays them.
        drop(stream.set_nodelay(true));
        let service = TowerToHyperService::new(router);
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.header_timeout);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        // What a client breaks off is its own business.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = self.closing.wait_for(|closing| *closing) => connection.as_mut().graceful_shutdown(),
        }
        drop(connection.await);
    }
}
