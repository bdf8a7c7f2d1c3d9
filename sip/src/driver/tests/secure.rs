//! Messages over TLS.

use super::super::Security;
use super::super::tls::testing::{Authority, Issued, Names};
use super::super::tls::{ClientSettings, Clients};
use super::lab::{Command, Lab, Report, local, message, send, transmit_id};
use super::streams::{connect, expect, expect_end, guarded};
use crate::flow::{ConnectionId, Destination, Domain, Flow, ListenerId, NetworkId, Transport};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Everybody that a test needs: we are `sbc.example`, and believe the authority.
struct Cast {
    authority: Authority,
    ours: Issued,
    theirs: Issued,
}

impl Cast {
    fn new(theirs: Names<'_>) -> Self {
        let authority = Authority::new("root");
        let ours = authority.issue(Names::dns(&["sbc.example"]));
        let theirs = authority.issue(theirs);
        Self { authority, ours, theirs }
    }

    fn security(&self, ours: &Issued, clients: Clients) -> Security {
        let mut security = Security::default();
        security.tls.serve(ListenerId(0), ours.serving(clients)).unwrap();
        let credentials = Some(ours.credentials());
        let client =
            ClientSettings { trust: self.authority.trust(), credentials, ..ClientSettings::default() };
        security.tls.connect(NetworkId(0), client).unwrap();
        security
    }

    fn lab(&self) -> Lab {
        self.lab_with(Clients::Optional(self.authority.trust()), |_| {})
    }

    fn lab_with(&self, clients: Clients, change: impl FnOnce(&mut super::super::Settings)) -> Lab {
        let security = self.security(&self.ours, clients);
        Lab::new(&[local(Transport::Tls)], |settings| {
            settings.security = Arc::new(security);
            change(settings);
        })
    }

    /// A client that knows itself, over a connection of its own.
    fn client(&self, lab: &Lab) -> StreamOwned<ClientConnection, TcpStream> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.authority.root_store());
        let config = config.with_client_auth_cert(chain(&self.theirs), key(&self.theirs)).unwrap();
        let name = ServerName::try_from("sbc.example").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect(lab))
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn chain(issued: &Issued) -> Vec<CertificateDer<'static>> {
    vec![issued.certificate.clone()]
}

fn key(issued: &Issued) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap()
}

/// Takes the next connection as a server with that certificate.
fn accept(listener: &TcpListener, issued: &Issued) -> StreamOwned<ServerConnection, TcpStream> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain(issued), key(issued))
        .unwrap();
    let stream = guarded(listener.accept().unwrap().0);
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream)
}

fn open(peer: SocketAddr, domain: &str) -> Destination {
    Destination::Open { listener: ListenerId(0), peer, domain: Some(Domain::new(domain)) }
}

fn secured(lab: &Lab) -> (Flow, bool, Vec<String>) {
    match lab.next() {
        Report::Secured(flow, accepted, identities) => (flow, accepted, identities),
        other => panic!("{other:?} instead of a handshake"),
    }
}

#[test]
fn who_is_at_the_other_end_is_told_before_what_it_sends() {
    let cast = Cast::new(Names { uri: &["sip:pbx.example"], dns: &["x.example"], common_name: None });
    let lab = cast.lab();
    let mut client = cast.client(&lab);
    client.write_all(message(1).as_bytes()).unwrap();
    let (flow, accepted, identities) = secured(&lab);
    assert_eq!((accepted, identities), (true, vec!["URI:pbx.example".to_owned()]));
    assert_eq!(lab.input(), (flow, message(1)));
    lab.tell([send(2, Destination::Flow(flow))]);
    expect(&mut client, &message(2));
    drop(client);
    assert_eq!(lab.next(), Report::Closed(flow.connection.unwrap()));
    assert_eq!(lab.settings.counters.handshakes.get(), 1);
}

