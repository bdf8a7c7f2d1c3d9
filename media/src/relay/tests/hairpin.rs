//! Calls that go through us twice: sent on, and come back from there.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::harness::*;
use crate::dtls::{Identity, Version};
use crate::dtmf::{Digit, Wanted};
use crate::relay::Config;
use crate::srtp::Suite;
use crate::{CallMedia, Keying, Latching, Limits, Mode, Security, SrtpUse};

static IDENTITY: LazyLock<Arc<Identity>> = LazyLock::new(|| Arc::new(Identity::generate().unwrap()));

fn security(keying: Keying) -> Security {
    Security {
        srtp: SrtpUse::Required,
        keying: [keying].into(),
        suites: [Suite::AesCm128Sha1Tag80].into(),
        keys: true,
        identity: Some(Arc::clone(&IDENTITY)),
        dtls: Version::V1_2,
        browser: false,
    }
}

/// Another call over the same relay.
fn another(bench: &Bench, seed: u64) -> CallMedia {
    let mut call = CallMedia::new(Mode::Anchored, Limits::default(), seed);
    call.add_party(A, &bench.networks[0]);
    call.add_party(B, &bench.networks[1]);
    call
}

fn carry_out(bench: &mut Bench, call: &mut CallMedia) {
    while let Some(command) = call.poll_command() {
        bench.link.carry_out(command);
    }
    bench.link.flush();
}

/// Alice's call leaves by its B and comes back as the A of another, whose B is Bob; between the two, with keys from there.
fn through_twice(config: &Config, keying: Option<Keying>) {
    let mut bench = Bench::new(config);
    let (alice, bob) = (bench.peer(), bench.peer());
    let (mut first, mut second) = (another(&bench, 1), another(&bench, 2));
    if let Some(keying) = keying {
        first.protect(B, security(keying), [1; 32]);
        second.protect(A, security(keying), [2; 32]);
    }
    first.receive_offer(A, alice.describe().as_bytes()).unwrap();
    let between = first.compose_offer(B, A, &mut bench.link).unwrap();
    second.receive_offer(A, &between).unwrap();
    second.compose_offer(B, A, &mut bench.link).unwrap();
    second.receive_answer(B, bob.describe().as_bytes()).unwrap();
    let between = second.compose_answer(A, B, &mut bench.link).unwrap();
    second.connect(A, B);
    first.receive_answer(B, &between).unwrap();
    first.compose_answer(A, B, &mut bench.link).unwrap();
    first.connect(A, B);
    let at = |call: &CallMedia, party, network: usize| {
        let told = call.view(party).unwrap().streams[0].local.unwrap();
        SocketAddr::new(config.networks[network].bind, told.port())
    };
    let (at_first, at_second) = (at(&first, A, 0), at(&second, B, 1));
    // As a shard does it, the orders of one call are carried out before those of the other.
    carry_out(&mut bench, &mut second);
    carry_out(&mut bench, &mut first);
    let keyed = |call: &CallMedia, party| call.view(party).unwrap().streams[0].guarded.name().is_some();
    until(|| keying.is_none() || keyed(&first, B) && keyed(&second, A));
    for sequence in 1..50 {
        alice.rtp.send_to(&rtp(sequence), at_first).unwrap();
        assert_eq!(receive(&bob.rtp).0, rtp(sequence), "{keying:?}");
        bob.rtp.send_to(&rtp(sequence), at_second).unwrap();
        assert_eq!(receive(&alice.rtp).0, rtp(sequence), "{keying:?}");
    }
    for (call, party) in [(&first, B), (&second, A)] {
        let counted = call.view(party).unwrap().streams[0].counted;
        assert_eq!((counted.received.packets, counted.sent.packets, counted.unauthentic), (49, 49, 0));
    }
}

