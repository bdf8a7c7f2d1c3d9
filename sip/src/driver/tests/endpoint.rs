//! The real endpoint behind the driver.

use super::super::ids::{RandomIds, hasher};
use super::super::sockets::{Bind, Sockets};
use super::super::{Core, IoAction, Settings, Waker, drive};
use super::lab::{GUARD, local};
use super::streams::guarded;
use crate::action::{Action, TransmitId};
use crate::flow::{Flow, ListenerId, Transport};
use crate::time::{Mono, Now};
use crate::{Answer, ConnectId, Endpoint, Listener, QueryId};
use bytes::Bytes;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::ops::ControlFlow;

/// An endpoint whose events nobody wants; a wake ends it.
struct Alone(Endpoint);

impl Core for Alone {
    fn handle_input(&mut self, now: Now, flow: Flow, bytes: Bytes) {
        self.0.handle_input(now, flow, bytes);
    }

    fn handle_resolved(&mut self, now: Now, query: QueryId, answer: Answer) {
        self.0.handle_resolved(now, query, answer);
    }

    fn handle_connected(&mut self, now: Now, connect: ConnectId, open: bool) {
        self.0.handle_connected(now, connect, open);
    }

    fn handle_send_failed(&mut self, now: Now, id: TransmitId) {
        self.0.handle_send_failed(now, id);
    }

    fn handle_unreachable(&mut self, now: Now, listener: ListenerId, peer: SocketAddr) {
        self.0.handle_unreachable(now, listener, peer);
    }

    fn handle_timeout(&mut self, now: Now) {
        self.0.handle_timeout(now);
    }

    fn handle_wake(&mut self, _: Now) -> ControlFlow<()> {
        ControlFlow::Break(())
    }

    fn poll_io(&mut self) -> Option<IoAction> {
        loop {
            match self.0.poll_action()? {
                Action::Transmit(transmit) => return Some(IoAction::Transmit(transmit)),
                Action::Resolve(query) => return Some(IoAction::Resolve(query)),
                Action::Connect(connect) => return Some(IoAction::Connect(connect)),
                Action::Disconnect(id) => return Some(IoAction::Disconnect(id)),
                Action::CloseConnection(id) => return Some(IoAction::CloseConnection(id)),
                Action::Ping(connection) => return Some(IoAction::Ping(connection)),
                Action::Alias { connection, port } => return Some(IoAction::Alias { connection, port }),
                Action::SecretNeeded(_) | Action::Event(_) => {}
            }
        }
    }

    fn poll_timeout(&self) -> Option<Mono> {
        self.0.poll_timeout()
    }

    fn flush(&mut self, _: Now) {}
}

fn listener(bind: &Bind) -> Listener {
    Listener::new(bind.network, bind.transport, bind.address)
}

/// Has an endpoint on a UDP and a TCP listener while `peer` talks to it.
fn with_endpoint(peer: impl FnOnce(SocketAddr, SocketAddr)) -> Endpoint {
    let sockets = Sockets::bind(&[local(Transport::Udp), local(Transport::Tcp)]).unwrap();
    let listeners: Vec<_> = sockets.listeners().map(listener).collect();
    let (udp, tcp) = (listeners[0].address, listeners[1].address);
    let settings = crate::Settings { listeners, ..crate::Settings::default() };
    let waker = Waker::new();
    let stop = waker.clone();
    let body = move || {
        let ids = Box::new(RandomIds::new().unwrap());
        let core = Alone(Endpoint::new(settings, ids, hasher().unwrap()));
        drive(core, Settings::new().unwrap(), sockets, waker).unwrap().0
    };
    let thread = std::thread::Builder::new().spawn(body).unwrap();
    peer(udp, tcp);
    stop.wake();
    thread.join().unwrap()
}

