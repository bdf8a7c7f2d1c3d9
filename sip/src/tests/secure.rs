//! What must be secure stays so (RFC 3261 §26.2.2, RFC 5630), and whose connections are used (RFC 5923, RFC 7118).

use super::message::{Msg, field, find, start};
use super::ua::{Ua, address, flow, listener};
use crate::flow::{ConnectionId, Destination, Domain, Flow, ListenerId, NetworkId, Transport};
use crate::nat::Nat;
use crate::session::{Invite, Parts, Patience, SessionId};
use crate::settings::{Listener, Settings};
use crate::{End, Event, Failure, Unreachable};

/// A listener that goes by a name.
fn named(transport: Transport) -> Listener {
    let port = if transport == Transport::Udp { 5060 } else { 5061 };
    Listener { sent_by: format!("sbc.example.net:{port}").into(), ..listener(transport) }
}

fn ua(transports: &[Transport]) -> Ua {
    let listeners = transports.iter().map(|t| named(*t)).collect();
    Ua::with(Settings { listeners, ..Settings::default() })
}

/// The peer's connection to that listener.
fn on(listener: u16) -> Flow {
    Flow { listener: ListenerId(listener), peer: address("198.51.100.9:41000"), ..flow(Some(7)) }
}

fn invite(ua: &mut Ua, request_uri: &str, next_hop: &str) -> SessionId {
    let invite = invite_for(request_uri, next_hop);
    ua.act(|e, now| e.invite(now, invite)).unwrap()
}

pub(super) fn invite_for(request_uri: &str, next_hop: &str) -> Invite {
    Invite {
        routes: Box::default(),
        flow: None,
        outbound: false,
        gruu: None,
        speaks_for: None,
        patience: Patience::default(),
        label: 0,
        conduct: None,
        network: NetworkId(0),
        request_uri: request_uri.parse().unwrap(),
        next_hop: next_hop.parse().unwrap(),
        from: "<sip:alice@example.net>".into(),
        to: "<sip:bob@example.com>".into(),
        max_forwards: 69,
        parts: Parts::default(),
    }
}

fn unreachable(ua: &mut Ua) -> Unreachable {
    match ua.event() {
        Event::Ended { why: End::Rejected(Failure::Unreachable(why)), .. } => why,
        other => panic!("{other:?}"),
    }
}

/// A request of the peer for a SIPS URI, over TLS.
fn secure(method: &str, seq: u32) -> Msg {
    let via = format!("SIP/2.0/TLS b.example.com;branch=z9hG4bKs{seq}{method}");
    Msg::request(method, seq)
        .start("sip:alice@192.0.2.1", "sips:alice@sbc.example.net")
        .set("Via", &via)
        .set("Contact", "<sips:bob@b.example.com>")
}

// conforms: RFC3261-8.1.1.2-2 RFC3261-8.1.1.8-3 RFC3261-26.3.1-3 RFC5630-3.3-1 RFC5630-5.1.1-2
#[test]
fn rfc5922_7_3_a_request_over_tls_says_whom_it_is_for() {
    let mut ua = ua(&[Transport::Udp, Transport::Tls]);
    invite(&mut ua, "sips:bob@example.com", "sips:Example.com.");
    // The hosts that serve the domain prove to be it, whatever their names are (RFC 5922 §4).
    ua.resolve(
        r#"
        example.com NAPTR 10 10 "s" "SIP+D2U" _sip._udp.example.com
        example.com NAPTR 20 10 "s" "SIPS+D2T" _sips._tcp.example.com
        _sips._tcp.example.com SRV 0 0 5061 host.example.net
        host.example.net A 203.0.113.7"#,
    );
    let sent = ua.one();
    let domain = Some(Domain::new("example.com"));
    assert_eq!(
        sent.to,
        Destination::Open { listener: ListenerId(1), peer: address("203.0.113.7:5061"), domain }
    );
    assert!(field(&sent.text, "Via").starts_with("SIP/2.0/TLS sbc.example.net:5061;branch="));
    assert_eq!(
        field(&sent.text, "Contact"),
        "<sips:sbc.example.net:5061>",
        "RFC 3261 §8.1.1.8, RFC 5630 §5.1.1"
    );
}

