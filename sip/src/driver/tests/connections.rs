//! Which connection is used, and which are refused or ended.

use super::lab::{Command, Lab, Report, local, message, open, send, transmit_id};
use super::streams::{connect, expect, expect_end, guarded};
use crate::flow::{Destination, Flow, ListenerId, Transport};
use crate::location::RecordKind;
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

// conforms: RFC3261-18.1.1-6,7
#[test]
fn a_connection_to_an_address_is_opened_once_and_used_again() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = open(listener.local_addr().unwrap());
    lab.tell([send(1, to.clone()), send(2, to.clone())]);
    let mut stream = guarded(listener.accept().unwrap().0);
    expect(&mut stream, &(message(1) + &message(2)));
    assert_eq!(stream.peer_addr().unwrap().ip(), lab.address(0).ip());
    lab.tell([send(3, to)]);
    expect(&mut stream, &message(3));
    assert_eq!(lab.settings.counters.connections_opened.get(), 1);
    // What comes back on it belongs to the listener that it was opened for.
    stream.write_all(message(4).as_bytes()).unwrap();
    let (flow, _) = lab.input();
    assert_eq!((flow.listener, flow.peer), (ListenerId(0), listener.local_addr().unwrap()));
}

// conforms: RFC3261-18.1.1-7
#[test]
fn an_accepted_connection_is_used_towards_its_address() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let mut stream = connect(&lab);
    stream.write_all(message(1).as_bytes()).unwrap();
    let (flow, _) = lab.input();
    lab.tell([send(2, open(flow.peer))]);
    expect(&mut stream, &message(2));
}

// conforms: RFC3261-18.2.2-2
#[test]
fn rfc3261_18_2_2_a_response_opens_a_connection_once_its_flow_is_gone() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let mut first = connect(&lab);
    first.write_all(message(1).as_bytes()).unwrap();
    let (flow, _) = lab.input();
    lab.tell([send(2, Destination::FlowOr { flow, peer, domain: None })]);
    expect(&mut first, &message(2));
    lab.tell([
        Command::Close(flow.connection.unwrap()),
        send(3, Destination::FlowOr { flow, peer, domain: None }),
    ]);
    expect_end(&mut first);
    expect(&mut guarded(listener.accept().unwrap().0), &message(3));
}

#[test]
fn a_flow_that_is_gone_fails() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let peer = "127.0.0.1:9".parse().unwrap();
    let flow = Flow { listener: ListenerId(0), peer, connection: None };
    lab.tell([send(1, Destination::Flow(flow)), send(2, open("[::1]:9".parse().unwrap()))]);
    assert_eq!(lab.next(), Report::Failed(transmit_id(1)));
    assert_eq!(lab.next(), Report::Failed(transmit_id(2)));
}

#[test]
fn all_that_waits_for_a_connection_fails_when_it_is_refused() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    lab.tell([send(1, open(nobody)), send(2, open(nobody))]);
    assert_eq!(lab.next(), Report::Failed(transmit_id(1)));
    assert_eq!(lab.next(), Report::Failed(transmit_id(2)));
    assert_eq!(lab.settings.counters.connect_failures.get(), 1);
    assert_eq!(lab.settings.counters.connections.get(), 0);
}

/// A listener whose queue is full, so that connecting to it hangs; with what keeps it full.
fn deaf() -> (SocketAddr, Vec<Socket>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut sockets = vec![listener];
    for _ in 0..4 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let _ = socket.connect(&address);
        sockets.push(socket);
    }
    (address.as_socket().unwrap(), sockets)
}

#[test]
fn a_connection_that_takes_too_long_to_open_fails() {
    let (address, _sockets) = deaf();
    let lab = Lab::new(&[local(Transport::Tcp)], |s| s.limits.connect_time = Duration::from_millis(50));
    lab.tell([send(1, open(address))]);
    assert_eq!(lab.next(), Report::Failed(transmit_id(1)));
    assert_eq!(lab.settings.counters.connect_failures.get(), 1);
}

