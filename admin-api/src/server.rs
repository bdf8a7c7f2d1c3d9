//! HTTP/1.1 on a listener.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::ServiceExt;
use tracing::{debug, error, info, warn};

use crate::control::Control;
use crate::envelope::Peer;
use crate::options::Options;
use crate::router::router;
use crate::stall::Unstalled;
use crate::token::Token;

/// hyper refuses a smaller read buffer.
const MIN_HEADER: usize = 8192;
/// How long accepting pauses when the system has no file descriptors or memory left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves the API on `listener` until `shutdown` is ready. Then no connection is accepted any more, idle ones
/// are closed, and requests in work get [`Options::drain_timeout`] to be answered.
///
/// # Errors
/// When the listener itself fails. Errors of one connection, and lack of file descriptors, only show in the log.
pub async fn serve(
    listener: TcpListener,
    control: Arc<dyn Control>,
    token: Token,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)));
    let server = Server { http: http(&options), router: router(control, token, options.clone()), options };
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let outcome = loop {
        tokio::select! {
            () = &mut shutdown => break Ok(()),
            Some(ended) = connections.join_next() => {
                if let Err(failed) = ended {
                    error!(%failed, "a connection of the admin API panicked");
                }
            }
            accepted = accept(&listener, &slots) => match accepted {
                Ok(Some((stream, peer, slot))) => {
                    connections.spawn(server.clone().connection(stream, peer, slot, graceful.watcher()));
                }
                Ok(None) => {}
                Err(failed) => break Err(failed),
            },
        }
    };
    drop(listener);
    if tokio::time::timeout(server.options.drain_timeout, graceful.shutdown()).await.is_err() {
        info!("closing connections of the admin API whose requests are still in work");
    }
    outcome
}

#[derive(Clone)]
struct Server {
    http: http1::Builder,
    router: Router,
    options: Options,
}

fn http(options: &Options) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(options.header_timeout)
        .max_header_size(options.max_header.max(MIN_HEADER))
        .max_buf_size(options.max_header.max(MIN_HEADER));
    builder
}

impl Server {
    async fn connection(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        slot: OwnedSemaphorePermit,
        watcher: Watcher,
    ) {
        let router = self.router;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            router.clone().oneshot(request)
        });
        let io = TokioIo::new(Unstalled::new(stream, self.options.write_timeout));
        if let Err(failed) = watcher.watch(self.http.serve_connection(io, service)).await {
            debug!(%peer, %failed, "a connection of the admin API ended");
        }
        drop(slot);
    }
}

/// The next connection, once there is a slot for it; `None` after an error that passes.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)>> {
    let slot = slots.clone().acquire_owned().await.map_err(io::Error::other)?;
    match listener.accept().await {
        Ok((stream, peer)) => Ok(Some((stream, peer, slot))),
        // EINVAL, EBADF, ENOTSOCK: no later accept can succeed.
        Err(failed) if matches!(failed.raw_os_error(), Some(22 | 9 | 88)) => Err(failed),
        // accept(2) also reports what happened to a connection before it was accepted.
        Err(failed) if failed.kind() == io::ErrorKind::ConnectionAborted => Ok(None),
        Err(failed) => {
            warn!(%failed, "the admin API cannot accept");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            Ok(None)
        }
    }
}
