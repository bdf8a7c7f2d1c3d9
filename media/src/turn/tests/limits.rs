//! What there is a bound for, and the answer at it.

use super::lab::*;
use crate::turn::*;

#[test]
fn a_user_has_so_many_allocations_and_others_have_theirs() {
    let mut lab = Lab::new();
    let held: Vec<_> = (1_000..1_003).map(|port| lab.allocated("alice", port)).collect();
    let more = lab.ua("alice", 1_003);
    assert_eq!(lab.ask(&more, ALLOCATE, &[UDP]).code(), 486);
    lab.allocated("bob", 1_004);
    assert_eq!(lab.ask(&held[0].0, REFRESH, &[(LIFETIME, &[0; 4])]).code(), 0);
    assert_eq!(lab.ask(&more, ALLOCATE, &[UDP]).code(), 0);
}

#[test]
fn another_end_of_the_credential_is_no_other_user() {
    let mut lab = Lab::new();
    for port in 1_000..1_003 {
        lab.allocated("alice", port);
    }
    let challenged = lab.ua("alice", 1_003);
    let later = Ua { nonce: challenged.nonce, ..Ua::new("alice", challenged.client, NOW + 9_999) };
    assert_eq!(lab.ask(&later, ALLOCATE, &[UDP]).code(), 486);
}

// conforms: RFC8656-6-1
#[test]
fn all_users_together_have_so_many_allocations_and_as_many_as_there_are_ports() {
    let mut lab = Lab::new();
    let users = ["a", "b", "c", "d", "e", "f", "g", "h"];
    users.iter().zip(1_000..).for_each(|(user, port)| drop(lab.allocated(user, port)));
    let more = lab.ua("i", 2_000);
    assert_eq!(lab.ask(&more, ALLOCATE, &[UDP]).code(), 508);

    let mut lab = Lab::with(|settings| settings.relayed.ports = 50_000..=50_003);
    lab.wires.taken = [50_001, 50_002].into();
    users.iter().take(2).zip(1_000..).for_each(|(user, port)| drop(lab.allocated(user, port)));
    let more = lab.ua("i", 2_000);
    assert_eq!(lab.ask(&more, ALLOCATE, &[UDP]).code(), 508);
    assert_eq!(lab.wires.open, [50_000, 50_003].into());
}

#[test]
fn a_pair_needs_both_ports() {
    let mut lab = Lab::with(|settings| settings.relayed.ports = 50_000..=50_003);
    lab.wires.taken = [50_001].into();
    let ua = lab.ua("alice", 1_000);
    let reply = lab.ask(&ua, ALLOCATE, &[UDP, (EVEN_PORT, &[0x80])]);
    assert_eq!((reply.code(), reply.address(XOR_RELAYED_ADDRESS).unwrap().port()), (0, 50_002));
    let more = lab.ua("bob", 1_001);
    assert_eq!(lab.ask(&more, ALLOCATE, &[UDP, (EVEN_PORT, &[0x80])]).code(), 508);
    assert_eq!(lab.wires.open, [50_002, 50_003].into());
}

#[test]
fn an_allocation_has_so_many_permissions_and_channels() {
    let mut lab = Lab::new();
    let (ua, _) = lab.allocated("alice", 1_000);
    for n in 1..=4 {
        assert_eq!(lab.permit(&ua, &format!("198.51.100.{n}:1")), 0);
    }
    assert_eq!(lab.permit(&ua, "198.51.100.5:1"), 508);
    assert_eq!(lab.permit(&ua, "198.51.100.4:1"), 0);
    assert_eq!(lab.bind(&ua, 0x4000, "198.51.100.5:1"), 508);
    for n in 0..4 {
        assert_eq!(lab.bind(&ua, 0x4000 + n, &format!("198.51.100.1:{}", 10 + n)), 0);
    }
    assert_eq!(lab.bind(&ua, 0x4004, "198.51.100.1:20"), 508);
    lab.pass(300);
    assert_eq!(lab.permit(&ua, "198.51.100.5:1"), 0);
}

#[test]
fn a_user_sends_and_gets_so_many_bytes_in_a_second() {
    let mut lab = Lab::with(|settings| settings.limits.rate = Some(3_000));
    let (ua, port) = lab.allocated("alice", 1_000);
    let (other, _) = lab.allocated("alice", 1_001);
    assert_eq!((lab.permit(&ua, MEDIA), lab.permit(&other, MEDIA)), (0, 0));
    lab.send(&ua, MEDIA, &[0; 1_000]);
    lab.send(&other, MEDIA, &[0; 1_000]);
    assert!(lab.arrives(port, MEDIA, &[0; 1_000]).is_some());
    assert!(lab.arrives(port, MEDIA, &[0; 1_000]).is_none());
    lab.send(&ua, MEDIA, &[0; 1_000]);
    assert_eq!((lab.wires.to_peers.len(), lab.dropped("over_rate")), (2, 2));
    lab.now.millis += 500;
    lab.send(&ua, MEDIA, &[0; 1_000]);
    assert_eq!(lab.wires.to_peers.len(), 3);
}
