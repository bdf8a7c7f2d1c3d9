//! Ports: bound ahead, lent, in quarantine, closed.

use std::net::UdpSocket;
use std::time::Duration;

use super::harness::*;
use crate::relay::{Command, Config, StartError, start};
use crate::{Latching, NetworkId, PortPair, Ports, PortsError, ThreadId};

const ONE: NetworkId = NetworkId(0);

#[test]
fn pairs_are_an_even_port_and_the_next_and_are_not_lent_twice() {
    let mut bench = Bench::new(&config(Latching::Described));
    let ports: std::collections::BTreeSet<_> =
        (0..8).map(|_| bench.link.take(ONE, None).unwrap().port).collect();
    assert_eq!(ports.len(), 8);
    for port in ports {
        assert_eq!(port % 2, 0);
        assert!(UdpSocket::bind((bench.networks[0].bind, port)).is_err());
        assert!(UdpSocket::bind((bench.networks[0].bind, port + 1)).is_err());
    }
}

#[test]
fn ports_that_others_hold_are_passed_over() {
    let config = config(Latching::Described);
    let held = UdpSocket::bind((config.networks[0].bind, 20_003)).unwrap();
    let mut bench = Bench::new(&config);
    let ports: Vec<_> = (0..3).map(|_| bench.link.take(ONE, None).unwrap().port).collect();
    assert_eq!(ports, [20_000, 20_004, 20_006]);
    drop(held);
}

#[test]
fn a_range_whose_first_ports_are_all_held_is_no_reason_not_to_start() {
    let config = config(Latching::Described);
    let held: Vec<_> =
        (0..64).map(|n| UdpSocket::bind((config.networks[0].bind, 20_000 + 2 * n)).unwrap()).collect();
    let mut bench = Bench::new(&config);
    assert_eq!(bench.link.take(ONE, None).unwrap().port, 20_128);
    drop(held);
}

fn release(bench: &mut Bench, pair: &PortPair) {
    bench.link.carry_out(Command::Release { pair: pair.id });
    bench.link.flush();
}

#[test]
fn a_returned_pair_is_lent_again_after_its_quarantine_only() {
    let quarantine = Duration::from_millis(200);
    let config =
        Config { max_pairs: 2, quarantine, low_water: 1, high_water: 1, ..config(Latching::Described) };
    let mut bench = Bench::new(&config);
    let pair = bench.link.take(ONE, None).unwrap();
    assert_eq!(bench.link.take(ONE, None), Err(PortsError::Exhausted(ONE)));
    #[expect(clippy::disallowed_methods, reason = "the quarantine is real time")]
    let returned = std::time::Instant::now();
    release(&mut bench, &pair);
    let mut again = None;
    until(|| {
        again = bench.link.take(ONE, None).ok();
        again.is_some()
    });
    #[expect(clippy::disallowed_methods, reason = "the quarantine is real time")]
    let waited = returned.elapsed();
    assert!(waited + Duration::from_millis(1) >= quarantine, "{waited:?}");
    let again = again.unwrap();
    assert_eq!((again.port, again.id.slot), (pair.port, pair.id.slot));
    assert_ne!(again.id.generation, pair.id.generation);
}

#[test]
fn a_thousand_pairs_come_and_go_and_their_sockets_stay() {
    let config =
        Config { quarantine: Duration::ZERO, low_water: 16, high_water: 32, ..config(Latching::Described) };
    let mut bench = Bench::new(&config);
    for round in 1..=3 {
        let mut lent = Vec::new();
        until(|| {
            lent.extend(bench.link.take(ONE, None));
            lent.len() == 1_000
        });
        assert_eq!(bench.link.lent(), 1_000);
        let last = lent[999].clone();
        for pair in lent {
            release(&mut bench, &pair);
        }
        assert_eq!(bench.link.lent(), 0);
        // One more order, for nothing: when it has been seen, so have all before it.
        release(&mut bench, &last);
        until(|| {
            bench.link.flush();
            let gauges = bench.relay.gauges();
            gauges.late_commands == round && gauges.quarantined == 0
        });
        let gauges = bench.relay.gauges();
        assert_eq!(gauges.bound, gauges.opened, "none is closed");
        assert!((1_000..=1_000 + 4 * 32).contains(&gauges.opened), "{gauges:?}");
    }
}

