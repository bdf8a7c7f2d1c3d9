//! User agents behind a NAT, and by what they are known.

use crate::flow::Transport;
use crate::received::Received;
use crate::settings::Listener;
use sip_types::header::{Contact, Via};
use sip_types::{HeaderName, Headers, Host, Uri};
use std::net::{IpAddr, SocketAddr};

/// Which peers of a listener are taken to be behind a NAT: those are reached on the flow that they came on, and not at
/// their Contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nat {
    /// None.
    Off,
    /// Those whose messages show it.
    ///
    /// A message shows it only if it came straight from its user agent. Its Via then says where that believes to send from:
    /// a NAT lies between if the address is another one than the source; or the port, over UDP and with `rport`, since
    /// such a client listens where it sends from (RFC 3581 §4). A Contact tells less, as it may be meant to be elsewhere: one that
    /// is private, and came from outside, is not. Over UDP nobody is whose Contact is the source itself: it has
    /// learnt of its NAT.
    Auto,
    /// All.
    On,
}

impl Listener {
    /// Whether the sender of a request takes further requests on its flow only: because of a NAT, because it has opened a
    /// WebSocket (RFC 7118 §5), or because it says so (`ob`, RFC 5626 §4.3).
    #[must_use]
    pub fn binds_to_flow(&self, request: &Received) -> bool {
        if self.transport.is_websocket() {
            return true;
        }
        let (headers, peer) = (request.headers(), request.flow.peer);
        match self.nat {
            Nat::On => true,
            nat if !is_straight(headers, &request.via) => nat == Nat::On,
            nat => {
                let contact = contact(headers);
                let wished = contact.as_ref().is_some_and(|contact| contact.has_param("ob"));
                wished || (nat == Nat::Auto && self.is_translated(&request.via, contact.as_ref(), peer))
            }
        }
    }

    /// Whether the sender of a REGISTER is behind a NAT.
    #[must_use]
    pub fn is_behind_nat(&self, request: &Received) -> bool {
        let (headers, peer) = (request.headers(), request.flow.peer);
        match self.nat {
            Nat::On => true,
            Nat::Off => false,
            Nat::Auto => {
                is_straight(headers, &request.via)
                    && self.is_translated(&request.via, contact(headers).as_ref(), peer)
            }
        }
    }

    /// The same of the sender of a response that makes a dialog, which has no Via of its own.
    pub(crate) fn answers_behind_nat(&self, headers: &Headers, peer: SocketAddr) -> bool {
        let hidden = || contact(headers).is_some_and(|contact| is_hidden(&contact, peer.ip()));
        self.transport.is_websocket()
            || match self.nat {
                Nat::On => true,
                Nat::Off => false,
                Nat::Auto => !headers.contains(HeaderName::RecordRoute) && hidden(),
            }
    }

    /// Whether a response to a datagram with this top Via goes to where that came from although it does not ask for it by
    /// `rport`: behind a NAT, the port of sent-by is not one that the sender is reached at (RFC 3581 §1).
    pub(crate) fn answers_at_source(&self, via: &Via, peer: SocketAddr) -> bool {
        match self.nat {
            Nat::On => true,
            Nat::Off => false,
            Nat::Auto => address(via.host()).is_some_and(|own| hides(own, peer.ip())),
        }
    }

    fn is_translated(&self, via: &Via, contact: Option<&Uri>, peer: SocketAddr) -> bool {
        let datagrams = self.transport == Transport::Udp;
        if datagrams && contact.is_some_and(|contact| is_at(contact, peer)) {
            return false;
        }
        let port = via.port().unwrap_or(self.transport.default_port());
        let ported = datagrams && via.rport().is_some() && port != peer.port();
        let elsewhere = address(via.host()).is_some_and(|ip| ip != peer.ip().to_canonical());
        elsewhere || ported || contact.is_some_and(|contact| is_hidden(contact, peer.ip()))
    }
}

/// Whether nobody stands between us and whoever made a message: it has one Via, and no route back.
fn is_straight(headers: &Headers, via: &Via) -> bool {
    let many = |value: &[u8]| value.contains(&b',') && headers.list::<Via>().is_ok_and(|vias| vias.len() > 1);
    let mut vias = headers.all(HeaderName::Via);
    let first = vias.next();
    vias.next().is_none()
        && !first.is_some_and(|field| many(field.value()))
        && !headers.contains(HeaderName::RecordRoute)
        && !headers.contains(HeaderName::Path)
        && via.is_sip_2_0()
}

/// The first Contact, if it is a SIP URI.
fn contact(headers: &Headers) -> Option<Uri> {
    let contact = headers.first_of::<Contact>().ok()??;
    contact.address().map(|address| address.uri().clone()).filter(Uri::is_sip)
}