/// Alice's call comes back by the B of each call but the last, whose B is Bob; each with its relay thread.
fn through(times: usize, threads: u16, advertised: bool) {
    let mut config = Config { threads, ..config(Latching::Described) };
    if advertised {
        for (network, advertised) in config.networks.iter_mut().zip([[192, 0, 2, 1], [192, 0, 2, 2]]) {
            network.advertised = Some(advertised.into());
        }
    }
    let mut bench = Bench::new(&config);
    let (alice, bob) = (bench.peer(), bench.peer());
    let mut calls: Vec<_> = (0..times).map(|seed| another(&bench, seed as u64)).collect();
    let mut said = alice.describe().into_bytes();
    for call in &mut calls {
        call.receive_offer(A, &said).unwrap();
        said = call.compose_offer(B, A, &mut bench.link).unwrap().to_vec();
    }
    said = bob.describe().into_bytes();
    for call in calls.iter_mut().rev() {
        call.receive_answer(B, &said).unwrap();
        said = call.compose_answer(A, B, &mut bench.link).unwrap().to_vec();
        call.connect(A, B);
    }
    let at = |call: &CallMedia, party, network: usize| {
        let told = call.view(party).unwrap().streams[0].local.unwrap();
        SocketAddr::new(config.networks[network].bind, told.port())
    };
    let (at_first, at_last) = (at(&calls[0], A, 0), at(&calls[times - 1], B, 1));
    calls.iter_mut().for_each(|call| carry_out(&mut bench, call));
    // Threads carry out what they are told at their own time, and until then nothing crosses.
    let reached = |from: &Peer, at, to: &Peer| {
        to.rtp.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        until(|| {
            from.rtp.send_to(&rtp(0), at).unwrap();
            to.rtp.recv_from(&mut [0; 200]).is_ok()
        });
        to.rtp.set_read_timeout(Some(GUARD)).unwrap();
    };
    let crosses = |from: &Peer, at, to: &Peer, sequence| {
        from.rtp.send_to(&rtp(sequence), at).unwrap();
        while receive(&to.rtp).0 != rtp(sequence) {}
    };
    reached(&alice, at_first, &bob);
    reached(&bob, at_last, &alice);
    for sequence in 1..50 {
        crosses(&alice, at_first, &bob, sequence);
        crosses(&bob, at_last, &alice, sequence);
    }
    let rtcp = |at: SocketAddr| SocketAddr::new(at.ip(), at.port() + 1);
    alice.rtcp.send_to(&REPORT, rtcp(at_first)).unwrap();
    assert_eq!(receive(&bob.rtcp).0, REPORT);
}

#[test]
fn a_call_that_goes_through_us_many_times_is_heard_through_all_of_them() {
    for (times, threads, advertised) in [(3, 1, false), (3, 1, true), (4, 2, false), (7, 3, false)] {
        through(times, threads, advertised);
    }
}

#[test]
fn a_call_that_goes_through_us_twice_is_heard_both_ways_with_keys_or_without() {
    for keying in [None, Some(Keying::Sdes), Some(Keying::Dtls)] {
        through_twice(&config(Latching::Described), keying);
    }
}

#[test]
fn it_may_come_back_by_the_address_that_others_know_us_by() {
    let mut config = config(Latching::Described);
    for (network, advertised) in config.networks.iter_mut().zip([[192, 0, 2, 1], [192, 0, 2, 2]]) {
        network.advertised = Some(advertised.into());
    }
    through_twice(&config, None);
}

/// Both legs of both calls have legs of ours as their peers: nobody is there who could say anything, and what somebody throws in goes no
/// further.
#[test]
fn calls_that_lead_to_one_another_do_not_feed_one_another() {
    let mut bench = Bench::new(&config(Latching::AnySource));
    let (alice, bob) = (bench.peer(), bench.peer());
    let (mut first, mut second) = (another(&bench, 1), another(&bench, 2));
    let mut places = Vec::new();
    for call in [&mut first, &mut second] {
        call.receive_offer(A, alice.describe().as_bytes()).unwrap();
        call.compose_offer(B, A, &mut bench.link).unwrap();
        call.receive_answer(B, bob.describe().as_bytes()).unwrap();
        call.compose_answer(A, B, &mut bench.link).unwrap();
        call.connect(A, B);
        places.push([A, B].map(|party| call.view(party).unwrap().streams[0].local.unwrap()));
    }
    for (call, there) in [(&mut first, places[1]), (&mut second, places[0])] {
        call.receive_offer(A, describe(there[1]).as_bytes()).unwrap();
        call.compose_offer(B, A, &mut bench.link).unwrap();
        call.receive_answer(B, describe(there[0]).as_bytes()).unwrap();
        call.compose_answer(A, B, &mut bench.link).unwrap();
        carry_out(&mut bench, call);
    }
    for at in places.concat() {
        alice.rtp.send_to(&rtp(1), at).unwrap();
    }
    let counted = |call: &CallMedia, party| call.view(party).unwrap().streams[0].counted;
    let all = [(&first, A), (&first, B), (&second, A), (&second, B)];
    until(|| all.iter().all(|(call, party)| counted(call, *party).wrong_source == 1));
    assert!(all.iter().all(|(call, party)| counted(call, *party).received.packets == 0));
}

/// The same with keys that each of the calls has to translate, a tone into an event and that into a tone: what is said in one is heard in the
/// other, and said no more.
#[test]
fn keys_do_not_go_round_between_calls_that_lead_to_one_another() {
    [1, 2].into_iter().for_each(keys_round);
}

