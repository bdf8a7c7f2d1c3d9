//! Look-ups against a table of records (RFC 3263 §4).

use super::super::found::Source;
use super::*;
use crate::flow::NetworkId;
use crate::ids::tests::Seeded;
use crate::settings::Listener;
use crate::tests::zone::answer;
use std::time::Duration;

fn reach(listeners: &[(Transport, &str)]) -> Reach {
    let listener = |(transport, address): &(Transport, &str)| Listener {
        address: address.parse().unwrap(),
        ..crate::tests::ua::listener(*transport)
    };
    Reach::of(&listeners.iter().map(listener).collect::<Vec<_>>(), NetworkId(0))
}

const V4: &str = "192.0.2.1:5060";
const V6: &str = "[2001:db8::1]:5060";

/// UDP and TCP over IPv4.
fn both() -> Reach {
    reach(&[(Transport::Udp, V4), (Transport::Tcp, V4)])
}

/// The targets of a URI, `transport address` each, or why there are none; and the questions that were asked.
fn find(uri: &str, reach: Reach, zone: &str) -> (Result<Vec<String>, Unreachable>, Vec<String>) {
    find_within(uri, reach, zone, &Limits::default())
}

fn find_within(
    uri: &str,
    reach: Reach,
    zone: &str,
    limits: &Limits,
) -> (Result<Vec<String>, Unreachable>, Vec<String>) {
    let hop = NextHop::of(&uri.parse().unwrap(), false).unwrap();
    let name = match &hop.host {
        super::super::HopHost::Name(name) => name.clone(),
        super::super::HopHost::Address(_) => panic!("numeric"),
    };
    let (mut chance, mut asked) = (Seeded(1), Vec::new());
    let (mut lookup, mut step) = Lookup::begin(hop, name, reach);
    loop {
        match step {
            Step::Found(targets) => {
                let text = |t: &Target| format!("{} {}", t.transport.uri_param(), t.address);
                return (Ok(targets.iter().map(text).collect()), asked);
            }
            Step::Failed(why) => return (Err(why), asked),
            Step::Ask(questions) => {
                assert!(asked.len() < 100, "{asked:?}");
                let mut next = None;
                for question in questions {
                    assert!(next.is_none(), "a stage waits for all of its answers");
                    asked.push(format!("{:?} {}", question.kind, question.name));
                    let answer = Arc::new(answer(zone, &question));
                    let answer = Holding { answer, source: Source::Told, left: Duration::ZERO };
                    next = lookup.answered(&question, &answer, limits, &mut chance);
                    assert_eq!(lookup.answered(&question, &answer, limits, &mut chance), None);
                }
                step = next.expect("the last answer leads on");
            }
        }
    }
}

fn targets(uri: &str, reach: Reach, zone: &str) -> Vec<String> {
    find(uri, reach, zone).0.unwrap()
}

/// The example of RFC 3263 §4.1, with addresses.
const EXAMPLE: &str = r#"
    example.com NAPTR 50 50 "s" "SIPS+D2T" _sips._tcp.example.com.
    example.com NAPTR 90 50 "s" "SIP+D2T" _sip._tcp.example.com
    example.com NAPTR 100 50 "s" "SIP+D2U" _sip._udp.example.com.
    _sip._tcp.example.com SRV 0 1 5060 server1.example.com
    _sip._tcp.example.com SRV 1 2 5061 server2.example.com
    _sip._udp.example.com SRV 0 1 5070 server1.example.com
    server1.example.com A 198.51.100.1
    server2.example.com A 198.51.100.2
    example.com A 198.51.100.9
"#;

#[test]
fn rfc3263_4_1_naptr_chooses_the_transport_among_ours() {
    let (found, asked) = find("sip:user@example.com", both(), EXAMPLE);
    assert_eq!(found.unwrap(), ["tcp 198.51.100.1:5060", "tcp 198.51.100.2:5061"]);
    let want =
        ["Naptr example.com", "Srv _sip._tcp.example.com", "A server1.example.com", "A server2.example.com"];
    assert_eq!(asked, want);
    let udp = reach(&[(Transport::Udp, V4)]);
    assert_eq!(targets("sip:user@EXAMPLE.com", udp, EXAMPLE), ["udp 198.51.100.1:5070"]);
}

