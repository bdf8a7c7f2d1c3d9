//! A registration against answers, under virtual time.

use super::*;
use crate::event::{Failure, Unreachable};
use crate::ids::tests::Seeded;
use crate::time::{Mono, Now};
use sip_types::{Message, Response};
use std::time::Duration;

pub(super) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) fn at(seconds: u64) -> Now {
    Now { mono: Mono::from_epoch(secs(seconds)), ..Now::default() }
}

pub(super) struct Bench {
    pub(super) registration: Registration,
    pub(super) ids: Seeded,
}

impl Bench {
    pub(super) fn new() -> Self {
        let settings = Settings { expires: secs(600), refused: secs(900), backoff: Backoff::default() };
        Self { registration: Registration::new(settings), ids: Seeded(3) }
    }

    fn read(&self, outcome: &Result<Response, Failure>) -> Answer {
        let contact = "sip:gw@192.0.2.1:5060".parse().unwrap();
        Answer::read(outcome, Own { contact: &contact, instance: Some("urn:uuid:1"), flow: Some(1) })
    }

    pub(super) fn hear(&mut self, now: Now, outcome: &Result<Response, Failure>) -> Option<Send> {
        let answer = self.read(outcome);
        self.registration.handle_outcome(now, answer, false, &mut self.ids)
    }

    pub(super) fn answer(&mut self, now: Now, status: u16, lines: &str) -> Option<Send> {
        let response = response(status, lines);
        let outcome = if status < 300 { Ok(response) } else { Err(Failure::Response(response)) };
        self.hear(now, &outcome)
    }
}

pub(super) fn response(status: u16, lines: &str) -> Response {
    let lines: String = lines.lines().map(|l| format!("{}\r\n", l.trim())).collect();
    let text = format!("SIP/2.0 {status} X\r\n{lines}Content-Length: 0\r\n\r\n");
    match Message::parse(text.into(), &sip_types::Limits::default()) {
        Ok(Message::Response(response)) => response,
        _ => panic!("no response"),
    }
}

const OURS: &str = "Contact: <sip:other@h>;expires=9, <sip:gw@192.0.2.1:5060>;expires=600";

#[test]
fn rfc3261_10_2_4_the_lifetime_is_that_of_our_contact_and_is_refreshed_before_its_end() {
    let mut bench = Bench::new();
    assert_eq!(bench.registration.start().unwrap().expires, 600);
    assert!(bench.registration.start().is_none(), "one REGISTER at a time");
    assert_eq!(bench.answer(at(10), 200, OURS), None);
    let (until, _) = bench.registration.bound(at(10)).unwrap();
    assert_eq!(until, at(610).mono);
    let refresh = bench.registration.poll_timeout().unwrap();
    assert!((at(460).mono..=at(550).mono).contains(&refresh), "{refresh:?}");
    assert_eq!(bench.registration.handle_timeout(at(459)), None);
    assert_eq!(bench.registration.handle_timeout(at(550)).unwrap().expires, 600);
}

#[test]
fn refreshes_of_many_are_spread() {
    let times: std::collections::BTreeSet<_> = (0..100)
        .map(|seed| {
            let mut bench = Bench::new();
            bench.ids = Seeded(seed);
            bench.registration.start();
            bench.answer(at(0), 200, OURS);
            bench.registration.poll_timeout().unwrap()
        })
        .collect();
    assert!(times.len() > 80, "{}", times.len());
}

#[test]
fn a_200_without_our_contact_is_no_registration() {
    for lines in ["", "Contact: <sip:other@h>;expires=600", "Contact: <sip:gw@192.0.2.1:5060>;expires=0"] {
        let mut bench = Bench::new();
        bench.registration.start();
        assert_eq!(bench.answer(at(0), 200, lines), None);
        assert!(bench.registration.bound(at(0)).is_none(), "{lines}");
        assert!(matches!(bench.registration.stage(), Stage::Retry(_, Fault::NotBound)));
    }
}

#[test]
fn our_contact_is_found_by_instance_and_flow_where_the_registrar_rewrote_it() {
    let bench = Bench::new();
    let lines = "Contact: <sip:gw@203.0.113.9:99>;+sip.instance=\"<urn:uuid:1>\";reg-id=1;expires=60;pub-gruu=\"sip:a@b;gr=x\"\n\
                 Require: outbound\nFlow-Timer: 25\nService-Route: <sip:s.example;lr>\nP-Associated-URI: <sip:+49@b>";
    match bench.read(&Ok(response(200, lines))) {
        Answer::Bound(lifetime, extras) => {
            assert_eq!((lifetime, extras.outbound, extras.flow_timer), (secs(60), true, Some(secs(25))));
            assert_eq!(extras.gruus.public.map(|gruu| gruu.to_string()).as_deref(), Some("sip:a@b;gr=x"));
            assert_eq!((extras.service_route.len(), extras.associated.len()), (1, 1));
        }
        other => panic!("{other:?}"),
    }
    let other_flow = lines.replace("reg-id=1", "reg-id=2");
    assert!(matches!(bench.read(&Ok(response(200, &other_flow))), Answer::NotBound));
}

