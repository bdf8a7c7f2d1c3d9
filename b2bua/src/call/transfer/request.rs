//! The INVITE that a REFER asks for, as the transferee would have sent it to us.

use sip::Received;
use sip::session::Refer;
use sip_types::{Fields, HeaderName, Limits, Message, Uri};
use std::fmt::Write;

/// The INVITE: to the target, from the transferee, with the header fields that the target's URI asks for (RFC 3261 §19.1.5), what
/// the REFER says of who refers (RFC 3892 §2.2), and as many hops as are left to it. What of all this crosses is policy's affair,
/// as for the INVITE of a caller. `None` where no message can be made of it.
pub(super) fn invite(refer: &Refer, target: &Uri, request: &Received, speaker: &str) -> Option<Received> {
    let hops = request.max_forwards.map_or(70, |hops| hops.0);
    let mut text = String::with_capacity(512);
    let _ = write!(
        text,
        "INVITE {target} SIP/2.0\r\nVia: SIP/2.0/UDP transfer.invalid;branch=z9hG4bK\r\nMax-Forwards: {hops}\r\n\
         From: {speaker};tag=transferee\r\nTo: <{target}>\r\nCall-ID: transfer\r\nCSeq: 1 INVITE\r\n"
    );
    let headers = request.headers();
    for (name, value) in asked(refer) {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    for field in headers.all(HeaderName::ReferredBy) {
        let _ = write!(text, "Referred-By: {}\r\n", field.unfolded());
    }
    // The body of a REFER is the token that proves Referred-By (RFC 3892 §2.2), byte for byte.
    let body = request.request.body();
    if !body.is_empty() && headers.contains(HeaderName::ReferredBy) {
        let describing = [
            HeaderName::ContentType,
            HeaderName::ContentDisposition,
            HeaderName::ContentId,
            HeaderName::ContentEncoding,
            HeaderName::MimeVersion,
        ];
        for field in describing.into_iter().flat_map(|name| headers.all(name)) {
            let _ = write!(text, "{}: {}\r\n", field.name_text(), field.unfolded());
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n", body.len());
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(body);
        return read(bytes, request);
    }
    text.push_str("Content-Length: 0\r\n\r\n");
    read(text.into_bytes(), request)
}

fn read(bytes: Vec<u8>, request: &Received) -> Option<Received> {
    match Message::parse(bytes.into(), &Limits::default()).ok()? {
        Message::Request(invite) => Received::read(invite, request.flow).ok(),
        Message::Response(_) => None,
    }
}

/// A URI as it stands in a request line.
pub(super) fn bare(uri: &Uri) -> Uri {
    match uri.is_sip() {
        true => uri.for_request_line(),
        false => uri.detached(),
    }
}

/// What the INVITE has besides: the dialog of others that it is to replace, as the target knows it (RFC 5589 §7).
pub(super) fn fields(refer: &Refer) -> Fields {
    let mut fields = Fields::default();
    if let Some(replaces) = &refer.replaces {
        fields.push(HeaderName::Replaces, replaces.to_string());
    }
    fields
}

/// The header fields that the target's URI asks for, but for those that the user agent writes itself, and for what would not
/// stay one line.
fn asked(refer: &Refer) -> impl Iterator<Item = (String, String)> {
    let headers = refer.to.uri().headers().filter_map(|(name, value)| {
        let (name, value) = (sip_types::unescape(name)?, sip_types::unescape(value)?);
        let is_token =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b));
        let is_line = !value.bytes().any(|b| b.is_ascii_control());
        let known = HeaderName::from_bytes(name.as_bytes());
        (is_token && is_line && !is_own(known) && name != "body")
            .then(|| (name.into_owned(), value.into_owned()))
    });
    headers.collect::<Vec<_>>().into_iter()
}

/// Whether a header field is the user agent's own affair, or may not be asked for in a URI.
fn is_own(name: HeaderName) -> bool {
    matches!(
        name,
        HeaderName::From
            | HeaderName::To
            | HeaderName::CallId
            | HeaderName::CSeq
            | HeaderName::Via
            | HeaderName::Contact
            | HeaderName::Route
            | HeaderName::RecordRoute
            | HeaderName::MaxForwards
            | HeaderName::MaxBreadth
            | HeaderName::Require
            | HeaderName::Replaces
            | HeaderName::Join
            | HeaderName::ContentType
            | HeaderName::ContentLength
            | HeaderName::ContentDisposition
            | HeaderName::ContentEncoding
            | HeaderName::ContentId
            | HeaderName::MimeVersion
            | HeaderName::Authorization
            | HeaderName::ProxyAuthorization
            | HeaderName::ReferredBy
    )
}
