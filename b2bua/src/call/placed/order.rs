//! What an order says, by the configuration in force.

use crate::call::decide;
use crate::snapshot::Snapshot;
use admin_api::control as api;
use admin_api::control::ControlError;
use config::{Profile, TrunkName};
use sip::{Flow, NetworkId, Received};
use sip_types::header::NameAddr;
use sip_types::{Limits, Message, Scheme, Uri};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// The longest name of a caller, in bytes.
const LONGEST_NAME: usize = 128;

/// A party, and how it is called.
pub(super) struct Party {
    /// Which of the two it is, for who has ordered the call.
    pub(super) place: &'static str,
    pub(super) uri: Uri,
    /// Where it is called from.
    pub(super) network: NetworkId,
    /// Whom it is called as.
    pub(super) trunk: Option<TrunkName>,
    /// How that is treated.
    pub(super) profile: Arc<Profile>,
    /// The INVITE that calls it, as somebody there would send it to us.
    pub(super) invite: Received,
    /// Who is calling as it is told, where the order says so.
    pub(super) shown: Option<Box<str>>,
    /// How long it may ring.
    pub(super) ring: Option<Duration>,
}

/// Both parties.
pub(super) struct Ordered {
    pub(super) first: Party,
    pub(super) then: Party,
}

impl Ordered {
    /// What an order says.
    ///
    /// # Errors
    /// What cannot be meant, and in which member.
    pub(super) fn read(
        snapshot: &Snapshot,
        settings: &sip::Settings,
        order: &api::CallOrder,
    ) -> Result<Self, ControlError> {
        let first_uri = uri("first.uri", &order.first.uri)?;
        let then_uri = uri("then.uri", &order.then.uri)?;
        let read = |place, uri: &Uri, other: &Uri, of| {
            Party::read(snapshot, settings, order, (place, uri, other), of)
        };
        Ok(Self {
            first: read("first", &first_uri, &then_uri, &order.first)?,
            then: read("then", &then_uri, &first_uri, &order.then)?,
        })
    }
}

impl Party {
    fn read(
        snapshot: &Snapshot,
        settings: &sip::Settings,
        order: &api::CallOrder,
        (place, uri, other): (&'static str, &Uri, &Uri),
        said: &api::OrderedParty,
    ) -> Result<Self, ControlError> {
        // What a party says itself is said instead of what is said for both.
        let own = said.network.is_some() || said.trunk.is_some();
        let (network, trunk) = match own {
            true => (&said.network, &said.trunk),
            false => (&order.network, &order.trunk),
        };
        let (network, trunk) = origin(snapshot, place, network.as_deref(), trunk.as_deref())?;
        let invite = invite(settings, network, place, (uri, other), said.from.as_ref())?;
        if said.ring_seconds == Some(0) {
            return Err(invalid(format!("{place}.ring_seconds is 0; expected 1 or more")));
        }
        Ok(Self {
            place,
            uri: uri.clone(),
            network,
            profile: decide::profile(snapshot, network, trunk.as_ref()),
            trunk,
            shown: said.from.as_ref().map(|_| invite.from.untagged()),
            invite,
            ring: said.ring_seconds.map(|seconds| Duration::from_secs(seconds.into())),
        })
    }

    /// Whether it is called by TLS only.
    pub(super) fn is_secure(&self) -> bool {
        self.uri.scheme() == Scheme::Sips
    }
}

/// The network, and the trunk, that a party is called from.
fn origin(
    snapshot: &Snapshot,
    place: &str,
    network: Option<&str>,
    trunk: Option<&str>,
) -> Result<(NetworkId, Option<TrunkName>), ControlError> {
    let config = snapshot.config();
    let (name, trunk) = match (network, trunk) {
        (Some(_), Some(_)) => {
            return Err(invalid(format!("{place}: network and trunk are both given; expected one")));
        }
        (None, None) => return Err(invalid(format!("{place}: neither a network nor a trunk is given"))),
        (Some(network), None) => {
            let known = config.networks.keys().find(|name| name.as_str() == network);
            (known.ok_or_else(|| invalid(format!("{place}: there is no network {network}")))?, None)
        }
        (None, Some(trunk)) => {
            let known = config.trunks.iter().find(|(name, _)| name.as_str() == trunk);
            let (name, settings) =
                known.ok_or_else(|| invalid(format!("{place}: there is no trunk {trunk}")))?;
            (&settings.network, Some(name.clone()))
        }
    };
    let id = snapshot.network_id(name);
    Ok((id.ok_or_else(|| invalid(format!("{place}: network {name} waits for a restart")))?, trunk))
}

fn uri(member: &str, text: &str) -> Result<Uri, ControlError> {
    let uri: Uri = text.parse().map_err(|error| invalid(format!("{member}: {error}")))?;
    if !uri.is_sip() && uri.scheme() != Scheme::Tel {
        return Err(invalid(format!("{member}: expected a SIP, SIPS or tel URI")));
    }
    if uri.has_headers() {
        return Err(invalid(format!("{member}: header fields in a URI are not taken over")));
    }
    Ok(uri)
}

/// The INVITE that calls a party, with a hop more than ours is to have. What of it crosses is policy's affair, as for the INVITE of a caller.
fn invite(
    settings: &sip::Settings,
    network: NetworkId,
    place: &str,
    (target, other): (&Uri, &Uri),
    shown: Option<&api::ShownCaller>,
) -> Result<Received, ControlError> {
    let from = match shown.and_then(|shown| shown.uri.as_deref()) {
        Some(text) => uri(&format!("{place}.from.uri"), text)?,
        None => other.clone(),
    };
    let name = shown.and_then(|shown| shown.display_name.as_deref());
    if name.is_some_and(|name| name.len() > LONGEST_NAME || name.chars().any(char::is_control)) {
        return Err(invalid(format!(
            "{place}.from.display_name: at most {LONGEST_NAME} bytes, and no control characters"
        )));
    }
    let from = NameAddr::new(name.filter(|name| !name.is_empty()), &from);
    let text = format!(
        "INVITE {target} SIP/2.0\r\nVia: SIP/2.0/UDP placed.invalid;branch=z9hG4bK\r\nMax-Forwards: 71\r\n\
         From: {from};tag=placed\r\nTo: <{target}>\r\nCall-ID: placed\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
    );
    let listener = settings.listeners.iter().position(|listener| listener.network == network);
    let listener = sip::ListenerId(listener.and_then(|at| u16::try_from(at).ok()).unwrap_or_default());
    let flow = Flow { listener, peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), connection: None };
    let message = Message::parse(text.into_bytes().into(), &Limits::default());
    let invite = match message {
        Ok(Message::Request(request)) => Received::read(request, flow).ok(),
        Ok(Message::Response(_)) | Err(_) => None,
    };
    invite.ok_or_else(|| invalid(format!("{place}: no INVITE can be made of it")))
}

fn invalid(why: String) -> ControlError {
    ControlError::InvalidOrder(why)
}
