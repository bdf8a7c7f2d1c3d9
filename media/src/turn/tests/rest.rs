//! What is given back, and who may have how much of it how soon.

use super::lab::*;
use crate::turn::*;

fn end(lab: &mut Lab, ua: &Ua) {
    assert_eq!(lab.ask(ua, REFRESH, &[(LIFETIME, &[0; 4])]).code(), 0);
}

/// A call may go on sending to a port whose client has gone, and a permission is for all of our media.
#[test]
fn a_port_rests_before_another_allocation_gets_it() {
    let change = |settings: &mut Settings| {
        (settings.nonce_lifetime, settings.lifetime) = (3_600, 3_600);
        settings.relayed.ports = 50_000..=50_001;
    };
    let mut lab = Lab::with(change);
    let (alice, first) = lab.allocated("alice", 1_000);
    end(&mut lab, &alice);
    let (bob, second) = lab.allocated("bob", 1_001);
    assert_ne!(second, first);
    lab.pass(10);
    end(&mut lab, &bob);
    let mallory = lab.ua("mallory", 1_002);
    lab.pass(349);
    assert_eq!(lab.ask(&mallory, ALLOCATE, &[UDP]).code(), 508);
    let refused = lab.counters.read().refused;
    assert_eq!(refused.iter().find(|(code, _)| *code == "508").unwrap().1, 1);
    lab.pass(1);
    let reply = lab.ask(&mallory, ALLOCATE, &[UDP]);
    assert_eq!(reply.address(XOR_RELAYED_ADDRESS).unwrap().port(), first);
    // As the configuration says as of now.
    let another = lab.ua("bob", 1_003);
    assert_eq!(lab.ask(&another, ALLOCATE, &[UDP]).code(), 508);
    lab.adopt(|settings| {
        change(settings);
        settings.quarantine = 0;
    });
    let reply = lab.ask(&another, ALLOCATE, &[UDP]);
    assert_eq!(reply.address(XOR_RELAYED_ADDRESS).unwrap().port(), second);
}

#[test]
fn a_reserved_port_rests_too() {
    let mut lab = Lab::with(|settings| settings.relayed.ports = 50_000..=50_001);
    let ua = lab.ua("alice", 1_000);
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP, (EVEN_PORT, &[0x80])]).code(), 0);
    lab.pass(30);
    assert_eq!(lab.wires.open.len(), 1);
    let bob = lab.ua("bob", 1_001);
    assert_eq!(lab.ask(&bob, ALLOCATE, &[UDP]).code(), 508);
    lab.pass(360);
    let bob = lab.ua("bob", 1_002);
    assert_eq!(lab.ask(&bob, ALLOCATE, &[UDP]).code(), 0);
}

#[test]
fn a_user_begins_so_many_allocations_at_once_and_in_a_second_however_short_they_are() {
    let mut lab = Lab::new();
    for port in 1_000..1_006 {
        let (ua, _) = lab.allocated("alice", port);
        end(&mut lab, &ua);
        // Who has nothing is not forgotten at once.
        lab.pass(0);
    }
    let more = lab.ua("alice", 2_000);
    assert_eq!(lab.ask(&more, ALLOCATE, &[UDP]).code(), 486);
    lab.allocated("bob", 2_001);
    lab.now.millis += 999;
    assert_eq!(lab.ask(&more, ALLOCATE, &[UDP]).code(), 486);
    lab.now.millis += 1;
    assert_eq!(lab.ask(&more, ALLOCATE, &[UDP, (EVEN_PORT, &[0x80])]).code(), 486);
    assert_eq!(lab.ask(&more, ALLOCATE, &[UDP]).code(), 0);
    lab.pass(600);
    assert!(lab.server.users.is_empty());
}

#[test]
fn bytes_are_not_had_again_by_ending_everything() {
    let mut lab = Lab::with(|settings| settings.limits.rate = Some(3_000));
    let (ua, _) = lab.allocated("alice", 1_000);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    lab.send(&ua, MEDIA, &[0; 3_000]);
    end(&mut lab, &ua);
    lab.pass(0);
    let (ua, _) = lab.allocated("alice", 1_001);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    lab.send(&ua, MEDIA, b"more");
    assert_eq!((lab.wires.to_peers.len(), lab.dropped("over_rate")), (1, 1));
}

/// Whoever has begun nothing for long has all that it may have, in bytes as well.
#[test]
fn a_user_is_forgotten_once_nothing_is_known_of_it() {
    let mut lab = Lab::with(|settings| settings.limits.rate = Some(3_000));
    let (ua, _) = lab.allocated("alice", 1_000);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    lab.pass(60);
    lab.send(&ua, MEDIA, &[0; 3_000]);
    end(&mut lab, &ua);
    lab.now.millis += 999;
    lab.pass(0);
    assert!(lab.server.users.contains_key("alice"));
    lab.now.millis += 1;
    lab.pass(0);
    assert!(lab.server.users.is_empty());
}