// conforms: RFC5630-5.1.1.2-1
#[test]
fn rfc5630_5_1_1_2_a_sip_call_over_tls_has_a_sip_contact() {
    for (parameter, contact) in
        [(true, "<sip:sbc.example.net:5061;transport=tls>"), (false, "<sip:sbc.example.net:5061>")]
    {
        let own = Listener { tls_parameter: parameter, ..named(Transport::Tls) };
        let mut ua = Ua::with(Settings { listeners: vec![own], ..Settings::default() });
        invite(&mut ua, "sip:bob@example.com", "sip:198.51.100.9;transport=tls");
        assert_eq!(field(&ua.one().text, "Contact"), contact);
    }
}

// conforms: RFC3261-8.1.2-3,4 RFC3261-19.1.1-3
#[test]
fn rfc5630_5_1_1_what_cannot_go_over_tls_does_not_go() {
    let mut plain = ua(&[Transport::Udp, Transport::Tcp]);
    for hop in ["sips:198.51.100.9", "sips:198.51.100.9;transport=tcp", "sips:198.51.100.9;transport=udp"] {
        invite(&mut plain, "sips:bob@example.com", hop);
        assert_eq!(unreachable(&mut plain), Unreachable::NotSecure, "{hop}");
    }
    let mut both = ua(&[Transport::Udp, Transport::Tls]);
    invite(&mut both, "sips:bob@example.com", "sip:198.51.100.9;transport=udp");
    assert_eq!(unreachable(&mut both), Unreachable::NotSecure);
    assert!(plain.take().is_empty() && both.take().is_empty(), "nothing left, not even in the clear");
    invite(&mut both, "sips:bob@example.com", "sip:198.51.100.9");
    assert_eq!(both.one().to.listener(), ListenerId(1), "the SIPS Request-URI asks for TLS");
}

#[test]
fn rfc5630_5_1_1_a_sips_dialog_stays_on_tls_whatever_its_contact_says() {
    let mut ua = ua(&[Transport::Udp, Transport::Tls]);
    let sid = invite(&mut ua, "sips:bob@198.51.100.9", "sips:198.51.100.9");
    let text = ua.one().text;
    ua.hear_on(on(1), &Msg::response(&text, 200, "b1").contact("203.0.113.7").text());
    ua.event();
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one();
    let domain = Some(Domain::new("203.0.113.7"));
    assert_eq!(
        ack.to,
        Destination::Open { listener: ListenerId(1), peer: address("203.0.113.7:5061"), domain }
    );
    // Nor does a request of the peer come in the clear.
    ua.hear(
        &Msg::inside("INFO", 5, &text)
            .set("To", &field(&ack.text, "From"))
            .set("From", &field(&ack.text, "To")),
    );
    let refused = ua.one().text;
    assert_eq!(start(&refused), "SIP/2.0 480 Temporarily Unavailable");
    assert_eq!(field(&refused, "Warning"), "380 sbc.example.net:5060 \"SIPS Not Allowed\"");
    ua.end(sid);
    assert_eq!(ua.one().to.listener(), ListenerId(1));
}

