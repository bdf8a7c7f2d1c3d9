use super::*;
use crate::time::Wall;
use sip_types::{Limits, Message, TypedHeader};

const T64: Duration = Duration::from_secs(32);

fn at(seconds: u64) -> Now {
    Now { mono: Mono::from_epoch(Duration::from_secs(seconds)), wall: Wall(seconds * 1_000) }
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn told(text: &str) -> SubscriptionState {
    SubscriptionState::parse(&text.to_owned().into()).unwrap()
}

fn response(status: u16, expires: &str) -> Response {
    let text = format!("SIP/2.0 {status} X\r\n{expires}Content-Length: 0\r\n\r\n");
    match Message::parse(text.into(), &Limits::default()) {
        Ok(Message::Response(response)) => response,
        other => panic!("{other:?}"),
    }
}

fn active() -> Subscriber {
    let mut one = Subscriber::new(at(0), s(3600), T64);
    one.handle_outcome(at(0), &Ok(response(200, "Expires: 600\r\n")));
    one.handle_notify(at(1), &told("active"));
    one
}

#[test]
fn rfc6665_4_1_2_4_without_a_notify_in_64_t1_there_is_no_subscription() {
    let mut one = Subscriber::new(at(0), s(3600), T64);
    one.handle_outcome(at(1), &Ok(response(200, "Expires: 600\r\n")));
    assert_eq!(one.poll_timeout(), Some(at(32).mono));
    one.handle_timeout(at(31));
    assert_eq!(one.state(), State::NotifyWait);
    one.handle_timeout(at(32));
    assert_eq!((one.state(), one.poll_timeout()), (State::Terminated(Over::NoNotify), None));
    // What comes now changes nothing.
    one.handle_notify(at(33), &told("active"));
    assert!(one.is_over());
}

// conforms: RFC6665-4.1.2.4-2
#[test]
fn rfc6665_4_1_2_4_a_notify_may_come_before_the_response() {
    let mut one = Subscriber::new(at(0), s(3600), T64);
    one.handle_notify(at(1), &told("pending;expires=60"));
    assert_eq!((one.state(), one.left(at(1))), (State::Pending, s(60)));
    one.handle_notify(at(2), &told("active"));
    assert_eq!((one.state(), one.left(at(2))), (State::Active, s(59)));
    assert_eq!(one.poll_timeout(), Some((at(61).mono) + GRACE));
}

// conforms: RFC6665-4.1.3-3,4
#[test]
fn rfc6665_4_1_3_a_terminated_state_ends_it_whatever_it_says_of_time() {
    let mut one = active();
    one.handle_notify(at(5), &told("terminated;reason=deactivated;expires=3600"));
    assert_eq!((one.state(), one.poll_timeout()), (State::Terminated(Over::Notified), None));
}

// conforms: RFC6665-4.1.2.2-1
#[test]
fn rfc6665_4_1_2_2_only_some_refusals_of_a_refresh_end_it() {
    for status in [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604] {
        let mut one = active();
        one.handle_refresh(at(100));
        one.handle_outcome(at(101), &Err(Failure::Response(response(status, ""))));
        assert_eq!(one.state(), State::Terminated(Over::Refused), "{status}");
    }
    for why in [Failure::Response(response(423, "")), Failure::Response(response(503, "")), Failure::Timeout]
    {
        let mut one = active();
        one.handle_refresh(at(100));
        one.handle_outcome(at(101), &Err(why));
        assert_eq!((one.state(), one.left(at(101))), (State::Active, s(499)));
        one.handle_timeout(at(133));
        assert_eq!(one.state(), State::Active, "no NOTIFY follows what was refused");
        one.handle_timeout(at(632));
        assert_eq!(one.state(), State::Terminated(Over::Expired));
    }
}

// conforms: RFC6665-4.1.2.2-2
#[test]
fn rfc5839_a_success_that_no_notify_follows_is_waited_for_in_vain_by_nobody() {
    for (status, state) in [(204, State::Active), (200, State::Terminated(Over::NoNotify))] {
        let mut one = active();
        one.handle_refresh(at(100));
        one.handle_outcome(at(101), &Ok(response(status, "Expires: 600\r\n")));
        one.handle_timeout(at(132));
        assert_eq!(one.state(), state, "{status}");
    }
}
