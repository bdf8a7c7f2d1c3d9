//! Allocations: what is asked for, how long they last, what is refused.

use super::lab::*;
use crate::stun::*;
use crate::turn::*;

type Attribute<'a> = (u16, &'a [u8]);

const EVEN: (u16, &[u8]) = (EVEN_PORT, &[0]);
const PAIR: (u16, &[u8]) = (EVEN_PORT, &[0x80]);
const V4: (u16, &[u8]) = (REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]);
const V6: (u16, &[u8]) = (REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
const BOTH: (u16, &[u8]) = (ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
const TOKEN: (u16, &[u8]) = (RESERVATION_TOKEN, b"no token");

#[test]
fn an_allocation_has_a_port_and_a_lifetime_and_tells_where_the_client_is_seen() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    let reply = lab.ask(&ua, ALLOCATE, &[UDP]);
    let relayed = reply.address(XOR_RELAYED_ADDRESS).unwrap();
    assert!(relayed.ip() == at(MEDIA).ip() && (50_000..=50_009).contains(&relayed.port()), "{relayed}");
    assert!(lab.wires.open.contains(&relayed.port()));
    assert_eq!((reply.seconds(), reply.address(XOR_MAPPED_ADDRESS)), (Some(600), Some(ua.client.address)));
    assert_eq!(reply.get(SOFTWARE).unwrap(), b"Liaison");
    let views = lab.server.views(lab.now);
    assert_eq!((views.len(), &*views[0].user, views[0].relayed), (1, "alice", relayed));
}

#[test]
fn rfc8656_7_2_one_that_is_repeated_is_answered_alike_and_a_second_one_is_437() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    let first = lab.ask_as(&ua, ALLOCATE, &[UDP, PAIR], [9; 12]);
    let again = lab.ask_as(&ua, ALLOCATE, &[UDP, PAIR], [9; 12]);
    assert_eq!(first.0, again.0);
    assert_eq!(lab.wires.open.len(), 2);
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP]).code(), 437);
    let other = Ua { client: ua.client, nonce: ua.nonce.clone(), ..Ua::new("bob", ua.client, NOW + 60) };
    assert_eq!(lab.ask_as(&other, ALLOCATE, &[UDP], [9; 12]).code(), 437);
}

// conforms: RFC8656-7.2-3
#[test]
fn rfc8656_7_2_what_cannot_be_asked_for_is_refused_with_its_code() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    let tcp: (u16, &[u8]) = (REQUESTED_TRANSPORT, &[6, 0, 0, 0]);
    let cases: [(&[Attribute<'_>], u16); 15] = [
        (&[], 400),
        (&[(REQUESTED_TRANSPORT, &[17])], 400),
        (&[tcp], 442),
        (&[UDP, TOKEN], 508),
        (&[UDP, TOKEN, EVEN], 400),
        (&[UDP, TOKEN, V4], 400),
        (&[UDP, TOKEN, BOTH], 400),
        (&[UDP, V4, BOTH], 400),
        (&[UDP, V6], 440),
        (&[UDP, (REQUESTED_ADDRESS_FAMILY, &[3, 0, 0, 0])], 440),
        (&[UDP, PAIR, BOTH], 400),
        (&[UDP, (ADDITIONAL_ADDRESS_FAMILY, &[1, 0, 0, 0])], 400),
        (&[UDP, (RESERVATION_TOKEN, b"short")], 400),
        (&[UDP, (LIFETIME, &[1, 2])], 400),
        (&[UDP, (EVEN_PORT, &[])], 400),
    ];
    for (attributes, code) in cases {
        assert_eq!(lab.ask(&ua, ALLOCATE, attributes).code(), code, "{attributes:?}");
    }
    assert!(lab.wires.open.is_empty() && lab.server.users.is_empty());
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP, V4]).code(), 0);
}