#[test]
fn rfc3263_4_1_a_written_transport_or_port_needs_no_naptr() {
    let (found, asked) = find("sip:user@example.com;transport=udp", both(), EXAMPLE);
    assert_eq!(found.unwrap(), ["udp 198.51.100.1:5070"]);
    assert_eq!(asked, ["Srv _sip._udp.example.com", "A server1.example.com"]);
    let (found, asked) = find("sip:user@example.com:5060", both(), EXAMPLE);
    assert_eq!(found.unwrap(), ["udp 198.51.100.9:5060"]);
    assert_eq!(asked, ["A example.com"]);
    let (found, asked) = find("sip:user@example.com:5080;transport=tcp", both(), EXAMPLE);
    assert_eq!((found.unwrap(), asked.len()), (vec!["tcp 198.51.100.9:5080".to_owned()], 1));
}

#[test]
fn rfc3263_4_maddr_is_the_target() {
    let (found, asked) = find("sip:user@192.0.2.7;maddr=example.com", both(), EXAMPLE);
    assert_eq!(found.unwrap().len(), 2);
    assert_eq!(asked[0], "Naptr example.com");
}

#[test]
fn rfc3263_4_1_without_naptr_each_transport_of_ours_is_asked_for_in_order() {
    let zone = "
        _sip._udp.example.com SRV 0 1 5070 a.example.com
        _sip._tcp.example.com SRV 0 1 5071 a.example.com
        a.example.com A 198.51.100.1";
    let (found, asked) = find("sip:example.com", both(), zone);
    assert_eq!(found.unwrap(), ["udp 198.51.100.1:5070", "tcp 198.51.100.1:5071"]);
    assert_eq!(asked[1..3], ["Srv _sip._udp.example.com", "Srv _sip._tcp.example.com"]);
    let tcp_first = reach(&[(Transport::Tcp, V4), (Transport::Udp, V4)]);
    let found = targets("sip:example.com", tcp_first, zone);
    assert_eq!(found, ["tcp 198.51.100.1:5071", "udp 198.51.100.1:5070"]);
}

#[test]
fn rfc3263_4_2_without_srv_the_name_itself_has_addresses() {
    let zone = "example.com A 198.51.100.1\n example.com A 198.51.100.2";
    let want = ["udp 198.51.100.1:5060", "udp 198.51.100.2:5060"];
    assert_eq!(targets("sip:example.com", both(), zone), want);
    assert_eq!(
        targets("sip:example.com;transport=tcp", both(), zone),
        ["tcp 198.51.100.1:5060", "tcp 198.51.100.2:5060"]
    );
    let zone = "example.com NAPTR 1 1 s SIP+D2T _sip._tcp.example.com\n example.com A 198.51.100.1";
    assert_eq!(targets("sip:example.com", both(), zone), ["tcp 198.51.100.1:5060"], "NAPTR has chosen");
}

// conforms: RFC3263-4.1-2
#[test]
fn rfc3403_4_1_only_the_lowest_order_that_fits_counts_by_preference() {
    let zone = r#"
        example.com NAPTR 10 20 "S" "sip+d2u" _sip._udp.b.example
        example.com NAPTR 10 10 "s" "SIP+D2T" _sip._tcp.a.example
        example.com NAPTR 20 5 "s" "SIP+D2U" _sip._udp.c.example
        example.com NAPTR 5 5 "u" "SIP+D2U" _sip._udp.regexp.example
        example.com NAPTR 5 5 "s" "SIP+D2S" _sip._sctp.example
        example.com NAPTR 5 5 "s" "E2U+sip" _sip._udp.enum.example
        example.com NAPTR 5 5 "s" "SIP+D2U" .
        _sip._tcp.a.example SRV 0 0 5060 a.example
        _sip._udp.b.example SRV 0 0 5060 b.example
        a.example A 198.51.100.1
        b.example A 198.51.100.2"#;
    let (found, asked) = find("sip:example.com", both(), zone);
    assert_eq!(found.unwrap(), ["tcp 198.51.100.1:5060", "udp 198.51.100.2:5060"]);
    assert_eq!(asked[1..3], ["Srv _sip._tcp.a.example", "Srv _sip._udp.b.example"]);
}

