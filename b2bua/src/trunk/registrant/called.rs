//! Calls to the contacts that we registered with trunks: whose they are, and whom they are for.

use crate::shard::Core;
use crate::snapshot::Snapshot;
use config::{Called, NetworkName, TrunkName};
use sip::Received;
use sip_types::Uri;

impl Core {
    /// The trunk whose registered contact a request calls, if it comes from where that trunk's registrar has answered, or
    /// from the trunk by its address or certificate (`peer`).
    pub(crate) fn caller_of_contact<'s>(
        &self,
        snapshot: &'s Snapshot,
        network: &NetworkName,
        peer: Option<&TrunkName>,
        request: &Received,
    ) -> Option<&'s TrunkName> {
        let uri = request.request.uri().ok()?;
        let (trunk, _) = snapshot.policy.registered_contact(network, uri.user()?)?;
        let source = request.flow.peer.ip().to_canonical();
        // Who is known by what it proves is not known by an address, its registrar's neither.
        let by_address = snapshot.config().trunks.get(trunk).is_some_and(|of| of.identities.is_empty());
        let is_registrar =
            || by_address && self.common.standings.get(trunk).is_some_and(|of| of.has_registrar(source));
        (peer == Some(trunk) || is_registrar()).then_some(trunk)
    }
}

/// Whom a request of a trunk calls by calling the contact that we registered with it; `None` if it calls something else.
pub(crate) fn called_by_contact(
    snapshot: &Snapshot,
    network: &NetworkName,
    trunk: &TrunkName,
    request: &Received,
) -> Option<Uri> {
    let uri = request.request.uri().ok()?;
    let (_, register) =
        snapshot.policy.registered_contact(network, uri.user()?).filter(|(of, _)| *of == trunk)?;
    match register.called {
        Called::Address => register.address.uri_text().parse().ok(),
        Called::To => Some(request.to.uri().for_request_line()),
    }
}