// conforms: RFC8656-7.2-4,5 RFC8656-8.2-1 RFC8656-18.12-1,2
#[test]
fn rfc8656_7_2_the_family_that_there_is_not_is_told_beside_the_one_there_is() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    let reply = lab.ask(&ua, ALLOCATE, &[UDP, BOTH]);
    assert_eq!(reply.code(), 0);
    assert_eq!(reply.get(ADDRESS_ERROR_CODE).unwrap(), b"\x02\0\x04\x28Address Family not Supported");

    let mut lab = Lab::with(|settings| {
        let ip = at("[2001:db8::1]:1").ip();
        (settings.relayed.bind, settings.relayed.told) = (ip, ip);
    });
    let ua = lab.ua("alice", 1_000);
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP]).code(), 440);
    let reply = lab.ask(&ua, ALLOCATE, &[UDP, BOTH]);
    assert_eq!((reply.code(), reply.get(ADDRESS_ERROR_CODE).unwrap()[0]), (0, 1));
    assert!(reply.address(XOR_RELAYED_ADDRESS).unwrap().is_ipv6());
    assert_eq!(lab.ask(&ua, REFRESH, &[V4]).code(), 443);
    assert_eq!(lab.permit(&ua, MEDIA), 443);
}

#[test]
fn rfc8656_7_2_an_even_port_and_the_next_one_for_whoever_has_its_token() {
    let mut lab = Lab::new();
    let one = lab.ua("alice", 1_000);
    let reply = lab.ask(&one, ALLOCATE, &[UDP, PAIR]);
    let port = reply.address(XOR_RELAYED_ADDRESS).unwrap().port();
    let token = reply.get(RESERVATION_TOKEN).unwrap();
    assert!(port.is_multiple_of(2) && lab.wires.open.contains(&(port + 1)));
    let thief = lab.ua("mallory", 1_001);
    assert_eq!(lab.ask(&thief, ALLOCATE, &[UDP, (RESERVATION_TOKEN, &token)]).code(), 508);
    let two = lab.ua("alice", 1_002);
    let reply = lab.ask(&two, ALLOCATE, &[UDP, (RESERVATION_TOKEN, &token)]);
    assert_eq!(reply.address(XOR_RELAYED_ADDRESS).unwrap().port(), port + 1);
    let three = lab.ua("alice", 1_003);
    assert_eq!(lab.ask(&three, ALLOCATE, &[UDP, (RESERVATION_TOKEN, &token)]).code(), 508);
    // The token counts until it is redeemed, and the port then.
    assert_eq!(lab.ask(&three, ALLOCATE, &[UDP, PAIR]).code(), 486);
    let even = lab.ask(&three, ALLOCATE, &[UDP, EVEN]);
    assert!(
        even.address(XOR_RELAYED_ADDRESS).unwrap().port().is_multiple_of(2)
            && even.get(RESERVATION_TOKEN).is_none()
    );
}

// conforms: RFC8656-7.2-6
#[test]
fn a_reservation_that_nobody_redeems_is_over_after_30_seconds() {
    let mut lab = Lab::new();
    let one = lab.ua("alice", 1_000);
    let token = lab.ask(&one, ALLOCATE, &[UDP, PAIR]).get(RESERVATION_TOKEN).unwrap();
    lab.pass(29);
    assert_eq!(lab.wires.open.len(), 2);
    lab.pass(1);
    assert_eq!((lab.wires.open.len(), lab.server.users["alice"].ports), (1, 1));
    let two = lab.ua("alice", 1_001);
    assert_eq!(lab.ask(&two, ALLOCATE, &[UDP, (RESERVATION_TOKEN, &token)]).code(), 508);
}

#[test]
fn rfc8656_7_2_and_8_2_a_lifetime_is_what_is_asked_for_within_bounds() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    let asked = |seconds: u32| seconds.to_be_bytes();
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP, (LIFETIME, &asked(777))]).seconds(), Some(777));
    for (seconds, granted) in [(1, 600), (600, 600), (3_600, 3_600), (u32::MAX, 3_600)] {
        let reply = lab.ask(&ua, REFRESH, &[(LIFETIME, &asked(seconds))]);
        assert_eq!((reply.code(), reply.seconds()), (0, Some(granted)), "{seconds}");
    }
    assert_eq!(lab.ask(&ua, REFRESH, &[]).seconds(), Some(600));
    assert_eq!(lab.ask(&ua, REFRESH, &[V6]).code(), 443);
    assert_eq!(lab.ask(&ua, REFRESH, &[V4]).code(), 0);
}

