//! Our own `sip-types`.

use bytes::Bytes;
use sip_types::{
    Framing, Host, Limits, Message, MessageWriter, Params, Uri,
    header::{CSeq, CallId, Contact, From, NameAddr, Route, To, Via},
};

use super::{Field, Parser, Part, Reader, Value};

/// `sip-types`.
#[derive(Debug)]
pub struct Liaison;

/// Message and typed fields; they share the memory of the bytes.
#[derive(Debug)]
pub struct Parsed {
    message: Message,
    /// Of a request.
    uri: Option<Uri>,
    vias: Vec<Via>,
    from: From,
    to: To,
    call_id: CallId,
    cseq: CSeq,
    contacts: Vec<Contact>,
    routes: Vec<Route>,
}

impl Parser for Liaison {
    const NAME: &'static str = "sip-types";

    type Parsed = Parsed;

    fn parse(bytes: &Bytes) -> Option<Parsed> {
        let message = Message::parse(bytes.clone(), &Limits::default()).ok()?;
        let headers = message.headers();
        if headers.malformed().is_some()
            || matches!(message.framing(), Framing::Short { .. } | Framing::Invalid)
        {
            return None;
        }
        let uri = match &message {
            Message::Request(request) if request.version_supported() => Some(request.uri().ok()?),
            Message::Request(_) => return None,
            Message::Response(_) => None,
        };
        let vias: Vec<Via> = headers.list().ok()?;
        if vias.is_empty() {
            return None;
        }
        Some(Parsed {
            uri,
            vias,
            from: headers.require().ok()?,
            to: headers.require().ok()?,
            call_id: headers.require().ok()?,
            cseq: headers.require().ok()?,
            contacts: headers.list().ok()?,
            routes: headers.list().ok()?,
            message,
        })
    }

    fn read(parsed: &Parsed, reader: &mut impl Reader) {
        match &parsed.message {
            Message::Request(request) => {
                reader.value(Field::StartLine, 0, Part::Method, Value::Text(request.method().as_str()));
            }
            Message::Response(response) => {
                let status = u16::from(response.status()).into();
                reader.value(Field::StartLine, 0, Part::Status, Value::Number(status));
            }
        }
        if let Some(uri) = &parsed.uri {
            read_uri(uri, Field::StartLine, 0, reader);
        }
        for (nth, via) in parsed.vias.iter().enumerate() {
            reader.value(Field::Via, nth, Part::Transport, Value::Text(via.transport()));
            read_host(Some(via.host()), via.port(), Field::Via, nth, reader);
            read_params(via.params(), Field::Via, nth, reader);
        }
        read_party(&parsed.from, Field::From, reader);
        read_party(&parsed.to, Field::To, reader);
        reader.value(Field::CallId, 0, Part::Id, Value::Text(parsed.call_id.as_str()));
        reader.value(Field::CSeq, 0, Part::Number, Value::Number(parsed.cseq.seq));
        reader.value(Field::CSeq, 0, Part::Method, Value::Text(parsed.cseq.method.as_str()));
        for (nth, contact) in parsed.contacts.iter().enumerate() {
            let Some(address) = contact.address() else { continue };
            read_uri(address.uri(), Field::Contact, nth, reader);
            read_params(address.uri().params(), Field::Contact, nth, reader);
        }
        for (nth, route) in parsed.routes.iter().enumerate() {
            read_uri(route.uri(), Field::Route, nth, reader);
            read_params(route.uri().params(), Field::Route, nth, reader);
        }
    }

    fn write(parsed: &Parsed) -> Bytes {
        let mut out = match &parsed.message {
            Message::Request(request) => MessageWriter::request(request.method(), request.uri_text()),
            Message::Response(response) => MessageWriter::response(response.status(), response.reason()),
        };
        for field in parsed.message.headers().iter() {
            out.copy(field);
        }
        out.finish(parsed.message.body())
    }
}

fn read_party(party: &NameAddr, field: Field, reader: &mut impl Reader) {
    read_uri(party.uri(), field, 0, reader);
    if let Some(tag) = party.tag() {
        reader.value(field, 0, Part::Tag, Value::Text(tag));
    }
}

fn read_uri(uri: &Uri, field: Field, nth: usize, reader: &mut impl Reader) {
    if let Some(user) = uri.user() {
        reader.value(field, nth, Part::User, Value::Text(user));
    }
    read_host(uri.host(), uri.port(), field, nth, reader);
}

fn read_host(host: Option<Host<'_>>, port: Option<u16>, field: Field, nth: usize, reader: &mut impl Reader) {
    match host {
        Some(Host::Name(name)) => reader.value(field, nth, Part::Host, Value::Text(name)),
        Some(Host::V4(ip)) => reader.value(field, nth, Part::Host, Value::Ip(ip.into())),
        Some(Host::V6(ip)) => reader.value(field, nth, Part::Host, Value::Ip(ip.into())),
        None => {}
    }
    if let Some(port) = port {
        reader.value(field, nth, Part::Port, Value::Number(port.into()));
    }
}

fn read_params(params: Params<'_>, field: Field, nth: usize, reader: &mut impl Reader) {
    for (name, value) in params {
        reader.value(field, nth, Part::Param, Value::Param(name, value));
    }
}