fn options(transport: Transport, from: SocketAddr) -> String {
    let via = transport.via_token();
    format!(
        "OPTIONS sip:us@example.com SIP/2.0\r\nVia: SIP/2.0/{via} {from};rport;branch=z9hG4bK1\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:us@example.com>\r\n\
         Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn rfc3261_11_2_options_are_answered_over_udp() {
    let endpoint = with_endpoint(|udp, _| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(GUARD)).unwrap();
        socket.send_to(options(Transport::Udp, socket.local_addr().unwrap()).as_bytes(), udp).unwrap();
        let mut buffer = [0; 4096];
        let (len, from) = socket.recv_from(&mut buffer).unwrap();
        let text = String::from_utf8_lossy(&buffer[..len]);
        assert!(text.starts_with("SIP/2.0 200 OK\r\n"), "{text}");
        assert_eq!(from, udp);
    });
    assert_eq!(endpoint.counters().malformed, 0);
}

#[test]
fn rfc3261_11_2_options_in_pieces_are_answered_over_tcp() {
    with_endpoint(|_, tcp| {
        let mut stream = guarded(TcpStream::connect(tcp).unwrap());
        for byte in options(Transport::Tcp, stream.local_addr().unwrap()).as_bytes().chunks(9) {
            stream.write_all(byte).unwrap();
        }
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            text.push(byte[0]);
        }
        assert!(text.starts_with(b"SIP/2.0 200 OK\r\n"), "{}", String::from_utf8_lossy(&text));
    });
}

#[test]
fn rfc3261_18_3_what_cannot_be_followed_on_a_stream_is_refused_before_the_connection_ends() {
    let endpoint = with_endpoint(|_, tcp| {
        let long = format!("sip:{}@example.com", "u".repeat(9_000));
        let large = format!("\r\n{}", "x".repeat(300_000));
        let cases: [(&str, &str, &str); 4] = [
            ("Content-Length: 0\r\n\r\n", "\r\n", "400 Content-Length Required on a Stream"),
            ("Content-Length: 0\r\n\r\n", &large, "400 Content-Length Required on a Stream"),
            ("sip:us@example.com", &long, "414 Request-URI Too Long"),
            ("Content-Length: 0", "Content-Length: 99999999", "413 Request Entity Too Large"),
        ];
        for (from, to, status) in cases {
            let mut stream = guarded(TcpStream::connect(tcp).unwrap());
            let text = options(Transport::Tcp, stream.local_addr().unwrap()).replacen(from, to, 1);
            stream.write_all(text.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with(&format!("SIP/2.0 {status}\r\n")), "{answer}");
        }
    });
    let counted = endpoint.counters().unreadable;
    assert_eq!((counted.no_length, counted.start_line, counted.body), (2, 1, 1), "{counted:?}");
}

#[test]
fn a_peer_that_asks_faster_than_it_listens_gets_every_answer() {
    const ASKED: usize = 5_000;
    let endpoint = with_endpoint(|_, tcp| {
        let stream = guarded(TcpStream::connect(tcp).unwrap());
        let one = options(Transport::Tcp, stream.local_addr().unwrap());
        std::thread::scope(|scope| {
            let mut asking = stream.try_clone().unwrap();
            scope.spawn(move || {
                for n in 0..ASKED {
                    let id = format!("branch=z9hG4bK{n}\r\n");
                    let text = one
                        .replace("branch=z9hG4bK1\r\n", &id)
                        .replace("Call-ID: 1", &format!("Call-ID: {n}"));
                    asking.write_all(text.as_bytes()).unwrap();
                }
            });
            let mut heard = std::io::BufReader::new(&stream);
            let (mut answers, mut line) = (0, String::new());
            while answers < ASKED {
                line.clear();
                assert_ne!(
                    std::io::BufRead::read_line(&mut heard, &mut line).unwrap(),
                    0,
                    "after {answers} answers"
                );
                answers += usize::from(line.starts_with("SIP/2.0 200"));
            }
        });
    });
    assert_eq!(endpoint.counters().overloaded, 0);
}
