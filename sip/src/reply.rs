//! Composing responses, and where they go.

use crate::flow::{Destination, Flow, Transport};
use crate::ids::Tag;
use crate::location::domain;
use crate::overload::Report;
use crate::session::{Parts, Reply};
use crate::settings::{Listener, Settings};
use bytes::Bytes;
use sip_types::header::{Contact, RecordRoute, SessionIdentifier, Via};
use sip_types::{HeaderName, Host, MessageWriter, Method, Request, Scheme, Uri};
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

/// What a response takes from its request and from us.
pub(crate) struct Composer<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) listener: &'a Listener,
    pub(crate) request: &'a Request,
    /// The topmost Via; `None` where it cannot be read.
    pub(crate) via: Option<&'a Via>,
    pub(crate) flow: &'a Flow,
    /// Our tag, where To has none yet (RFC 3261 §8.2.6.2).
    pub(crate) tag: Option<Tag>,
    /// Whether the response makes or refreshes a dialog: then it has Contact and Record-Route.
    pub(crate) dialog: bool,
    /// What the sender of the request is told of our load (RFC 7339).
    pub(crate) report: Option<Report>,
    /// Whether the dialog is of a SIPS call: each refresh of it has a SIPS Contact (RFC 5630 §5.1.2).
    pub(crate) secure: bool,
    /// The GRUU that our Contact is (RFC 5627 §4.4).
    pub(crate) gruu: Option<&'a Uri>,
    /// Whose session it is of (RFC 7989).
    pub(crate) identifier: Option<SessionIdentifier>,
}

impl Composer<'_> {
    /// The whole response (RFC 3261 §8.2.6).
    pub(crate) fn compose(&self, reply: &Reply) -> Bytes {
        let mut out = MessageWriter::response(reply.status, &reply.reason);
        self.vias(&mut out, self.keeps(reply));
        let headers = self.request.headers();
        for name in [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
            let Some(field) = headers.first(name) else { continue };
            match self.tag {
                Some(tag) if name == HeaderName::To => {
                    out.value(name, |to| {
                        to.bytes(field.value()).text(";tag=").bytes(&tag.digits());
                    });
                }
                _ => {
                    out.copy(field);
                }
            }
        }
        if reply.status.is_provisional() {
            headers.all(HeaderName::Timestamp).for_each(|field| {
                out.copy(field);
            });
        }
        if self.dialog {
            headers.all(HeaderName::RecordRoute).for_each(|field| {
                out.copy(field);
            });
            let secure =
                self.listener.transport.is_secure() && (self.secure || answers_securely(self.request));
            match self.gruu {
                Some(name) => gruu(&mut out, name, secure, &reply.parts.contact_params),
                None => {
                    let marks = if *self.request.method() == Method::Subscribe { GRUU } else { "" };
                    let contact = contact(self.listener, secure, marks, &reply.parts);
                    out.value(HeaderName::Contact, |value| {
                        value.text(&contact);
                    });
                }
            }
        }
        if let Some(product) = self.settings.server.as_ref().filter(|_| reply.status.as_u16() != 100) {
            out.value(HeaderName::Server, |server| {
                server.text(product);
            });
        }
        if let Some(identifier) = self.identifier {
            out.header(HeaderName::SessionId, identifier);
        }
        for field in reply.parts.fields.iter() {
            if self.identifier.is_none() || field.name() != HeaderName::SessionId {
                out.field(field);
            }
        }
        let Some(body) = &reply.parts.body else { return out.finish(b"") };
        for field in body.fields.iter() {
            out.field(field);
        }
        out.finish(&body.bytes)
    }

    /// Whether a response says that we take keepalives (RFC 6223 §4.4): one that makes a dialog or a registration.
    /// Within a dialog we negotiate none, for it may have been done before (§4.2.3).
    fn keeps(&self, reply: &Reply) -> bool {
        match self.request.method() {
            Method::Register => reply.status.is_success(),
            _ => self.dialog && self.tag.is_some(),
        }
    }

    /// All Vias of the request, the first with `received` and `rport` (RFC 3261 §18.2.1, RFC 3581 §4), and where `keeps`
    /// with how often to keep the flow open, if its sender would (RFC 6223 §4.4).
    fn vias(&self, out: &mut MessageWriter, keeps: bool) {
        let headers = self.request.headers();
        let keep = keeps.then_some(self.listener.flow_timer.as_secs());
        let listed = headers.first(HeaderName::Via).is_some_and(|field| field.value().contains(&b','));
        let written = match (self.via, listed.then(|| headers.list::<Via>())) {
            (Some(first), Some(Ok(vias))) => {
                out.header(HeaderName::Via, self.stamped(first, keep));
                for via in vias.iter().skip(1) {
                    out.header(HeaderName::Via, via);
                }
                return;
            }
            (Some(first), None) => {
                out.header(HeaderName::Via, self.stamped(first, keep));
                1
            }
            (_, _) => 0,
        };
        headers.all(HeaderName::Via).skip(written).for_each(|field| {
            out.copy(field);
        });
    }

    /// Adds `received` where the sent-by host is not the source address or `rport` was asked for, and fills `rport`; and
    /// `keep` with so many seconds, and what the sender is told of our load.
    fn stamped<'v>(&'v self, via: &'v Via, keep: Option<u64>) -> impl Display + 'v {
        let peer = self.flow.peer;
        let wants_port = via.rport().is_some();
        let received = wants_port || !is_address(via.host(), peer.ip());
        let report = self.report.as_ref().map(|report| report as &dyn Display);
        via.stamped(received.then_some(peer.ip()), wants_port.then_some(peer.port()), keep, report)
    }
}