#[test]
fn rfc2782_a_single_record_for_the_root_says_that_there_is_no_service() {
    let zone = "
        _sip._tcp.example.com SRV 0 0 0 .
        example.com A 198.51.100.1";
    let uri = "sip:example.com;transport=tcp";
    assert_eq!(find(uri, both(), zone).0, Err(Unreachable::NoAddress));
}

#[test]
fn malformed_records_are_passed_over() {
    let zone = "
        _sip._udp.example.com SRV 0 0 0 noport.example.com
        _sip._udp.example.com SRV 1 0 5060 192.0.2.77
        _sip._udp.example.com SRV 2 0 5060 .
        _sip._udp.example.com SRV 3 0 5060 a.example.com
        a.example.com A 0.0.0.0
        a.example.com A 224.0.0.1
        a.example.com A 255.255.255.255
        a.example.com A 198.51.100.1
        a.example.com A 198.51.100.1";
    assert_eq!(targets("sip:example.com;transport=udp", both(), zone), ["udp 198.51.100.1:5060"]);
}

// conforms: RFC7984-3.1-1 RFC7984-4-1
#[test]
fn rfc7984_4_each_host_has_both_families_in_the_order_of_the_listeners() {
    let zone = "
        _sip._udp.example.com SRV 10 1 5060 one.example.com
        _sip._udp.example.com SRV 20 1 5060 two.example.com
        one.example.com AAAA 2001:db8::11
        one.example.com A 198.51.100.1
        two.example.com AAAA 2001:db8::22
        two.example.com A 198.51.100.2";
    let uri = "sip:example.com;transport=udp";
    let six_first = reach(&[(Transport::Udp, V6), (Transport::Udp, V4), (Transport::Udp, V4)]);
    let want = [
        "udp [2001:db8::11]:5060",
        "udp 198.51.100.1:5060",
        "udp [2001:db8::22]:5060",
        "udp 198.51.100.2:5060",
    ];
    assert_eq!(targets(uri, six_first, zone), want);
    let six_only = reach(&[(Transport::Udp, V6)]);
    let (found, asked) = find(uri, six_only, zone);
    assert_eq!(found.unwrap(), [want[0], want[2]]);
    assert!(!asked.iter().any(|question| question.starts_with("A ")), "{asked:?}");
}

#[test]
fn a_network_without_the_transport_is_told_so() {
    let tcp = || reach(&[(Transport::Tcp, V4)]);
    let zone = "example.com A 198.51.100.1";
    for uri in ["sip:example.com;transport=udp", "sip:example.com:5060"] {
        assert_eq!(find(uri, tcp(), zone).0, Err(Unreachable::Listener), "{uri}");
    }
    assert_eq!(targets("sip:example.com", tcp(), zone), ["tcp 198.51.100.1:5060"], "the only one will do");
    let none = Reach::default();
    assert_eq!(find("sip:example.com", none, zone).0, Err(Unreachable::Listener));
    assert_eq!(find("sips:example.com", both(), EXAMPLE).0, Err(Unreachable::NotSecure));
    assert_eq!(find("sips:example.com:5061", both(), EXAMPLE).0, Err(Unreachable::NotSecure));
}

#[test]
fn rfc6761_6_4_no_name_server_is_asked_for_what_is_invalid() {
    let zone = "a.invalid A 198.51.100.1\n a.invalid.example A 198.51.100.1";
    for uri in ["sip:a.invalid", "sip:A.INVALID.:5060", "sip:a.invalid;transport=tcp", "sip:invalid"] {
        assert_eq!(find(uri, both(), zone), (Err(Unreachable::NoAddress), vec![]), "{uri}");
    }
    assert_eq!(targets("sip:a.invalid.example:5060", both(), zone), ["udp 198.51.100.1:5060"]);
}

