//! Where requests in dialogs go that do not simply go where their next hop leads: the way of the INVITE; and to a device whose
//! Contact is a GRUU of a registrar of ours, where that has registered last, which may be elsewhere than when the dialog
//! began (RFC 5627 §6.1).

use super::Session;
use crate::endpoint::Endpoint;
use crate::flow::{Destination, Flow, NetworkId};
use crate::location::NextHop;
use crate::nat::Nat;
use crate::registration::server::{Binding, Directory, GruuKeys, Resolved};
use crate::settings::Settings;
use crate::time::Now;
use sip_types::Uri;
use std::sync::Arc;

/// What tells where devices are.
pub(crate) struct Registered {
    directory: Arc<Directory>,
    keys: Arc<GruuKeys>,
}

/// The way to a device.
pub(crate) enum Whereabouts {
    /// On the flow that it has registered on.
    Flow(Flow),
    /// To its contact.
    Contact(Uri),
}

impl Session {
    /// The way of requests in its dialogs, where that is not the one that their next hop shows.
    pub(super) fn way_inside(&self, settings: &Settings, next_hop: &Uri) -> Option<Destination> {
        let kept = self.flow.map(Destination::Flow);
        let keeps_way = kept.is_some()
            || settings.is_our_gruu(self.network, next_hop)
            || (self.keeps_way && !self.is_found_anywhere(settings, next_hop));
        match self.way.clone().filter(|_| keeps_way).or(kept)? {
            // We opened it, and can open another.
            Destination::Flow(flow) if self.outbound && flow.connection.is_some() => {
                let domain = NextHop::of(next_hop, self.secure).ok().and_then(|hop| hop.domain);
                Some(Destination::FlowOr { flow, peer: flow.peer, domain })
            }
            way => Some(way),
        }
    }

    /// Whether the peer's Contact is a GRUU that leads to it from anywhere, its NAT notwithstanding (RFC 5627 §4.5).
    fn is_found_anywhere(&self, settings: &Settings, contact: &Uri) -> bool {
        let listener = self.way.as_ref().and_then(|way| settings.listener(way.listener()));
        let guesses = listener.is_some_and(|l| l.nat == Nat::Auto && !l.transport.is_websocket());
        guesses && contact.has_param("gr") && !contact.has_param("ob")
    }
}

impl Endpoint {
    /// Has it know what is registered with registrars of ours, so that requests in dialogs find devices that have moved. To be
    /// called before anything else.
    #[must_use]
    pub fn knowing(mut self, directory: &Arc<Directory>, keys: &Arc<GruuKeys>) -> Self {
        self.registered = Some(Registered { directory: directory.clone(), keys: keys.clone() });
        self
    }

    /// The way to the device that a GRUU of ours names; `None` if it is no such GRUU, or nobody knows a way but that of the
    /// dialog: nothing is bound, or by a Path that the dialog's route set has already.
    pub(crate) fn whereabouts(&self, now: Now, network: NetworkId, uri: &Uri) -> Option<Whereabouts> {
        let registered = self.registered.as_ref().filter(|_| self.settings.is_our_gruu(network, uri))?;
        let Resolved::Bindings(found) = registered.directory.resolve(now, uri, &registered.keys) else {
            return None;
        };
        let binding = found.first()?.binding();
        (binding.path.is_empty() && self.settings.listener(binding.flow.listener)?.network == network)
            .then(|| self.way_to(binding))?
    }

    fn way_to(&self, binding: &Binding) -> Option<Whereabouts> {
        let transport = self.settings.listener(binding.flow.listener)?.transport;
        let is_open = binding.flow.connection.is_some();
        let flow_only = binding.reg_id.is_some() || transport.is_websocket();
        if is_open || ((flow_only || binding.behind_nat) && !transport.is_reliable()) {
            return Some(Whereabouts::Flow(binding.flow));
        }
        (!flow_only).then(|| Whereabouts::Contact(binding.uri.clone()))
    }
}
