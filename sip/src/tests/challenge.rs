//! 401 and 407 (RFC 3261 §22): credentials asked for, granted, refused.

use super::message::{Msg, field, find, tag};
use super::ua::{PEER, T64, Ua, listener};
use crate::auth::{Credential, Secret};
use crate::flow::Transport;
use crate::session::{Parts, SessionId};
use crate::settings::Settings;
use crate::{End, Event, Failure};
use std::sync::Arc;

const USER: &str = "Digest realm=\"home\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"";
const PROXY: &str = "Digest realm=\"proxy\", nonce=\"p1\", algorithm=MD5, qop=\"auth\"";

pub(super) fn credential() -> Arc<Credential> {
    Arc::new(Credential::new("alice", Secret::password("wonderland")))
}

/// Grants the credential for every realm that was asked for.
fn grant(ua: &mut Ua) {
    let needed = ua.secrets.pop().expect("a challenge");
    assert_eq!(needed.peer, PEER.parse().unwrap());
    let granted = needed.realms.into_iter().map(|realm| (realm, credential())).collect();
    ua.act(|e, now| e.handle_secret(now, needed.id, granted));
}

/// The INVITE that was just sent is challenged, and goes out again; that second one.
pub(super) fn pass(ua: &mut Ua) -> String {
    let invite = ua.one().text;
    ua.hear(&Msg::response(&invite, 401, "ch").with("WWW-Authenticate", USER));
    assert_eq!(ua.one().what(), "ACK");
    grant(ua);
    ua.one().text
}

// conforms: RFC3261-13.2.2.4-5 RFC3261-22.2-2 RFC3261-22.3-4
#[test]
fn rfc3261_22_2_an_invite_goes_out_again_with_the_next_number() {
    let mut ua = Ua::udp();
    let sid = ua.invite(&format!("sip:bob@{PEER}"), Parts::default());
    let first = ua.sent[0].text.clone();
    let second = pass(&mut ua);
    assert_eq!((field(&first, "CSeq"), field(&second, "CSeq")), ("1 INVITE".into(), "2 INVITE".into()));
    for same in ["Call-ID", "From", "To"] {
        assert_eq!(field(&first, same), field(&second, same));
    }
    assert_ne!(field(&first, "Via"), field(&second, "Via"));
    assert!(field(&second, "Authorization").contains("nc=00000001"));
    ua.hear(&Msg::response(&second, 200, "b1").contact(PEER));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one().text;
    assert_eq!(field(&ack, "CSeq"), "2 ACK");
    // RFC 3261 §22.1: the ACK cannot be challenged and repeats the credentials.
    assert_eq!(field(&ack, "Authorization"), field(&second, "Authorization"));
    ua.end(sid);
    let bye = ua.one().text;
    assert_eq!(field(&bye, "CSeq"), "3 BYE");
    assert!(field(&bye, "Authorization").contains("nc=00000002"));
    ua.must_forget();
    ua.take();
    let (_, next) = ua.call();
    assert_eq!(find(&next, "Authorization"), None, "another dialog begins without them");
}

#[test]
fn rfc3261_12_3_a_challenge_ends_the_early_dialogs_of_its_invite() {
    let mut ua = Ua::udp();
    let (_, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 183, "b1").contact(PEER));
    ua.hear(&Msg::response(&invite, 407, "p").with("Proxy-Authenticate", PROXY));
    assert_eq!(ua.gauges().dialogs, 0);
    ua.take();
    grant(&mut ua);
    let again = ua.one().text;
    assert!(find(&again, "Proxy-Authorization").is_some());
    assert!(!field(&again, "To").contains("tag"));
}

fn ending(ua: &mut Ua) -> (SessionId, String) {
    let (sid, _) = ua.called();
    ua.end(sid);
    (sid, ua.one().text)
}

