//! Who is not heard: scanners (`sip::guard`).

use super::{Core, domains};
use crate::snapshot::Snapshot;
use admin_api::control::{Quarantine, QuarantinedSource, Seconds};
use bytes::Bytes;
use config::{NetworkName, TrunkName};
use sip::driver::IoAction;
use sip::guard::{Offence, Prefixes, Terms};
use sip::time::Now;
use sip::{Flow, ListenerId, Transmit, stun};
use sip_types::StatusCode;
use std::net::SocketAddr;

impl Core {
    /// Whether a message is heard; that the connection of one that is not is closed.
    pub(super) fn hears(&mut self, now: Now, flow: &Flow, bytes: &Bytes) -> bool {
        if !self.is_cut(now, flow) || is_never_answered(bytes) || self.endpoint.is_in_dialog(bytes) {
            return true;
        }
        self.counters.messages_unheard += 1;
        if let Some(connection) = flow.connection {
            self.io.push_back(IoAction::CloseConnection(connection));
        }
        false
    }

    /// Whether a connection is taken. Over TLS who it is shows later.
    pub(super) fn hears_connection(&mut self, now: Now, listener: ListenerId, peer: SocketAddr) -> bool {
        let transport = self.endpoint.settings().listener(listener).map(|listener| listener.transport);
        let shows_later = transport.is_none_or(|transport| transport.is_secure());
        if shows_later || !self.is_cut(now, &Flow { listener, peer, connection: None }) {
            return true;
        }
        self.counters.connections_unheard += 1;
        false
    }

    /// Whether who asks for STUN is answered.
    pub(super) fn hears_ping(&mut self, now: Now, flow: &Flow) -> bool {
        let cut = self.is_cut(now, flow);
        self.counters.messages_unheard += u64::from(cut);
        !cut
    }

    /// Whether a response is not sent: a refusal of what was asked before its sender was cut off.
    pub(super) fn withholds(&mut self, now: Now, transmit: &Transmit) -> bool {
        let to = &transmit.to;
        let flow = Flow { listener: to.listener(), peer: to.peer(), connection: to.connection() };
        let withheld = self.is_cut(now, &flow)
            && is_refusal(&transmit.bytes)
            && !self.endpoint.is_in_dialog(&transmit.bytes);
        self.counters.refusals_withheld += u64::from(withheld);
        withheld
    }

    /// A request outside a dialog is answered with that status, and its sender has proved nothing.
    pub(crate) fn refused(&mut self, now: Now, flow: &Flow, status: StatusCode) {
        let listener = self.endpoint.settings().listener(flow.listener);
        let may_err = listener.is_some_and(|listener| self.snapshot.routes_strangers(listener.network));
        match status {
            StatusCode::UNAUTHORIZED => self.offended(now, flow, Offence::Challenged),
            // Whoever may call may dial a wrong number.
            StatusCode::NOT_FOUND if may_err => {}
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => self.offended(now, flow, Offence::Refused),
            _ => {}
        }
    }

    pub(super) fn offended(&mut self, now: Now, flow: &Flow, offence: Offence) {
        let Some(terms) = terms(&self.snapshot).filter(|_| !self.is_peer(flow)) else { return };
        if let Some(suspect) = self.common.guard.offended(now.mono, &terms, flow, offence) {
            self.counters.quarantined += 1;
            let (peer, quarantine) = (flow.peer, terms.quarantine);
            tracing::warn!(source = %suspect, %peer, ?quarantine, "a source is not heard: too much of it was refused");
        }
    }

    /// A request has answered a challenge well.
    pub(crate) fn proved(&self, now: Now, snapshot: &Snapshot, flow: &Flow) {
        if let Some(terms) = terms(snapshot) {
            self.common.guard.passed(now.mono, &terms, flow);
        }
    }

    /// The trunk whose certificate or address a flow has.
    pub(crate) fn peer_on<'s>(
        &self,
        snapshot: &'s Snapshot,
        network: &NetworkName,
        flow: &Flow,
    ) -> Option<&'s TrunkName> {
        let proven = self.proven_on(snapshot, network, flow);
        proven.or_else(|| snapshot.policy.peer(network, flow.peer.ip()))
    }

    /// The trunk whose certificate a flow has.
    pub(crate) fn proven_on<'s>(
        &self,
        snapshot: &'s Snapshot,
        network: &NetworkName,
        flow: &Flow,
    ) -> Option<&'s TrunkName> {
        let proven = flow.connection.and_then(|id| self.peers.get(&id))?;
        snapshot.policy.proven_peer(network, flow.peer.ip(), domains(proven))
    }

    /// Who is not heard.
    pub(super) fn quarantine(&self, now: Now) -> Quarantine {
        let sources = self.common.guard.quarantined(now.mono).into_iter().map(|one| QuarantinedSource {
            source: one.suspect.to_string(),
            refusals: one.refusals,
            left_seconds: Seconds(one.left),
        });
        Quarantine { sources: sources.collect() }
    }

    fn is_cut(&self, now: Now, flow: &Flow) -> bool {
        self.common.guard.cuts()
            && terms(&self.snapshot)
                .is_some_and(|terms| self.common.guard.is_cut(now.mono, &terms, flow) && !self.is_peer(flow))
    }

    /// Whether it is a trunk's, by more than a `from` that is everybody's.
    fn is_peer(&self, flow: &Flow) -> bool {
        let listener = self.endpoint.settings().listener(flow.listener);
        let network = listener.and_then(|listener| self.snapshot.network_name(listener.network));
        network.is_some_and(|network| {
            let proven = flow.connection.and_then(|id| self.peers.get(&id));
            let source = flow.peer.ip().to_canonical();
            proven.is_some_and(|peer| {
                self.snapshot.policy.proven_peer(network, source, domains(peer)).is_some()
            }) || self.snapshot.policy.own_source(network, source)
        })
    }
}

/// What may come from anywhere, as no answer of ours follows from it: responses, ACK, and what answers STUN of ours.
fn is_never_answered(bytes: &Bytes) -> bool {
    bytes.starts_with(b"SIP/2.0 ") || bytes.starts_with(b"ACK ") || stun::is_stun(bytes)
}

/// Whether it is a response that says that somebody may not or is not there.
fn is_refusal(bytes: &Bytes) -> bool {
    let status = bytes.strip_prefix(b"SIP/2.0 ").and_then(|rest| rest.get(..3));
    status.is_some_and(|status| [b"400", b"401", b"403", b"404"].iter().any(|one| status == *one))
}

/// What the configuration says; `None` where everybody is heard.
fn terms(snapshot: &Snapshot) -> Option<Terms> {
    let given = &snapshot.config().guard;
    given.enabled.then_some(Terms {
        refusals: given.refusals,
        within: given.within,
        grace: given.grace,
        quarantine: given.quarantine,
        proven_for: given.proven_for,
        prefixes: Prefixes { ipv4: given.ipv4_prefix, ipv6: given.ipv6_prefix },
        entries: given.entries,
    })
}