#[test]
fn connections_beyond_the_limits_are_accepted_and_closed() {
    let per_peer = |s: &mut super::super::Settings| s.limits.connections_per_peer = 2;
    let in_all = |s: &mut super::super::Settings| s.limits.connections = 2;
    let labs = [Lab::new(&[local(Transport::Tcp)], per_peer), Lab::new(&[local(Transport::Tcp)], in_all)];
    for (n, lab) in labs.iter().enumerate() {
        let mut streams = [connect(lab), connect(lab)];
        for (n, stream) in (0..).zip(&mut streams) {
            stream.write_all(message(n).as_bytes()).unwrap();
            assert_eq!(lab.input().1, message(n));
        }
        expect_end(&mut connect(lab));
        lab.tell([send(5, open("127.0.0.1:9".parse().unwrap()))]);
        assert_eq!(lab.next(), Report::Failed(transmit_id(5)));
        let counters = &lab.settings.counters;
        let refused = [&counters.connections_refused_by_peer, &counters.connections_refused];
        assert_eq!((refused[n].get(), refused[1 - n].get()), (2, 0));
        let [first, mut second] = streams;
        drop(first);
        // The end of the first may come after the next: one that is refused is tried again.
        let mut third = connect(lab);
        while third.write_all(message(9).as_bytes()).is_err() || !answers(&mut third) {
            third = connect(lab);
        }
        second.write_all(message(7).as_bytes()).unwrap();
        while lab.input().1 != message(7) {}
    }
}

fn answers(stream: &mut std::net::TcpStream) -> bool {
    use std::io::Read;
    let mut answer = [0; 2];
    stream.write_all(b"\r\n\r\n").is_ok() && stream.read_exact(&mut answer).is_ok()
}

/// A connection from another address of this machine.
fn connect_from(lab: &Lab, address: &str) -> std::net::TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(address.parse().unwrap(), 0).into()).unwrap();
    socket.connect(&lab.address(0).into()).unwrap();
    guarded(socket.into())
}

#[test]
fn at_the_limit_the_oldest_that_has_proved_nothing_goes_for_one_from_elsewhere() {
    let lab = Lab::new(&[local(Transport::Tcp)], |s| s.limits.connections = 3);
    let mut streams = [1, 2, 3].map(|n| {
        let mut stream = connect_from(&lab, "127.0.0.2");
        stream.write_all(message(n).as_bytes()).unwrap();
        (lab.input().0, stream)
    });
    // The first proves to be of use.
    lab.tell([send(4, Destination::Flow(streams[0].0))]);
    expect(&mut streams[0].1, &message(4));
    let mut other = connect_from(&lab, "127.0.0.3");
    other.write_all(message(5).as_bytes()).unwrap();
    assert_eq!(lab.input().1, message(5));
    expect_end(&mut streams[1].1);
    let _second = connect_from(&lab, "127.0.0.3");
    expect_end(&mut streams[2].1);
    // Nobody finds room at his own cost; one that we open does at that of another.
    expect_end(&mut connect_from(&lab, "127.0.0.3"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    lab.tell([send(6, open(listener.local_addr().unwrap()))]);
    expect(&mut guarded(listener.accept().unwrap().0), &message(6));
    expect_end(&mut other);
    let counters = &lab.settings.counters;
    assert_eq!((counters.connections_displaced.get(), counters.connections.get()), (3, 3));
    assert_eq!(counters.connections_refused.get(), 1);
}

#[test]
fn responses_and_pings_keep_no_connection_that_has_proved_nothing() {
    let lab = Lab::new(&[local(Transport::Tcp)], |s| {
        s.limits.message_time = Duration::from_millis(50);
        s.limits.idle_time = Duration::from_millis(100);
    });
    let mut stray = connect(&lab);
    stray.write_all(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    lab.input();
    expect_end(&mut stray);
    assert_eq!(lab.settings.counters.connections_dawdling.get(), 1);
    let mut pinging = connect(&lab);
    pinging.write_all(message(1).as_bytes()).unwrap();
    lab.input();
    while answers(&mut pinging) {}
    assert_eq!(lab.settings.counters.connections_idle.get(), 1);
}

#[test]
fn silence_ends_a_connection() {
    let lab = Lab::new(&[local(Transport::Tcp)], |s| s.limits.idle_time = Duration::from_millis(30));
    let mut stream = connect(&lab);
    stream.write_all(message(1).as_bytes()).unwrap();
    expect_end(&mut stream);
    assert_eq!(lab.settings.counters.connections_idle.get(), 1);
}

#[test]
fn a_message_that_does_not_end_and_one_that_does_not_begin_end_a_connection() {
    let lab = Lab::new(&[local(Transport::Tcp)], |s| s.limits.message_time = Duration::from_millis(30));
    let mut mute = connect(&lab);
    expect_end(&mut mute);
    let mut slow = connect(&lab);
    slow.write_all((message(1) + "OPTIONS sip:").as_bytes()).unwrap();
    expect_end(&mut slow);
    assert_eq!(lab.settings.counters.connections_dawdling.get(), 2);
    assert_eq!(lab.input().1, message(1));
}

#[test]
fn a_connection_that_is_wanted_is_told_of_and_found_again() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    lab.tell([Command::Connect(1, peer, None), Command::Connect(2, peer, None)]);
    assert_eq!([lab.next(), lab.next()], [Report::Connected(1, true), Report::Connected(2, true)]);
    lab.tell([Command::Disconnect(1), Command::Connect(3, peer, None), send(4, open(peer))]);
    assert_eq!(lab.next(), Report::Connected(3, true));
    expect(&mut guarded(listener.accept().unwrap().0), &message(4));
    assert_eq!(lab.settings.counters.connections_opened.get(), 1);
}

#[test]
fn a_connection_that_is_wanted_and_refused_is_told_of() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    lab.tell([Command::Connect(1, refusing, None)]);
    assert_eq!(lab.next(), Report::Connected(1, false));
}

#[test]
fn a_connection_that_nobody_waits_for_is_given_up_before_it_opens() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let (full, _sockets) = deaf();
    // What is done in order is done once that is answered.
    let barrier = |n| Command::Resolve(n, RecordKind::A, "a..b");
    lab.tell([
        Command::Connect(1, full, None),
        Command::Connect(2, full, None),
        Command::Disconnect(1),
        barrier(3),
    ]);
    assert!(matches!(lab.next(), Report::Resolved(3, _)));
    assert_eq!(lab.settings.counters.connections.get(), 1, "somebody else waits for it");
    lab.tell([Command::Disconnect(2), barrier(4)]);
    assert!(matches!(lab.next(), Report::Resolved(4, _)));
    assert_eq!(lab.settings.counters.connections.get(), 0);
}