#[test]
fn rfc3261_10_2_4_of_several_contacts_of_our_user_ours_is_the_equal_one() {
    let bench = Bench::new();
    let lifetime = |contacts: &str| match bench.read(&Ok(response(200, &format!("Contact: {contacts}")))) {
        Answer::Bound(lifetime, _) => Some(lifetime),
        _ => None,
    };
    let old = "<sip:gw@192.0.2.1:5060;transport=tcp>;expires=9, <sip:gw@192.0.2.1:5062>;expires=8";
    assert_eq!(lifetime(&format!("{old}, <sip:gw@192.0.2.1:5060>;expires=60")), Some(secs(60)));
    assert_eq!(lifetime(old), None, "none of them is ours for certain");
    assert_eq!(
        lifetime("<sip:gw@203.0.113.9:99>;expires=60, <sip:x@h>;expires=9"),
        Some(secs(60)),
        "as an edge sees it"
    );
    let numbered = "<sip:gw@192.0.2.1:5060>;+sip.instance=\"<urn:uuid:1>\";reg-id=2;expires=9";
    assert_eq!(lifetime(numbered), None, "another flow of ours has the same contact");
    assert_eq!(
        lifetime(&numbered.replace("uuid:1", "UUID:1").replace("reg-id=2", "reg-id=1")),
        Some(secs(9))
    );
}