#[test]
fn what_does_not_exist_has_no_address_and_silence_is_told_apart() {
    assert_eq!(find("sip:none.example", both(), EXAMPLE).0, Err(Unreachable::NoAddress));
    let (found, asked) = find("sip:example.com", both(), "example.com NAPTR ?");
    assert_eq!((found, asked.len()), (Err(Unreachable::NameServer), 1), "no further wait");
    let zone = "example.com NAPTR !\n example.com A 198.51.100.1";
    assert_eq!(targets("sip:example.com", both(), zone), ["udp 198.51.100.1:5060"], "it knows no NAPTR");
    let zone = "example.com A ?";
    assert_eq!(find("sip:example.com:5060", both(), zone).0, Err(Unreachable::NameServer));
    let zone = "example.com A ?\n example.com AAAA 2001:db8::1";
    let dual = reach(&[(Transport::Udp, V4), (Transport::Udp, V6)]);
    assert_eq!(targets("sip:example.com:5060", dual, zone), ["udp [2001:db8::1]:5060"]);
    let zone = "_sip._udp.example.com SRV ?\n _sip._tcp.example.com SRV 0 0 5060 a\n a A 198.51.100.1";
    assert_eq!(targets("sip:example.com", both(), zone), ["tcp 198.51.100.1:5060"]);
}

#[test]
fn records_hosts_addresses_and_targets_have_limits() {
    use std::fmt::Write;
    let mut zone = String::new();
    for host in 0..100 {
        writeln!(zone, "_sip._udp.example.com SRV {host} 0 5060 h{host}.example.com").unwrap();
        for last in 0..100 {
            writeln!(zone, "h{host}.example.com A 10.0.{host}.{last}").unwrap();
        }
    }
    let limits = Limits { hosts: 3, addresses: 2, targets: 5, ..Limits::default() };
    let (found, asked) = find_within("sip:example.com;transport=udp", both(), &zone, &limits);
    let want = ["10.0.0.0", "10.0.0.1", "10.0.1.0", "10.0.1.1", "10.0.2.0"];
    assert_eq!(found.unwrap(), want.map(|address| format!("udp {address}:5060")));
    assert_eq!(asked.len(), 4);
    let found = find("sip:example.com;transport=udp", both(), &zone).0.unwrap();
    assert_eq!(found.len(), Limits::default().targets);
}

/// UDP, TCP, TLS and both WebSockets over IPv4.
fn all() -> Reach {
    reach(&Transport::ALL.map(|transport| (transport, V4)))
}

// conforms: RFC3263-4.1-1
#[test]
fn rfc3263_4_1_a_sips_uri_takes_secure_services_only() {
    let zone = r#"
        example.com NAPTR 10 10 "s" "SIP+D2U" _sip._udp.example.com
        example.com NAPTR 20 10 "s" "SIPS+D2T" _sips._tcp.example.com
        _sips._tcp.example.com SRV 0 0 5071 host.example.net
        host.example.net A 203.0.113.7"#;
    assert_eq!(find("sips:example.com", all(), zone).0, Ok(vec!["tls 203.0.113.7:5071".to_owned()]));
    assert_eq!(find("sips:example.com", both(), zone).0, Err(Unreachable::NotSecure));
    let (found, asked) = find("sips:plain.example", all(), "plain.example A 203.0.113.8");
    assert_eq!(found, Ok(vec!["tls 203.0.113.8:5061".to_owned()]));
    assert_eq!(asked, ["Naptr plain.example", "Srv _sips._tcp.plain.example", "A plain.example"]);
}

#[test]
fn rfc3263_4_1_a_sip_uri_may_be_led_to_tls_and_no_uri_to_a_websocket() {
    let zone = r#"
        example.com NAPTR 10 10 "s" "SIP+D2W" _sip._ws.example.com
        example.com NAPTR 20 10 "s" "SIPS+D2W" _sips._ws.example.com
        example.com NAPTR 30 10 "s" "SIPS+D2T" _sips._tcp.example.com
        _sips._tcp.example.com SRV 0 0 5061 host.example.net
        host.example.net A 203.0.113.7"#;
    assert_eq!(find("sip:example.com", all(), zone).0, Ok(vec!["tls 203.0.113.7:5061".to_owned()]));
    assert_eq!(find("sip:example.com;transport=ws", all(), zone).0, Err(Unreachable::Listener));
    assert_eq!(find("sips:example.com;transport=ws", all(), zone).0, Err(Unreachable::NotSecure));
}
