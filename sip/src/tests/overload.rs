//! Overload control between neighbours (RFC 7339, RFC 7415), at one endpoint.

use super::message::{Msg, field, find};
use super::ua::{PEER, Ua, listener};
use crate::flow::{NetworkId, Transport};
use crate::overload::{Algorithm, Change, Heed, OFFER};
use crate::session::{Ask, Parts, Patience};
use crate::settings::{Asked, Settings};
use crate::{End, Event, Failure, Unreachable};
use sip_types::{Fields, HeaderName, Method};
use std::time::Duration;

const LOSS: &str = ";oc;oc-algo=\"loss\"";

/// An endpoint that follows overload control and tells its load.
fn ua() -> Ua {
    ua_with(Algorithm::Loss)
}

fn ua_with(algorithm: Algorithm) -> Ua {
    let mut one = listener(Transport::Udp);
    (one.heeds_overload, one.tells_load) = (Heed::LossAndRate, true);
    one.asked = vec![Asked { method: Method::Register, understood: &[] }];
    let mut settings = Settings { listeners: vec![one], ..Settings::default() };
    settings.overload.algorithm = algorithm;
    settings.overload.priorities = ["ets".into()].into();
    Ua::with(settings)
}

fn ask(ua: &mut Ua, method: Method) {
    let ask = Ask {
        network: NetworkId(0),
        label: 0,
        conduct: None,
        method,
        request_uri: "sip:bob@example.com".parse().unwrap(),
        next_hop: format!("sip:{PEER}").parse().unwrap(),
        from: "<sip:alice@example.net>".into(),
        to: "<sip:bob@example.com>".into(),
        contact_user: None,
        flow: None,
        outbound: false,
        routes: Box::default(),
        keep: false,
        max_forwards: 70,
        patience: Patience::default(),
        everywhere: false,
        parts: Parts::default(),
    };
    ua.act(|e, now| e.ask(now, ask)).unwrap();
}

/// A response whose Via has these parameters in place of ours.
fn told(request: &str, status: u16, params: &str) -> Msg {
    let via = field(request, "Via").replace(OFFER, params);
    Msg::response(request, status, "b1").contact(PEER).set("Via", &via)
}

/// What follows the branch in the Via of a message.
fn params(text: &str) -> String {
    let via = field(text, "Via");
    via.split_once(";oc").map(|(_, rest)| format!(";oc{rest}")).unwrap_or_default()
}

/// What the owner is told of overload.
fn changes(ua: &mut Ua) -> Vec<Change> {
    let events = std::mem::take(&mut ua.events);
    events
        .into_iter()
        .filter_map(|e| if let Event::Overload(change) = e { Some(change) } else { None })
        .collect()
}

