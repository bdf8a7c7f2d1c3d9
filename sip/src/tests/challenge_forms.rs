//! Every kind of request of ours × every form of challenge (RFC 3261 §22; RFC 8760; RFC 7616).

use super::message::{Msg, field, find, start};
use super::ua::{PEER, Ua};
use crate::auth::{Credential, Secret};
use crate::session::{Parts, SessionId};
use std::sync::Arc;

/// The methods of our requests: what makes, changes and ends a session, and what is carried in it.
const METHODS: [&str; 6] = ["INVITE", "re-INVITE", "BYE", "INFO", "MESSAGE", "FROBNICATE"];

const USER: &str = "WWW-Authenticate";
const PROXY: &str = "Proxy-Authenticate";

/// What a challenge comes to.
enum Outcome {
    /// The request goes out again with these fields, each with these texts in it.
    Answered(&'static [(&'static str, &'static [&'static str])]),
    /// Nothing is shown.
    Refused,
}
use Outcome::{Answered, Refused};

/// A status, its challenges, and what becomes of it.
type Form = (&'static str, u16, &'static [(&'static str, &'static str)], Outcome);

const MD5: &str = r#"Digest realm="home", nonce="n1", algorithm=MD5, qop="auth""#;
const SHA: &str = r#"Digest realm="home", nonce="n1", algorithm=SHA-256, qop="auth""#;
const OF_PROXY: &str = r#"Digest realm="proxy", nonce="p1", algorithm=MD5, qop="auth""#;

