//! Several drivers behind one address.

use super::super::exchange::Place;
use super::super::sockets::{Bind, Sockets};
use super::super::{Settings, Waker};
use super::lab::{Command, GUARD, Lab, Report, local, message, open, send, transmit_id};
use super::streams::{expect, expect_end, guarded};
use crate::flow::{Destination, Flow, ListenerId, Transport};
use crate::home::{Homes, NodeNo, ShardNo};
use bytes::Bytes;
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// Drivers that share a listener, and how they find each message's home.
pub(super) struct Labs {
    homes: Arc<Homes>,
    pub(super) labs: Vec<Lab>,
}

pub(super) fn start(transport: Transport, count: u8, room: usize, change: impl Fn(&mut Settings)) -> Labs {
    let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
    let homes = Arc::new(Homes::new(&[1; 16], NodeNo(0), count, hasher.clone()));
    let wakers: Vec<Waker> = (0..count).map(|_| Waker::new()).collect();
    let places = Place::with_room(&homes, &wakers, &hasher, room);
    let sockets = Sockets::bind_for(&[local(transport)], count).unwrap();
    let labs =
        sockets.into_iter().zip(places).map(|(sockets, place)| Lab::at(place, sockets, &change)).collect();
    Labs { homes, labs }
}

impl Labs {
    /// A message whose home is that shard.
    pub(super) fn for_shard(&self, shard: u8, nth: usize) -> String {
        let of = |n: u32| {
            format!("OPTIONS sip:a SIP/2.0\r\nTo: <sip:a>\r\nCall-ID: c{n}\r\nContent-Length: 0\r\n\r\n")
        };
        let at_home = |text: &String| self.homes.of(text.as_bytes()) == Some(ShardNo(shard));
        (0..).map(of).filter(at_home).nth(nth).unwrap()
    }

    fn listener(&self) -> Bind {
        self.labs[0].listeners[0]
    }

    fn input(&self, shard: u8) -> (Flow, String) {
        self.labs[usize::from(shard)].input()
    }

    fn connect(&self) -> TcpStream {
        guarded(TcpStream::connect(self.listener().address).unwrap())
    }
}

#[test]
fn datagrams_of_any_source_come_to_their_home() {
    let labs = start(Transport::Udp, 3, 64, |_| {});
    for n in 0..30 {
        let source = UdpSocket::bind("127.0.0.1:0").unwrap();
        let shard = n % 3;
        let text = labs.for_shard(shard, usize::from(n));
        source.send_to(text.as_bytes(), labs.listener().address).unwrap();
        let (flow, got) = labs.input(shard);
        assert_eq!((flow.peer, got), (source.local_addr().unwrap(), text));
        // The answer leaves by the home's own socket, from the same address.
        labs.labs[usize::from(shard)].tell([send(1, Destination::Flow(flow))]);
        source.set_read_timeout(Some(GUARD)).unwrap();
        let mut buffer = [0; 2048];
        let (length, from) = source.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..length], from), (message(1).as_bytes(), labs.listener().address));
    }
    let crossings: u64 = labs.labs.iter().map(|lab| lab.settings.counters.crossings.get()).sum();
    assert!(crossings > 0, "thirty sources do not all meet their homes by chance");
}

#[test]
fn a_connection_serves_every_shard_and_is_closed_for_any() {
    let labs = start(Transport::Tcp, 3, 64, |_| {});
    let mut stream = labs.connect();
    let mut flow = None;
    for shard in 0..3 {
        let text = labs.for_shard(shard, 0);
        stream.write_all(text.as_bytes()).unwrap();
        let (got, input) = labs.input(shard);
        assert_eq!(input, text);
        assert_eq!(*flow.get_or_insert(got), got);
        // By flow, and by address: no shard opens another one.
        let lab = &labs.labs[usize::from(shard)];
        lab.tell([send(1, Destination::Flow(got)), send(2, open(got.peer))]);
        lab.tell([send(3, Destination::FlowOr { flow: got, peer: got.peer, domain: None })]);
        expect(&mut stream, &(message(1) + &message(2) + &message(3)));
    }
    let flow = flow.unwrap();
    let owner = flow.connection.unwrap().shard();
    let other = &labs.labs[usize::from((owner.0 + 1) % 3)];
    other.tell([Command::Close(flow.connection.unwrap())]);
    expect_end(&mut stream);
    // What is sent on it now fails where it comes from.
    other.tell([send(7, Destination::Flow(flow))]);
    assert_eq!(other.next(), Report::Failed(transmit_id(7)));
    assert_eq!(other.settings.counters.send_failures.get(), 1);
}

