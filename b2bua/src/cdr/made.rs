//! What a record says of a call that is over.

use super::{LegRecord, Record, RoleRecord, StreamRecord, TransferRecord, timestamp};
use crate::call::role::{Role, RoleSince};
use crate::call::{Call, Leg, LegNo, Logged, Release};
use media::dtmf::Form;
use media::{PartyId, Tally};
use sip::location::Found;
use sip::time::Now;
use std::time::Duration;

impl Record {
    /// The record of a call whose legs have all ended.
    pub(crate) fn of(call: &Call, node: &str, now: Now) -> Self {
        // Of an answered call, legs that were not chosen say nothing: they may end long before it, or after.
        let ends = || call.legs().filter(|leg| call.takes_part(leg)).filter_map(|leg| leg.end.as_ref());
        let first_end = ends().min_by_key(|end| end.at.mono);
        let last = ends().map(|end| end.at.mono).max().unwrap_or(now.mono);
        let legs: Vec<LegRecord> = call.legs().map(|leg| leg_record(call, leg)).collect();
        let lasted = call.answered.map_or(Duration::ZERO, |answered| last.since(answered.mono));
        Self {
            call: call.id.clone(),
            node: node.into(),
            from: call.facts.from.clone(),
            to: call.facts.to.clone(),
            request_uri: call.facts.request_uri.clone(),
            started: timestamp(call.started.wall),
            answered: call.answered.map(|at| timestamp(at.wall)),
            ended: timestamp(now.wall),
            duration_seconds: lasted.as_secs_f64(),
            cause: call.cause.or(first_end.map(|end| end.cause)).unwrap_or_default().to_owned(),
            released_by: call.hung_up.map(|no| side(call, no)).or(call.cause.and(Some("liaison"))),
            credentials_carried: call.carries_proofs(),
            role: Role::of(legs.iter().flat_map(|leg| &leg.streams).map(|stream| stream.relayed)).as_str(),
            roles: role_records(call),
            placed: call.placed.is_some(),
            legs,
            transfers: call
                .transfers
                .iter()
                .flat_map(|transfers| &transfers.log)
                .map(|transfer| transfer_record(call, transfer))
                .collect(),
        }
    }
}

/// The place of a leg in the list: without a caller's, the first one is number 1.
fn place(call: &Call, no: LegNo) -> u8 {
    if call.caller.is_some() { no.0 } else { no.0.saturating_sub(1) }
}

fn transfer_record(call: &Call, of: &Logged) -> TransferRecord {
    let place = |no: LegNo| place(call, no);
    TransferRecord {
        by: place(of.by),
        of: place(of.of),
        to: of.to.clone(),
        target: of.target.map(place),
        status: of.status.map(|status| status.as_u16()),
    }
}

/// How our part changed, if it did.
fn role_records(call: &Call) -> Vec<RoleRecord> {
    if call.roles.len() < 2 {
        return Vec::new();
    }
    let record = |role: &RoleSince| RoleRecord {
        at: timestamp(role.at.wall),
        role: role.role.as_str(),
        calling: place(call, role.calling),
        called: place(call, role.called),
    };
    call.roles.iter().map(record).collect()
}

/// Which side of the call a leg is on: once a transfer has put another one in the caller's place, that one is the calling side.
fn side(call: &Call, no: LegNo) -> &'static str {
    if no == call.talk.calling() { "calling" } else { "called" }
}

/// Who had called whom when a leg came to be.
fn role(call: &Call, no: LegNo) -> &'static str {
    if call.is_calling(no) { "calling" } else { "called" }
}

fn leg_record(call: &Call, leg: &Leg) -> LegRecord {
    let party = call.party(leg.no).unwrap_or(leg.party);
    let dtmf = call.media.dtmf_view(party);
    LegRecord {
        role: role(call, leg.no),
        network: call.snapshot.network_name(leg.network).map(ToString::to_string),
        trunk: leg.trunk.as_ref().map(ToString::to_string),
        sip_call_id: leg.call_id.to_string(),
        session_id: leg.identifier.as_ref().map(ToString::to_string),
        target: leg.target.clone(),
        status: leg.end.as_ref().and_then(|end| end.status).map(|s| s.as_u16()),
        cause: leg.end.as_ref().map(|end| end.cause),
        reason: leg.end.as_ref().and_then(|end| end.reason.clone()),
        release: leg.end.as_ref().and_then(|end| end.release).map(Release::as_str),
        location: leg.found.as_deref().map(location).unwrap_or_default(),
        dtmf: dtmf.and_then(|dtmf| dtmf.form).map(Form::name),
        dtmf_heard: dtmf.map_or(0, |dtmf| dtmf.heard),
        dtmf_said: dtmf.map_or(0, |dtmf| dtmf.said),
        streams: streams(call, party),
    }
}

fn location(found: &Found) -> Vec<String> {
    let questions = found.questions.iter().map(ToString::to_string);
    questions.chain(found.targets.iter().map(ToString::to_string)).collect()
}

fn streams(call: &Call, party: PartyId) -> Vec<StreamRecord> {
    call.media.tally(party).into_iter().map(stream_record).collect()
}

fn stream_record(stream: Tally) -> StreamRecord {
    let counted = stream.counted;
    StreamRecord {
        media: stream.media,
        codecs: stream.codecs,
        relayed: stream.relayed,
        srtp: stream.guarded.name(),
        keying: stream.guarded.keying(),
        packets: counted.received.packets,
        bytes: counted.received.bytes,
        lost: i64::try_from(counted.lost).ok(),
        dtls: counted.dtls.map(media::dtls::Standing::name),
        transcoded: stream.coding.map(|coding| coding.to),
        concealed: stream.coding.map(|coding| coding.counted.concealed),
        jitter_seconds: (!counted.jitter.is_zero()).then_some(counted.jitter.as_secs_f64()),
        mos: stream.quality.received_mos,
        sent_lost: counted.told.filter(|told| told.blocks > 0).map(|told| told.lost),
        sent_mos: stream.quality.sent_mos,
        round_trip_seconds: counted.told.and_then(|told| told.round_trip).map(|span| span.as_secs_f64()),
        poor: stream.poor,
        unnegotiated: counted.unnegotiated,
        excess: counted.excess,
        foreign: counted.foreign,
    }
}