// conforms: RFC3261-12.1.2-2 RFC5630-5.1.1-5,6
#[test]
fn rfc5630_5_1_1_a_sips_route_is_gone_by_over_tls() {
    for (route, to, contact) in [
        ("<sips:198.51.100.9;lr>", "sip:bob@example.com", "loose"),
        ("<sips:p@198.51.100.9>", "sips:p@198.51.100.9", "strict"),
    ] {
        let mut ua = ua(&[Transport::Udp, Transport::Tls]);
        let next_hop = route.trim_matches(['<', '>']);
        let routes = vec![route.into()].into();
        let invite = Invite { routes, ..invite_for("sip:bob@example.com", next_hop) };
        ua.act(|e, now| e.invite(now, invite)).unwrap();
        let sent = ua.one();
        assert_eq!(sent.to.listener(), ListenerId(1), "{contact}");
        assert_eq!(start(&sent.text), format!("INVITE {to} SIP/2.0"));
        assert_eq!(field(&sent.text, "Contact"), "<sips:sbc.example.net:5061>", "RFC 3261 §8.1.1.8");
    }
}

// conforms: RFC3261-12.2.1.1-17 RFC5630-5.1.1.2-2
#[test]
fn rfc5630_5_1_1_2_a_target_refresh_of_ours_has_a_sips_contact() {
    let mut ua = ua(&[Transport::Udp, Transport::Tls]);
    let sid = invite(&mut ua, "sips:bob@198.51.100.9", "sips:198.51.100.9");
    let text = ua.one().text;
    // The Contact of the peer is no reason to leave it.
    ua.hear_on(on(1), &Msg::response(&text, 200, "b1").contact("203.0.113.7;transport=tls").text());
    ua.event();
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    ua.take();
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    assert_eq!(field(&ua.one().text, "Contact"), "<sips:sbc.example.net:5061>");
}

// conforms: RFC5630-5.1.2-6
#[test]
fn rfc5630_5_1_2_the_answer_to_a_target_refresh_has_a_sips_contact() {
    let mut ua = ua(&[Transport::Udp, Transport::Tls]);
    ua.hear_on(on(1), &secure("INVITE", 1).text());
    ua.take();
    let Event::Invited { session, .. } = ua.event() else { panic!("no call") };
    let ok = ua.answer(session);
    ua.hear_on(on(1), &Msg::inside("ACK", 1, &ok).text());
    ua.events.clear();
    // A Request-URI and a Contact that have lost their scheme on the way.
    let via = "SIP/2.0/TLS b.example.com;branch=z9hG4bKagain";
    ua.hear_on(on(1), &Msg::inside("INVITE", 2, &ok).set("Via", via).text());
    ua.take();
    ua.act(|e, now| e.answer_reinvite(now, session, Parts::default())).unwrap();
    assert_eq!(field(&ua.one().text, "Contact"), "<sips:sbc.example.net:5061>");
}

// conforms: RFC5630-5.1.2-3,5 RFC3263-5-1 RFC7118-9.2-1
#[test]
fn rfc5630_5_1_2_a_sips_request_must_come_over_tls() {
    let clear = Msg::request("INVITE", 1).start("sip:", "sips:").text();
    let mut none = ua(&[Transport::Udp]);
    none.hear_on(flow(None), &clear);
    assert_eq!(start(&none.one().text), "SIP/2.0 416 Unsupported URI Scheme", "RFC 3261 §8.2.2.1");
    let mut both = ua(&[Transport::Udp, Transport::Tls]);
    both.hear_on(flow(None), &clear);
    let refused = both.one().text;
    assert_eq!(start(&refused), "SIP/2.0 480 Temporarily Unavailable");
    assert_eq!(field(&refused, "Warning"), "380 sbc.example.net:5060 \"SIPS Not Allowed\"");
    both.hear_on(on(1), &secure("INVITE", 2).contact("b.example.com").text());
    assert_eq!(start(&both.one().text), "SIP/2.0 400 SIP Contact for SIPS Request-URI");
    both.hear_on(on(1), &secure("OPTIONS", 3).text());
    let welcome = both.one();
    assert_eq!(start(&welcome.text), "SIP/2.0 200 OK");
    let domain = Some(Domain::new("b.example.com"));
    let back = Destination::FlowOr { flow: on(1), peer: address("198.51.100.9:5061"), domain };
    assert_eq!(welcome.to, back, "RFC 3263 §5: over TLS, by another connection too");
    let mut sockets = ua(&[Transport::Ws, Transport::Wss]);
    sockets.hear_on(on(0), &secure("OPTIONS", 4).set("Via", "SIP/2.0/WS x.invalid;branch=z9hG4bKw").text());
    assert_eq!(start(&sockets.one().text), "SIP/2.0 480 Temporarily Unavailable", "RFC 7118 §9.2");
}

