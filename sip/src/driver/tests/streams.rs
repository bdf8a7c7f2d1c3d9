//! Messages over TCP.

use super::lab::{Command, GUARD, Lab, Report, local, message, open, send, transmit_id};
use crate::flow::{Destination, Transport};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

pub(super) fn connect(lab: &Lab) -> TcpStream {
    guarded(TcpStream::connect(lab.address(0)).unwrap())
}

pub(super) fn guarded(stream: TcpStream) -> TcpStream {
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream
}

pub(super) fn expect(stream: &mut impl Read, text: &str) {
    let mut got = vec![0; text.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8_lossy(&got), text);
}

/// Nothing more comes, for the connection was closed.
pub(super) fn expect_end(stream: &mut TcpStream) {
    let mut byte = [0];
    match stream.read(&mut byte) {
        Ok(0) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        other => panic!("{other:?} instead of the end"),
    }
}

#[test]
fn rfc3261_18_3_messages_are_cut_by_content_length() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let mut stream = connect(&lab);
    let all: String = (0..200).map(message).collect();
    // Pieces that end in a message, between messages and in the middle of a CRLF.
    for piece in all.as_bytes().chunks(37) {
        stream.write_all(piece).unwrap();
    }
    for n in 0..200 {
        let (flow, text) = lab.input();
        assert_eq!(text, message(n));
        assert_eq!(flow.peer, stream.local_addr().unwrap());
        assert!(flow.connection.is_some());
    }
    assert_eq!(lab.settings.counters.stream_messages_in.get(), 200);
}

// conforms: RFC5626-5.4-2
#[test]
fn rfc5626_3_5_1_a_ping_is_answered_with_crlf() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let mut stream = connect(&lab);
    stream.write_all(b"\r\n\r\n").unwrap();
    expect(&mut stream, "\r\n");
    stream.write_all(format!("{}\r\n\r\n", message(1)).as_bytes()).unwrap();
    expect(&mut stream, "\r\n");
    assert_eq!(lab.input().1, message(1));
    assert_eq!(lab.settings.counters.pings.get(), 2);
}

#[test]
fn what_is_not_sip_closes_the_connection_after_what_came_before() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let mut stream = connect(&lab);
    stream.write_all(format!("{}GET / HTTP/1.1\r\n\r\n", message(1)).as_bytes()).unwrap();
    assert_eq!(lab.input().1, message(1));
    expect_end(&mut stream);
    assert_eq!(lab.settings.counters.connections_unframed.get(), 1);
    assert_eq!(lab.settings.counters.connections.get(), 0);
}

#[test]
fn a_connection_that_the_core_closes_gets_first_what_was_sent_on_it() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let mut stream = connect(&lab);
    stream.write_all(message(1).as_bytes()).unwrap();
    let (flow, _) = lab.input();
    lab.tell([send(2, Destination::Flow(flow)), Command::Close(flow.connection.unwrap())]);
    expect(&mut stream, &message(2));
    expect_end(&mut stream);
    lab.tell([send(3, Destination::Flow(flow))]);
    assert_eq!(lab.next(), Report::Failed(transmit_id(3)));
}

#[test]
fn many_messages_to_one_connection_are_written_in_order() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let mut stream = connect(&lab);
    stream.write_all(message(0).as_bytes()).unwrap();
    let (flow, _) = lab.input();
    lab.tell((1..500).map(|n| send(n, Destination::Flow(flow))));
    expect(&mut stream, &(1..500).map(message).collect::<String>());
}

#[test]
fn a_message_beyond_the_write_queue_fails_and_a_stalled_connection_is_closed() {
    let lab = Lab::new(&[local(Transport::Tcp)], |s| {
        s.limits.write_queue = 200_000;
        s.limits.stall_time = Duration::from_millis(20);
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = open(listener.local_addr().unwrap());
    let body = bytes::Bytes::from(vec![b'x'; 60_000]);
    // More than the system's buffers and the queue hold; the peer never reads.
    lab.tell((0..1000).map(|n| Command::Send(n, to.clone(), body.clone())));
    // The connection is not open before the core has spoken, so that three fit into the queue.
    for n in 3..1000 {
        assert_eq!(lab.next(), Report::Failed(transmit_id(n)));
    }
    assert_eq!(lab.settings.counters.write_queue_full.get(), 997);
    let (mut stream, _) = listener.accept().unwrap();
    let mut sent = 1000;
    while lab.settings.counters.connections_stalled.get() == 0 {
        // Each is told as failed: at once while the queue is full, or when the connection is closed.
        lab.tell([Command::Send(sent, to.clone(), body.clone())]);
        sent += 1;
        let _ = lab.reports.recv_timeout(Duration::from_millis(1));
    }
    assert!(lab.settings.counters.send_failures.get() > 997);
    guarded(stream.try_clone().unwrap());
    let mut got = Vec::new();
    let _ = stream.read_to_end(&mut got);
    assert!(got.iter().all(|b| *b == b'x'));
}

#[test]
fn a_peer_that_ends_its_side_ends_the_connection_and_what_waits_fails() {
    let lab = Lab::new(&[local(Transport::Tcp)], |_| {});
    let mut stream = connect(&lab);
    stream.write_all(message(1).as_bytes()).unwrap();
    let (flow, _) = lab.input();
    stream.shutdown(Shutdown::Write).unwrap();
    expect_end(&mut stream);
    lab.tell([send(2, Destination::Flow(flow))]);
    assert_eq!(lab.next(), Report::Failed(transmit_id(2)));
}
