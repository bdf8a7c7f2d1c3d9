//! Messages of a scripted telephone.

use bytes::Bytes;
use sip_types::header::{CSeq, Contact, To};
use sip_types::{HeaderName, Message, MessageWriter, Method, Request, Response, StatusCode};
use std::net::SocketAddr;

/// A session description with one audio stream.
pub const SDP: &str = "v=0\r\no=phone 1 1 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n\
                       m=audio 4000 RTP/AVP 0\r\n";

/// The media type of a session description.
pub const SDP_TYPE: &str = "application/sdp";

/// A request that begins something.
pub fn first(method: &str, number: u64, from: SocketAddr, via: &str, sdp: Option<&str>) -> Bytes {
    let mut out = MessageWriter::request(&method.parse().unwrap(), "sip:callee@example.edu");
    out.header(HeaderName::Via, format_args!("SIP/2.0/{via} {from};branch=z9hG4bK-n{number};rport"))
        .header(HeaderName::MaxForwards, 70)
        .header(HeaderName::From, format_args!("<sip:caller@example.com>;tag=n{number}"))
        .header(HeaderName::To, "<sip:callee@example.edu>")
        .header(HeaderName::CallId, format_args!("normal-{number}"))
        .header(HeaderName::CSeq, format_args!("1 {method}"))
        .header(HeaderName::Contact, format_args!("<sip:caller@{from}>"));
    if sdp.is_some() {
        out.header(HeaderName::ContentType, SDP_TYPE);
    }
    out.finish(sdp.unwrap_or_default().as_bytes())
}

/// A request in the dialog that this INVITE and its 2xx made. `number` makes its branch its own.
pub fn inside(
    method: &str,
    invite: &Request,
    ok: &Response,
    seq: u32,
    number: u64,
    from: SocketAddr,
    sdp: Option<&str>,
) -> Bytes {
    let via = if invite.headers().first(HeaderName::Via).is_some_and(|v| v.unfolded().contains("TCP")) {
        "TCP"
    } else {
        "UDP"
    };
    let contact = ok.headers().first_of::<Contact>().ok().flatten();
    let target = contact.and_then(|c| c.address().map(|a| a.uri().to_string())).unwrap_or_default();
    let mut out = MessageWriter::request(&method.parse().unwrap(), &target);
    out.header(HeaderName::Via, format_args!("SIP/2.0/{via} {from};branch=z9hG4bK-i{number}-{method};rport"))
        .header(HeaderName::MaxForwards, 70);
    for name in [HeaderName::From, HeaderName::To, HeaderName::CallId] {
        ok.headers().first(name).map(|field| out.header(name, field.unfolded()));
    }
    out.header(HeaderName::CSeq, format_args!("{seq} {method}"));
    if method == "INVITE" {
        out.header(HeaderName::Contact, format_args!("<sip:caller@{from}>"));
    }
    if sdp.is_some() {
        out.header(HeaderName::ContentType, SDP_TYPE);
    }
    out.finish(sdp.unwrap_or_default().as_bytes())
}

/// The response of a telephone at `at`: a 200 to an INVITE describes a session.
pub fn respond(request: &Request, status: u16, at: SocketAddr, tag: &str) -> Bytes {
    let headers = request.headers();
    let mut out = MessageWriter::response(StatusCode::new(status).unwrap(), "");
    headers.all(HeaderName::Via).for_each(|field| {
        out.copy(field);
    });
    for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
        headers.first(name).map(|field| out.copy(field));
    }
    if let Some(to) = headers.first(HeaderName::To) {
        match headers.require::<To>().is_ok_and(|to| to.tag().is_none()) {
            true => out.header(HeaderName::To, format_args!("{};tag={tag}", to.unfolded())),
            false => out.copy(to),
        };
    }
    let invite = *request.method() == Method::Invite && (180..300).contains(&status);
    if invite {
        out.header(HeaderName::Contact, format_args!("<sip:callee@{at}>"));
    }
    if !invite || status < 200 {
        return out.finish(b"");
    }
    out.header(HeaderName::ContentType, SDP_TYPE);
    out.finish(answer(std::str::from_utf8(request.body()).unwrap_or_default()).as_bytes())
}

/// Each stream of an offer accepted with all its formats; an offer where there was none.
fn answer(offer: &str) -> String {
    let mut sdp = SDP.split("m=").next().unwrap().to_owned();
    let streams: Vec<&str> = offer.lines().filter(|line| line.starts_with("m=")).collect();
    if streams.is_empty() {
        return SDP.to_owned();
    }
    for (n, stream) in streams.iter().enumerate() {
        let mut words = stream.split(' ');
        let media = words.next().unwrap();
        let port = if words.next() == Some("0") { 0 } else { 4000 + 2 * n };
        let rest = words.collect::<Vec<_>>().join(" ");
        sdp.push_str(&format!("{media} {port} {rest}\r\n"));
    }
    sdp
}

/// A message that must be one.
pub fn read(bytes: &Bytes) -> Message {
    Message::parse(bytes.clone(), &sip_types::Limits::default()).unwrap()
}

/// The method of a request or of the CSeq of a response.
pub fn method(message: &Message) -> String {
    match message {
        Message::Request(request) => request.method().to_string(),
        Message::Response(response) => {
            response.headers().require::<CSeq>().map_or_else(|_| String::new(), |c| c.method.to_string())
        }
    }
}
