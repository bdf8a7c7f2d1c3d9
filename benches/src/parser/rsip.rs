//! `rsip`.
//!
//! It knows comma lists in Route only: a field with two Via or Contact values is refused or misread. Its URIs have no headers.

use ::rsip::{
    Header, Headers, SipMessage, Uri,
    common::uri::Host,
    headers::{CallId, ToTypedHeader, UntypedHeader},
    message::HeadersExt,
    param::Tag,
    prelude::HasHeaders,
    typed::{CSeq, Contact, From, Route, To, Via},
    uri::Param,
};
use bytes::Bytes;

use super::{Field, Parser, Part, Reader, Value};

/// `rsip`.
#[derive(Debug)]
pub struct Rsip;

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

impl Parser for Rsip {
    const NAME: &'static str = "rsip";

    type Parsed = Parsed;

    fn parse(bytes: &Bytes) -> Option<Parsed> {
        let message = SipMessage::try_from(bytes.as_ref()).ok()?;
        let headers = message.headers();
        let vias: Vec<Via> = typed(headers, |h| if let Header::Via(h) = h { Some(h) } else { None })?;
        if vias.is_empty() {
            return None;
        }
        Some(Parsed {
            vias,
            from: message.from_header().ok()?.typed().ok()?,
            to: message.to_header().ok()?.typed().ok()?,
            call_id: message.call_id_header().ok()?.clone(),
            cseq: message.cseq_header().ok()?.typed().ok()?,
            contacts: typed(headers, |h| if let Header::Contact(h) = h { Some(h) } else { None })?,
            routes: typed(headers, |h| if let Header::Route(h) = h { Some(h) } else { None })?,
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
        for (nth, route) in parsed.routes.iter().flat_map(Route::uris).enumerate() {
            read_uri(&route.uri, Field::Route, nth, reader);
            read_params(&route.uri.params, Field::Route, nth, reader);
        }
    }

    fn write(parsed: &Parsed) -> Bytes {
        parsed.message.to_string().into()
    }
}

/// The fields that `pick` picks, typed.
fn typed<'h, T: ToTypedHeader<'h> + 'h>(
    headers: &'h Headers,
    pick: impl Fn(&'h Header) -> Option<&'h T>,
) -> Option<Vec<T::Typed>> {
    headers.iter().filter_map(pick).map(|h| h.typed().ok()).collect()
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
        Host::Domain(name) => reader.value(field, nth, Part::Host, Value::Typed(name)),
        Host::IpAddr(ip) => reader.value(field, nth, Part::Host, Value::Ip(*ip)),
    }
    if let Some(port) = uri.port() {
        reader.value(field, nth, Part::Port, Value::Number((*port.value()).into()));
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
