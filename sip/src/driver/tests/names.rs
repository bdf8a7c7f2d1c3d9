//! Names, against a name server of our own.

use super::lab::{Command, Lab, Report, bind};
use crate::flow::{NetworkId, Transport};
use hickory_server::Server;
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::proto::rr::rdata::{A, AAAA, SOA};
use hickory_server::proto::rr::{LowerName, Name, RData, Record};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

/// A name server for `example.`, until the end of the process.
fn name_server() -> SocketAddr {
    let (ready, address) = channel();
    let body = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
            ready.send(socket.local_addr().unwrap()).unwrap();
            let mut server = Server::new(catalog());
            server.register_socket(socket);
            server.block_until_done().await.unwrap();
        });
    };
    std::thread::Builder::new().spawn(body).unwrap();
    address.recv().unwrap()
}

fn catalog() -> Catalog {
    let name = |text: &str| Name::from_ascii(text).unwrap();
    let origin = name("example.");
    let mut zone = InMemoryZoneHandler::<TokioRuntimeProvider>::empty(
        origin.clone(),
        ZoneType::Primary,
        AxfrPolicy::Deny,
    );
    let soa = SOA::new(name("ns.example."), name("root.example."), 1, 60, 60, 60, 60);
    let mut add = |owner: &str, data| zone.upsert_mut(Record::from_rdata(name(owner), 60, data), 0);
    add("example.", RData::SOA(soa));
    for host in ["both.example.", "four.example."] {
        add(host, RData::A(A::new(192, 0, 2, 1)));
        add(host, RData::A(A::new(192, 0, 2, 2)));
    }
    for host in ["both.example.", "six.example."] {
        add(host, RData::AAAA(AAAA("2001:db8::1".parse().unwrap())));
    }
    let mut catalog = Catalog::new();
    catalog.upsert(LowerName::from(origin), vec![Arc::new(zone)]);
    catalog
}

/// Network 0 prefers IPv6 and has both, network 1 has IPv4 only; network 2 has nothing.
fn lab(server: SocketAddr) -> Lab {
    let binds = [
        bind(0, Transport::Udp, "[::1]:0"),
        bind(0, Transport::Udp, "127.0.0.1:0"),
        bind(1, Transport::Udp, "127.0.0.1:0"),
    ];
    Lab::new(&binds, |s| {
        s.resolver.name_servers = vec![server];
        s.resolver.hosts_file = false;
    })
}

fn resolve(lab: &Lab, host: &'static str, network: u16) -> Vec<IpAddr> {
    lab.tell([Command::Resolve(7, host, NetworkId(network))]);
    let Report::Resolved(7, mut addresses) = lab.next() else { panic!("no answer") };
    // The order of addresses of one family is the name server's.
    addresses.sort_by_key(|a| (a.is_ipv4(), *a));
    addresses
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|t| t.parse().unwrap()).collect()
}

#[test]
fn a_host_has_the_addresses_that_the_network_can_reach_in_its_order() {
    let lab = lab(name_server());
    assert_eq!(resolve(&lab, "both.example", 0), addresses(&["2001:db8::1", "192.0.2.1", "192.0.2.2"]));
    assert_eq!(resolve(&lab, "BOTH.example.", 1), addresses(&["192.0.2.1", "192.0.2.2"]));
    assert_eq!(resolve(&lab, "four.example", 0), addresses(&["192.0.2.1", "192.0.2.2"]));
    assert_eq!(resolve(&lab, "six.example", 0), addresses(&["2001:db8::1"]));
    assert_eq!(resolve(&lab, "six.example", 1), addresses(&[]));
    assert_eq!(resolve(&lab, "both.example", 2), addresses(&[]));
    lab.tell([Command::Resolve(8, "both.example", NetworkId(0))]);
    let Report::Resolved(8, given) = lab.next() else { panic!("no answer") };
    assert!(given[0].is_ipv6(), "the family of the first listener comes first: {given:?}");
}

#[test]
fn what_is_no_name_and_what_does_not_exist_has_no_address() {
    let lab = lab(name_server());
    assert_eq!(resolve(&lab, "none.example", 0), addresses(&[]));
    assert_eq!(resolve(&lab, "a..b", 0), addresses(&[]));
    assert_eq!(resolve(&lab, "", 0), addresses(&[]));
    assert_eq!(lab.settings.counters.queries_empty.get(), 3);
    assert_eq!(resolve(&lab, "192.0.2.9", 0), addresses(&["192.0.2.9"]), "an address needs no name server");
}

#[test]
fn a_mute_name_server_ends_in_no_address_and_queries_beyond_the_limit_at_once() {
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let binds = [bind(0, Transport::Udp, "127.0.0.1:0")];
    let lab = Lab::new(&binds, |s| {
        s.resolver.name_servers = vec![mute.local_addr().unwrap()];
        s.resolver.timeout = Duration::from_millis(200);
        s.resolver.retries = 0;
        s.limits.queries = 1;
    });
    lab.tell((1..=3).map(|n| Command::Resolve(n, "both.example", NetworkId(0))));
    let got: Vec<_> = (0..3).map(|_| lab.next()).collect();
    assert_eq!(got, [2, 3, 1].map(|n| Report::Resolved(n, Vec::new())));
    assert_eq!(lab.settings.counters.queries_refused.get(), 2);
    lab.tell([Command::Resolve(4, "both.example", NetworkId(0))]);
    assert_eq!(lab.next(), Report::Resolved(4, Vec::new()), "there is room again");
    assert_eq!(lab.settings.counters.queries_refused.get(), 2);
}

#[test]
fn the_hosts_file_comes_first() {
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let lab = Lab::new(&[bind(0, Transport::Udp, "127.0.0.1:0")], |s| {
        s.resolver.name_servers = vec![mute.local_addr().unwrap()];
    });
    assert_eq!(resolve(&lab, "localhost", 0), addresses(&["127.0.0.1"]));
}
