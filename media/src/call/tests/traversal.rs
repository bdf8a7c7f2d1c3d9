//! A party whose ports are behind a NAT: what it is told, and what our full agent goes by.

use std::sync::Arc;

use super::*;
use crate::ice::Secret;
use crate::relay::Settings;
use crate::{Beyond, Component, Reach, Traversal};

/// Ports of B's network, as servers see and relay them.
fn beyond(port: u16) -> Arc<Reach> {
    let reach = Reach::default();
    for (component, port) in [(Component::Rtp, port), (Component::Rtcp, port + 1)] {
        let reflexive = format!("198.51.100.77:{}", 60_000 - port).parse().ok();
        let relayed = format!("198.51.100.99:{}", port + 20_000).parse().ok();
        reach.write(component, Beyond { reflexive, relayed });
    }
    Arc::new(reach)
}

fn call(ice: Ice) -> Call {
    let mut call = Call::new(Mode::Anchored);
    call.networks[1].ice = ice;
    call.networks[1].traversal = Some(Arc::new(Traversal::default()));
    call.ports = VirtualPorts::new(&call.networks).behind(NetworkId(1), beyond);
    call.media = CallMedia::new(Mode::Anchored, Limits::default(), 7).with_ice(Secret::new([3, 4]));
    call.media.add_party(A, &call.networks[0]);
    call.media.add_party(B, &call.networks[1]);
    call
}

const PLAIN: &str = "\
v=0
o=- 1 1 IN IP4 198.51.100.1
s=-
c=IN IP4 198.51.100.1
t=0 0
m=audio 49170 RTP/AVP 0
b=AS:80
";

const WITH_ICE: &str = "\
v=0
o=- 1 1 IN IP4 198.51.100.9
s=-
c=IN IP4 198.51.100.9
t=0 0
a=ice-ufrag:them
a=ice-pwd:themTHEMthemTHEMthemTHEM
m=audio 5000 RTP/AVP 0
a=candidate:7 1 UDP 2130706431 198.51.100.9 5000 typ host
a=candidate:7 2 UDP 2130706430 198.51.100.9 5001 typ host
a=candidate:8 1 TCP 2130706431 198.51.100.9 9 typ host tcptype active
";

fn settings(call: &Call) -> Settings {
    let lent = call.media.pairs.iter().find(|lent| lent.pair.port == 30_000).unwrap().pair.id;
    let set = call.commands.iter().rev().find_map(|command| match command {
        Command::Set { context, settings, .. } if context.pair == lent => Some(settings.clone()),
        _ => None,
    });
    *set.unwrap()
}

