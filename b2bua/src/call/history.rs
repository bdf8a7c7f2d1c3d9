//! What a call has been through (RFC 7044): who is called is told of it, and so is who calls.

use super::{Call, LegNo, Place, decide};
use config::{Diversions, Profile};
use policy::{CalledTarget, Crossing, Tried};
use sip::{NetworkId, Received};
use sip_types::header::HistoryInfo;
use sip_types::{Fields, HeaderName, Headers};

/// Has a leg that is about to be dialled told what the call has been through, as its profile says.
pub(super) fn tell(
    fields: &mut Fields,
    call: &Call,
    request: &Received,
    (network, place): (NetworkId, &Place),
    crossing: &Crossing<'_>,
) {
    if crossing.to_profile.diversion == Diversions::Carry {
        return;
    }
    let Ok(called) = request.request.uri() else { return };
    let tried: Vec<Tried<'_>> = tried(call, (network, crossing.to_profile), None);
    let target = CalledTarget { request_uri: &place.target.request_uri, redirected: place.redirected };
    if let Some(history) = policy::history(request.headers(), &called, &tried, target, crossing) {
        fields.remove(HeaderName::HistoryInfo);
        fields.remove(HeaderName::Diversion);
        fields.extend(history);
    }
    if let Some(left) = policy::privacy_left(request.headers(), crossing) {
        fields.remove(HeaderName::Privacy);
        left.iter().for_each(|privacy| fields.push(HeaderName::Privacy, privacy.to_string()));
    }
}

/// Has the caller told it in a response, as its profile says (RFC 7044 §9.4): what its own INVITE said, each leg with what came of
/// it, and what the far sides have told. `by` is the leg whose response it is.
pub(super) fn tell_back(fields: &mut Fields, call: &Call, by: Option<LegNo>) {
    let Some(caller) = &call.caller else { return };
    if caller.profile.diversion != Diversions::HistoryInfo || call.transfer().is_some() {
        return;
    }
    let Some(request) = call.invite.as_deref() else { return };
    let Ok(called) = request.request.uri() else { return };
    let side = (caller.network, &*caller.profile);
    let crossing = decide::crossing_between(&call.snapshot, side, side);
    let tried = tried(call, side, by);
    let brought = fields.list::<HistoryInfo>().unwrap_or_default();
    let told = policy::history_back(request.headers(), &called, &tried, &brought, &crossing);
    fields.remove(HeaderName::HistoryInfo);
    fields.extend(told);
}

/// What came of the legs so far, as somebody in that network with that profile is told of it.
fn tried<'c>(call: &'c Call, to: (NetworkId, &Profile), by: Option<LegNo>) -> Vec<Tried<'c>> {
    let legs = call.dialled().iter();
    let tried = legs.map(|leg| {
        let crossing = decide::crossing_between(&call.snapshot, (leg.network, &leg.profile), to);
        let brought = call.fork.history_of(leg.no);
        let crosses = brought.is_empty() || !policy::is_forbidden(HeaderName::HistoryInfo, &crossing);
        let brought = if crosses { brought } else { &[] };
        Tried { heard: by == Some(leg.no), brought, ..leg.as_tried(to.0) }
    });
    tried.collect()
}

/// What the far side has told of what the call has been through there, in a final response: what comes after it tells of it, too
/// (RFC 7044 §9.3).
pub(super) fn brought(headers: &Headers) -> Vec<HistoryInfo> {
    match headers.contains(HeaderName::HistoryInfo) {
        true => headers.list().unwrap_or_default(),
        false => Vec::new(),
    }
}
