//! Requests made from an INVITE of ours: its ACK for a failure, its CANCEL.

use crate::session::TIMER;
use bytes::Bytes;
use sip_types::header::Supported;
use sip_types::{Fields, HeaderName, Limits, Message, MessageWriter, Method, Request, Response};

/// What proxies route by: Route (RFC 3261 §9.1, §17.1.1.3), and the caller's preferences (RFC 3841 §5).
const ALIKE: [HeaderName; 4] =
    [HeaderName::Route, HeaderName::AcceptContact, HeaderName::RejectContact, HeaderName::RequestDisposition];

/// The ACK of a 300-699 response to `invite` (RFC 3261 §17.1.1.3).
pub(crate) fn ack(invite: &Bytes, response: &Response) -> Option<Bytes> {
    let invite = reread(invite)?;
    let mut out = begin(&invite, &Method::Ack)?;
    out.copy(response.headers().first(HeaderName::To)?);
    Some(out.finish(b""))
}

/// The CANCEL of `invite` (RFC 3261 §9.1), with a Reason where the caller has one (RFC 3326).
pub(crate) fn cancel(invite: &Bytes, reason: &Fields) -> Option<Bytes> {
    let invite = reread(invite)?;
    let mut out = begin(&invite, &Method::Cancel)?;
    out.copy(invite.headers().first(HeaderName::To)?);
    for field in reason.iter().filter(|field| field.name() != HeaderName::SessionId) {
        out.field(field);
    }
    // RFC 4028 §7.1: each request but ACK says so.
    let supported = invite.headers().list::<Supported>().unwrap_or_default();
    if supported.iter().any(|tag| tag.is(TIMER)) {
        out.header(HeaderName::Supported, TIMER);
    }
    Some(out.finish(b""))
}

/// Everything that both take from the INVITE, up to To.
fn begin(invite: &Request, method: &Method) -> Option<MessageWriter> {
    let headers = invite.headers();
    let mut out = MessageWriter::request(method, invite.uri_text());
    out.copy(headers.first(HeaderName::Via)?);
    out.header(HeaderName::MaxForwards, 70);
    for name in ALIKE {
        for field in headers.all(name) {
            out.copy(field);
        }
    }
    out.copy(headers.first(HeaderName::From)?);
    out.copy(headers.first(HeaderName::CallId)?);
    let cseq = headers.require::<sip_types::header::CSeq>().ok()?;
    out.header(HeaderName::CSeq, format_args!("{} {method}", cseq.seq));
    // RFC 7989 §6: that of the request.
    if let Some(identifier) = headers.first(HeaderName::SessionId) {
        out.copy(identifier);
    }
    Some(out)
}

/// What we wrote ourselves is within any limit.
fn reread(bytes: &Bytes) -> Option<Request> {
    let limits = Limits { message: usize::MAX, body: usize::MAX, ..Limits::default() };
    match Message::parse(bytes.clone(), &limits) {
        Ok(Message::Request(request)) => Some(request),
        Ok(Message::Response(_)) | Err(_) => None,
    }
}
