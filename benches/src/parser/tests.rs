use std::{fmt::Write, panic};

use bytes::Bytes;

use super::{Ezk, Field, Liaison, Parser, Part, Reader, Rsip, Rsipstack, Value};
use crate::messages::{self, Sample};

/// The values as lines of text. What the grammar compares without case is in lower case.
#[derive(Default)]
struct Lines(Vec<String>);

impl Reader for Lines {
    fn value(&mut self, field: Field, nth: usize, part: Part, value: Value<'_>) {
        let text = match value {
            Value::Text(text) => text.to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Ip(ip) => ip.to_string(),
            Value::Typed(value) => value.to_string(),
            Value::Param(name, None) => name.to_ascii_lowercase(),
            Value::Param(name, Some(value)) => param(name, value),
            Value::TypedParam(name, value) => param(name, &value.to_string()),
        };
        let text = if part == Part::Transport { text.to_ascii_lowercase() } else { text };
        self.0.push(format!("{field:?} {nth} {part:?} {text}"));
    }
}

fn param(name: &str, value: &str) -> String {
    let name = name.to_ascii_lowercase();
    let value = if name == "transport" { value.to_ascii_lowercase() } else { value.to_owned() };
    format!("{name}={value}")
}

/// Sorted: a parser that keeps no order of parameters hands out the same ones.
fn values<P: Parser>(bytes: &Bytes) -> Vec<String> {
    let parsed = P::parse(bytes).unwrap_or_else(|| panic!("{} refuses it", P::NAME));
    let mut lines = Lines::default();
    P::read(&parsed, &mut lines);
    lines.0.sort();
    lines.0
}

