//! Questions to name servers.

use super::counters::Counters;
use super::ready::{Kind, ReadyList, Source};
use super::settings::ResolverSettings;
use crate::location::{Answer, Naptr, Query, QueryId, Question, RecordKind, Records, Srv};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::{Hosts, TokioResolver, system_conf};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::task::{self, JoinSet};

/// How long "there is none" is believed at most, whatever the zone says: a peer that comes up is found soon.
const NEGATIVE: Duration = Duration::from_secs(30);
/// How long "there is none" is believed where the zone does not say (RFC 2308 §5 would not keep it at all).
const NEGATIVE_UNSAID: Duration = Duration::from_secs(5);
/// How long a line of the hosts file holds for the core; the driver has read it once.
const HOSTS: Duration = Duration::from_secs(3_600);

/// Asks name servers, with bounds. It remembers nothing: the core does.
pub(crate) struct Resolver {
    hickory: TokioResolver,
    hosts: Hosts,
    running: JoinSet<Answer>,
    asked: BTreeMap<task::Id, QueryId>,
    most: usize,
    source: Arc<Source>,
    waker: Waker,
}

impl Resolver {
    pub(crate) fn new(
        settings: &ResolverSettings,
        most: usize,
        list: &Arc<ReadyList>,
    ) -> Result<Self, NetError> {
        let hickory = build(settings)?;
        // Without the file there is nothing in it.
        let hosts = settings.hosts_file.then(Hosts::from_system).and_then(Result::ok).unwrap_or_default();
        let source = Source::new(Kind::Resolver, list);
        let waker = Waker::from(Arc::clone(&source));
        let (running, asked) = (JoinSet::new(), BTreeMap::new());
        Ok(Self { hickory, hosts, running, asked, most, source, waker })
    }

    /// Asks. The answer comes from [`answer`](Self::answer), unless it is given at once.
    pub(crate) fn ask(&mut self, query: &Query, counters: &Counters) -> Option<Answer> {
        counters.queries.add(1);
        let Ok(mut name) = Name::from_ascii(&query.question.name) else {
            return Some(count(Answer::Absent { ttl: NEGATIVE }, counters));
        };
        // No search list: a host in SIP is a whole name.
        name.set_fqdn(true);
        if let Some(answer) = self.hosts_answer(&name, query.question.kind) {
            return Some(count(answer, counters));
        }
        if self.asked.len() >= self.most {
            counters.queries_refused.add(1);
            return Some(Answer::Refused);
        }
        let (hickory, question) = (self.hickory.clone(), query.question.clone());
        let task = self.running.spawn(async move { ask(&hickory, name, &question).await });
        self.asked.insert(task.id(), query.id);
        // The set tells of an end only to who has asked since the beginning.
        self.source.requeue();
        None
    }

    /// What the hosts file says. A host in it has no other records: nobody waits for name servers for its sake.
    fn hosts_answer(&self, name: &Name, kind: RecordKind) -> Option<Answer> {
        let at = |name: &Name, kind| {
            let query = hickory_resolver::proto::op::Query::query(name.clone(), record_type(kind));
            let found = records(kind, self.hosts.lookup_static_host(&query)?.answers());
            Some(Answer::Found { records: found, ttl: HOSTS })
        };
        match kind {
            RecordKind::A | RecordKind::Aaaa => at(name, kind),
            RecordKind::Naptr | RecordKind::Srv => {
                let labels = if kind == RecordKind::Srv {
                    name.num_labels().saturating_sub(2)
                } else {
                    name.num_labels()
                };
                let host = name.trim_to(usize::from(labels));
                let known = at(&host, RecordKind::A).or_else(|| at(&host, RecordKind::Aaaa));
                known.map(|_| Answer::Absent { ttl: HOSTS })
            }
        }
    }

    /// The next answer that has come.
    pub(crate) fn answer(&mut self, counters: &Counters) -> Option<(QueryId, Answer)> {
        loop {
            let mut context = Context::from_waker(&self.waker);
            let Poll::Ready(Some(ended)) = self.running.poll_join_next_with_id(&mut context) else {
                return None;
            };
            let (task, answer) = match ended {
                Ok((task, answer)) => (task, answer),
                // A panic inside the look-up; whoever asked gets an answer all the same.
                Err(error) => (error.id(), Answer::Refused),
            };
            if let Some(id) = self.asked.remove(&task) {
                return Some((id, count(answer, counters)));
            }
        }
    }
}

