//! Handshakes over a network that loses, doubles and reorders (RFC 6347 §4.2.4).

use std::time::Duration;

use super::wire::*;
use crate::dtls::{Failure, Role};
use crate::srtp::Suite;

const SUITES: [Suite; 1] = [Suite::AesCm128Sha1Tag80];

/// How many datagrams a handshake has when nothing is lost.
fn whole() -> u32 {
    let mut most = 0;
    let mut wire = Wire::of(&SUITES);
    wire.shake(|_, number| {
        most = number + 1;
        Fate::Arrives
    });
    wire.assert_keyed();
    most
}

#[test]
fn any_datagram_may_be_lost_doubled_or_late() {
    let whole = whole();
    assert!(whole >= 6);
    for fate in [Fate::Lost, Fate::Twice, Fate::Late] {
        for which in 0..whole {
            let mut wire = Wire::of(&SUITES);
            wire.shake(|_, number| if number == which { fate } else { Fate::Arrives });
            wire.assert_keyed();
            let [client, server] = &wire.ends;
            assert_eq!((client.keyed.len(), server.keyed.len()), (1, 1), "{fate:?} {which}");
        }
    }
}

/// As a browser's ClientHello does, which has keys that no quantum computer finds, and a server's long certificate.
#[test]
fn messages_may_come_in_parts() {
    for senders in [[true, false], [false, true], [true, true]] {
        let fate = |from: usize| if senders[from] { Fate::InParts } else { Fate::Arrives };
        let mut wire = Wire::of(&SUITES);
        wire.shake(|from, _| fate(from));
        wire.assert_keyed();
        assert!(wire.now - wire.start < Duration::from_secs(1), "nothing has to be sent again");
        for lost in 0..whole() {
            let mut wire = Wire::of(&SUITES);
            wire.shake(|from, number| if number == lost { Fate::Lost } else { fate(from) });
            wire.assert_keyed();
        }
    }
}

#[test]
fn any_two_datagrams_may_be_lost() {
    let whole = whole();
    for (first, second) in
        (0..whole).flat_map(|first| (first + 1..whole + 2).map(move |second| (first, second)))
    {
        let mut wire = Wire::of(&SUITES);
        wire.shake(|_, number| if number == first || number == second { Fate::Lost } else { Fate::Arrives });
        wire.assert_keyed();
    }
}

#[test]
fn a_fifth_of_everything_may_be_lost() {
    let mut done = 0;
    for seed in 1..=40u64 {
        let mut chance = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut wire = Wire::of(&SUITES);
        wire.shake(|_, _| {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            match chance % 15 {
                0..=2 => Fate::Lost,
                3 => Fate::Twice,
                4 => Fate::Late,
                _ => Fate::Arrives,
            }
        });
        if wire.ends.iter().all(|end| end.keyed.len() == 1) {
            wire.assert_keyed();
            done += 1;
        }
    }
    // Each flight and its answer has five tries in the thirty seconds.
    assert!(done >= 38, "{done} of 40");
}

#[test]
fn a_flight_is_sent_again_after_one_second_then_two_and_is_given_up_after_thirty() {
    let mut wire = Wire::of(&SUITES);
    let mut sent = Vec::new();
    let start = wire.start;
    wire.begin(&mut |_, _| Fate::Lost);
    assert_eq!(wire.ends[0].sent.len(), 1);
    while let Some(deadline) = wire.ends[0].association.deadline() {
        wire.now = deadline;
        let before = wire.ends[0].sent.len();
        wire.ends[0].work(|it, out| it.handle_timeout(deadline, out));
        if wire.ends[0].sent.len() > before {
            sent.push(deadline - start);
        }
    }
    assert_eq!(sent, [1, 3, 7, 15].map(Duration::from_secs));
    assert_eq!(wire.now - start, Duration::from_secs(30));
    assert_eq!(wire.ends[0].failed(), Some(Failure::Timeout));
}

#[test]
fn a_client_begins_again_where_its_peer_has_gone() {
    let mut wire = Wire::of(&SUITES);
    wire.begin(&mut |_, _| Fate::Lost);
    wire.run(Duration::from_secs(60), |_, _| Fate::Lost);
    assert_eq!(wire.ends[0].failed(), Some(Failure::Timeout));
    wire.ends[1] = End::new(terms(Role::Server, &SUITES), "192.0.2.9:5001", wire.now);
    wire.shake(|_, _| Fate::Arrives);
    wire.assert_keyed();
}