// conforms: RFC5626-5.4-3
#[test]
fn rfc5626_5_4_a_watched_connection_that_falls_silent_is_closed_and_its_end_told() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let mut stream = connect(&lab);
    stream.write_all(message(1).as_bytes()).unwrap();
    let id = lab.input().0.connection.unwrap();
    lab.tell([Command::Watch(id, Some(Duration::from_millis(50)))]);
    assert_eq!(lab.next(), Report::Closed(id));
    expect_end(&mut stream);
    assert_eq!(lab.settings.counters.connections_idle.get(), 1);
    lab.tell([Command::Watch(id, None)]);
    assert_eq!(lab.next(), Report::Closed(id), "gone before it was watched");
}

#[test]
fn rfc5626_4_4_1_a_ping_is_a_double_crlf_and_one_crlf_its_pong_told_once() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    lab.tell([send(1, open(listener.local_addr().unwrap()))]);
    let mut stream = guarded(listener.accept().unwrap().0);
    expect(&mut stream, &message(1));
    stream.write_all(message(2).as_bytes()).unwrap();
    let id = lab.input().0.connection.unwrap();
    for _ in 0..3 {
        lab.tell([Command::Ping(id)]);
        expect(&mut stream, "\r\n\r\n");
        stream.write_all(b"\r\n").unwrap();
        assert_eq!(lab.next(), Report::Ponged(id));
    }
    stream.write_all(format!("\r\n{}", message(3)).as_bytes()).unwrap();
    assert_eq!(lab.input().1, message(3), "a CRLF that nobody waits for is nothing");
    assert_eq!(lab.settings.counters.pings.get(), 0);
    // Between messages, and nowhere once it is gone.
    lab.tell([send(4, open(listener.local_addr().unwrap())), Command::Ping(id)]);
    expect(&mut stream, &(message(4) + "\r\n\r\n"));
    lab.tell([Command::Close(id), Command::Ping(id)]);
    expect_end(&mut stream);
}