#[test]
fn every_thread_lends_ports_of_its_own_and_a_call_stays_on_one() {
    let config = Config { threads: 2, ..config(Latching::Described) };
    let mut bench = Bench::new(&config);
    let first = bench.link.take(ONE, None).unwrap();
    let second = bench.link.take(ONE, None).unwrap();
    assert_ne!(first.id.thread, second.id.thread);
    assert_ne!(first.port, second.port);
    for thread in [ThreadId(0), ThreadId(1)] {
        assert_eq!(bench.link.take(NetworkId(1), Some(thread)).unwrap().id.thread, thread);
    }
    assert_eq!(bench.link.take(ONE, Some(ThreadId(2))), Err(PortsError::Exhausted(ONE)));
}

#[test]
fn each_shard_has_a_stock_of_its_own() {
    let config = Config { shards: 2, ..config(Latching::Described) };
    let (_relay, mut links) = start(&config).unwrap();
    let ports: Vec<_> = links.iter_mut().map(|link| link.take(ONE, None).unwrap().port).collect();
    assert_ne!(ports[0], ports[1]);
    assert_eq!(links[0].take(NetworkId(7), None), Err(PortsError::NoSuchNetwork(NetworkId(7))));
}

#[test]
fn each_shard_gets_pairs_of_each_thread() {
    let config = Config { shards: 3, threads: 2, ..config(Latching::Described) };
    let (_relay, mut links) = start(&config).unwrap();
    let mut ports = std::collections::BTreeSet::new();
    for link in &mut links {
        for thread in [0, 1].map(ThreadId) {
            let pair = link.take(ONE, Some(thread)).unwrap();
            assert_eq!(pair.id.thread, thread);
            ports.insert(pair.port);
        }
        assert_eq!(link.lent(), 2);
    }
    assert_eq!(ports.len(), 6);
}

#[test]
fn a_small_range_is_shared_fairly() {
    let mut config = Config { shards: 2, low_water: 4, high_water: 8, ..config(Latching::Described) };
    config.networks[0].ports = 20_000..=20_011;
    let (relay, links) = start(&config).unwrap();
    let stocks: Vec<_> = links.iter().map(|link| link.free(ONE)).collect();
    assert_eq!(stocks, [3, 3]);
    relay.stop();
    let limited = Config { max_pairs: 8, ..config };
    let (_relay, links) = start(&limited).unwrap();
    let stocks: Vec<_> = links.iter().map(|link| (link.free(ONE), link.free(NetworkId(1)))).collect();
    assert_eq!(stocks, [(2, 2), (2, 2)]);
}

#[test]
fn orders_that_find_the_ring_full_wait_in_order_and_none_is_lost() {
    let config = Config { quarantine: Duration::ZERO, ..config(Latching::Described) };
    let mut bench = Bench::new(&config);
    let pair = bench.link.take(ONE, None).unwrap();
    for _ in 0..10_000 {
        bench.link.carry_out(Command::Release { pair: pair.id });
    }
    if bench.link.is_behind() {
        assert_eq!(bench.link.take(ONE, None).map(|_| ()).err(), Some(PortsError::Overloaded));
    }
    until(|| {
        bench.link.flush();
        !bench.link.is_behind() && bench.relay.gauges().late_commands == 9_999
    });
}

#[test]
fn a_relay_that_cannot_work_does_not_start() {
    let broken = |change: &dyn Fn(&mut crate::MediaNetwork)| {
        let mut config = config(Latching::Described);
        change(&mut config.networks[1]);
        start(&config).unwrap_err()
    };
    assert!(matches!(broken(&|network| network.ports = 20_001..=20_002), StartError::Ports(NetworkId(1))));
    let mut crowded = Config { shards: 3, threads: 2, ..config(Latching::Described) };
    crowded.networks[1].ports = 20_000..=20_009;
    assert!(matches!(start(&crowded).unwrap_err(), StartError::Ports(NetworkId(1))), "five pairs for six");
    assert!(matches!(
        broken(&|network| network.bind = [0, 0, 0, 0].into()),
        StartError::Address(NetworkId(1))
    ));
    let other_family =
        |network: &mut crate::MediaNetwork| network.advertised = Some("2001:db8::1".parse().unwrap());
    assert!(matches!(broken(&other_family), StartError::Address(NetworkId(1))));
    assert!(matches!(broken(&|network| network.bind = [203, 0, 113, 77].into()), StartError::Bind { .. }));
}

#[test]
fn a_stopped_relay_closes_its_ports() {
    let mut bench = Bench::new(&config(Latching::Described));
    let port = bench.link.take(ONE, None).unwrap().port;
    bench.relay.stop();
    assert!(UdpSocket::bind((bench.networks[0].bind, port)).is_ok());
}
