//! A configuration in the words of what it configures: listeners, limits, targets, media.

use config::{
    Config, Heed, Latch, Listener, Nat, Network, NetworkName, Overload, OverloadAlgorithm, Profile,
    ReferPolicy, RequestsFrom, SessionIds, SessionTimer, TimerMode, Transport, Trunk,
};
use media::{Dscp, Latching, Marks, MediaNetwork};
use policy::Compiled;
use sip::NetworkId;
use sip::auth::Hash;
use sip::session::{Identifying, Provenance, Refresher, TimerPart, TimerTerms};
use sip_types::Method;
use std::collections::BTreeSet;
use std::time::Duration;

/// Media addresses of networks in the order of their numbers.
pub(crate) fn media_networks<'n>(
    networks: impl Iterator<Item = Option<&'n Network>>,
) -> Vec<Option<MediaNetwork>> {
    let numbered = (0..=u16::MAX).map(NetworkId).zip(networks);
    numbered.map(|(id, network)| media_network(id, network?)).collect()
}

fn media_network(id: NetworkId, network: &Network) -> Option<MediaNetwork> {
    let media = network.media.as_ref()?;
    let latching = match (media.latch, network.nat) {
        (Latch::Auto, Nat::Off | Nat::Auto) | (Latch::Sdp, _) => Latching::Described,
        (Latch::Auto, Nat::On) | (Latch::Signalling, _) => Latching::SignallingSource,
        (Latch::Any, _) => Latching::AnySource,
    };
    Some(MediaNetwork {
        id: media::NetworkId(id.0),
        bind: media.address,
        advertised: media.advertised,
        ports: media.ports.start()..=media.ports.end(),
        latching,
        ice: media::Ice::default(),
        marks: Marks { dscp: dscp(media.dscp), ecn: media.ecn },
        // Whose servers are whoever's that has started the relay.
        traversal: media.traversal.as_ref().map(|_| std::sync::Arc::default()),
    })
}

fn dscp(stated: Option<config::Dscp>) -> Dscp {
    match stated.map(config::Dscp::value) {
        None => Dscp::default(),
        Some(Some(value)) => Dscp::Stated(value),
        Some(None) => Dscp::Copied,
    }
}

/// How targets are found and remembered under a configuration.
#[must_use]
pub fn location_settings(config: &Config) -> sip::location::Settings {
    let limits = sip::location::Limits {
        names: config.limits.names,
        remembered: config.limits.remembered_targets,
        ..sip::location::Limits::default()
    };
    sip::location::Settings {
        hold: config.location.hold,
        longest_hold: config.location.longest_hold,
        stale: config.dns.stale,
        head_start: config.location.head_start,
        limits,
    }
}

/// How overload is met under a configuration.
#[must_use]
pub fn overload_settings(config: &Config) -> sip::overload::Settings {
    let Overload { protect, onset, target, algorithm, validity, ref priorities, .. } = config.overload;
    sip::overload::Settings {
        protects: protect,
        onset,
        target,
        algorithm: match algorithm {
            OverloadAlgorithm::Loss => sip::overload::Algorithm::Loss,
            OverloadAlgorithm::Rate => sip::overload::Algorithm::Rate,
        },
        validity,
        longest: config.location.longest_hold,
        priorities: priorities.iter().map(|priority| priority.as_str().into()).collect(),
        remembered: config.limits.remembered_targets,
    }
}

/// A transport in the words of `sip`.
pub(crate) fn sip_transport(transport: Transport) -> sip::Transport {
    match transport {
        Transport::Udp => sip::Transport::Udp,
        Transport::Tcp => sip::Transport::Tcp,
        Transport::Tls => sip::Transport::Tls,
        Transport::Ws => sip::Transport::Ws,
        Transport::Wss => sip::Transport::Wss,
    }
}

/// Limits of one message.
#[must_use]
pub fn message_limits(limits: &config::Limits) -> sip_types::Limits {
    sip_types::Limits {
        message: limits.message,
        start_line: limits.start_line,
        header_count: limits.header_count,
        header_length: limits.header_length,
        body: limits.body,
    }
}