// conforms: RFC6223-5-1
#[test]
fn rfc6223_4_4_the_first_hop_says_in_via_that_it_takes_keepalives() {
    let bench = Bench::new();
    let keep = |via: &str| {
        let lines = format!(
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1{via}\nContact: <sip:gw@192.0.2.1:5060>;expires=60"
        );
        match bench.read(&Ok(response(200, &lines))) {
            Answer::Bound(_, extras) => extras.keep,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((keep(""), keep(";keep"), keep(";keep=x")), (None, None, None));
    assert_eq!((keep(";keep=0"), keep(";keep=30")), (Some(secs(0)), Some(secs(30))));
}

#[test]
fn rfc3261_10_2_8_423_is_mended_at_once_but_not_for_ever() {
    let mut bench = Bench::new();
    bench.registration.start();
    assert_eq!(bench.answer(at(0), 423, "Min-Expires: 1800").unwrap().expires, 1800);
    bench.answer(at(0), 200, "Contact: <sip:gw@192.0.2.1:5060>;expires=1800");
    assert!(bench.registration.bound(at(1799)).is_some());
    // A registrar that always wants more.
    let mut bench = Bench::new();
    bench.registration.start();
    let mut wants = 1000;
    while bench.answer(at(0), 423, &format!("Min-Expires: {wants}")).is_some() {
        wants += 1000;
    }
    assert_eq!(wants, 5000);
    assert!(matches!(bench.registration.stage(), Stage::Retry(t, Fault::Status(423)) if t == at(900).mono));
    // One that wants what it has got.
    let mut bench = Bench::new();
    bench.registration.start();
    assert_eq!(bench.answer(at(0), 423, "Min-Expires: 600"), None);
}

#[test]
fn rfc5626_4_2_1_extensions_that_are_refused_are_left_out() {
    let mut bench = Bench::new();
    bench.registration.start();
    assert_eq!(bench.answer(at(0), 439, "").unwrap().without, ["outbound".into()]);
    let again = bench.answer(at(0), 420, "Unsupported: GIN, path").unwrap();
    assert_eq!(again.without, ["outbound".into(), "gin".into(), "path".into()]);
    assert_eq!(bench.answer(at(0), 420, "Unsupported: path"), None, "that was left out already");
    assert!(matches!(bench.registration.stage(), Stage::Retry(_, Fault::Status(420))));
}

#[test]
fn rfc3261_8_1_3_4_a_redirection_is_followed() {
    let mut bench = Bench::new();
    bench.registration.start();
    let send = bench.answer(at(0), 302, "Contact: <mailto:x@y>, <sip:reg2.example>").unwrap();
    assert_eq!(send.target.unwrap().to_string(), "sip:reg2.example");
    bench.answer(at(0), 200, OURS);
    let refresh = bench.registration.handle_timeout(at(590)).unwrap();
    assert!(refresh.target.is_some(), "refreshes go where the registration is");
    bench.hear(at(620), &Err(Failure::Timeout));
    let retry = bench.registration.handle_timeout(at(700)).unwrap();
    assert_eq!(retry.target, None, "after a failure from the beginning");
}

// conforms: RFC5626-4.5-2
#[test]
fn rfc5626_4_5_waits_double_and_are_spread() {
    let mut bench = Bench::new();
    bench.registration.start();
    let mut now = 0;
    for upper in [60, 120, 240, 480, 960, 1800, 1800] {
        assert_eq!(bench.hear(at(now), &Err(Failure::Timeout)), None);
        let wait = bench.registration.poll_timeout().unwrap().since(at(now).mono);
        assert!(wait >= secs(upper) / 2 && wait <= secs(upper), "{wait:?} of {upper} s");
        now += wait.as_secs() + 1;
        assert!(bench.registration.handle_timeout(at(now)).is_some());
    }
    bench.answer(at(now), 200, OURS);
    assert_eq!(bench.registration.failures(), 0);
}

#[test]
fn rfc3261_20_33_retry_after_is_honoured_wherever_it_may_be() {
    for status in [404, 413, 480, 486, 500, 503, 600, 603] {
        let mut bench = Bench::new();
        bench.registration.start();
        assert_eq!(bench.answer(at(0), status, "Retry-After: 4000"), None);
        assert_eq!(bench.registration.stage(), Stage::Retry(at(4000).mono, Fault::Status(status)));
    }
    // A refusal that ends soon does not keep us away for as long as one that stands.
    let mut bench = Bench::new();
    bench.registration.start();
    bench.answer(at(0), 404, "Retry-After: 5");
    let retry = bench.registration.poll_timeout().unwrap();
    assert!(retry >= at(30).mono && retry <= at(60).mono, "{retry:?}");
    // Where it has no meaning it changes nothing.
    let mut bench = Bench::new();
    bench.registration.start();
    bench.answer(at(0), 403, "Retry-After: 4000");
    assert_eq!(bench.registration.stage(), Stage::Retry(at(900).mono, Fault::Status(403)));
}

#[test]
fn a_failure_is_shown_by_the_status_that_came() {
    // 439 though outbound is left out already.
    let mut bench = Bench::new();
    bench.registration.start();
    assert!(bench.answer(at(0), 439, "").is_some());
    assert_eq!(bench.answer(at(0), 439, ""), None);
    assert_eq!(bench.registration.stage(), Stage::Retry(at(900).mono, Fault::Status(439)));
    // Redirections without end.
    for status in [300, 301, 302, 305, 380] {
        let mut bench = Bench::new();
        bench.registration.start();
        let mut sent = 0;
        while bench.answer(at(0), status, &format!("Contact: <sip:reg{sent}.example>")).is_some() {
            sent += 1;
        }
        assert_eq!(sent, 4);
        assert!(
            matches!(bench.registration.stage(), Stage::Retry(_, Fault::Status(shown)) if shown == status)
        );
    }
}

#[test]
fn every_failure_has_its_wait() {
    let waits = |outcome: Result<Response, Failure>| {
        let mut bench = Bench::new();
        bench.registration.start();
        assert_eq!(bench.hear(at(0), &outcome), None);
        match bench.registration.stage() {
            Stage::Retry(t, fault) => (t == at(900).mono, fault),
            other => panic!("{other:?}"),
        }
    };
    for status in [
        300, 305, 380, 400, 402, 403, 404, 405, 406, 410, 413, 414, 415, 416, 420, 421, 423, 481, 482, 483,
        484, 485, 487, 488, 493, 494, 499, 501, 505, 513, 555, 600, 603, 604, 606, 699,
    ] {
        let outcome = Err(Failure::Response(response(status, "")));
        assert_eq!(waits(outcome), (true, Fault::Status(status)), "will not change by asking again");
    }
    // RFC 3261 §8.1.3.2: 599 is a 500, 499 above a 400.
    for status in [408, 430, 480, 486, 491, 500, 502, 503, 504, 580, 599] {
        let outcome = Err(Failure::Response(response(status, "")));
        assert_eq!(waits(outcome), (false, Fault::Status(status)), "may be over soon");
    }
    assert_eq!(waits(Err(Failure::Challenged(response(401, "")))), (true, Fault::Credentials));
    assert_eq!(waits(Err(Failure::Unreachable(Unreachable::NoAddress))), (false, Fault::Unreachable));
    assert_eq!(waits(Err(Failure::Full)), (false, Fault::Limit));
}

#[test]
fn what_was_granted_stands_while_a_refresh_fails() {
    let mut bench = Bench::new();
    bench.registration.start();
    bench.answer(at(0), 200, OURS);
    bench.registration.handle_timeout(at(540)).unwrap();
    bench.answer(at(541), 503, "");
    assert!(bench.registration.bound(at(599)).is_some());
    assert!(bench.registration.bound(at(600)).is_none());
}

#[test]
fn stopping_removes_what_is_bound_whatever_is_under_way() {
    let mut bench = Bench::new();
    assert_eq!(bench.registration.stop(at(0)), None);
    bench.registration.start();
    assert_eq!(bench.registration.stop(at(0)), None);
    let removal = bench.answer(at(1), 200, OURS).unwrap();
    assert_eq!(removal.expires, 0);
    assert_eq!(bench.hear(at(2), &Err(Failure::Timeout)), None);
    assert_eq!((bench.registration.stage(), bench.registration.poll_timeout()), (Stage::Idle, None));
    assert_eq!(bench.registration.start().unwrap().expires, 600, "and it can begin again");
}

#[test]
fn rfc5626_4_5_a_flow_that_had_proved_itself_is_replaced_at_once() {
    let mut bench = Bench::new();
    bench.registration.start();
    bench.answer(at(0), 200, OURS);
    let mut other = bench.registration.clone();
    assert!(bench.registration.flow_failed(at(5), true, false, &mut bench.ids).is_some());
    assert!(bench.registration.flow_failed(at(5), true, false, &mut bench.ids).is_none(), "under way");
    assert_eq!(other.flow_failed(at(5), false, true, &mut bench.ids), None);
    let wait = other.poll_timeout().unwrap().since(at(5).mono);
    assert!(wait >= secs(90) && wait <= secs(180), "{wait:?}: another flow is left");
}

#[test]
fn rfc5626_4_5_a_refresh_that_finds_its_flow_gone_is_sent_on_a_new_one_if_that_had_proved_itself() {
    for proven in [true, false] {
        let mut bench = Bench::new();
        bench.registration.start();
        bench.answer(at(0), 200, OURS);
        bench.registration.handle_timeout(at(540)).unwrap();
        let gone = Answer::FlowGone { proven, fault: Fault::Unreachable };
        let again = bench.registration.handle_outcome(at(540), gone, true, &mut bench.ids);
        assert_eq!(again.is_some(), proven);
        if proven {
            bench.hear(at(541), &Err(Failure::Unreachable(Unreachable::Send)));
        }
        assert!(matches!(bench.registration.stage(), Stage::Retry(_, Fault::Unreachable)));
        assert_eq!(bench.registration.failures(), 1);
    }
}

// conforms: RFC3261-8.1.3.4-1
#[test]
fn rfc3261_8_1_3_4_a_redirection_leads_nowhere_twice() {
    let mut bench = Bench::new();
    bench.registration.start().unwrap();
    let first = "Contact: <sip:reg2.example>";
    assert!(bench.answer(at(0), 302, first).is_some());
    assert!(bench.answer(at(0), 302, "Contact: <sip:reg3.example>").is_some());
    assert_eq!(bench.answer(at(0), 302, first), None);
    let Stage::Retry(again, Fault::Status(302)) = bench.registration.stage() else { panic!() };
    let later = Now { mono: again, ..Now::default() };
    assert!(bench.registration.handle_timeout(later).is_some());
    assert!(bench.answer(later, 302, first).is_some(), "another attempt may go there again");
}

#[test]
fn what_a_registrar_says_of_times_is_followed_within_reason() {
    let mut bench = Bench::new();
    bench.registration.start().unwrap();
    bench.answer(at(0), 500, "Retry-After: 4294967295");
    let Stage::Retry(again, _) = bench.registration.stage() else { panic!() };
    assert_eq!(again, at(86_400).mono);
    bench.registration.start().unwrap();
    bench.answer(at(0), 200, &OURS.replace("expires=600", "expires=4294967295"));
    let (until, _) = bench.registration.bound(at(0)).unwrap();
    assert_eq!(until, at(600).mono, "no longer than was asked for");
}

#[test]
fn rfc3608_a_route_that_cannot_be_read_is_told_and_not_followed_in_part() {
    for (route, read, unreadable) in
        [("<sip:edge.example;lr>", 1, false), ("<sip:edge.example;lr>, garbage", 0, true), ("", 0, false)]
    {
        let mut bench = Bench::new();
        bench.registration.start();
        let line = if route.is_empty() { String::new() } else { format!("\nService-Route: {route}") };
        bench.answer(at(0), 200, &format!("{OURS}{line}"));
        let (_, extras) = bench.registration.bound(at(0)).unwrap();
        assert_eq!((extras.service_route.len(), extras.route_unreadable), (read, unreadable), "{route}");
    }
}