// conforms: RFC5923-8.1-1,2,3
#[test]
fn requests_of_the_server_come_on_the_connection_that_we_opened() {
    let cast = Cast::new(Names::dns(&["pbx.example"]));
    let lab = cast.lab();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = open(listener.local_addr().unwrap(), "pbx.example");
    lab.tell([send(1, to.clone()), send(2, to.clone())]);
    let mut server = accept(&listener, &cast.theirs);
    expect(&mut server, &(message(1) + &message(2)));
    let (flow, accepted, _) = secured(&lab);
    assert!(!accepted);
    server.write_all(message(3).as_bytes()).unwrap();
    assert_eq!(lab.input(), (flow, message(3)));
    lab.tell([send(4, to), send(5, Destination::Flow(flow))]);
    expect(&mut server, &(message(4) + &message(5)));
    assert_eq!(lab.settings.counters.connections_opened.get(), 1);
    // Or on one of its own: that a request was taken means no alias.
    let mut client = cast.client(&lab);
    client.write_all(message(6).as_bytes()).unwrap();
    assert!(secured(&lab).1);
    assert_eq!(lab.input().1, message(6));
}

// conforms: RFC5923-8.1-8,9 RFC5923-8.3-3
#[test]
fn rfc5923_8_1_once_the_peer_has_said_that_it_closes_another_connection_is_opened() {
    let cast = Cast::new(Names::dns(&["pbx.example"]));
    let lab = cast.lab();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = open(listener.local_addr().unwrap(), "pbx.example");
    lab.tell([send(1, to.clone())]);
    let mut first = accept(&listener, &cast.theirs);
    expect(&mut first, &message(1));
    let (flow, ..) = secured(&lab);
    // Only the closure alert: the TCP connection stays open.
    first.conn.send_close_notify();
    first.flush().unwrap();
    assert_eq!(lab.next(), Report::Closed(flow.connection.unwrap()));
    lab.tell([send(2, to.clone()), send(3, to)]);
    let mut second = accept(&listener, &cast.theirs);
    expect(&mut second, &(message(2) + &message(3)));
    let mut rest = Vec::new();
    let _ = first.read_to_end(&mut rest);
    assert!(rest.is_empty(), "nothing more goes by the first");
    assert_eq!(lab.settings.counters.connections_opened.get(), 2);
}

// conforms: RFC5923-8.3-1,2
#[test]
fn rfc5923_8_3_what_was_to_be_sent_is_sent_before_the_end_and_what_comes_after_our_alert_is_discarded() {
    let cast = Cast::new(Names::dns(&["pbx.example"]));
    let lab = cast.lab();
    let mut client = cast.client(&lab);
    client.write_all(message(1).as_bytes()).unwrap();
    let (flow, ..) = secured(&lab);
    lab.input();
    let id = flow.connection.unwrap();
    lab.tell([send(2, Destination::Flow(flow)), Command::Close(id), send(3, Destination::Flow(flow))]);
    // The transaction of what can't be sent any more is told so.
    assert_eq!(lab.next(), Report::Failed(transmit_id(3)));
    let mut got = Vec::new();
    client.read_to_end(&mut got).expect("the end is told by an alert");
    assert_eq!(got, message(2).as_bytes());
    client.write_all(message(4).as_bytes()).unwrap();
    drop(client);
    assert_eq!(lab.next(), Report::Closed(id), "message 4 is not taken");
}