/// Limits of the user agents.
#[must_use]
pub fn sip_limits(limits: &config::Limits) -> sip::Limits {
    sip::Limits {
        sessions: limits.sessions,
        transactions: limits.transactions,
        early_dialogs: limits.early_dialogs,
        pending_requests: limits.pending_requests,
        asked: limits.asked_requests,
        rounds: limits.request_rounds,
    }
}

/// Limits of the sockets.
#[must_use]
pub fn socket_limits(config: &Config) -> sip::driver::Limits {
    let (limits, signalling) = (&config.limits, &config.signalling);
    sip::driver::Limits {
        connections: limits.connections,
        connections_per_peer: limits.connections_per_peer,
        prefixes: sip::guard::Prefixes { ipv4: config.guard.ipv4_prefix, ipv6: config.guard.ipv6_prefix },
        write_queue: limits.connection_queue,
        datagram_queue: limits.datagram_queue,
        connect_time: signalling.connect_timeout,
        handshake_time: signalling.handshake_timeout,
        stall_time: signalling.connection_stall,
        message_time: signalling.message_time,
        idle_time: signalling.connection_idle,
        queries: limits.name_queries,
        stun_rate: limits.stun_rate,
    }
}

/// The hash function of an algorithm.
pub(crate) const fn hash(algorithm: config::Algorithm) -> Hash {
    match algorithm {
        config::Algorithm::Sha256 => Hash::Sha256,
        config::Algorithm::Sha512_256 => Hash::Sha512_256,
        config::Algorithm::Md5 => Hash::Md5,
    }
}

/// The option tags that a registrar understands (RFC 3327, RFC 5626, RFC 5627).
const REGISTERING: &[&str] = &["path", "outbound", "gruu"];

/// The event packages of a registrar (RFC 3680).
pub(crate) const PACKAGES: &[&str] = &["reg"];

/// The settings of a listener's user agent: its network's profile is that of peers that are not known yet. Of the option
/// tags of Require it lets those pass that any trunk of the network may use; the call looks at those of its own leg.
#[must_use]
pub fn sip_listener(
    network: NetworkId,
    name: &NetworkName,
    policy: &Compiled,
    listener: &Listener,
    bound: std::net::SocketAddr,
) -> Option<sip::Listener> {
    let settings = policy.config().networks.get(name)?;
    let profile = &policy.profile(name, None, None);
    let transport = sip_transport(listener.transport);
    let tls = settings.tls.as_ref();
    let sent_by = match (&listener.advertised, &settings.domain) {
        (Some(advertised), _) => {
            format!("{}:{}", advertised.host(), advertised.port().unwrap_or(bound.port()))
        }
        (None, Some(domain)) => format!("{domain}:{}", bound.port()),
        (None, None) => bound.to_string(),
    };
    let carry = &profile.carry;
    let trunks = policy.config().trunks.iter().filter(|(_, trunk)| trunk.network == *name);
    let profiles = trunks.map(|(trunk, _)| policy.profile(name, Some(trunk), None));
    let profiles: Vec<_> = std::iter::once(profile.clone()).chain(profiles).collect();
    let carrying = if carry.unknown_methods || carry.unknown_bodies {
        let tags: BTreeSet<String> = profiles
            .iter()
            .flat_map(|profile| profile.transparent.iter().map(ToString::to_string).collect::<Vec<_>>())
            .collect();
        sip::Carrying::All { transparent: tags.into_iter().map(Into::into).collect() }
    } else {
        sip::Carrying::Nothing
    };
    let sip::Conduct {
        timers,
        provisional_interval,
        acceptance,
        heeds_overload,
        provenance,
        identifying,
        session_timers,
    } = conduct(profile);
    Some(sip::Listener {
        network,
        transport,
        address: bound,
        sent_by: sent_by.into(),
        towards: listener.towards.clone(),
        provisional_interval,
        timers,
        nat: match settings.nat {
            Nat::Auto => sip::Nat::Auto,
            Nat::On => sip::Nat::On,
            Nat::Off => sip::Nat::Off,
        },
        flow_timer: match transport {
            sip::Transport::Udp => policy.config().signalling.keepalive_datagrams,
            sip::Transport::Tcp | sip::Transport::Tls | sip::Transport::Ws | sip::Transport::Wss => {
                policy.config().signalling.keepalive_connections
            }
        },
        alias: transport == sip::Transport::Tls && tls.is_some_and(|tls| tls.certificate.is_some()),
        tls_parameter: tls.is_none_or(|tls| tls.transport_parameter),
        acceptance,
        heeds_overload,
        tells_load: profile.overload.tell,
        heeds_priority: settings.trusted,
        carrying,
        asked: asked(settings.registrar.is_some(), refers(policy, name)),
        asks_unknown: profiles.iter().any(|profile| profile.carry.unknown_methods),
        events: if settings.registrar.is_some() { PACKAGES } else { &[] },
        reliable: profile.reliable_responses,
        provenance,
        refers: refers(policy, name),
        identifying,
        session_timers,
        takes_terminated: profile.early_dialog_terminated,
    })
}

