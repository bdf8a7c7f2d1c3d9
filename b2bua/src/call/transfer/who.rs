//! Who is the peer of a leg, and whose place it may take (RFC 3891 §3, §8).

use crate::call::{CallKey, LegNo};
use crate::shard::Core;
use config::TrunkName;
use sip::home::ShardNo;
use sip::registration::server::Aor;
use sip::{Flow, NetworkId, Received};

/// Who a leg is with, or who sends an INVITE, as far as that is known.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) network: NetworkId,
    pub(super) trunk: Option<TrunkName>,
    /// Without a trunk: the user of a registrar of ours.
    pub(super) user: Option<Aor>,
}

impl Who {
    /// Whether it is known at all.
    pub(super) fn is_known(&self) -> bool {
        self.trunk.is_some() || self.user.is_some()
    }

    /// Whether the two are certainly one. Strangers have nothing in common but their network.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_known() && self == other
    }
}

/// Who has sent a REFER, and where that has come from.
#[derive(Clone)]
pub(super) struct Referrer {
    pub(super) who: Who,
    pub(super) flow: Flow,
}

/// That somebody may take a leg's place, once, because its peer has referred them to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Permit {
    /// Whose call it is.
    pub(super) shard: ShardNo,
    pub(super) call: CallKey,
    pub(super) leg: LegNo,
    pub(super) who: Who,
}

impl Core {
    /// Whether who has sent a REFER is the peer of a leg. Of strangers only that tells which way they come.
    pub(super) fn is_referrer(&self, key: CallKey, no: LegNo, referrer: &Referrer) -> bool {
        let Some(own) = self.who_of(key, no) else { return false };
        if own.is_known() || referrer.who.is_known() {
            return own.is_same(&referrer.who);
        }
        let leg = self.calls.get(key).and_then(|call| call.leg(no));
        own == referrer.who && leg.is_some_and(|leg| self.endpoint.is_on(leg.session, &referrer.flow))
    }

    /// Notes a permit, or takes it back, in the shard whose call it is of.
    pub(super) fn permit(&mut self, permit: Permit, holds: bool) {
        if permit.shard != self.shard_no() {
            return self.tell_of_permit(permit, holds);
        }
        let Some(call) = self.calls.get_mut(permit.call) else { return };
        let transfers = call.transfers.get_or_insert_default();
        match holds {
            true => transfers.grant(permit),
            false => transfers.take_back(&permit),
        }
    }

    /// Somebody has taken a leg's place: a permit for that is used up.
    pub(super) fn use_permit(&mut self, key: CallKey, replaced: LegNo, by: LegNo) {
        let Some(who) = self.who_of(key, by) else { return };
        let permit = Permit { shard: self.shard_no(), call: key, leg: replaced, who };
        let transfers = self.calls.get_mut(key).and_then(|call| call.transfers.as_mut());
        transfers.into_iter().for_each(|transfers| transfers.take_back(&permit));
    }

    /// Who a leg is with.
    pub(super) fn who_of(&self, key: CallKey, no: LegNo) -> Option<Who> {
        let leg = self.calls.get(key)?.leg(no)?;
        let user = self.user_of(&self.snapshot, key, no);
        Some(Who { network: leg.network, trunk: leg.trunk.clone(), user })
    }

    /// Who sends what begins a call. A user that From names has proved it by now.
    pub(super) fn who_sends(&self, network: NetworkId, trunk: Option<&TrunkName>, request: &Received) -> Who {
        let user = self.user_that_sends(network, trunk, request);
        Who { network, trunk: trunk.cloned(), user }
    }

    /// The user of a registrar of ours who sends a request.
    pub(crate) fn user_that_sends(
        &self,
        network: NetworkId,
        trunk: Option<&TrunkName>,
        request: &Received,
    ) -> Option<Aor> {
        let from = request.from.uri();
        let name = self.snapshot.network_name(network).filter(|_| trunk.is_none())?;
        self.snapshot.registrars.serves(name, from).then(|| Aor::of(from))?
    }

    /// Whether a leg is certainly with somebody.
    pub(super) fn is_leg_of(&self, key: CallKey, no: LegNo, who: &Who) -> bool {
        self.who_of(key, no).is_some_and(|own| own.is_same(who))
    }

    /// Whether somebody may take a leg's place: its own peer, or whom that one's REFER has named the dialog to.
    pub(super) fn may_replace(&self, key: CallKey, no: LegNo, who: &Who) -> bool {
        let transfers = self.calls.get(key).and_then(|call| call.transfers.as_ref());
        let mut granted = transfers.into_iter().flat_map(|transfers| &transfers.granted);
        self.is_leg_of(key, no, who) || granted.any(|permit| permit.leg == no && permit.who.is_same(who))
    }
}
