//! Who a request outside a dialog is from, and whether that is proven.

use super::OrRefuse;
use crate::registrar::Account;
use crate::shard::Core;
use crate::snapshot::{Protected, Snapshot};
use crate::trunk::Entry;
use config::{NetworkName, TrunkName};
use sip::registration::server::Aor;
use sip::session::Reply;
use sip::time::Now;
use sip::{NetworkId, Received};
use sip_types::StatusCode;

/// Who sent a request.
pub(crate) struct Caller {
    pub(crate) network: NetworkId,
    pub(crate) name: NetworkName,
    /// The trunk that it is; otherwise a user who registers here, or a stranger who may call.
    pub(crate) trunk: Option<TrunkName>,
}

impl Core {
    /// Who sends what begins a call, or would: a trunk that its certificate or its address tells, a user by digest, or a
    /// stranger where the network takes them.
    ///
    /// # Errors
    /// A stranger's 403, a challenge, or what a failed one leads to; each is counted.
    pub(crate) fn caller(&mut self, now: Now, snapshot: &Snapshot, request: &Received) -> OrRefuse<Caller> {
        let nowhere = || Box::new(Reply::new(StatusCode::SERVER_INTERNAL_ERROR));
        let listener = self.endpoint.settings().listener(request.flow.listener).ok_or_else(nowhere)?;
        let network = listener.network;
        let name = snapshot.network_name(network).ok_or_else(nowhere)?;
        let peer = self.peer_on(snapshot, name, &request.flow);
        let trunk = self.caller_of_contact(now, snapshot, name, peer, request).or(peer).cloned();
        let protected = match &trunk {
            Some(trunk) => Some(Protected::Trunk(trunk.clone())),
            // Whoever names a domain of ours is challenged, whether or not there is such a user: nobody learns who there is.
            None if snapshot.registrars.serves(name, request.from.uri()) => {
                Some(Protected::Registrar(name.clone()))
            }
            None => None,
        };
        match &protected {
            Some(of) => self.prove(now, snapshot, of, request)?,
            None if snapshot.routes_strangers(network) => {}
            None => {
                self.counters.strangers += 1;
                return Err(Box::new(Reply::new(StatusCode::FORBIDDEN)));
            }
        }
        Ok(Caller { network, name: name.clone(), trunk })
    }

    /// Whether a caller passes the challenge, and is whom From names.
    fn prove(&mut self, now: Now, snapshot: &Snapshot, of: &Protected, request: &Received) -> OrRefuse<()> {
        let user = match self.at_the_gate(now, snapshot, of, request) {
            Entry::Open(user) => user.unwrap_or_default(),
            Entry::Closed(reply) => {
                self.counters.challenged += 1;
                return Err(reply);
            }
        };
        let Protected::Registrar(network) = of else { return Ok(()) };
        if our_user(snapshot, network, request).is_some_and(|account| account.is_of(&user)) {
            return Ok(());
        }
        self.counters.impostors += 1;
        Err(Box::new(Reply::new(StatusCode::FORBIDDEN)))
    }
}

/// Whose address-of-record From names, if it is one that registers in that network.
fn our_user<'s>(snapshot: &'s Snapshot, network: &NetworkName, request: &Received) -> Option<&'s Account> {
    let aor = Aor::of(request.from.uri())?;
    snapshot.registrars.account(&aor).filter(|account| account.network == *network)
}
