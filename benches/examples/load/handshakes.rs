//! Connections one after the other, each for one OPTIONS.

use crate::link::{Links, Transport};
use crate::message::{Answer, options};
use crate::order::Outcome;
use crate::stream::{self, Cutter};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::ClientConfig;

/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn open(links: &Links, count: usize, rate: f64) -> Outcome {
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..count {
        tokio::time::sleep_until((begun + Duration::from_secs_f64(number as f64 / rate)).into()).await;
        let (transport, server, trust) = (links.transport, links.server, links.trust.clone());
        tasks.spawn(async move {
            let since = Instant::now();
            let whole = tokio::time::timeout(PATIENCE, once(transport, server, trust, number)).await;
            whole.is_ok_and(|answered| answered).then(|| since.elapsed())
        });
    }
    let each = tasks.join_all().await;
    let succeeded: Vec<_> = each.into_iter().flatten().collect();
    Outcome { succeeded: succeeded.len(), failed: count - succeeded.len(), ..Outcome::default() }
        .timed(succeeded, begun.elapsed())
}

/// Opens one, asks, and closes it; whether the answer was 200.
async fn once(
    transport: Transport,
    server: SocketAddr,
    trust: Option<Arc<ClientConfig>>,
    number: usize,
) -> bool {
    let Ok(mut opened) = stream::open(transport, server, trust.as_ref()).await else { return false };
    let mut message = options(transport.place(opened.local), server, number, 1);
    if opened.websocket {
        message = crate::websocket::frame(&message);
    }
    if opened.bytes.write_all(&message).await.is_err() {
        return false;
    }
    let mut cutter = Cutter::new(opened.websocket);
    loop {
        if !matches!(opened.bytes.read_buf(&mut cutter.buffer).await, Ok(length) if length > 0) {
            return false;
        }
        if let Some(answer) = cutter.next() {
            let _ = opened.bytes.shutdown().await;
            let status = std::str::from_utf8(&answer).ok().and_then(Answer::read).map(|answer| answer.status);
            return status == Some(200);
        }
    }
}
