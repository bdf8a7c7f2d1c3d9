//! Our client, against our server and against made-up answers.

use zeroize::Zeroizing;

use super::lab::{Lab, NOW, SECRET, at};
use crate::stun::{ERROR_CODE, NONCE, REALM, SUCCESS, TO_ERROR, Writer, header};
use crate::turn::client::{Client, Event, Failure, Login};
use crate::turn::credentials::mint;
use crate::turn::{ALLOCATE, CHANNEL_BIND, Client as Seen};

const US: &str = "203.0.113.7:30000";
const PEER: &str = "198.51.100.9:4000";

fn login(user: &str) -> Login {
    let minted = mint(SECRET, user, NOW + 86_400).unwrap();
    Login { username: minted.username.into(), password: minted.password }
}

fn seen() -> Seen {
    Seen { listener: 0, connection: None, address: at(US) }
}

/// Carries what is said until both are silent; what the client has told.
fn talk(lab: &mut Lab, client: &mut Client) -> Vec<Event> {
    for _ in 0..50 {
        let Some(octets) = client.poll_transmit() else { break };
        if let Some(answer) = lab.give(seen(), &octets) {
            client.handle(&answer, lab.now.millis);
        }
    }
    std::iter::from_fn(|| client.poll_event()).collect()
}

fn begun() -> (Lab, Client) {
    let mut lab = Lab::new();
    let mut client = Client::new(Some(login("ann")), false, &[3; 32], lab.now.millis);
    let events = talk(&mut lab, &mut client);
    assert!(events.contains(&Event::Mapped(at(US))), "{events:?}");
    assert!(events.iter().any(|event| matches!(event, Event::Allocated(_))));
    (lab, client)
}

/// Lets a time pass in which the server is heard.
fn pass(lab: &mut Lab, client: &mut Client, seconds: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..seconds {
        lab.pass(1);
        client.handle_timeout(lab.now.millis);
        events.extend(talk(lab, client));
    }
    events
}

// conforms: RFC8656-7.1-1 RFC8656-8-1
#[test]
fn rfc8656_7_an_allocation_is_got_with_proof_and_kept_over_hours() {
    let (mut lab, mut client) = begun();
    let relayed = client.relayed().unwrap();
    // Nonces of the server last 10 minutes: 438 comes on the way.
    let events = pass(&mut lab, &mut client, 7_200);
    assert_eq!(events, Vec::new());
    assert_eq!(client.relayed(), Some(relayed));
    assert!(lab.server.serves(seen()));
    client.end(lab.now.millis);
    talk(&mut lab, &mut client);
    assert!(!lab.server.serves(seen()), "given back");
    assert_eq!(client.deadline(), None);
}

// conforms: RFC8445-7.2.1-1,2,3 RFC8656-12-2
#[test]
fn rfc8656_12_a_peer_is_reached_by_a_channel_that_lasts() {
    let (mut lab, mut client) = begun();
    client.send(at(PEER), b"first", lab.now.millis);
    client.send(at(PEER), b"second", lab.now.millis);
    let events = talk(&mut lab, &mut client);
    assert_eq!(events, vec![Event::Bound(0x4000, at(PEER))]);
    assert_eq!(client.peer(0x4000), Some(at(PEER)));
    let relayed = client.relayed().unwrap().port();
    // What was to be sent before it was bound: the last of it.
    assert_eq!(lab.wires.to_peers, vec![(relayed, at(PEER), b"second".to_vec())]);
    assert_eq!(pass(&mut lab, &mut client, 3_600), Vec::new());
    lab.wires.to_peers.clear();
    client.send(at(PEER), b"an hour later", lab.now.millis);
    talk(&mut lab, &mut client);
    assert_eq!(lab.wires.to_peers.len(), 1);
}

// conforms: RFC8656-12.1-1
#[test]
fn a_peer_that_the_server_bars_is_told() {
    let (mut lab, mut client) = begun();
    client.reach(at("10.0.0.1:4000"), lab.now.millis);
    assert_eq!(talk(&mut lab, &mut client), vec![Event::Barred(at("10.0.0.1:4000"))]);
    // Of another family there is no way at all.
    client.reach(at("[2001:db8::1]:4000"), lab.now.millis);
    assert_eq!(client.poll_transmit(), None);
}

#[test]
fn rfc8489_9_2_5_wrong_credentials_are_told_after_one_try() {
    let mut lab = Lab::new();
    let wrong = Login { password: Zeroizing::new("wrong".to_owned()), ..login("ann") };
    let mut client = Client::new(Some(wrong), false, &[3; 32], lab.now.millis);
    assert_eq!(talk(&mut lab, &mut client), vec![Event::Over(Failure::Unauthorized)]);
}

// conforms: RFC8656-7.4-2
#[test]
fn rfc8656_19_a_quota_is_told_with_its_code() {
    let mut lab = Lab::with(|settings| settings.limits.per_user = 0);
    let mut client = Client::new(Some(login("ann")), false, &[3; 32], lab.now.millis);
    assert_eq!(talk(&mut lab, &mut client), vec![Event::Over(Failure::Refused(486))]);
}

#[test]
fn rfc8656_7_4_an_allocation_from_before_is_ended_first() {
    let (mut lab, _before) = begun();
    let mut client = Client::new(Some(login("ann")), false, &[4; 32], lab.now.millis);
    let events = talk(&mut lab, &mut client);
    assert!(events.iter().any(|event| matches!(event, Event::Allocated(_))), "{events:?}");
}

