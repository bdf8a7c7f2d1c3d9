//! The handshakes of a remote: what they are due for, and what comes of them.

use std::sync::Arc;

use super::context::{Component, Context};
use super::keying::ToDesk;
use super::secure::Guard;
use crate::dtls::{Place, Standing};
use crate::srtp::Protection;

impl Context {
    /// Whether its keys come from handshakes with us.
    pub(super) fn has_handshakes(&self) -> bool {
        matches!(self.guard, Guard::Handshake(_))
    }

    /// Whose handshake a datagram of DTLS is of; `None` where it is of none, or of one too many.
    pub(super) fn place(&mut self, component: Component, now_millis: u64) -> Option<Place> {
        let has = component == Component::Rtp || !self.is_mux();
        let handshake = self.guard.handshake().filter(|_| has)?;
        handshake.may_hand_on(component, now_millis).then(|| handshake.place(component))
    }

    /// Has the desk begin what is due and end what is not.
    pub(super) fn settle(&mut self, desk: &mut ToDesk) {
        if let Some(mut over) = self.over.take() {
            over.end(desk);
            self.counters.dtls(Component::Rtp, None);
            self.counters.dtls(Component::Rtcp, None);
        }
        let two = !self.is_mux();
        if let Some(handshake) = self.guard.handshake() {
            handshake.settle(two, desk);
            if !two {
                self.counters.dtls(Component::Rtcp, None);
            }
        }
    }

    /// Tells the desk where the peer is.
    pub(super) fn direct(&mut self, now_millis: u64, desk: &mut ToDesk) {
        let components: &[Component] =
            if self.is_mux() { &[Component::Rtp] } else { &[Component::Rtp, Component::Rtcp] };
        for component in components {
            let to = self.destination(*component, now_millis).map(|(_, address)| address);
            if let Some(handshake) = self.guard.handshake() {
                handshake.direct(*component, to, desk);
            }
        }
    }

    /// No handshake is due any more.
    pub(super) fn end_handshakes(&mut self, desk: &mut ToDesk) {
        if let Some(handshake) = self.guard.handshake() {
            handshake.end(desk);
        }
    }

    /// Takes the keys of an association; false where another one is due by now.
    pub(super) fn keyed(&mut self, component: Component, serial: u32, keys: &Arc<Protection>) -> bool {
        self.guard.handshake().is_some_and(|handshake| handshake.keyed(component, serial, keys))
    }

    /// The peer has ended an association.
    pub(super) fn closed(&mut self, component: Component, serial: u32) {
        if let Some(handshake) = self.guard.handshake() {
            handshake.closed(component, serial);
        }
    }

    /// Shows how far an association has come, if it is the one that is due.
    pub(super) fn show_handshake(&mut self, component: Component, serial: u32, standing: Standing) {
        let Some(handshake) = self.guard.handshake() else { return };
        // As long as nobody begins, what there was goes on: some peers say so of a new association and never mean it.
        let goes_on = standing == Standing::Waiting && handshake.has_keys(component);
        if goes_on || !handshake.is(component, serial) {
            return;
        }
        self.counters.dtls(component, Some(standing));
    }
}
