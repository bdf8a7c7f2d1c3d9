//! The ways to the server: one socket for all over UDP, else connections.

use crate::message::Place;
use crate::stream;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_rustls::rustls::ClientConfig;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
    Ws,
    Wss,
}

impl std::str::FromStr for Transport {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "udp" => Ok(Self::Udp),
            "tcp" => Ok(Self::Tcp),
            "tls" => Ok(Self::Tls),
            "ws" => Ok(Self::Ws),
            "wss" => Ok(Self::Wss),
            _ => Err(format!("there is no transport {text}")),
        }
    }
}

impl Transport {
    pub(crate) fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    pub(crate) fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// Where a user agent is that sends from an address over it.
    pub(crate) fn place(self, local: SocketAddr) -> Place {
        let (via, uri) = match self {
            Self::Udp => ("UDP", "udp"),
            Self::Tcp => ("TCP", "tcp"),
            Self::Tls => ("TLS", "tls"),
            Self::Ws => ("WS", "ws"),
            Self::Wss => ("WSS", "ws"),
        };
        Place { via, uri, local }
    }
}

/// One way.
pub(crate) enum Link {
    Datagrams(Arc<UdpSocket>, SocketAddr),
    Connection(mpsc::UnboundedSender<Vec<u8>>, SocketAddr),
}

impl Link {
    /// Sends a message. What the socket has no room for is lost, and sent again in its time.
    pub(crate) fn send(&self, bytes: &[u8]) {
        match self {
            Self::Datagrams(socket, _) => drop(socket.try_send(bytes)),
            Self::Connection(queue, _) => drop(queue.send(bytes.to_vec())),
        }
    }

    fn local(&self) -> SocketAddr {
        match self {
            Self::Datagrams(_, local) | Self::Connection(_, local) => *local,
        }
    }
}

/// All of them.
pub(crate) struct Links {
    pub(crate) transport: Transport,
    pub(crate) server: SocketAddr,
    pub(crate) trust: Option<Arc<ClientConfig>>,
    open: Vec<Link>,
    heard: mpsc::UnboundedSender<Vec<u8>>,
    /// Every message that has come, from any of them.
    pub(crate) messages: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Links {
    pub(crate) fn new(transport: Transport, server: SocketAddr, trust: Option<Arc<ClientConfig>>) -> Self {
        let (heard, messages) = mpsc::unbounded_channel();
        Self { transport, server, trust, open: Vec::new(), heard, messages }
    }

    /// Opens as many as are missing to `count`; over UDP there is one.
    pub(crate) async fn reach(&mut self, count: usize) {
        let count = if self.transport == Transport::Udp { 1 } else { count };
        while self.open.len() < count {
            let link = match self.transport {
                Transport::Udp => datagrams(self.server, self.heard.clone()).await,
                _ => self.connection().await,
            };
            self.open.push(link);
        }
    }

    async fn connection(&self) -> Link {
        let opened =
            stream::open(self.transport, self.server, self.trust.as_ref()).await.expect("a connection");
        let (queue, sent) = mpsc::unbounded_channel();
        let local = opened.local;
        tokio::spawn(stream::serve(opened, sent, self.heard.clone()));
        Link::Connection(queue, local)
    }

    /// The way of a user agent, and where that puts it.
    pub(crate) fn of(&self, agent: usize) -> (&Link, Place) {
        let link = &self.open[agent % self.open.len()];
        (link, self.transport.place(link.local()))
    }
}

async fn datagrams(server: SocketAddr, heard: mpsc::UnboundedSender<Vec<u8>>) -> Link {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
    socket.connect(server).await.expect("a server");
    let local = socket.local_addr().expect("an address");
    let socket = Arc::new(socket);
    let reading = socket.clone();
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_535];
        // What a closed port of the server makes of a datagram is an error here: the datagram is lost.
        loop {
            if let Ok(length) = reading.recv(&mut buffer).await
                && heard.send(buffer[..length].to_vec()).is_err()
            {
                return;
            }
        }
    });
    Link::Datagrams(socket, local)
}
