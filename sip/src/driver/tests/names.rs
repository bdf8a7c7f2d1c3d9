//! Questions, against a name server of our own.

use super::lab::{Command, Lab, Report, local};
use crate::flow::Transport;
use crate::location::{Answer, Naptr, RecordKind, Records, Srv};
use hickory_server::Server;
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::proto::rr::rdata::{A, AAAA, CNAME, NAPTR, SOA, SRV};
use hickory_server::proto::rr::{LowerName, Name, RData, Record};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use tokio::sync::oneshot;

/// A name server for `example.`, until it is dropped.
struct NameServer {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl NameServer {
    fn start(at: &str) -> Self {
        let socket = UdpSocket::bind(at).unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let (ready, is_ready) = channel();
        let body = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut server = Server::new(catalog());
                server.register_socket(tokio::net::UdpSocket::from_std(socket).unwrap());
                ready.send(()).unwrap();
                let _ = ended.await;
                server.shutdown_gracefully().await.unwrap();
            });
        };
        let thread = Some(std::thread::Builder::new().spawn(body).unwrap());
        is_ready.recv().unwrap();
        Self { address, end: Some(end), thread }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn catalog() -> Catalog {
    let name = |text: &str| Name::from_ascii(text).unwrap();
    let origin = name("example.");
    let mut zone = InMemoryZoneHandler::<TokioRuntimeProvider>::empty(
        origin.clone(),
        ZoneType::Primary,
        AxfrPolicy::Deny,
    );
    let soa = SOA::new(name("ns.example."), name("root.example."), 1, 60, 60, 60, 12);
    let mut add = |owner: &str, ttl, data| zone.upsert_mut(Record::from_rdata(name(owner), ttl, data), 0);
    add("example.", 60, RData::SOA(soa));
    add("both.example.", 60, RData::A(A::new(192, 0, 2, 1)));
    add("both.example.", 60, RData::A(A::new(192, 0, 2, 2)));
    add("both.example.", 60, RData::AAAA(AAAA("2001:db8::1".parse().unwrap())));
    add("alias.example.", 7, RData::CNAME(CNAME(name("both.example."))));
    add("loop.example.", 7, RData::CNAME(CNAME(name("pool.example."))));
    add("pool.example.", 7, RData::CNAME(CNAME(name("loop.example."))));
    let naptr = |order, service: &str, regexp: &str, replacement: &str| {
        let text = |text: &str| text.as_bytes().to_vec().into_boxed_slice();
        let replacement = name(replacement);
        RData::NAPTR(NAPTR::new(order, 5, text("s"), text(service), text(regexp), replacement))
    };
    add("both.example.", 30, naptr(10, "SIP+D2T", "", "_sip._tcp.both.example."));
    add("both.example.", 30, naptr(20, "E2U+sip", "!^.*$!sip:a@example.com!", "."));
    add("_sip._tcp.both.example.", 90, RData::SRV(SRV::new(1, 2, 5070, name("both.example."))));
    add("_sip._udp.both.example.", 90, RData::SRV(SRV::new(0, 0, 0, name("."))));
    let mut catalog = Catalog::new();
    catalog.upsert(LowerName::from(origin), vec![Arc::new(zone)]);
    catalog
}

fn lab(server: SocketAddr) -> Lab {
    Lab::new(&[local(Transport::Udp)], |s| {
        s.resolver.name_servers = vec![server];
        s.resolver.hosts_file = false;
        s.resolver.timeout = Duration::from_millis(300);
        s.resolver.retries = 0;
    })
}

fn ask(lab: &Lab, kind: RecordKind, name: &'static str) -> Answer {
    lab.tell([Command::Resolve(7, kind, name)]);
    let Report::Resolved(7, mut answer) = lab.next() else { panic!("no answer") };
    // The order of addresses is the name server's.
    if let Answer::Found { records: Records::Address(addresses), .. } = &mut answer {
        addresses.sort_unstable();
    }
    answer
}

fn found(records: Records, ttl: u64) -> Answer {
    Answer::Found { records, ttl: Duration::from_secs(ttl) }
}

fn addresses(texts: &[&str], ttl: u64) -> Answer {
    found(Records::Address(texts.iter().map(|t| t.parse().unwrap()).collect()), ttl)
}

fn absent(ttl: u64) -> Answer {
    Answer::Absent { ttl: Duration::from_secs(ttl) }
}

