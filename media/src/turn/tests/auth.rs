//! Who is let in.

use super::lab::*;
use crate::stun::*;
use crate::turn::credentials::{Login, mint};
use crate::turn::*;

fn unproven(lab: &Lab, credential: &str) -> u64 {
    lab.counters.read().unproven.iter().find(|(name, _)| *name == credential).unwrap().1
}

// conforms: RFC8656-5-1 RFC8656-7.2-1
#[test]
fn rfc8489_9_2_4_a_stranger_is_challenged_and_nothing_is_kept_of_it() {
    let mut lab = Lab::new();
    let ua = Ua::new("alice", lab.ua("nobody", 1_000).client, NOW + 60);
    let reply = lab.ask(&ua, ALLOCATE, &[UDP]);
    assert_eq!(reply.code(), 401);
    assert_eq!(reply.get(REALM).unwrap(), b"example.com");
    assert!(reply.get(NONCE).unwrap().starts_with(b"obMatJos2gAAA"));
    assert_eq!(reply.get(PASSWORD_ALGORITHMS).unwrap(), [0, 2, 0, 0, 0, 1, 0, 0]);
    assert!(reply.get(USERNAME).is_none() && reply.get(MESSAGE_INTEGRITY).is_none());
    assert!(lab.wires.open.is_empty() && lab.server.users.is_empty() && unproven(&lab, "absent") == 2);
    // Over UDP an answer is some five times as long as the shortest question: that is why there are so few (`unproven`).
    assert!(reply.0.len() <= 160, "{}", reply.0.len());
}

/// What a connection is kept open for that has no allocation.
#[test]
fn only_a_request_under_a_credential_proves_somebody() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    let bad = Ua { password: "guess".into(), ..ua.clone() };
    let late = Ua { nonce: ua.nonce.clone(), ..Ua::new("alice", ua.client, NOW) };
    for (message, proven) in [
        (Ua { nonce: None, ..ua.clone() }.request(ALLOCATE, &[UDP], [1; 12]), false),
        (bad.request(ALLOCATE, &[UDP], [1; 12]), false),
        (late.request(ALLOCATE, &[UDP], [1; 12]), false),
        (ua.request(REQUEST, &[], [1; 12]), false),
        (ua.request(INDICATION, &[], [1; 12]), false),
        (b"\x40\0\0\0".to_vec(), false),
        (b"GET / HTTP/1.1".to_vec(), false),
        (ua.request(ALLOCATE, &[], [1; 12]), true),
        (ua.request(ALLOCATE, &[UDP], [1; 12]), true),
    ] {
        assert_eq!(lab.server.receive(ua.client, &message, lab.now, &mut lab.wires), proven, "{message:?}");
    }
}

// conforms: RFC8656-7.2-2
#[test]
fn rfc8489_9_2_4_who_has_the_password_is_answered_under_it_by_either_algorithm() {
    let mut lab = Lab::new();
    for (modern, port) in [(false, 1_000), (true, 1_001)] {
        let ua = Ua { modern, ..lab.ua("alice", port) };
        let reply = lab.ask(&ua, ALLOCATE, &[UDP]);
        assert_eq!((reply.code(), reply.is_sealed(&ua.key())), (0, true));
        assert_eq!(reply.get(MESSAGE_INTEGRITY_SHA256).is_some(), modern);
        assert_eq!(reply.get(MESSAGE_INTEGRITY).is_some(), !modern);
        let refused = lab.ask(&ua, ALLOCATE, &[UDP]);
        assert_eq!((refused.code(), refused.is_sealed(&ua.key())), (437, true));
    }
}

#[test]
fn a_wrong_password_user_realm_or_secret_is_401() {
    let mut lab = Lab::new();
    let good = lab.ua("alice", 1_000);
    let other = mint("another secret entirely", "alice", NOW + 60).unwrap();
    let bad = [
        Ua { password: "guess".into(), ..good.clone() },
        Ua { username: good.username.replace("alice", "bob"), ..good.clone() },
        Ua { username: format!("9{}", good.username), ..good.clone() },
        Ua { username: "alice".into(), ..good.clone() },
        Ua { realm: "example.org".into(), ..good.clone() },
        Ua { username: other.username, password: other.password.as_str().into(), ..good.clone() },
    ];
    for ua in &bad {
        assert_eq!(lab.ask(ua, ALLOCATE, &[UDP]).code(), 401, "{}", ua.username);
    }
    assert_eq!((unproven(&lab, "wrong"), lab.wires.open.len()), (6, 0));
    assert_eq!(lab.ask(&good, ALLOCATE, &[UDP]).code(), 0);
}

