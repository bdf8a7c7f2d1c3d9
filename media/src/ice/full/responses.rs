//! Answers to checks of ours (RFC 8445 §7.2.5).

use std::net::SocketAddr;

use hmac::Mac;

use super::agent::{Agent, Event};
use super::pairs::State;
use super::{CandidateKind, Via};
use crate::ice::{CONSENT_MILLIS, Component};
use crate::stun::{
    self, Attributes, ERROR, ERROR_CODE, MESSAGE_INTEGRITY, SUCCESS, XOR_MAPPED_ADDRESS, header, is_whole,
    unmask,
};

/// What an answer says.
struct Answer {
    success: bool,
    id: [u8; 12],
    mapped: Option<SocketAddr>,
    code: Option<u16>,
}

/// RFC 8445 §7.2.5.1.
const ROLE_CONFLICT: u16 = 487;

impl Agent {
    /// Takes an answer that may be to something of ours; false where it is not.
    pub(crate) fn answered(
        &mut self,
        (component, via): (Component, Via),
        source: SocketAddr,
        datagram: &[u8],
        now: u64,
    ) -> bool {
        if let Some(before) = &mut self.before
            && before.answered((component, via), source, datagram, now)
        {
            return true;
        }
        let Some(answer) = self.read(datagram) else { return false };
        if self.path(component).answered(&answer.id) {
            if answer.success && self.selected(component) == Some((via, source)) {
                self.path(component).until = now + CONSENT_MILLIS;
            }
            return true;
        }
        let Some(at) = self.checks.iter().position(|check| check.id == answer.id) else { return false };
        let check = self.checks.swap_remove(at);
        let is_its = self.pairs.pairs.get(check.pair).is_some_and(|pair| {
            (pair.component, pair.via) == (component, via) && self.pairs.address(check.pair) == Some(source)
        });
        if !is_its {
            // Not symmetric (RFC 8445 §7.2.5.2.1).
            self.failed(check.pair);
        } else if answer.success {
            self.works(check.pair, check.nominates, answer.mapped, now);
        } else if answer.code == Some(ROLE_CONFLICT) {
            if check.controlling == self.controlling {
                self.switch(!self.controlling);
                self.tie = u64::try_from(self.chance.next() & u128::from(u64::MAX)).unwrap_or_default();
            }
            self.pairs.set(check.pair, State::Waiting);
            self.pairs.trigger(check.pair, false);
        } else {
            self.failed(check.pair);
        }
        true
    }

    pub(super) fn selected(&mut self, component: Component) -> Option<(Via, SocketAddr)> {
        let at = self.path(component).selected?;
        Some((self.pairs.pairs.get(at)?.via, self.pairs.address(at)?))
    }

    /// A pair has been found to work (RFC 8445 §7.2.5.3).
    fn works(&mut self, at: usize, nominates: bool, mapped: Option<SocketAddr>, now: u64) {
        let address = self.pairs.address(at);
        let Some((pair, address)) = self.pairs.pairs.get_mut(at).zip(address) else { return };
        let (component, via) = (pair.component, pair.via);
        if let (Via::Direct, Some(mapped)) = (via, mapped) {
            pair.local = if self.hosts.contains(&(component, mapped)) {
                CandidateKind::Host
            } else if self.reflexive.contains(&(component, mapped)) {
                CandidateKind::ServerReflexive
            } else {
                CandidateKind::PeerReflexive
            };
        }
        let (fresh, chosen) = (pair.state != State::Succeeded, pair.chosen);
        pair.state = State::Succeeded;
        if fresh {
            self.pairs.thaw(at);
            self.events.push_back(Event::Valid(component, via, address));
        }
        let controlling = self.controlling;
        let path = self.path(component);
        path.decide_by(now);
        path.again = Some(now);
        if nominates && controlling {
            (path.nominating, path.nominated) = (None, true);
            self.pairs.close(component);
            self.select(at, now);
        } else if chosen && !controlling {
            self.chosen(at, now);
        } else if path.selected.is_none() {
            // Media need not wait for the nomination (RFC 8445 §12.1.1).
            self.select(at, now);
        }
    }

    /// What an answer says that has the peer's proof.
    fn read(&self, datagram: &[u8]) -> Option<Answer> {
        let (kind, id) = header(datagram).filter(|_| is_whole(datagram))?;
        let success = match kind {
            SUCCESS => true,
            ERROR => false,
            _ => return None,
        };
        let mut answer = Answer { success, id: *id, mapped: None, code: None };
        for attribute in Attributes::of(datagram) {
            let (kind, value, at) = attribute.ok()?;
            match kind {
                XOR_MAPPED_ADDRESS => answer.mapped = unmask(id, value),
                ERROR_CODE => {
                    let (class, number) = (value.get(2)? & 7, *value.get(3)?);
                    answer.code = Some(u16::from(class) * 100 + u16::from(number));
                }
                MESSAGE_INTEGRITY => {
                    let mac = stun::integrity(&self.key, datagram, at)?;
                    return mac.verify_slice(value).is_ok().then_some(answer);
                }
                _ => {}
            }
        }
        None
    }
}
