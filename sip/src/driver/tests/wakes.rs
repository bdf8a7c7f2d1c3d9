//! Waking, sleeping, stopping.

use super::lab::{Command, Lab, Report, local, message, open, send};
use super::streams::{connect, expect, expect_end};
use crate::driver::sockets::Sockets;
use crate::flow::{Destination, Transport};
use std::io::Write;
use std::net::UdpSocket;
use std::time::Duration;

#[test]
fn a_wake_from_any_thread_reaches_the_core_and_a_flush_precedes_the_sleep() {
    let lab = Lab::verbose(&[local(Transport::Udp)]);
    let waker = lab.waker.clone();
    assert_eq!(lab.next(), Report::Flushed);
    for _ in 0..100 {
        let waker = waker.clone();
        std::thread::Builder::new().spawn(move || waker.wake()).unwrap().join().unwrap();
        assert_eq!(lab.next(), Report::Woken);
        assert_eq!(lab.next(), Report::Flushed);
    }
}

#[test]
fn a_deadline_is_heard_after_its_time_and_an_earlier_one_before_it() {
    let lab = Lab::new(&[local(Transport::Udp)], |_| {});
    lab.tell([Command::Deadline(Duration::from_secs(3600))]);
    for after in [30, 5, 0] {
        lab.tell([Command::Deadline(Duration::from_millis(after))]);
        let Report::Timeout(deadline, heard) = lab.next() else { panic!("no deadline") };
        assert!(heard >= deadline);
    }
}

#[test]
fn an_idle_driver_sleeps() {
    let lab = Lab::new(&[local(Transport::Udp), local(Transport::Tcp)], |_| {});
    // The first deadline is heard once the driver has found its sockets empty.
    lab.tell([Command::Deadline(Duration::ZERO)]);
    lab.next();
    let before = lab.settings.counters.wakes.get();
    lab.tell([Command::Deadline(Duration::from_millis(200))]);
    lab.next();
    let wakes = lab.settings.counters.wakes.get() - before;
    assert!(wakes <= 6, "{wakes} wakes for one command and one deadline");
}

#[test]
fn a_stopped_driver_has_sent_what_was_wanted_and_leaves_its_addresses() {
    let mut lab = Lab::new(&[local(Transport::Tcp), local(Transport::Udp)], |_| {});
    let mut stream = connect(&lab);
    stream.write_all(message(1).as_bytes()).unwrap();
    let (flow, _) = lab.input();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    lab.tell([send(2, Destination::Flow(flow)), send(3, open(peer.local_addr().unwrap())), Command::Stop]);
    lab.stop();
    expect(&mut stream, &message(2));
    expect_end(&mut stream);
    Sockets::bind(&lab.listeners).expect("the addresses are free again");
}
