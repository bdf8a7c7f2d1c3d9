//! Every kind of request of ours × every form of challenge (RFC 3261 §22; RFC 8760; RFC 7616).

mod proof;
mod table;

use super::every_request::{KINDS, Kind, next, sent};
use super::message::{Msg, field, find, start};
use super::ua::{PEER, Ua};
use crate::auth::aka::{Card, Operator};
use crate::auth::client::Acceptance;
use crate::auth::{Credential, Hash, Secret};
use crate::session::Parts;
use proof::{User, check, param};
use std::sync::Arc;
use table::{FOR_A_CARD, Form, MD5, OF_PROXY, Outcome, PROXY, USER, forms};

const ALICE: User<'static> = User { name: "alice", password: b"wonderland" };
/// RES of test set 1 of TS 35.207.
const JON: User<'static> = User { name: "jon", password: b"\xa5\x42\x11\xd5\xe3\xba\x50\xbf" };
/// What Python's hmac makes of RES, IK and CK of that set (RFC 4169 §2.1).
const JON_OF_V2: User<'static> = User { name: "jon", password: b"shzt3q8CWaZnCAWqs3WmEQ==" };

/// The card of that set.
fn card(sqn: u64) -> Secret {
    let k = 0x465b_5ce8_b199_b49f_aa5f_0a2e_e238_a6bc_u128.to_be_bytes();
    let op = 0xcdc2_02d5_123e_20f6_2b6d_676a_c72c_b318_u128.to_be_bytes();
    Secret::card(Arc::new(Card::new(k, Operator::Op(op), sqn)))
}

/// Who answers a challenge.
fn user_for(challenge: &str) -> User<'static> {
    match param(challenge, "algorithm").as_deref() {
        Some("AKAv1-MD5") => JON,
        Some("AKAv2-MD5") => JON_OF_V2,
        _ => ALICE,
    }
}

/// The response arrives; an INVITE's is acknowledged.
fn hear(ua: &mut Ua, request: &str, status: u16, challenges: &[(&str, &str)]) {
    let to = if field(request, "To").contains("tag=") { "" } else { "ch" };
    let response = Msg::response(request, status, to);
    ua.hear(&challenges.iter().fold(response, |msg, (name, value)| msg.with(name, value)));
    if start(request).starts_with("INVITE") {
        let ack = ua.sent.remove(0);
        assert_eq!(ack.what(), "ACK");
        assert_eq!(number(&ack.text), number(request));
    }
}

/// The shell grants what it has: a card for one realm, a password for all but two.
fn grant(ua: &mut Ua) {
    grant_with(ua, 0);
}

fn grant_with(ua: &mut Ua, sqn: u64) {
    while let Some(needed) = ua.secrets.pop() {
        let ours = needed.realms.into_iter().filter(|realm| !["foreign", "HOME"].contains(&&**realm));
        let credential = |realm: &str| match realm {
            "card" => Credential::new("jon", card(sqn)),
            _ => Credential::new("alice", Secret::password("wonderland")),
        };
        let granted = ours.map(|realm| (realm.clone(), Arc::new(credential(&realm)))).collect();
        ua.act(|e, now| e.handle_secret(now, needed.id, granted));
    }
}

/// Fields with credentials in what was sent since the last look.
fn shown(ua: &Ua) -> usize {
    ua.sent.iter().map(|sent| sent.text.matches("uthorization: ").count()).sum()
}

fn number(text: &str) -> u32 {
    field(text, "CSeq").split(' ').next().unwrap().parse().unwrap()
}

/// The fields with credentials, in order.
fn credentials(text: &str) -> Vec<(String, String)> {
    super::message::fields(text).into_iter().filter(|(name, _)| name.ends_with("uthorization")).collect()
}

/// Nothing more is shown, and the owner hears of it.
fn refused(ua: &Ua, case: &str) {
    assert_eq!(shown(ua), 0, "{case}");
    assert!(!ua.events.is_empty(), "{case}: its owner hears of it");
}

