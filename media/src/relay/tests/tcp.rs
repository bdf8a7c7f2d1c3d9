//! Streams over TCP on real sockets.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use super::harness::*;
use crate::relay::Config;
use crate::{CallMedia, Connections, Latching, Limits, Mode};

fn bench(config: &Config) -> Bench {
    let mut bench = Bench::new(config);
    bench.call = CallMedia::new(Mode::Anchored, Limits::default(), 1).with_connections(Connections::Relayed);
    bench
}

fn describe(ip: IpAddr, port: u16, lines: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=application {port} TCP/BFCP *\r\n{lines}"
    )
}

/// A connection from an address of ours to another one.
fn connect(from: IpAddr, to: SocketAddr) -> TcpStream {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::new(from, 0)).unwrap();
    connect(&socket, &to).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream
}

fn accepted(listener: &TcpListener) -> TcpStream {
    let stream = listener.accept().unwrap().0;
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream
}

fn hear(stream: &mut TcpStream, wanted: &[u8]) {
    let mut heard = vec![0; wanted.len()];
    stream.read_exact(&mut heard).unwrap();
    assert!(heard == wanted, "{:?}", String::from_utf8_lossy(&heard));
}

fn ended(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Ok(0)) || stream.peer_addr().is_err()
}

/// A, which connects, and B, which is connected to.
fn pair(bench: &mut Bench) -> (TcpStream, TcpStream, SocketAddr) {
    let ip = bench.peer_address;
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let a = describe(ip, 9, "a=setup:active\r\na=connection:new\r\n");
    let b = describe(ip, listener.local_addr().unwrap().port(), "a=setup:passive\r\na=connection:new\r\n");
    let (to_us, _) = bench.connect(&a, &b);
    let a = connect(ip, to_us);
    (a, accepted(&listener), to_us)
}

#[test]
fn what_comes_by_one_connection_goes_by_the_other_and_so_does_its_end() {
    let mut bench = bench(&config(Latching::Described));
    let (mut a, mut b, to_us) = pair(&mut bench);
    a.write_all(b"from a").unwrap();
    hear(&mut b, b"from a");
    b.write_all(b"from b").unwrap();
    hear(&mut a, b"from b");
    // Nobody else is taken, neither from elsewhere nor beside.
    assert!(ended(&mut connect(loopback(), to_us)));
    assert!(ended(&mut connect(bench.peer_address, to_us)));
    // Much, and more than fits anywhere at once.
    let much: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251).to_be_bytes()[3]).collect();
    let sent = much.clone();
    #[expect(clippy::disallowed_methods, reason = "who sends more than fits has to wait for who reads")]
    let sender = std::thread::spawn(move || {
        a.write_all(&sent).unwrap();
        a.shutdown(std::net::Shutdown::Write).unwrap();
        a
    });
    hear(&mut b, &much);
    assert!(ended(&mut b));
    b.write_all(b"and back").unwrap();
    let mut a = sender.join().unwrap();
    hear(&mut a, b"and back");
    drop(b);
    assert!(ended(&mut a));
    until(|| bench.relay.gauges().tcp.connections == 0);
    let gauges = bench.relay.gauges().tcp;
    assert_eq!((gauges.accepted, gauges.made, gauges.refused, gauges.failed), (1, 1, 2, 0));
    let counted = bench.counted(A);
    assert_eq!((counted.received.bytes, counted.sent.bytes), (3_000_006, 14));
}

#[test]
fn a_peer_that_is_not_ready_is_tried_again_and_who_waits_loses_nothing() {
    let mut bench = bench(&config(Latching::Described));
    let ip = bench.peer_address;
    let port = TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap();
    let lines = |setup: &str| format!("a=setup:{setup}\r\n");
    let (to_us, _) =
        bench.connect(&describe(ip, 9, &lines("active")), &describe(ip, port.port(), &lines("passive")));
    let mut a = connect(ip, to_us);
    a.write_all(b"early").unwrap();
    until(|| bench.relay.gauges().tcp.failed > 0);
    let listener = TcpListener::bind(port).unwrap();
    hear(&mut accepted(&listener), b"early");
}

#[test]
fn a_call_that_ends_ends_its_connections_and_its_port() {
    let mut bench = bench(&config(Latching::Described));
    let (mut a, mut b, to_us) = pair(&mut bench);
    bench.call.close();
    bench.carry_out();
    assert!(ended(&mut a) && ended(&mut b));
    until(|| TcpStream::connect(to_us).is_err());
}

#[test]
fn no_more_connections_than_there_may_be() {
    let mut bench = bench(&Config { max_connections: 1, ..config(Latching::Described) });
    let ip = bench.peer_address;
    let lines = |setup: &str| format!("a=setup:{setup}\r\n");
    // Both would connect to us.
    let a = describe(ip, 9, &lines("active"));
    bench.connect(&a, &a.replace("active", "passive").replace(" 9 ", " 7000 "));
    until(|| bench.relay.gauges().tcp.failed > 0);
    let to_us = bench.local(A);
    let _first = connect(ip, to_us);
    until(|| bench.relay.gauges().tcp.connections == 1);
    // Ours to the other side is one too many from now on.
    let failed = bench.relay.gauges().tcp.failed;
    until(|| bench.relay.gauges().tcp.failed > failed);
    assert_eq!((bench.relay.gauges().tcp.made, bench.relay.gauges().tcp.connections), (0, 1));
}

#[test]
fn rfc4975_messages_have_the_paths_of_each_leg() {
    let mut bench = bench(&config(Latching::Described));
    let ip = bench.peer_address;
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = |port: u16, session: &str| {
        describe(ip, port, &format!("a=path:msrp://{ip}:{port}/{session};tcp\r\n"))
            .replace("m=application", "m=message")
            .replace("BFCP", "MSRP")
    };
    let (to_a, to_b) = bench.connect(&text(7_394, "al1ce"), &text(port, "b0b"));
    let (mut a, mut b) = (connect(ip, to_a), accepted(&listener));
    let message = |to: &str, from: &str| {
        format!(
            "MSRP d93kswow SEND\r\nTo-Path: {to}\r\nFrom-Path: {from}\r\nMessage-ID: 1\r\n-------d93kswow$\r\n"
        )
    };
    let [alice, bob] = [format!("msrp://{ip}:7394/al1ce;tcp"), format!("msrp://{ip}:{port}/b0b;tcp")];
    let [of_bob, of_alice] = [format!("msrp://{to_a}/b0b;tcp"), format!("msrp://{to_b}/al1ce;tcp")];
    a.write_all(message(&of_bob, &alice).as_bytes()).unwrap();
    hear(&mut b, message(&bob, &of_alice).as_bytes());
    b.write_all(message(&of_alice, &bob).as_bytes()).unwrap();
    hear(&mut a, message(&alice, &of_bob).as_bytes());
    // What is none is not passed on.
    a.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(ended(&mut b));
    assert_eq!(bench.relay.gauges().tcp.broken, 1);
}