// conforms: RFC8656-18.1-1 RFC8656-18.6-1 RFC8656-18.8-1
#[test]
fn what_is_reserved_is_not_looked_at() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    let transport: (u16, &[u8]) = (REQUESTED_TRANSPORT, &[17, 1, 2, 3]);
    let family: (u16, &[u8]) = (REQUESTED_ADDRESS_FAMILY, &[1, 9, 9, 9]);
    assert_eq!(lab.ask(&ua, ALLOCATE, &[transport, family, (EVEN_PORT, &[0x7f])]).code(), 0);
    let id = lab.id();
    let peer = ua.masked(MEDIA, id[0]);
    let bound = [(CHANNEL_NUMBER, &[0x40, 0, 7, 7][..]), (XOR_PEER_ADDRESS, &*peer)];
    assert_eq!(lab.ask_as(&ua, CHANNEL_BIND, &bound, id).code(), 0);
}

#[test]
fn an_allocation_ends_with_its_lifetime_a_refresh_with_0_and_its_connection() {
    let mut lab = Lab::with(|settings| settings.nonce_lifetime = 3_600);
    let (ua, port) = lab.allocated("alice", 1_000);
    lab.pass(599);
    assert!(lab.wires.open.contains(&port));
    lab.pass(1);
    assert!(lab.wires.open.is_empty() && lab.server.users.is_empty());
    assert_eq!(lab.ask(&ua, REFRESH, &[]).code(), 437);

    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP]).code(), 0);
    let reply = lab.ask(&ua, REFRESH, &[(LIFETIME, &[0; 4])]);
    assert_eq!((reply.code(), reply.seconds()), (0, Some(0)));
    assert!(lab.wires.open.is_empty());

    let connected = Client { connection: Some(3), ..ua.client };
    let ua = lab.ua_at("alice", connected);
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP]).code(), 0);
    assert!(lab.server.serves(connected));
    lab.server.closed(connected, lab.now, &mut lab.wires);
    assert!(lab.wires.open.is_empty() && lab.counters.read().allocations == 0);
    assert_eq!(lab.counters.read().allocated, 3);
}

#[test]
fn one_that_is_over_before_it_is_looked_at_is_as_good_as_gone() {
    let mut lab = Lab::with(|settings| settings.nonce_lifetime = 3_600);
    let (ua, port) = lab.allocated("alice", 1_000);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    lab.now.millis += 600_000;
    assert_eq!(lab.arrives(port, MEDIA, b"late"), None);
    lab.send(&ua, MEDIA, b"late");
    assert!(lab.wires.to_peers.is_empty());
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP]).code(), 0);
}

// conforms: RFC8656-5-3 RFC8656-5-4
#[test]
fn rfc8656_5_nobody_else_changes_an_allocation() {
    let mut lab = Lab::new();
    let (ua, _) = lab.allocated("alice", 1_000);
    let bob = Ua { nonce: ua.nonce.clone(), ..Ua::new("bob", ua.client, NOW + 60) };
    // Alice, too, if it is another credential of hers.
    let later = Ua { nonce: ua.nonce.clone(), ..Ua::new("alice", ua.client, NOW + 61) };
    for other in [&bob, &later] {
        assert_eq!(lab.ask(other, REFRESH, &[(LIFETIME, &[0; 4])]).code(), 441);
        assert_eq!(lab.permit(other, MEDIA), 441);
        assert_eq!(lab.bind(other, 0x4000, MEDIA), 441);
    }
    let elsewhere = lab.ua("alice", 1_001);
    assert_eq!(lab.ask(&elsewhere, REFRESH, &[]).code(), 437);
    assert_eq!(lab.permit(&elsewhere, MEDIA), 437);
    assert_eq!(lab.bind(&elsewhere, 0x4000, MEDIA), 437);
    assert_eq!(lab.ask(&ua, REFRESH, &[]).code(), 0);
}
