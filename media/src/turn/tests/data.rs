//! Data in both directions.

use super::lab::*;
use crate::stun::*;
use crate::turn::*;

// conforms: RFC8656-11.3-1 RFC8656-18-1
#[test]
fn rfc8656_11_data_goes_by_indications_where_there_is_no_channel() {
    let mut lab = Lab::new();
    let (ua, port) = lab.allocated("alice", 1_000);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    for data in [&b""[..], b"1", b"12", b"123", b"1234", &[7; 1_200]] {
        lab.send(&ua, MEDIA, data);
        assert_eq!(lab.wires.to_peers.pop().unwrap(), (port, at(MEDIA), data.to_vec()));
        let got = Reply(lab.arrives(port, MEDIA, data).unwrap());
        assert_eq!(header(&got.0).unwrap().0, DATA_INDICATION);
        assert_eq!((got.address(XOR_PEER_ADDRESS), got.get(DATA).unwrap()), (Some(at(MEDIA)), data.to_vec()));
    }
    let view = &lab.server.views(lab.now)[0];
    assert_eq!((view.to_peers, view.to_client), (Tally { packets: 6, bytes: 1_210 }, view.to_peers));
    assert_eq!(lab.counters.read().to_peers, [6, 1_210]);
    assert_eq!(lab.counters.read().to_clients, [6, 1_210]);
}

// conforms: RFC8656-12.5-1,2
#[test]
fn rfc8656_12_5_data_on_a_channel_is_padded_on_connections_only() {
    for (connection, padded) in [(None, 0), (Some(1), 3)] {
        let mut lab = Lab::new();
        let client = Client { listener: 1, connection, address: at("203.0.113.5:9") };
        let ua = lab.ua_at("alice", client);
        let port = lab.ask(&ua, ALLOCATE, &[UDP]).address(XOR_RELAYED_ADDRESS).unwrap().port();
        assert_eq!(lab.bind(&ua, 0x4abc, MEDIA), 0);
        let got = lab.arrives(port, MEDIA, b"12345").unwrap();
        assert_eq!(got, [&b"\x4a\xbc\0\x0512345"[..], &[0, 0, 0][..padded]].concat());
        // Padding of a datagram is no data, either.
        assert_eq!(lab.give(client, b"\x4a\xbc\0\x0512345\0\0\0"), None);
        assert_eq!(lab.wires.to_peers.pop().unwrap(), (port, at(MEDIA), b"12345".to_vec()));
        assert_eq!(lab.give(client, b"\x4a\xbc\0\0"), None);
        assert_eq!(lab.wires.to_peers.pop().unwrap().2, b"");
    }
}

// conforms: RFC8656-5-4 RFC8656-11.2-1 RFC8656-12-1
#[test]
fn what_is_no_message_or_has_no_allocation_goes_nowhere() {
    let mut lab = Lab::new();
    let (ua, port) = lab.allocated("alice", 1_000);
    assert_eq!(lab.bind(&ua, 0x4000, MEDIA), 0);
    let stranger = Client { address: at("203.0.113.5:9"), ..ua.client };
    for bytes in
        [&b"\x40\0\0\x05data"[..], b"\x40\0", b"\x50\0\0\x04data", b"\xff", b"", b"\x40\x01\0\x04data"]
    {
        assert_eq!(lab.give(ua.client, bytes), None);
    }
    assert_eq!(lab.give(stranger, b"\x40\0\0\x04data"), None);
    let stranger = Ua { client: stranger, ..ua.clone() };
    lab.send(&stranger, MEDIA, b"data");
    // An indication with something that must be understood and is not, such as DONT-FRAGMENT (RFC 8656 §11.2); without data.
    for (kind, value) in [(0x001a, &b""[..]), (0x7001, b"x")] {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out, SEND, &[1; 12]);
        writer.address(XOR_PEER_ADDRESS, at(MEDIA)).attribute(DATA, b"x").attribute(kind, value);
        assert_eq!(lab.give(ua.client, &out), None);
    }
    let mut out = Vec::new();
    Writer::new(&mut out, SEND, &[1; 12]).address(XOR_PEER_ADDRESS, at(MEDIA));
    assert_eq!(lab.give(ua.client, &out), None);
    assert!(lab.wires.to_peers.is_empty());
    assert_eq!((lab.dropped("unreadable"), lab.dropped("unallocated")), (7, 4));
    assert_eq!(lab.arrives(port ^ 1, MEDIA, b"x"), None);
}

