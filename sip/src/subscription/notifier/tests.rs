use super::*;
use crate::event::Unreachable;
use sip_types::Message;

fn at(millis: u64) -> Now {
    Now { mono: Mono::from_epoch(Duration::from_millis(millis)), ..Now::default() }
}

const HOUR: Duration = Duration::from_secs(3600);
const PACE: Duration = Duration::from_secs(5);

fn active() -> Subscription {
    Subscription::new(at(0), HOUR, true, PACE)
}

#[expect(clippy::result_large_err, reason = "it is what the user agent tells of a request of ours")]
fn answered(status: u16) -> Result<Response, Failure> {
    let text = format!("SIP/2.0 {status} X\r\nContent-Length: 0\r\n\r\n");
    match Message::parse(text.into(), &sip_types::Limits::default()) {
        Ok(Message::Response(response)) if status < 300 => Ok(response),
        Ok(Message::Response(response)) => Err(Failure::Response(response)),
        _ => panic!("no response"),
    }
}

#[test]
fn rfc6665_4_2_1_2_a_subscribe_is_followed_by_a_notify_at_once() {
    let mut s = active();
    let first = s.poll(at(0)).unwrap();
    assert_eq!(first, Notify { state: "active;expires=3600".into(), full: true, last: false });
    assert_eq!(s.poll(at(0)), None, "one at a time");
    s.refresh(at(1000), HOUR);
    assert_eq!(s.poll(at(1000)), None);
    s.handle_outcome(&answered(200));
    assert!(s.poll(at(1001)).unwrap().full, "though the pace would make it wait");
}

#[test]
fn changes_are_gathered_to_the_pace() {
    let mut s = active();
    s.poll(at(0)).unwrap();
    s.changed();
    s.handle_outcome(&answered(200));
    assert_eq!((s.poll(at(10)), s.poll_timeout()), (None, Some(at(5000).mono)));
    s.changed();
    let told = s.poll(at(5000)).unwrap();
    assert_eq!((told.full, told.last, &*told.state), (false, false, "active;expires=3595"));
    s.handle_outcome(&answered(200));
    assert_eq!(s.poll(at(20_000)), None, "nothing changed");
}

#[test]
fn rfc6665_4_2_1_4_what_is_not_refreshed_ends_and_the_subscriber_is_told() {
    let mut s = active();
    s.poll(at(0)).unwrap();
    s.handle_outcome(&answered(200));
    assert_eq!(s.poll_timeout(), Some(at(3_600_000).mono));
    let last = s.poll(at(3_600_000)).unwrap();
    assert_eq!((last.last, &*last.state), (true, "terminated;reason=timeout"));
    assert!(!s.is_over());
    s.handle_outcome(&answered(200));
    assert!(s.is_over());
    s.refresh(at(3_600_001), HOUR);
    assert_eq!((s.poll(at(3_600_001)), s.poll_timeout()), (None, None));
}

#[test]
fn rfc6665_4_4_3_expires_0_asks_for_the_state_once() {
    let mut s = Subscription::new(at(0), Duration::ZERO, true, PACE);
    let only = s.poll(at(0)).unwrap();
    assert_eq!((only.full, only.last, &*only.state), (true, true, "terminated;reason=timeout"));
    s.handle_outcome(&Err(Failure::Timeout));
    assert!(s.is_over());
}

#[test]
fn rfc6665_4_2_1_3_a_decision_that_comes_later_is_told() {
    let mut s = Subscription::new(at(0), HOUR, false, PACE);
    assert_eq!(s.poll(at(0)).unwrap().state, "pending;expires=3600");
    s.changed();
    s.handle_outcome(&answered(200));
    assert_eq!(s.poll(at(9000)), None, "who is pending hears of no changes");
    s.grant();
    assert!(s.poll(at(9000)).unwrap().full);
    s.handle_outcome(&answered(200));
    s.end(at(9001), EndReason::Probation, Some(Duration::from_secs(60)));
    assert_eq!(s.poll(at(9001)).unwrap().state, "terminated;reason=probation;retry-after=60");
}

#[test]
fn rfc6665_4_2_2_the_failures_that_end_a_subscription() {
    let over = |outcome: &Result<Response, Failure>| {
        let mut s = active();
        s.poll(at(0)).unwrap();
        s.handle_outcome(outcome);
        assert_eq!(s.is_over(), s.poll_timeout().is_none());
        s.is_over()
    };
    for status in [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604] {
        assert!(over(&answered(status)), "{status}");
    }
    for status in [200, 202, 400, 401, 403, 408, 420, 486, 500, 503, 603] {
        assert!(!over(&answered(status)), "{status}");
    }
    assert!(over(&Err(Failure::Timeout)));
    assert!(over(&Err(Failure::Unreachable(Unreachable::Send))));
    assert!(!over(&Err(Failure::Full)));
}

#[test]
fn an_end_during_a_notify_is_told_after_it() {
    let mut s = active();
    s.poll(at(0)).unwrap();
    s.end(at(1), EndReason::Noresource, None);
    assert_eq!(s.poll(at(1)), None);
    s.handle_outcome(&answered(500));
    assert!(s.poll(at(2)).unwrap().last);
}