// conforms: RFC7339-4.1-1,2 RFC7339-4.2-1,2,4 RFC7339-4.3-1 RFC7339-4.4-1 RFC7339-5.1-1,2 RFC7339-5.2-4 RFC7415-3.3-1
#[test]
fn rfc7339_4_1_every_request_says_that_we_follow() {
    let mut ua = ua();
    let (sid, invite) = ua.call();
    ua.hear(&told(&invite, 200, ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=1.1"));
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    let mut sent = vec![invite, ua.one().text];
    sent.push(ua.info(sid).1);
    ua.end(sid);
    sent.push(ua.one().text);
    ask(&mut ua, Method::Options);
    sent.push(ua.one().text);
    let (sid, invite) = ua.call();
    ua.hear(&Msg::response(&invite, 180, "b1"));
    ua.act(|e, now| e.cancel(now, sid, Fields::default()));
    sent.push(ua.one().text);
    for text in &sent {
        let via = field(text, "Via");
        assert!(via.ends_with(";oc;oc-algo=\"loss,rate\""), "{via}");
        assert!(!via.contains("oc=") && !via.contains("oc-validity") && !via.contains("oc-seq"), "{via}");
    }
    assert_eq!(sent.len(), 6);
    let mut one = listener(Transport::Udp);
    one.heeds_overload = Heed::Loss;
    let mut cautious = Ua::with(Settings { listeners: vec![one], ..Settings::default() });
    assert!(field(&cautious.call().1, "Via").ends_with(LOSS));
    let mut silent = Ua::udp();
    assert!(!field(&silent.call().1, "Via").contains("oc"));
}

// conforms: RFC7339-5.5-1
#[test]
fn rfc7339_5_5_what_a_server_does_not_want_is_not_sent() {
    let mut ua = ua();
    let (sid, invite) = ua.call();
    ua.hear(&told(&invite, 200, ";oc=100;oc-algo=\"loss\";oc-seq=5.0"));
    let restricted = ua.events.remove(0);
    assert!(matches!(restricted, Event::Overload(Change::Restricted { value: 100, .. })), "{restricted:?}");
    ua.event();
    ua.act(|e, now| e.acknowledge(now, sid, Parts::default())).unwrap();
    assert_eq!(ua.one().what(), "ACK", "it belongs to what was sent");
    let withheld = ua.invite(&format!("sip:bob@{PEER}"), Parts::default());
    assert!(ua.take().is_empty());
    assert!(
        matches!(ua.event(), Event::Ended { session, why: End::Rejected(Failure::Unreachable(Unreachable::Overloaded)), .. } if session == withheld)
    );
    let id = ua.act(|e, now| e.request(now, sid, Method::Info, 70, Parts::default())).unwrap();
    assert!(
        matches!(ua.event(), Event::Responded { id: of, outcome: Err(Failure::Unreachable(Unreachable::Overloaded)), .. } if of == id),
        "even in a dialog, which stands"
    );
    assert_eq!(ua.endpoint.counters().withheld, 2);
    ua.end(sid);
    assert_eq!(ua.one().what(), "BYE", "less work for the server");
    ua.wait(500);
    ua.take();
    ua.call();
    let seen = ua.endpoint.overload.restrictions(ua.now()).remove(0);
    assert_eq!((seen.control, seen.withheld, seen.server.address.to_string()), (None, 2, PEER.to_owned()));
}

#[test]
fn rfc7339_5_10_1_dialogs_urgent_calls_and_what_was_challenged_come_first() {
    let mut ua = ua();
    let (sid, _) = ua.called();
    ask(&mut ua, Method::Options);
    let options = ua.one().text;
    ua.hear(&told(&options, 200, ";oc=20;oc-algo=\"loss\";oc-seq=5.0"));
    ua.events.clear();
    for _ in 0..12 {
        ua.info(sid);
    }
    let mut urgent = Parts::default();
    urgent.fields.push(HeaderName::ResourcePriority, "ets.0");
    ua.invite(&format!("sip:bob@{PEER}"), urgent);
    assert_eq!(ua.one().what(), "INVITE");
    assert_eq!(ua.endpoint.counters().withheld, 0);
    let calls = (0..40).filter(|_| {
        ua.invite(&format!("sip:bob@{PEER}"), Parts::default());
        ua.take().is_empty()
    });
    assert!(calls.count() > 8, "they make up for the rest");
}

#[test]
fn rfc7339_5_10_what_one_target_does_not_want_goes_to_the_next() {
    const ZONE: &str = "
        _sip._udp.example.com SRV 1 1 5060 one.example.com
        _sip._udp.example.com SRV 2 1 5060 two.example.com
        one.example.com A 198.51.100.9
        two.example.com A 198.51.100.2";
    let mut ua = ua();
    let (_, invite) = ua.call();
    ua.hear(&told(&invite, 100, ";oc=0;oc-algo=\"rate\";oc-validity=1000;oc-seq=1.0"));
    ua.invite("sip:bob@example.com", Parts::default());
    ua.resolve(ZONE);
    let sent = ua.one();
    assert_eq!(sent.to.peer().to_string(), "198.51.100.2:5060");
    assert_eq!((ua.endpoint.counters().withheld, ua.endpoint.counters().failovers), (1, 1));
    assert!(ua.endpoint.targets(ua.now()).iter().all(|t| t.state == crate::location::TargetState::Up));
}

#[test]
fn feedback_counts_only_where_it_was_asked_for_and_in_its_grammar() {
    let mut silent = Ua::udp();
    let (_, invite) = silent.call();
    let via = field(&invite, "Via") + ";oc=100;oc-algo=\"loss\"";
    silent.hear(&Msg::response(&invite, 100, "").set("Via", &via));
    silent.call();
    let mut ua = ua();
    let (_, invite) = ua.call();
    ua.hear(&told(&invite, 100, ";oc=101;oc-algo=\"loss\""));
    ua.hear(&told(&invite, 180, OFFER));
    ua.call();
    let counters = ua.endpoint.counters();
    assert_eq!((counters.loads_malformed, counters.loads_heard, counters.withheld), (1, 0, 0));
    ua.hear(&told(&invite, 183, ";oc=100;oc-algo=\"loss\"").set("CSeq", "7 OPTIONS"));
    assert_eq!(ua.endpoint.counters().loads_heard, 0, "of no request of ours");
}

/// The thread works for that share of so many windows.
fn work(ua: &mut Ua, percent: u64, windows: u64) {
    for _ in 0..windows {
        ua.wait(200);
        ua.act(|e, now| e.worked(now, Duration::from_millis(percent * 2)));
    }
}

/// An INVITE outside a dialog with these parameters in its Via; no two are alike.
fn invite(seq: u32, overload: &str) -> Msg {
    let via = format!("SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKnew{seq}{overload}");
    Msg::request("INVITE", 1).set("Call-ID", &format!("call-{seq}")).set("Via", &via)
}

// conforms: RFC7339-4.1-3 RFC7339-5.1-5,6 RFC7339-5.2-1,3 RFC7339-5.11-1
#[test]
fn rfc7339_5_1_who_follows_is_told_in_every_response() {
    let mut ua = ua();
    ua.hear(&invite(1, LOSS));
    let trying = ua.one().text;
    let calm = ";oc=0;oc-algo=\"loss\";oc-validity=0;oc-seq=0.00001";
    assert_eq!(params(&trying), calm);
    let Event::Invited { session, .. } = ua.event() else { panic!() };
    let ok = ua.answer(session);
    assert_eq!(params(&ok), calm, "again, for who does not look at a 100");
    ua.hear(&invite(2, "").set("CSeq", "x"));
    assert_eq!(params(&ua.one().text), "", "who does not follow is not told");
    ua.hear(&invite(3, LOSS).set("CSeq", "x"));
    assert_eq!(params(&ua.one().text), calm, "even with a 400 that keeps nothing");
    let mut silent = Ua::udp();
    silent.hear(&invite(1, LOSS));
    assert_eq!(params(&silent.one().text), LOSS, "left as it came");
}

// conforms: RFC7339-4.2-3,4 RFC7339-5.1-3,4,7 RFC7415-3.3-2 RFC7415-3.4-1,2
#[test]
fn rfc7339_5_8_a_selection_stays_whatever_the_load() {
    let mut ua = ua_with(Algorithm::Rate);
    let (mut seen, mut seq) = (Vec::new(), 0);
    for (share, windows) in [(10, 1), (100, 6), (20, 30), (100, 6)] {
        work(&mut ua, share, windows);
        for offer in [LOSS, OFFER, ";oc;oc-algo=\"rate,loss\"", ";oc"] {
            seq += 1;
            ua.hear(&invite(seq, offer));
            let params = params(&ua.one().text);
            seen.push((
                offer,
                params.split(';').nth(2).unwrap().to_owned(),
                params.contains("oc-validity=500"),
            ));
        }
    }
    for (n, (offer, algorithm, overloaded)) in seen.iter().enumerate() {
        let rate = offer.contains("rate");
        assert_eq!(algorithm, if rate { "oc-algo=\"rate\"" } else { "oc-algo=\"loss\"" });
        assert_eq!(*overloaded, n / 4 % 2 == 1, "{offer}");
    }
    assert_eq!(changes(&mut ua), [Change::Began, Change::Ended, Change::Began]);
}

// conforms: RFC7339-5.10.2-1
#[test]
fn rfc7339_5_10_2_who_does_not_follow_is_refused_in_part() {
    let mut ua = ua();
    let (_, ok) = ua.answered();
    work(&mut ua, 100, 8);
    assert_eq!(changes(&mut ua), [Change::Began]);
    ua.take();
    let (mut refused, before) = (Vec::new(), ua.gauges().server_transactions);
    for seq in 0..300 {
        ua.hear(&invite(seq, ""));
        let sent = ua.one();
        if sent.what().starts_with("503") {
            assert_eq!(find(&sent.text, "Retry-After"), None);
            refused.push(seq);
        } else {
            assert_eq!(sent.what(), "100 Trying");
        }
    }
    // Four steps of 85 %: 48 % of all, where all are ordinary.
    assert!((120..170).contains(&refused.len()), "{}", refused.len());
    assert_eq!(ua.endpoint.counters().shed, refused.len() as u64);
    let held = ua.gauges().server_transactions - before;
    assert_eq!(held, 300 - refused.len(), "nothing is kept of them");
    let again = refused.iter().filter(|seq| {
        ua.hear(&invite(**seq, ""));
        ua.one().what().starts_with("503")
    });
    assert!(again.count() * 10 >= refused.len() * 8, "a repetition meets the same chance");
    for seq in 300..340 {
        ua.hear(&invite(seq, LOSS));
        assert_eq!(params(&ua.one().text).split(';').nth(1), Some("oc=48"), "who follows does so by himself");
        ua.hear(&invite(seq + 100, "").with("Resource-Priority", "ets.3"));
        assert_eq!(ua.one().what(), "100 Trying", "nobody else in need is refused");
        let register = Msg::request("REGISTER", 1).set("Call-ID", &format!("register-{seq}"));
        ua.hear(&register.set("Via", &format!("SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKreg{seq}")));
        assert!(ua.take().is_empty(), "registrations are refused last");
    }
    ua.hear(&Msg::inside("BYE", 3, &ok));
    assert_eq!(ua.one().what(), "200 OK");
}

#[test]
fn rfc4412_4_6_who_may_not_be_trusted_with_a_priority_has_none() {
    let mut settings = ua().endpoint.settings().clone();
    settings.listeners[0].heeds_priority = false;
    let mut ua = Ua::with(settings);
    work(&mut ua, 100, 8);
    ua.take();
    let refused = (0..300).filter(|seq| {
        ua.hear(&invite(*seq, "").with("Resource-Priority", "ets.3"));
        ua.one().what().starts_with("503")
    });
    assert!(refused.count() > 100);
}

#[test]
fn at_the_floor_nobody_is_spared_and_without_protection_nobody_is_refused() {
    let mut ua = ua();
    work(&mut ua, 100, 40);
    ua.take();
    let refused = (0..100).filter(|seq| {
        ua.hear(&invite(*seq, LOSS));
        ua.one().what().starts_with("503")
    });
    assert!(refused.count() >= 90, "who says that he follows, but does not");
    let mut settings = ua.endpoint.settings().clone();
    settings.overload.protects = false;
    ua.act(|e, _| e.adopt(settings));
    work(&mut ua, 100, 1);
    ua.take();
    for seq in 100..120 {
        ua.hear(&invite(seq, ""));
        assert_eq!(ua.one().what(), "100 Trying");
    }
    assert_eq!(changes(&mut ua), [Change::Began, Change::Ended]);
}