/// The URI parameter that makes our Contact a GRUU, as a notifier's has to be (RFC 6665 §4.5.1): self-made, for requests
/// come to this host without anybody's help (RFC 5627 §4.3).
pub(crate) const GRUU: &str = ";gr";

/// Our Contact on a listener, the same for every dialog: requests find theirs by its tags.
/// `secure` asks for a SIPS URI (RFC 3261 §8.1.1.8, §12.1.1), `marks` are parameters of the URI.
pub(crate) fn contact(listener: &Listener, secure: bool, marks: &str, parts: &Parts) -> String {
    match parts.contact_user.is_empty() {
        true => contact_at(listener, secure, marks, &listener.sent_by, &parts.contact_params),
        false => contact_of(&parts.contact_user, listener, secure, marks, &parts.contact_params),
    }
}

/// A Contact of ours with a user part, as it is registered: what comes for it makes dialogs.
pub(crate) fn contact_of(user: &str, listener: &Listener, secure: bool, marks: &str, params: &str) -> String {
    contact_at(listener, secure, marks, &format!("{user}@{}", listener.sent_by), params)
}

/// Our Contact that is a GRUU from a registrar, as it came but for the scheme, which is that of the dialog: each GRUU is there
/// with both (RFC 5630 §5.1.1.4). Beside it stands that we know of GRUUs (RFC 5627 §4.4).
pub(crate) fn gruu(out: &mut MessageWriter, gruu: &Uri, secure: bool, params: &str) {
    let rest = gruu.as_str().split_once(':').map_or("", |(_, rest)| rest);
    out.value(HeaderName::Contact, |contact| {
        contact.text(if secure { "<sips:" } else { "<sip:" }).text(rest).text(">").text(params);
    });
    out.header(HeaderName::Supported, "gruu");
}

fn contact_at(listener: &Listener, secure: bool, marks: &str, host: &str, params: &str) -> String {
    let (scheme, transport) = match (listener.transport, secure) {
        (Transport::Tls, true) => ("<sips:", None),
        (Transport::Wss, true) => ("<sips:", Some("ws")),
        (Transport::Tls, false) if !listener.tls_parameter => ("<sip:", None),
        (Transport::Udp, _) => ("<sip:", None),
        (transport, _) => ("<sip:", Some(transport.uri_param())),
    };
    let (separator, transport) = transport.map_or(("", ""), |transport| (";transport=", transport));
    [scheme, host, separator, transport, marks, ">", params].concat()
}

/// Whether our Contact in the response that makes a dialog must be a SIPS URI (RFC 3261 §12.1.1).
fn answers_securely(request: &Request) -> bool {
    let is_sips = |uri: &Uri| uri.scheme() == Scheme::Sips;
    if request.uri().is_ok_and(|uri| is_sips(&uri)) {
        return true;
    }
    let headers = request.headers();
    match headers.list::<RecordRoute>().unwrap_or_default().first() {
        Some(first) => is_sips(first.uri()),
        None => headers
            .list::<Contact>()
            .unwrap_or_default()
            .iter()
            .any(|contact| matches!(contact, Contact::Addr(address) if is_sips(address.uri()))),
    }
}

fn is_address(host: Host<'_>, address: IpAddr) -> bool {
    match host {
        Host::V4(v4) => address == IpAddr::V4(v4),
        Host::V6(v6) => address == IpAddr::V6(v6),
        Host::Name(_) => false,
    }
}

/// Where the response to a request with this top Via goes (RFC 3261 §18.2.2, RFC 3581 §4), or behind a NAT to where it
/// came from.
pub(crate) fn destination(via: &Via, flow: Flow, listener: &Listener) -> Destination {
    let transport = listener.transport;
    let port = via.port().unwrap_or(transport.default_port());
    match transport {
        // The peer of a WebSocket takes no connections (RFC 7118 §5).
        Transport::Ws | Transport::Wss => Destination::Flow(flow),
        Transport::Tcp | Transport::Tls => Destination::FlowOr {
            flow,
            peer: SocketAddr::new(flow.peer.ip(), port),
            domain: (transport == Transport::Tls).then(|| domain(via.host())),
        },
        Transport::Udp => {
            let peer = match (via.maddr(), via.rport()) {
                // Anywhere else, it would have us send what one host asks for to another one.
                (Some(Host::V4(group)), _) if flow.peer.is_ipv4() && group.is_multicast() => {
                    SocketAddr::new(group.into(), port)
                }
                (Some(Host::V6(group)), _) if flow.peer.is_ipv6() && group.is_multicast() => {
                    SocketAddr::new(group.into(), port)
                }
                (_, Some(_)) => flow.peer,
                (_, None) if listener.answers_at_source(via, flow.peer) => flow.peer,
                (_, None) => SocketAddr::new(flow.peer.ip(), port),
            };
            Destination::Flow(Flow { peer, ..flow })
        }
    }
}