#[test]
fn a_credential_that_is_over_makes_no_allocation_and_keeps_the_one_it_has_made() {
    let mut lab = Lab::new();
    let ua = Ua {
        nonce: lab.ua("alice", 1_000).nonce,
        ..Ua::new("alice", lab.ua("alice", 1_000).client, NOW + 30)
    };
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP]).code(), 0);
    lab.pass(30);
    assert_eq!(lab.ask(&ua, REFRESH, &[]).code(), 0);
    assert_eq!(lab.permit(&ua, MEDIA), 0);
    assert_eq!(lab.ask(&ua, REFRESH, &[(LIFETIME, &[0; 4])]).code(), 0);
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP]).code(), 401);
    assert_eq!(unproven(&lab, "expired"), 1);
}

#[test]
fn the_secret_before_is_taken_until_it_is_gone() {
    let mut lab = Lab::new();
    let (ua, _) = lab.allocated("alice", 1_000);
    let fresh = || zeroize::Zeroizing::new("the secret after that".to_owned());
    lab.adopt(|settings| settings.secrets.insert(0, fresh()));
    assert_eq!(lab.ask(&ua, REFRESH, &[]).code(), 0);
    lab.adopt(|settings| settings.secrets = vec![fresh()]);
    assert_eq!(lab.ask(&ua, REFRESH, &[]).code(), 401);
}

#[test]
fn a_nonce_is_good_for_its_client_and_its_time() {
    let mut lab = Lab::new();
    let mut ua = lab.ua("alice", 1_000);
    let elsewhere = Client { address: at("203.0.113.9:1000"), ..ua.client };
    assert_eq!(lab.ask(&Ua { client: elsewhere, ..ua.clone() }, ALLOCATE, &[UDP]).code(), 438);
    let made_up = Ua { nonce: Some(b"obMatJos2gAAA0123456789abcdef".to_vec()), ..ua.clone() };
    assert_eq!(lab.ask(&made_up, ALLOCATE, &[UDP]).code(), 438);
    lab.pass(600);
    let stale = lab.ask(&ua, ALLOCATE, &[UDP]);
    assert_eq!((stale.code(), stale.get(PASSWORD_ALGORITHMS).is_some()), (438, true));
    assert_eq!(stale.get(REALM).unwrap(), b"example.com");
    ua.nonce = stale.get(NONCE);
    assert_eq!(lab.ask(&ua, ALLOCATE, &[UDP]).code(), 0);
}

#[test]
fn rfc8489_9_2_4_what_is_missing_or_was_not_offered_is_400() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    for (left_out, chosen) in [
        (USERNAME, None),
        (REALM, None),
        (NONCE, None),
        (0, Some((None, Some(&[0u8, 2, 0, 0][..])))),
        (0, Some((Some(&[0u8, 2, 0, 0, 0, 1, 0, 0][..]), None))),
        (0, Some((Some(&[0, 1, 0, 0][..]), Some(&[0, 1, 0, 0][..])))),
        (0, Some((Some(&[0, 2, 0, 0, 0, 1, 0, 0][..]), Some(&[0, 9, 0, 0][..])))),
    ] {
        let (id, mut out) = (lab.id(), Vec::new());
        let mut writer = Writer::new(&mut out, ALLOCATE, &id);
        let nonce = ua.nonce.clone().unwrap();
        let all = [(USERNAME, ua.username.as_bytes()), (REALM, ua.realm.as_bytes()), (NONCE, &nonce)];
        for (kind, value) in all.into_iter().filter(|(kind, _)| *kind != left_out) {
            writer.attribute(kind, value);
        }
        if let Some((algorithms, algorithm)) = chosen {
            let chosen = [(PASSWORD_ALGORITHMS, algorithms), (PASSWORD_ALGORITHM, algorithm)];
            for (kind, value) in chosen.into_iter().filter_map(|(kind, value)| Some((kind, value?))) {
                writer.attribute(kind, value);
            }
        }
        writer.integrity(&key_of(&ua.key()));
        let reply = Reply(lab.give(ua.client, &out).unwrap());
        assert_eq!((reply.code(), reply.get(NONCE)), (400, None), "{left_out:x} {chosen:?}");
    }
}

#[test]
fn what_must_be_understood_and_is_not_is_420_and_named() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    // DONT-FRAGMENT among them (RFC 8656 §7.2).
    let reply = lab.ask(&ua, ALLOCATE, &[UDP, (0x001a, &[]), (0x7001, b"x"), (0x9001, b"y")]);
    assert_eq!((reply.code(), reply.get(UNKNOWN_ATTRIBUTES).unwrap()), (420, vec![0, 0x1a, 0x70, 1]));
    assert!(reply.is_sealed(&ua.key()));
}