#[test]
fn only_media_ports_of_ours_are_sent_to_whatever_the_permission() {
    let mut lab = Lab::new();
    let (ua, _) = lab.allocated("alice", 1_000);
    // A permission is for an address: ports are looked at for each packet.
    assert_eq!(lab.permit(&ua, "192.0.2.1:5060"), 0);
    for port in [0, 5_060, 19_999, 20_010, 50_000, 50_001] {
        lab.send(&ua, &format!("192.0.2.1:{port}"), b"INVITE");
    }
    assert!(lab.wires.to_peers.is_empty());
    assert_eq!(lab.dropped("forbidden"), 6);
}

#[test]
fn behind_a_static_nat_our_media_is_reached_at_its_own_address_and_known_by_the_one_told() {
    let mut lab = Lab::with(|settings| {
        let bound = at("10.0.0.2:1").ip();
        settings.reach.own[0].bound = bound;
        settings.relayed.bind = bound;
    });
    let (ua, port) = lab.allocated("alice", 1_000);
    assert_eq!(lab.permit(&ua, "10.0.0.2:20000"), 403);
    assert_eq!(lab.bind(&ua, 0x4000, MEDIA), 0);
    lab.give(ua.client, b"\x40\0\0\x04data");
    lab.send(&ua, MEDIA, b"data");
    let sent: Vec<_> = lab.wires.to_peers.drain(..).map(|(_, peer, _)| peer).collect();
    assert_eq!(sent, [at("10.0.0.2:20000"); 2]);
    assert_eq!(lab.arrives(port, "10.0.0.2:20000", b"data").unwrap(), b"\x40\0\0\x04data");
}

#[test]
fn a_packet_of_any_size_is_relayed_or_dropped_whole() {
    let mut lab = Lab::new();
    let (ua, port) = lab.allocated("alice", 1_000);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    assert!(lab.arrives(port, MEDIA, &[1; 65_470]).is_some());
    // An indication of it would be longer than a message can be.
    assert_eq!(lab.arrives(port, MEDIA, &[1; 65_535]), None);
    assert_eq!(lab.dropped("unsent"), 1);
    let v6 = Lab::with(|settings| {
        let ip = at("[2001:db8::1]:1").ip();
        (settings.relayed.bind, settings.relayed.told) = (ip, ip);
        settings.reach.own = vec![Own { told: ip, bound: ip, ports: 20_000..=20_009 }];
    });
    let mut lab = v6;
    let ua = lab.ua("alice", 1_000);
    let family: (u16, &[u8]) = (REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    let port = lab.ask(&ua, ALLOCATE, &[UDP, family]).address(XOR_RELAYED_ADDRESS).unwrap().port();
    assert_eq!(lab.permit(&ua, "[2001:db8::1]:20000"), 0);
    let got = Reply(lab.arrives(port, "[2001:db8::1]:20000", b"six").unwrap());
    assert_eq!(
        (got.address(XOR_PEER_ADDRESS), got.get(DATA).unwrap()),
        (Some(at("[2001:db8::1]:20000")), b"six".to_vec())
    );
}

#[test]
fn no_client_is_at_a_port_of_our_own() {
    let mut lab = Lab::new();
    for (address, connection, served) in [
        (MEDIA, None, false),
        ("192.0.2.1:50001", None, false),
        ("192.0.2.1:5060", None, true),
        // Our media has no connections.
        (MEDIA, Some(1), true),
    ] {
        let client = Client { listener: 0, connection, address: at(address) };
        for kind in [ALLOCATE, REQUEST] {
            let asked = Ua::new("alice", client, NOW + 60).request(kind, &[UDP], [1; 12]);
            assert_eq!(lab.give(client, &asked).is_some(), served, "{address}");
        }
        if !served {
            assert_eq!(lab.give(client, b"\x40\0\0\x04data"), None);
        }
    }
    assert_eq!((lab.dropped("forbidden"), lab.dropped("unallocated")), (6, 0));
}
