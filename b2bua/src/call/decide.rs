//! What the bridge asks policy, in the terms of a call.

use super::body::{Rules, Taken};
use super::{Call, Leg, LegNo, OrRefuse};
use crate::snapshot::Snapshot;
use bytes::Bytes;
use config::{Ice, Latch, Nat, Profile, ReferPolicy, TimerMode, TrunkName};
use media::{Latching, MediaNetwork, Mode, Refusal};
use policy::{BodyRefused, Crossing, On};
use sip::session::{Body, Parts, Reply};
use sip::{Listener, NetworkId, Received};
use sip_types::header::{ContentDisposition, ContentType};
use sip_types::{Fields, HeaderName, Headers, Method, Request, Response, StatusCode, Uri};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

/// The profile of a leg without a route.
pub(crate) fn profile(snapshot: &Snapshot, network: NetworkId, trunk: Option<&TrunkName>) -> Arc<Profile> {
    match snapshot.network_name(network) {
        Some(name) => snapshot.policy.profile(name, trunk, None),
        None => Arc::default(),
    }
}

/// Where media of a network is taken. A network without media has an address that no port can be borrowed at, so
/// that only what flows around us is possible in it. `on_flow` says that the peer is reached on its flow: where both
/// settings leave it to us, its media comes from where its signalling comes from unless it is described elsewhere.
pub(crate) fn media_network(
    snapshot: &Snapshot,
    (network, profile): (NetworkId, &Profile),
    on_flow: bool,
) -> MediaNetwork {
    let settings = snapshot.network(network);
    let auto = settings.is_some_and(|network| {
        network.nat == Nat::Auto && network.media.as_ref().is_some_and(|media| media.latch == Latch::Auto)
    });
    let place = snapshot.media_network(network).cloned();
    let place = place.map(|place| match auto && on_flow {
        true => MediaNetwork { latching: Latching::SignallingIfPrivate, ..place },
        false => place,
    });
    let place = place.unwrap_or(MediaNetwork {
        id: media::NetworkId(network.0),
        bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        advertised: None,
        ports: 0..=0,
        latching: Latching::Described,
        ice: media::Ice::default(),
        marks: media::Marks::default(),
        traversal: None,
    });
    let ice = match profile.ice {
        Ice::Off => media::Ice::Off,
        Ice::Accept => media::Ice::Accept,
        Ice::Offer => media::Ice::Offer,
    };
    MediaNetwork { ice, ..place }
}

/// What a message crosses on its way from one leg to another.
pub(crate) fn crossing<'a>(call: &'a Call, from: &'a Leg, to: &'a Leg) -> Crossing<'a> {
    crossing_between(&call.snapshot, (from.network, &from.profile), (to.network, &to.profile))
}

/// What a message crosses on its way from one side to another, each with the profile that it is treated by.
pub(crate) fn crossing_between<'a>(
    snapshot: &'a Snapshot,
    (from, from_profile): (NetworkId, &'a Profile),
    (to, to_profile): (NetworkId, &'a Profile),
) -> Crossing<'a> {
    let (from_trusted, to_trusted) = (snapshot.trusts(from), snapshot.trusts(to));
    Crossing { from_trusted, to_trusted, from_profile, to_profile, realms: snapshot.policy.realms() }
}

/// The header fields and Contact parameters of one leg's message that another leg's message has: what crosses,
/// and what our user agent says of itself in view of it.
pub(crate) fn parts(
    headers: &Headers,
    on: On<'_>,
    crossing: &Crossing<'_>,
    listener: Option<&Listener>,
) -> Parts {
    explained_parts(headers, on, crossing, listener, &mut policy::Trail::default())
}

/// As [`parts`], with the reason for each header field that does not cross.
pub(crate) fn explained_parts(
    headers: &Headers,
    on: On<'_>,
    crossing: &Crossing<'_>,
    listener: Option<&Listener>,
    trail: &mut policy::Trail,
) -> Parts {
    let mut fields = policy::statement(headers, on, crossing, listener.map(Listener::methods));
    fields.extend(policy::carry(headers, on, crossing, trail));
    let contact_params = policy::contact_params(headers);
    let contact_user = match contact_params.is_empty() {
        true => Default::default(),
        false => policy::conference_user(headers),
    };
    Parts { fields, contact_user, contact_params, body: None }
}

/// The Request-URI that a proof covers which crosses with the request (RFC 7616 §3.4.6): it stays.
pub(crate) fn proven_uri(request: &Received, crossing: &Crossing<'_>) -> Option<Uri> {
    let proves = crossing.passes_proof(request.headers(), request.method());
    request.request.uri().ok().filter(|_| proves).map(|uri| uri.for_request_line())
}

