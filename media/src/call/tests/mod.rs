//! Offer/answer between two legs, as the bridge drives it.

mod again;
mod alone;
mod anything;
mod associations;
mod bundle;
mod bundle_changes;
mod bundles;
mod bypass;
mod coding;
mod common;
mod connect;
mod dtls;
mod dtmf;
mod ends;
mod forks;
mod gate;
mod hold;
mod ice;
mod invariants;
mod lines;
mod rekey;
mod secure;
mod srtp;
mod srtp_forks;
mod transfer;
mod traversal;
mod veil;
mod wiring;

use std::net::IpAddr;

use bytes::Bytes;

use crate::relay::Command;
use crate::{
    CallMedia, Connections, Ice, Latching, Limits, MediaNetwork, Mode, NetworkId, PartyId, Refusal,
    VirtualPorts,
};

pub(super) const A: PartyId = PartyId(1);
pub(super) const B: PartyId = PartyId(2);
pub(super) const A2: PartyId = PartyId(3);
pub(super) const B2: PartyId = PartyId(4);

pub(super) fn network(id: u16, address: &str) -> MediaNetwork {
    let bind: IpAddr = address.parse().unwrap();
    let latching = Latching::Described;
    MediaNetwork {
        id: NetworkId(id),
        bind,
        advertised: None,
        ports: 20_000..=20_199,
        latching,
        ice: Ice::default(),
        marks: crate::Marks::default(),
        traversal: None,
    }
}

/// A call between network 0 (192.0.2.10, where A is) and network 1 (203.0.113.20, where B is).
pub(super) struct Call {
    pub(super) media: CallMedia,
    pub(super) ports: VirtualPorts,
    pub(super) networks: [MediaNetwork; 2],
    pub(super) commands: Vec<Command>,
}

impl Call {
    pub(super) fn new(mode: Mode) -> Self {
        let networks =
            [network(0, "192.0.2.10"), MediaNetwork { ports: 30_000..=30_199, ..network(1, "203.0.113.20") }];
        Self::over(mode, networks)
    }

    /// An anchored call whose streams over connections go around us.
    pub(super) fn with_connections() -> Self {
        let mut call = Self::new(Mode::Anchored);
        call.media =
            CallMedia::new(Mode::Anchored, Limits::default(), 7).with_connections(Connections::Around);
        call.media.add_party(A, &call.networks[0]);
        call.media.add_party(B, &call.networks[1]);
        call
    }

    pub(super) fn over(mode: Mode, networks: [MediaNetwork; 2]) -> Self {
        let mut media = CallMedia::new(mode, Limits::default(), 7);
        media.add_party(A, &networks[0]);
        media.add_party(B, &networks[1]);
        Self { media, ports: VirtualPorts::new(&networks), networks, commands: Vec::new() }
    }

    pub(super) fn offer(&mut self, from: PartyId, to: PartyId, text: &str) -> Result<Bytes, Refusal> {
        self.media.receive_offer(from, wire(text).as_bytes())?;
        self.media.compose_offer(to, from, &mut self.ports)
    }

    pub(super) fn answer(&mut self, from: PartyId, to: PartyId, text: &str) -> Result<Bytes, Refusal> {
        self.media.receive_answer(from, wire(text).as_bytes())?;
        let answer = self.media.compose_answer(to, from, &mut self.ports)?;
        self.media.connect(from, to);
        self.drain();
        Ok(answer)
    }

    /// An established call with one audio stream.
    pub(super) fn established() -> Self {
        let mut call = Self::new(Mode::Anchored);
        call.offer(A, B, AUDIO).unwrap();
        call.answer(B, A, ANSWER).unwrap();
        call.commands.clear();
        call
    }

    pub(super) fn drain(&mut self) {
        while let Some(command) = self.media.poll_command() {
            self.ports.carry_out(&command);
            self.commands.push(command);
        }
    }

    pub(super) fn released(&mut self) -> usize {
        self.drain();
        self.commands.iter().filter(|command| matches!(command, Command::Release { .. })).count()
    }
}

