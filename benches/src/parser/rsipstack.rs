//! `rsipstack`.
//!
//! It hands out the first Via of a field that lists several, and drops `transport=udp` and the URI's headers from a Contact.

use ::rsipstack::sip::{
    CallId, Header, HeadersExt, Host, Param, SipMessage, Uri,
    message::HasHeaders,
    param::Tag,
    parser::parse_message,
    typed::{CSeq, Contact, From, Route, To, Via},
};
use bytes::Bytes;

use super::{Field, Parser, Part, Reader, Value};

/// `rsipstack`.
#[derive(Debug)]
pub struct Rsipstack;

/// Message and typed fields, each a copy.
#[derive(Debug)]
pub struct Parsed {
    message: SipMessage,
    vias: Vec<Via>,
    from: From,
    to: To,
    call_id: CallId,
    cseq: CSeq,
    contacts: Vec<Contact>,
    routes: Vec<Route>,
}

impl Parser for Rsipstack {
    const NAME: &'static str = "rsipstack";

    type Parsed = Parsed;

    fn parse(bytes: &Bytes) -> Option<Parsed> {
        let message = parse_message(bytes).ok()?;
        let mut vias = Vec::new();
        for header in message.headers().iter() {
            if let Header::Via(via) = header {
                vias.push(first_via(via)?);
            }
        }
        if vias.is_empty() {
            return None;
        }
        Some(Parsed {
            vias,
            from: From::parse(message.from_header().ok()?.value()).ok()?,
            to: To::parse(message.to_header().ok()?.value()).ok()?,
            call_id: message.call_id_header().ok()?.clone(),
            cseq: CSeq::parse(message.cseq_header().ok()?.value()).ok()?,
            contacts: message.typed_contact_headers().ok()?,
            routes: message.typed_route_headers().ok()?,
            message,
        })
    }

    fn read(parsed: &Parsed, reader: &mut impl Reader) {
        match &parsed.message {
            SipMessage::Request(request) => {
                reader.value(Field::StartLine, 0, Part::Method, Value::Typed(&request.method));
                read_uri(&request.uri, Field::StartLine, 0, reader);
            }
            SipMessage::Response(response) => {
                let status = u32::from(response.status_code.code());
                reader.value(Field::StartLine, 0, Part::Status, Value::Number(status));
            }
        }
        for (nth, via) in parsed.vias.iter().enumerate() {
            reader.value(Field::Via, nth, Part::Transport, Value::Typed(&via.transport));
            read_uri(&via.uri, Field::Via, nth, reader);
            read_params(&via.params, Field::Via, nth, reader);
        }
        read_party(&parsed.from.uri, parsed.from.tag(), Field::From, reader);
        read_party(&parsed.to.uri, parsed.to.tag(), Field::To, reader);
        reader.value(Field::CallId, 0, Part::Id, Value::Text(parsed.call_id.value()));
        reader.value(Field::CSeq, 0, Part::Number, Value::Number(parsed.cseq.seq));
        reader.value(Field::CSeq, 0, Part::Method, Value::Typed(&parsed.cseq.method));
        for (nth, contact) in parsed.contacts.iter().enumerate() {
            read_uri(&contact.uri, Field::Contact, nth, reader);
            read_params(&contact.uri.params, Field::Contact, nth, reader);
        }
        for (nth, route) in parsed.routes.iter().enumerate() {
            read_uri(&route.uri, Field::Route, nth, reader);
            read_params(&route.uri.params, Field::Route, nth, reader);
        }
    }

    fn write(parsed: &Parsed) -> Bytes {
        parsed.message.to_bytes().into()
    }
}

/// The typed Via takes a list for one value, so the copy that splitting costs is made only where there is a comma.
fn first_via(via: &::rsipstack::sip::Via) -> Option<Via> {
    if via.value().contains(',') {
        Via::parse(via.first_value().ok()?.value()).ok()
    } else {
        Via::parse(via.value()).ok()
    }
}

fn read_party(uri: &Uri, tag: Option<&Tag>, field: Field, reader: &mut impl Reader) {
    read_uri(uri, field, 0, reader);
    if let Some(tag) = tag {
        reader.value(field, 0, Part::Tag, Value::Text(tag.value()));
    }
}

fn read_uri(uri: &Uri, field: Field, nth: usize, reader: &mut impl Reader) {
    if let Some(user) = uri.user() {
        reader.value(field, nth, Part::User, Value::Text(user));
    }
    match uri.host() {
        Host::Domain(name) => reader.value(field, nth, Part::Host, Value::Text(&name.0)),
        Host::IpAddr(ip) => reader.value(field, nth, Part::Host, Value::Ip(*ip)),
    }
    if let Some(port) = &uri.host_with_port.port {
        reader.value(field, nth, Part::Port, Value::Number(port.0.into()));
    }
}

fn read_params(params: &[Param], field: Field, nth: usize, reader: &mut impl Reader) {
    for param in params {
        let value = match param {
            Param::Transport(transport) => Value::TypedParam("transport", transport),
            Param::User(user) => Value::Param("user", Some(user.value())),
            Param::Method(method) => Value::TypedParam("method", method),
            Param::Ttl(ttl) => Value::Param("ttl", Some(ttl.value())),
            Param::Maddr(maddr) => Value::Param("maddr", Some(maddr.value())),
            Param::Lr => Value::Param("lr", None),
            Param::Ob => Value::Param("ob", None),
            Param::Rport(None) => Value::Param("rport", None),
            Param::Rport(Some(port)) => Value::TypedParam("rport", port),
            Param::Branch(branch) => Value::Param("branch", Some(branch.value())),
            Param::Received(received) => Value::Param("received", Some(received.value())),
            Param::Tag(tag) => Value::Param("tag", Some(tag.value())),
            Param::Expires(expires) => Value::Param("expires", Some(expires.value())),
            Param::Q(q) => Value::Param("q", Some(q.value())),
            Param::Other(name, value) => Value::Param(name.value(), value.as_ref().map(|v| v.value())),
        };
        reader.value(field, nth, Part::Param, value);
    }
}
