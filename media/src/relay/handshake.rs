//! The associations of a remote whose keys come from handshakes, as its relay thread sees them.

use std::net::SocketAddr;
use std::sync::Arc;

use super::keying::ToDesk;
use super::secure::Secure;
use crate::ContextId;
use crate::dtls::{Input, Place, Role, Terms};
use crate::ice::{Budget, Component};
use crate::srtp::Protection;

/// One association for each component; the desk has the handshakes, here is what came of them.
pub(super) struct Handshake {
    id: ContextId,
    terms: Arc<Terms>,
    rtp: Side,
    rtcp: Side,
}

/// Datagrams that are handed on at once, and in a second after that: a handshake has some ten, and nobody shall have what there is for all.
const DATAGRAMS: u32 = 32;

struct Side {
    /// What the desk was told, and which of its associations that is: what it says of those before is late.
    begun: Option<(u32, Arc<Terms>)>,
    /// And where the peer is.
    directed: Option<SocketAddr>,
    /// The keys, with the association that they are of.
    keys: Option<(u32, Box<Secure>)>,
    budget: Budget,
}

impl Default for Side {
    fn default() -> Self {
        Self { begun: None, directed: None, keys: None, budget: Budget::new(DATAGRAMS) }
    }
}

impl Side {
    fn is(&self, serial: u32) -> bool {
        self.begun.as_ref().is_some_and(|(begun, _)| *begun == serial)
    }
}

impl Handshake {
    pub(super) fn new(id: ContextId, terms: &Arc<Terms>) -> Self {
        Self { id, terms: Arc::clone(terms), rtp: Side::default(), rtcp: Side::default() }
    }

    /// Other terms, or the same; keys stay until there are others.
    pub(super) fn change(&mut self, terms: &Arc<Terms>) {
        self.terms = Arc::clone(terms);
    }

    fn side(&mut self, component: Component) -> &mut Side {
        match component {
            Component::Rtp => &mut self.rtp,
            Component::Rtcp => &mut self.rtcp,
        }
    }

    /// The keys of what comes or goes by that component.
    pub(super) fn keys(&mut self, component: Component) -> Option<&mut Secure> {
        self.side(component).keys.as_mut().map(|(_, secure)| &mut **secure)
    }

    /// Whether there are keys for that component.
    pub(super) fn has_keys(&self, component: Component) -> bool {
        match component {
            Component::Rtp => self.rtp.keys.is_some(),
            Component::Rtcp => self.rtcp.keys.is_some(),
        }
    }

    pub(super) fn place(&self, component: Component) -> Place {
        Place { context: self.id, component }
    }

    /// Has the desk begin what is due, for both components where `two`, and end what is not.
    pub(super) fn settle(&mut self, two: bool, desk: &mut ToDesk) {
        for component in [Component::Rtp, Component::Rtcp] {
            let due = component == Component::Rtp || two;
            let (place, terms) = (self.place(component), Arc::clone(&self.terms));
            let side = self.side(component);
            match (&side.begun, due) {
                (None, false) => {}
                (Some((_, begun)), true) if Arc::ptr_eq(begun, &terms) || **begun == *terms => {}
                (begun, true) => {
                    let same = begun.as_ref().filter(|(_, begun)| begun.association == terms.association);
                    let serial = match same {
                        Some((serial, _)) => *serial,
                        None => desk.serial(),
                    };
                    if same.is_none() {
                        side.directed = None;
                    }
                    side.begun = Some((serial, Arc::clone(&terms)));
                    desk.order(Input::Begin(place, serial, terms));
                }
                (Some(_), false) => {
                    *side = Side::default();
                    desk.order(Input::End(place));
                }
            }
        }
    }

    /// Tells the desk where the peer is, if that is for us to know before it has come.
    pub(super) fn direct(&mut self, component: Component, to: Option<SocketAddr>, desk: &mut ToDesk) {
        let place = self.place(component);
        let client = self.terms.role == Role::Client;
        let side = self.side(component);
        if let Some(to) = to
            && client
            && side.begun.is_some()
            && side.directed != Some(to)
        {
            side.directed = Some(to);
            desk.order(Input::Direct(place, to));
        }
    }

    /// Takes the keys of an association; false where it is not the one that is due.
    pub(super) fn keyed(&mut self, component: Component, serial: u32, keys: &Arc<Protection>) -> bool {
        let side = self.side(component);
        if !side.is(serial) {
            return false;
        }
        match &mut side.keys {
            Some((of, secure)) => {
                *of = serial;
                secure.change(keys);
            }
            None => side.keys = Some((serial, Box::new(Secure::new(keys)))),
        }
        true
    }

    /// Its peer has ended an association; nothing is taken or sent with its keys.
    pub(super) fn closed(&mut self, component: Component, serial: u32) {
        let side = self.side(component);
        if side.keys.as_ref().is_some_and(|(of, _)| *of == serial) {
            side.keys = None;
        }
    }

    /// Whether an association is the one that is due.
    pub(super) fn is(&mut self, component: Component, serial: u32) -> bool {
        self.side(component).is(serial)
    }

    /// Whether one more datagram may be handed on.
    pub(super) fn may_hand_on(&mut self, component: Component, now_millis: u64) -> bool {
        self.side(component).budget.take(now_millis)
    }

    /// No association is due any more.
    pub(super) fn end(&mut self, desk: &mut ToDesk) {
        for component in [Component::Rtp, Component::Rtcp] {
            let place = self.place(component);
            if std::mem::take(self.side(component)).begun.is_some() {
                desk.order(Input::End(place));
            }
        }
    }
}