// conforms: RFC3261-12.1.1-4 RFC5630-5.1.2-2
#[test]
fn rfc3261_12_1_1_a_sips_dialog_has_a_sips_contact() {
    let contact = |invite: Msg| {
        let mut ua = ua(&[Transport::Udp, Transport::Tls]);
        ua.hear_on(on(1), &invite.text());
        ua.take();
        let Event::Invited { session, .. } = ua.event() else { panic!("no call") };
        field(&ua.answer(session), "Contact")
    };
    let sips = "<sips:sbc.example.net:5061>";
    let plain = "<sip:sbc.example.net:5061;transport=tls>";
    let clear = || secure("INVITE", 1).start("sips:", "sip:");
    assert_eq!(contact(secure("INVITE", 1)), sips, "Request-URI");
    assert_eq!(contact(clear()), sips, "Contact");
    assert_eq!(contact(clear().contact("b.example.com")), plain);
    assert_eq!(
        contact(clear().with("Record-Route", "<sip:p.example.com;lr>")),
        plain,
        "the Record-Route counts then"
    );
    assert_eq!(contact(clear().contact("b").with("Record-Route", "<sips:p.example.com;lr>")), sips);
}

// conforms: RFC5923-8.2-4 RFC5923-9.3-1
#[test]
fn rfc5923_8_alias_is_asked_for_and_told() {
    let own = Listener { alias: true, ..named(Transport::Tls) };
    let mut ua = Ua::with(Settings { listeners: vec![named(Transport::Tcp), own], ..Settings::default() });
    invite(&mut ua, "sip:bob@example.com", "sip:198.51.100.9;transport=tls");
    assert!(field(&ua.one().text, "Via").ends_with(";alias"));
    invite(&mut ua, "sip:bob@example.com", "sip:198.51.100.9;transport=tcp");
    assert!(!field(&ua.one().text, "Via").contains("alias"), "RFC 5923 §9.3: over TLS only");
    for (via, port) in [("b.example.com:5071", 5071), ("b.example.com", 5061)] {
        let via = format!("SIP/2.0/TLS {via};branch=z9hG4bK{port};alias");
        ua.hear_on(on(1), &secure("OPTIONS", 3).set("Via", &via).text());
        assert_eq!(std::mem::take(&mut ua.aliases), [(ConnectionId(7), port)]);
    }
    ua.hear_on(on(0), &Msg::request("OPTIONS", 4).set("Via", "SIP/2.0/TCP b;branch=z9hG4bKz;alias").text());
    ua.hear_on(on(1), &secure("OPTIONS", 5).text());
    assert!(ua.aliases.is_empty());
}

#[test]
fn rfc5923_5_alias_is_not_asked_of_the_client_of_a_connection() {
    let own = Listener { alias: true, nat: Nat::On, ..named(Transport::Tls) };
    let mut ua = Ua::with(Settings { listeners: vec![own], ..Settings::default() });
    ua.hear_on(on(0), &secure("INVITE", 1).text());
    ua.take();
    let Event::Invited { session, .. } = ua.event() else { panic!("no call") };
    let ok = ua.answer(session);
    ua.hear_on(on(0), &Msg::inside("ACK", 1, &ok).text());
    ua.end(session);
    let bye = ua.one();
    assert_eq!(bye.to, Destination::Flow(on(0)));
    assert!(!field(&bye.text, "Via").contains("alias"), "{}", bye.text);
}