/// Whether any peer of a network may send a REFER; the call looks at the profile of its own leg.
fn refers(policy: &Compiled, name: &NetworkName) -> bool {
    let trunks = policy.config().trunks.iter().filter(|(_, trunk)| trunk.network == *name);
    let profiles = trunks.map(|(trunk, _)| policy.profile(name, Some(trunk), None));
    let mut all = std::iter::once(policy.profile(name, None, None)).chain(profiles);
    all.any(|profile| profile.refer != ReferPolicy::Refuse)
}

/// The requests outside a dialog that a network's listeners hand up.
fn asked(registers: bool, refers: bool) -> Vec<sip::Asked> {
    let carried =
        [Method::Options, Method::Message, Method::Publish, Method::Subscribe, Method::Notify].into_iter();
    let mut asked: Vec<_> = carried.map(|method| sip::Asked { method, understood: &[] }).collect();
    if refers {
        asked.push(sip::Asked { method: Method::Refer, understood: &[] });
    }
    if registers {
        asked.push(sip::Asked { method: Method::Register, understood: REGISTERING });
    }
    asked
}

/// How the peer of a leg with that profile is treated.
#[must_use]
pub fn conduct(profile: &Profile) -> sip::Conduct {
    let hashes = profile.digest.algorithms.iter().map(|algorithm| hash(*algorithm));
    sip::Conduct {
        timers: sip::Timers { t1: profile.timers.t1, t2: profile.timers.t2, t4: profile.timers.t4 },
        provisional_interval: profile.provisional_interval,
        acceptance: sip::auth::client::Acceptance {
            weakest: hashes.min_by_key(|h| h.bits()).unwrap_or(Hash::Md5),
            allow_without_qop: profile.digest.allow_without_qop,
        },
        heeds_overload: match profile.overload.heed {
            Heed::Nothing => sip::overload::Heed::Nothing,
            Heed::Loss => sip::overload::Heed::Loss,
            Heed::LossAndRate => sip::overload::Heed::LossAndRate,
        },
        provenance: match profile.requests_from {
            RequestsFrom::Peer => Provenance::Peer,
            RequestsFrom::Flow => Provenance::Flow,
            RequestsFrom::Network => Provenance::Network,
        },
        identifying: match profile.session_id {
            SessionIds::Carry => Identifying::Carry,
            SessionIds::Make => Identifying::Make,
            SessionIds::Remove => Identifying::Remove,
        },
        session_timers: timer_terms(&profile.session_timer),
    }
}

/// The same of a trunk, if it is one: who is known by what it proves is asked for that on every other flow.
pub(crate) fn conduct_with(profile: &Profile, trunk: Option<&Trunk>) -> sip::Conduct {
    let conduct = conduct(profile);
    match trunk {
        Some(trunk) if !trunk.identities.is_empty() && conduct.provenance == Provenance::Peer => {
            sip::Conduct { provenance: Provenance::Flow, ..conduct }
        }
        _ => conduct,
    }
}

/// How sessions are timed, in the words of `sip`.
fn timer_terms(timer: &SessionTimer) -> TimerTerms {
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    TimerTerms {
        part: match timer.mode {
            TimerMode::Off => TimerPart::Off,
            TimerMode::Accept => TimerPart::Accept,
            TimerMode::Ask => TimerPart::Ask,
        },
        expires: seconds(timer.expires),
        least: seconds(timer.min),
        refresher: match timer.refresher {
            config::Refresher::Auto => None,
            config::Refresher::Us => Some(Refresher::Us),
            config::Refresher::Peer => Some(Refresher::Peer),
        },
        alone: timer.alone,
    }
}

#[cfg(test)]
mod tests;
