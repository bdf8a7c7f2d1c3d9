use super::{TypedHeader, Via};
use crate::Host;

fn via(text: &str) -> Via {
    Via::parse(&text.into()).unwrap()
}

#[test]
fn parts_are_read() {
    let v = via(
        "SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKabc;rport;received=2001:db8::1;maddr=m.example;ttl=16;alias",
    );
    assert_eq!((v.transport(), v.port(), v.branch()), ("UDP", Some(5060), Some("z9hG4bKabc")));
    assert_eq!(v.host(), Host::V4([192, 0, 2, 10].into()));
    assert_eq!(v.rport(), Some(None));
    assert_eq!(v.received(), Some("2001:db8::1".parse().unwrap()));
    assert_eq!(v.maddr(), Some(Host::Name("m.example")));
    assert_eq!((v.ttl(), v.alias(), v.is_sip_2_0()), (Some(16), true, true));
    assert_eq!(v.branch_after_cookie(), Some("abc"));
}

#[test]
fn rfc3261_25_1_space_may_stand_around_every_separator() {
    let v = via("SIP  / 2.0  / TCP     spindle.example.com  : 5061 ;  branch  =   z9hG4bK9ikj8  ");
    assert_eq!((v.transport(), v.host(), v.port()), ("TCP", Host::Name("spindle.example.com"), Some(5061)));
    assert_eq!(v.branch(), Some("z9hG4bK9ikj8"));
    assert!(v.is_sip_2_0());
}

#[test]
fn rfc5118_4_5_received_takes_ipv6_with_and_without_brackets() {
    let ip = Some("2001:db8::9:255".parse().unwrap());
    assert_eq!(via("SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=a").received(), ip);
    assert_eq!(via("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=a").received(), ip);
}

#[test]
fn what_is_no_via_is_refused() {
    for text in [
        "",
        "SIP/2.0",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0/UDPhost",
        "SIP/2.0 UDP host",
        "SIP/2.0/UDP h:",
        "SIP/2.0/UDP h:65536",
        "SIP/2.0/UDP h;;",
        "SIP/2.0/UDP h;",
        "SIP/2.0/UDP h;branch",
        "SIP/2.0/UDP h;branch=",
        "SIP/2.0/UDP h;branch=a;branch=b",
        "SIP/2.0/UDP h;rport=99999",
        "SIP/2.0/UDP h;rport=a",
        "SIP/2.0/UDP h x",
        "SIP/2.0/UDP h;received=h",
        "SIP/2.0/UDP h;a=\"b",
        "SIP/2.0/UDP 2001:db8::1",
        "SIP/2.0/UDP h\r\n;a",
    ] {
        assert!(Via::parse(&text.into()).is_err(), "{text}");
    }
}

#[test]
fn rfc3581_4_received_and_rport_are_filled_in_place() {
    let v = via("SIP/2.0/UDP h ;rport;branch=a;x=\"y;z\"");
    let answered = v.stamped(Some([192, 0, 2, 1].into()), Some(4000), None, None).to_string();
    assert_eq!(answered, r#"SIP/2.0/UDP h;rport=4000;branch=a;x="y;z";received=192.0.2.1"#);
    assert_eq!(via(&answered).rport(), Some(Some(4000)));
    let again = via(&answered).stamped(Some("2001:db8::1".parse().unwrap()), Some(5), None, None).to_string();
    assert_eq!(again, r#"SIP/2.0/UDP h;rport=5;branch=a;x="y;z";received=2001:db8::1"#);
    assert_eq!(via(&again).stamped(None, None, Some(9), None).to_string(), again);
    let bare = via("SIP/2.0/UDP h:5060;branch=a")
        .stamped(Some([10, 0, 0, 255].into()), None, None, None)
        .to_string();
    assert_eq!(bare, "SIP/2.0/UDP h:5060;branch=a;received=10.0.0.255");
}

#[test]
fn rfc7339_4_overload_control_is_the_servers() {
    let v = via("SIP/2.0/UDP h;rport;oc;branch=a;OC-Algo=\"loss,rate\";oc-validity=9;oc-seq=1.1;ocx=1");
    let overload = ";oc=0;oc-algo=\"loss\"";
    let answered = v.stamped(Some([192, 0, 2, 1].into()), Some(4000), None, Some(&overload)).to_string();
    let expected = r#"SIP/2.0/UDP h;rport=4000;branch=a;ocx=1;received=192.0.2.1;oc=0;oc-algo="loss""#;
    assert_eq!(answered, expected);
    let untouched = v.stamped(None, Some(4000), None, None).to_string();
    assert_eq!(untouched, v.to_string().replace(";rport;", ";rport=4000;"));
}

#[test]
fn parameters_that_are_rarely_there_are_found_where_they_are() {
    let params = |params: &str| {
        let via = via(&format!("SIP/2.0/UDP h;branch=a{params}"));
        (via.maddr().map(|host| host.to_string()), via.may_control_overload())
    };
    assert_eq!(params(";rport;ttl=1"), (None, false));
    assert_eq!(params(";MAddr=h"), (Some("h".into()), false));
    assert_eq!(params(";rport;Oc"), (None, true));
    assert_eq!(params(";oc-seq=1.1;maddr=192.0.2.1"), (Some("192.0.2.1".into()), true));
    assert_eq!(params(";m%61ddr=h"), (Some("h".into()), true), "names are compared without their escapes");
}

#[test]
fn a_via_is_composed_and_reads_back() {
    let v = Via::new("TLS", Host::V6("2001:db8::1".parse().unwrap()), Some(5061), "z9hG4bKx").unwrap();
    insta::assert_snapshot!(v, @"SIP/2.0/TLS [2001:db8::1]:5061;branch=z9hG4bKx");
    assert_eq!(v.sent_by(), "[2001:db8::1]:5061");
    assert!(v.is_sent_by("[2001:DB8::1]:5061") && !v.is_sent_by("[2001:db8::1]"));
    let named = via("SIP/2.0/UDP Host.example:5060;branch=a");
    assert!(named.is_sent_by("host.EXAMPLE:5060"));
    for other in ["host.example", "host.example:5061", "host.example.org:5060", "host.exampl", "é"] {
        assert!(!named.is_sent_by(other), "{other}");
    }
    assert!(via("SIP/2.0/UDP 192.0.2.1;branch=a").is_sent_by("192.0.2.1"));
    assert!(Via::new("T X", Host::Name("h"), None, "b").is_err());
    assert!(Via::new("UDP", Host::Name("h"), None, "b\r\nX: y").is_err());
}
