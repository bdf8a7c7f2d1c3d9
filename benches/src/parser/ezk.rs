//! `ezk-sip-types`.
//!
//! It has lines, header map and typed fields, but no message type: the adapter puts them together as the crate's documentation
//! shows. Its lists end silently at the first element that is malformed, so a list is refused only if nothing of it is left.
//! Its parameters can be asked for by name and not listed; the adapter asks for those that the messages carry. It knows
//! `sip` and `sips` URIs only, and hands users out with their escapes read.

use bytes::Bytes;
use ezk_sip_types::{
    Headers, Name,
    header::{
        DecodeValues,
        typed::{CSeq, CallID, Contact, ContentLength, FromTo, Routing, Via},
    },
    host::{Host, HostPort},
    msg::{Line, MessageLine, PullParser},
    parse::Parse,
    print::AppendCtx,
    uri::{
        SipUri, SipUriUserPart,
        params::{Params, ParamsSpec},
    },
};

use super::{Field, Parser, Part, Reader, Value};

/// `ezk-sip-types`.
#[derive(Debug)]
pub struct Ezk;

/// Start line, header map, body and typed fields.
pub struct Parsed {
    line: MessageLine,
    headers: Headers,
    body: Bytes,
    vias: Vec<Via>,
    from: FromTo,
    to: FromTo,
    call_id: CallID,
    cseq: CSeq,
    contacts: Vec<Contact>,
    routes: Vec<Routing>,
}

const VIA_PARAMS: [&str; 3] = ["branch", "rport", "received"];
const URI_PARAMS: [&str; 3] = ["transport", "lr", "ftag"];

impl Parser for Ezk {
    const NAME: &'static str = "ezk-sip-types";

    type Parsed = Parsed;

    fn parse(bytes: &Bytes) -> Option<Parsed> {
        let mut lines = PullParser::new(bytes, 0);
        let start = std::str::from_utf8(lines.next()?.ok()?).ok()?;
        let line = match MessageLine::parse(bytes)(start) {
            Ok(("", line)) => line,
            _ => return None,
        };
        let mut headers = Headers::new();
        for line in &mut lines {
            let line = std::str::from_utf8(line.ok()?).ok()?;
            let (_, Line { name, value }) = Line::parse(bytes, line).ok()?;
            headers.insert(name, value);
        }
        let mut body = bytes.slice(lines.head_end()..);
        if let Some(length) = headers.try_get_named::<ContentLength>() {
            let length = length.ok()?.0;
            if length > body.len() {
                return None;
            }
            body.truncate(length);
        }
        Some(Parsed {
            line,
            vias: list(&headers, Name::VIA).filter(|vias: &Vec<Via>| !vias.is_empty())?,
            from: headers.get(Name::FROM).ok()?,
            to: headers.get(Name::TO).ok()?,
            call_id: headers.get_named().ok()?,
            cseq: headers.get_named().ok()?,
            contacts: list(&headers, Name::CONTACT)?,
            routes: list(&headers, Name::ROUTE)?,
            headers,
            body,
        })
    }

    fn read(parsed: &Parsed, reader: &mut impl Reader) {
        match &parsed.line {
            MessageLine::Request(line) => {
                reader.value(Field::StartLine, 0, Part::Method, Value::Typed(&line.method));
                read_uri(&line.uri, Field::StartLine, 0, reader);
            }
            MessageLine::Response(line) => {
                let status = u32::from(line.code.into_u16());
                reader.value(Field::StartLine, 0, Part::Status, Value::Number(status));
            }
        }
        for (nth, via) in parsed.vias.iter().enumerate() {
            reader.value(Field::Via, nth, Part::Transport, Value::Text(&via.transport));
            read_host(&via.sent_by, Field::Via, nth, reader);
            read_params(&via.params, &VIA_PARAMS, Field::Via, nth, reader);
        }
        read_party(&parsed.from, Field::From, reader);
        read_party(&parsed.to, Field::To, reader);
        reader.value(Field::CallId, 0, Part::Id, Value::Text(&parsed.call_id.0));
        reader.value(Field::CSeq, 0, Part::Number, Value::Number(parsed.cseq.cseq));
        reader.value(Field::CSeq, 0, Part::Method, Value::Typed(&parsed.cseq.method));
        for (nth, contact) in parsed.contacts.iter().enumerate() {
            read_uri(&contact.uri.uri, Field::Contact, nth, reader);
            read_params(&contact.uri.uri.uri_params, &URI_PARAMS, Field::Contact, nth, reader);
        }
        for (nth, route) in parsed.routes.iter().enumerate() {
            read_uri(&route.uri.uri, Field::Route, nth, reader);
            read_params(&route.uri.uri.uri_params, &URI_PARAMS, Field::Route, nth, reader);
        }
    }

    fn write(parsed: &Parsed) -> Bytes {
        let line = parsed.line.default_print_ctx();
        let mut text = format!("{line}\r\n{}\r\n", parsed.headers).into_bytes();
        text.extend_from_slice(&parsed.body);
        text.into()
    }
}

/// Every element of a field that may be absent.
fn list<T>(headers: &Headers, name: Name) -> Option<Vec<T>>
where
    Vec<T>: DecodeValues,
{
    match headers.try_get::<Vec<T>>(name) {
        None => Some(Vec::new()),
        Some(list) => list.ok().filter(|list| !list.is_empty()),
    }
}

fn read_party(party: &FromTo, field: Field, reader: &mut impl Reader) {
    read_uri(&party.uri.uri, field, 0, reader);
    if let Some(tag) = &party.tag {
        reader.value(field, 0, Part::Tag, Value::Text(tag));
    }
}

fn read_uri(uri: &SipUri, field: Field, nth: usize, reader: &mut impl Reader) {
    match &uri.user_part {
        SipUriUserPart::Empty => {}
        SipUriUserPart::User(user) => reader.value(field, nth, Part::User, Value::Text(user)),
        SipUriUserPart::UserPw(both) => reader.value(field, nth, Part::User, Value::Text(&both.user)),
    }
    read_host(&uri.host_port, field, nth, reader);
}

fn read_host(host: &HostPort, field: Field, nth: usize, reader: &mut impl Reader) {
    match &host.host {
        Host::Name(name) => reader.value(field, nth, Part::Host, Value::Text(name)),
        Host::IP4(ip) => reader.value(field, nth, Part::Host, Value::Ip((*ip).into())),
        Host::IP6(ip) => reader.value(field, nth, Part::Host, Value::Ip((*ip).into())),
    }
    if let Some(port) = host.port {
        reader.value(field, nth, Part::Port, Value::Number(port.into()));
    }
}

fn read_params<S: ParamsSpec>(
    params: &Params<S>,
    names: &[&str],
    field: Field,
    nth: usize,
    reader: &mut impl Reader,
) {
    for param in names.iter().filter_map(|name| params.get(name)) {
        reader.value(field, nth, Part::Param, Value::Param(&param.name, param.value.as_deref()));
    }
}
