//! Requests within a call or a subscription that came from elsewhere than the endpoint knows their peer: whose they are, by what the
//! configuration, the registrar and certificates say at this moment, or by what their sender proves.

use super::{CallKey, Leg, LegNo, OrRefuse};
use crate::shard::{Core, domains};
use crate::snapshot::{Protected, Snapshot};
use crate::trunk::Entry;
use config::{NetworkName, RequestsFrom, TrunkName};
use sip::registration::server::Aor;
use sip::session::{Reply, SessionId, Stray};
use sip::time::Now;
use sip::{ConnectionId, Flow, Received};
use sip_types::StatusCode;

/// Who the peer of a session is.
struct Peer {
    network: NetworkName,
    trunk: Option<TrunkName>,
    /// The address-of-record of a user of our registrar.
    user: Option<Aor>,
    /// Whether an address is enough.
    by_address: bool,
    /// The connection that the leg goes by.
    connection: Option<ConnectionId>,
}

impl Core {
    /// A request in a dialog, or a CANCEL, came from elsewhere.
    pub(crate) fn on_strayed(&mut self, now: Now, stray: Stray) {
        let verdict = self.trace(now, &stray);
        let (method, source) = (stray.request.method(), stray.request.flow.peer);
        let call = self.by_session.get(&stray.session).and_then(|(key, _)| self.calls.get(*key));
        let call = call.map(|call| &*call.id);
        match verdict {
            Ok(()) => {
                tracing::debug!(call, %method, %source, "a request came from another place of its peer");
                self.counters.strays_admitted += 1;
                self.endpoint.admit(now, stray);
            }
            Err(reply) => {
                let status = reply.status;
                tracing::info!(call, %method, %source, %status, "a request within a call is not its peer's");
                match status {
                    StatusCode::UNAUTHORIZED => self.counters.strays_challenged += 1,
                    _ => self.counters.strays_refused += 1,
                }
                // Who notifies from elsewhere may be a server behind others: that is held against nobody.
                if self.by_session.contains_key(&stray.session) {
                    self.refused(now, &stray.request.flow, status);
                }
                self.endpoint.turn_back(now, &stray, &reply);
            }
        }
    }

    /// Whether a stray is of the peer of its session.
    ///
    /// # Errors
    /// It is not, or it is to prove it.
    fn trace(&mut self, now: Now, stray: &Stray) -> OrRefuse<()> {
        // Whom we trust is told by the configuration in force.
        let snapshot = self.snapshot.clone();
        let peer = match self.by_session.get(&stray.session).copied() {
            Some((key, no)) => self.peer_of(&snapshot, key, no),
            None => self.peer_of_subscription(&snapshot, stray.session),
        };
        let peer = peer.ok_or_else(forbidden)?;
        let request = &stray.request;
        if self.is_place_of(now, &snapshot, &peer, &request.flow) {
            return Ok(());
        }
        match stray.may_be_challenged() {
            true => self.prove_stray(now, &snapshot, &peer, request),
            false => Err(forbidden()),
        }
    }

    fn peer_of(&self, snapshot: &Snapshot, key: CallKey, no: LegNo) -> Option<Peer> {
        let call = self.calls.get(key)?;
        let leg: &Leg = call.leg(no)?;
        let network = snapshot.network_name(leg.network)?.clone();
        let view = self.endpoint.session(leg.session);
        Some(Peer {
            trunk: leg.trunk.clone(),
            user: self.user_of(snapshot, key, no),
            by_address: leg.profile.requests_from != RequestsFrom::Flow,
            connection: view.and_then(|view| view.way?.connection()),
            network,
        })
    }

    /// The peer of a dialog of a subscription that is carried, or of one that is being asked for: its first NOTIFY may come before
    /// the response (RFC 6665 §4.1.2.4).
    fn peer_of_subscription(&self, snapshot: &Snapshot, session: SessionId) -> Option<Peer> {
        let asked = || {
            let asked = self.outside.asked(session)?;
            Some((asked.network, asked.trunk.as_ref(), &*asked.profile, asked.user.as_ref()))
        };
        let (network, trunk, profile, user) = self.subscriptions.peer(session).or_else(asked)?;
        let network = snapshot.network_name(network)?.clone();
        let view = self.endpoint.session(session);
        Some(Peer {
            trunk: trunk.cloned(),
            user: user.cloned(),
            by_address: profile.requests_from != RequestsFrom::Flow,
            connection: view.and_then(|view| view.way?.connection()),
            network,
        })
    }