// conforms: RFC5922-7.3-3 RFC5923-8.1-4
#[test]
fn a_server_that_does_not_prove_the_domain_gets_nothing() {
    let cast = Cast::new(Names::dns(&["*.example", "other.example"]));
    let lab = cast.lab();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    lab.tell([send(1, open(listener.local_addr().unwrap(), "pbx.example"))]);
    let mut server = accept(&listener, &cast.theirs);
    let mut got = Vec::new();
    assert!(server.read_to_end(&mut got).is_err(), "an alert");
    assert!(got.is_empty());
    match (lab.next(), lab.next()) {
        (Report::Failed(id), Report::Insecure(false, why))
        | (Report::Insecure(false, why), Report::Failed(id)) => {
            assert_eq!(id, transmit_id(1));
            assert!(why.contains("NotValidForName"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(lab.settings.counters.handshakes_failed.get(), 1);
}

#[test]
fn a_connection_that_is_wanted_is_open_after_its_handshake() {
    let cast = Cast::new(Names::dns(&["pbx.example"]));
    let lab = cast.lab();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let want = |n, domain| Command::Connect(n, peer, Some(Domain::new(domain)));
    lab.tell([want(1, "pbx.example")]);
    // The connection stands, the handshake has not begun: nothing else may be told before it has come to its end.
    let mut server = accept(&listener, &cast.theirs);
    server.conn.complete_io(&mut server.sock).unwrap();
    assert!(!secured(&lab).1);
    assert_eq!(lab.next(), Report::Connected(1, true));
    lab.tell([want(2, "other.example")]);
    let mut server = accept(&listener, &cast.theirs);
    assert!(server.read_to_end(&mut Vec::new()).is_err(), "an alert");
    let mut told = [lab.next(), lab.next()];
    told.sort_by_key(|report| matches!(report, Report::Insecure(..)));
    assert_eq!(told[0], Report::Connected(2, false));
    assert!(matches!(told[1], Report::Insecure(false, _)));
}

// conforms: RFC5923-9.3-2 RFC5626-4.3-2
#[test]
fn rfc5923_9_3_another_domain_at_the_same_address_has_a_connection_of_its_own() {
    let cast = Cast::new(Names::dns(&["a.example"]));
    let other = cast.authority.issue(Names::dns(&["b.example"]));
    let lab = cast.lab();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    // a.example calls us, and takes requests on that connection.
    let mut client = cast.client(&lab);
    client.write_all(message(1).as_bytes()).unwrap();
    let (flow, ..) = secured(&lab);
    lab.input();
    lab.tell([Command::Alias(flow.connection.unwrap(), at.port()), send(2, open(at, "A.example"))]);
    expect(&mut client, &message(2));
    lab.tell([send(3, open(at, "b.example"))]);
    let mut server = accept(&listener, &other);
    expect(&mut server, &message(3));
    assert!(!secured(&lab).1);
    assert_eq!(lab.settings.counters.connections_opened.get(), 1);
}

// conforms: RFC5923-8.2-2,3
#[test]
fn rfc5923_8_2_once_the_aliased_connection_is_gone_one_is_opened() {
    let cast = Cast::new(Names::dns(&["a.example"]));
    let lab = cast.lab();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let mut client = cast.client(&lab);
    client.write_all(message(1).as_bytes()).unwrap();
    let (flow, ..) = secured(&lab);
    lab.input();
    lab.tell([Command::Alias(flow.connection.unwrap(), at.port()), send(2, open(at, "a.example"))]);
    expect(&mut client, &message(2));
    drop(client);
    assert_eq!(lab.next(), Report::Closed(flow.connection.unwrap()));
    lab.tell([send(3, open(at, "a.example")), send(4, open(at, "a.example"))]);
    expect(&mut accept(&listener, &cast.theirs), &(message(3) + &message(4)));
    assert!(!secured(&lab).1);
    assert_eq!(lab.settings.counters.connections_opened.get(), 1);
}

// conforms: RFC5923-8.2-1,5 RFC5923-9.2-2,3
#[test]
fn rfc5923_9_2_a_client_without_a_certificate_makes_no_alias() {
    let cast = Cast::new(Names::dns(&["a.example"]));
    let lab = cast.lab_with(Clients::Unasked, |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let mut client = cast.client(&lab);
    client.write_all(message(1).as_bytes()).unwrap();
    let (flow, _, identities) = secured(&lab);
    assert!(identities.is_empty());
    lab.input();
    lab.tell([Command::Alias(flow.connection.unwrap(), at.port()), send(2, open(at, "a.example"))]);
    expect(&mut accept(&listener, &cast.theirs), &message(2));
}

#[test]
fn a_certificate_is_exchanged_under_connections_that_go_on() {
    let cast = Cast::new(Names::dns(&["pbx.example"]));
    let lab = cast.lab();
    let mut before = cast.client(&lab);
    before.write_all(message(1).as_bytes()).unwrap();
    let (flow, ..) = secured(&lab);
    lab.input();
    let renewed = cast.authority.issue(Names::dns(&["sbc.example"]));
    lab.tell([Command::Adopt(cast.security(&renewed, Clients::Unasked)), send(2, Destination::Flow(flow))]);
    expect(&mut before, &message(2));
    let mut after = cast.client(&lab);
    after.write_all(message(3).as_bytes()).unwrap();
    assert!(secured(&lab).2.is_empty(), "nobody is asked any more");
    lab.input();
    let shown = |stream: &StreamOwned<ClientConnection, TcpStream>| {
        stream.conn.peer_certificates().unwrap()[0].clone()
    };
    assert_eq!((shown(&before), shown(&after)), (cast.ours.certificate.clone(), renewed.certificate));
    before.write_all(message(4).as_bytes()).unwrap();
    assert_eq!(lab.input(), (flow, message(4)));
}

#[test]
fn a_handshake_that_does_not_end_is_ended() {
    let cast = Cast::new(Names::dns(&["pbx.example"]));
    let unhurried = Duration::from_millis(50);
    let lab = cast.lab_with(Clients::Unasked, |settings| settings.limits.handshake_time = unhurried);
    let mut silent: Vec<TcpStream> = (0..20).map(|_| connect(&lab)).collect();
    // The header of a record that never comes whole.
    silent.iter_mut().skip(10).for_each(|stream| stream.write_all(&[22, 3, 1, 2, 0, 1]).unwrap());
    silent.iter_mut().for_each(expect_end);
    assert_eq!(lab.settings.counters.handshakes_unfinished.get(), 20);
    assert_eq!(lab.settings.counters.connections.get(), 0);
}

#[test]
fn what_is_not_tls_is_told_and_ended() {
    let cast = Cast::new(Names::dns(&["pbx.example"]));
    let lab = cast.lab();
    let mut stream = connect(&lab);
    stream.write_all(message(1).as_bytes()).unwrap();
    assert!(matches!(lab.next(), Report::Insecure(true, _)));
    let mut alert = Vec::new();
    let _ = stream.read_to_end(&mut alert);
    assert_eq!(lab.settings.counters.handshakes_failed.get(), 1);
}

#[test]
fn bytes_one_by_one_are_messages_and_long_ones_arrive_whole() {
    let cast = Cast::new(Names::dns(&["pbx.example"]));
    let lab = cast.lab();
    let mut client = cast.client(&lab);
    for byte in message(1).as_bytes() {
        client.write_all(&[*byte]).unwrap();
    }
    let (flow, ..) = secured(&lab);
    assert_eq!(lab.input().1, message(1));
    // More than the buffers of the system and of TLS hold.
    let body = bytes::Bytes::from(vec![b'x'; 60_000]);
    lab.tell((0..16).map(|n| Command::Send(n, Destination::Flow(flow), body.clone())));
    let mut got = vec![0; 16 * body.len()];
    client.read_exact(&mut got).unwrap();
    assert!(got.iter().all(|byte| *byte == b'x'));
    // What the driver counts it has counted once it does something else.
    client.write_all(message(2).as_bytes()).unwrap();
    lab.input();
    assert_eq!(lab.settings.counters.stream_messages_out.get(), 16);
}

#[test]
fn a_tls_listener_without_a_certificate_takes_nobody() {
    let lab = Lab::new(&[local(Transport::Tls)], |_| {});
    expect_end(&mut connect(&lab));
    lab.tell([send(1, open(([127, 0, 0, 1], 9).into(), "pbx.example"))]);
    assert_eq!(lab.next(), Report::Failed(transmit_id(1)));
    lab.tell([send(
        2,
        Destination::Flow(Flow {
            listener: ListenerId(0),
            peer: ([127, 0, 0, 1], 9).into(),
            connection: Some(ConnectionId(77)),
        }),
    )]);
    assert_eq!(lab.next(), Report::Failed(transmit_id(2)));
}
