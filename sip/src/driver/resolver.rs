//! Names into addresses.

use super::counters::Counters;
use super::ready::{Kind, ReadyList, Source};
use super::settings::ResolverSettings;
use super::sockets::Bind;
use crate::action::{Query, QueryId};
use crate::flow::NetworkId;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{TokioResolver, system_conf};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::task::{self, JoinSet};

/// How long "there is none" is believed at most, whatever the zone says: a peer that comes up is found soon.
const NEGATIVE: Duration = Duration::from_secs(30);

/// Looks up A and AAAA with bounds. The addresses of a host are those of the families that the network has
/// listeners for, the family of its first listener first, each family in the order of the name server.
pub(crate) struct Resolver {
    hickory: TokioResolver,
    /// Families by network, in order of preference.
    families: BTreeMap<NetworkId, Vec<RecordType>>,
    running: JoinSet<Vec<IpAddr>>,
    asked: BTreeMap<task::Id, QueryId>,
    most: usize,
    source: Arc<Source>,
    waker: Waker,
}

impl Resolver {
    pub(crate) fn new<'a>(
        settings: &ResolverSettings,
        most: usize,
        listeners: impl Iterator<Item = &'a Bind>,
        list: &Arc<ReadyList>,
    ) -> Result<Self, NetError> {
        let mut families = BTreeMap::<_, Vec<_>>::new();
        for listener in listeners {
            let family = if listener.address.is_ipv4() { RecordType::A } else { RecordType::AAAA };
            let known = families.entry(listener.network).or_default();
            if !known.contains(&family) {
                known.push(family);
            }
        }
        let hickory = build(settings)?;
        let source = Source::new(Kind::Resolver, list);
        let waker = Waker::from(Arc::clone(&source));
        let (running, asked) = (JoinSet::new(), BTreeMap::new());
        Ok(Self { hickory, families, running, asked, most, source, waker })
    }

    /// Begins a look-up. The answer comes from [`answer`](Self::answer), unless it is given at once.
    pub(crate) fn ask(&mut self, query: &Query, counters: &Counters) -> Option<Vec<IpAddr>> {
        counters.queries.add(1);
        let families = self.families.get(&query.network).map(Vec::as_slice).unwrap_or_default();
        if let Ok(address) = query.host.parse::<IpAddr>() {
            return Some(vec![address]);
        }
        let Ok(mut name) = Name::from_ascii(&query.host) else {
            counters.queries_empty.add(1);
            return Some(Vec::new());
        };
        if self.asked.len() >= self.most {
            counters.queries_refused.add(1);
            return Some(Vec::new());
        }
        // No search list: a host in SIP is a whole name.
        name.set_fqdn(true);
        let (hickory, families) = (self.hickory.clone(), families.to_vec());
        let task = self.running.spawn(async move { addresses(&hickory, name, &families).await });
        self.asked.insert(task.id(), query.id);
        // The set tells of an end only to who has asked since the beginning.
        self.source.requeue();
        None
    }

    /// The next answer that has come.
    pub(crate) fn answer(&mut self, counters: &Counters) -> Option<(QueryId, Vec<IpAddr>)> {
        loop {
            let mut context = Context::from_waker(&self.waker);
            let Poll::Ready(Some(ended)) = self.running.poll_join_next_with_id(&mut context) else {
                return None;
            };
            let (task, addresses) = match ended {
                Ok((task, addresses)) => (task, addresses),
                // A panic inside the look-up; whoever asked gets an answer all the same.
                Err(error) => (error.id(), Vec::new()),
            };
            if let Some(id) = self.asked.remove(&task) {
                counters.queries_empty.add(u64::from(addresses.is_empty()));
                return Some((id, addresses));
            }
        }
    }
}

async fn addresses(hickory: &TokioResolver, name: Name, families: &[RecordType]) -> Vec<IpAddr> {
    match families {
        [] => Vec::new(),
        [only] => addresses_of(hickory, name, *only).await,
        [first, second, ..] => {
            let (mut first, second) = tokio::join!(
                addresses_of(hickory, name.clone(), *first),
                addresses_of(hickory, name, *second)
            );
            first.extend(second);
            first
        }
    }
}

async fn addresses_of(hickory: &TokioResolver, name: Name, family: RecordType) -> Vec<IpAddr> {
    let Ok(lookup) = hickory.lookup(name, family).await else { return Vec::new() };
    let address = |data: &RData| match data {
        RData::A(a) => Some(IpAddr::V4(a.0)),
        RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
        _ => None,
    };
    lookup.answers().iter().filter_map(|record| address(&record.data)).collect()
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
    options.use_hosts_file = if settings.hosts_file { ResolveHosts::Always } else { ResolveHosts::Never };
    options.negative_max_ttl = Some(NEGATIVE);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    *builder.options_mut() = options;
    builder.build()
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    (udp.port, tcp.port) = (address.port(), address.port());
    NameServerConfig::new(address.ip(), true, vec![udp, tcp])
}
