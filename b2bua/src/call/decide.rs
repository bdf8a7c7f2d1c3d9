//! What the bridge asks policy, in the terms of a call.

use super::{Call, Leg};
use crate::snapshot::Snapshot;
use config::{Profile, TrunkName};
use media::{Latching, MediaNetwork, Refusal};
use policy::Crossing;
use sip::session::{Parts, Reply};
use sip::{Listener, NetworkId};
use sip_types::{Fields, HeaderName, Headers, StatusCode};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The profile of a leg without a route.
pub(crate) fn profile(snapshot: &Snapshot, network: NetworkId, trunk: Option<&TrunkName>) -> Arc<Profile> {
    match snapshot.network_name(network) {
        Some(name) => snapshot.policy.profile(name, trunk, None),
        None => Arc::default(),
    }
}

/// Where media of a network is taken. A network without media has an address that no port can be borrowed at, so
/// that only what flows around us is possible in it.
pub(crate) fn media_network(snapshot: &Snapshot, network: NetworkId) -> MediaNetwork {
    snapshot.media_network(network).cloned().unwrap_or(MediaNetwork {
        id: media::NetworkId(network.0),
        bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        advertised: None,
        ports: 0..=0,
        latching: Latching::Described,
    })
}

/// What a message crosses on its way from one leg to another.
pub(crate) fn crossing<'a>(call: &'a Call, from: &'a Leg, to: &'a Leg) -> Crossing<'a> {
    crossing_to(call, from, to.network, &to.profile)
}

/// What a message crosses on its way to a leg that is about to be dialled.
pub(crate) fn crossing_to<'a>(
    call: &'a Call,
    from: &'a Leg,
    network: NetworkId,
    profile: &'a Profile,
) -> Crossing<'a> {
    Crossing {
        from_trusted: call.snapshot.trusts(from.network),
        to_trusted: call.snapshot.trusts(network),
        from_profile: &from.profile,
        to_profile: profile,
    }
}

/// The header fields and Contact parameters of one leg's message that another leg's message has: what crosses,
/// and what our user agent says of itself in view of it.
pub(crate) fn parts(headers: &Headers, crossing: &Crossing<'_>, listener: Option<&Listener>) -> Parts {
    let mut trail = policy::Trail::default();
    let mut fields = policy::statement(headers, crossing, listener.map_or("", Listener::allow));
    for field in policy::carry(headers, crossing, &mut trail).iter() {
        fields.push_field(field.clone());
    }
    Parts { fields, contact_params: policy::contact_params(headers), body: None }
}

/// Only what crosses: for messages that say nothing about a user agent, such as BYE.
pub(crate) fn carried(headers: &Headers, crossing: &Crossing<'_>) -> Fields {
    policy::carry(headers, crossing, &mut policy::Trail::default())
}

/// The response that a refusal of media leads to.
pub(crate) fn media_reply(refusal: &Refusal) -> Reply {
    let status = StatusCode::new(refusal.status()).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR);
    let mut reply = Reply::new(status);
    if let Some(warning) = refusal.warning() {
        let value = format!("{} liaison \"{}\"", warning.code, warning.text);
        reply.parts.fields.push(HeaderName::Warning, value);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        reply.parts.fields.push(HeaderName::RetryAfter, "5");
    }
    reply
}

/// A Reason of ours (RFC 3326).
pub(crate) fn reason(cause: u16, text: &str) -> Fields {
    let mut fields = Fields::default();
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    fields.push(HeaderName::Reason, format!("SIP;cause={cause};text=\"{quoted}\""));
    fields
}
