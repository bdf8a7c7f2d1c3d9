//! What a request outside a dialog must be before it is looked at (RFC 3261 §8.2).

use super::Endpoint;
use crate::received::Received;
use crate::session::Reply;
use crate::session::refusal;
use crate::settings::{Carrying, Listener};
use sip_types::header::{Accept, ContentDisposition, ContentEncoding, ContentType, Require};
use sip_types::{HeaderName, Headers, Method, Scheme, StatusCode};

impl Endpoint {
    /// The response that refuses a request outside a dialog: a Request-URI that is none makes it malformed; then in
    /// the order of RFC 3261 §8.2 method, Request-URI, Require, content. `None`: it may go on.
    pub(crate) fn refuse(&self, listener: &Listener, request: &Received) -> Option<Reply> {
        let Ok(uri) = request.request.uri() else {
            return Some(refusal(StatusCode::BAD_REQUEST, "Malformed Request-URI"));
        };
        if !matches!(request.method(), Method::Invite | Method::Options) && !listener.asks(request.method()) {
            let mut reply = Reply::new(StatusCode::METHOD_NOT_ALLOWED);
            reply.parts.fields.push(HeaderName::Allow, listener.allow_without(request.method()));
            return Some(reply);
        }
        if matches!(uri.scheme(), Scheme::Sips | Scheme::Other) {
            // RFC 5630 §3.1.3: who has no TLS cannot serve sips, and says so.
            return Some(Reply::new(StatusCode::UNSUPPORTED_URI_SCHEME));
        }
        if *request.method() == Method::Invite && request.max_forwards.is_some_and(|m| m.0 == 0) {
            return Some(Reply::new(StatusCode::TOO_MANY_HOPS));
        }
        refuse_extensions(listener, request).or_else(|| refuse_content(listener, request))
    }
}

/// 420 for option tags in Require that we do not have (RFC 3261 §8.2.2.3).
pub(crate) fn refuse_extensions(listener: &Listener, request: &Received) -> Option<Reply> {
    let transparent = match &listener.carrying {
        Carrying::Nothing => &[],
        Carrying::All { transparent } => transparent.as_slice(),
    };
    let understood = listener.asked.iter().find(|asked| asked.method == *request.method());
    let understood = understood.map(|asked| asked.understood).unwrap_or_default();
    let known = |tag: &str| {
        let transparent = transparent.iter().map(|t| &**t);
        understood.iter().copied().chain(transparent).any(|t| t.eq_ignore_ascii_case(tag))
    };
    unsupported(request.headers(), known)
}

/// 420 for option tags in Require other than those that `known` tells (RFC 3261 §8.2.2.3).
pub fn unsupported(headers: &Headers, known: impl Fn(&str) -> bool) -> Option<Reply> {
    let Ok(required) = headers.list::<Require>() else {
        return Some(refusal(StatusCode::BAD_REQUEST, "Malformed Require"));
    };
    let missing: Vec<&str> = required.iter().map(Require::as_str).filter(|tag| !known(tag)).collect();
    if missing.is_empty() {
        return None;
    }
    let mut reply = Reply::new(StatusCode::BAD_EXTENSION);
    reply.parts.fields.push(HeaderName::Unsupported, missing.join(", "));
    Some(reply)
}

/// 415 and 406 of an endpoint that carries nothing (RFC 3261 §8.2.3). Who carries leaves them to the far side.
fn refuse_content(listener: &Listener, request: &Received) -> Option<Reply> {
    if listener.carrying != Carrying::Nothing || *request.method() != Method::Invite {
        return None;
    }
    let headers = request.headers();
    let required = match headers.get::<ContentDisposition>() {
        Ok(disposition) => disposition.is_none_or(|d| d.handling_required()),
        Err(_) => return Some(refusal(StatusCode::BAD_REQUEST, "Malformed Content-Disposition")),
    };
    let unsupported = |name, value: &'static str| {
        let mut reply = Reply::new(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        reply.parts.fields.push(name, value);
        Some(reply)
    };
    if required && !request.request.body().is_empty() {
        let encodings = headers.list::<ContentEncoding>().unwrap_or_default();
        if encodings.iter().any(|e| !e.is("identity")) {
            return unsupported(HeaderName::AcceptEncoding, "identity");
        }
        match headers.get::<ContentType>() {
            Ok(Some(content)) if content.is("application", "sdp") => {}
            Ok(Some(content))
                if content.is("multipart", "mixed") || content.is("multipart", "alternative") => {}
            Ok(_) => return unsupported(HeaderName::Accept, "application/sdp"),
            Err(_) => return Some(refusal(StatusCode::BAD_REQUEST, "Malformed Content-Type")),
        }
    }
    let Ok(accepted) = headers.list::<Accept>() else {
        return Some(refusal(StatusCode::BAD_REQUEST, "Malformed Accept"));
    };
    let wants_sdp = !headers.contains(HeaderName::Accept)
        || accepted.iter().any(|range| range.admits("application", "sdp"));
    (!wants_sdp).then(|| Reply::new(StatusCode::NOT_ACCEPTABLE))
}
