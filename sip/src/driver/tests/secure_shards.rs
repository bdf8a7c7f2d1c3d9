//! Connections over TLS that several shards use.

use super::super::tls::testing::Names;
use super::lab::{Command, Lab, Report, message, send};
use super::secure::{Cast, accept, open};
use super::shards::{Labs, start};
use super::streams::{connect, expect};
use crate::flow::{Flow, Transport};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

const SHARDS: u8 = 3;

fn labs(cast: &Cast) -> Labs {
    let security = Arc::new(cast.security(&cast.ours, cast.asked()));
    start(Transport::Tls, SHARDS, 64, |settings| settings.security = Arc::clone(&security))
}

fn opened(labs: &Labs) -> u64 {
    labs.labs.iter().map(|lab| lab.settings.counters.connections_opened.get()).sum()
}

/// The next input of a shard; that a connection is secured is told to all of them.
fn input(lab: &Lab) -> (Flow, String) {
    loop {
        match lab.next() {
            Report::Input(flow, bytes) => return (flow, String::from_utf8(bytes.into()).unwrap()),
            Report::Secured(..) => {}
            other => panic!("{other:?} instead of an input"),
        }
    }
}

#[test]
fn shards_that_call_one_domain_at_once_open_one_connection() {
    let cast = Cast::new(Names::dns(&["pbx.example"]));
    let labs = labs(&cast);
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = open(peer.local_addr().unwrap(), "pbx.example");
    for (n, lab) in (0..).zip(&labs.labs) {
        lab.tell([send(n, to.clone()), send(n, to.clone())]);
    }
    let mut stream = accept(&peer, &cast.theirs);
    let mut got = vec![0; 2 * message(0).len() * usize::from(SHARDS)];
    stream.read_exact(&mut got).unwrap();
    let got = String::from_utf8(got).unwrap();
    for n in 0..SHARDS.into() {
        assert_eq!(got.matches(&message(n)).count(), 2, "of shard {n}: {got}");
    }
    peer.set_nonblocking(true).unwrap();
    assert_eq!(peer.accept().map(|_| ()).map_err(|e| e.kind()), Err(ErrorKind::WouldBlock));
    assert_eq!(opened(&labs), 1);
}

#[test]
fn an_alias_is_used_by_every_shard() {
    let cast = Cast::new(Names::dns(&["a.example"]));
    let labs = labs(&cast);
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = peer.local_addr().unwrap();
    let mut client = cast.client_on(connect(&labs.labs[0]));
    client.write_all(labs.for_shard(0, 0).as_bytes()).unwrap();
    let id = input(&labs.labs[0]).0.connection.unwrap();
    let owner = usize::from(id.shard().0);
    // What the owner has sent after it knows of the alias is the sign that all know of it.
    labs.labs[owner].tell([Command::Alias(id, at.port()), send(9, open(at, "a.example"))]);
    expect(&mut client, &message(9));
    for (n, lab) in (0..).zip(&labs.labs) {
        lab.tell([send(n, open(at, "a.example"))]);
        expect(&mut client, &message(n));
    }
    assert_eq!(opened(&labs), 0);
}
