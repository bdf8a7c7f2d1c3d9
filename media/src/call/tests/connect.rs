//! Streams over TCP, and offers in which there is everything.

use super::*;
use crate::relay::{Opening, TcpOrder, TcpStream};
use crate::{Carriage, ContextId, LeftOutBy};

fn relayed() -> Call {
    let mut call = Call::new(Mode::Anchored);
    call.media = CallMedia::new(Mode::Anchored, Limits::default(), 7).with_connections(Connections::Relayed);
    call.media.add_party(A, &call.networks[0]);
    call.media.add_party(B, &call.networks[1]);
    call
}

/// What the thread of connections was told last of each end, and at which port.
fn ends(call: &Call) -> Vec<(ContextId, u16, Option<TcpStream>)> {
    let mut ends: Vec<(ContextId, u16, Option<TcpStream>)> = Vec::new();
    for command in &call.commands {
        match command {
            Command::Tcp(TcpOrder::Set { context, at, stream, .. }) => {
                ends.retain(|(of, ..)| of != context);
                ends.push((*context, at.1, stream.as_deref().cloned()));
            }
            Command::Tcp(TcpOrder::Clear { context }) => ends.retain(|(of, ..)| of != context),
            Command::Tcp(TcpOrder::Release { pair }) => ends.retain(|(of, ..)| of.pair != *pair),
            _ => {}
        }
    }
    ends
}

/// The ends of the two legs that are set up: who connects, where to, and the number of the connection.
fn openings(call: &Call) -> Vec<(u16, Opening, u16, u32)> {
    let mut ends: Vec<_> = ends(call)
        .into_iter()
        .filter_map(|(_, port, stream)| stream.map(|of| (port, of.opening, of.remote.port(), of.connection)))
        .collect();
    ends.sort_by_key(|end| end.0);
    ends
}

fn bfcp(port: u16, lines: &[&str]) -> String {
    let head = "v=0\no=- 1 1 IN IP4 198.51.100.1\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n";
    let lines: String = lines.iter().map(|line| format!("a={line}\n")).collect();
    format!("{head}m=application {port} TCP/TLS/BFCP *\na=floorctrl:c-s\n{lines}")
}

// conforms: RFC4145-4.1-1,2 RFC4145-5.1-1,2 RFC4145-5.2-1
#[test]
fn rfc4145_who_connects_on_one_leg_connects_on_the_other() {
    let print = "fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
    for (offered, answered, a, b) in [
        ("setup:active", "setup:passive", Opening::Theirs, Opening::Ours),
        ("setup:passive", "setup:active", Opening::Ours, Opening::Theirs),
        ("setup:actpass", "setup:active", Opening::Ours, Opening::Theirs),
        ("setup:actpass", "setup:passive", Opening::Theirs, Opening::Ours),
        ("setup:holdconn", "setup:holdconn", Opening::Nobodys, Opening::Nobodys),
        ("x", "x", Opening::Theirs, Opening::Ours),
    ] {
        let mut call = relayed();
        let port = |setup: &str, port| if setup == "setup:active" { 9 } else { port };
        let (at, to) = (port(offered, 5_000), port(answered, 6_000));
        let offer = call.offer(A, B, &bfcp(at, &[offered, "connection:new", print])).unwrap();
        let told = |setup: &str, port: u16| {
            let port = if setup == "setup:active" { 9 } else { port };
            format!(
                "m=application {port} TCP/TLS/BFCP *\na=floorctrl:c-s\na={setup}\na=connection:new\na={print}\n"
            )
        };
        assert!(shown(&offer).ends_with(&told(offered, 30_000)), "{}", shown(&offer));
        call.drain();
        assert_eq!(ends(&call).len(), 1, "the peer may connect before its answer has come");
        let answer = bfcp(to, &[answered, "connection:new", print]);
        let answer = call.answer(B, A, &answer).unwrap();
        assert!(shown(&answer).ends_with(&told(answered, 20_000)), "{}", shown(&answer));
        assert_eq!(openings(&call), [(20_000, a, at, 0), (30_000, b, to, 0)], "{offered}");
        let peers: Vec<_> = ends(&call)
            .iter()
            .map(|(context, _, stream)| (*context, stream.as_ref().unwrap().peer))
            .collect();
        assert_eq!([peers[0].1, peers[1].1], [Some(peers[1].0), Some(peers[0].0)]);
        // The same again is the same connection, another one is another.
        call.offer(A, B, &bfcp(at, &[offered, "connection:existing", print])).unwrap();
        call.answer(B, A, &bfcp(to, &[answered, "connection:existing", print])).unwrap();
        assert_eq!(openings(&call), [(20_000, a, at, 0), (30_000, b, to, 0)]);
        call.offer(A, B, &bfcp(at, &[offered, "connection:new", print])).unwrap();
        call.answer(B, A, &bfcp(to, &[answered, "connection:new", print])).unwrap();
        assert_eq!(openings(&call), [(20_000, a, at, 1), (30_000, b, to, 1)]);
        call.media.close();
        call.drain();
        assert_eq!((ends(&call).len(), call.ports.lent()), (0, 0));
    }
}