#[test]
fn a_server_that_is_silent_is_given_up_after_some_seconds() {
    for login in [Some(login("ann")), None] {
        let mut client = Client::new(login, false, &[3; 32], 0);
        let mut sent = 0;
        for now in 0..=3_500 {
            client.handle_timeout(now);
            sent += std::iter::from_fn(|| client.poll_transmit()).count();
        }
        assert_eq!((sent, client.poll_event()), (3, Some(Event::Over(Failure::Silent))));
    }
}

#[test]
fn a_server_that_dies_later_is_found_out() {
    let (lab, mut client) = begun();
    let end = lab.now.millis + 19_000;
    for now in lab.now.millis..end {
        client.handle_timeout(now);
        while client.poll_transmit().is_some() {}
    }
    assert_eq!(client.poll_event(), Some(Event::Over(Failure::Silent)));
    assert_eq!(client.relayed(), None);
}

#[test]
fn rfc8489_9_2_5_answers_without_proof_count_for_nothing() {
    let (lab, mut client) = begun();
    client.reach(at(PEER), lab.now.millis);
    let request = client.poll_transmit().unwrap();
    let (kind, id) = header(&request).unwrap();
    assert_eq!(kind, CHANNEL_BIND);
    for kind in [CHANNEL_BIND | 0x0100, CHANNEL_BIND | TO_ERROR] {
        let mut forged = Vec::new();
        Writer::new(&mut forged, kind, id).error(403, "Forbidden").fingerprint();
        client.handle(&forged, lab.now.millis);
        assert_eq!(client.poll_event(), None);
    }
    // A challenge has none, and leads to another request at the most.
    let mut challenge = Vec::new();
    let mut writer = Writer::new(&mut challenge, CHANNEL_BIND | TO_ERROR, id);
    writer
        .error(438, "Stale Nonce")
        .attribute(REALM, b"example.com")
        .attribute(NONCE, b"other")
        .fingerprint();
    client.handle(&challenge, lab.now.millis);
    assert_eq!(client.poll_event(), None);
    assert!(client.poll_transmit().is_some());
}

#[test]
fn a_server_that_asks_for_no_proof_is_not_believed() {
    let mut client = Client::new(Some(login("ann")), false, &[3; 32], 0);
    let request = client.poll_transmit().unwrap();
    let (kind, id) = header(&request).unwrap();
    assert_eq!(kind, ALLOCATE);
    let mut answer = Vec::new();
    let mut writer = Writer::new(&mut answer, ALLOCATE | 0x0100, id);
    writer.address(crate::turn::XOR_RELAYED_ADDRESS, at("192.0.2.1:50000")).fingerprint();
    client.handle(&answer, 0);
    assert_eq!(client.poll_event(), Some(Event::Over(Failure::Malformed)));
}

#[test]
fn endless_challenges_end() {
    let mut client = Client::new(Some(login("ann")), false, &[3; 32], 0);
    for turn in 0u8..10 {
        let Some(request) = client.poll_transmit() else { break };
        let (kind, id) = header(&request).unwrap();
        let mut answer = Vec::new();
        let mut writer = Writer::new(&mut answer, kind | TO_ERROR, id);
        writer.attribute(ERROR_CODE, &[0, 0, 4, 38]);
        writer.attribute(REALM, b"example.com").attribute(NONCE, &[b'a' + turn]).fingerprint();
        client.handle(&answer, 0);
    }
    assert_eq!(client.poll_event(), Some(Event::Over(Failure::Unauthorized)));
}

// conforms: RFC8445-5.1.1.2-1 RFC8445-5.1.1.4-1,2
#[test]
fn rfc8489_3_a_stun_server_says_where_we_are_seen_and_is_asked_again() {
    let mut client = Client::new(None, false, &[3; 32], 0);
    let answer = |client: &mut Client, port: u16, now: u64| {
        let request = client.poll_transmit().unwrap();
        let mut answer = Vec::new();
        let mut writer = Writer::new(&mut answer, SUCCESS, header(&request).unwrap().1);
        writer.address(crate::stun::XOR_MAPPED_ADDRESS, at(&format!("192.0.2.1:{port}"))).fingerprint();
        client.handle(&answer, now);
        client.poll_event()
    };
    assert_eq!(answer(&mut client, 5, 0), Some(Event::Mapped(at("192.0.2.1:5"))));
    client.handle_timeout(15_000);
    assert_eq!(answer(&mut client, 5, 15_010), None, "nothing new");
    client.handle_timeout(30_000);
    assert_eq!(answer(&mut client, 6, 30_010), Some(Event::Mapped(at("192.0.2.1:6"))));
}

// conforms: RFC8656-5-5
#[test]
fn a_refresh_that_is_refused_ends_it() {
    let (mut lab, mut client) = begun();
    // The server has forgotten, as one that was started anew has: 437 (RFC 8656 §8.3).
    lab.server.closed(seen(), lab.now, &mut lab.wires);
    let mut events = Vec::new();
    for _ in 0..601 {
        lab.now.millis += 1_000;
        client.handle_timeout(lab.now.millis);
        events.extend(talk(&mut lab, &mut client));
    }
    assert_eq!(events, vec![Event::Over(Failure::Refused(437))]);
}

#[test]
fn one_that_is_ended_while_the_server_is_silent_has_nothing_due_that_it_does_not_do() {
    let (lab, mut client) = begun();
    let mut now = lab.now.millis + 539_000;
    client.end(now);
    while let Some(due) = client.deadline() {
        assert!(due > now || now == lab.now.millis + 539_000, "{due} is due for ever");
        now = now.max(due);
        client.handle_timeout(now);
        while client.poll_transmit().is_some() {}
    }
    assert!(client.is_over());
}