/// A request has gone out with answers to those challenges of the form, by place with qop, and no other.
fn answered(case: &str, first: &str, again: &str, form: &Form, answers: &[(usize, &str)]) {
    assert_eq!(number(again), number(first) + 1, "{case}");
    assert_eq!(start(again), start(first), "{case}");
    for same in ["Call-ID", "From", "To", "Max-Forwards"] {
        assert_eq!(field(first, same), field(again, same), "{case}");
    }
    assert_ne!(field(first, "Via"), field(again, "Via"), "{case}");
    assert_eq!(first.split_once("\r\n\r\n").unwrap().1, again.split_once("\r\n\r\n").unwrap().1, "{case}");
    let mut given = credentials(again);
    assert_eq!(given.len(), answers.len(), "{case}: {given:?}");
    for (at, qop) in answers {
        let (asks, challenge) = form.challenges[*at];
        let name = asks.replace("WWW-Authenticate", "Authorization").replace("Authenticate", "Authorization");
        let nonce = param(challenge, "nonce");
        let found = given.iter().position(|(n, value)| *n == name && param(value, "nonce") == nonce);
        let (_, value) = given.remove(found.unwrap_or_else(|| panic!("{case}: no {name} for {challenge}")));
        check(case, challenge, &value, &user_for(challenge), again, (qop, 1));
    }
}

// conforms: RFC3261-26.3.1-4
#[test]
fn every_request_meets_every_form_of_challenge() {
    let mut cases = 0;
    for kind in KINDS {
        for form in forms() {
            let case = format!("{kind:?}, {}", form.name);
            let acceptance = Acceptance { weakest: form.weakest, allow_without_qop: form.without_qop };
            let (mut ua, sid, first) = sent(kind, acceptance);
            hear(&mut ua, &first, form.status, form.challenges);
            grant(&mut ua);
            cases += 1;
            let Outcome::Answered(answers) = &form.outcome else {
                refused(&ua, &case);
                continue;
            };
            assert!(ua.events.is_empty(), "{case}");
            let again = ua.one().text;
            answered(&case, &first, &again, form, answers);
            if !matches!(kind, Kind::Invite | Kind::Reinvite) {
                continue;
            }
            // RFC 3261 §22.1: an ACK cannot be challenged and repeats what its INVITE showed.
            ua.hear(&Msg::response(&again, 200, "b1").contact(PEER));
            ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
            let ack = ua.one();
            assert_eq!((ack.what(), credentials(&ack.text)), ("ACK", credentials(&again)), "{case}");
        }
    }
    assert_eq!(cases, KINDS.len() * forms().count());
}

#[test]
fn rfc7616_3_3_every_request_goes_on_with_a_new_nonce_when_the_old_one_is_stale_and_is_refused_once() {
    for kind in KINDS {
        let (mut ua, _, first) = sent(kind, Acceptance::default());
        hear(&mut ua, &first, 401, &[(USER, MD5)]);
        grant(&mut ua);
        let second = ua.one().text;
        let stale = MD5.replace("n1", "n2") + ", stale=true";
        hear(&mut ua, &second, 401, &[(USER, &stale)]);
        grant(&mut ua);
        let third = ua.one().text;
        check(&format!("{kind:?}"), &stale, &field(&third, "Authorization"), &ALICE, &third, ("auth", 1));
        // Now the credentials themselves are refused.
        hear(&mut ua, &third, 401, &[(USER, &MD5.replace("n1", "n3"))]);
        grant(&mut ua);
        refused(&ua, &format!("{kind:?}"));
        assert_eq!(ua.endpoint.counters().challenges_refused, 1, "{kind:?}");
    }
}