#[test]
fn a_contact_at_the_end_of_its_own_connection_is_reached_on_it() {
    let mut ua = ua(&[Transport::Tls]);
    ua.hear_on(
        on(0),
        &secure("INVITE", 1).start("sips:", "sip:").contact("198.51.100.9:41000;transport=tls").text(),
    );
    ua.take();
    let Event::Invited { session, .. } = ua.event() else { panic!("no call") };
    let ok = ua.answer(session);
    ua.hear_on(on(0), &Msg::inside("ACK", 1, &ok).text());
    ua.end(session);
    let domain = Some(Domain::new("198.51.100.9"));
    assert_eq!(ua.one().to, Destination::FlowOr { flow: on(0), peer: address("198.51.100.9:41000"), domain });
}

// conforms: RFC7118-5-1 RFC7118-5.3-1,2,3
#[test]
fn rfc7118_5_a_websocket_peer_is_reached_on_its_connection_only() {
    for (transport, contact) in [(Transport::Ws, "ws"), (Transport::Wss, "ws")] {
        let mut ua = ua(&[transport]);
        let via = format!("SIP/2.0/{} df7jal23ls0d.invalid;branch=z9hG4bKw;rport", transport.via_token());
        let call = Msg::request("INVITE", 1).set("Via", &via).contact("df7jal23ls0d.invalid;transport=ws");
        ua.hear_on(on(0), &call.without("Content-Length").text());
        let trying = ua.one();
        assert_eq!(trying.to, Destination::Flow(on(0)));
        assert!(field(&trying.text, "Via").contains(";received=198.51.100.9"), "RFC 7118 §5.3");
        let Event::Invited { session, .. } = ua.event() else { panic!("no call") };
        let ok = ua.answer(session);
        assert_eq!(field(&ok, "Contact"), format!("<sip:sbc.example.net:5061;transport={contact}>"));
        ua.hear_on(on(0), &Msg::inside("ACK", 1, &ok).text());
        // It comes back by another connection.
        let back = Flow { peer: address("198.51.100.9:42000"), connection: Some(ConnectionId(8)), ..on(0) };
        let again = Msg::inside("INVITE", 2, &ok)
            .set("Via", &via.replace("Kw", "Kx"))
            .contact("x.invalid;transport=ws");
        ua.hear_on(back, &again.text());
        // Whether that is the peer's its owner has to say.
        let Some(Event::Strayed(stray)) = ua.events.pop() else { panic!("taken at once") };
        ua.act(|e, now| e.admit(now, *stray));
        ua.take();
        ua.events.clear();
        ua.act(|e, now| e.answer_reinvite(now, session, Parts::default())).unwrap();
        ua.take();
        ua.hear_on(back, &Msg::inside("ACK", 2, &ok).text());
        ua.end(session);
        let bye = ua.one();
        assert_eq!((start(&bye.text).split(' ').next(), bye.to), (Some("BYE"), Destination::Flow(back)));
        assert!(ua.queries.is_empty(), "nobody looks an .invalid name up");
        ua.wait(31_900);
        assert!(ua.take().is_empty(), "nothing is sent again over a reliable transport");
        ua.wait(100);
        assert_eq!(ua.gauges().client_transactions, 0, "Timer F is the same, Timer K is none");
        assert!(find(&bye.text, "Via").unwrap().starts_with(&format!("SIP/2.0/{} ", transport.via_token())));
    }
}

#[test]
fn a_challenge_over_tls_says_who_has_proved_to_be_there() {
    let mut ua = ua(&[Transport::Tls]);
    invite(&mut ua, "sips:bob@198.51.100.9", "sips:pbx.example.com");
    ua.resolve("pbx.example.com A 198.51.100.9");
    let sent = ua.one().text;
    let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    ua.hear_on(on(0), &Msg::response(&sent, 401, "b1").with("WWW-Authenticate", challenge).text());
    let needed = ua.secrets.remove(0);
    assert_eq!((needed.domain, needed.connection), (Some(Domain::new("pbx.example.com")), None));
}
