//! Who is the peer of a leg, and whose place it may take (RFC 3891 §3, §8).

use crate::call::{CallKey, LegNo};
use crate::shard::Core;
use config::TrunkName;
use sip::registration::server::Aor;
use sip::{NetworkId, Received};

/// Who a leg is with, or who sends an INVITE, as far as that is known.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) network: NetworkId,
    pub(super) trunk: Option<TrunkName>,
    /// Without a trunk: the user of a registrar of ours.
    pub(super) user: Option<Aor>,
}

impl Who {
    /// Whether the two are certainly one. Strangers have nothing in common but their network.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.trunk.is_some() || self.user.is_some()) && self == other
    }
}

impl Core {
    /// Who a leg is with.
    pub(super) fn who_of(&self, key: CallKey, no: LegNo) -> Option<Who> {
        let leg = self.calls.get(key)?.leg(no)?;
        let user = self.user_of(&self.snapshot, key, no);
        Some(Who { network: leg.network, trunk: leg.trunk.clone(), user })
    }

    /// Who sends what begins a call. A user that From names has proved it by now.
    pub(super) fn who_sends(&self, network: NetworkId, trunk: Option<&TrunkName>, request: &Received) -> Who {
        let from = request.from.uri();
        let name = self.snapshot.network_name(network).filter(|_| trunk.is_none());
        let is_user = name.is_some_and(|name| self.snapshot.registrars.serves(name, from));
        let user = if is_user { Aor::of(from) } else { None };
        Who { network, trunk: trunk.cloned(), user }
    }

    /// Whether somebody may take a leg's place: it is the leg's own peer, or whom a peer's REFER has named the dialog to.
    pub(super) fn may_replace(&self, key: CallKey, no: LegNo, who: &Who) -> bool {
        let is_own = self.who_of(key, no).is_some_and(|own| own.is_same(who));
        let transfers = self.calls.get(key).and_then(|call| call.transfers.as_ref());
        is_own || transfers.is_some_and(|transfers| transfers.granted.contains(who))
    }
}