/// Counts an answer without records.
fn count(answer: Answer, counters: &Counters) -> Answer {
    match answer {
        Answer::Found { .. } => {}
        Answer::Absent { .. } => counters.queries_empty.add(1),
        Answer::Refused | Answer::Silent => counters.queries_failed.add(1),
    }
    answer
}

async fn ask(hickory: &TokioResolver, name: Name, question: &Question) -> Answer {
    let kind = question.kind;
    match hickory.lookup(name, record_type(kind)).await {
        Ok(lookup) => {
            // That of an alias (CNAME) counts as well.
            let ttl = lookup.answers().iter().map(|record| record.ttl).min().unwrap_or(0);
            Answer::Found { records: records(kind, lookup.answers()), ttl: Duration::from_secs(ttl.into()) }
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => match none.response_code {
            ResponseCode::NXDomain | ResponseCode::NoError => {
                let said = none.negative_ttl.map(|ttl| Duration::from_secs(ttl.into()));
                Answer::Absent { ttl: said.unwrap_or(NEGATIVE_UNSAID).min(NEGATIVE) }
            }
            _ => Answer::Refused,
        },
        Err(NetError::Dns(_)) => Answer::Refused,
        Err(_) => Answer::Silent,
    }
}

fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::Naptr => RecordType::NAPTR,
        RecordKind::Srv => RecordType::SRV,
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
    }
}

/// The records of that type.
fn records(kind: RecordKind, records: &[Record]) -> Records {
    let data = records.iter().map(|record| &record.data);
    match kind {
        RecordKind::Naptr => Records::Naptr(data.filter_map(naptr).collect()),
        RecordKind::Srv => Records::Srv(data.filter_map(srv).collect()),
        RecordKind::A | RecordKind::Aaaa => Records::Address(data.filter_map(RData::ip_addr).collect()),
    }
}

fn naptr(data: &RData) -> Option<Naptr> {
    let RData::NAPTR(record) = data else { return None };
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(Box::from).ok();
    record.regexp.is_empty().then_some(())?;
    Some(Naptr {
        order: record.order,
        preference: record.preference,
        flags: text(&record.flags)?,
        service: text(&record.services)?,
        replacement: ascii(&record.replacement),
    })
}

fn srv(data: &RData) -> Option<Srv> {
    let RData::SRV(record) = data else { return None };
    Some(Srv {
        priority: record.priority,
        weight: record.weight,
        port: record.port,
        target: ascii(&record.target),
    })
}

fn ascii(name: &Name) -> Box<str> {
    name.to_ascii().into_boxed_str()
}

fn build(settings: &ResolverSettings) -> Result<TokioResolver, NetError> {
    let servers = |addresses: &[SocketAddr]| addresses.iter().map(name_server).collect();
    let mut options = ResolverOpts::default();
    let config = if settings.name_servers.is_empty() {
        match system_conf::read_system_conf() {
            Ok((config, system)) if !config.name_servers.is_empty() => {
                options = system;
                config
            }
            // resolv.conf(5): without a file, or without a server in it, the one on this machine is asked.
            _ => {
                let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
                ResolverConfig::from_parts(None, Vec::new(), servers(&[local]))
            }
        }
    } else {
        ResolverConfig::from_parts(None, Vec::new(), servers(&settings.name_servers))
    };
    options.timeout = settings.timeout;
    options.attempts = settings.retries;
    options.use_hosts_file = ResolveHosts::Never;
    // The core remembers answers, and for how long they hold.
    options.cache_size = 0;
    // A name server that gives no whole answer in a datagram is asked over TCP (RFC 7766 §5).
    options.try_tcp_on_error = true;
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build()
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    (udp.port, tcp.port) = (address.port(), address.port());
    NameServerConfig::new(address.ip(), true, vec![udp, tcp])
}