fn msrp(proto: &str, host: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("a={line}\n")).collect();
    format!(
        "v=0\no=- 1 1 IN IP4 {host}\ns=-\nc=IN IP4 {host}\nt=0 0\nm=message 7394 {proto} *\na=accept-types:text/plain\n{lines}"
    )
}

#[test]
fn rfc4975_each_leg_has_a_path_of_ours() {
    let mut call = relayed();
    let path = |host: &str, session: &str| format!("path:msrp://{host}:7394/{session};tcp");
    let offer = msrp("TCP/MSRP", "198.51.100.1", &[&path("198.51.100.1", "2s93i9ek2a"), "msrp-cema"]);
    let offer = shown(&call.offer(A, B, &offer).unwrap());
    assert!(offer.contains("m=message 30000 TCP/MSRP *\n"), "{offer}");
    assert!(offer.contains("a=path:msrp://203.0.113.20:30000/2s93i9ek2a;tcp\na=msrp-cema\n"), "{offer}");
    let answer = msrp("TCP/MSRP", "198.51.100.99", &[&path("198.51.100.99", "kj3s")]);
    let answer = shown(&call.answer(B, A, &answer).unwrap());
    assert!(answer.contains("a=path:msrp://192.0.2.10:20000/kj3s;tcp\n"), "{answer}");
    assert!(!answer.contains("198.51.100."), "{answer}");
    let paths: Vec<_> = ends(&call).into_iter().map(|(.., stream)| stream.unwrap().paths.unwrap()).collect();
    let [b, a] = &paths[..] else { panic!("{paths:?}") };
    assert_eq!(
        (&*a.theirs, &*a.ours),
        ("msrp://198.51.100.1:7394/2s93i9ek2a;tcp", "msrp://192.0.2.10:20000/kj3s;tcp")
    );
    assert_eq!(
        (&*b.theirs, &*b.ours),
        ("msrp://198.51.100.99:7394/kj3s;tcp", "msrp://203.0.113.20:30000/2s93i9ek2a;tcp")
    );
    assert_eq!(openings(&call), [(20_000, Opening::Theirs, 7_394, 0), (30_000, Opening::Ours, 7_394, 0)]);
}

#[test]
fn rfc6714_with_tls_both_have_to_go_by_the_description() {
    let path = "path:msrps://198.51.100.1:7394/2s93i9ek2a;tcp";
    let mut call = relayed();
    let without = msrp("TCP/TLS/MSRP", "198.51.100.1", &[path]);
    assert_eq!(call.offer(A, B, &without).unwrap_err(), Refusal::Transport { section: 0 });
    let with = msrp("TCP/TLS/MSRP", "198.51.100.1", &[path, "msrp-cema"]);
    let offer = shown(&call.offer(A, B, &with).unwrap());
    assert!(
        offer.contains("m=message 30000 TCP/TLS/MSRP *\n") && offer.contains(path),
        "its path is a name: {offer}"
    );
    let answer = shown(&call.answer(B, A, &without).unwrap());
    assert!(answer.contains("m=message 0 TCP/TLS/MSRP *\n"), "{answer}");
    let left = call.media.poll_left_out().unwrap();
    assert_eq!((left.party, left.section, left.why), (B, 0, LeftOutBy::SealedPath));
    let mut call = relayed();
    call.offer(A, B, &with).unwrap();
    call.answer(B, A, &with).unwrap();
    assert_eq!(openings(&call).len(), 2);
    assert!(ends(&call).iter().all(|(.., stream)| stream.as_ref().unwrap().paths.is_none()));
}

#[test]
fn an_answer_connects_as_the_offer_lets_it() {
    // Both have offered: who is called for somebody who waits already.
    let mut call = relayed();
    call.media.receive_offer(A, wire(&bfcp(9, &["setup:active"])).as_bytes()).unwrap();
    call.media.receive_offer(B, wire(&bfcp(9, &["setup:active"])).as_bytes()).unwrap();
    for (to, from) in [(A, B), (B, A)] {
        let answer = call.media.compose_answer(to, from, &mut call.ports).unwrap();
        assert!(shown(&answer).contains("a=setup:passive\n"), "{}", shown(&answer));
    }
}

