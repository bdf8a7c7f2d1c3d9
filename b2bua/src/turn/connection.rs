//! Connections of TURN clients, plain or over TLS.

use super::outbox::Outbox;
use super::thread::{Network, Place};
use bytes::Buf;
use media::turn::{Client, Frames};
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// How long a handshake of TLS may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what is written to it.
const STALL: Duration = Duration::from_secs(10);
/// A connection whose client has no allocation is closed once for so long nobody has proved to have a credential on it.
const IDLE: Duration = Duration::from_secs(30);
/// How long nothing is accepted after the system could not.
const REST: Duration = Duration::from_millis(100);
/// Bytes that are read at once.
const READ: usize = 16_384;
/// Bytes that the system keeps of what is written: they are as late as those that wait here, and it tells of progress only once a good part of
/// them is gone.
const WRITTEN: usize = 65_536;

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
    let _ = SockRef::from(&stream).set_send_buffer_size(WRITTEN);
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
    stream: impl AsyncRead + AsyncWrite + Unpin,
) {
    let (client, outbox) = network.connect(listener, address);
    let _connected = Connected(network, client);
    let (reader, writer) = split(stream);
    // Neither waits for the other: who reads slowly is heard all the same.
    tokio::select! {
        () = hear(network, client, reader) => {}
        _ = tell(&outbox, writer, STALL) => {}
    }
}

/// Takes what a client says, until it has gone or has to go.
async fn hear(network: &Network, client: Client, mut reader: impl AsyncRead + Unpin) {
    let mut frames = Frames::default();
    let mut buffer = vec![0; READ];
    let mut proven = false;
    let mut looks = interval(IDLE);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.tick().await;
    loop {
        tokio::select! {
            read = reader.read(&mut buffer) => {
                let Ok(length @ 1..) = read else { return };
                let came = buffer.get(..length).unwrap_or_default();
                let framed = frames.receive(came, |message| {
                    proven |= network.with(|server, now, sockets| server.receive(client, message, now, sockets));
                });
                if framed.is_err() {
                    return;
                }
            }
            _ = looks.tick() => {
                let serves = network.with(|server, _, _| server.serves(client));
                if !serves && !std::mem::take(&mut proven) {
                    return;
                }
            }
        }
    }
}

/// Writes what waits, until that fails or the client has taken nothing for too long.
async fn tell(outbox: &Outbox, mut writer: impl AsyncWrite + Unpin, stall: Duration) -> io::Result<()> {
    loop {
        let mut message = outbox.next().await;
        while !message.is_empty() {
            match timeout(stall, writer.write(&message)).await?? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => message.advance(written),
            }
        }
        if outbox.is_empty() {
            timeout(stall, writer.flush()).await??;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use tokio::io::duplex;

    fn in_time(work: impl Future<Output = ()>) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().build().unwrap().block_on(work);
    }

    #[test]
    fn a_client_that_reads_slowly_is_not_one_that_reads_nothing() {
        in_time(async {
            let stall = Duration::from_secs(1);
            let (ours, mut theirs) = duplex(1_000);
            let outbox = Outbox::default();
            (0..40).for_each(|_| assert!(outbox.put(&[0x40; 1_200])));
            // All of it takes twice as long as nothing may be taken.
            let client = async {
                for _ in 0..40 {
                    sleep(stall / 20).await;
                    theirs.read_exact(&mut [0; 1_200]).await.unwrap();
                }
            };
            tokio::select! {
                done = tell(&outbox, ours, stall) => panic!("{done:?}"),
                () = client => {}
            }
        });
    }

    #[test]
    fn a_client_that_reads_nothing_is_closed() {
        in_time(async {
            let (ours, _theirs) = duplex(1_000);
            let outbox = Outbox::default();
            assert!(outbox.put(&[0x40; 1_200]));
            let told = tell(&outbox, ours, Duration::from_millis(10)).await;
            assert_eq!(told.unwrap_err().kind(), io::ErrorKind::TimedOut);
        });
    }
}
