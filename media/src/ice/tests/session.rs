//! RFC 8445 §7.3.2, §8.1.1, §8.2, §9; RFC 7675 §5.1.

use std::net::SocketAddr;

use crate::ice::{Component::*, Known, Session};

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 7], port))
}

fn session() -> Session {
    Session::new("ours".into(), "them".into(), false)
}

#[test]
fn rfc8445_8_2_nothing_is_sent_before_a_nomination_and_then_to_the_nominated_pair_alone() {
    let mut session = Session::new("ours".into(), "them".into(), true);
    assert!(!session.checked(Rtp, at(1), 10, false, 0));
    assert_eq!((session.destination(Rtp, 0), session.knows(Rtp, at(1))), (None, Known::Valid));
    assert!(session.checked(Rtp, at(2), 5, true, 1));
    assert!(!session.standing().completed, "RTCP has no pair yet");
    assert_eq!((session.destination(Rtp, 1), session.knows(Rtp, at(2))), (None, Known::Valid));
    assert!(session.checked(Rtcp, at(3), 5, true, 2));
    assert_eq!((session.destination(Rtp, 2), session.destination(Rtcp, 2)), (Some(at(2)), Some(at(3))));
    assert_eq!(session.knows(Rtp, at(2)), Known::Selected);
    let standing = session.standing();
    assert_eq!((standing.completed, standing.rtp, standing.rtcp), (true, Some(at(2)), Some(at(3))));
    assert_eq!((session.knows(Rtp, at(3)), session.knows(Rtp, at(4))), (Known::Not, Known::Not));
}

// conforms: RFC8445-8.1.1-4
#[test]
fn rfc8445_8_1_1_of_several_nominated_pairs_the_one_of_the_highest_priority_is_used() {
    let mut session = session();
    session.checked(Rtp, at(1), 10, true, 0);
    assert!(!session.checked(Rtp, at(2), 10, true, 1), "not the later one");
    assert!(!session.checked(Rtp, at(3), 9, true, 2));
    assert!(session.checked(Rtp, at(4), 11, true, 3));
    assert!(!session.checked(Rtp, at(1), 10, true, 4));
    assert_eq!(session.destination(Rtp, 4), Some(at(4)));
}

#[test]
fn a_pair_that_is_no_more_heard_gives_way_to_any_that_is_nominated() {
    let mut session = session();
    session.checked(Rtp, at(1), 10, true, 0);
    assert!(!session.checked(Rtp, at(2), 10, true, 7_500));
    assert!(session.checked(Rtp, at(2), 10, true, 7_501));
    session.heard(Rtp, at(1), 14_000);
    assert!(
        session.checked(Rtp, at(1), 1, true, 15_002),
        "what comes from elsewhere is no life of the selected one"
    );
    session.heard(Rtp, at(1), 20_000);
    assert!(!session.checked(Rtp, at(2), 1, true, 22_503), "media is");
}

#[test]
fn rfc7675_5_1_consent_ends_thirty_seconds_after_the_last_sign_of_life() {
    let mut session = session();
    session.checked(Rtp, at(1), 10, true, 1_000);
    assert_eq!(session.destination(Rtp, 31_000), Some(at(1)));
    assert_eq!(session.destination(Rtp, 31_001), None);
    session.checked(Rtp, at(1), 10, false, 40_000);
    assert_eq!(session.destination(Rtp, 70_000), Some(at(1)));
}

#[test]
fn rfc8445_9_after_a_restart_media_goes_on_until_another_pair_is_nominated() {
    let mut before = session();
    before.checked(Rtp, at(1), 10, true, 0);
    let mut partly = Session::new("ours".into(), "them".into(), true);
    partly.checked(Rtp, at(1), 10, true, 0);
    assert_eq!(Session::new("new".into(), "newer".into(), true).after(&partly).destination(Rtp, 1), None);
    let mut after = Session::new("new".into(), "newer".into(), false).after(&before);
    assert_eq!((after.destination(Rtp, 1), after.standing().completed), (Some(at(1)), false));
    assert_eq!(after.knows(Rtp, at(1)), Known::Selected);
    assert!(!after.checked(Rtp, at(2), 1, false, 2));
    assert_eq!(after.destination(Rtp, 2), Some(at(1)));
    assert!(after.checked(Rtp, at(2), 1, true, 3), "the priority of the one before counts no more");
    assert_eq!((after.destination(Rtp, 3), after.knows(Rtp, at(1))), (Some(at(2)), Known::Not));
    let mut again = Session::new("a".into(), "b".into(), true).after(&after);
    again.checked(Rtp, at(3), 1, true, 4);
    assert_eq!(again.destination(Rtp, 4), Some(at(2)), "each component needs a pair");
    let third = Session::new("c".into(), "d".into(), true).after(&again);
    assert_eq!(third.destination(Rtp, 4), Some(at(2)), "what was never completed is no way to go on");
    again.checked(Rtcp, at(4), 1, true, 4);
    assert_eq!(again.destination(Rtp, 4), Some(at(3)));
}

#[test]
fn the_name_from_before_a_restart_is_known_until_another_pair_is_nominated() {
    let mut before = session();
    before.checked(Rtp, at(1), 10, true, 0);
    let after = Session::new("new".into(), "newer".into(), false).after(&before);
    assert!(after.went_by(b"them") && !after.went_by(b"newer"));
    let mut third = Session::new("a".into(), "b".into(), false).after(&after);
    assert!(third.went_by(b"them") && !third.went_by(b"newer"), "where it goes to is still the first one's");
    third.heard(Rtp, at(1), 20_000);
    assert_eq!(third.destination(Rtp, 50_000), Some(at(1)));
    third.checked(Rtp, at(2), 1, true, 50_000);
    assert!(!third.went_by(b"them"));
}

#[test]
fn the_selected_pair_is_never_forgotten_for_others() {
    let mut session = session();
    session.checked(Rtp, at(1), 10, true, 0);
    for port in 2..100 {
        session.checked(Rtp, at(port), 10, true, u64::from(port));
    }
    assert_eq!((session.knows(Rtp, at(1)), session.knows(Rtp, at(99))), (Known::Selected, Known::Valid));
    assert_eq!((session.knows(Rtp, at(2)), session.destination(Rtp, 100)), (Known::Not, Some(at(1))));
}