/// Test texts are written with LF.
pub(super) fn wire(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// For snapshots.
pub(super) fn shown(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap();
    assert!(text.lines().all(|line| !line.is_empty()) && text.ends_with("\r\n"));
    text.replace("\r\n", "\n")
}

pub(super) const AUDIO: &str = "\
v=0
o=alice-canary 2890844526 2890844526 IN IP4 198.51.100.1
s=Session
i=About it
c=IN IP4 198.51.100.1
b=AS:128
t=3034423619 3042462419
a=X-Session:kept
m=audio 49170 RTP/AVP 0 96 101
b=TIAS:96000
a=rtpmap:0 PCMU/8000
a=rtpmap:96 opus/48000/2
a=fmtp:96 useinbandfec=1
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=rtcp:49180
a=candidate:1 1 UDP 2130706431 198.51.100.1 49170 typ host
a=ice-ufrag:canary
a=ice-pwd:canarycanarycanarycanary
a=X-Unknown:\u{3c0}
a=ssrc:1 cname:x
a=sendrecv
";

pub(super) const ANSWER: &str = "\
v=0
o=bob-canary 1 5 IN IP4 198.51.100.99
s=-
c=IN IP4 198.51.100.99
t=0 0
m=audio 3456 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=ptime:30
";

#[test]
fn an_offer_crosses_with_our_origin_address_and_ports() {
    let mut call = Call::new(Mode::Anchored);
    insta::assert_snapshot!(shown(&call.offer(A, B, AUDIO).unwrap()), @r"
    v=0
    o=- 77422343148738951 1 IN IP4 203.0.113.20
    s=Session
    i=About it
    c=IN IP4 203.0.113.20
    b=AS:128
    t=3034423619 3042462419
    a=X-Session:kept
    m=audio 30000 RTP/AVP 0 96 101
    b=TIAS:96000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:96 opus/48000/2
    a=fmtp:96 useinbandfec=1
    a=rtpmap:101 telephone-event/8000
    a=fmtp:101 0-15
    a=ptime:20
    a=X-Unknown:π
    a=ssrc:1 cname:x
    a=sendrecv
    ");
}

#[test]
fn an_answer_crosses_with_our_origin_address_ports_and_the_time_of_the_offer() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    insta::assert_snapshot!(shown(&call.answer(B, A, ANSWER).unwrap()), @r"
    v=0
    o=- 1797772400223093621 1 IN IP4 192.0.2.10
    s=-
    c=IN IP4 192.0.2.10
    t=3034423619 3042462419
    m=audio 20000 RTP/AVP 0 101
    a=rtpmap:0 PCMU/8000
    a=rtpmap:101 telephone-event/8000
    a=ptime:30
    ");
}

#[test]
fn no_transport_detail_of_one_side_is_seen_on_the_other() {
    let mut call = Call::new(Mode::Anchored);
    let offer = call.offer(A, B, AUDIO).unwrap();
    let answer = call.answer(B, A, ANSWER).unwrap();
    for (text, canaries) in
        [(&offer, ["198.51.100.1", "4917", "canary"]), (&answer, ["198.51.100.99", "3456", "canary"])]
    {
        let text = shown(text);
        for canary in canaries {
            assert!(!text.contains(canary), "{canary} in\n{text}");
        }
    }
    assert_ne!(crate::call::sections::version(&offer), None);
    let session_id = |text: &[u8]| shown(text).split(' ').nth(1).unwrap().to_owned();
    assert_ne!(session_id(&offer), session_id(&answer));
}

#[test]
fn rfc3264_8_the_version_goes_up_by_one_when_the_text_changes_and_only_then() {
    let mut call = Call::established();
    let versions: Vec<_> = [AUDIO, AUDIO, &AUDIO.replace("ptime:20", "ptime:40"), AUDIO]
        .map(|text| {
            let offer = call.offer(A, B, text).unwrap();
            call.answer(B, A, ANSWER).unwrap();
            super::sections::version(&offer).unwrap()
        })
        .into();
    assert_eq!(versions, [1, 1, 2, 3]);
}

#[test]
fn rfc3264_8_an_offer_that_failed_counts_as_sent() {
    let mut call = Call::established();
    let changed = AUDIO.replace("ptime:20", "ptime:40");
    let failed = call.offer(A, B, &changed).unwrap();
    call.media.offer_failed(B);
    call.media.offer_failed(A);
    assert_eq!(super::sections::version(&failed), Some(2));
    let again = call.offer(A, B, &changed).unwrap();
    assert_eq!(again, failed);
    call.media.offer_failed(B);
    call.media.offer_failed(A);
    assert_eq!(super::sections::version(&call.offer(A, B, AUDIO).unwrap()), Some(3));
}

#[test]
fn an_answer_that_comes_again_changes_nothing() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    let early = call.answer(B, A, ANSWER).unwrap();
    call.commands.clear();
    assert_eq!(call.answer(B, A, ANSWER).unwrap(), early);
    assert!(call.commands.is_empty(), "{:?}", call.commands);
}

#[test]
fn an_answer_that_changes_in_the_2xx_is_taken() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    let early = call.answer(B, A, ANSWER).unwrap();
    let changed = call.answer(B, A, &ANSWER.replace("3456", "5678").replace("0 101", "101")).unwrap();
    assert_ne!(early, changed);
    assert_eq!(call.media.view(B).unwrap().streams[0].remote, Some("198.51.100.99:5678".parse().unwrap()));
}