#[test]
fn our_values_of_the_invite() {
    insta::assert_snapshot!(values::<Liaison>(&messages::invite().bytes).join("\n"), @r"
    CSeq 0 Method INVITE
    CSeq 0 Number 314159
    CallId 0 Id a84b4c76e66710-3c4d5e6f@pc33.atlanta.example.com
    Contact 0 Host 10.20.30.40
    Contact 0 Param transport=udp
    Contact 0 Port 5062
    Contact 0 User alice
    From 0 Host carrier-a.example.net
    From 0 Tag 1928301774
    From 0 User +4940987654
    Route 0 Host sbc.example.net
    Route 0 Param lr
    StartLine 0 Host sbc.example.net
    StartLine 0 Method INVITE
    StartLine 0 Port 5060
    StartLine 0 User +4930123456
    To 0 Host sbc.example.net
    To 0 User +4930123456
    Via 0 Host 192.0.2.10
    Via 0 Param branch=z9hG4bK-524287-1---a2f8c9d1e0b34756
    Via 0 Param rport
    Via 0 Port 5060
    Via 0 Transport udp
    Via 1 Host 10.20.30.40
    Via 1 Param branch=z9hG4bK776asdhds8831
    Via 1 Param received=198.51.100.7
    Via 1 Param rport=40123
    Via 1 Port 5062
    Via 1 Transport udp
    ");
}

#[test]
fn every_adapter_reads_the_same_values() {
    for sample in std::iter::once(messages::invite()).chain(messages::ordinary()) {
        let ours = values::<Liaison>(&sample.bytes);
        assert_eq!(values::<Rsip>(&sample.bytes), ours, "rsip, {}", sample.name);
        assert_eq!(values::<Ezk>(&sample.bytes), ours, "ezk-sip-types, {}", sample.name);
        let without_udp: Vec<_> =
            ours.into_iter().filter(|line| line != "Contact 0 Param transport=udp").collect();
        assert_eq!(values::<Rsipstack>(&sample.bytes), without_udp, "rsipstack, {}", sample.name);
    }
}

#[test]
fn what_an_adapter_writes_reads_back() {
    fn check<P: Parser>(sample: &Sample, ours: &[String]) {
        let parsed = P::parse(&sample.bytes).unwrap();
        let written = P::write(&parsed);
        assert_eq!(values::<Liaison>(&written), ours, "{}, {}", P::NAME, sample.name);
        let length = written.len().abs_diff(sample.bytes.len());
        assert!(length < 16, "{}, {}: {length} bytes more or less", P::NAME, sample.name);
    }
    for sample in std::iter::once(messages::invite()).chain(messages::ordinary()) {
        let ours = values::<Liaison>(&sample.bytes);
        check::<Liaison>(&sample, &ours);
        check::<Rsip>(&sample, &ours);
        check::<Rsipstack>(&sample, &ours);
        check::<Ezk>(&sample, &ours);
    }
}

/// `+` accepted, `-` refused, `!` panicked.
fn verdict<P: Parser>(bytes: &Bytes) -> char {
    match panic::catch_unwind(|| P::parse(bytes).is_some()) {
        Ok(true) => '+',
        Ok(false) => '-',
        Err(_) => '!',
    }
}

fn verdicts<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> String {
    let mut table = format!("{:28} ours rsip rsipstack ezk\n", "");
    for Sample { name, bytes } in samples {
        let (ours, rsip) = (verdict::<Liaison>(bytes), verdict::<Rsip>(bytes));
        let (rsipstack, ezk) = (verdict::<Rsipstack>(bytes), verdict::<Ezk>(bytes));
        let _ = writeln!(table, "{name:28} {ours:4} {rsip:4} {rsipstack:9} {ezk}");
    }
    table
}

/// The INVITE with one fault each.
fn malformed() -> Vec<Sample> {
    let invite = String::from_utf8(messages::invite().bytes.to_vec()).unwrap();
    let faulty = |name: &str, from: &str, to: &str| {
        assert!(invite.contains(from), "{name}");
        Sample { name: name.to_owned(), bytes: invite.replacen(from, to, 1).into() }
    };
    let cut = invite.len() - 40;
    vec![
        faulty("no version", " SIP/2.0\r\nVia", "\r\nVia"),
        faulty("SIP/7.0", " SIP/2.0\r\nVia", " SIP/7.0\r\nVia"),
        faulty("Request-URI without scheme", "INVITE sip:", "INVITE "),
        faulty(
            "Request-URI in brackets",
            "INVITE sip:+4930123456@sbc.example.net:5060;user=phone",
            "INVITE <sip:x@y>",
        ),
        faulty(
            "no Via",
            "\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-524287-1---a2f8c9d1e0b34756;rport\r\nVia:",
            "\r\nX-Via:",
        ),
        faulty("Via without sent-by", "UDP 192.0.2.10:5060;", "UDP ;"),
        faulty("Via with port 70000", "192.0.2.10:5060;branch", "192.0.2.10:70000;branch"),
        faulty("Via without transport", "SIP/2.0/UDP 192.0.2.10", "SIP/2.0 192.0.2.10"),
        faulty("no From", "From: ", "X-From: "),
        faulty("no To", "\r\nTo: ", "\r\nX-To: "),
        faulty("no Call-ID", "Call-ID: ", "X-Call-ID: "),
        faulty("no CSeq", "CSeq: ", "X-CSeq: "),
        faulty(
            "From with an open quote",
            "\"Alice Example\" <sip:+4940987654",
            "\"Alice Example <sip:+4940987654",
        ),
        faulty("From with an open bracket", "user=phone>;tag", "user=phone;tag"),
        faulty("To without URI", "To: <sip:+4930123456@sbc.example.net;user=phone>", "To: <>"),
        faulty("CSeq without method", "314159 INVITE", "314159"),
        faulty("CSeq number above 2^32", "314159 INVITE", "4294967296 INVITE"),
        faulty("CSeq number not a number", "314159 INVITE", "x INVITE"),
        faulty(
            "Contact with port 70000",
            "10.20.30.40:5062;transport=udp",
            "10.20.30.40:70000;transport=udp",
        ),
        faulty("Contact without host", "<sip:alice@10.20.30.40:5062;transport=udp>", "<sip:alice@>"),
        faulty("Route with an open bracket", "<sip:sbc.example.net;lr>", "<sip:sbc.example.net;lr"),
        faulty("Content-Length negative", "Content-Length: 285", "Content-Length: -1"),
        faulty("line without colon", "Max-Forwards: 69", "Max-Forwards 69"),
        Sample { name: "body cut short".to_owned(), bytes: invite[..cut].to_owned().into() },
        Sample { name: "head cut short".to_owned(), bytes: invite[..400].to_owned().into() },
    ]
}

#[test]
fn we_refuse_everything_malformed() {
    for Sample { name, bytes } in malformed() {
        assert!(Liaison::parse(&bytes).is_none(), "{name}");
    }
}

#[test]
fn what_each_refuses_of_the_malformed() {
    insta::assert_snapshot!(verdicts(&malformed()), @r"
                                 ours rsip rsipstack ezk
    no version                   -    -    -         -
    SIP/7.0                      -    -    +         -
    Request-URI without scheme   -    +    +         -
    Request-URI in brackets      -    +    +         -
    no Via                       -    -    -         -
    Via without sent-by          -    -    -         +
    Via with port 70000          -    -    -         +
    Via without transport        -    -    -         +
    no From                      -    -    -         -
    no To                        -    -    -         -
    no Call-ID                   -    -    -         -
    no CSeq                      -    -    -         -
    From with an open quote      -    +    +         +
    From with an open bracket    -    -    -         -
    To without URI               -    -    -         -
    CSeq without method          -    -    -         -
    CSeq number above 2^32       -    -    -         -
    CSeq number not a number     -    -    -         -
    Contact with port 70000      -    -    -         -
    Contact without host         -    -    -         -
    Route with an open bracket   -    -    -         -
    Content-Length negative      -    +    +         -
    line without colon           -    -    +         -
    body cut short               -    +    +         -
    head cut short               -    -    -         -
    ");
}

#[test]
fn what_each_refuses_of_the_torture_messages() {
    insta::assert_snapshot!(verdicts(&messages::torture()), @r"
                                 ours rsip rsipstack ezk
    badaspec                     -    -    +         -
    badbranch                    +    +    +         +
    baddate                      +    +    +         +
    baddn                        -    -    -         -
    badinv01                     -    +    +         +
    badvers                      -    -    +         -
    bcast                        +    +    +         +
    bext01                       +    +    +         +
    bigcode                      -    -    -         -
    clerr                        -    +    +         -
    cparam01                     +    +    +         +
    cparam02                     +    +    +         +
    dblreq                       +    -    +         +
    esc01                        +    -    +         +
    esc02                        +    -    -         +
    escnull                      +    +    +         +
    escruri                      +    -    +         +
    insuf                        -    -    -         -
    intmeth                      +    -    -         +
    inv2543                      +    +    +         +
    invut                        +    +    +         +
    longreq                      +    -    +         +
    ltgtruri                     -    +    +         -
    lwsdisp                      +    +    +         +
    lwsruri                      -    -    -         +
    lwsstart                     +    -    -         +
    mcl01                        -    +    +         +
    mismatch01                   +    +    +         +
    mismatch02                   +    -    -         +
    mpart01                      +    +    +         +
    multi01                      -    +    +         +
    ncl                          -    +    +         -
    noreason                     +    +    +         +
    novelsc                      +    +    +         -
    quotbal                      -    +    +         +
    regaut01                     +    +    +         +
    regbadct                     -    -    +         +
    regescrt                     +    +    +         +
    scalar02                     -    -    -         -
    scalarlg                     -    -    -         -
    sdp01                        +    +    +         +
    semiuri                      +    -    +         +
    transports                   +    -    -         +
    trws                         +    -    +         -
    unkscm                       +    -    +         -
    unksm2                       +    -    +         -
    unreason                     +    +    +         +
    wsinv                        +    -    +         -
    zeromf                       +    +    +         +
    ");
}
