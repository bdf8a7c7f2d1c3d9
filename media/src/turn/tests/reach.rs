//! Whom allocations reach: an open relay would be one that reaches anybody.

use std::net::IpAddr;

use super::lab::at;
use crate::turn::{Own, Reach};

fn reach(extra: &[&str]) -> Reach {
    let own = |told: &str, bound: &str, ports| Own { told: ip(told), bound: ip(bound), ports };
    Reach {
        own: vec![
            own("192.0.2.1", "192.0.2.1", 20_000..=20_999),
            own("192.0.2.1", "10.0.0.2", 30_000..=30_999),
            own("2001:db8::1", "::", 20_000..=20_999),
            own("127.0.0.1", "127.0.0.1", 20_000..=20_999),
        ],
        relayed: vec![own("192.0.2.1", "10.0.0.2", 50_000..=50_999)],
        hosts: vec![ip("192.0.2.9")],
        extra: extra.iter().map(|net| net.parse().unwrap()).collect(),
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn our_media_ports_are_reached_and_nobody_else() {
    let reach = reach(&[]);
    let way = |peer: &str| reach.way_to(at(peer)).map(|way| way.to_string());
    assert_eq!(way("192.0.2.1:20000").as_deref(), Some("192.0.2.1:20000"));
    assert_eq!(way("192.0.2.1:30999").as_deref(), Some("10.0.0.2:30999"));
    assert_eq!(way("[2001:db8::1]:20000").as_deref(), Some("[2001:db8::1]:20000"));
    for nobody in [
        "192.0.2.1:5060",
        "192.0.2.1:0",
        "192.0.2.2:20000",
        "10.0.0.2:30000",
        "127.0.0.1:20000",
        "0.0.0.0:20000",
        "[::1]:20000",
        "[::ffff:192.0.2.1]:20000",
        "[::192.0.2.1]:20000",
        "224.0.0.1:20000",
        "255.255.255.255:20000",
    ] {
        assert_eq!(way(nobody), None, "{nobody}");
    }
    assert_eq!(reach.peer_at(at("10.0.0.2:30001")), at("192.0.2.1:30001"));
    assert_eq!(reach.peer_at(at("192.0.2.1:20001")), at("192.0.2.1:20001"));
    assert!(reach.has(ip("192.0.2.1")) && !reach.has(ip("10.0.0.2")) && !reach.has(ip("192.0.2.9")));
}

// conforms: RFC8656-21.4-1
#[test]
fn what_is_added_is_never_more_of_ours_nor_loopback_nor_multicast() {
    let reach = reach(&["0.0.0.0/0", "::/0"]);
    for everybody in ["203.0.113.7:53", "[2001:db8::2]:53", "[64:ff9b:2::1]:53", "192.0.2.1:20000"] {
        assert!(reach.way_to(at(everybody)).is_some(), "{everybody}");
    }
    for nobody in [
        "192.0.2.1:5060",
        "192.0.2.9:5060",
        "10.0.0.2:30000",
        "127.0.0.1:8080",
        "127.1.2.3:8080",
        "0.0.0.0:53",
        "0.1.2.3:53",
        "[::1]:53",
        "[::]:53",
        "[::ffff:127.0.0.1]:53",
        "[::127.0.0.1]:53",
        "239.1.2.3:53",
        "255.255.255.255:53",
        "[ff02::1]:53",
        "[fe80::1]:53",
        "[2001:0:5ef5:79fd::1]:53",
        "[2002:c000:201::1]:53",
        "169.254.169.254:80",
        "[64:ff9b::a00:1]:53",
        "[64:ff9b:1::a00:1]:53",
        "[64:ff9b:1:ffff::a00:1]:53",
        "203.0.113.7:0",
    ] {
        assert_eq!(reach.way_to(at(nobody)), None, "{nobody}");
    }
}

/// A datagram of theirs that reached a listener would make a client of a port that sends on what it gets: a circle.
#[test]
fn our_ports_are_known_wherever_they_send_from() {
    let reach = reach(&[]);
    for ours in [
        "192.0.2.1:20000",
        "192.0.2.1:30000",
        "10.0.0.2:30000",
        "192.0.2.1:50000",
        "10.0.0.2:50999",
        "[2001:db8::1]:20000",
    ] {
        assert!(reach.is_ours(at(ours)), "{ours}");
    }
    for other in
        ["192.0.2.1:5060", "192.0.2.1:51000", "10.0.0.2:20000", "192.0.2.9:20000", "203.0.113.7:20000"]
    {
        assert!(!reach.is_ours(at(other)), "{other}");
    }
    let nowhere = Reach { hosts: vec![ip("2001:db8::9")], ..reach };
    assert!(nowhere.is_ours(at("[2001:db8::9]:20000")));
}