/// Says what we understand in each INVITE, and in each response that makes a dialog: another URI in From (RFC 4916 §4.1, §4.2), and
/// requests that name a dialog of ours, where the profile of the peer has us serve them (RFC 3891 §6.2, RFC 4538 §3).
pub(crate) fn tell_extensions(parts: &mut Parts, profile: &Profile) {
    let through = |own: &str| profile.transparent.iter().any(|tag| tag.as_str().eq_ignore_ascii_case(own));
    let serves = |own: &str| profile.refer != ReferPolicy::Refuse && !through(own);
    let told = match (serves("replaces"), serves(sip::session::TARGET_DIALOG)) {
        (true, true) => "replaces, tdialog, from-change",
        (true, false) => "replaces, from-change",
        (false, true) => "tdialog, from-change",
        (false, false) => sip::session::FROM_CHANGE,
    };
    parts.fields.push(HeaderName::Supported, told);
}

/// Only what crosses: for messages that say nothing about a user agent, such as BYE.
pub(crate) fn carried(headers: &Headers, on: On<'_>, crossing: &Crossing<'_>) -> Fields {
    policy::carry(headers, on, crossing, &mut policy::Trail::default())
}

/// What a peer may require of who does what a REFER asks for (RFC 3891 §6.2, RFC 3911 §7.2, RFC 4488 §4, RFC 4538 §7,
/// RFC 7614 §6).
const OF_TRANSFER: [&str; 5] = [
    "replaces",
    "join",
    sip::session::NO_SUBSCRIPTION,
    sip::session::NO_SUBSCRIPTION_REQUIRED,
    sip::session::TARGET_DIALOG,
];

/// 420 for option tags in Require that the profile of a leg does not let pass (RFC 3261 §8.2.2.3).
pub(crate) fn extensions(headers: &Headers, profile: &Profile) -> OrRefuse<()> {
    let known = |tag: &str| {
        let own = |ours: bool, own: &str| ours && tag.eq_ignore_ascii_case(own);
        own(profile.reliable_responses, sip::session::RELIABLE)
            || own(profile.early_dialog_terminated, sip::session::TERMINATED)
            || own(profile.session_timer.mode != TimerMode::Off, sip::session::TIMER)
            || (profile.refer != ReferPolicy::Refuse
                && OF_TRANSFER.iter().any(|t| tag.eq_ignore_ascii_case(t)))
            || tag.eq_ignore_ascii_case(sip::session::FROM_CHANGE)
            || profile.transparent.iter().any(|t| t.to_string().eq_ignore_ascii_case(tag))
    };
    sip::unsupported(headers, known).map_or(Ok(()), |reply| Err(Box::new(reply)))
}

/// Whether a request outside a dialog goes to whom a call would reach.
///
/// # Errors
/// 405 with what is served on that listener, or 481.
pub(crate) fn goes_outside(
    method: &Method,
    crossing: &Crossing<'_>,
    listener: Option<&Listener>,
) -> OrRefuse<()> {
    policy::goes_outside(method, crossing).map_err(|refused| {
        let mut reply = Reply::new(refused.status());
        if reply.status == StatusCode::METHOD_NOT_ALLOWED {
            let allow = listener.map(|l| l.allow_without(method)).unwrap_or_default();
            reply.parts.fields.push(HeaderName::Allow, allow);
        }
        Box::new(reply)
    })
}

/// The response that a refusal of media leads to; a lack of ports may be over after `retry_after`.
pub(crate) fn media_reply(refusal: &Refusal, retry_after: Duration) -> Reply {
    let status = StatusCode::new(refusal.status()).unwrap_or(StatusCode::SERVER_INTERNAL_ERROR);
    let mut reply = Reply::new(status);
    if let Some(warning) = refusal.warning() {
        reply.parts.fields.push(HeaderName::Warning, our_warning(warning.code, warning.text));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        reply.parts.fields.push(HeaderName::RetryAfter, retry_after.as_secs().to_string());
    }
    reply
}

/// A Warning of ours; the text has nothing that needs an escape.
pub(crate) fn our_warning(code: u16, text: &str) -> String {
    format!("{code} {} \"{text}\"", policy::WARN_AGENT)
}

/// The response that refuses a body: with what we take instead (RFC 3261 §8.2.3).
pub(crate) fn body_reply(refused: BodyRefused) -> Reply {
    let mut reply = Reply::new(refused.status());
    let warning = match refused {
        BodyRefused::Malformed => Some("The parts of the body cannot be told apart"),
        BodyRefused::Unreferenced => Some("Nothing refers to a part by reference"),
        _ => None,
    };
    if let Some(warning) = warning {
        reply.parts.fields.push(HeaderName::Warning, our_warning(399, warning));
    }
    if reply.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        reply.parts.fields.push(HeaderName::Accept, "application/sdp");
        reply.parts.fields.push(HeaderName::AcceptEncoding, "identity");
    }
    reply
}

