//! What a request outside a dialog must be before it is looked at (RFC 3261 §8.2).

use super::Endpoint;
use crate::received::Received;
use crate::session::{
    EXPLICIT_SUBSCRIPTION, NO_SUBSCRIPTION, NO_SUBSCRIPTION_REQUIRED, RELIABLE, Reply, TARGET_DIALOG,
    TERMINATED, TIMER, refusal,
};
use crate::settings::{Carrying, Listener};
use sip_types::header::{Accept, Contact, ContentDisposition, ContentEncoding, ContentType, Require};
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
            reply.parts.fields.push(HeaderName::Allow, listener.allow_outside());
            return Some(reply);
        }
        if let Some(refusal) = refuse_misplaced(listener, request) {
            return Some(refusal);
        }
        if uri.scheme() == Scheme::Other {
            return Some(Reply::new(StatusCode::UNSUPPORTED_URI_SCHEME));
        }
        if uri.scheme() == Scheme::Sips
            && let Some(refusal) = self.refuse_sips(listener, request)
        {
            return Some(refusal);
        }
        if *request.method() == Method::Invite && request.max_forwards.is_some_and(|m| m.0 == 0) {
            return Some(Reply::new(StatusCode::TOO_MANY_HOPS));
        }
        refuse_extensions(listener, request).or_else(|| refuse_content(listener, request))
    }
}

impl Endpoint {
    /// What refuses a request for a SIPS URI: it must have come over TLS (RFC 5630 §5.1.2), and its sender must be
    /// reached over TLS too.
    pub(crate) fn refuse_sips(&self, listener: &Listener, request: &Received) -> Option<Reply> {
        if listener.transport.is_secure() {
            let contacts = request.headers().list::<Contact>().unwrap_or_default();
            let plain = |c: &Contact| matches!(c, Contact::Addr(a) if a.uri().scheme() == Scheme::Sip);
            let inconsistent = *request.method() == Method::Invite && contacts.iter().any(plain);
            return inconsistent
                .then(|| refusal(StatusCode::BAD_REQUEST, "SIP Contact for SIPS Request-URI"));
        }
        if self.settings.listeners.iter().any(|l| l.transport.is_secure()) {
            return Some(sips_not_allowed(listener));
        }
        // RFC 3261 §8.2.2.1: who has no TLS at all does not know the scheme.
        Some(Reply::new(StatusCode::UNSUPPORTED_URI_SCHEME))
    }
}

/// 480 with the warning that SIPS is not served here (RFC 5630 §5.1.2, §7.2).
pub(crate) fn sips_not_allowed(listener: &Listener) -> Reply {
    let mut reply = Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE);
    let warning = format!("380 {} \"SIPS Not Allowed\"", listener.sent_by);
    reply.parts.fields.push(HeaderName::Warning, warning);
    reply
}

/// 400 for Replaces and Join in what is no INVITE (RFC 3891 §3, RFC 3911 §4).
pub(crate) fn refuse_misplaced(listener: &Listener, request: &Received) -> Option<Reply> {
    let headers = request.headers();
    let names = listener.refers && *request.method() != Method::Invite;
    let misplaced = names && (headers.contains(HeaderName::Replaces) || headers.contains(HeaderName::Join));
    misplaced.then(|| refusal(StatusCode::BAD_REQUEST, "Only INVITE Replaces or Joins"))
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
        if is_misplaced(listener, request.method(), tag) {
            return false;
        }
        let transparent = transparent.iter().map(|t| &**t);
        let own = (listener.reliable && *request.method() == Method::Invite).then_some(RELIABLE);
        let of_transfer: &[&str] = match request.method() {
            Method::Invite if listener.refers => &["replaces", "join"],
            Method::Refer if listener.refers => &[NO_SUBSCRIPTION, NO_SUBSCRIPTION_REQUIRED, TARGET_DIALOG],
            _ => &[],
        };
        let own = own.into_iter().chain(of_transfer.iter().copied());
        let own = own.into_iter().chain(listener.takes_terminated.then_some(TERMINATED));
        let timer = listener.session_timers.takes_part().then_some(TIMER);
        understood
            .iter()
            .copied()
            .chain(transparent)
            .chain(own)
            .chain(timer)
            .any(|t| t.eq_ignore_ascii_case(tag))
    };
    unsupported(request.headers(), known)
}

/// Whether an option tag has no meaning there, whatever the far side would make of it. Those of RFC 7614 are for REFER alone (§6), and
/// where each side has a subscription of its own, the place of the other one's (Refer-Events-At) does not cross.
fn is_misplaced(listener: &Listener, method: &Method, tag: &str) -> bool {
    let explicit = tag.eq_ignore_ascii_case(EXPLICIT_SUBSCRIPTION);
    match method {
        Method::Refer => explicit && listener.refers,
        _ => explicit || tag.eq_ignore_ascii_case(NO_SUBSCRIPTION_REQUIRED),
    }
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