    /// The user of a registrar of ours whose device a leg is with.
    pub(super) fn user_of(&self, snapshot: &Snapshot, key: CallKey, no: LegNo) -> Option<Aor> {
        let call = self.calls.get(key)?;
        let leg = call.leg(no)?;
        if leg.user.is_some() || leg.trunk.is_some() || no != LegNo::CALLER {
            return leg.user.clone();
        }
        let from = call.facts.from.parse().ok()?;
        let network = snapshot.network_name(leg.network)?;
        snapshot.registrars.serves(network, &from).then(|| Aor::of(&from))?
    }

    /// Whether a flow is one of that peer.
    fn is_place_of(&self, now: Now, snapshot: &Snapshot, peer: &Peer, flow: &Flow) -> bool {
        if let Some(trunk) = &peer.trunk {
            return self.is_place_of_trunk(snapshot, peer, trunk, flow);
        }
        let registered = peer.user.as_ref().and_then(|user| self.common.directory.record(user));
        let is_registered = registered.is_some_and(|record| {
            // Behind a proxy many share a flow.
            let mut live = record.bindings.iter().filter(|binding| binding.ends > now.mono);
            live.any(|binding| binding.flow == *flow && binding.path.is_empty())
        });
        is_registered || self.have_same_identity(peer.connection, flow.connection)
    }

    fn is_place_of_trunk(&self, snapshot: &Snapshot, peer: &Peer, trunk: &TrunkName, flow: &Flow) -> bool {
        let source = flow.peer.ip();
        if self.proven_on(snapshot, &peer.network, flow) == Some(trunk) {
            return true;
        }
        let known = snapshot.config().trunks.get(trunk);
        // Who is known by what it proves is not known by an address.
        if !peer.by_address || known.is_none_or(|known| !known.identities.is_empty()) {
            return false;
        }
        let source = source.to_canonical();
        let is_registrar =
            || self.common.standings.get(trunk).is_some_and(|standing| standing.has_registrar(source));
        snapshot.policy.peer(&peer.network, source) == Some(trunk)
            || snapshot.addresses_of(trunk).any(|address| address.to_canonical() == source)
            || is_registrar()
    }

    /// Whether the certificates at the far ends of two connections have proved one domain.
    fn have_same_identity(&self, ours: Option<ConnectionId>, theirs: Option<ConnectionId>) -> bool {
        let of = |connection: Option<ConnectionId>| connection.and_then(|id| self.peers.get(&id));
        let (Some(ours), Some(theirs)) = (of(ours), of(theirs)) else { return false };
        domains(theirs).any(|domain| domains(ours).any(|known| known == domain))
    }

    /// Whether the sender of a stray proves that it is the peer.
    fn prove_stray(
        &mut self,
        now: Now,
        snapshot: &Snapshot,
        peer: &Peer,
        request: &Received,
    ) -> OrRefuse<()> {
        let (of, account) = match (&peer.trunk, &peer.user) {
            (Some(trunk), _) => (Protected::Trunk(trunk.clone()), None),
            (None, Some(user)) => {
                let account = snapshot.registrars.account(user).filter(|of| of.network == peer.network);
                (Protected::Registrar(peer.network.clone()), Some(account.ok_or_else(forbidden)?))
            }
            (None, None) => return Err(forbidden()),
        };
        match self.at_the_gate(now, snapshot, &of, request) {
            Entry::Open(Some(name)) if account.is_none_or(|account| account.is_of(&name)) => Ok(()),
            Entry::Open(_) => Err(forbidden()),
            Entry::Closed(reply) => Err(reply),
        }
    }
}

fn forbidden() -> Box<Reply> {
    Box::new(Reply::new(StatusCode::FORBIDDEN))
}
