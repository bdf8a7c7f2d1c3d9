//! What the relay is told.

use super::*;
use crate::relay::{Settings, Sources};
use std::time::{Duration, Instant};

fn settings(call: &Call) -> Vec<&Settings> {
    call.commands
        .iter()
        .filter_map(|command| match command {
            Command::Set { settings, .. } => Some(&**settings),
            _ => None,
        })
        .collect()
}

#[test]
fn connected_streams_name_each_other() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    let contexts: Vec<_> = call
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Set { context, settings, .. } => settings.peer.map(|peer| (*context, peer)),
            _ => None,
        })
        .collect();
    let [first, second] = contexts[..] else { panic!("{contexts:?}") };
    assert_eq!((first.0, first.1), (second.1, second.0));
}

#[test]
fn rfc3605_the_stated_rtcp_port_is_used_else_the_next() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    let rtcp: std::collections::BTreeSet<_> =
        settings(&call).iter().map(|settings| settings.remote_rtcp.port()).collect();
    assert_eq!(rtcp, [3_457, 49_180].into());
}

#[test]
fn clock_rates_of_dynamic_payload_types_are_those_that_we_offered() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    let of_b = settings(&call).into_iter().find(|settings| settings.remote.port() == 3_456).unwrap();
    assert_eq!(*of_b.clocks, [(96, 48_000), (101, 8_000)]);
    assert!(of_b.rtp);
}

#[test]
fn a_refreshed_session_orders_nothing() {
    let mut call = Call::established();
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    assert!(call.commands.is_empty(), "{:?}", call.commands);
}

#[test]
fn rfc7362_a_new_description_lets_the_latch_of_its_side_move() {
    let mut call = Call::established();
    call.offer(A, B, &AUDIO.replace("ptime:20", "ptime:40")).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    let unlatched: Vec<_> = call
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Set { settings, unlatch: true, .. } => Some(settings.remote.port()),
            _ => None,
        })
        .collect();
    assert_eq!(unlatched, [49_170]);
}

#[test]
fn behind_nat_what_is_described_counts_until_the_source_of_the_signalling_is_known() {
    let nat = MediaNetwork { latching: Latching::SignallingSource, ..network(0, "192.0.2.10") };
    let mut call = Call::over(
        Mode::Anchored,
        [nat, MediaNetwork { ports: 30_000..=30_099, ..network(1, "203.0.113.20") }],
    );
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    let sources = |call: &Call| {
        let mut all = settings(call).into_iter().rev();
        all.find(|settings| settings.remote.port() == 49_170).unwrap().sources
    };
    assert_eq!(sources(&call), Sources::Described);
    // Where a response came from counts where nobody could tell, the last one; what was told counts for more.
    for (seen, last) in [(true, 1), (true, 2), (false, 3), (true, 3)] {
        let source = IpAddr::from([100, 64, 0, last + u8::from(seen && last == 3)]);
        match seen {
            true => call.media.signalling_seen(A, source),
            false => call.media.signalling_source(A, source),
        }
        call.drain();
        assert_eq!(sources(&call), Sources::Only(IpAddr::from([100, 64, 0, last])));
    }
}

#[test]
fn who_is_reached_on_its_flow_has_its_media_taken_from_there_unless_it_is_described_elsewhere() {
    let source = IpAddr::from([100, 64, 0, 1]);
    for (described, wanted) in [
        ("192.168.1.7", Sources::Only(source)),
        ("100.64.0.1", Sources::Only(source)),
        ("198.51.100.9", Sources::Described),
    ] {
        let nat = MediaNetwork { latching: Latching::SignallingIfPrivate, ..network(0, "192.0.2.10") };
        let mut call = Call::over(
            Mode::Anchored,
            [nat, MediaNetwork { ports: 30_000..=30_099, ..network(1, "203.0.113.20") }],
        );
        call.media.signalling_source(A, source);
        call.offer(A, B, &AUDIO.replace("198.51.100.1", described)).unwrap();
        call.answer(B, A, ANSWER).unwrap();
        let of_a = settings(&call).into_iter().find(|settings| settings.remote.port() == 49_170);
        assert_eq!(of_a.unwrap().sources, wanted, "{described}");
    }
}

#[test]
fn a_failed_offer_gives_its_ports_back_and_leaves_the_rest_as_it_was() {
    let mut call = Call::established();
    let before = call.media.view(B);
    call.offer(A, B, &format!("{}m=video 5000 RTP/AVP 99\n", AUDIO.replace("49170", "49999"))).unwrap();
    assert_eq!(call.ports.lent(), 3);
    call.media.offer_failed(B);
    call.media.offer_failed(A);
    assert_eq!(call.released(), 1);
    assert_eq!(call.commands.len(), 1);
    assert_eq!(call.media.view(B), before);
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
}

#[test]
fn a_removed_party_leaves_its_peer_without_one() {
    let mut call = Call::established();
    call.media.remove_party(B);
    call.drain();
    assert_eq!(settings(&call).last().unwrap().peer, None);
    assert_eq!(call.media.view(A).unwrap().peer, None);
    call.media.close();
    assert_eq!(call.released(), 2);
    assert_eq!(call.ports.lent(), 0);
}

#[test]
fn connecting_anew_disconnects_the_old_peer() {
    let mut call = Call::established();
    call.media.add_party(B2, &call.networks[1].clone());
    call.media.connect(A, B2);
    call.drain();
    assert_eq!(call.media.view(B).unwrap().peer, None);
    assert!(settings(&call).iter().all(|settings| settings.peer.is_none()), "B2 has no streams yet");
}

#[test]
fn silence_is_counted_for_streams_that_flow_both_ways_only() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    let epoch = std::hint::black_box(EPOCH.with(|epoch| *epoch));
    for command in &call.commands {
        if let Command::Set { counters, .. } = command {
            counters.changed(epoch, 1_000);
        }
    }
    let at = |seconds| epoch + Duration::from_secs(seconds);
    let lasting = |call: &Call| call.media.silence(at(31), at(0)).map(|silence| silence.lasting);
    assert_eq!(lasting(&call), Some(Duration::from_secs(30)));
    assert_eq!(call.media.silence(at(31), at(21)).unwrap().lasting, Duration::from_secs(10));
    call.offer(A, B, &AUDIO.replace("sendrecv", "sendonly")).unwrap();
    call.answer(B, A, &format!("{ANSWER}a=recvonly\n")).unwrap();
    assert_eq!(lasting(&call), None);
}

thread_local! {
    #[expect(clippy::disallowed_methods, reason = "a test needs some moment to count from")]
    static EPOCH: Instant = Instant::now();
}