#[test]
fn a_delayed_offer_goes_from_the_called_side_and_is_answered_in_the_ack() {
    let mut call = Call::new(Mode::Anchored);
    let offer = call.offer(B, A, &AUDIO.replace("alice", "bob")).unwrap();
    assert!(shown(&offer).contains("c=IN IP4 192.0.2.10\n"));
    let answer = call.answer(A, B, ANSWER).unwrap();
    assert!(shown(&answer).contains("c=IN IP4 203.0.113.20\n"));
    assert!(shown(&answer).contains("m=audio 30000 RTP/AVP 0 101\n"));
}

#[test]
fn an_offer_that_nobody_made_is_made_from_what_the_other_side_described() {
    let mut call = Call::established();
    let offer = call.media.compose_offer(A, B, &mut call.ports).unwrap();
    assert!(shown(&offer).contains("m=audio 20000 RTP/AVP 0 101\n"));
    call.media.receive_answer(A, wire(AUDIO).as_bytes()).unwrap();
}

#[test]
fn misuse_is_an_error_and_changes_nothing() {
    use crate::Misuse::*;
    let mut call = Call::new(Mode::Anchored);
    let ports = &mut call.ports;
    assert_eq!(call.media.receive_answer(A, wire(ANSWER).as_bytes()), Err(Refusal::Misuse(NoOffer)));
    assert_eq!(call.media.compose_answer(A, B, ports), Err(Refusal::Misuse(NoOffer)));
    assert_eq!(call.media.compose_offer(B, A, ports), Err(Refusal::Misuse(NothingDescribed)));
    assert_eq!(call.media.compose_offer(PartyId(9), A, ports), Err(Refusal::Misuse(UnknownParty)));
    call.media.receive_offer(A, wire(AUDIO).as_bytes()).unwrap();
    assert_eq!(call.media.receive_offer(A, wire(AUDIO).as_bytes()), Err(Refusal::Misuse(OfferPending)));
    assert_eq!(call.media.compose_answer(A, B, ports), Err(Refusal::Misuse(NothingDescribed)));
    call.media.compose_offer(B, A, ports).unwrap();
    assert_eq!(call.media.compose_offer(B, A, ports), Err(Refusal::Misuse(OfferPending)));
}

#[test]
fn refusals_have_a_status_and_a_warning() {
    let refused = |change: &dyn Fn(&str) -> String| {
        let refusal = Call::new(Mode::Anchored).offer(A, B, &change(AUDIO)).unwrap_err();
        (refusal.status(), refusal.warning().map(|warning| warning.code))
    };
    assert_eq!(refused(&|text| text.replace("v=0", "v=1")), (400, Some(399)));
    assert_eq!(refused(&|text| text.replace("c=IN IP4 198.51.100.1\n", "")), (400, Some(399)));
    assert_eq!(
        refused(&|text| text.replace("c=IN IP4 198.51.100.1", "c=IN IP4 host.example")),
        (488, Some(301))
    );
    assert_eq!(
        refused(&|text| text.replace("c=IN IP4 198.51.100.1", "c=IN IP6 2001:db8::1")),
        (488, Some(301))
    );
    assert_eq!(
        refused(&|text| text.replace("c=IN IP4 198.51.100.1", "c=IN IP4 233.252.0.1/127")),
        (488, Some(330))
    );
    assert_eq!(refused(&|text| format!("{text}c=IN IP4\n")), (488, Some(301)));
    let many = "m=audio 9 RTP/AVP 0\n".repeat(Limits::default().media);
    assert_eq!(refused(&|text| format!("{text}{many}")), (400, Some(399)));
}

#[test]
fn without_ports_nothing_is_offered_and_nothing_is_kept() {
    let narrow = MediaNetwork { ports: 30_000..=30_001, ..network(1, "203.0.113.20") };
    let mut call = Call::over(Mode::Anchored, [network(0, "192.0.2.10"), narrow]);
    let two = format!("{AUDIO}m=video 5000 RTP/AVP 99\n");
    let refusal = call.offer(A, B, &two).unwrap_err();
    assert_eq!(refusal, Refusal::Ports(crate::PortsError::Exhausted(NetworkId(1))));
    assert_eq!(refusal.status(), 503);
    call.drain();
    assert_eq!(call.ports.lent(), 0);
    call.media.offer_failed(A);
    assert!(call.offer(A, B, AUDIO).is_ok());
}