fn address(host: Host<'_>) -> Option<IpAddr> {
    match host {
        Host::V4(ip) => Some(ip.into()),
        Host::V6(ip) => Some(IpAddr::from(ip).to_canonical()),
        Host::Name(_) => None,
    }
}

/// Whether a URI is the address and port of a peer.
fn is_at(uri: &Uri, peer: SocketAddr) -> bool {
    uri.host().and_then(address) == Some(peer.ip().to_canonical())
        && uri.port().unwrap_or(Transport::Udp.default_port()) == peer.port()
}

/// Whether a URI has a private address, and whoever wrote it is seen at a public one.
fn is_hidden(uri: &Uri, peer: IpAddr) -> bool {
    uri.host().and_then(address).is_some_and(|own| hides(own, peer))
}

/// Whether who goes by that private address is seen at a public one.
fn hides(own: IpAddr, peer: IpAddr) -> bool {
    is_private(own) && !is_private(peer.to_canonical())
}

/// Whether an address means something else in each network: RFC 1918, RFC 6598, RFC 4193, link-local and loopback.
#[must_use]
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || (first == 100 && second & 0xc0 == 64)
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Flow, ListenerId};
    use crate::tests::ua::listener;
    use sip_types::Message;

    fn invite(via: &str, contact: &str, peer: &str, more: &str) -> Received {
        let text = format!(
            "INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK1\r\n{more}From: <sip:a@b>;tag=1\r\n\
             To: <sip:bob@example.com>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:a@{contact}>\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let Ok(Message::Request(request)) = Message::parse(text.into(), &sip_types::Limits::default()) else {
            panic!("a request");
        };
        let flow = Flow { listener: ListenerId(0), peer: peer.parse().unwrap(), connection: None };
        Received::read(request, flow).unwrap()
    }

    fn found(transport: Transport, via: &str, contact: &str, more: &str) -> bool {
        let listener = Listener { nat: Nat::Auto, ..listener(transport) };
        listener.binds_to_flow(&invite(via, contact, "198.51.100.7:40000", more))
    }

    #[test]
    fn auto_goes_by_what_a_message_shows_of_where_it_came_from() {
        const CASES: &[(&str, &str, bool, &str)] = &[
            ("192.168.1.5:5060;rport", "192.168.1.5:5060", true, "behind a NAT that it does not know of"),
            ("192.168.1.5:5060", "192.168.1.5:5060", true, "without rport, too"),
            ("198.51.100.7:40000;rport", "198.51.100.7:40000", false, "no NAT: its Contact is obeyed"),
            ("198.51.100.7:40000;rport", "203.0.113.9", false, "it wants to be reached elsewhere"),
            ("192.168.1.5;rport", "198.51.100.7:40000", false, "it has learnt where it is seen"),
            ("198.51.100.7:5060;rport", "198.51.100.7:5060", true, "it listens where it sends from"),
            (
                "198.51.100.7:5060",
                "198.51.100.7:5060",
                false,
                "it may send from another port than it listens at",
            ),
            (
                "phone.example.com;rport",
                "phone.example.com",
                true,
                "its port is 5060, and it came from another",
            ),
            ("phone.example.com", "10.1.2.3", true, "no way leads to its Contact"),
            ("phone.example.com", "100.64.2.3", true, "nor to one of a carrier's own"),
            ("phone.example.com", "phone.example.com", false, "names may lead anywhere"),
            ("[fd00::5]", "[fd00::5]", true, "between address families"),
        ];
        for (via, contact, wanted, why) in CASES {
            assert_eq!(found(Transport::Udp, via, contact, ""), *wanted, "{via} {contact}: {why}");
        }
        // The port of a connection is never the one that its opener listens at.
        assert!(!found(Transport::Tcp, "198.51.100.7:5060;rport", "198.51.100.7:5060", ""));
        assert!(found(Transport::Tcp, "192.168.1.5:5060;rport", "192.168.1.5:5060", ""));
    }

    #[test]
    fn what_came_by_a_proxy_shows_nothing_of_its_user_agent() {
        for more in
            ["Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n", "Record-Route: <sip:p.example.com;lr>\r\n"]
        {
            assert!(!found(Transport::Udp, "192.168.1.5", "192.168.1.5", more), "{more}");
        }
    }

    #[test]
    fn off_obeys_every_contact_but_of_those_that_wish_otherwise() {
        let off = listener(Transport::Udp);
        let hidden = invite("192.168.1.5", "192.168.1.5", "198.51.100.7:40000", "");
        assert!(!off.binds_to_flow(&hidden) && !off.is_behind_nat(&hidden));
        let outbound = invite("192.168.1.5", "192.168.1.5;ob", "198.51.100.7:40000", "");
        assert!(off.binds_to_flow(&outbound) && !off.is_behind_nat(&outbound));
        let on = Listener { nat: Nat::On, ..off };
        assert!(on.binds_to_flow(&hidden) && on.is_behind_nat(&hidden));
    }
}
