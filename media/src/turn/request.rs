//! A message of a client as it is read.

use std::net::SocketAddr;

use super::{
    ADDITIONAL_ADDRESS_FAMILY, CHANNEL_NUMBER, DATA, EVEN_PORT, LIFETIME, REQUESTED_ADDRESS_FAMILY,
    REQUESTED_TRANSPORT, RESERVATION_TOKEN, XOR_PEER_ADDRESS,
};
use crate::stun::{
    Attributes, Broken, COMPREHENSION_OPTIONAL, FINGERPRINT, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256,
    NONCE, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, Proof, REALM, USERNAME, header, is_whole, unmask,
};

/// Unknown attributes that a refusal names: it stays short, whatever was sent.
const NAMED: usize = 4;

/// What a message says.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) kind: u16,
    pub(super) id: &'a [u8; 12],
    datagram: &'a [u8],
    pub(super) username: Option<&'a [u8]>,
    pub(super) realm: Option<&'a [u8]>,
    pub(super) nonce: Option<&'a [u8]>,
    pub(super) algorithms: Option<&'a [u8]>,
    pub(super) algorithm: Option<&'a [u8]>,
    sha1: Option<(usize, &'a [u8])>,
    sha256: Option<(usize, &'a [u8])>,
    pub(super) channel: Option<u16>,
    pub(super) lifetime: Option<u32>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) data: Option<&'a [u8]>,
    /// The number of the protocol; 17 is UDP.
    pub(super) transport: Option<u8>,
    /// 1 is IPv4, 2 is IPv6.
    pub(super) family: Option<u8>,
    pub(super) additional_family: Option<u8>,
    /// Whether the next port is to be reserved.
    pub(super) even_port: Option<bool>,
    pub(super) token: Option<[u8; 8]>,
    /// An attribute of a known type has a value that none of it can have.
    pub(super) malformed: bool,
    /// Whether there is a FINGERPRINT, which an answer has then, too.
    pub(super) fingerprint: bool,
    /// The first attributes that must be understood and are not.
    unknown: [Option<u16>; NAMED],
}

impl<'a> Request<'a> {
    /// Reads a message. DONT-FRAGMENT is not among the attributes that are understood (RFC 8656 §7.2, §11.2).
    pub(super) fn read(datagram: &'a [u8]) -> Result<Self, Broken> {
        let (kind, id) = header(datagram).ok_or(Broken)?;
        let mut request = Self::empty(kind, id, datagram);
        for attribute in Attributes::of(datagram) {
            let (kind, value, at) = attribute?;
            match kind {
                FINGERPRINT => request.fingerprint = true,
                MESSAGE_INTEGRITY_SHA256 if request.sha256.is_none() => request.sha256 = Some((at, value)),
                // What comes after them is not protected, and so ignored (RFC 8489 §14.5, §14.6).
                _ if request.sha1.is_some() || request.sha256.is_some() => {}
                MESSAGE_INTEGRITY => request.sha1 = Some((at, value)),
                _ => request.note(kind, value),
            }
        }
        // A FINGERPRINT is right and the last one, or this is no message of STUN (RFC 8489 §14.7).
        if request.fingerprint && !is_whole(datagram) { Err(Broken) } else { Ok(request) }
    }

    fn empty(kind: u16, id: &'a [u8; 12], datagram: &'a [u8]) -> Self {
        Self {
            kind,
            id,
            datagram,
            username: None,
            realm: None,
            nonce: None,
            algorithms: None,
            algorithm: None,
            sha1: None,
            sha256: None,
            channel: None,
            lifetime: None,
            peer: None,
            data: None,
            transport: None,
            family: None,
            additional_family: None,
            even_port: None,
            token: None,
            malformed: false,
            fingerprint: false,
            unknown: [None; NAMED],
        }
    }

    /// Of several attributes of one type the first counts (RFC 8489 §14).
    fn note(&mut self, kind: u16, value: &'a [u8]) {
        let four = || value.first_chunk::<4>().filter(|_| value.len() == 4);
        match kind {
            USERNAME => first(&mut self.username, value),
            REALM => first(&mut self.realm, value),
            NONCE => first(&mut self.nonce, value),
            PASSWORD_ALGORITHMS => first(&mut self.algorithms, value),
            PASSWORD_ALGORITHM => first(&mut self.algorithm, value),
            DATA => first(&mut self.data, value),
            XOR_PEER_ADDRESS => {
                let peer = unmask(self.id, value);
                self.take(peer, |request| &mut request.peer);
            }
            CHANNEL_NUMBER => {
                self.take(four().map(|[a, b, ..]| u16::from_be_bytes([*a, *b])), |r| &mut r.channel);
            }
            LIFETIME => self.take(four().map(|all| u32::from_be_bytes(*all)), |r| &mut r.lifetime),
            REQUESTED_TRANSPORT => self.take(four().map(|[a, ..]| *a), |r| &mut r.transport),
            REQUESTED_ADDRESS_FAMILY => self.take(four().map(|[a, ..]| *a), |r| &mut r.family),
            ADDITIONAL_ADDRESS_FAMILY => self.take(four().map(|[a, ..]| *a), |r| &mut r.additional_family),
            EVEN_PORT => {
                let flags = value.first().filter(|_| value.len() == 1);
                self.take(flags.map(|flags| flags & 0x80 != 0), |r| &mut r.even_port);
            }
            RESERVATION_TOKEN => {
                self.take(value.try_into().ok(), |r| &mut r.token);
            }
            kind if kind < COMPREHENSION_OPTIONAL => {
                if let Some(free) = self.unknown.iter_mut().find(|slot| slot.is_none_or(|it| it == kind)) {
                    *free = Some(kind);
                }
            }
            _ => {}
        }
    }

    fn take<T>(&mut self, value: Option<T>, slot: impl FnOnce(&mut Self) -> &mut Option<T>) {
        match value {
            Some(value) => first(slot(self), value),
            None => self.malformed = true,
        }
    }

    /// All peers that it names; `None` for one that is no address.
    pub(super) fn peers(&self) -> impl Iterator<Item = Option<SocketAddr>> + use<'a> {
        let proofs = self.sha1.into_iter().chain(self.sha256);
        let (id, end) = (self.id, proofs.map(|(at, _)| at).min().unwrap_or(usize::MAX));
        let attributes = Attributes::of(self.datagram).map_while(Result::ok);
        let its = attributes.take_while(move |(.., at)| *at < end);
        its.filter(|(kind, ..)| *kind == XOR_PEER_ADDRESS).map(|(_, value, _)| unmask(id, value))
    }

    /// The attributes that must be understood and are not.
    pub(super) fn unknown(&self) -> impl Iterator<Item = u16> + use<> {
        self.unknown.into_iter().flatten()
    }

    /// What proves it: the better one of two (RFC 8489 §9.2.4).
    pub(super) fn proof(&self) -> Option<Proof<'a>> {
        let sha256 = self.sha256.map(|(at, value)| Proof::Sha256(at, value));
        sha256.or(self.sha1.map(|(at, value)| Proof::Sha1(at, value)))
    }

    /// The whole message.
    pub(super) fn datagram(&self) -> &'a [u8] {
        self.datagram
    }
}

fn first<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}