/// The body of a request with an offer or an answer, for another leg.
///
/// # Errors
/// It has a body that does not cross and must be understood.
pub(crate) fn take(call: &Call, from: LegNo, to: LegNo, request: &Request) -> OrRefuse<Taken> {
    let (Some(from), Some(to)) = (call.leg(from), call.leg(to)) else { return Ok(Taken::default()) };
    let crossing = crossing(call, from, to);
    let taken = take_strictly(&crossing, call.media.mode(), request)?;
    match to.refuses_parts {
        true => taken.alone(true).map_err(|refused| Box::new(body_reply(refused))),
        false => Ok(taken),
    }
}

/// The body of a request, by what crosses on its way.
///
/// # Errors
/// It has a body that does not cross and must be understood.
pub(crate) fn take_strictly(crossing: &Crossing<'_>, mode: Mode, request: &Request) -> OrRefuse<Taken> {
    let taken = Taken::read(request.headers(), request.body(), &rules(crossing, mode, true))
        .map_err(|refused| Box::new(body_reply(refused)))?;
    if mode == Mode::Anchored && taken.is_opaque() && hides_session(request.headers()) {
        let mut reply = Reply::new(StatusCode::UNDECIPHERABLE);
        let value = our_warning(399, "Encrypted Session, Media Is Anchored");
        reply.parts.fields.push(HeaderName::Warning, value);
        return Err(Box::new(reply));
    }
    Ok(taken)
}

/// Whether a body is encrypted that has to be understood: what describes the session is in it, and nobody between can read, or
/// change, where media goes (RFC 3261 §21.4.28, §23.2).
fn hides_session(headers: &Headers) -> bool {
    let kind = headers.get::<ContentType>().ok().flatten();
    let encrypted =
        kind.is_some_and(|kind| kind.is("application", "pkcs7-mime") || kind.is("multipart", "encrypted"));
    let disposition = || headers.get::<ContentDisposition>().ok().flatten();
    encrypted && disposition().is_none_or(|disposition| disposition.handling_required())
}

/// The body of a request that has neither offer nor answer, as it crosses.
///
/// # Errors
/// It has a body that does not cross and must be understood.
pub(crate) fn body_across(request: &Request, rules: &Rules<'_>) -> OrRefuse<Option<Body>> {
    Taken::carried(request.headers(), request.body(), rules).map_err(|refused| Box::new(body_reply(refused)))
}

/// The rules for a body of a call with media of that mode.
pub(crate) fn rules<'a>(crossing: &'a Crossing<'a>, mode: Mode, refusing: bool) -> Rules<'a> {
    Rules { crossing, anchored: mode == Mode::Anchored, refusing }
}

/// The body of a response, for another leg: what does not cross is left out.
pub(crate) fn take_response(call: &Call, from: LegNo, to: LegNo, response: &Response) -> Taken {
    take_leniently(call, from, to, response.headers(), response.body())
}

/// The body of an ACK, which cannot be refused, for another leg: what does not cross is left out.
pub(crate) fn take_ack(call: &Call, from: LegNo, to: LegNo, ack: &Request) -> Taken {
    let taken = take_leniently(call, from, to, ack.headers(), ack.body());
    match call.leg(to).is_some_and(|to| to.refuses_parts) {
        true => taken.alone(false).unwrap_or_default(),
        false => taken,
    }
}

fn take_leniently(call: &Call, from: LegNo, to: LegNo, headers: &Headers, body: &Bytes) -> Taken {
    let (Some(from), Some(to)) = (call.leg(from), call.leg(to)) else { return Taken::default() };
    let crossing = crossing(call, from, to);
    Taken::read(headers, body, &rules(&crossing, call.media.mode(), false)).unwrap_or_default()
}

/// 480 for a call to a SIPS URI whose next hop is not reached over TLS (RFC 5630 §5.3, §7.2).
pub(crate) fn sips_not_allowed() -> Reply {
    let mut reply = Reply::new(StatusCode::TEMPORARILY_UNAVAILABLE);
    reply.parts.fields.push(HeaderName::Warning, "380 liaison \"SIPS Not Allowed\"");
    reply
}

/// What a request gets that was not sent because its next hop has asked for fewer: 503 without Retry-After, unless the
/// profile has another status for it (RFC 7339 §5.10).
pub(crate) fn next_hop_overloaded(profile: &Profile) -> Reply {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut reply = Reply::new(profile.failures.get(&status).copied().unwrap_or(status));
    reply.parts.fields.push(HeaderName::Warning, "399 liaison \"Next Hop Overloaded\"");
    reply
}

/// A Reason of ours (RFC 3326).
pub(crate) fn reason(cause: u16, text: &str) -> Fields {
    let mut fields = Fields::default();
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    fields.push(HeaderName::Reason, format!("SIP;cause={cause};text=\"{quoted}\""));
    fields
}