fn keys_round(threads: u16) {
    let mut bench = Bench::new(&Config { threads, ..config(Latching::Described) });
    let (alice, bob) = (bench.peer(), bench.peer());
    let (mut first, mut second) = (another(&bench, 1), another(&bench, 2));
    let events =
        |text: String| text.replace("RTP/AVP 0", "RTP/AVP 0 101") + "a=rtpmap:101 telephone-event/8000\r\n";
    for (call, tones, has_events) in [(&mut first, A, B), (&mut second, B, A)] {
        call.dtmf(tones, Wanted::Tones);
        call.dtmf(has_events, Wanted::Events);
        call.receive_offer(A, events(alice.describe()).as_bytes()).unwrap();
        call.compose_offer(B, A, &mut bench.link).unwrap();
        call.receive_answer(B, events(bob.describe()).as_bytes()).unwrap();
        call.compose_answer(A, B, &mut bench.link).unwrap();
        call.connect(A, B);
    }
    let places = |call: &CallMedia| [A, B].map(|party| call.view(party).unwrap().streams[0].local.unwrap());
    let (at_first, at_second) = (places(&first), places(&second));
    // Each leg has the one of the other call as its peer that has keys in the same form.
    for (call, [a, b]) in
        [(&mut first, [at_second[1], at_second[0]]), (&mut second, [at_first[1], at_first[0]])]
    {
        call.receive_offer(A, events(describe(a)).as_bytes()).unwrap();
        call.compose_offer(B, A, &mut bench.link).unwrap();
        call.receive_answer(B, events(describe(b)).as_bytes()).unwrap();
        call.compose_answer(A, B, &mut bench.link).unwrap();
    }
    carry_out(&mut bench, &mut second);
    assert!(first.say(A, Digit::of_name('5').unwrap(), 100));
    carry_out(&mut bench, &mut first);
    let counted = |call: &CallMedia, party| call.view(party).unwrap().streams[0].counted;
    // The tone that the second call makes of it, and the silence after that.
    until(|| counted(&second, A).no_destination >= 8 || counted(&second, B).sent.packets >= 8);
    assert_eq!(counted(&second, A).digits_heard, 1);
    assert_eq!((counted(&second, B).sent.packets, counted(&first, A).received.packets), (0, 0));
    // A key of somebody else in the place of that leg is said.
    second.receive_offer(A, events(alice.describe()).as_bytes()).unwrap();
    second.compose_offer(B, A, &mut bench.link).unwrap();
    second.receive_answer(B, events(describe(at_first[0])).as_bytes()).unwrap();
    second.compose_answer(A, B, &mut bench.link).unwrap();
    assert!(second.say(A, Digit::of_name('7').unwrap(), 100));
    carry_out(&mut bench, &mut second);
    until(|| counted(&second, B).sent.packets > 0);
}

#[test]
fn a_listener_of_ours_that_is_described_gets_nothing() {
    let listener = std::net::UdpSocket::bind((loopback(), 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let at_any = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    at_any.set_nonblocking(true).unwrap();
    let any = at_any.local_addr().unwrap();
    let base = config(Latching::Described);
    let ours = SocketAddr::new(base.networks[1].bind, any.port());
    for (there, closed) in
        [(listener.local_addr().unwrap(), false), (listener.local_addr().unwrap(), true), (ours, true)]
    {
        let list = if closed { vec![listener.local_addr().unwrap(), any] } else { Vec::new() };
        let mut bench = Bench::new(&Config { closed: list, ..base.clone() });
        let alice = bench.peer();
        let mut call = another(&bench, 1);
        call.receive_offer(A, alice.describe().as_bytes()).unwrap();
        call.compose_offer(B, A, &mut bench.link).unwrap();
        call.receive_answer(B, describe(there).as_bytes()).unwrap();
        call.compose_answer(A, B, &mut bench.link).unwrap();
        call.connect(A, B);
        carry_out(&mut bench, &mut call);
        let told = call.view(A).unwrap().streams[0].local.unwrap();
        for sequence in 1..=2 {
            alice.rtp.send_to(&rtp(sequence), told).unwrap();
        }
        // Once the second has come, all is done that is done with the first.
        until(|| call.view(A).unwrap().streams[0].counted.received.packets == 2);
        let got = [&listener, &at_any].map(|socket| socket.recv_from(&mut [0; 200]).is_ok());
        assert_eq!(got, [!closed, false], "{there}");
        while listener.recv_from(&mut [0; 200]).is_ok() {}
    }
}