#[test]
fn a_bye_survives_a_challenge_of_either_kind_and_of_both_at_once() {
    let challenges = [
        (401, vec![("WWW-Authenticate", USER)], vec!["Authorization"]),
        (407, vec![("Proxy-Authenticate", PROXY)], vec!["Proxy-Authorization"]),
        (
            407,
            vec![("Proxy-Authenticate", PROXY), ("WWW-Authenticate", USER)],
            vec!["Authorization", "Proxy-Authorization"],
        ),
    ];
    for (status, fields, wanted) in challenges {
        let mut ua = Ua::udp();
        let (_, bye) = ending(&mut ua);
        let mut challenge = Msg::response(&bye, status, "");
        for (name, value) in fields {
            challenge = challenge.with(name, value);
        }
        ua.hear(&challenge);
        assert!(ua.events.is_empty());
        grant(&mut ua);
        let again = ua.one().text;
        assert_eq!((field(&bye, "CSeq"), field(&again, "CSeq")), ("2 BYE".into(), "3 BYE".into()));
        for name in wanted {
            assert!(find(&again, name).is_some(), "{name}");
        }
        ua.hear(&Msg::response(&again, 200, ""));
        assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(Some(_)), .. }));
        ua.must_forget();
    }
}

#[test]
fn rfc3261_22_3_a_proxy_and_then_the_peer_challenge() {
    let mut ua = Ua::udp();
    let (_, bye) = ending(&mut ua);
    ua.hear(&Msg::response(&bye, 407, "").with("Proxy-Authenticate", PROXY));
    grant(&mut ua);
    let second = ua.one().text;
    ua.hear(&Msg::response(&second, 401, "").with("WWW-Authenticate", USER));
    grant(&mut ua);
    let third = ua.one().text;
    assert!(find(&third, "Authorization").is_some() && find(&third, "Proxy-Authorization").is_some());
    ua.hear(&Msg::response(&third, 200, ""));
    assert!(matches!(ua.event(), Event::Ended { .. }));
}

#[test]
fn rfc7616_3_3_a_stale_nonce_is_replaced_without_an_end() {
    let mut ua = Ua::udp();
    let (_, bye) = ending(&mut ua);
    ua.hear(&Msg::response(&bye, 401, "").with("WWW-Authenticate", USER));
    grant(&mut ua);
    let second = ua.one().text;
    let stale = format!("{}, stale=true", USER.replace("n1", "n2"));
    ua.hear(&Msg::response(&second, 401, "").with("WWW-Authenticate", &stale));
    grant(&mut ua);
    let third = ua.one().text;
    assert!(field(&third, "Authorization").contains("nonce=\"n2\""));
    ua.hear(&Msg::response(&third, 200, ""));
    assert!(matches!(ua.event(), Event::Ended { .. }));
    ua.must_forget();
}

#[test]
fn a_bye_whose_challenge_is_not_met_still_ends_the_session() {
    let mut ua = Ua::udp();
    let (_, bye) = ending(&mut ua);
    ua.hear(&Msg::response(&bye, 401, "").with("WWW-Authenticate", USER));
    let needed = ua.secrets.remove(0);
    ua.act(|e, now| e.handle_secret(now, needed.id, Vec::new()));
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    assert_eq!(ua.endpoint.counters().challenges_refused, 1);
    ua.must_forget();
    for challenge in ["Basic realm=\"home\"", "Digest realm=\"home\"", "", "Digest nonce=\"n\", qop=\"auth\""]
    {
        let mut ua = Ua::udp();
        let (_, bye) = ending(&mut ua);
        ua.hear(&Msg::response(&bye, 401, "").with("WWW-Authenticate", challenge));
        assert!(ua.secrets.is_empty(), "{challenge}");
        assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
        ua.must_forget();
    }
}