#[test]
fn rfc5626_5_4_the_least_silence_that_a_shard_asks_for_ends_a_connection_whoever_asks_last() {
    let labs = start(Transport::Tcp, 2, 64, |_| {});
    for patient in [None, Some(GUARD * 10)] {
        let mut stream = labs.connect();
        stream.write_all(labs.for_shard(0, 0).as_bytes()).unwrap();
        let id = labs.input(0).0.connection.unwrap();
        let owner = usize::from(id.shard().0);
        labs.labs[owner].tell([Command::Watch(id, Some(Duration::from_millis(50)))]);
        labs.labs[1 - owner].tell([Command::Watch(id, patient)]);
        expect_end(&mut stream);
        for lab in &labs.labs {
            assert_eq!(lab.next(), Report::Closed(id));
        }
    }
}

#[test]
fn a_shard_hears_what_another_has_found_of_a_flow() {
    let labs = start(Transport::Udp, 2, 4, |_| {});
    let flow = Flow { listener: ListenerId(0), peer: "192.0.2.1:5060".parse().unwrap(), connection: None };
    for shard in [0, 1] {
        // There is no third one.
        labs.labs[0].tell([Command::Doubt(ShardNo(2), flow), Command::Doubt(ShardNo(shard), flow)]);
        assert_eq!(labs.labs[usize::from(shard)].next(), Report::Doubted(flow));
    }
    // It is busy: what does not fit is not told.
    let pause = labs.labs[1].pause();
    let many = (0..9).map(|_| Command::Doubt(ShardNo(1), flow));
    labs.labs[0].tell(many.chain([Command::Doubt(ShardNo(0), flow)]));
    assert_eq!(labs.labs[0].next(), Report::Doubted(flow), "all were given");
    drop(pause);
    for _ in 0..4 {
        assert_eq!(labs.labs[1].next(), Report::Doubted(flow));
    }
    labs.labs[1].tell([Command::Deadline(Duration::ZERO)]);
    assert!(matches!(labs.labs[1].next(), Report::Timeout(..)), "no more than there is room for");
}

#[test]
fn a_shard_hears_what_another_one_tells() {
    let labs = start(Transport::Udp, 2, 4, |_| {});
    for shard in [0, 1] {
        labs.labs[0].tell([Command::Tell(ShardNo(2), 1), Command::Tell(ShardNo(shard), 2)]);
        assert_eq!(labs.labs[usize::from(shard)].next(), Report::Told(Some(2)));
    }
}

#[test]
fn a_connection_that_one_shard_opened_is_used_by_the_others() {
    let labs = start(Transport::Tcp, 2, 64, |_| {});
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = open(peer.local_addr().unwrap());
    labs.labs[0].tell([send(1, to.clone())]);
    let mut stream = guarded(peer.accept().unwrap().0);
    expect(&mut stream, &message(1));
    labs.labs[1].tell([send(2, to)]);
    expect(&mut stream, &message(2));
    assert_eq!(labs.labs[1].settings.counters.connections_opened.get(), 0);
}

#[test]
fn what_cannot_be_delivered_elsewhere_comes_back() {
    let labs = start(Transport::Tcp, 2, 64, |settings| settings.limits.write_queue = 40);
    let mut stream = labs.connect();
    for shard in 0..2 {
        stream.write_all(labs.for_shard(shard, 0).as_bytes()).unwrap();
        let (flow, _) = labs.input(shard);
        // A message that is longer than the queue, on whoever's connection it is.
        let lab = &labs.labs[usize::from(shard)];
        lab.tell([send(5, Destination::Flow(flow))]);
        assert_eq!(lab.next(), Report::Failed(transmit_id(5)));
    }
}

