//! Calls to what we registered with trunks, its contact or a GRUU of it: whose they are, and whom they are for.

use super::Standings;
use crate::shard::Core;
use crate::snapshot::Snapshot;
use config::{Called, NetworkName, Register, TrunkName};
use sip::Received;
use sip::time::Now;
use sip_types::Uri;

/// What calls are looked up with.
#[derive(Clone, Copy)]
pub(crate) struct Registered<'a> {
    pub(crate) now: Now,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) standings: &'a Standings,
}

impl<'a> Registered<'a> {
    /// The trunk that we are registered with as that URI, and how: those for whom `wanted` holds only. Who calls it has proved
    /// nothing yet.
    fn find(
        self,
        network: &NetworkName,
        uri: &Uri,
        wanted: impl Fn(&TrunkName) -> bool,
    ) -> Option<(&'a TrunkName, &'a Register)> {
        let of_contact = self.snapshot.policy.registered_contact(network, uri.user()?);
        if let Some(found) = of_contact.filter(|(trunk, _)| wanted(trunk)) {
            return Some(found);
        }
        // Whoever serves the address-of-record may leave it to us what its GRUU leads to (RFC 5627 §4.5).
        let mut all = uri.has_param("gr").then(|| self.snapshot.policy.registering(network))?;
        all.find(|(trunk, _)| {
            let goes_by = || self.standings.get(trunk).is_some_and(|of| of.goes_by(self.now, uri));
            wanted(trunk) && goes_by()
        })
    }

    /// Whom a request of a trunk calls by calling the contact that we registered with it, or a GRUU; `None` if it calls
    /// something else.
    pub(crate) fn called(self, network: &NetworkName, trunk: &TrunkName, request: &Received) -> Option<Uri> {
        let uri = request.request.uri().ok()?;
        let (_, register) = self.find(network, &uri, |of| of == trunk)?;
        match register.called {
            Called::Address => register.address.uri_text().parse().ok(),
            Called::To => Some(request.to.uri().for_request_line()),
        }
    }
}

impl Core {
    /// The same of this moment.
    pub(crate) fn registered<'a>(&'a self, now: Now, snapshot: &'a Snapshot) -> Registered<'a> {
        Registered { now, snapshot, standings: &self.common.standings }
    }

    /// The trunk whose registered contact or GRUU a request calls, if it comes from where that trunk's registrar has answered,
    /// or from the trunk by its address or certificate (`peer`).
    pub(crate) fn caller_of_contact<'s>(
        &'s self,
        now: Now,
        snapshot: &'s Snapshot,
        network: &NetworkName,
        peer: Option<&TrunkName>,
        request: &Received,
    ) -> Option<&'s TrunkName> {
        let uri = request.request.uri().ok()?;
        let source = request.flow.peer.ip().to_canonical();
        let is_theirs = |trunk: &TrunkName| {
            // Who is known by what it proves is not known by an address, its registrar's neither.
            let by_address = snapshot.config().trunks.get(trunk).is_some_and(|of| of.identities.is_empty());
            let is_registrar =
                || by_address && self.common.standings.get(trunk).is_some_and(|of| of.has_registrar(source));
            peer == Some(trunk) || is_registrar()
        };
        self.registered(now, snapshot).find(network, &uri, is_theirs).map(|(trunk, _)| trunk)
    }
}
