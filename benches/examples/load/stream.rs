//! A connection: SIP framed by Content-Length, or in the messages of a WebSocket (RFC 7118).

use crate::link::Transport;
use crate::message::body_length;
use crate::websocket;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

pub(crate) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A connection that is open, handshakes over.
pub(crate) struct Opened {
    pub(crate) local: SocketAddr,
    pub(crate) bytes: Box<dyn Bytes>,
    pub(crate) websocket: bool,
}

pub(crate) async fn open(
    transport: Transport,
    server: SocketAddr,
    trust: Option<&Arc<ClientConfig>>,
) -> io::Result<Opened> {
    let tcp = TcpStream::connect(server).await?;
    tcp.set_nodelay(true)?;
    let local = tcp.local_addr()?;
    let mut bytes: Box<dyn Bytes> = match trust.filter(|_| transport.is_secure()) {
        Some(trust) => Box::new(TlsConnector::from(trust.clone()).connect(server.ip().into(), tcp).await?),
        None => Box::new(tcp),
    };
    let websocket = transport.is_websocket();
    if websocket {
        websocket::greet(&mut bytes, server).await?;
    }
    Ok(Opened { local, bytes, websocket })
}

/// Writes what is sent, and tells what comes, until either side ends it.
pub(crate) async fn serve(
    opened: Opened,
    mut sent: mpsc::UnboundedReceiver<Vec<u8>>,
    heard: mpsc::UnboundedSender<Vec<u8>>,
) {
    let Opened { bytes, websocket, .. } = opened;
    let (mut reading, mut writing) = tokio::io::split(bytes);
    let mut cutter = Cutter::new(websocket);
    loop {
        tokio::select! {
            message = sent.recv() => {
                let Some(mut message) = message else { return };
                if websocket {
                    message = websocket::frame(&message);
                }
                if writing.write_all(&message).await.is_err() {
                    return;
                }
            }
            read = reading.read_buf(&mut cutter.buffer) => {
                if !matches!(read, Ok(length) if length > 0) {
                    return;
                }
                while let Some(message) = cutter.next() {
                    if heard.send(message).is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Cuts messages from a stream.
pub(crate) struct Cutter {
    websocket: bool,
    pub(crate) buffer: Vec<u8>,
}

impl Cutter {
    pub(crate) fn new(websocket: bool) -> Self {
        Self { websocket, buffer: Vec::with_capacity(4096) }
    }

    /// The next message, if it is whole.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let (start, end) = match self.websocket {
            true => websocket::payload(&self.buffer)?,
            false => (0, framed(&self.buffer)?),
        };
        let message = self.buffer.get(start..end)?.to_vec();
        self.buffer.drain(..end);
        Some(message)
    }
}

/// Where the first message ends.
fn framed(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&buffer[..head]).expect("text");
    Some(head + body_length(text)).filter(|end| *end <= buffer.len())
}