#[test]
fn a_full_lane_fails_what_is_sent_and_holds_what_is_read() {
    let labs = start(Transport::Tcp, 2, 2, |_| {});
    let mut stream = labs.connect();
    let first = labs.for_shard(0, 0);
    stream.write_all(first.as_bytes()).unwrap();
    let (flow, _) = labs.input(0);
    let owner = flow.connection.unwrap().shard();
    let other = usize::from(1 - owner.0);
    // In one turn of the other shard, with nobody taking: two fit.
    let pause = labs.labs[usize::from(owner.0)].pause();
    labs.labs[other].tell((1..=4).map(|n| send(n, Destination::Flow(flow))));
    assert_eq!(labs.labs[other].next(), Report::Failed(transmit_id(3)));
    assert_eq!(labs.labs[other].next(), Report::Failed(transmit_id(4)));
    drop(pause);
    expect(&mut stream, &(message(1) + &message(2)));
    // The other way round: far more than fits is read in order, and none is lost.
    let pause = labs.labs[other].pause();
    let texts: Vec<String> = (0..200).map(|n| labs.for_shard(1 - owner.0, n)).collect();
    stream.write_all(texts.concat().as_bytes()).unwrap();
    let held = || labs.labs[usize::from(owner.0)].settings.counters.connections_held.get() > 0;
    while !held() {
        std::thread::yield_now();
    }
    drop(pause);
    for text in texts {
        assert_eq!(labs.input(1 - owner.0).1, text);
    }
    // And the connection is read again.
    stream.write_all(labs.for_shard(owner.0, 1).as_bytes()).unwrap();
    labs.input(owner.0);
}

#[test]
fn a_shard_that_is_gone_fails_what_is_sent_and_drops_what_comes() {
    let mut labs = start(Transport::Tcp, 2, 64, |_| {});
    let mut stream = labs.connect();
    stream.write_all(labs.for_shard(0, 0).as_bytes()).unwrap();
    let (flow, _) = labs.input(0);
    let owner = flow.connection.unwrap().shard();
    let other = usize::from(1 - owner.0);
    labs.labs[other].stop();
    stream.write_all(labs.for_shard(1 - owner.0, 0).as_bytes()).unwrap();
    let lab = &labs.labs[usize::from(owner.0)];
    while lab.settings.counters.crossings_dropped.get() == 0 {
        std::thread::yield_now();
    }
    stream.write_all(labs.for_shard(owner.0, 1).as_bytes()).unwrap();
    labs.input(owner.0);
    let mut labs = start(Transport::Tcp, 2, 64, |_| {});
    let mut stream = labs.connect();
    stream.write_all(labs.for_shard(0, 0).as_bytes()).unwrap();
    let (flow, _) = labs.input(0);
    let owner = usize::from(flow.connection.unwrap().shard().0);
    labs.labs[owner].stop();
    expect_end(&mut stream);
    let lab = &labs.labs[1 - owner];
    lab.tell([Command::Send(1, Destination::Flow(flow), Bytes::from_static(b"x"))]);
    assert_eq!(lab.next(), Report::Failed(transmit_id(1)));
}

#[test]
fn a_limit_of_connections_is_for_all_shards() {
    let labs = start(Transport::Tcp, 3, 64, |settings| settings.limits.connections = 4);
    let streams: Vec<TcpStream> = (0..20).map(|_| labs.connect()).collect();
    let count = |of: fn(&Lab) -> u64| labs.labs.iter().map(of).sum::<u64>();
    while count(|lab| lab.settings.counters.connections_refused.get()) < 16 {
        std::thread::yield_now();
    }
    assert_eq!(count(|lab| lab.settings.counters.connections.get()), 4);
    // One that goes makes room for another, whoever takes that.
    drop(streams);
    while count(|lab| lab.settings.counters.connections.get()) > 0 {
        std::thread::yield_now();
    }
    labs.connect().write_all(labs.for_shard(1, 0).as_bytes()).unwrap();
    labs.input(1);
}