// conforms: RFC3261-22.1-7
#[test]
fn rfc3261_22_1_no_request_shows_refused_credentials_again() {
    // The same challenge again, one with another nonce, and one that now asks for less.
    for again in [
        MD5,
        &MD5.replace("n1", "n2"),
        &MD5.replace("MD5", "MD5-sess"),
        "Digest realm=\"home\", nonce=\"n1\"",
    ] {
        for kind in KINDS {
            let case = format!("{kind:?}, {again}");
            let (mut ua, _, first) = sent(kind, Acceptance::default());
            hear(&mut ua, &first, 401, &[(USER, MD5)]);
            grant(&mut ua);
            let second = ua.one().text;
            hear(&mut ua, &second, 401, &[(USER, again)]);
            grant(&mut ua);
            refused(&ua, &case);
        }
    }
}

#[test]
fn a_nonce_that_is_called_stale_for_ever_is_given_up_by_every_request() {
    for kind in KINDS {
        let (mut ua, _, mut request) = sent(kind, Acceptance::default());
        let stale = MD5.to_owned() + ", stale=true";
        let mut rounds = 0;
        while ua.events.is_empty() {
            hear(&mut ua, &request, 401, &[(USER, &stale)]);
            grant(&mut ua);
            if ua.events.is_empty() {
                request = ua.one().text;
                rounds += 1;
            }
        }
        assert_eq!(rounds, ua.endpoint.settings().limits.rounds, "{kind:?}");
        refused(&ua, &format!("{kind:?}"));
    }
}

#[test]
fn rfc3261_22_3_every_request_passes_a_proxy_and_then_another_and_then_the_peer() {
    for kind in KINDS {
        let (mut ua, _, mut request) = sent(kind, Acceptance::default());
        let other = OF_PROXY.replace("\"proxy\"", "\"home\"");
        for (status, name, challenge) in [(407, PROXY, OF_PROXY), (407, PROXY, &other), (401, USER, MD5)] {
            hear(&mut ua, &request, status, &[(name, challenge)]);
            grant(&mut ua);
            request = ua.one().text;
        }
        let given = credentials(&request);
        assert_eq!(given.iter().filter(|(name, _)| name == "Proxy-Authorization").count(), 2, "{kind:?}");
        assert_eq!(given.len(), 3, "{kind:?}");
        let counts: Vec<_> = given.iter().filter_map(|(_, value)| param(value, "nc")).collect();
        assert_eq!(counts, ["00000003", "00000002", "00000001"], "{kind:?}: each nonce by its own count");
    }
}

#[test]
fn a_wrong_place_gets_nothing_for_any_request() {
    for kind in KINDS {
        let (mut ua, _, first) = sent(kind, Acceptance::default());
        hear(&mut ua, &first, 401, &[(USER, MD5)]);
        let needed = ua.secrets.remove(0);
        ua.act(|e, now| e.handle_secret(now, needed.id, Vec::new()));
        refused(&ua, &format!("{kind:?}"));
        assert_eq!(ua.endpoint.counters().challenges_refused, 1, "{kind:?}");
    }
}

/// How a 200 changes what the next request of the session shows: (Authentication-Info, nonce and count that come next).
const INFOS: [(&str, Option<(&str, u32)>); 5] = [
    ("", Some(("n1", 2))),
    ("qop=auth", Some(("n1", 2))),
    ("nextnonce=\"n9\"", Some(("n9", 1))),
    ("nextnonce=\"n,\\\"9\", qop=auth, nc=00000001", Some(("n,\"9", 1))),
    ("nextnonce=\"n9\", qop=auth, nc=00000001, rspauth=\"00112233445566778899aabbccddeeff\"", None),
];

