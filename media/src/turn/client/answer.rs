//! What a server answers.

use std::net::SocketAddr;

use super::{Ask, Client, Event, Failure, MARGIN_MILLIS, MOST_CHALLENGES, State};
use crate::stun::{
    Attributes, ERROR_CODE, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, NONCE, REALM, TO_ERROR, TO_SUCCESS,
    XOR_MAPPED_ADDRESS, header, integrity, unmask,
};
use crate::turn::{LIFETIME, XOR_RELAYED_ADDRESS};
use hmac::Mac;

/// An answer, taken apart.
#[derive(Default)]
struct Answer<'a> {
    code: Option<u16>,
    realm: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
    mapped: Option<SocketAddr>,
    relayed: Option<SocketAddr>,
    lifetime: Option<u32>,
    /// Where its proof is.
    proof: Option<(usize, &'a [u8])>,
}

/// Longer realms and nonces than these, in octets, are none (RFC 8489 §14.9, §14.10).
const LONGEST: usize = 763;

fn read<'a>(datagram: &'a [u8], id: &[u8; 12]) -> Option<Answer<'a>> {
    let mut answer = Answer::default();
    for attribute in Attributes::of(datagram) {
        let (kind, value, at) = attribute.ok()?;
        match kind {
            MESSAGE_INTEGRITY => {
                answer.proof = Some((at, value));
                break;
            }
            MESSAGE_INTEGRITY_SHA256 => break,
            ERROR_CODE => {
                let (class, number) = (value.get(2)? & 7, *value.get(3)?);
                answer.code = Some(u16::from(class) * 100 + u16::from(number));
            }
            REALM => answer.realm = Some(value).filter(|value| value.len() <= LONGEST),
            NONCE => answer.nonce = Some(value).filter(|value| value.len() <= LONGEST),
            XOR_MAPPED_ADDRESS => answer.mapped = unmask(id, value),
            XOR_RELAYED_ADDRESS => answer.relayed = unmask(id, value),
            LIFETIME => answer.lifetime = value.try_into().ok().map(u32::from_be_bytes),
            _ => {}
        }
    }
    Some(answer)
}

impl Client {
    /// Takes what came from the server; false where it is no answer to anything.
    pub(crate) fn handle(&mut self, datagram: &[u8], now: u64) -> bool {
        let Some((kind, id)) = header(datagram) else { return false };
        let (success, error) = (kind & TO_ERROR == TO_SUCCESS, kind & TO_ERROR == TO_ERROR);
        let found = self.exchanges.iter().position(|exchange| exchange.id == *id);
        let Some(at) = found.filter(|_| success || error) else { return false };
        let Some(answer) = read(datagram, id) else { return true };
        let Some(ask) = self.exchanges.get(at).map(|exchange| exchange.ask) else { return true };
        let proved = match (&self.challenge.key, answer.proof) {
            (Some(key), Some((at, value))) => {
                integrity(key, datagram, at).is_some_and(|mac| mac.verify_slice(value).is_ok())
            }
            _ => false,
        };
        // What asks for proof cannot have any; what gives something must (RFC 8489 §9.2.5). Of a Binding nothing was proved.
        let challenge = error && matches!(answer.code, Some(401 | 438));
        if ask != Ask::Mapping && !challenge && !proved && self.challenge.key.is_some() {
            return true;
        }
        self.exchanges.swap_remove(at);
        if success {
            self.challenge.count = 0;
            self.succeeded(ask, &answer, now);
        } else {
            self.refused(ask, &answer, now);
        }
        true
    }

    fn succeeded(&mut self, ask: Ask, answer: &Answer<'_>, now: u64) {
        if let Some(mapped) = answer.mapped.filter(|mapped| self.mapped != Some(*mapped)) {
            self.mapped = Some(mapped);
            self.events.push_back(Event::Mapped(mapped));
        }
        match ask {
            Ask::Mapping if self.login.is_some() => {}
            Ask::Mapping => match self.mapped {
                Some(_) => self.state = State::Standing,
                None => self.over(Failure::Malformed),
            },
            Ask::Allocate => match (answer.relayed, &self.challenge.key) {
                (Some(relayed), Some(_)) => {
                    (self.relayed, self.state) = (Some(relayed), State::Standing);
                    self.lasts(answer, now);
                    self.events.push_back(Event::Allocated(relayed));
                }
                // A server that asks for no proof is none that could be believed.
                _ => self.over(Failure::Malformed),
            },
            Ask::Refresh => self.lasts(answer, now),
            Ask::End if self.state == State::Ending => self.state = State::Over,
            // What was in the way is gone.
            Ask::End => self.ask(Ask::Allocate, now),
            Ask::Bind(number, _) => self.bound(number, now),
        }
    }

    fn lasts(&mut self, answer: &Answer<'_>, now: u64) {
        let lasts = u64::from(answer.lifetime.unwrap_or(super::LIFETIME_SECONDS)) * 1_000;
        self.refresh = Some(now + lasts.saturating_sub(MARGIN_MILLIS).max(lasts / 2));
    }

    fn refused(&mut self, ask: Ask, answer: &Answer<'_>, now: u64) {
        let code = answer.code.unwrap_or_default();
        match (code, answer.nonce) {
            (401 | 438, Some(nonce)) if self.challenge.count < MOST_CHALLENGES => {
                // The same nonce again says that the proof was wrong (RFC 8489 §9.2.5).
                let again = code == 401 && self.challenge.nonce == nonce;
                if again || code == 401 && answer.realm.is_none() {
                    return self.over(Failure::Unauthorized);
                }
                self.challenged(answer.realm, nonce);
                self.ask(ask, now);
            }
            (401 | 438, _) => self.over(Failure::Unauthorized),
            // An allocation of the port's last borrower (RFC 8656 §7.4): it is ended, with the same credentials.
            (437, _) if ask == Ask::Allocate && !self.cleared => {
                self.cleared = true;
                self.ask(Ask::End, now);
            }
            _ => match ask {
                Ask::Bind(_, peer) => self.barred(peer),
                Ask::End if self.state == State::Ending => self.state = State::Over,
                Ask::End if self.state == State::Asking => self.ask(Ask::Allocate, now),
                _ => self.over(Failure::Refused(code)),
            },
        }
    }
}