// conforms: RFC3261-22.1-7 RFC7616-3.3-2
#[test]
fn refused_credentials_are_not_shown_again() {
    let mut ua = Ua::udp();
    ua.invite(&format!("sip:bob@{PEER}"), Parts::default());
    let second = pass(&mut ua);
    ua.hear(&Msg::response(&second, 401, "ch").with("WWW-Authenticate", &USER.replace("n1", "n2")));
    ua.take();
    grant(&mut ua);
    assert!(ua.take().is_empty());
    assert!(matches!(ua.event(), Event::Ended { why: End::Rejected(Failure::Challenged(_)), .. }));
    ua.must_forget();
}

#[test]
fn a_peer_that_only_ever_challenges_is_given_up_after_the_limit_of_rounds() {
    for limit in [1, 5, 9] {
        only_ever_challenged(limit);
    }
}

fn only_ever_challenged(limit: u8) {
    let mut settings = Settings { listeners: vec![listener(Transport::Udp)], ..Settings::default() };
    settings.limits.rounds = limit;
    let mut ua = Ua::with(settings);
    let mut invite = ua.call().1;
    let mut rounds = 0;
    while ua.events.is_empty() {
        let stale = format!("{}, stale=true", USER.replace("n1", &format!("n{rounds}")));
        ua.hear(&Msg::response(&invite, 401, "ch").with("WWW-Authenticate", &stale));
        assert_eq!(ua.one().what(), "ACK");
        if ua.events.is_empty() {
            grant(&mut ua);
            invite = ua.one().text;
            rounds += 1;
        }
    }
    assert_eq!((rounds, ua.endpoint.counters().rounds_spent), (usize::from(limit), 1));
    ua.must_forget();
}

#[test]
fn questions_are_taken_back_when_their_session_ends() {
    let mut ua = Ua::udp();
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 401, "ch").with("WWW-Authenticate", USER));
    assert_eq!(ua.gauges().questions, 1);
    ua.end(sid);
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    assert_eq!(ua.gauges().questions, 0);
    let needed = ua.secrets.remove(0);
    ua.act(|e, now| e.handle_secret(now, needed.id, vec![("home".into(), credential())]));
    let sid = ua.invite("sip:bob@example.com", Parts::default());
    assert_eq!(ua.gauges().questions, 1);
    ua.end(sid);
    assert_eq!(ua.gauges().questions, 0);
    ua.take();
    ua.events.clear();
    let (sid, invite) = ua.called();
    let (_, info) = ua.info(sid);
    ua.hear(&Msg::response(&info, 401, "").with("WWW-Authenticate", USER));
    assert_eq!(ua.gauges().questions, 1);
    ua.hear(&Msg::inside("BYE", 1, &invite).set("From", "<sip:bob@example.com>;tag=b1"));
    assert_eq!(ua.gauges().questions, 0);
    ua.must_forget();
}

#[test]
fn a_challenged_bye_of_a_dead_session_is_over_after_64_t1() {
    let mut ua = Ua::udp();
    let (_, bye) = ending(&mut ua);
    ua.hear(&Msg::response(&bye, 401, "").with("WWW-Authenticate", USER));
    grant(&mut ua);
    ua.wait(T64);
    assert!(matches!(ua.event(), Event::Ended { why: End::HungUp(None), .. }));
    ua.must_forget();
    assert!(tag(&bye, "To") == "b1");
}

#[test]
fn a_reinvite_is_challenged_and_its_ack_repeats_its_credentials() {
    let mut ua = Ua::udp();
    let (sid, _) = ua.called();
    ua.act(|e, now| e.reinvite(now, sid, 70, Parts::default())).unwrap();
    let second = pass(&mut ua);
    assert_eq!(field(&second, "CSeq"), "3 INVITE");
    ua.hear(&Msg::response(&second, 200, "").contact(PEER));
    assert!(matches!(ua.event(), Event::ReinviteAnswered { .. }));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let ack = ua.one().text;
    assert_eq!(field(&ack, "Authorization"), field(&second, "Authorization"));
    ua.end(sid);
    ua.must_forget();
}