// conforms: RFC7616-3.5-1
#[test]
fn rfc7616_3_5_the_next_request_goes_out_with_the_next_nonce_unasked() {
    for kind in KINDS {
        for (info, expected) in INFOS {
            let case = format!("{kind:?}, {info}");
            let (mut ua, sid, first) = sent(kind, Acceptance::default());
            hear(&mut ua, &first, 401, &[(USER, MD5)]);
            grant(&mut ua);
            let second = ua.one().text;
            let ok = Msg::response(&second, 200, "b1").contact(PEER);
            ua.hear(&if info.is_empty() { ok } else { ok.with("Authentication-Info", info) });
            assert_eq!(ua.endpoint.counters().impostors, u64::from(expected.is_none()), "{case}");
            let Some(next) = next(kind, &mut ua, sid) else { continue };
            let Some((nonce, count)) = expected else {
                assert_eq!(credentials(&next), [], "{case}: who does not know the secret sees no more");
                continue;
            };
            let value = field(&next, "Authorization");
            let challenge = MD5.replace("n1", &nonce.replace('"', "\\\""));
            check(&case, &challenge, &value, &ALICE, &next, ("auth", count));
        }
    }
}

// conforms: RFC3310-3.4-1
#[test]
fn rfc3310_3_4_every_request_may_bring_the_sequence_number_home() {
    for kind in KINDS {
        let case = format!("{kind:?}");
        let (mut ua, _, first) = sent(kind, Acceptance::default());
        hear(&mut ua, &first, 401, &[(USER, FOR_A_CARD)]);
        grant_with(&mut ua, 0xffff_ffff_ffff);
        let second = ua.one().text;
        let value = field(&second, "Authorization");
        assert_eq!(param(&value, "auts").map(|auts| auts.len()), Some(20), "{case}: 14 bytes");
        check(&case, FOR_A_CARD, &value, &User { password: b"", ..JON }, &second, ("auth", 1));
        // The home network has learned the number; a challenge that is old again is not answered.
        hear(&mut ua, &second, 401, &[(USER, FOR_A_CARD)]);
        grant_with(&mut ua, 0);
        let third = ua.one().text;
        check(&case, FOR_A_CARD, &field(&third, "Authorization"), &JON, &third, ("auth", 1));
    }
}

#[test]
fn rfc3261_22_1_a_cancel_carries_no_credentials_and_answers_no_challenge() {
    for form in forms() {
        let Outcome::Answered(_) = form.outcome else { continue };
        let acceptance = Acceptance { weakest: form.weakest, allow_without_qop: form.without_qop };
        let (mut ua, sid, first) = sent(Kind::Invite, acceptance);
        hear(&mut ua, &first, form.status, form.challenges);
        grant(&mut ua);
        let second = ua.one().text;
        ua.hear(&Msg::response(&second, 180, "b1").contact(PEER));
        ua.end(sid);
        let cancel = ua.one().text;
        assert!(start(&cancel).starts_with("CANCEL"));
        assert_eq!(credentials(&cancel), [], "{}", form.name);
        let response = Msg::response(&cancel, form.status, "");
        ua.hear(&form.challenges.iter().fold(response, |msg, (name, value)| msg.with(name, value)));
        assert!(ua.secrets.is_empty() && ua.sent.is_empty(), "{}", form.name);
    }
}

#[test]
fn the_ack_shows_nothing_to_a_contact_elsewhere() {
    for (contact, repeats) in [(PEER, true), ("192.0.2.99:5060", false)] {
        let (mut ua, sid, first) = sent(Kind::Invite, Acceptance::default());
        hear(&mut ua, &first, 401, &[(USER, MD5)]);
        grant(&mut ua);
        let second = ua.one().text;
        ua.hear(&Msg::response(&second, 200, "b1").contact(contact));
        ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
        let ack = ua.one().text;
        assert_eq!(find(&ack, "Authorization").is_some(), repeats, "{contact}");
    }
}

#[test]
fn the_credential_may_ask_for_more_than_the_profile() {
    for kind in KINDS {
        let (mut ua, _, first) = sent(kind, Acceptance::default());
        hear(&mut ua, &first, 401, &[(USER, MD5)]);
        let needed = ua.secrets.remove(0);
        let alice = Credential::new("alice", Secret::password("wonderland"));
        let strict = Credential { weakest: Hash::Sha256, ..alice };
        ua.act(|e, now| e.handle_secret(now, needed.id, vec![("home".into(), Arc::new(strict))]));
        refused(&ua, &format!("{kind:?}"));
    }
}