// conforms: RFC8839-4.2.1.4-2 RFC8839-4.4.1.2.1-2 RFC8839-5.1-6 RFC8445-5.1.2.1-2
#[test]
fn rfc8839_5_1_all_candidates_are_told_and_the_relayed_one_is_the_default() {
    let mut call = call(Ice::Offer);
    let offer = call.offer(A, B, PLAIN).unwrap();
    insta::assert_snapshot!(shown(&offer), @r"
    v=0
    o=- 77422343148738951 1 IN IP4 203.0.113.20
    s=-
    c=IN IP4 203.0.113.20
    t=0 0
    a=ice-options:ice2
    m=audio 50000 RTP/AVP 0
    c=IN IP4 198.51.100.99
    b=AS:80
    a=rtcp:50001 IN IP4 198.51.100.99
    a=ice-ufrag:H4lKIG7f
    a=ice-pwd:0xnfWqXBa/RsglhYrfRkjUav
    a=candidate:1 1 UDP 2130706431 203.0.113.20 30000 typ host
    a=candidate:2 1 UDP 1694498815 198.51.100.77 30000 typ srflx raddr 203.0.113.20 rport 30000
    a=candidate:3 1 UDP 16777215 198.51.100.99 50000 typ relay raddr 198.51.100.77 rport 30000
    a=candidate:1 2 UDP 2130706430 203.0.113.20 30001 typ host
    a=candidate:2 2 UDP 1694498814 198.51.100.77 29999 typ srflx raddr 203.0.113.20 rport 30001
    a=candidate:3 2 UDP 16777214 198.51.100.99 50001 typ relay raddr 198.51.100.77 rport 29999
    ");
    call.answer(B, A, WITH_ICE).unwrap();
    let ice = settings(&call).ice.unwrap();
    let terms = ice.full.unwrap();
    assert!(terms.controlling && terms.two && !terms.lite);
    assert_eq!((&*terms.remote.ufrag, &*terms.remote.password), ("them", "themTHEMthemTHEMthemTHEM"));
    // That over TCP is none of ours.
    assert_eq!(terms.candidates.len(), 2);
    assert_eq!(&*terms.candidates[0].foundation, "7");
}

// conforms: RFC8839-4.4.3.1-6
#[test]
fn who_has_no_ice_is_told_the_default_alone() {
    for ice in [Ice::Off, Ice::Accept] {
        let mut call = call(ice);
        let offer = call.offer(A, B, PLAIN).unwrap();
        insta::allow_duplicates! {
            insta::assert_snapshot!(shown(&offer), @r"
            v=0
            o=- 77422343148738951 1 IN IP4 203.0.113.20
            s=-
            c=IN IP4 203.0.113.20
            t=0 0
            m=audio 50000 RTP/AVP 0
            c=IN IP4 198.51.100.99
            b=AS:80
            a=rtcp:50001 IN IP4 198.51.100.99
            ");
        }
        call.answer(B, A, &PLAIN.replace("49170", "5000")).unwrap();
        assert_eq!(settings(&call).ice, None);
        assert_eq!(settings(&call).remote.to_string(), "198.51.100.1:5000");
    }
}

#[test]
fn an_offer_with_ice_is_answered_with_all_candidates_and_its_maker_controls() {
    let mut call = call(Ice::Accept);
    call.media.receive_offer(B, wire(WITH_ICE).as_bytes()).unwrap();
    call.media.compose_offer(A, B, &mut call.ports).unwrap();
    let answer = call.answer(A, B, PLAIN).unwrap();
    insta::assert_snapshot!(shown(&answer), @r"
    v=0
    o=- 77422343148738951 1 IN IP4 203.0.113.20
    s=-
    c=IN IP4 203.0.113.20
    t=0 0
    a=ice-options:ice2
    m=audio 50000 RTP/AVP 0
    c=IN IP4 198.51.100.99
    b=AS:80
    a=rtcp:50001 IN IP4 198.51.100.99
    a=ice-ufrag:7uPr6+Lw
    a=ice-pwd:mj9uG8XxXSDBWBpnRKhqdXoB
    a=candidate:1 1 UDP 2130706431 203.0.113.20 30000 typ host
    a=candidate:2 1 UDP 1694498815 198.51.100.77 30000 typ srflx raddr 203.0.113.20 rport 30000
    a=candidate:3 1 UDP 16777215 198.51.100.99 50000 typ relay raddr 198.51.100.77 rport 30000
    a=candidate:1 2 UDP 2130706430 203.0.113.20 30001 typ host
    a=candidate:2 2 UDP 1694498814 198.51.100.77 29999 typ srflx raddr 203.0.113.20 rport 30001
    a=candidate:3 2 UDP 16777214 198.51.100.99 50001 typ relay raddr 198.51.100.77 rport 29999
    ");
    let terms = settings(&call).ice.unwrap().full.unwrap();
    assert!(!terms.controlling);
}

#[test]
fn rfc8445_6_1_1_a_lite_peer_has_a_session_too() {
    let mut call = call(Ice::Offer);
    call.offer(A, B, PLAIN).unwrap();
    call.answer(B, A, &WITH_ICE.replace("a=ice-ufrag", "a=ice-lite\na=ice-ufrag")).unwrap();
    assert!(settings(&call).ice.unwrap().full.unwrap().lite);
}

// conforms: RFC8839-4.4.1.2.1-1 RFC8839-4.4.3.1-5
#[test]
fn what_stands_is_offered_again_with_the_credentials_that_stand_and_a_restart_has_others() {
    let mut call = call(Ice::Offer);
    let ufrag =
        |text: &[u8]| shown(text).lines().find(|line| line.starts_with("a=ice-ufrag")).unwrap().to_owned();
    let first = call.offer(A, B, PLAIN).unwrap();
    call.answer(B, A, WITH_ICE).unwrap();
    let terms = settings(&call).ice.unwrap().full.unwrap();
    let hold = PLAIN.replace("b=AS:80\n", "b=AS:80\na=sendonly\n");
    let again = call.offer(A, B, &hold).unwrap();
    assert_eq!(ufrag(&first), ufrag(&again));
    call.answer(B, A, &format!("{WITH_ICE}a=recvonly\n")).unwrap();
    assert_eq!(settings(&call).ice.unwrap().full.unwrap(), terms, "the session goes on");
    // The peer begins anew.
    let anew = WITH_ICE.replace("them", "anew");
    call.media.receive_offer(B, wire(&anew).as_bytes()).unwrap();
    call.media.compose_offer(A, B, &mut call.ports).unwrap();
    let answer = call.answer(A, B, PLAIN).unwrap();
    assert_ne!(ufrag(&first), ufrag(&answer));
    let now = settings(&call).ice.unwrap().full.unwrap();
    assert!(now.remote != terms.remote && now.local != terms.local);
}
