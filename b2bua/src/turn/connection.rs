//! Connections of TURN clients, plain or over TLS.

use super::thread::{Network, Place};
use bytes::Bytes;
use media::turn::{Client, Frames};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Messages that wait to be written to a connection; what comes beyond is dropped, as over UDP.
pub(super) const QUEUE: usize = 256;
/// How long a handshake of TLS may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what is written to it.
const STALL: Duration = Duration::from_secs(10);
/// A connection whose client has no allocation is closed once so long nothing whole has come on it.
const IDLE: Duration = Duration::from_secs(30);
/// How long nothing is accepted after the system could not.
const REST: Duration = Duration::from_millis(100);
/// Bytes that are read at once.
const READ: usize = 16_384;

/// Takes connections.
pub(super) async fn accept(network: Rc<Network>, listener: u16, socket: TcpListener) {
    loop {
        match socket.accept().await {
            Ok((stream, address)) => {
                if let Some(place) = network.admit(address.ip()) {
                    spawn_local(connection(Rc::clone(&network), listener, (stream, address), place));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a TURN listener cannot accept");
                sleep(REST).await;
            }
        }
    }
}

async fn connection(
    network: Rc<Network>,
    listener: u16,
    (stream, address): (TcpStream, SocketAddr),
    _place: Place,
) {
    // Media must not wait for more of it.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = network.acceptor(listener) else {
        return serve(&network, listener, address, stream).await;
    };
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => serve(&network, listener, address, stream).await,
        Ok(Err(_)) | Err(_) => {
            network.counts.failed_handshakes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Forgets a client once its connection is gone, whatever became of it.
struct Connected<'n>(&'n Network, Client);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.disconnect(self.1);
    }
}

async fn serve(
    network: &Network,
    listener: u16,
    address: SocketAddr,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
) {
    let (client, mut queue) = network.connect(listener, address);
    let _connected = Connected(network, client);
    let mut frames = Frames::default();
    let mut buffer = vec![0; READ];
    let mut heard = true;
    let mut looks = interval(IDLE);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.tick().await;
    loop {
        tokio::select! {
            read = stream.read(&mut buffer) => {
                let Ok(length @ 1..) = read else { return };
                let came = buffer.get(..length).unwrap_or_default();
                let framed = frames.receive(came, |message| {
                    heard = true;
                    network.with(|server, now, sockets| server.receive(client, message, now, sockets));
                });
                if framed.is_err() {
                    return;
                }
            }
            Some(message) = queue.recv() => {
                if !matches!(timeout(STALL, write(&mut stream, message, &mut queue)).await, Ok(Ok(()))) {
                    return;
                }
            }
            _ = looks.tick() => {
                let serves = network.with(|server, _, _| server.serves(client));
                if !serves && !std::mem::take(&mut heard) {
                    return;
                }
            }
        }
    }
}

/// Writes what waits, all of it before it is flushed.
async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    first: Bytes,
    queue: &mut mpsc::Receiver<Bytes>,
) -> std::io::Result<()> {
    stream.write_all(&first).await?;
    for _ in 0..QUEUE {
        let Ok(next) = queue.try_recv() else { break };
        stream.write_all(&next).await?;
    }
    stream.flush().await
}