/// The sections of the issue: each goes as its transport goes.
const ALL: &str = "\
v=0
o=- 1 1 IN IP4 198.51.100.1
s=-
c=IN IP4 198.51.100.1
t=0 0
m=audio 49170 RTP/AVP 8
a=label:1
m=image 49180 udptl t38
a=T38FaxVersion:0
m=audio 49182 RTP/AVP 98
a=rtpmap:98 t38/8000
m=message 7394 TCP/MSRP *
a=accept-types:text/plain
a=path:msrp://198.51.100.1:7394/2s93i9ek2a;tcp
m=application 9 TCP/TLS/BFCP *
a=setup:active
a=connection:new
a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB
a=floorctrl:c-s
m=application 49184 UDP/BFCP *
a=floorctrl:c-s
m=application 54111 UDP/DTLS/SCTP webrtc-datachannel
a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB
a=setup:actpass
a=tls-id:abc3de65cddef001be82
a=sctp-port:5000
a=max-message-size:100000
m=video 49186 RTP/AVP 31
a=content:slides
m=hologram 9 UDP/FOO x
a=depth:3
";

#[test]
fn an_offer_of_everything_loses_nothing() {
    let hosts = [("198.51.100.1", "203.0.113.20"), ("198.51.100.1", "192.0.2.10")];
    for (from, to, host) in [(A, B, hosts[0].1), (B, A, hosts[1].1)] {
        let mut call = relayed();
        let offer = shown(&call.offer(from, to, ALL).unwrap());
        let first: u16 = if to == B { 30_000 } else { 20_000 };
        let ports = [0, 2, 4, 6, 9, 10, 12, 14, 16].map(|port| if port == 9 { 9 } else { first + port });
        let mut wanted = ALL.split("m=audio 49170").next().unwrap().to_owned();
        let mut ports = ports.iter();
        for line in ALL.lines().skip(5) {
            match line.strip_prefix("m=") {
                Some(line) => {
                    let (media, rest) = line.split_once(' ').unwrap();
                    let rest = rest.split_once(' ').unwrap().1;
                    wanted += &format!("m={media} {} {rest}\n", ports.next().unwrap());
                }
                None if line.starts_with("a=path") => {
                    wanted += &format!("a=path:msrp://{host}:{}/2s93i9ek2a;tcp\n", first + 6);
                }
                None => wanted += &format!("{line}\n"),
            }
        }
        let sections = |text: &str| text.split_once("m=").unwrap().1.to_owned();
        assert_eq!(sections(&offer), sections(&wanted));
        // The answer takes every other section.
        let mut answer =
            ALL.replace("198.51.100.1", "198.51.100.99").replace("setup:active", "setup:passive");
        for zero in ["image 49180", "message 7394", "application 49184", "hologram 9"] {
            answer = answer.replace(zero, &format!("{} 0", zero.split_once(' ').unwrap().0));
        }
        let answer = shown(&call.answer(to, from, &answer).unwrap());
        let lines: Vec<_> = answer.lines().filter(|line| line.starts_with("m=")).collect();
        let zero: Vec<_> = lines.iter().map(|line| line.split(' ').nth(1) == Some("0")).collect();
        assert_eq!(zero, [false, true, false, true, false, true, false, false, true], "{answer}");
        for (line, offered) in lines.iter().zip(ALL.lines().filter(|line| line.starts_with("m="))) {
            assert_eq!(line.split(' ').next(), offered.split(' ').next());
            assert_eq!(
                line.split(' ').skip(2).collect::<Vec<_>>(),
                offered.split(' ').skip(2).collect::<Vec<_>>()
            );
        }
        assert!(
            answer.contains("a=content:slides\n")
                && answer.contains("a=label:1\n")
                && answer.contains("a=tls-id:abc")
        );
        use Carriage::*;
        for party in [A, B] {
            let carriage: Vec<_> =
                call.media.view(party).unwrap().streams.iter().map(|stream| stream.carriage).collect();
            assert_eq!(
                carriage,
                [Relayed, Rejected, Relayed, Rejected, Relayed, Rejected, Relayed, Relayed, Rejected]
            );
        }
        call.media.close();
        call.drain();
        assert_eq!(call.ports.lent(), 0);
    }
}

#[test]
fn in_bypass_an_offer_of_everything_crosses_as_it_is() {
    let mut call = Call::new(Mode::Bypass);
    let offer = shown(&call.offer(A, B, ALL).unwrap());
    let sections = |text: &str| text.split_once("m=").unwrap().1.to_owned();
    assert_eq!(sections(&offer), sections(ALL));
}