#[test]
fn each_type_of_record_comes_with_its_ttl() {
    let server = NameServer::start("127.0.0.1:0");
    let lab = lab(server.address);
    assert_eq!(ask(&lab, RecordKind::A, "both.example"), addresses(&["192.0.2.1", "192.0.2.2"], 60));
    assert_eq!(ask(&lab, RecordKind::Aaaa, "BOTH.example."), addresses(&["2001:db8::1"], 60));
    let srv = Srv { priority: 1, weight: 2, port: 5070, target: "both.example.".into() };
    assert_eq!(ask(&lab, RecordKind::Srv, "_sip._tcp.both.example"), found(Records::Srv(vec![srv]), 90));
    let none = Srv { priority: 0, weight: 0, port: 0, target: ".".into() };
    assert_eq!(ask(&lab, RecordKind::Srv, "_sip._udp.both.example"), found(Records::Srv(vec![none]), 90));
    let naptr = Naptr {
        order: 10,
        preference: 5,
        flags: "s".into(),
        service: "SIP+D2T".into(),
        replacement: "_sip._tcp.both.example.".into(),
    };
    let naptr = found(Records::Naptr(vec![naptr]), 30);
    assert_eq!(
        ask(&lab, RecordKind::Naptr, "both.example"),
        naptr,
        "that with a regular expression is left out"
    );
}

#[test]
fn an_alias_is_followed_and_its_ttl_counts_and_a_loop_of_them_ends() {
    let server = NameServer::start("127.0.0.1:0");
    let lab = lab(server.address);
    assert_eq!(ask(&lab, RecordKind::A, "alias.example"), addresses(&["192.0.2.1", "192.0.2.2"], 7));
    let looped = ask(&lab, RecordKind::A, "loop.example");
    assert!(
        !matches!(&looped, Answer::Found { records: Records::Address(a), .. } if !a.is_empty()),
        "{looped:?}"
    );
}

#[test]
fn rfc2308_5_what_does_not_exist_is_believed_for_as_long_as_the_zone_says() {
    let server = NameServer::start("127.0.0.1:0");
    let lab = lab(server.address);
    assert_eq!(ask(&lab, RecordKind::A, "none.example"), absent(12));
    assert_eq!(ask(&lab, RecordKind::Srv, "both.example"), absent(12), "the name has no such records");
    assert_eq!(ask(&lab, RecordKind::A, "a..b"), absent(30));
    assert_eq!(lab.settings.counters.queries_empty.get(), 3);
    assert_eq!(ask(&lab, RecordKind::A, "host.elsewhere"), Answer::Refused, "it is no zone of this server");
}

#[test]
fn a_name_server_that_dies_is_silent_and_answers_again_when_it_is_back() {
    let server = NameServer::start("127.0.0.1:0");
    let at = server.address.to_string();
    let lab = lab(server.address);
    let want = addresses(&["192.0.2.1", "192.0.2.2"], 60);
    assert_eq!(ask(&lab, RecordKind::A, "both.example"), want);
    drop(server);
    assert_eq!(ask(&lab, RecordKind::A, "both.example"), Answer::Silent, "the driver remembers nothing");
    let _server = NameServer::start(&at);
    assert_eq!(ask(&lab, RecordKind::A, "both.example"), want);
    assert_eq!(lab.settings.counters.queries_failed.get(), 1);
}

#[test]
fn questions_beyond_the_limit_are_refused_at_once() {
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let lab = Lab::new(&[local(Transport::Udp)], |s| {
        s.resolver.name_servers = vec![mute.local_addr().unwrap()];
        s.resolver.timeout = Duration::from_millis(200);
        s.resolver.retries = 0;
        s.limits.queries = 1;
    });
    lab.tell((1..=3).map(|n| Command::Resolve(n, RecordKind::A, "both.example")));
    let got: Vec<_> = (0..3).map(|_| lab.next()).collect();
    let refused = |n| Report::Resolved(n, Answer::Refused);
    assert_eq!(got, [refused(2), refused(3), Report::Resolved(1, Answer::Silent)]);
    assert_eq!(lab.settings.counters.queries_refused.get(), 2);
    lab.tell([Command::Resolve(4, RecordKind::A, "both.example")]);
    assert_eq!(lab.next(), Report::Resolved(4, Answer::Silent), "there is room again");
}

#[test]
fn a_host_of_the_hosts_file_needs_no_name_server() {
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let lab = Lab::new(&[local(Transport::Udp)], |s| {
        s.resolver.name_servers = vec![mute.local_addr().unwrap()];
    });
    let Answer::Found { records: Records::Address(addresses), .. } = ask(&lab, RecordKind::A, "localhost")
    else {
        panic!("no address");
    };
    assert!(addresses.contains(&IpAddr::from([127, 0, 0, 1])));
    assert_eq!(ask(&lab, RecordKind::Naptr, "localhost"), absent(3_600));
    assert_eq!(ask(&lab, RecordKind::Srv, "_sip._udp.localhost"), absent(3_600));
}
