//! Many associations at one desk.

use std::sync::Arc;
use std::time::Duration;

use super::wire::*;
use crate::dtls::{Desk, Failure, Input, Output, Place, Role, Standing, Tallies, Terms, Version};
use crate::ice::Component;
use crate::srtp::Suite;
use crate::{ContextId, PairId, ThreadId};

const SUITES: [Suite; 1] = [Suite::AeadAes128Gcm];

fn place(slot: u32, component: Component) -> Place {
    let pair = PairId { thread: ThreadId(0), slot, generation: 0 };
    Place { context: ContextId { pair, remote: 0 }, component }
}

fn desk(most: usize) -> (Desk, Arc<Tallies>) {
    let tallies = Arc::new(Tallies::default());
    (Desk::new(most, Arc::clone(&tallies)), tallies)
}

#[test]
fn each_place_has_its_own_keys() {
    let (mut desk, tallies) = desk(8);
    let now = epoch();
    let [client, server] = [Role::Client, Role::Server].map(|role| Arc::new(terms(role, &SUITES)));
    let (here, there) = ("192.0.2.1:4000".parse().unwrap(), "192.0.2.2:5000".parse().unwrap());
    for component in [Component::Rtp, Component::Rtcp] {
        desk.handle(now, Input::Begin(place(0, component), 1, Arc::clone(&client)));
        desk.handle(now, Input::Begin(place(1, component), 1, Arc::clone(&server)));
        desk.handle(now, Input::Direct(place(0, component), there));
    }
    let mut keyed = Vec::new();
    while let Some(output) = desk.poll() {
        match output {
            Output::Datagram(from, _, octets) => {
                let client = from.context.pair.slot == 0;
                let to = place(u32::from(client), from.component);
                let source = if client { here } else { there };
                desk.handle(now, Input::Datagram(to, source, octets.into()));
            }
            Output::Keyed(at, 1, _, keys, from) => {
                assert_eq!(from, if at.context.pair.slot == 0 { there } else { here });
                keyed.push((at, keys));
            }
            Output::Keyed(..) | Output::Standing(..) => {}
        }
    }
    keyed.sort_by_key(|(at, _)| *at);
    let of = |at: usize| &keyed[at].1;
    assert_eq!(keyed.len(), 4);
    assert_eq!((&of(0).send, &of(1).send), (&of(2).receive[0], &of(3).receive[0]));
    assert_ne!(of(0).send, of(1).send);
    let read = tallies.read();
    assert_eq!((read.associations, read.keyed, read.refused), (4, 4, 0));
    assert_eq!(desk.deadline(), None);
    for at in [0, 1] {
        for component in [Component::Rtp, Component::Rtcp] {
            desk.handle(now, Input::End(place(at, component)));
        }
    }
    // Each has said goodbye.
    let goodbyes = std::iter::from_fn(|| desk.poll());
    assert_eq!(goodbyes.filter(|output| matches!(output, Output::Datagram(..))).count(), 4);
    assert_eq!(tallies.read().associations, 0);
}

#[test]
fn at_the_limit_no_more_begin() {
    let (mut desk, tallies) = desk(2);
    let now = epoch();
    let terms = Arc::new(terms(Role::Server, &SUITES));
    for slot in 0..3 {
        desk.handle(now, Input::Begin(place(slot, Component::Rtp), 1, Arc::clone(&terms)));
    }
    let mut last = None;
    while let Some(output) = desk.poll() {
        last = Some(output);
    }
    let Some(Output::Standing(at, 1, Standing::Failed(Failure::Limit))) = last else { panic!("{last:?}") };
    assert_eq!(at, place(2, Component::Rtp));
    assert_eq!(tallies.read().failed.of(Failure::Limit), 1);
    desk.handle(now, Input::End(place(0, Component::Rtp)));
    desk.handle(now, Input::Begin(place(2, Component::Rtp), 1, terms));
    assert!(matches!(desk.poll(), Some(Output::Standing(_, 1, Standing::Waiting))));
}

#[test]
fn a_handshake_that_nobody_answers_is_over_after_thirty_seconds() {
    let (mut desk, tallies) = desk(2);
    let mut now = epoch();
    let start = now;
    desk.handle(now, Input::Begin(place(0, Component::Rtp), 1, Arc::new(terms(Role::Client, &SUITES))));
    desk.handle(now, Input::Direct(place(0, Component::Rtp), "192.0.2.2:5000".parse().unwrap()));
    while let Some(deadline) = desk.deadline() {
        now = deadline;
        desk.handle_timeout(now);
    }
    assert_eq!(now - start, Duration::from_secs(30));
    assert_eq!(tallies.read().failed.of(Failure::Timeout), 1);
    // The same terms once more are no new association.
    desk.handle(now, Input::Begin(place(0, Component::Rtp), 1, Arc::new(terms(Role::Client, &SUITES))));
    desk.handle(
        now,
        Input::Datagram(place(7, Component::Rtp), "192.0.2.2:5000".parse().unwrap(), [22].into()),
    );
    assert_eq!(tallies.read().refused, 1);
    assert_eq!(desk.deadline(), None);
}

#[test]
fn a_peer_that_could_not_do_1_3_is_not_asked_again() {
    let (mut desk, _) = desk(8);
    let (now, there) = (epoch(), "192.0.2.2:5000".parse().unwrap());
    let terms = Arc::new(terms_up_to(Version::V1_3, Role::Client, &Suite::ALL));
    let hello = |desk: &mut Desk| {
        let datagrams = std::iter::from_fn(|| desk.poll()).filter_map(|output| match output {
            Output::Datagram(_, _, octets) => Some(octets),
            Output::Standing(..) | Output::Keyed(..) => None,
        });
        datagrams.last().unwrap()
    };
    let is_newer = |hello: &[u8]| hello.windows(2).any(|of| of == [0xfe, 0xfc]);
    desk.handle(now, Input::Begin(place(0, Component::Rtp), 1, Arc::clone(&terms)));
    desk.handle(now, Input::Direct(place(0, Component::Rtp), there));
    assert!(is_newer(&hello(&mut desk)));
    // handshake_failure
    let alert = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40];
    desk.handle(now, Input::Datagram(place(0, Component::Rtp), there, alert.into()));
    let again = hello(&mut desk);
    assert!(!is_newer(&again), "once more, by the older version");
    // Which works.
    let server = Arc::new(terms_up_to(Version::V1_2, Role::Server, &Suite::ALL));
    desk.handle(now, Input::Begin(place(9, Component::Rtp), 9, server));
    let here = "192.0.2.1:4000".parse().unwrap();
    desk.handle(now, Input::Datagram(place(9, Component::Rtp), here, again.into()));
    while let Some(output) = desk.poll() {
        if let Output::Datagram(from, _, octets) = output {
            let (to, source) = if from.context.pair.slot == 9 { (0, there) } else { (9, here) };
            desk.handle(now, Input::Datagram(place(to, Component::Rtp), source, octets.into()));
        }
    }
    desk.handle(now, Input::Begin(place(1, Component::Rtp), 2, Arc::clone(&terms)));
    desk.handle(now, Input::Direct(place(1, Component::Rtp), there));
    assert!(!is_newer(&hello(&mut desk)), "and by that from the beginning");
    let other = Arc::new(Terms { fingerprints: Box::new([wrong()]), ..(*terms).clone() });
    desk.handle(now, Input::Begin(place(2, Component::Rtp), 3, other));
    desk.handle(now, Input::Direct(place(2, Component::Rtp), there));
    assert!(is_newer(&hello(&mut desk)), "another peer");
}
