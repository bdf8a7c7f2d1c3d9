//! Messages in WebSockets, with a client that we did not write.

use super::super::tls::Clients;
use super::super::tls::testing::{Authority, Names};
use super::super::{Security, WebSocketRules};
use super::lab::{Lab, Report, local, message, send, transmit_id};
use super::streams::{connect, expect_end};
use crate::flow::{Destination, ListenerId, Transport};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::client::Request;
use tungstenite::{Error, Message, WebSocket};

fn request(origin: Option<&str>) -> Request {
    let mut request = "ws://sbc.example/sip".into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
    if let Some(origin) = origin {
        request.headers_mut().insert("Origin", origin.parse().unwrap());
    }
    request
}

fn security() -> Security {
    let origins = Some(vec!["https://phone.example".to_owned()]);
    let rules = WebSocketRules { path: "/sip".to_owned(), origins, ..WebSocketRules::default() };
    Security { websockets: [(ListenerId(0), Arc::new(rules))].into(), ..Security::default() }
}

fn lab() -> Lab {
    Lab::new(&[local(Transport::Ws)], |settings| settings.security = Arc::new(security()))
}

fn shake<S: Read + Write>(stream: S, origin: Option<&str>) -> WebSocket<S> {
    let (socket, answer) = tungstenite::client(request(origin), stream).unwrap();
    assert_eq!(answer.headers()["Sec-WebSocket-Protocol"], "sip");
    socket
}

/// Whatever carries it: messages both ways, on one flow, a ping of either kind, the end.
fn converse<S: Read + Write>(lab: &Lab, socket: &mut WebSocket<S>) {
    // RFC 7118 §5: a Content-Length is not needed.
    let bare = "OPTIONS sip:a@b SIP/2.0\r\nSubject: π\r\n\r\nbody";
    socket.send(Message::text(bare)).unwrap();
    let (flow, text) = lab.input();
    assert_eq!(text, bare);
    socket.send(Message::binary(message(2).into_bytes())).unwrap();
    assert_eq!(lab.input(), (flow, message(2)));
    lab.tell([send(3, Destination::Flow(flow)), send(4, Destination::Flow(flow))]);
    assert_eq!(socket.read().unwrap(), Message::text(message(3)));
    assert_eq!(socket.read().unwrap(), Message::text(message(4)));
    socket.send(Message::text("\r\n\r\n")).unwrap();
    assert_eq!(socket.read().unwrap(), Message::text("\r\n"));
    socket.send(Message::Ping("alive".into())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Pong("alive".into()));
    socket.close(None).unwrap();
    loop {
        match socket.read() {
            Ok(Message::Close(_)) => {}
            Err(Error::ConnectionClosed) => break,
            // Over TLS tungstenite reads on until the peer has closed.
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            other => panic!("{other:?}"),
        }
    }
    lab.tell([send(5, Destination::Flow(flow))]);
    loop {
        match lab.next() {
            Report::Failed(id) => break assert_eq!(id, transmit_id(5)),
            Report::Closed(id) => assert_eq!(Some(id), flow.connection),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lab.settings.counters.websockets.get(), 1);
}

// conforms: RFC7118-4.1-3
#[test]
fn rfc7118_5_a_message_is_a_websocket_message() {
    let lab = lab();
    let mut socket = shake(connect(&lab), Some("https://phone.example"));
    converse(&lab, &mut socket);
}

#[test]
fn rfc7118_5_the_same_over_tls() {
    let authority = Authority::new("root");
    let mut security = security();
    let own = authority.issue(Names::dns(&["sbc.example"]));
    security.tls.serve(ListenerId(0), own.serving(Clients::Unasked)).unwrap();
    let lab = Lab::new(&[local(Transport::Wss)], |settings| settings.security = Arc::new(security));
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.root_store())
        .with_no_client_auth();
    let name = ServerName::try_from("sbc.example").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = shake(StreamOwned::new(connection, connect(&lab)), None);
    assert!(matches!(lab.next(), Report::Secured(_, true, identities) if identities.is_empty()));
    converse(&lab, &mut socket);
}

#[test]
fn a_page_that_may_not_is_refused() {
    let lab = lab();
    let stream = connect(&lab);
    let mut rest = stream.try_clone().unwrap();
    match tungstenite::client(request(Some("https://evil.example")), stream) {
        Err(tungstenite::HandshakeError::Failure(Error::Http(answer))) => assert_eq!(answer.status(), 403),
        other => panic!("{:?}", other.map(|_| ())),
    }
    expect_end(&mut rest);
    assert_eq!(lab.settings.counters.websockets_refused.get(), 1);
}

#[test]
fn what_breaks_the_protocol_is_closed_and_counted() {
    let lab = lab();
    let mut socket = shake(connect(&lab), None);
    socket.get_mut().write_all(b"\x81\x05plain").unwrap();
    match socket.read() {
        Ok(Message::Close(Some(frame))) => assert_eq!(u16::from(frame.code), 1002),
        other => panic!("{other:?}"),
    }
    expect_end(socket.get_mut());
    assert_eq!(lab.settings.counters.connections_unframed.get(), 1);
}

#[test]
fn slow_ones_are_ended_before_the_handshake_and_in_a_message() {
    let lab = Lab::new(&[local(Transport::Ws)], |settings| {
        settings.security = Arc::new(security());
        settings.limits.handshake_time = Duration::from_millis(50);
        settings.limits.message_time = Duration::from_millis(50);
    });
    let mut silent: Vec<TcpStream> = (0..10).map(|_| connect(&lab)).collect();
    silent.iter_mut().skip(5).for_each(|stream| stream.write_all(b"GET /sip HTTP/1.1\r\nHost").unwrap());
    silent.iter_mut().for_each(expect_end);
    assert_eq!(lab.settings.counters.handshakes_unfinished.get(), 10);
    let mut socket = shake(connect(&lab), None);
    // A message of which the last fragment never comes.
    socket.get_mut().write_all(b"\x01\x84\0\0\0\0OPTI").unwrap();
    expect_end(socket.get_mut());
    assert_eq!(lab.settings.counters.connections_dawdling.get(), 1);
}

#[test]
fn nobody_is_called_over_a_websocket() {
    let lab = lab();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    lab.tell([send(1, Destination::Open { listener: ListenerId(0), peer, domain: None })]);
    assert_eq!(lab.next(), Report::Failed(transmit_id(1)));
}
