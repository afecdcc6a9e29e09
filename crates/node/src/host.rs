//! The service as a process: listens, opens, serves until it is told to stop.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::error::RunError;
use crate::http;
use crate::service::{AppendError, Service};
use crate::telemetry::Telemetry;

/// While shards decide what their logs hold, nothing is appended: ask again after this.
const OPENING_PAUSE: Duration = Duration::from_millis(50);

/// The rules of a service, as path and text of files.
#[derive(Clone, Debug)]
pub struct HostRules {
    /// The files.
    pub files: Vec<(String, String)>,
    /// They come into force in any case; else only where there are none yet.
    pub replace: bool,
}

/// Serves until SIGTERM or SIGINT; `listening` hears the address as soon as requests are heard.
///
/// # Errors
/// HR0510 if it cannot listen, before a data directory is made; what [`Service::open`] says.
pub fn host(
    config: &Config,
    rules: HostRules,
    telemetry: Telemetry,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), RunError> {
    let runtime = Builder::new_multi_thread().enable_all().build().map_err(RunError::Thread)?;
    let done = runtime.block_on(serve(config, rules, telemetry.clone(), listening));
    drop(runtime);
    telemetry.stop();
    done
}

async fn serve(
    config: &Config,
    rules: HostRules,
    telemetry: Telemetry,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), RunError> {
    let address = config.http.listen;
    let refused = |source| RunError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let (opening, files) = (config.clone(), rules.files.clone());
    let on_kafka = config.kafka.is_used();
    let open = move || if on_kafka { Service::join(&opening) } else { Service::open(&opening, &files) };
    let service = blocking(open).await?;
    if rules.replace && !on_kafka {
        publish(&service, &rules.files).await?;
    }
    let bound = listener.local_addr().map_err(refused)?;
    tracing::info!(address = %bound, shards = service.shards(), data_dir = %config.node.data_dir.display(), "serving");
    listening(bound);
    let signal = stop_signal().map_err(RunError::Thread)?;
    let ended = Arc::new(OnceLock::new());
    let (watched, end) = (service.clone(), Arc::clone(&ended));
    let stop = async move {
        tokio::select! {
            () = signal => {}
            error = watched.ended() => drop(end.set(error)),
        }
    };
    http::serve(service.clone(), config.http.clone(), telemetry, listener, stop).await.map_err(refused)?;
    blocking(move || {
        service.stop();
        Ok(())
    })
    .await?;
    match Arc::into_inner(ended).and_then(OnceLock::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RunError> + Send + 'static,
) -> Result<T, RunError> {
    let done = tokio::task::spawn_blocking(work).await;
    // A panic goes on where it would have gone without the thread.
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Rules that were named come into force by a control record, if others are.
async fn publish(service: &Service, rules: &[(String, String)]) -> Result<(), RunError> {
    loop {
        match service.publish(rules).await {
            Ok(_) => return Ok(()),
            Err(AppendError::Busy { .. }) => tokio::time::sleep(OPENING_PAUSE).await,
            Err(error) => return Err(RunError::Append(error)),
        }
    }
}

/// Resolves when the process is asked to stop.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