const FORMS: &[Form] = &[
    (
        "401",
        401,
        &[(USER, MD5)],
        Answered(&[("Authorization", &["realm=\"home\"", "nc=00000001", "qop=auth"])]),
    ),
    (
        "407",
        407,
        &[(PROXY, OF_PROXY)],
        Answered(&[("Proxy-Authorization", &["realm=\"proxy\"", "nonce=\"p1\""])]),
    ),
    (
        "both in one response",
        407,
        &[(PROXY, OF_PROXY), (USER, MD5)],
        Answered(&[("Proxy-Authorization", &["realm=\"proxy\""]), ("Authorization", &["realm=\"home\""])]),
    ),
    (
        "strongest of two",
        401,
        &[(USER, MD5), (USER, SHA)],
        Answered(&[("Authorization", &["algorithm=SHA-256"])]),
    ),
    (
        "SHA-512-256",
        401,
        &[(
            USER,
            r#"Digest realm="home", nonce="n", algorithm=SHA-512-256, qop="auth", userhash=true, charset=UTF-8"#,
        )],
        Answered(&[("Authorization", &["algorithm=SHA-512-256", "userhash=true"])]),
    ),
    (
        "auth-int only",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=SHA-256, qop="auth-int""#)],
        Answered(&[("Authorization", &["qop=auth-int"])]),
    ),
    (
        "both qualities",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", qop="auth-int,auth", opaque="o,\"1""#)],
        Answered(&[("Authorization", &["qop=auth,", r#"opaque="o,\"1""#])]),
    ),
    (
        "a session",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=MD5-sess, qop="auth""#)],
        Answered(&[("Authorization", &["algorithm=MD5-sess"])]),
    ),
    (
        "an unknown algorithm beside a known one",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=SHA3-256, qop="auth""#), (USER, MD5)],
        Answered(&[("Authorization", &["algorithm=MD5"])]),
    ),
    (
        "an unknown scheme beside a known one",
        401,
        &[
            (USER, r#"Bearer realm="home", authz_server="https://a""#),
            (USER, r#"Basic realm="home""#),
            (USER, MD5),
        ],
        Answered(&[("Authorization", &["algorithm=MD5"])]),
    ),
    (
        "a foreign realm beside ours",
        401,
        &[(USER, r#"Digest realm="foreign", nonce="f", qop="auth""#), (USER, MD5)],
        Answered(&[("Authorization", &["realm=\"home\""])]),
    ),
    (
        "what is malformed beside a good one",
        401,
        &[(USER, "Digest realm=\"home"), (USER, "Digest"), (USER, ""), (USER, MD5)],
        Answered(&[("Authorization", &["realm=\"home\""])]),
    ),
    ("a foreign realm", 401, &[(USER, r#"Digest realm="foreign", nonce="f", qop="auth""#)], Refused),
    ("a realm in another case", 401, &[(USER, r#"Digest realm="HOME", nonce="f", qop="auth""#)], Refused),
    ("no qop", 401, &[(USER, r#"Digest realm="home", nonce="n""#)], Refused),
    ("an unknown qop", 401, &[(USER, r#"Digest realm="home", nonce="n", qop="auth-conf""#)], Refused),
    (
        "an unknown algorithm",
        401,
        &[(USER, r#"Digest realm="home", nonce="n", algorithm=ROT13, qop="auth""#)],
        Refused,
    ),
    (
        "a card's",
        401,
        &[(USER, r#"Digest realm="home", nonce="bm9uY2U=", algorithm=AKAv1-MD5, qop="auth""#)],
        Refused,
    ),
    ("Basic", 401, &[(USER, r#"Basic realm="home""#)], Refused),
    ("no realm", 401, &[(USER, r#"Digest nonce="n", qop="auth""#)], Refused),
    ("no nonce", 401, &[(USER, r#"Digest realm="home", qop="auth""#)], Refused),
    ("malformed", 401, &[(USER, "Digest realm=\"home\" nonce=\"n\"")], Refused),
    ("no challenge", 401, &[], Refused),
];

/// A request of ours that waits for its response.
fn sent(method: &str) -> (Ua, SessionId, String) {
    let mut ua = Ua::udp();
    if method == "INVITE" {
        let sid = ua.invite(&format!("sip:bob@{PEER}"), Parts::default());
        let text = ua.one().text;
        return (ua, sid, text);
    }
    let (sid, _) = ua.called();
    match method {
        "BYE" => ua.end(sid),
        "re-INVITE" => ua.act(|e, now| e.reinvite(now, sid, Parts::default())).unwrap(),
        other => {
            let method = other.parse().unwrap();
            ua.act(|e, now| e.request(now, sid, method, 70, Parts::default())).unwrap();
        }
    }
    let text = ua.one().text;
    (ua, sid, text)
}

/// The response arrives; an INVITE's is acknowledged.
fn hear(ua: &mut Ua, request: &str, status: u16, challenges: &[(&str, &str)]) {
    let to = if field(request, "To").contains("tag=") { "" } else { "ch" };
    let response = Msg::response(request, status, to);
    ua.hear(&challenges.iter().fold(response, |msg, (name, value)| msg.with(name, value)));
    if start(request).starts_with("INVITE") {
        assert_eq!(ua.sent.remove(0).what(), "ACK");
    }
}

/// The shell grants what it has: for two realms.
fn grant(ua: &mut Ua) {
    while let Some(needed) = ua.secrets.pop() {
        let ours = needed.realms.into_iter().filter(|realm| ["home", "proxy"].contains(&&**realm));
        let credential = || Arc::new(Credential::new("alice", Secret::password("wonderland")));
        let granted = ours.map(|realm| (realm, credential())).collect();
        ua.act(|e, now| e.handle_secret(now, needed.id, granted));
    }
}

fn shown(ua: &Ua) -> usize {
    ua.sent.iter().filter(|sent| sent.text.contains("uthorization: ")).count()
}

fn number(text: &str) -> u32 {
    field(text, "CSeq").split(' ').next().unwrap().parse().unwrap()
}

// conforms: RFC3261-26.3.1-4
#[test]
fn every_request_meets_every_form_of_challenge() {
    for method in METHODS {
        for (name, status, challenges, outcome) in FORMS {
            let case = format!("{method}, {name}");
            let (mut ua, _, first) = sent(method);
            hear(&mut ua, &first, *status, challenges);
            grant(&mut ua);
            let Answered(fields) = outcome else {
                assert_eq!(shown(&ua), 0, "{case}");
                assert!(!ua.events.is_empty(), "{case}: its owner hears of it");
                continue;
            };
            assert!(ua.events.is_empty(), "{case}");
            let again = ua.one().text;
            assert_eq!(number(&again), number(&first) + 1, "{case}");
            for same in ["Call-ID", "From", "To", "Max-Forwards"] {
                assert_eq!(field(&first, same), field(&again, same), "{case}");
            }
            assert_ne!(field(&first, "Via"), field(&again, "Via"), "{case}");
            assert_eq!(again.matches("uthorization: ").count(), fields.len(), "{case}");
            for (name, texts) in *fields {
                let value = find(&again, name).unwrap_or_else(|| panic!("{case}: no {name}"));
                for text in *texts {
                    assert!(value.contains(text), "{case}: {text} in {value}");
                }
            }
        }
    }
}

#[test]
fn rfc7616_3_3_every_request_goes_on_with_a_new_nonce_when_the_old_one_is_stale_and_is_refused_once() {
    for method in METHODS {
        let (mut ua, _, first) = sent(method);
        hear(&mut ua, &first, 401, &[(USER, MD5)]);
        grant(&mut ua);
        let second = ua.one().text;
        let stale = MD5.replace("n1", "n2") + ", stale=true";
        hear(&mut ua, &second, 401, &[(USER, &stale)]);
        grant(&mut ua);
        let third = ua.one().text;
        assert!(field(&third, "Authorization").contains("nonce=\"n2\""), "{method}");
        // Now the credentials themselves are refused.
        hear(&mut ua, &third, 401, &[(USER, &MD5.replace("n1", "n3"))]);
        grant(&mut ua);
        assert_eq!(shown(&ua), 0, "{method}");
        assert!(!ua.events.is_empty(), "{method}");
    }
}

#[test]
fn rfc3261_22_3_every_request_passes_a_proxy_and_then_another_and_then_the_peer() {
    for method in METHODS {
        let (mut ua, _, mut request) = sent(method);
        let other = OF_PROXY.replace("\"proxy\"", "\"home\"");
        for (status, name, challenge) in [(407, PROXY, OF_PROXY), (407, PROXY, &other), (401, USER, MD5)] {
            hear(&mut ua, &request, status, &[(name, challenge)]);
            grant(&mut ua);
            request = ua.one().text;
        }
        assert_eq!(request.matches("\r\nProxy-Authorization: ").count(), 2, "{method}");
        assert_eq!(request.matches("\r\nAuthorization: ").count(), 1, "{method}");
    }
}

#[test]
fn a_wrong_place_gets_nothing_for_any_request() {
    for method in METHODS {
        let (mut ua, _, first) = sent(method);
        hear(&mut ua, &first, 401, &[(USER, MD5)]);
        let needed = ua.secrets.remove(0);
        ua.act(|e, now| e.handle_secret(now, needed.id, Vec::new()));
        assert_eq!(shown(&ua), 0, "{method}");
        assert_eq!(ua.endpoint.counters().challenges_refused, 1, "{method}");
    }
}

#[test]
fn rfc3261_22_1_a_cancel_carries_no_credentials_and_answers_no_challenge() {
    let (mut ua, sid, first) = sent("INVITE");
    hear(&mut ua, &first, 401, &[(USER, MD5)]);
    grant(&mut ua);
    let second = ua.one().text;
    ua.hear(&Msg::response(&second, 180, "b1").contact(PEER));
    ua.end(sid);
    let cancel = ua.one().text;
    assert!(start(&cancel).starts_with("CANCEL"));
    assert_eq!(find(&cancel, "Authorization"), None);
    ua.hear(&Msg::response(&cancel, 401, "").with(USER, &MD5.replace("n1", "n2")));
    assert!(ua.secrets.is_empty() && ua.sent.is_empty());
}

#[test]
fn the_ack_shows_nothing_to_a_contact_elsewhere() {
    for (contact, repeats) in [(PEER, true), ("192.0.2.99:5060", false)] {
        let (mut ua, sid, first) = sent("INVITE");
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
fn rfc7616_3_5_who_does_not_know_the_secret_is_counted_and_shown_nothing_more() {
    for (rspauth, impostor) in [("", 0), (", rspauth=\"00112233445566778899aabbccddeeff\"", 1)] {
        let (mut ua, sid, first) = sent("INFO");
        hear(&mut ua, &first, 401, &[(USER, MD5)]);
        grant(&mut ua);
        let second = ua.one().text;
        let info = format!("nextnonce=\"n9\", qop=auth, nc=00000001{rspauth}");
        ua.hear(&Msg::response(&second, 200, "").with("Authentication-Info", &info));
        assert_eq!(ua.endpoint.counters().impostors, impostor);
        ua.end(sid);
        let bye = ua.one().text;
        let credentials = find(&bye, "Authorization");
        assert_eq!(credentials.is_some_and(|value| value.contains("nonce=\"n9\"")), impostor == 0);
    }
}