#[test]
fn what_is_not_protected_is_not_read() {
    let mut lab = Lab::new();
    let ua = lab.ua("alice", 1_000);
    let mut request = ua.request(ALLOCATE, &[UDP], [1; 12]);
    let more = [0, 0x19, 0, 4, 6, 0, 0, 0, 0x70, 1, 0, 0];
    request.extend(more);
    let length = u16::try_from(request.len() - 20).unwrap().to_be_bytes();
    request[2..4].copy_from_slice(&length);
    assert_eq!(Reply(lab.give(ua.client, &request).unwrap()).code(), 0);
}

#[test]
fn a_source_without_proof_gets_so_many_answers_and_a_connection_any() {
    let mut lab = Lab::new();
    let ua = Ua::new("alice", lab.ua("x", 1_000).client, NOW + 60);
    let request = ua.request(ALLOCATE, &[UDP], [1; 12]);
    let answered = (0..100).filter(|_| lab.give(ua.client, &request).is_some()).count();
    assert_eq!((answered, lab.counters.read().limited), (19, 81));
    let elsewhere = Client { address: at("203.0.113.9:1000"), ..ua.client };
    assert!(lab.give(elsewhere, &request).is_some());
    let connected = Client { connection: Some(1), ..ua.client };
    assert!((0..100).all(|_| lab.give(connected, &request).is_some()));
    lab.pass(1);
    assert!(lab.give(ua.client, &request).is_some());
}

#[test]
fn a_binding_request_is_told_where_it_is_seen() {
    let mut lab = Lab::new();
    let ua = Ua::new("alice", lab.ua("x", 1_000).client, NOW + 60);
    let reply = Reply(lab.give(ua.client, &ua.request(REQUEST, &[], [1; 12])).unwrap());
    assert_eq!((reply.code(), reply.address(XOR_MAPPED_ADDRESS)), (0, Some(ua.client.address)));
    let mut marked = Vec::new();
    Writer::new(&mut marked, REQUEST, &[2; 12]).fingerprint();
    assert!(is_whole(&lab.give(ua.client, &marked).unwrap()));
    *marked.last_mut().unwrap() ^= 1;
    assert_eq!(lab.give(ua.client, &marked), None);
}

#[test]
fn a_username_is_an_end_and_a_user() {
    let read = |text: &str| Login::read(text.as_bytes()).map(|login| (login.expires, login.user.to_owned()));
    assert_eq!(read("1700000000:alice@example.com"), Some((NOW, "alice@example.com".into())));
    assert_eq!(read("1:a:b c"), Some((1, "a:b c".into())));
    let long = format!("1:{}", "a".repeat(507));
    for bad in [
        "",
        "alice",
        "1700000000",
        ":alice",
        "1:",
        "+1:a",
        "-1:a",
        "1:\u{e9}",
        "1:a\"",
        "99999999999999999999:a",
        &long,
    ] {
        assert_eq!(read(bad), None, "{bad:?}");
    }
    // printf 1700000000:alice | openssl dgst -sha1 -hmac north -binary | base64
    let minted = mint("north", "alice", 1_700_000_000).unwrap();
    assert_eq!(minted.username, "1700000000:alice");
    assert_eq!(minted.password.as_str(), "Cd/49soE35ICqcJF/bCTn8Z4OyE=");
    assert!(mint("north", "a\nb", 1).is_none());
}

/// Such as CHANGE-REQUEST (RFC 5780 §7.2), whose sender would take our answer for what it is not.
#[test]
fn rfc8489_6_3_1_a_binding_request_with_what_must_be_understood_and_is_not_is_420() {
    let mut lab = Lab::new();
    let ua = Ua { nonce: None, ..lab.ua("alice", 1_000) };
    let reply = lab.ask(&ua, REQUEST, &[(0x0003, &[0, 0, 0, 6])]);
    assert_eq!((reply.code(), reply.get(UNKNOWN_ATTRIBUTES).unwrap()), (420, vec![0, 3]));
    assert!(reply.get(NONCE).is_none() && reply.get(XOR_MAPPED_ADDRESS).is_none());
    assert_eq!(lab.ask(&ua, REQUEST, &[(LIFETIME, &[1])]).code(), 400);
    assert_eq!(lab.ask(&ua, REQUEST, &[(0x8022, b"optional")]).code(), 0);
    assert_eq!(lab.counters.read().bindings, 1);
    // As many as there are answers for a stranger, whatever they say.
    let asked = ua.request(REQUEST, &[(0x0003, &[0; 4])], [1; 12]);
    let answered = (0..40).filter(|_| lab.give(ua.client, &asked).is_some()).count();
    assert_eq!(answered, 16);
}
