//! Private addresses that a peer at a public one is told in Contact or in a session description: requests and media for them reach
//! nobody, or somebody else (RFC 1918 §3).

use super::Core;
use memchr::memmem;
use sip::{ListenerId, Transmit, is_private};
use std::fmt;
use std::net::IpAddr;

/// What tells an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Contact,
    Description,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Contact => "Contact",
            Self::Description => "session description",
        })
    }
}

/// Which listeners were named in the log for that, until the next reload. There are no more entries than listeners and places.
#[derive(Debug, Default)]
pub(crate) struct Leaks(Vec<(ListenerId, Place)>);

impl Core {
    /// Counts a message that tells a private address outside, and names its listener in the log, once for each place.
    pub(super) fn note_leaks(&mut self, transmit: &Transmit) {
        let (listener, peer) = (transmit.to.listener(), transmit.to.peer());
        if is_private(peer.ip().to_canonical()) {
            return;
        }
        let split = memmem::find(&transmit.bytes, b"\r\n\r\n").unwrap_or(transmit.bytes.len());
        let (head, body) = transmit.bytes.split_at(split);
        if let Some(address) = self.private_contact(listener, head) {
            self.counters.contacts_private += 1;
            self.tell_leak(transmit, Place::Contact, address);
        }
        if let Some(address) = private_media(body) {
            self.counters.descriptions_private += 1;
            self.tell_leak(transmit, Place::Description, address);
        }
    }

    /// The address in a Contact of ours, where it is private. What a registrar lists are others'.
    fn private_contact(&self, listener: ListenerId, head: &[u8]) -> Option<IpAddr> {
        let sent_by = &*self.endpoint.settings().listener(listener)?.sent_by;
        let host = sent_by.rsplit_once(':').map_or(sent_by, |(host, _)| host);
        let address = host.trim_matches(['[', ']']).parse().ok().filter(|ip| is_private(*ip))?;
        let line = memmem::find(head, b"\r\nContact: ").and_then(|at| head.get(at + 2..))?;
        let end = memchr::memchr(b'\r', line).unwrap_or(line.len());
        memmem::find(line.get(..end)?, sent_by.as_bytes()).map(|_| address)
    }

    fn tell_leak(&mut self, transmit: &Transmit, place: Place, address: IpAddr) {
        let (listener, peer) = (transmit.to.listener(), transmit.to.peer());
        let Leaks(told) = &mut self.leaks;
        if told.contains(&(listener, place)) {
            return;
        }
        told.push((listener, place));
        let of = self.endpoint.settings().listener(listener);
        let network =
            of.and_then(|of| self.snapshot.network_name(of.network)).map(config::NetworkName::as_str);
        tracing::warn!(network, %peer, %address, %place, "a peer outside is told a private address, which it does not reach");
    }
}

/// The first private address that a session description takes media at (RFC 8866 §5.7).
fn private_media(body: &[u8]) -> Option<IpAddr> {
    let connections = memmem::find_iter(body, b"\nc=IN IP").filter_map(|at| {
        // The digit of the family, a space, the address, and perhaps what belongs to multicast.
        let rest = body.get(at + 10..)?;
        let end = memchr::memchr3(b'\r', b'\n', b'/', rest).unwrap_or(rest.len());
        std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
    });
    connections.into_iter().find(|ip| is_private(*ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8866_5_7_the_private_address_of_media_is_found_wherever_it_stands() {
        let found = |text: &str| private_media(text.as_bytes()).map(|ip| ip.to_string());
        let head = "\r\n\r\nv=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n";
        assert_eq!(found(&format!("{head}c=IN IP4 10.0.0.1\r\nt=0 0\r\n")).as_deref(), Some("10.0.0.1"));
        assert_eq!(found(&format!("{head}c=IN IP6 fd00::1\nt=0 0\n")).as_deref(), Some("fd00::1"));
        let second = "c=IN IP4 198.51.100.1\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\nc=IN IP4 100.64.0.1/127\r\n";
        assert_eq!(found(&format!("{head}{second}")).as_deref(), Some("100.64.0.1"));
        for none in [
            "c=IN IP4 0.0.0.0\r\n",
            "c=IN IP4 host.example\r\n",
            "c=IN IP4 ",
            "c=IN IP",
            "a=x:c=IN IP4 10.0.0.1",
        ] {
            assert_eq!(found(&format!("{head}{none}")), None, "{none}");
        }
    }
}
