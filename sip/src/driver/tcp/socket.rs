//! The byte stream of a connection: plain, or over TLS.

use super::super::connections::OpenError;
use super::super::sockets::mark;
use super::super::tls::{Client, Peer, Server};
use crate::flow::Domain;
use rustls::pki_types::ServerName;
use socket2::SockRef;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// A stream that is open.
pub(super) enum Socket {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// A stream with what its handshake has proved.
pub(super) type Opened = (Socket, Option<Peer>);

/// A stream that is being opened.
pub(super) type Opening = Pin<Box<dyn Future<Output = Result<Opened, OpenError>>>>;

impl Socket {
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }

    pub(super) fn poll_write_vectored(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    /// Hands to the network what the stream still holds.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    /// Closes our side, as far as that needs no waiting; over TLS the peer is told (RFC 5246 §7.2.1).
    pub(super) fn shut_down(&mut self, context: &mut Context<'_>) {
        // It fails where the peer is gone, and then there is nobody to tell.
        let _ = match self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        };
    }
}

/// Takes the TLS connection that a peer begins.
pub(super) fn take(stream: TcpStream, server: Arc<Server>) -> Opening {
    Box::pin(async move {
        let acceptor = TlsAcceptor::from(server.config.clone());
        let stream = acceptor.accept(stream).await.map_err(OpenError::Handshake)?;
        let peer = Peer::accepted(stream.get_ref().1, &server);
        Ok((Socket::Secure(Box::new(stream.into())), Some(peer)))
    })
}

/// Connects a socket.
pub(super) fn connect(socket: TcpSocket, peer: SocketAddr) -> Opening {
    Box::pin(async move {
        let stream = socket.connect(peer).await.map_err(|_| OpenError::Connect)?;
        Ok((Socket::Plain(stream), None))
    })
}

/// Connects a socket, over TLS, to whom the domain belongs to.
pub(super) fn connect_securely(
    socket: TcpSocket,
    peer: SocketAddr,
    client: Arc<Client>,
    domain: Domain,
) -> Opening {
    Box::pin(async move {
        let invalid = |_| OpenError::Handshake(io::ErrorKind::InvalidInput.into());
        let name = ServerName::try_from(domain.as_str().to_owned()).map_err(invalid)?;
        let stream = socket.connect(peer).await.map_err(|_| OpenError::Connect)?;
        let connector = TlsConnector::from(client.config.clone());
        let stream = connector.connect(name, stream).await.map_err(OpenError::Handshake)?;
        let peer = Peer::opened(stream.get_ref().1, &client, &domain);
        Ok((Socket::Secure(Box::new(stream.into())), Some(peer)))
    })
}

/// A socket that leaves by the address of the listener, so that the peer sees the network that it belongs to, with its mark.
pub(super) fn bound_socket((local, dscp): (IpAddr, u8), peer: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    mark(&SockRef::from(&socket), local.is_ipv6(), dscp)?;
    if !local.is_unspecified() && local.is_ipv4() == peer.is_ipv4() {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    Ok(socket)
}
